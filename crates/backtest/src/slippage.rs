//! How much worse than the quoted price a fill is.

use std::num::NonZeroUsize;

use tidegate_market::{Bps, Instrument, Price, Side};

use crate::BacktestError;
use crate::error::{AMOUNT_MAX, require};

/// One fill as slippage sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlippageTerms {
    /// The side of the order.
    pub side: Side,
    /// The price without slippage, above zero.
    pub quoted: f64,
    /// Units of the fill, above zero.
    pub quantity: f64,
    /// The instrument's smallest step of a price.
    pub tick_size: Option<f64>,
    /// Units traded in the bar of the fill.
    pub volume: f64,
    /// Sample standard deviation of the log returns of the last bars known, not annualized; zero while fewer than two are known.
    pub volatility: f64,
    /// Mean of the units traded in each of the last bars known.
    pub average_volume: f64,
}

/// The slippage of market and stop orders; a limit order's price is a bound, so it has none.
///
/// A price never falls below zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Slippage {
    /// Fills at the quoted price.
    None,
    /// A share of the price, against the order.
    Bps(Bps),
    /// Money per unit, against the order: half of a constant spread.
    HalfSpread(Price),
    /// Steps of the instrument's price, against the order.
    Ticks(f64),
    /// `price * (1 +- impact * min(quantity / volume, share_max)^2)`, the model that zipline made common.
    ///
    /// In a bar without volume the share counts as `share_max`.
    VolumeShare {
        /// The fraction of the price that a fill of the whole volume would lose.
        impact: f64,
        /// The share of the volume from which the loss grows no more, in (0, 1].
        share_max: f64,
    },
    /// `price * (1 +- coefficient * volatility * sqrt(quantity / average volume))`: the square-root law of market impact (Torre 1997,
    /// BARRA Market Impact Model Handbook; Almgren, Thum, Hauptmann and Li 2005, Direct Estimation of Equity Market Impact).
    ///
    /// Volatility and average volume are those of the last `lookback_bars` bars known before the fill. Where they had no volume at
    /// all, the fill counts as the whole average volume.
    SquareRootImpact {
        /// The number in front, of the order of one.
        coefficient: f64,
        /// Bars over which volatility and average volume are measured, at least two.
        lookback_bars: NonZeroUsize,
    },
}

impl Slippage {
    /// Returns the fraction of the price that is lost where it depends on nothing: for [`Self::None`] and [`Self::Bps`].
    #[inline]
    pub(crate) fn is_proportional(&self) -> Option<f64> {
        match self {
            Self::None => Some(0.0),
            Self::Bps(bps) => Some(bps.fraction()),
            Self::HalfSpread(_) | Self::Ticks(_) | Self::VolumeShare { .. } | Self::SquareRootImpact { .. } => None,
        }
    }

    /// Returns the price of a fill.
    ///
    /// # Panics
    /// For [`Self::Ticks`] without a tick size, which [`crate::run`] refuses before the first bar.
    #[inline]
    pub fn price(&self, terms: &SlippageTerms) -> f64 {
        let SlippageTerms { side, quoted, quantity, .. } = *terms;
        let by_fraction = |fraction: f64| quoted * (1.0 + side.sign() * fraction);
        let by_money = |money: f64| quoted + side.sign() * money;
        let price = match *self {
            Self::None => quoted,
            Self::Bps(bps) => by_fraction(bps.fraction()),
            Self::HalfSpread(half) => by_money(half.0),
            Self::Ticks(ticks) => {
                by_money(ticks * terms.tick_size.expect("slippage in ticks is refused without a tick size"))
            }
            Self::VolumeShare { impact, share_max } => {
                let share = if terms.volume > 0.0 { (quantity / terms.volume).min(share_max) } else { share_max };
                by_fraction(impact * share * share)
            }
            Self::SquareRootImpact { coefficient, .. } => {
                let ratio = if terms.average_volume > 0.0 { quantity / terms.average_volume } else { 1.0 };
                by_fraction(coefficient * terms.volatility * ratio.sqrt())
            }
        };
        price.max(0.0)
    }

    pub(crate) fn validate(&self) -> Result<(), BacktestError> {
        let amount = |name, value: f64| require(name, "in [0, 1e15]", value, (0.0..=AMOUNT_MAX).contains(&value));
        match *self {
            Self::None => Ok(()),
            Self::Bps(bps) => require("slippage.bps", "in [0, 10000)", bps.0, (0.0..1e4).contains(&bps.0)),
            Self::HalfSpread(half) => amount("slippage.half_spread", half.0),
            Self::Ticks(ticks) => amount("slippage.ticks", ticks),
            Self::VolumeShare { impact, share_max } => {
                amount("slippage.impact", impact)?;
                require("slippage.share_max", "in (0, 1]", share_max, share_max > 0.0 && share_max <= 1.0)
            }
            Self::SquareRootImpact { coefficient, lookback_bars } => {
                amount("slippage.coefficient", coefficient)?;
                require("slippage.lookback_bars", "at least 2", lookback_bars.get() as f64, lookback_bars.get() >= 2)
            }
        }
    }

    /// Checks that an instrument has what the model needs.
    ///
    /// # Errors
    /// [`BacktestError::NoTickSize`] for [`Self::Ticks`] and an instrument without a tick size.
    pub(crate) fn validate_for(&self, instrument: &Instrument) -> Result<(), BacktestError> {
        match (self, instrument.tick_size) {
            (Self::Ticks(_), None) => Err(BacktestError::NoTickSize { symbol: instrument.symbol.clone() }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: SlippageTerms = SlippageTerms {
        side: Side::Buy,
        quoted: 100.0,
        quantity: 100.0,
        tick_size: Some(0.25),
        volume: 10_000.0,
        volatility: 0.02,
        average_volume: 40_000.0,
    };

    #[track_caller]
    fn check(slippage: Slippage, terms: SlippageTerms, lost: f64) {
        let buy = slippage.price(&SlippageTerms { side: Side::Buy, ..terms });
        let sell = slippage.price(&SlippageTerms { side: Side::Sell, ..terms });
        assert!((buy - terms.quoted - lost).abs() < 1e-12, "{buy}");
        assert!((terms.quoted - sell - lost).abs() < 1e-12, "{sell}");
    }

    fn bars(count: usize) -> NonZeroUsize {
        NonZeroUsize::new(count).expect("above zero")
    }

    #[test]
    fn slippage_is_against_the_order() {
        check(Slippage::None, TERMS, 0.0);
        check(Slippage::Bps(Bps(10.0)), TERMS, 0.1);
        check(Slippage::HalfSpread(Price(0.03)), TERMS, 0.03);
        check(Slippage::Ticks(1.5), TERMS, 0.375);
    }

    #[test]
    fn a_share_of_the_volume_counts_squared_up_to_its_maximum() {
        let slippage = Slippage::VolumeShare { impact: 0.1, share_max: 0.025 };
        // 100 * 0.1 * 0.01^2, then 100 * 0.1 * 0.025^2
        check(slippage, TERMS, 0.001);
        check(slippage, SlippageTerms { quantity: 5_000.0, ..TERMS }, 0.006_25);
        check(slippage, SlippageTerms { volume: 0.0, ..TERMS }, 0.006_25);
    }

    #[test]
    fn impact_grows_with_volatility_and_the_root_of_the_quantity() {
        let slippage = Slippage::SquareRootImpact { coefficient: 0.8, lookback_bars: bars(20) };
        // 100 * 0.8 * 0.02 * sqrt(100 / 40000)
        check(slippage, TERMS, 0.08);
        check(slippage, SlippageTerms { quantity: 400.0, ..TERMS }, 0.16);
        check(slippage, SlippageTerms { volatility: 0.01, ..TERMS }, 0.04);
        check(slippage, SlippageTerms { average_volume: 0.0, ..TERMS }, 1.6);
    }

    #[test]
    fn a_price_never_falls_below_zero() {
        let terms = SlippageTerms { side: Side::Sell, quoted: 0.01, ..TERMS };
        assert_eq!(Slippage::HalfSpread(Price(0.05)).price(&terms), 0.0);
    }

    #[test]
    fn only_a_share_of_the_price_is_proportional() {
        assert_eq!(Slippage::None.is_proportional(), Some(0.0));
        assert_eq!(Slippage::Bps(Bps(10.0)).is_proportional(), Some(0.001));
        assert_eq!(Slippage::Ticks(1.0).is_proportional(), None);
    }

    #[test]
    fn numbers_outside_their_range_are_refused() {
        #[track_caller]
        fn refused(slippage: Slippage, message: &str) {
            assert_eq!(slippage.validate().expect_err(message).to_string(), message);
        }
        refused(Slippage::Bps(Bps(10_000.0)), "slippage.bps must be in [0, 10000), was `10000`");
        let message = "slippage.half_spread must be in [0, 1e15], was `-1`";
        refused(Slippage::HalfSpread(Price(-1.0)), message);
        refused(Slippage::Ticks(f64::NAN), "slippage.ticks must be in [0, 1e15], was `NaN`");
        let share = Slippage::VolumeShare { impact: 0.1, share_max: 0.0 };
        refused(share, "slippage.share_max must be in (0, 1], was `0`");
        let root = Slippage::SquareRootImpact { coefficient: 1.0, lookback_bars: bars(1) };
        refused(root, "slippage.lookback_bars must be at least 2, was `1`");
    }

    #[test]
    fn ticks_without_a_tick_size_are_refused_by_symbol() {
        let mut instrument = Instrument::fractional("ES");
        let error = Slippage::Ticks(1.0).validate_for(&instrument).expect_err("no tick size");
        let message = "slippage in ticks must have a tick size, `ES` has none; hint: set tick_size for `ES`";
        assert_eq!(error.to_string(), message);
        assert_eq!(Slippage::Bps(Bps(1.0)).validate_for(&instrument), Ok(()));
        instrument.tick_size = Some(0.25);
        assert_eq!(Slippage::Ticks(1.0).validate_for(&instrument), Ok(()));
    }
}
