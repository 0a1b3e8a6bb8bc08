//! Omega ratio.

use crate::lanes::sums_of;
use crate::sample::ratio;
use crate::{Convention, MetricOptions, Returns};

/// Computes the omega ratio; `None` below two periods, without a period below the threshold, and after ruin.
///
/// `sum(max(r - t, 0)) / sum(max(t - r, 0))`, the threshold `t` being the minimum acceptable return of one period.
/// [`Convention::Empyrical`] and [`Convention::Quantstats`] add to the risk-free rate a minimum acceptable return brought down
/// to one period by the root. Source: Keating and Shadwick (2002), "A Universal Performance Measure".
pub fn omega_ratio(returns: &Returns, options: &MetricOptions) -> Option<f64> {
    if returns.len() < 2 || returns.is_ruined() {
        return None;
    }
    let threshold = threshold(options, returns.periods_per_year());
    let [above, below] = sums_of(returns.values(), |values| {
        [values.map(|value| (value - threshold).max(0.0)), values.map(|value| (threshold - value).max(0.0))]
    });
    ratio(above, below)
}

/// Returns the threshold of one period.
pub(crate) fn threshold(options: &MetricOptions, periods_per_year: f64) -> f64 {
    match options.convention {
        Convention::Tidegate => options.minimum_acceptable_return_per_period(periods_per_year),
        Convention::Empyrical | Convention::Quantstats => {
            let minimum_annual = options.minimum_acceptable_return_annual.unwrap_or(0.0);
            options.risk_free_per_period(periods_per_year) + (minimum_annual.ln_1p() / periods_per_year).exp_m1()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{assert_close, periods, published, returns};

    const OPTIONS: MetricOptions = MetricOptions::new(Convention::Tidegate);

    #[test]
    fn it_equals_empyrical_and_quantstats() {
        assert_close(omega_ratio(&returns(), &OPTIONS), published("empyrical", "omega_ratio(0,0,252)"));
        assert_close(omega_ratio(&returns(), &OPTIONS), published("quantstats", "omega(required_return=0)"));
    }

    #[test]
    fn the_threshold_moves_the_line_between_gain_and_loss() {
        // Two periods a year and 2 % a year: 0.01. Above: 0.02; below: 0.01.
        let options = MetricOptions { minimum_acceptable_return_annual: Some(0.02), ..OPTIONS };
        let returns = Returns::from_periods(vec![0.03, 0.0], 2.0).expect("valid");
        assert_close(omega_ratio(&returns, &options), 2.0);
        // The root of 1.0201 is 1.01: the same threshold as empyrical takes it.
        let options = MetricOptions {
            minimum_acceptable_return_annual: Some(0.0201),
            ..MetricOptions::new(Convention::Empyrical)
        };
        assert_close(omega_ratio(&returns, &options), 2.0);
    }

    #[test]
    fn gains_alone_have_none() {
        assert_eq!(omega_ratio(&periods(&[0.01, 0.02]), &OPTIONS), None);
        assert_eq!(omega_ratio(&periods(&[0.01]), &OPTIONS), None);
        assert_eq!(omega_ratio(&periods(&[]), &OPTIONS), None);
    }

    #[test]
    fn losses_alone_have_zero() {
        assert_eq!(omega_ratio(&periods(&[-0.01, -0.02]), &OPTIONS), Some(0.0));
    }
}
