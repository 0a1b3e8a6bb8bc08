//! What the sampling error of a Sharpe ratio depends on.

use crate::normal::{standard_cumulative, standard_quantile};
use crate::performance::kurtosis::sample_excess_kurtosis;
use crate::performance::sharpe_ratio::{excess, sharpe_ratio_per_period};
use crate::performance::skewness::sample_skewness;
use crate::sample::finite;
use crate::{MetricOptions, Returns};

/// A Sharpe ratio and what its sampling error depends on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SharpeStatistics {
    /// The Sharpe ratio of *one period*, not annualized.
    pub sharpe_ratio: f64,
    /// The number of periods.
    pub periods: usize,
    /// The skewness of the excess returns; 0 for a normal distribution.
    pub skewness: f64,
    /// The *raw* kurtosis of the excess returns: 3 for a normal distribution. Not the excess kurtosis.
    pub raw_kurtosis: f64,
}

impl SharpeStatistics {
    /// Measures the excess returns of a series; `None` below two periods, for returns that do not vary, and after ruin.
    ///
    /// Skewness and kurtosis are those of [`skewness`](crate::skewness()) and [`kurtosis`](crate::kurtosis()), the latter plus 3.
    pub fn of(returns: &Returns, options: &MetricOptions) -> Option<Self> {
        if returns.is_ruined() {
            return None;
        }
        let excess = excess(returns, options);
        Some(Self {
            sharpe_ratio: sharpe_ratio_per_period(&excess)?,
            periods: excess.len(),
            skewness: sample_skewness(&excess, options.convention)?,
            raw_kurtosis: 3.0 + sample_excess_kurtosis(&excess, options.convention)?,
        })
    }

    /// Computes the probability that the true Sharpe ratio exceeds a benchmark of *one period*; `None` below two periods and
    /// when the error's variance is not above 0.
    ///
    /// `Phi((SR - SR*) sqrt(n - 1) / sqrt(1 - g3 SR + (g4 - 1) / 4 SR^2))`, `g3` the skewness, `g4` the raw kurtosis; the
    /// variance is that at the estimate. Source: Bailey and Lopez de Prado (2012), "The Sharpe Ratio Efficient Frontier".
    pub fn probability_above(&self, benchmark: f64) -> Option<f64> {
        let observations = self.periods.checked_sub(1).filter(|&count| count > 0)? as f64;
        let z = (self.sharpe_ratio - benchmark) * observations.sqrt() / self.unit_variance()?.sqrt();
        finite(z).map(standard_cumulative)
    }

    /// Computes how many periods it takes until the Sharpe ratio exceeds a benchmark of *one period* with a confidence; `None`
    /// when it does not exceed it, and for a confidence outside (0.5, 1).
    ///
    /// `1 + (1 - g3 SR + (g4 - 1) / 4 SR^2) (Phi^-1(confidence) / (SR - SR*))^2`.
    /// Source: Bailey and Lopez de Prado (2012).
    pub fn track_record_length(&self, benchmark: f64, confidence: f64) -> Option<f64> {
        if self.sharpe_ratio <= benchmark || confidence <= 0.5 {
            return None;
        }
        let z = standard_quantile(confidence)?;
        finite(1.0 + self.unit_variance()? * (z / (self.sharpe_ratio - benchmark)).powi(2))
    }

    /// The variance of the estimate times the number of periods less one (Mertens 2002).
    fn unit_variance(&self) -> Option<f64> {
        let variance =
            1.0 - self.skewness * self.sharpe_ratio + (self.raw_kurtosis - 1.0) / 4.0 * self.sharpe_ratio.powi(2);
        finite(variance).filter(|&variance| variance > 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Convention;
    use crate::vectors::{SHARPE, assert_close, periods};

    fn monthly(skewness: f64, raw_kurtosis: f64) -> SharpeStatistics {
        SharpeStatistics { sharpe_ratio: 0.458, periods: 24, skewness, raw_kurtosis }
    }

    #[test]
    fn the_formula_equals_the_reference_cases() {
        let cases = SHARPE["formula_cases"].as_array().expect("a list");
        assert_eq!(cases.len(), 12);
        for case in cases {
            let number = |key: &str| case[key].as_f64();
            let statistics = SharpeStatistics {
                sharpe_ratio: number("sr").expect("given"),
                periods: number("T").expect("given") as usize,
                skewness: number("skew").expect("given"),
                raw_kurtosis: number("kurt").expect("given"),
            };
            assert_close(statistics.probability_above(0.0), number("psr_vs_0").expect("given"));
            match number("min_trl_vs_0_at_95") {
                Some(expected) => assert_close(statistics.track_record_length(0.0, 0.95), expected),
                None => assert_eq!(statistics.track_record_length(0.0, 0.95), None),
            }
        }
    }

    #[test]
    fn the_example_of_2012_is_reproduced() {
        let example = &SHARPE["worked_example_2012"];
        let expected = |key: &str| example[key].as_f64().expect("a number");
        // The paper prints 0.913, and 0.982 for a normal distribution.
        assert_close(monthly(-2.448, 10.164).probability_above(0.0), expected("psr_nonnormal"));
        assert_close(monthly(0.0, 3.0).probability_above(0.0), expected("psr_normal"));
    }

    #[test]
    fn the_kurtosis_is_raw() {
        // Two values have skewness 0 and raw kurtosis 1 (excess -2). 0 and 0.02 alternating, n = 4: mean 0.01,
        // sd 0.02 / sqrt(3), SR = sqrt(3) / 2, and with g4 = 1 the variance is 1: z = SR sqrt(3) = 1.5, Phi = 0.933193.
        // With the excess it were 1 - 3/4 * 3/4 = 0.4375 and Phi(2.27) = 0.988.
        let options = MetricOptions::new(Convention::Tidegate);
        let statistics = SharpeStatistics::of(&periods(&[0.0, 0.02, 0.0, 0.02]), &options).expect("varies");
        assert!((statistics.raw_kurtosis - 1.0).abs() < 1e-12);
        assert_close(statistics.probability_above(0.0), 0.933_192_798_731_142);
    }

    #[test]
    fn an_error_without_variance_has_no_probability() {
        // 1 - 3 * 1 + (3 - 1) / 4 = -1.5: no sample has such moments.
        let impossible = SharpeStatistics { sharpe_ratio: 1.0, periods: 10, skewness: 3.0, raw_kurtosis: 3.0 };
        assert_eq!(impossible.probability_above(0.0), None);
        assert_eq!(SharpeStatistics { periods: 1, ..monthly(0.0, 3.0) }.probability_above(0.0), None);
    }
}
