//! How much worse than the quoted price a fill is.

use tidegate_market::{Bps, Side};

use crate::BacktestError;
use crate::error::require;

/// The slippage of market and stop orders; a limit order's price is a bound, so it has none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Slippage {
    /// Fills at the quoted price.
    None,
    /// A share of the price, against the order.
    Bps(Bps),
}

impl Slippage {
    /// Returns the fraction of the price that is lost.
    #[inline]
    pub(crate) fn fraction(self) -> f64 {
        match self {
            Self::None => 0.0,
            Self::Bps(bps) => bps.fraction(),
        }
    }

    /// Returns the fill price of an order of a side at a quoted price.
    #[inline]
    pub fn price(self, side: Side, quoted: f64) -> f64 {
        match self {
            Self::None => quoted,
            Self::Bps(bps) => quoted * (1.0 + side.sign() * bps.fraction()),
        }
    }

    pub(crate) fn validate(self) -> Result<(), BacktestError> {
        match self {
            Self::None => Ok(()),
            Self::Bps(bps) => {
                require("slippage.bps", "in [0, 10000)", bps.0, bps.0.is_finite() && (0.0..1e4).contains(&bps.0))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slippage_is_against_the_order() {
        let slippage = Slippage::Bps(Bps(10.0));
        assert!((slippage.price(Side::Buy, 100.0) - 100.1).abs() < 1e-12);
        assert!((slippage.price(Side::Sell, 100.0) - 99.9).abs() < 1e-12);
    }

    #[test]
    fn slippage_that_eats_the_whole_price_is_refused() {
        let error = Slippage::Bps(Bps(10_000.0)).validate().expect_err("too much");
        assert_eq!(error.to_string(), "slippage.bps must be in [0, 10000), was `10000`");
    }
}
