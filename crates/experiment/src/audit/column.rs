//! Columns of what a chain computed, each value with the moment at which it was known, and their comparison bit by bit.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use tidegate_market::Timestamp;

/// A stage of the chain, in the order in which one depends on another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditStage {
    /// Bars as signals see them, adjusted where the config adjusts, and as they are traded.
    Bars,
    /// Features at every scale, and the columns of a strategy by rules.
    Features,
    /// What forecasters learn, each label known when the last bar that it reads has closed.
    Labels,
    /// The scaler of each fold, known before its test block.
    Scaler,
    /// The training and validation samples of each fold with their labels and weights.
    TrainingSets,
    /// The trained members of each fold: the hash of what they learn from, and the hash of what they are.
    Models,
    /// Forecasts with everything that they state.
    Forecasts,
    /// Orders: what was asked for, and how they ended.
    Orders,
    /// Fills with their costs.
    Fills,
    /// Equity, cash, exposure and money that moved without a fill.
    Equity,
}

impl fmt::Display for AuditStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bars => "bars",
            Self::Features => "features",
            Self::Labels => "labels",
            Self::Scaler => "scaler",
            Self::TrainingSets => "training sets",
            Self::Models => "models",
            Self::Forecasts => "forecasts",
            Self::Orders => "orders",
            Self::Fills => "fills",
            Self::Equity => "equity",
        })
    }
}

/// What a column holds; a missing number is NaN.
pub(super) enum Values<'a> {
    Numbers(Cow<'a, [f64]>),
    Texts(Vec<String>),
}

/// Some values of one kind, each with its bar and the moment at which it was known.
pub(super) struct Column<'a> {
    pub(super) stage: AuditStage,
    pub(super) name: String,
    /// `None` for what concerns all symbols.
    pub(super) symbol: Option<String>,
    pub(super) label: Cow<'a, [Timestamp]>,
    pub(super) known: Cow<'a, [Timestamp]>,
    pub(super) values: Values<'a>,
}

/// Where two computations differ.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Difference {
    pub(super) stage: AuditStage,
    pub(super) column: String,
    pub(super) symbol: Option<String>,
    pub(super) bar: Timestamp,
    pub(super) whole: String,
    pub(super) again: String,
}

/// How many values were compared at each stage, and the first difference: of the first stage with one that of the earliest bar.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    pub(super) values: BTreeMap<AuditStage, u64>,
    pub(super) first: Option<Difference>,
}

/// What stands where one computation has a value and the other has none.
const NOTHING: &str = "nothing";

impl Column<'_> {
    fn key(&self) -> (AuditStage, &str, Option<&str>) {
        (self.stage, &self.name, self.symbol.as_deref())
    }

    fn known_rows(&self, by: Timestamp) -> impl Iterator<Item = usize> {
        (0..self.label.len()).filter(move |&row| self.known[row] <= by)
    }

    fn text(&self, row: usize) -> String {
        match &self.values {
            Values::Numbers(numbers) if numbers[row].is_nan() => "missing".to_owned(),
            Values::Numbers(numbers) => numbers[row].to_string(),
            Values::Texts(texts) => texts[row].clone(),
        }
    }

    fn difference(&self, bar: Timestamp, whole: String, again: String) -> Difference {
        Difference { stage: self.stage, column: self.name.clone(), symbol: self.symbol.clone(), bar, whole, again }
    }
}

fn same_value(one: &Values<'_>, row: usize, other: &Values<'_>, other_row: usize) -> bool {
    match (one, other) {
        (Values::Numbers(one), Values::Numbers(other)) => {
            let (one, other) = (one[row], other[other_row]);
            one.to_bits() == other.to_bits() || (one.is_nan() && other.is_nan())
        }
        (Values::Texts(one), Values::Texts(other)) => one[row] == other[other_row],
        _ => false,
    }
}

/// Compares everything that was known by a moment.
pub(super) fn compare(whole: &[Column<'_>], again: &[Column<'_>], known_by: Timestamp) -> Comparison {
    let mut comparison = Comparison::default();
    let mut others: BTreeMap<_, &Column<'_>> = again.iter().map(|column| (column.key(), column)).collect();
    for column in whole {
        let other = others.remove(&column.key());
        comparison.add(column.stage, compare_column(column, other, known_by));
    }
    for extra in others.into_values() {
        let found = extra.known_rows(known_by).next();
        let difference = found.map(|row| extra.difference(extra.label[row], NOTHING.to_owned(), extra.text(row)));
        comparison.add(extra.stage, (0, difference));
    }
    comparison
}

impl Comparison {
    fn add(&mut self, stage: AuditStage, (compared, found): (u64, Option<Difference>)) {
        *self.values.entry(stage).or_default() += compared;
        let Some(found) = found else { return };
        if self.first.as_ref().is_none_or(|first| (found.stage, found.bar) < (first.stage, first.bar)) {
            self.first = Some(found);
        }
    }
}

/// Returns how many values are the same from the first on, and where they first differ.
fn compare_column(whole: &Column<'_>, again: Option<&Column<'_>>, known_by: Timestamp) -> (u64, Option<Difference>) {
    let mut own = whole.known_rows(known_by);
    let mut other = again.into_iter().flat_map(|again| again.known_rows(known_by).map(move |row| (again, row)));
    let mut compared = 0;
    loop {
        let difference = match (own.next(), other.next()) {
            (None, None) => return (compared, None),
            (Some(row), None) => whole.difference(whole.label[row], whole.text(row), NOTHING.to_owned()),
            (None, Some((again, row))) => again.difference(again.label[row], NOTHING.to_owned(), again.text(row)),
            (Some(row), Some((again, place))) if whole.label[row] < again.label[place] => {
                whole.difference(whole.label[row], whole.text(row), NOTHING.to_owned())
            }
            (Some(row), Some((again, place))) if whole.label[row] > again.label[place] => {
                again.difference(again.label[place], NOTHING.to_owned(), again.text(place))
            }
            (Some(row), Some((again, place))) if same_value(&whole.values, row, &again.values, place) => {
                compared += 1;
                continue;
            }
            (Some(row), Some((again, place))) => whole.difference(whole.label[row], whole.text(row), again.text(place)),
        };
        return (compared, Some(difference));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(moment: i64) -> Timestamp {
        Timestamp::from_nanos(moment)
    }

    /// A column whose values are known one moment after their bars' labels.
    fn column(name: &str, rows: &[(i64, f64)]) -> Column<'static> {
        Column {
            stage: AuditStage::Features,
            name: name.to_owned(),
            symbol: Some("AAA".to_owned()),
            label: rows.iter().map(|row| time(row.0)).collect(),
            known: rows.iter().map(|row| time(row.0 + 1)).collect(),
            values: Values::Numbers(rows.iter().map(|row| row.1).collect()),
        }
    }

    fn first(whole: &[Column<'_>], again: &[Column<'_>], known_by: i64) -> Option<(String, i64, String, String)> {
        let found = compare(whole, again, time(known_by)).first?;
        Some((found.column, found.bar.nanos(), found.whole, found.again))
    }

    #[test]
    fn what_is_known_later_is_not_compared() {
        let whole = [column("a", &[(0, 1.0), (1, 2.0), (2, 3.0)])];
        let again = [column("a", &[(0, 1.0), (1, 2.0), (2, 9.0)])];
        let comparison = compare(&whole, &again, time(2));
        assert_eq!((comparison.values[&AuditStage::Features], comparison.first), (2, None));
        assert_eq!(first(&whole, &again, 3), Some(("a".to_owned(), 2, "3".to_owned(), "9".to_owned())));
    }

    #[test]
    fn one_bit_is_a_difference_and_two_missing_values_are_none() {
        let whole = [column("a", &[(0, f64::NAN), (1, 0.0)])];
        assert_eq!(first(&whole, &[column("a", &[(0, -f64::NAN), (1, 0.0)])], 9), None);
        let found = first(&whole, &[column("a", &[(0, f64::NAN), (1, -0.0)])], 9);
        assert_eq!(found, Some(("a".to_owned(), 1, "0".to_owned(), "-0".to_owned())));
        let found = first(&whole, &[column("a", &[(0, 4.5), (1, 0.0)])], 9);
        assert_eq!(found, Some(("a".to_owned(), 0, "missing".to_owned(), "4.5".to_owned())));
    }

    #[test]
    fn a_row_or_a_column_that_only_one_computation_has_is_a_difference() {
        let whole = || [column("a", &[(0, 1.0), (1, 2.0)])];
        let nothing = || "nothing".to_owned();
        assert_eq!(
            first(&whole(), &[column("a", &[(0, 1.0)])], 9),
            Some(("a".to_owned(), 1, "2".to_owned(), nothing()))
        );
        assert_eq!(
            first(&whole(), &[column("a", &[(1, 2.0)])], 9),
            Some(("a".to_owned(), 0, "1".to_owned(), nothing()))
        );
        assert_eq!(first(&whole(), &[], 9), Some(("a".to_owned(), 0, "1".to_owned(), nothing())));
        let more = [column("a", &[(0, 1.0), (1, 2.0)]), column("b", &[(5, 1.0)])];
        assert_eq!(first(&whole(), &more, 9), Some(("b".to_owned(), 5, nothing(), "1".to_owned())));
        assert_eq!(first(&whole(), &more, 5), None, "what is known at 6 is not compared at 5");
    }

    #[test]
    fn the_earliest_bar_of_the_first_stage_is_named() {
        let later = |stage, mut column: Column<'static>| {
            column.stage = stage;
            column
        };
        let side = |value: f64| {
            [
                later(AuditStage::Equity, column("equity", &[(0, value)])),
                column("a", &[(0, 1.0), (3, value)]),
                column("b", &[(2, value)]),
            ]
        };
        assert_eq!(first(&side(1.0), &side(2.0), 9), Some(("b".to_owned(), 2, "1".to_owned(), "2".to_owned())));
    }
}
