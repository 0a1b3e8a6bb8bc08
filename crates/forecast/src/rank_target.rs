//! Targets across symbols: how a symbol does among the others, in place of how it does.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};
use tidegate_market::{TargetColumn, TargetLabel, Timestamp};

use crate::fold::range;
use crate::{ForecastError, Panel};

/// How labels become ranks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RankSpec {
    /// The number that a rank becomes.
    pub score: RankScore,
    /// The fewest symbols that must have a label at a time, at least 2; with fewer there is no rank.
    pub symbols_min: usize,
}

/// The number that the rank `r` of 1 to `n`, the lowest first, becomes. Equal labels share the average of their ranks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RankScore {
    /// Even steps from -0.5 to 0.5: `(r - 1) / (n - 1) - 0.5`.
    Uniform,
    /// Normal scores, `F^-1((r - 3/8) / (n + 1/4))` with `F` the standard normal distribution (Blom 1958).
    Normal,
}

impl RankSpec {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`ForecastError::Range`] for a `symbols_min` below 2.
    pub fn validate(&self) -> Result<(), ForecastError> {
        if self.symbols_min < 2 {
            return Err(range("symbols_min", "at least 2".to_owned(), self.symbols_min));
        }
        Ok(())
    }

    fn score(&self, rank: f64, count: usize) -> f64 {
        match self.score {
            RankScore::Uniform => (rank - 1.0) / (count as f64 - 1.0) - 0.5,
            RankScore::Normal => Normal::standard().inverse_cdf((rank - 0.375) / (count as f64 + 0.25)),
        }
    }
}

/// One symbol's label at a time, and the time that it reads.
struct Entrant {
    series: usize,
    row: usize,
    value: f64,
    first: Timestamp,
    last: Timestamp,
}

/// Replaces every label by its rank among the labels of the same horizon that close at the same time.
///
/// A rank tells something of every label that it was made from, so it reads what they all read: its span covers all their
/// spans, in whole bars of its own series, and the purge drops it with the latest of them. A symbol has no rank where too few
/// symbols have a label, and where its own bars end before the last label among them is known.
///
/// Symbols are compared only where they close at exactly the same time. A label that is not a number is not ranked and stays.
///
/// # Errors
/// Those of [`RankSpec::validate`].
pub fn cross_sectional_rank(mut panel: Panel, spec: &RankSpec) -> Result<Panel, ForecastError> {
    spec.validate()?;
    let rows_at = rows_at(&panel);
    for horizon in 0..panel.horizons() {
        let mut ranked: Vec<TargetColumn> =
            panel.series.iter().map(|series| without_ranks(&series.targets[horizon])).collect();
        for rows in &rows_at {
            let mut entrants: Vec<Entrant> =
                rows.iter().filter_map(|&(series, row)| entrant(&panel, horizon, series, row)).collect();
            if entrants.len() >= spec.symbols_min {
                rank(&panel, spec, &mut entrants, &mut ranked);
            }
        }
        for (series, column) in panel.series.iter_mut().zip(ranked) {
            series.targets[horizon] = column;
        }
    }
    Ok(panel)
}

/// Returns, for each time of the axis, the rows that close then.
fn rows_at(panel: &Panel) -> Vec<Vec<(usize, usize)>> {
    let mut rows_at = vec![Vec::new(); panel.axis.len()];
    for (series, one) in panel.series.iter().enumerate() {
        for (row, known) in one.known_time.iter().enumerate() {
            rows_at[panel.axis.partition_point(|time| time < known)].push((series, row));
        }
    }
    rows_at
}

/// Returns a column under its new name with the labels that cannot be ranked.
fn without_ranks(column: &TargetColumn) -> TargetColumn {
    TargetColumn {
        name: format!("rank_{}", column.name),
        horizon_bars: column.horizon_bars,
        labels: column.labels.iter().map(|label| label.filter(|label| label.value.is_nan())).collect(),
    }
}

fn entrant(panel: &Panel, horizon: usize, series: usize, row: usize) -> Option<Entrant> {
    let known_time = &panel.series[series].known_time;
    let label = panel.series[series].targets[horizon].labels[row].filter(|label| !label.value.is_nan())?;
    let [first, last] = [known_time[label.span_first_row], known_time[label.span_last_row]];
    Some(Entrant { series, row, value: label.value, first, last })
}

/// Writes the ranks of one time.
fn rank(panel: &Panel, spec: &RankSpec, entrants: &mut [Entrant], ranked: &mut [TargetColumn]) {
    entrants.sort_by(|one, other| one.value.total_cmp(&other.value));
    let first = entrants.iter().map(|entrant| entrant.first).min().expect("some labels are ranked");
    let last = entrants.iter().map(|entrant| entrant.last).max().expect("some labels are ranked");
    let mut below = 0;
    for equal in entrants.chunk_by(|one, other| one.value == other.value) {
        let average_rank = below as f64 + f64::midpoint(1.0, equal.len() as f64);
        below += equal.len();
        let value = spec.score(average_rank, entrants.len());
        for &Entrant { series, row, .. } in equal {
            let known_time = &panel.series[series].known_time;
            // The last own bar before the span begins, and the first at or after its end: never less than the span.
            let span_first_row = known_time.partition_point(|&time| time <= first) - 1;
            let span_last_row = known_time.partition_point(|&time| time < last);
            if span_last_row < known_time.len() {
                ranked[series].labels[row] = Some(TargetLabel { value, span_first_row, span_last_row });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::series;

    const UNIFORM: RankSpec = RankSpec { score: RankScore::Uniform, symbols_min: 2 };

    /// Series on the same four days whose one-bar labels at day 0 have these values.
    fn panel(values: &[f64]) -> Panel {
        let one = |(id, &value): (u32, &f64)| {
            let mut one = series(id, &[0, 1, 2, 3], 1);
            one.targets[0].labels[0].as_mut().expect("labelled").value = value;
            one
        };
        Panel::new((0..).zip(values).map(one).collect()).expect("sane")
    }

    fn check(values: &[f64], spec: RankSpec, expected: &[f64]) {
        let ranked = cross_sectional_rank(panel(values), &spec).expect("valid");
        let found: Vec<f64> = ranked.series.iter().map(|one| one.targets[0].labels[0].expect("ranked").value).collect();
        assert_eq!(found.len(), expected.len());
        assert!(found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-9), "{found:?}");
    }

    /// The rows that the label of a row reads, or none.
    fn span(panel: &Panel, series: usize, row: usize) -> Option<(usize, usize)> {
        panel.series[series].targets[0].labels[row].map(|label| (label.span_first_row, label.span_last_row))
    }

    #[test]
    fn ranks_go_evenly_from_the_lowest_to_the_highest() {
        check(&[0.03, -0.01, 0.02, 0.5, -0.2], UNIFORM, &[0.25, -0.25, 0.0, 0.5, -0.5]);
    }

    #[test]
    fn equal_labels_share_their_average_rank() {
        // Ranks 1, 2.5, 2.5, 4 of 4.
        check(&[0.1, 0.3, 0.2, 0.2], UNIFORM, &[-0.5, 0.5, 0.0, 0.0]);
        check(&[0.1, 0.1], UNIFORM, &[0.0, 0.0]);
        check(&[0.0, -0.0, 1.0], UNIFORM, &[-0.25, -0.25, 0.5]);
    }

    #[test]
    fn normal_scores_are_quantiles_of_the_normal_distribution() {
        // scipy.stats.norm.ppf((r - 0.375) / 5.25) for r = 1 .. 5.
        let normal = RankSpec { score: RankScore::Normal, symbols_min: 2 };
        let (outer, inner) = (-1.179_761_117_6, -0.497_200_570_7);
        check(&[1.0, 2.0, 3.0, 4.0, 5.0], normal, &[outer, inner, 0.0, -inner, -outer]);
        // Two equal ones of three have rank 1.5: norm.ppf(1.125 / 3.25) and norm.ppf(2.625 / 3.25).
        check(&[7.0, 9.0, 7.0], normal, &[-0.395_725_295_8, 0.869_423_773_3, -0.395_725_295_8]);
    }

    #[test]
    fn too_few_symbols_have_no_rank() {
        let spec = RankSpec { symbols_min: 3, ..UNIFORM };
        let mut whole = panel(&[1.0, 2.0, 3.0]);
        whole.series[1].targets[0].labels[0] = None;
        let ranked = cross_sectional_rank(whole, &spec).expect("valid");
        assert!((0..3).all(|series| span(&ranked, series, 0).is_none()));
        assert!((0..3).all(|series| span(&ranked, series, 1).is_some()));
        assert_eq!(ranked.series[0].targets[0].name, "rank_log_return");
        let error = RankSpec { symbols_min: 1, ..UNIFORM }.validate().expect_err("one").to_string();
        assert_eq!(error, "symbols_min must be at least 2, was `1`");
    }

    #[test]
    fn a_rank_is_known_only_when_every_label_in_it_is() {
        // The second series is silent from day 2 to day 4: its label at day 1 reads day 5, so the first's rank at day 1, whose
        // own label reads day 2, is known at day 5 too. At day 0 both read day 1.
        let panel = Panel::new(vec![series(0, &[0, 1, 2, 3, 4, 5, 6], 1), series(1, &[0, 1, 5, 6], 1)]).expect("sane");
        let ranked = cross_sectional_rank(panel, &UNIFORM).expect("valid");
        assert_eq!([span(&ranked, 0, 0), span(&ranked, 1, 0)], [Some((0, 1)); 2]);
        assert_eq!([span(&ranked, 0, 1), span(&ranked, 1, 1)], [Some((1, 5)), Some((1, 2))]);
        // On days 2 to 4 the first is alone.
        assert_eq!(span(&ranked, 0, 2), None);
        assert!(Panel::new(ranked.series).is_ok());
    }

    #[test]
    fn a_symbol_that_ends_before_a_label_it_is_ranked_with_has_no_rank() {
        // The first ends on day 2, before the second's label at day 1, which reads day 5, is known.
        let panel = Panel::new(vec![series(0, &[0, 1, 2], 1), series(1, &[0, 1, 5], 1)]).expect("sane");
        let ranked = cross_sectional_rank(panel, &UNIFORM).expect("valid");
        assert_eq!([span(&ranked, 0, 1), span(&ranked, 1, 1)], [None, Some((1, 2))]);
    }

    #[test]
    fn a_label_that_is_not_a_number_stays_and_is_not_ranked() {
        let ranked = cross_sectional_rank(panel(&[1.0, f64::NAN, 2.0]), &UNIFORM).expect("valid");
        let value = |series: usize| ranked.series[series].targets[0].labels[0].expect("labelled").value;
        assert_eq!((value(0), value(2)), (-0.5, 0.5));
        assert!(value(1).is_nan());
    }

    #[test]
    fn a_spec_reads_as_in_the_config() {
        let spec: RankSpec = serde_json::from_str(r#"{"score": "uniform", "symbols_min": 2}"#).expect("valid");
        assert_eq!(spec, UNIFORM);
    }
}
