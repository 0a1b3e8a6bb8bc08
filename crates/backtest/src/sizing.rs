//! How much to hold: pure rules from estimates to units and weights, with no engine and no state.
//!
//! Weights are fractions of equity. A rule that is undefined for its input says so (`None`, an error); what to do then is the
//! strategy's decision.

mod equal_risk_contribution;

use tidegate_market::{Cash, Price, Quantity};

use crate::BacktestError;
use crate::error::require;

pub use equal_risk_contribution::equal_risk_contribution;

/// The account and the instrument at the moment of sizing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SizingTerms {
    /// Cash plus the value of all positions.
    pub equity: Cash,
    /// The price at which the size is measured, above zero.
    pub price: Price,
    /// Money of the account per unit and point of price, above zero: 1 for stocks in the account's currency.
    pub multiplier: f64,
}

/// A wanted volatility per year.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AnnualVolatility {
    /// The standard deviation of a year's return, as a fraction.
    pub volatility: f64,
    /// Bars per year, above zero.
    pub periods_per_year: f64,
}

/// What is believed about the return over some horizon.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Edge {
    /// Its mean, in excess of what cash earns.
    pub mean: f64,
    /// Its variance over the same horizon.
    pub variance: f64,
}

/// Returns the units whose value is a fraction of equity: `fraction * equity / (price * multiplier)`, negative for short.
pub fn fraction_of_equity(terms: &SizingTerms, fraction: f64) -> Quantity {
    Quantity(fraction * terms.equity.0 / (terms.price.0 * terms.multiplier))
}

/// Returns the units that lose a fraction of equity between the price and the stop: `fraction * equity / ((price - stop) * multiplier)`.
///
/// They are negative, a short position, for a stop above the price, and `None` for a stop at the price. Gaps through the stop and
/// costs lose more (fixed fractional sizing: Vince 1990, Portfolio Management Formulas; Tharp 1998, Trade Your Way to Financial
/// Freedom).
pub fn risk_per_trade(terms: &SizingTerms, fraction: f64, stop: Price) -> Option<Quantity> {
    let loss_per_unit = (terms.price.0 - stop.0) * terms.multiplier;
    (loss_per_unit != 0.0).then(|| Quantity(fraction * terms.equity.0 / loss_per_unit))
}

/// Returns the weight at which an instrument has the wanted volatility: `wanted per bar / bar_volatility`, where the wanted one per bar is
/// `volatility / sqrt(periods_per_year)`; `None` without a volatility above zero.
///
/// Volatility grows with the square root of time only for returns without autocorrelation.
#[inline]
pub fn volatility_target(wanted: AnnualVolatility, bar_volatility: f64) -> Option<f64> {
    let wanted_per_bar = wanted.volatility / wanted.periods_per_year.sqrt();
    (bar_volatility > 0.0).then(|| wanted_per_bar / bar_volatility)
}

/// Returns a fraction of the Kelly weight, `fraction * mean / variance`; `None` without a variance above zero.
///
/// For a small return with mean `m` and variance `v`, expected log growth `w m - w^2 v / 2` is largest at `w = m / v` (Kelly 1956, A New
/// Interpretation of Information Rate; Thorp 2006, The Kelly Criterion in Blackjack, Sports Betting and the Stock Market).
/// Mean and variance over the same horizon give the same ratio whatever its length.
#[inline]
pub fn kelly(fraction: f64, edge: Edge) -> Option<f64> {
    (edge.variance > 0.0).then(|| fraction * edge.mean / edge.variance)
}

/// Writes weights in proportion to `1 / volatility` that sum to one.
///
/// They are the weights of equal risk contributions when all correlations are the same.
///
/// # Errors
/// [`BacktestError::Range`] for a volatility that is not finite and above zero.
///
/// # Panics
/// When the slices differ in length.
pub fn inverse_volatility(volatilities: &[f64], weights: &mut [f64]) -> Result<(), BacktestError> {
    assert_eq!(volatilities.len(), weights.len(), "one weight per volatility");
    for (&volatility, weight) in volatilities.iter().zip(weights.iter_mut()) {
        require("volatility", "finite and above 0", volatility, volatility.is_finite() && volatility > 0.0)?;
        *weight = volatility.recip();
    }
    normalize(weights);
    Ok(())
}

/// Scales weights to a sum of one.
fn normalize(weights: &mut [f64]) {
    let sum: f64 = weights.iter().sum();
    for weight in weights {
        *weight /= sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: SizingTerms = SizingTerms { equity: Cash(100_000.0), price: Price(50.0), multiplier: 1.0 };

    #[test]
    fn a_fraction_of_equity_is_divided_by_the_value_of_a_unit() {
        assert_eq!(fraction_of_equity(&TERMS, 0.25), Quantity(500.0));
        assert_eq!(fraction_of_equity(&SizingTerms { multiplier: 20.0, ..TERMS }, -0.25), Quantity(-25.0));
    }

    #[test]
    fn one_percent_of_risk_is_lost_at_the_stop() {
        // 1 % of 100,000 is 1,000: 500 units that lose 2 each.
        assert_eq!(risk_per_trade(&TERMS, 0.01, Price(48.0)), Some(Quantity(500.0)));
        assert_eq!(risk_per_trade(&TERMS, 0.01, Price(54.0)), Some(Quantity(-250.0)));
        let future = SizingTerms { multiplier: 50.0, ..TERMS };
        assert_eq!(risk_per_trade(&future, 0.01, Price(48.0)), Some(Quantity(10.0)));
        assert_eq!(risk_per_trade(&TERMS, 0.01, Price(50.0)), None);
    }

    #[test]
    fn half_the_wanted_volatility_is_held_twice() {
        // 16 % a year at 256 bars is 1 % a bar.
        let wanted = AnnualVolatility { volatility: 0.16, periods_per_year: 256.0 };
        assert_eq!(volatility_target(wanted, 0.005), Some(2.0));
        assert_eq!(volatility_target(wanted, 0.02), Some(0.5));
        assert_eq!(volatility_target(wanted, 0.0), None);
        assert_eq!(volatility_target(wanted, f64::NAN), None);
    }

    #[test]
    fn half_of_kelly_is_half_of_mean_over_variance() {
        assert_eq!(kelly(0.5, Edge { mean: 0.000_2, variance: 0.000_1 }), Some(1.0));
        assert_eq!(kelly(0.5, Edge { mean: -0.000_2, variance: 0.000_1 }), Some(-1.0));
        assert_eq!(kelly(0.5, Edge { mean: 0.01, variance: 0.0 }), None);
    }

    #[test]
    fn twice_the_volatility_has_half_the_weight() {
        let mut weights = [0.0; 3];
        inverse_volatility(&[0.1, 0.2, 0.2], &mut weights).expect("above zero");
        assert_eq!(weights, [0.5, 0.25, 0.25]);
        let error = inverse_volatility(&[0.1, 0.0, 0.2], &mut weights).expect_err("no volatility");
        assert_eq!(error.to_string(), "volatility must be finite and above 0, was `0`");
    }
}
