//! Sharpe ratio.

use crate::sample::{mean, ratio, standard_deviation};
use crate::{MetricOptions, Returns};

/// Computes the annualized Sharpe ratio; `None` below two periods, for returns that do not vary, and after ruin.
///
/// `mean(r - rf) / sd(r - rf) * sqrt(periods_per_year)`, `sd` the sample standard deviation (ddof 1), `rf` the risk-free rate
/// of one period ([`MetricOptions::risk_free_per_period`]). Source: Sharpe (1994), "The Sharpe Ratio".
pub fn sharpe_ratio(returns: &Returns, options: &MetricOptions) -> Option<f64> {
    if returns.is_ruined() {
        return None;
    }
    sharpe_ratio_per_period(&excess(returns, options)).map(|value| value * returns.periods_per_year().sqrt())
}

/// Returns what each period earned above the risk-free rate.
pub(crate) fn excess(returns: &Returns, options: &MetricOptions) -> Vec<f64> {
    let risk_free = options.risk_free_per_period(returns.periods_per_year());
    returns.values().iter().map(|value| value - risk_free).collect()
}

/// Computes the Sharpe ratio of one period, not annualized.
pub(crate) fn sharpe_ratio_per_period(excess: &[f64]) -> Option<f64> {
    ratio(mean(excess)?, standard_deviation(excess)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Convention;
    use crate::vectors::{assert_close, periods, published, returns, with_risk_free};

    const OPTIONS: MetricOptions = MetricOptions::new(Convention::Tidegate);

    #[test]
    fn it_equals_empyrical_and_quantstats() {
        assert_close(sharpe_ratio(&returns(), &OPTIONS), published("empyrical", "sharpe_ratio(rf=0,daily)"));
        assert_close(sharpe_ratio(&returns(), &OPTIONS), published("quantstats", "sharpe(rf=0,periods=252)"));
    }

    #[test]
    fn the_risk_free_rate_is_divided_among_the_periods() {
        let expected = published("empyrical", "sharpe_ratio(risk_free=0.02/252 per day)");
        assert_close(sharpe_ratio(&returns(), &with_risk_free(Convention::Tidegate)), expected);
        assert_close(sharpe_ratio(&returns(), &with_risk_free(Convention::Empyrical)), expected);
    }

    #[test]
    fn quantstats_takes_the_root_of_the_risk_free_rate() {
        let expected = published("quantstats", "sharpe(rf=0.02,periods=252)");
        assert_close(sharpe_ratio(&returns(), &with_risk_free(Convention::Quantstats)), expected);
    }

    #[test]
    fn returns_that_do_not_vary_have_none() {
        assert_eq!(sharpe_ratio(&periods(&[0.01; 10]), &OPTIONS), None);
        assert_eq!(sharpe_ratio(&periods(&[0.0; 10]), &OPTIONS), None);
        assert_eq!(sharpe_ratio(&periods(&[0.01]), &OPTIONS), None);
        assert_eq!(sharpe_ratio(&periods(&[]), &OPTIONS), None);
    }

    #[test]
    fn ruin_has_none() {
        assert_eq!(sharpe_ratio(&periods(&[0.1, -1.0]), &OPTIONS), None);
    }
}
