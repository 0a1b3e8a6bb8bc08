//! Deflated Sharpe ratio.

use crate::{MetricOptions, Returns, SharpeStatistics, expected_maximum_sharpe_ratio};

/// The trials that a strategy was selected from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trials {
    /// How many independent trials there were, the selected one included.
    pub count: u64,
    /// The variance of the trials' Sharpe ratios, *per period*.
    pub sharpe_ratio_variance: f64,
}

impl SharpeStatistics {
    /// Computes the probability that the true Sharpe ratio exceeds what the best of worthless trials would show; `None` where
    /// [`expected_maximum_sharpe_ratio`] or [`SharpeStatistics::probability_above`] is.
    ///
    /// Source: Bailey and Lopez de Prado (2014), "The Deflated Sharpe Ratio".
    pub fn deflated(&self, trials: &Trials) -> Option<f64> {
        self.probability_above(expected_maximum_sharpe_ratio(trials.count, trials.sharpe_ratio_variance)?)
    }
}

/// Computes the deflated Sharpe ratio of a series; `None` where [`SharpeStatistics::deflated`] or the Sharpe ratio is.
///
/// The probabilistic Sharpe ratio against the [`expected_maximum_sharpe_ratio`] of the trials.
/// Source: Bailey and Lopez de Prado (2014), "The Deflated Sharpe Ratio".
pub fn deflated_sharpe_ratio(returns: &Returns, trials: &Trials, options: &MetricOptions) -> Option<f64> {
    SharpeStatistics::of(returns, options)?.deflated(trials)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Convention;
    use crate::vectors::{SHARPE, assert_close, returns};

    /// An annualized Sharpe ratio of 2.5 over 1,250 of 250 periods a year, annualized variance of the trials 1/2.
    fn example(count: u64, skewness: f64, raw_kurtosis: f64) -> Option<f64> {
        let sharpe_ratio = 2.5 / 250.0_f64.sqrt();
        let statistics = SharpeStatistics { sharpe_ratio, periods: 1250, skewness, raw_kurtosis };
        statistics.deflated(&Trials { count, sharpe_ratio_variance: 0.5 / 250.0 })
    }

    #[test]
    fn the_example_of_2014_is_reproduced() {
        let expected = |key: &str| SHARPE["worked_example_2014"][key].as_f64().expect("a number");
        // The paper prints 0.9004; with excess kurtosis (7) it were 0.9018.
        assert_close(example(100, -3.0, 10.0), expected("dsr"));
        assert!((example(100, -3.0, 10.0).expect("defined") - 0.9004).abs() < 5e-5);
        // The paper prints 0.9505 for 46 trials, and for 88 of a normal distribution.
        assert_close(example(46, -3.0, 10.0), expected("dsr_46_trials"));
        assert_close(example(88, 0.0, 3.0), expected("dsr_88_trials_normal"));
    }

    #[test]
    fn it_equals_the_reference_cases() {
        for case in SHARPE["formula_cases"].as_array().expect("a list") {
            let number = |key: &str| case[key].as_f64().expect("a number");
            let statistics = SharpeStatistics {
                sharpe_ratio: number("sr"),
                periods: number("T") as usize,
                skewness: number("skew"),
                raw_kurtosis: number("kurt"),
            };
            let trials = Trials { count: number("n_trials") as u64, sharpe_ratio_variance: number("var_sr") };
            assert_close(statistics.deflated(&trials), number("dsr"));
        }
    }

    #[test]
    fn one_trial_is_not_deflated_and_more_trials_deflate_more() {
        let options = MetricOptions::new(Convention::Tidegate);
        let of = |count| {
            let trials = Trials { count, sharpe_ratio_variance: 0.001 };
            deflated_sharpe_ratio(&returns(), &trials, &options).expect("varies")
        };
        assert_eq!(Some(of(1)), crate::probabilistic_sharpe_ratio(&returns(), 0.0, &options));
        assert!(of(10) < of(2) && of(2) < of(1));
    }
}
