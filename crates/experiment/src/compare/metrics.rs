//! The metrics that runs stored, side by side.

use serde_json::Value;
use tidegate_report::{BetterWhen, ComparedMetric, MetricRow, MetricUnit};

use super::stored::Stored;

use BetterWhen::{Higher, Lower, Neither};

/// Of `performance`, by their keys; label and unit are the report's.
const PERFORMANCE: [(&str, BetterWhen); 14] = [
    ("total_return", Higher),
    ("cagr", Higher),
    ("volatility", Lower),
    ("sharpe_ratio", Higher),
    ("probabilistic_sharpe_ratio", Higher),
    ("sortino_ratio", Higher),
    ("calmar_ratio", Higher),
    // Losses are negative.
    ("max_drawdown", Higher),
    ("max_drawdown_periods", Lower),
    ("value_at_risk_95", Higher),
    ("conditional_value_at_risk_95", Higher),
    ("alpha", Higher),
    ("beta", Neither),
    ("hit_rate", Higher),
];

/// Of `execution`.
const EXECUTION: [(&str, &str, MetricUnit, BetterWhen); 13] = [
    ("initial_equity", "Initial equity", MetricUnit::Money, Neither),
    ("final_equity", "Final equity", MetricUnit::Money, Neither),
    ("orders", "Orders", MetricUnit::Count, Neither),
    ("fills", "Fills", MetricUnit::Count, Neither),
    ("denials", "Denied orders", MetricUnit::Count, Neither),
    ("trades.number_of_trades", "Trades", MetricUnit::Count, Neither),
    ("trades.win_rate", "Trades with a gain", MetricUnit::Percent, Higher),
    ("trades.profit_factor", "Profit factor", MetricUnit::Ratio, Higher),
    ("trades.average_bars_held", "Bars held on average", MetricUnit::Ratio, Neither),
    ("commission", "Commission", MetricUnit::Money, Lower),
    ("slippage", "Slippage", MetricUnit::Money, Lower),
    ("turnover", "Turnover a year", MetricUnit::Ratio, Neither),
    ("exposure", "Bars with a position", MetricUnit::Percent, Neither),
];

pub(super) fn rows(runs: &[Stored]) -> Vec<ComparedMetric> {
    let values = |part: &str, key: &str| runs.iter().map(|run| number(&run.metrics[part], key)).collect::<Vec<_>>();
    let performance = PERFORMANCE.into_iter().filter_map(|(key, better)| {
        let known = MetricRow::known(key, None, None)?;
        Some(row((key, &known.label), known.unit, better, values("performance", key)))
    });
    let execution = EXECUTION
        .into_iter()
        .map(|(key, label, unit, better)| row((key, label), unit, better, values("execution", key)));
    performance.chain(execution).collect()
}

fn number(part: &Value, key: &str) -> Option<f64> {
    key.split('.').fold(part, |table, name| &table[name]).as_f64()
}

fn row(
    (key, label): (&str, &str),
    unit: MetricUnit,
    better_when: BetterWhen,
    values: Vec<Option<f64>>,
) -> ComparedMetric {
    let best = best(better_when, &values);
    ComparedMetric { key: key.to_owned(), label: label.to_owned(), unit, better_when, values, best }
}

/// Returns the numbers of the runs with the best value, none where all that are defined are equal or only one is defined.
fn best(better_when: BetterWhen, values: &[Option<f64>]) -> Vec<usize> {
    let defined = || values.iter().copied().flatten();
    let best = match better_when {
        Higher => defined().reduce(f64::max),
        Lower => defined().reduce(f64::min),
        Neither => None,
    };
    let Some(best) = best.filter(|best| defined().any(|value| value != *best)) else { return Vec::new() };
    let numbered = values.iter().zip(1..).filter(|(value, _)| **value == Some(best));
    numbered.map(|(_, number)| number).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_best_runs_are_numbered_from_one() {
        let values = [Some(1.0), None, Some(3.0), Some(3.0), Some(0.5)];
        assert_eq!(best(Higher, &values), [3, 4]);
        assert_eq!(best(Lower, &values), [5]);
        assert_eq!(best(Neither, &values), [0; 0]);
    }

    #[test]
    fn among_equals_nothing_is_best() {
        assert_eq!(best(Higher, &[Some(1.0), Some(1.0)]), [0; 0]);
        assert_eq!(best(Higher, &[Some(1.0), None]), [0; 0]);
        assert_eq!(best(Lower, &[None, None]), [0; 0]);
    }

    #[test]
    fn a_number_is_found_below_its_tables() {
        let execution = json!({ "fills": 3, "trades": { "win_rate": 0.5, "profit_factor": null } });
        assert_eq!(number(&execution, "fills"), Some(3.0));
        assert_eq!(number(&execution, "trades.win_rate"), Some(0.5));
        assert_eq!(number(&execution, "trades.profit_factor"), None);
        assert_eq!(number(&execution, "turnover"), None);
    }

    #[test]
    fn every_metric_of_the_table_is_one_that_reports_know() {
        assert!(PERFORMANCE.iter().all(|(key, _)| MetricRow::known(key, None, None).is_some()));
    }
}
