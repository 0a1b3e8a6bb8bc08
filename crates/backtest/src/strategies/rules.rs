//! Entries and exits by conditions that somebody wrote down.
//!
//! The conditions are trees ([`Condition`], [`Number`]) over the closed bar, feature columns, the forecast and the position. A tree
//! has no way to name a bar that has not closed, so a rule cannot look ahead; a column must keep that promise itself.

mod evaluate;
mod expression;
mod memory;
mod size;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use tidegate_market::{FeatureMatrix, InstrumentId, Price, Side};

use self::evaluate::View;
use self::expression::Needs;
use self::memory::{Memory, side, signal_per_traded};
use crate::error::require;
use crate::{BacktestError, Context, Exits, OrderKind, Requests, Strategy};

pub use self::expression::{BarField, BinaryOperation, Comparison, Condition, LiveField, Number, UnaryOperation};
pub use self::size::RulesSize;

/// Parameters of [`Rules`].
#[derive(Debug, Clone, PartialEq)]
pub struct RulesParams {
    /// When to be long; `None` never is.
    pub long: Option<SideRules>,
    /// When to be short; `None` never is.
    pub short: Option<SideRules>,
    /// How much is traded at an entry.
    pub size: RulesSize,
}

/// When to enter one side, and when to leave it.
#[derive(Debug, Clone, PartialEq)]
pub struct SideRules {
    /// Enters when it holds and there is no position.
    pub entry: Condition,
    /// Leaves when it holds.
    pub exit: Option<Condition>,
    /// The price at which a stop order leaves, from the numbers at the entry's decision, as signals see prices.
    pub stop: Option<Number>,
    /// The price at which a limit order leaves, from the numbers at the entry's decision, as signals see prices.
    pub target: Option<Number>,
}

/// The feature columns of one instrument.
#[derive(Debug, Clone)]
pub struct RulesFeatures {
    /// The columns.
    pub matrix: Arc<FeatureMatrix>,
    /// The row that belongs to the instrument's first traded bar.
    pub first_row: usize,
}

/// Enters and leaves by conditions, each instrument on its own.
///
/// At each close of an instrument: without a position and without an order on its way, `long` is entered when its `entry` holds, else
/// `short` when its own does, by a target weight. With a position, `exit` asks for the weight zero and cancels stop and target; when the
/// other side's `entry` holds at the same close, the position is turned around by one order. Between entry and exit the weight drifts.
///
/// `stop` and `target` are prices, fixed at the decision to enter. They become a stop and a limit order that may only reduce, work from
/// the moment the entry fills, and cancel each other. An entry whose stop, target or size is missing, or whose prices are not above zero,
/// is not asked for; one whose stop or target lies on the wrong side of the close is denied ([`crate::DenialReason::Bracket`]), and does
/// not turn a position around.
#[derive(Debug, Clone)]
pub struct Rules {
    params: RulesParams,
    instruments: Vec<Instrument>,
}

#[derive(Debug, Clone)]
struct Instrument {
    features: RulesFeatures,
    memory: Memory,
}

/// An entry: its signed weight and the orders that close it again.
#[derive(Debug, Clone, Copy)]
struct Entry {
    weight: f64,
    exits: Exits,
    /// Whether the exits lie on their sides of the close.
    is_bracket: bool,
}

impl Rules {
    /// Creates the strategy; `features` are the columns of each instrument, in order.
    ///
    /// # Errors
    /// [`BacktestError::Range`] for a number outside its range, a column that a matrix does not have, and a size by risk without a stop.
    pub fn new(params: RulesParams, features: Vec<RulesFeatures>) -> Result<Self, BacktestError> {
        params.size.validate()?;
        let by_risk = matches!(params.size, RulesSize::Risk { .. });
        let sides = [&params.long, &params.short];
        let naked = sides.iter().filter_map(|side| side.as_ref()).filter(|rules| rules.stop.is_none()).count();
        require("sides without a stop", "0 for a size by risk", naked as f64, !by_risk || naked == 0)?;
        let needs = params.needs();
        for columns in features.iter().map(|features| features.matrix.columns().len()) {
            let rule = "at least as many as the rules name";
            require("feature columns", rule, columns as f64, columns >= needs.columns)?;
        }
        let memory = Memory::new(needs.live_bars);
        let instrument = |features| Instrument { features, memory: memory.clone() };
        Ok(Self { params, instruments: features.into_iter().map(instrument).collect() })
    }
}

impl Strategy for Rules {
    fn on_bar(&mut self, context: &Context<'_>, requests: &mut Requests) {
        for (id, instrument) in context.instruments().zip(&mut self.instruments) {
            if context.is_updated(id) {
                instrument.memory.observe(context, id);
                instrument.decide(&self.params, context, id, requests);
            }
        }
    }
}

impl Instrument {
    fn decide(&self, params: &RulesParams, context: &Context<'_>, id: InstrumentId, requests: &mut Requests) {
        let held = side(context.position(id).quantity.0);
        let coming = side(context.projected_quantity(id).0);
        match (held, coming) {
            (None, None) => {
                if let Some(entry) = self.entry(params, context, id, None) {
                    requests.target_weight_with_exits(id, entry.weight, entry.exits);
                }
            }
            (Some(held), Some(coming)) if held == coming && self.leaves(params, context, id, held) => {
                self.leave(params, context, id, held, requests);
            }
            // The rules of the position say nothing, or an order is on its way.
            _ => {}
        }
    }

    /// Returns the entry that the rules ask for now; one that turns a position around may not be to the side it is `from`.
    fn entry(
        &self,
        params: &RulesParams,
        context: &Context<'_>,
        id: InstrumentId,
        from: Option<Side>,
    ) -> Option<Entry> {
        let view = self.view(context, id);
        let close = context.close(id)?;
        let prices = Prices {
            close,
            signal_per_traded: signal_per_traded(context, id),
            tick_size: context.instrument(id).tick_size,
        };
        let sides = [(Side::Buy, &params.long), (Side::Sell, &params.short)];
        let wanted = |(side, rules): (Side, &'_ Option<SideRules>)| {
            let rules = rules.as_ref().filter(|rules| from != Some(side) && view.holds(&rules.entry))?;
            let stop = optional_price(&view, rules.stop.as_ref())?;
            let target = optional_price(&view, rules.target.as_ref())?;
            let weight = params.size.weight(&view, close, stop)?;
            Some(Entry {
                weight: side.sign() * weight,
                exits: Exits {
                    take_profit: target.map(|price| prices.traded(price)),
                    stop_loss: stop.map(|price| OrderKind::Stop(prices.traded(price))),
                },
                is_bracket: prices.is_beyond(stop, -side.sign()) && prices.is_beyond(target, side.sign()),
            })
        };
        sides.into_iter().find_map(wanted)
    }

    fn leaves(&self, params: &RulesParams, context: &Context<'_>, id: InstrumentId, held: Side) -> bool {
        let exit = params.side(held).and_then(|rules| rules.exit.as_ref());
        exit.is_some_and(|exit| self.view(context, id).holds(exit))
    }

    fn leave(
        &self,
        params: &RulesParams,
        context: &Context<'_>,
        id: InstrumentId,
        held: Side,
        requests: &mut Requests,
    ) {
        for order in context.working_orders(id) {
            requests.cancel(order.id);
        }
        // A denial of the other side's entry must not keep this side's position.
        match self.entry(params, context, id, Some(held)).filter(|entry| entry.is_bracket) {
            Some(entry) => requests.target_weight_with_exits(id, entry.weight, entry.exits),
            None => requests.target_weight(id, 0.0),
        }
    }

    fn view<'a>(&'a self, context: &Context<'a>, id: InstrumentId) -> View<'a> {
        View {
            history: context.history(id),
            features: &self.features.matrix,
            first_row: self.features.first_row,
            memory: &self.memory,
        }
    }
}

impl RulesParams {
    const fn side(&self, side: Side) -> Option<&SideRules> {
        match side {
            Side::Buy => self.long.as_ref(),
            Side::Sell => self.short.as_ref(),
        }
    }

    fn needs(&self) -> Needs {
        let size = match &self.size {
            RulesSize::VolatilityTarget { volatility, .. } => volatility.needs(0),
            RulesSize::Weight(_) | RulesSize::Risk { .. } => Needs::default(),
        };
        [&self.long, &self.short].into_iter().flatten().fold(size, |needs, rules| needs.and(rules.needs()))
    }
}

impl SideRules {
    fn needs(&self) -> Needs {
        let exit = self.exit.iter().map(Condition::needs);
        let prices = [&self.stop, &self.target].into_iter().flatten().map(|price| price.needs(0));
        exit.chain(prices).fold(self.entry.needs(), Needs::and)
    }
}

/// What turns the price of an expression into the price of an order.
#[derive(Debug, Clone, Copy)]
struct Prices {
    close: f64,
    signal_per_traded: f64,
    tick_size: Option<f64>,
}

impl Prices {
    /// Returns the price as it is traded, on the tick.
    fn traded(&self, price: f64) -> Price {
        let traded = price / self.signal_per_traded;
        Price(self.tick_size.map_or(traded, |tick| (traded / tick).round() * tick))
    }

    /// Returns whether a price, if there is one, lies above the close for a positive sign, below it for a negative one.
    fn is_beyond(&self, price: Option<f64>, sign: f64) -> bool {
        price.is_none_or(|price| {
            let traded = self.traded(price).0;
            traded > 0.0 && sign * (traded - self.close / self.signal_per_traded) > 0.0
        })
    }
}

/// Returns a price that the rules may leave out; `None` where they do not and it is missing or not above zero.
#[expect(clippy::option_option, reason = "no rule for a price is not the same as a price that is missing")]
fn optional_price(view: &View<'_>, number: Option<&Number>) -> Option<Option<f64>> {
    match number {
        None => Some(None),
        Some(number) => view.number(number).filter(|&price| price > 0.0).map(Some),
    }
}
