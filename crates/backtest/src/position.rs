//! A position at weighted average cost.

use tidegate_market::{Cash, Price, Quantity};

/// One instrument's position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Position {
    /// Units held; negative is short.
    pub quantity: Quantity,
    /// Average price paid for the units held, weighted by quantity, in the account's currency; zero without a position.
    pub average_cost: Price,
    /// Last known price, that of the last bar's close, in the account's currency.
    pub mark: Price,
    /// Money per unit and point of price.
    pub multiplier: f64,
}

impl Position {
    pub(crate) const fn flat(multiplier: f64) -> Self {
        Self { quantity: Quantity(0.0), average_cost: Price(0.0), mark: Price(0.0), multiplier }
    }

    /// Returns what the position is worth at its mark; negative for short.
    #[inline]
    pub fn value(&self) -> Cash {
        Cash(self.quantity.0 * self.multiplier * self.mark.0)
    }

    /// Returns the gain since the average cost, before commission.
    #[inline]
    pub fn unrealized_pnl(&self) -> Cash {
        Cash(self.quantity.0 * self.multiplier * (self.mark.0 - self.average_cost.0))
    }

    /// Counts in new units: `ratio` for each old one.
    pub fn split(&mut self, ratio: f64) {
        self.quantity.0 *= ratio;
        self.average_cost.0 /= ratio;
        self.mark.0 /= ratio;
    }

    /// Takes in a fill of signed `units` at `price` and returns the realized gain, before commission.
    ///
    /// Adding moves the average cost, taking away realizes against it, crossing zero does both: it closes at the old cost and opens
    /// the rest at the fill price.
    #[inline]
    pub fn apply(&mut self, units: f64, price: f64) -> f64 {
        let [held, cost] = [self.quantity.0, self.average_cost.0];
        let after = snap(held + units, held, units);
        self.quantity = Quantity(after);
        if held == 0.0 || held.signum() == units.signum() {
            self.average_cost = Price((cost * held + price * units) / (held + units));
            return 0.0;
        }
        let closed = if units.abs() < held.abs() { -units } else { held };
        if after == 0.0 {
            self.average_cost = Price(0.0);
        } else if after.signum() != held.signum() {
            self.average_cost = Price(price);
        }
        closed * self.multiplier * (price - cost)
    }
}

/// Removes what rounding leaves of a position that was meant to close.
#[inline]
fn snap(after: f64, held: f64, units: f64) -> f64 {
    if after.abs() <= 8.0 * f64::EPSILON * held.abs().max(units.abs()) { 0.0 } else { after }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(fills: &[(f64, f64)], quantity: f64, average_cost: f64, realized: f64) {
        let mut position = Position::flat(1.0);
        let total: f64 = fills.iter().map(|&(units, price)| position.apply(units, price)).sum();
        assert!((position.quantity.0 - quantity).abs() < 1e-12, "{position:?}");
        assert!((position.average_cost.0 - average_cost).abs() < 1e-12, "{position:?}");
        assert!((total - realized).abs() < 1e-12, "{total}");
    }

    #[test]
    fn adding_averages_the_cost() {
        // (10 * 100 + 30 * 104) / 40 = 103
        check(&[(10.0, 100.0), (30.0, 104.0)], 40.0, 103.0, 0.0);
    }

    #[test]
    fn reducing_realizes_against_the_average_and_keeps_it() {
        check(&[(40.0, 103.0), (-15.0, 105.0)], 25.0, 103.0, 30.0);
    }

    #[test]
    fn a_flip_closes_at_the_old_cost_and_opens_at_the_fill_price() {
        check(&[(10.0, 100.0), (-25.0, 90.0)], -15.0, 90.0, -100.0);
        check(&[(10.0, 100.0), (-25.0, 90.0), (15.0, 80.0)], 0.0, 0.0, 50.0);
    }

    #[test]
    fn rounding_leaves_no_dust() {
        check(&[(0.1, 10.0), (0.2, 10.0), (-0.3, 10.0)], 0.0, 0.0, 0.0);
    }
}
