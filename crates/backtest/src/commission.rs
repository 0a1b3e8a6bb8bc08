//! What the broker charges for a fill.

use tidegate_market::Bps;

use crate::BacktestError;
use crate::error::require;

/// The commission of one fill, in the account's currency; never negative.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Commission {
    /// Nothing.
    None,
    /// A share of the value traded.
    Bps(Bps),
    /// Money per unit with a least amount per fill.
    PerShare {
        /// Money per unit.
        per_share: f64,
        /// The least that one fill costs.
        minimum: f64,
    },
}

impl Commission {
    /// Returns the commission of a fill of `quantity` units (above zero) worth `value`.
    #[inline]
    pub fn charge(self, quantity: f64, value: f64) -> f64 {
        match self {
            Self::None => 0.0,
            Self::Bps(bps) => value * bps.fraction(),
            Self::PerShare { per_share, minimum } => (quantity * per_share).max(minimum),
        }
    }

    /// Returns the money that one more unit costs at a unit value, and the money that a fill costs at least.
    #[inline]
    pub(crate) fn per_unit_and_minimum(self, unit_value: f64) -> (f64, f64) {
        match self {
            Self::None => (0.0, 0.0),
            Self::Bps(bps) => (unit_value * bps.fraction(), 0.0),
            Self::PerShare { per_share, minimum } => (per_share, minimum),
        }
    }

    pub(crate) fn validate(self) -> Result<(), BacktestError> {
        let amount =
            |name, value: f64| require(name, "finite and at least 0", value, value.is_finite() && value >= 0.0);
        match self {
            Self::None => Ok(()),
            Self::Bps(bps) => {
                require("commission.bps", "in [0, 10000)", bps.0, bps.0.is_finite() && (0.0..1e4).contains(&bps.0))
            }
            Self::PerShare { per_share, minimum } => {
                amount("commission.per_share", per_share)?;
                amount("commission.minimum", minimum)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(commission: Commission, quantity: f64, price: f64, expected: f64) {
        assert!((commission.charge(quantity, quantity * price) - expected).abs() < 1e-12);
    }

    #[test]
    fn five_bps_of_ten_thousand_are_five() {
        check(Commission::Bps(Bps(5.0)), 100.0, 100.0, 5.0);
    }

    #[test]
    fn half_a_cent_a_share_has_a_minimum_of_one() {
        let commission = Commission::PerShare { per_share: 0.005, minimum: 1.0 };
        check(commission, 100.0, 50.0, 1.0);
        check(commission, 1_000.0, 50.0, 5.0);
    }

    #[test]
    fn a_negative_commission_is_refused() {
        let error = Commission::PerShare { per_share: -0.01, minimum: 0.0 }.validate().expect_err("negative");
        assert_eq!(error.to_string(), "commission.per_share must be finite and at least 0, was `-0.01`");
    }
}
