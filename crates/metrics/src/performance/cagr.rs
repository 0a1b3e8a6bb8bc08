//! Compound annual growth rate.

use crate::sample::finite;
use crate::{Convention, Returns, total_return};

/// Computes the compound annual growth rate, a fraction a year; `None` without periods or when more than everything is lost.
///
/// `(1 + total_return)^(1 / years) - 1`. Years are those of [`Returns::elapsed`]: calendar time where times are known, else
/// periods over periods per year. [`Convention::Empyrical`] and [`Convention::Quantstats`] always count periods.
/// Source: the definition.
pub fn cagr(returns: &Returns, convention: Convention) -> Option<f64> {
    let total_return = total_return(returns)?;
    let elapsed = match convention {
        Convention::Tidegate => returns.elapsed(),
        Convention::Empyrical | Convention::Quantstats => returns.elapsed_by_periods(),
    };
    annual_growth(total_return, elapsed.years())
}

/// Returns the growth rate a year that makes a total return in so many years.
pub(crate) fn annual_growth(total_return: f64, years: f64) -> Option<f64> {
    let growth = 1.0 + total_return;
    if growth < 0.0 || years <= 0.0 {
        return None;
    }
    finite(growth.powf(years.recip()) - 1.0)
}

#[cfg(test)]
mod tests {
    use tidegate_market::Timestamp;

    use super::*;
    use crate::vectors::{assert_close, periods, published, returns};

    #[test]
    fn it_equals_empyrical_and_quantstats_by_their_count_of_periods() {
        assert_close(cagr(&returns(), Convention::Empyrical), published("empyrical", "cagr(daily)"));
        assert_close(cagr(&returns(), Convention::Quantstats), published("quantstats", "cagr(periods=252)"));
    }

    #[test]
    fn it_is_by_calendar_time_here() {
        // 21 % in two years of 365.25 days (730.5 days) is 10 % a year, however many periods report it.
        let end = Timestamp::from_nanos(Timestamp::NANOS_PER_DAY / 2 * 1461);
        let returns = Returns::from_times(vec![end], vec![0.21], 252.0).expect("valid");
        let returns = returns.with_start(Timestamp::from_nanos(0)).expect("before the end");
        assert_close(cagr(&returns, Convention::Tidegate), 0.1);
    }

    #[test]
    fn without_times_periods_are_counted() {
        // 504 periods of 252 a year are two years: 1.21^(1/2) - 1.
        let mut values = vec![0.0; 504];
        values[100] = 0.21;
        assert_close(cagr(&periods(&values), Convention::Tidegate), 0.1);
    }

    #[test]
    fn ruin_is_minus_one_and_debt_has_no_rate() {
        assert_eq!(cagr(&periods(&[-1.0]), Convention::Tidegate), Some(-1.0));
        assert_eq!(cagr(&periods(&[-1.2]), Convention::Tidegate), None);
    }

    #[test]
    fn a_rate_beyond_all_numbers_is_undefined() {
        // 100 % in one of 98,280 minutes a year: 2^98280.
        let minute = Returns::from_periods(vec![1.0], 98_280.0).expect("valid");
        assert_eq!(cagr(&minute, Convention::Tidegate), None);
        assert_eq!(cagr(&periods(&[]), Convention::Tidegate), None);
    }
}
