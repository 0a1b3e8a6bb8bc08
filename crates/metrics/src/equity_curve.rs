//! The value of an account over time.

use tidegate_market::Timestamp;

use crate::returns::check_ascending;
use crate::{MetricsError, Returns};

/// The value of an account over time, in money. The first point is the account before anything happened, at the moment the
/// first period begins, so that a loss in the first period is a drawdown.
#[derive(Debug, Clone, PartialEq)]
pub struct EquityCurve {
    time: Vec<Timestamp>,
    equity: Vec<f64>,
}

impl EquityCurve {
    /// Wraps points, the initial one first.
    ///
    /// # Errors
    /// [`MetricsError::NoInitialPoint`] without points, [`MetricsError::Length`] when times and values differ in number,
    /// [`MetricsError::Unsorted`] when times do not ascend, [`MetricsError::Row`] for a value that is not finite or, at the
    /// initial point, not above 0, or that changes after it fell to 0 or below.
    pub fn new(time: Vec<Timestamp>, equity: Vec<f64>) -> Result<Self, MetricsError> {
        let initial = *equity.first().ok_or(MetricsError::NoInitialPoint)?;
        if time.len() != equity.len() {
            return Err(MetricsError::Length { name: "equity", expected: time.len(), found: equity.len() });
        }
        check_ascending(&time)?;
        if !initial.is_finite() || initial <= 0.0 {
            let (name, rule) = ("initial equity", "finite and above 0");
            return Err(MetricsError::Row { name, rule, value: initial, row: 0 });
        }
        for (row, &value) in equity.iter().enumerate().skip(1) {
            if !value.is_finite() {
                return Err(MetricsError::Row { name: "equity", rule: "finite", value, row });
            }
            let before = equity[row - 1];
            if before <= 0.0 && value != before {
                let (name, rule) = ("equity", "unchanged after it fell to 0 or below");
                return Err(MetricsError::Row { name, rule, value, row });
            }
        }
        Ok(Self { time, equity })
    }

    /// Returns the times, that of the initial point first.
    pub fn time(&self) -> &[Timestamp] {
        &self.time
    }

    /// Returns the values, the initial one first.
    pub fn equity(&self) -> &[f64] {
        &self.equity
    }

    /// Returns the simple returns between consecutive points, one fewer than points; 0 after ruin.
    ///
    /// # Errors
    /// [`MetricsError::Setting`] for periods per year that are not finite and above 0.
    pub fn returns(&self, periods_per_year: f64) -> Result<Returns, MetricsError> {
        let simple = |pair: &[f64]| if pair[0] > 0.0 { pair[1] / pair[0] - 1.0 } else { 0.0 };
        let values = self.equity.windows(2).map(simple).collect();
        Returns::from_times(self.time[1..].to_vec(), values, periods_per_year)?.with_start(self.time[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(count: i64) -> Vec<Timestamp> {
        (0..count).map(|day| Timestamp::from_nanos(day * Timestamp::NANOS_PER_DAY)).collect()
    }

    #[test]
    fn a_loss_in_the_first_period_is_a_return() {
        let curve = EquityCurve::new(days(3), vec![100.0, 80.0, 100.0]).expect("valid");
        let returns = curve.returns(252.0).expect("valid");
        assert_eq!(returns.values(), [80.0 / 100.0 - 1.0, 0.25]);
        assert_eq!(returns.start(), Some(Timestamp::from_nanos(0)));
    }

    #[test]
    fn debt_is_ruin_and_earns_nothing_afterwards() {
        let curve = EquityCurve::new(days(3), vec![100.0, -20.0, -20.0]).expect("valid");
        let returns = curve.returns(252.0).expect("valid");
        assert_eq!(returns.values(), [-1.2, 0.0]);
        assert!(returns.is_ruined());
        let error = EquityCurve::new(days(3), vec![100.0, -20.0, 5.0]).expect_err("resurrection").to_string();
        assert_eq!(error, "equity must be unchanged after it fell to 0 or below, was `5` at row `2`");
    }

    #[test]
    fn a_broken_curve_does_not_construct() {
        assert_eq!(EquityCurve::new(vec![], vec![]), Err(MetricsError::NoInitialPoint));
        let error = EquityCurve::new(days(1), vec![0.0]).expect_err("nothing to start with").to_string();
        assert_eq!(error, "initial equity must be finite and above 0, was `0` at row `0`");
        assert!(EquityCurve::new(days(2), vec![1.0, f64::NAN]).is_err());
        assert!(EquityCurve::new(days(3), vec![1.0, 1.0]).is_err());
    }
}
