//! What a trial is measured by: the columns of `trials.parquet`.

use tidegate_metrics::Performance;

use crate::ExperimentError;
use crate::config::nearest;
use crate::measure::Measured;

/// The counts that stand beside the performance metrics.
const COUNTS: [&str; 6] = ["final_equity", "trades", "commission", "slippage", "turnover", "exposure"];

/// The metrics that need the returns in order of size or a benchmark, which cost as much as the backtest: only when asked for.
const ON_REQUEST: [&str; 6] =
    ["tail_ratio", "value_at_risk_95", "conditional_value_at_risk_95", "alpha", "beta", "information_ratio"];

/// The metrics of which the best trial has the least; losses are negative, so of them the largest is best.
const SMALLER_IS_BETTER: [&str; 6] =
    ["volatility", "max_drawdown_periods", "kurtosis", "commission", "slippage", "turnover"];

/// The metrics of a sweep's trials, in the order of their columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MetricSet {
    names: Vec<&'static str>,
    /// Whether a metric is among them that a summary of the equity does not have.
    is_full: bool,
}

/// A metric that ranks trials.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Objective {
    pub(super) name: &'static str,
    /// The place of its column.
    pub(super) place: usize,
    /// 1 where most is best, -1 where least is.
    pub(super) sign: f64,
}

impl Objective {
    /// Returns what ranks a trial: larger is better, NaN is undefined.
    pub(super) fn of(&self, metrics: &[f64]) -> f64 {
        metrics[self.place] * self.sign
    }
}

impl MetricSet {
    /// Returns the usual metrics and those asked for.
    ///
    /// # Errors
    /// When a name is none of a metric.
    pub(super) fn new(asked: &[(&'static str, &str)]) -> Result<Self, ExperimentError> {
        for &(key, name) in asked {
            check_name(key, name)?;
        }
        let is_wanted = |name: &&str| !ON_REQUEST.contains(name) || asked.iter().any(|(_, asked)| asked == name);
        let names: Vec<&'static str> = all_names().into_iter().filter(is_wanted).collect();
        let is_full = names.iter().any(|name| ON_REQUEST.contains(name));
        Ok(Self { names, is_full })
    }

    /// Puts the numbers of a run in the order of the columns; undefined is NaN.
    pub(super) fn measured(&self, measured: &Measured) -> Box<[f64]> {
        self.row(&measured.performance, counts(measured))
    }

    pub(super) fn names(&self) -> &[&'static str] {
        &self.names
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// Returns whether a metric is among them that a summary of the equity does not have.
    pub(super) const fn is_full(&self) -> bool {
        self.is_full
    }

    /// Returns the place of a metric.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| *known == name)
    }

    /// Returns how a metric ranks; the name was checked.
    pub(super) fn objective(&self, name: &str) -> Objective {
        let place = self.place(name).expect("an objective is among the metrics that were asked for");
        let sign = if SMALLER_IS_BETTER.contains(&name) { -1.0 } else { 1.0 };
        Objective { name: self.names[place], place, sign }
    }

    /// Puts the numbers of a trial in the order of the columns; undefined is NaN.
    pub(super) fn row(&self, performance: &Performance, counts: [Option<f64>; 6]) -> Box<[f64]> {
        let entries = performance.entries();
        let all = entries.into_iter().chain(COUNTS.into_iter().zip(counts));
        let mut names = self.names.iter().copied().peekable();
        let mut row = Vec::with_capacity(self.names.len());
        for (name, value) in all {
            // Both are in one order.
            if names.next_if_eq(&name).is_some() {
                row.push(value.unwrap_or(f64::NAN));
            }
        }
        row.into_boxed_slice()
    }
}

/// Returns everything a run is measured by.
pub(crate) fn trial_metrics(measured: &Measured) -> Vec<(&'static str, Option<f64>)> {
    measured.performance.entries().into_iter().chain(COUNTS.into_iter().zip(counts(measured))).collect()
}

fn counts(measured: &Measured) -> [Option<f64>; 6] {
    let execution = &measured.execution;
    [
        Some(execution.final_equity),
        Some(execution.trades.number_of_trades as f64),
        Some(execution.commission),
        Some(execution.slippage),
        execution.turnover,
        execution.exposure,
    ]
}

fn all_names() -> Vec<&'static str> {
    Performance::default().entries().into_iter().map(|(name, _)| name).chain(COUNTS).collect()
}

/// A metric that no trial has would be noticed after all of them ran.
fn check_name(key: &str, name: &str) -> Result<(), ExperimentError> {
    let names = all_names();
    if names.contains(&name) {
        return Ok(());
    }
    let hint =
        nearest(name, names.iter().copied()).map_or_else(String::new, |name| format!("\nhint: did you mean `{name}`?"));
    let names = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    Err(ExperimentError::Sweep(format!("{key} must be one of {names}, was `{name}`{hint}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_the_usual_metrics_and_those_asked_for_in_the_order_of_the_columns() {
        let performance =
            Performance { total_return: Some(0.5), tail_ratio: Some(2.0), hit_rate: None, ..Performance::default() };
        let counts = [Some(150.0), Some(3.0), Some(1.0), Some(0.5), None, Some(0.25)];
        let usual = MetricSet::new(&[]).expect("no name is wrong");
        assert_eq!(usual.len(), 21);
        let row = usual.row(&performance, counts);
        assert_eq!(row.len(), 21);
        assert_eq!((row[0], row[usual.place("exposure").expect("there")]), (0.5, 0.25));
        assert!(row[usual.place("turnover").expect("there")].is_nan());
        let asked = MetricSet::new(&[("metrics", "tail_ratio")]).expect("a metric");
        assert_eq!(asked.len(), 22);
        assert_eq!(asked.row(&performance, counts)[asked.place("tail_ratio").expect("there")], 2.0);
    }

    #[test]
    fn of_costs_the_least_is_best() {
        let set = MetricSet::new(&[("objective", "commission")]).expect("a metric");
        let objective = set.objective("commission");
        let mut row = vec![0.0; set.len()];
        row[objective.place] = 5.0;
        assert_eq!(objective.of(&row), -5.0);
        assert_eq!(set.objective("sharpe_ratio").sign, 1.0);
    }
}
