//! Minimum backtest length.

use crate::expected_maximum_sharpe_ratio;
use crate::sample::finite;

/// Computes how many years of backtest it takes until the best of `trials` worthless independent trials is expected to show no more
/// than an annualized Sharpe ratio; `None` without trials and for a ratio that is not above 0.
///
/// `(E[max_N] / SR)^2`, `E[max_N]` the [`expected_maximum_sharpe_ratio`] of a variance of 1; 0 for one trial. A shorter backtest may well show
/// such a ratio by luck alone. Source: Bailey, Borwein, Lopez de Prado and Zhu (2014), "Pseudo-Mathematics and Financial Charlatanism".
pub fn minimum_backtest_length(trials: u64, sharpe_ratio_annual: f64) -> Option<f64> {
    if sharpe_ratio_annual <= 0.0 {
        return None;
    }
    finite((expected_maximum_sharpe_ratio(trials, 1.0)? / sharpe_ratio_annual).powi(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_years_allow_forty_five_trials() {
        // The paper: with five years of data no more than 45 independent trials, or a Sharpe ratio of 1 is all but sure. 2.235640^2 = 4.99809.
        assert!((minimum_backtest_length(45, 1.0).expect("trials") - 4.998_09).abs() < 5e-6);
        assert!((minimum_backtest_length(45, 2.0).expect("trials") - 4.998_09 / 4.0).abs() < 2e-6);
        assert_eq!(minimum_backtest_length(1, 1.0), Some(0.0));
    }

    #[test]
    fn worthless_strategies_and_no_trials_have_none() {
        assert_eq!(minimum_backtest_length(10, 0.0), None);
        assert_eq!(minimum_backtest_length(10, f64::NAN), None);
        assert_eq!(minimum_backtest_length(0, 1.0), None);
    }
}
