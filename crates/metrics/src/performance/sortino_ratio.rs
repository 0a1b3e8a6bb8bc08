//! Sortino ratio.

use crate::lanes::sum_of;
use crate::sample::{finite, mean, ratio};
use crate::{MetricOptions, Returns};

/// Computes the annualized Sortino ratio; `None` without a period below the minimum acceptable return, and after ruin.
///
/// `mean(r - mar) / sqrt(mean(min(r - mar, 0)^2)) * sqrt(periods_per_year)`, the mean of the squares over *all* periods, `mar`
/// the minimum acceptable return of one period ([`MetricOptions::minimum_acceptable_return_per_period`]).
/// Source: Sortino and Price (1994), "Performance Measurement in a Downside Risk Framework".
pub fn sortino_ratio(returns: &Returns, options: &MetricOptions) -> Option<f64> {
    if returns.is_ruined() {
        return None;
    }
    let excess = above_minimum(returns, options);
    let per_period = ratio(mean(&excess)?, downside(&excess)?)?;
    finite(per_period * returns.periods_per_year().sqrt())
}

/// Computes the annualized downside deviation, a fraction: the Sortino ratio's denominator; `None` without periods.
pub fn downside_deviation(returns: &Returns, options: &MetricOptions) -> Option<f64> {
    finite(downside(&above_minimum(returns, options))? * returns.periods_per_year().sqrt())
}

fn above_minimum(returns: &Returns, options: &MetricOptions) -> Vec<f64> {
    let minimum = options.minimum_acceptable_return_per_period(returns.periods_per_year());
    returns.values().iter().map(|value| value - minimum).collect()
}

fn downside(excess: &[f64]) -> Option<f64> {
    let squares = || sum_of(excess, |excess| excess.map(|value| value.min(0.0).powi(2)));
    if excess.is_empty() { None } else { finite(squares() / excess.len() as f64).map(f64::sqrt) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Convention;
    use crate::vectors::{assert_close, periods, published, returns, with_risk_free};

    const OPTIONS: MetricOptions = MetricOptions::new(Convention::Tidegate);

    #[test]
    fn it_equals_empyrical_and_quantstats() {
        assert_close(sortino_ratio(&returns(), &OPTIONS), published("empyrical", "sortino_ratio(0,daily)"));
        assert_close(sortino_ratio(&returns(), &OPTIONS), published("quantstats", "sortino(rf=0,periods=252)"));
        assert_close(downside_deviation(&returns(), &OPTIONS), published("empyrical", "downside_risk(0,daily)"));
    }

    #[test]
    fn quantstats_sets_the_minimum_to_the_risk_free_rate() {
        let found = sortino_ratio(&returns(), &with_risk_free(Convention::Quantstats));
        assert_close(found, published("quantstats", "sortino(rf=0.02)"));
    }

    #[test]
    fn periods_above_the_minimum_count_in_the_mean_of_squares() {
        // Mean 0.005, downside sqrt((0.01^2 + 0 + 0 + 0) / 4) = 0.005: 1 a period. Over the one losing period it were 0.5.
        let returns = Returns::from_periods(vec![-0.01, 0.01, 0.01, 0.01], 1.0).expect("valid");
        assert_close(sortino_ratio(&returns, &OPTIONS), 1.0);
    }

    #[test]
    fn gains_alone_have_none() {
        assert_eq!(sortino_ratio(&periods(&[0.01, 0.02, 0.03]), &OPTIONS), None);
        assert_eq!(sortino_ratio(&periods(&[]), &OPTIONS), None);
    }

    #[test]
    fn one_loss_has_one() {
        // -0.01 / sqrt(0.01^2) * sqrt(252).
        assert_close(sortino_ratio(&periods(&[-0.01]), &OPTIONS), -252.0_f64.sqrt());
    }
}
