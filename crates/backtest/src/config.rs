//! What a run needs besides bars and a strategy. Nothing here has a default: every field changes results.

use tidegate_market::Cash;

use crate::error::require;
use crate::{BacktestError, Commission, Slippage};

/// When a market order fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FillTiming {
    /// At the open of the instrument's next bar: the honest rule.
    NextOpen,
    /// At the close of the instrument's next bar.
    NextClose,
    /// At the close of the bar that the decision was made from: optimistic, for parity with other tools. An instrument without a
    /// bar at the decision fills at its next close.
    SameClose,
}

/// Bounds on what an account may hold, as fractions of equity; `None` is unlimited.
///
/// An order request that would break a bound at the prices known when it is made is denied, and the denial is recorded. A target
/// weight is clipped to the room that the bounds leave, which is recorded too, and denied only when it does nothing but add and there
/// is no room, or when it would be one position too many. What only takes away from a position is never denied.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RiskLimits {
    /// Sum of the absolute values of all positions. It also holds at the fill, after costs: a fill that would break it is trimmed.
    pub gross_leverage_max: Option<f64>,
    /// Absolute value of the sum of all positions.
    pub net_leverage_max: Option<f64>,
    /// Absolute value of one position.
    pub weight_max: Option<f64>,
    /// Number of positions that are not zero.
    pub positions_max: Option<u32>,
    /// The fall from the highest equity at a close that flattens the account and ends trading.
    pub drawdown_stop: Option<f64>,
}

impl RiskLimits {
    /// No bound at all.
    pub const UNLIMITED: Self = Self {
        gross_leverage_max: None,
        net_leverage_max: None,
        weight_max: None,
        positions_max: None,
        drawdown_stop: None,
    };

    fn validate(&self) -> Result<(), BacktestError> {
        let bounds = [
            ("gross_leverage_max", self.gross_leverage_max),
            ("net_leverage_max", self.net_leverage_max),
            ("weight_max", self.weight_max),
        ];
        for (name, bound) in bounds {
            let value = bound.unwrap_or(1.0);
            require(name, "finite and above 0", value, value.is_finite() && value > 0.0)?;
        }
        if let Some(stop) = self.drawdown_stop {
            require("drawdown_stop", "in (0, 1)", stop, stop > 0.0 && stop < 1.0)?;
        }
        Ok(())
    }
}

/// The account, the broker and the limits of one run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BacktestConfig {
    /// Cash before the first bar; above zero.
    pub initial_cash: Cash,
    /// When market orders fill.
    pub fill: FillTiming,
    /// What a fill costs.
    pub commission: Commission,
    /// How much worse than quoted a fill is.
    pub slippage: Slippage,
    /// What the account may hold.
    pub limits: RiskLimits,
}

impl BacktestConfig {
    /// Checks every number.
    ///
    /// # Errors
    /// [`BacktestError::Range`] for the first number outside its range.
    pub fn validate(&self) -> Result<(), BacktestError> {
        let cash = self.initial_cash.0;
        require("initial_cash", "finite and above 0", cash, cash.is_finite() && cash > 0.0)?;
        self.commission.validate()?;
        self.slippage.validate()?;
        self.limits.validate()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(spoil: impl FnOnce(&mut BacktestConfig), message: &str) {
        let mut config = BacktestConfig {
            initial_cash: Cash(1_000.0),
            fill: FillTiming::NextOpen,
            commission: Commission::None,
            slippage: Slippage::None,
            limits: RiskLimits::UNLIMITED,
        };
        assert_eq!(config.validate(), Ok(()));
        spoil(&mut config);
        assert_eq!(config.validate().expect_err(message).to_string(), message);
    }

    #[test]
    fn a_number_outside_its_range_is_named_with_the_rule() {
        check(|c| c.initial_cash = Cash(0.0), "initial_cash must be finite and above 0, was `0`");
        check(|c| c.limits.gross_leverage_max = Some(-1.0), "gross_leverage_max must be finite and above 0, was `-1`");
        check(|c| c.limits.drawdown_stop = Some(1.0), "drawdown_stop must be in (0, 1), was `1`");
        check(|c| c.limits.weight_max = Some(f64::NAN), "weight_max must be finite and above 0, was `NaN`");
    }
}
