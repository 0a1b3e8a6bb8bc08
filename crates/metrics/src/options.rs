//! The rates and the convention that metrics are computed with.

use crate::{Convention, MetricsError};

/// The rates and the convention that metrics are computed with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MetricOptions {
    /// Whose definitions to use where tools differ.
    pub convention: Convention,
    /// The risk-free rate, a fraction a year.
    pub risk_free_annual: f64,
    /// The minimum acceptable return of Sortino and omega, a fraction a year. `None` is the risk-free rate; under
    /// [`Convention::Empyrical`], whose Sortino knows no risk-free rate, `None` is 0.
    pub minimum_acceptable_return_annual: Option<f64>,
}

impl MetricOptions {
    /// Returns options with a risk-free rate of 0 and no minimum acceptable return of its own.
    pub const fn new(convention: Convention) -> Self {
        Self { convention, risk_free_annual: 0.0, minimum_acceptable_return_annual: None }
    }

    /// Checks that both rates are finite and above -1.
    ///
    /// # Errors
    /// [`MetricsError::Setting`] naming the rate that is not.
    pub fn validate(&self) -> Result<(), MetricsError> {
        let rates = [
            ("risk-free rate", Some(self.risk_free_annual)),
            ("minimum acceptable return", self.minimum_acceptable_return_annual),
        ];
        for (name, rate) in rates {
            if let Some(value) = rate.filter(|rate| !rate.is_finite() || *rate <= -1.0) {
                return Err(MetricsError::Setting { name, rule: "a finite fraction a year above -1", value });
            }
        }
        Ok(())
    }

    /// Returns the risk-free rate of one period.
    ///
    /// `annual / periods_per_year`; [`Convention::Quantstats`] takes the root, `(1 + annual)^(1 / periods_per_year) - 1`.
    pub fn risk_free_per_period(&self, periods_per_year: f64) -> f64 {
        self.per_period(self.risk_free_annual, periods_per_year)
    }

    /// Returns the minimum acceptable return of one period, brought down from a year as the risk-free rate is.
    pub fn minimum_acceptable_return_per_period(&self, periods_per_year: f64) -> f64 {
        let unset = match self.convention {
            Convention::Empyrical => 0.0,
            Convention::Tidegate | Convention::Quantstats => self.risk_free_annual,
        };
        self.per_period(self.minimum_acceptable_return_annual.unwrap_or(unset), periods_per_year)
    }

    fn per_period(&self, annual: f64, periods_per_year: f64) -> f64 {
        match self.convention {
            Convention::Tidegate | Convention::Empyrical => annual / periods_per_year,
            Convention::Quantstats => (annual.ln_1p() / periods_per_year).exp_m1(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(convention: Convention) -> MetricOptions {
        MetricOptions { risk_free_annual: 0.21, ..MetricOptions::new(convention) }
    }

    #[test]
    fn a_rate_is_divided_among_the_periods() {
        assert_eq!(options(Convention::Tidegate).risk_free_per_period(2.0), 0.105);
        assert_eq!(options(Convention::Empyrical).risk_free_per_period(2.0), 0.105);
    }

    #[test]
    fn quantstats_takes_the_root() {
        // 1.1^2 = 1.21.
        assert!((options(Convention::Quantstats).risk_free_per_period(2.0) - 0.1).abs() < 1e-15);
    }

    #[test]
    fn the_minimum_acceptable_return_is_the_risk_free_rate_unless_given() {
        let own = options(Convention::Tidegate);
        assert_eq!(own.minimum_acceptable_return_per_period(2.0), 0.105);
        assert_eq!(options(Convention::Empyrical).minimum_acceptable_return_per_period(2.0), 0.0);
        let given = MetricOptions { minimum_acceptable_return_annual: Some(0.02), ..own };
        assert_eq!(given.minimum_acceptable_return_per_period(2.0), 0.01);
    }

    #[test]
    fn a_rate_that_is_not_a_rate_is_named() {
        let options = MetricOptions { risk_free_annual: -2.0, ..MetricOptions::new(Convention::Tidegate) };
        let error = options.validate().expect_err("below -1").to_string();
        assert_eq!(error, "risk-free rate must be a finite fraction a year above -1, was `-2`");
    }
}
