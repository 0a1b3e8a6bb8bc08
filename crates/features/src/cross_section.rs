//! Features compared between the instruments that are known at a time.

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use crate::FeatureError;

/// A comparison of one instrument's feature with the others' at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CrossSection {
    /// The rank over the number of instruments with a value: above 0 to 1, the highest value 1, ties their mean rank.
    Rank,
    /// The value less the mean over the sample standard deviation (ddof 1); null for fewer than two instruments or equal values.
    ZScore,
}

impl CrossSection {
    const fn suffix(self) -> &'static str {
        match self {
            Self::Rank => "rank",
            Self::ZScore => "z_score",
        }
    }
}

/// Adds `<column>_rank` or `<column>_z_score` to a table with the columns `time` and `column`.
///
/// Only rows with the same `time` meet, so a value depends on nothing later. A null stays null and counts for nothing.
///
/// # Errors
/// [`FeatureError::MissingColumn`] when there is no such column.
pub fn cross_section(frame: &DataFrame, column: &str, kind: CrossSection) -> Result<DataFrame, FeatureError> {
    for needed in ["time", column] {
        if frame.column(needed).is_err() {
            let found = frame.get_column_names().iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
            return Err(FeatureError::MissingColumn { column: needed.to_owned(), found });
        }
    }
    let value = || col(column);
    let compared = match kind {
        CrossSection::Rank => {
            let rank = value().rank(RankOptions { method: RankMethod::Average, descending: false }, None);
            rank.cast(DataType::Float64) / value().count().cast(DataType::Float64)
        }
        CrossSection::ZScore => {
            let differs = value().min().neq(value().max());
            when(differs).then((value() - value().mean()) / value().std(1)).otherwise(lit(NULL))
        }
    };
    let named = compared.over([col("time")])?.alias(format!("{column}_{}", kind.suffix()));
    Ok(frame.clone().lazy().with_column(named).collect()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three instruments at time 1, two at time 2, one at time 3, and a null.
    fn frame() -> DataFrame {
        df!(
            "time" => [1, 1, 1, 2, 2, 3, 3],
            "symbol" => ["a", "b", "c", "a", "b", "a", "b"],
            "rsi_14" => [Some(10.0), Some(40.0), Some(10.0), Some(7.0), Some(7.0), Some(5.0), None],
        )
        .expect("equal lengths")
    }

    fn check(kind: CrossSection, column: &str, expected: &[Option<f64>]) {
        let frame = cross_section(&frame(), "rsi_14", kind).expect("has the column");
        let values: Vec<_> = frame.column(column).expect("added").f64().expect("numbers").iter().collect();
        assert_eq!(values.len(), expected.len());
        for (value, expected) in values.iter().zip(expected) {
            let is_equal = match (value, expected) {
                (Some(value), Some(expected)) => (value - expected).abs() < 1e-15,
                (value, expected) => value == expected,
            };
            assert!(is_equal, "{values:?}");
        }
    }

    #[test]
    fn ranks_are_shares_with_ties_at_their_mean() {
        // Time 1: ranks 1.5, 3, 1.5 of 3. Time 2: 1.5, 1.5 of 2. Time 3: 1 of 1.
        let expected = [Some(0.5), Some(1.0), Some(0.5), Some(0.75), Some(0.75), Some(1.0), None];
        check(CrossSection::Rank, "rsi_14_rank", &expected);
    }

    #[test]
    fn z_scores_are_null_where_nothing_differs() {
        // Time 1: mean 20, squared deviations 100 + 400 + 100 = 600 over 2, deviation sqrt(300).
        let deviation = 300.0_f64.sqrt();
        let expected =
            [Some(-10.0 / deviation), Some(20.0 / deviation), Some(-10.0 / deviation), None, None, None, None];
        check(CrossSection::ZScore, "rsi_14_z_score", &expected);
    }

    #[test]
    fn a_missing_column_is_named_with_those_found() {
        let error = cross_section(&frame(), "rsi_41", CrossSection::Rank).expect_err("missing").to_string();
        assert_eq!(error, "feature table must have a column `rsi_41`, has `time, symbol, rsi_14`");
    }
}
