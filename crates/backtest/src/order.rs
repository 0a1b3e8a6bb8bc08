//! Orders: what is asked for, and the life of what was asked.

mod status;

use std::num::NonZeroU32;

use tidegate_market::{Cash, InstrumentId, Price, Quantity, Side, Timestamp};

pub(crate) use status::OrderEvent;
pub use status::{CancelReason, DenialReason, OrderStatus};

/// The place of an order in [`crate::Journal::orders`]: orders are numbered as they reach the risk check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderId(pub u32);

impl OrderId {
    /// Returns the place as an index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// How far behind the best price a trailing stop follows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Trail {
    /// By an amount of price, above zero.
    Absolute(f64),
    /// By a fraction of the best price, in (0, 1).
    Fraction(f64),
}

impl Trail {
    /// Returns the stop that follows a best price: below it to sell, above it to buy.
    #[inline]
    pub(crate) fn level(self, side: Side, best: f64) -> f64 {
        match self {
            Self::Absolute(distance) => best + side.sign() * distance,
            Self::Fraction(fraction) => best * (1.0 + side.sign() * fraction),
        }
    }
}

/// At which price an order may fill.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OrderKind {
    /// At the price of [`crate::FillTiming`].
    Market,
    /// At the open of the next bar, whatever the fill timing.
    MarketOnOpen,
    /// At the close of the next bar, whatever the fill timing.
    MarketOnClose,
    /// At this price or better.
    Limit(Price),
    /// At the market once this price is reached.
    Stop(Price),
    /// At the limit or better once the stop is reached.
    StopLimit {
        /// The price that makes it a limit order.
        stop: Price,
        /// The worst price.
        limit: Price,
    },
    /// At the market once the price has come back from its best since the order was made.
    TrailingStop(Trail),
}

impl OrderKind {
    /// Returns whether the order takes the price of a moment, not a price of its own.
    #[inline]
    pub const fn is_market(self) -> bool {
        matches!(self, Self::Market | Self::MarketOnOpen | Self::MarketOnClose)
    }

    /// Returns whether the price of a fill is bounded by a limit.
    #[inline]
    pub(crate) const fn has_limit(self) -> bool {
        matches!(self, Self::Limit(_) | Self::StopLimit { .. })
    }
}

/// How long an order stays working.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeInForce {
    /// Good till cancelled.
    Gtc,
    /// Until the session of the first bar that it works in has ended; without sessions, the UTC day of its open.
    Day,
    /// Good till date: it does not work in bars that open at or after this moment.
    Gtd(Timestamp),
    /// Immediate or cancel: what does not fill at its first moment is cancelled. That moment is the open of the first bar it works in,
    /// or the close for an order that fills at closes.
    Ioc,
    /// Fill or kill: as [`TimeInForce::Ioc`], and all of it or nothing.
    Fok,
}

impl TimeInForce {
    #[inline]
    pub(crate) const fn is_immediate(self) -> bool {
        matches!(self, Self::Ioc | Self::Fok)
    }
}

/// What an order may do to a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PositionEffect {
    /// Open, add, reduce, close or turn it around.
    Any,
    /// Only reduce or close it. The order is cut to the position at its fill, and cancelled once the position is closed.
    ReduceOnly,
}

/// What a strategy asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OrderRequest {
    /// The instrument.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// Units, above zero, a whole number of lots.
    pub quantity: Quantity,
    /// At which price.
    pub kind: OrderKind,
    /// How long.
    pub time_in_force: TimeInForce,
    /// What it may do to the position.
    pub effect: PositionEffect,
}

impl OrderRequest {
    /// Returns a request for a market order that is good till cancelled.
    pub const fn market(instrument: InstrumentId, side: Side, quantity: Quantity) -> Self {
        Self {
            instrument,
            side,
            quantity,
            kind: OrderKind::Market,
            time_in_force: TimeInForce::Gtc,
            effect: PositionEffect::Any,
        }
    }

    /// Returns the request with another price rule.
    #[must_use]
    pub const fn with_kind(self, kind: OrderKind) -> Self {
        Self { kind, ..self }
    }

    /// Returns the request with another life.
    #[must_use]
    pub const fn with_time_in_force(self, time_in_force: TimeInForce) -> Self {
        Self { time_in_force, ..self }
    }

    /// Returns the request as one that can only reduce the position.
    #[must_use]
    pub const fn reduce_only(self) -> Self {
        Self { effect: PositionEffect::ReduceOnly, ..self }
    }
}

/// Who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderOrigin {
    /// The strategy, in units.
    Strategy,
    /// The strategy, as a target weight.
    TargetWeight,
    /// The drawdown stop, to flatten.
    DrawdownStop,
    /// Ruin, to close what is left.
    Ruin,
    /// The maintenance margin, to reduce what is held.
    MarginCall,
    /// The end of the session, to flatten.
    SessionEnd,
    /// A delisting, to close what is held.
    Delisting,
    /// The daily loss stop, to flatten for the rest of the day.
    DailyLossStop,
    /// Too many losing trades in a row, to flatten.
    LosingTradesStop,
    /// The end of the data, where the config asks to close then.
    DataEnd,
}

/// What ties an order to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OrderLinks {
    /// The order that must fill before this one works.
    pub parent: Option<OrderId>,
    /// The first order of the group of which one cancels the others.
    pub group: Option<OrderId>,
    /// The order that this one took the place of.
    pub replaces: Option<OrderId>,
}

/// [`OrderLinks`] in half the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct PackedLinks {
    parent: PackedId,
    group: PackedId,
    replaces: PackedId,
}

impl From<OrderLinks> for PackedLinks {
    fn from(OrderLinks { parent, group, replaces }: OrderLinks) -> Self {
        Self { parent: parent.into(), group: group.into(), replaces: replaces.into() }
    }
}

/// One more than the place of an order, or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct PackedId(Option<NonZeroU32>);

impl From<Option<OrderId>> for PackedId {
    fn from(id: Option<OrderId>) -> Self {
        Self(id.and_then(|id| NonZeroU32::new(id.0 + 1)))
    }
}

impl PackedId {
    fn id(self) -> Option<OrderId> {
        self.0.map(|number| OrderId(number.get() - 1))
    }
}

/// What an order is made from besides its request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewOrder {
    pub(crate) id: OrderId,
    pub(crate) origin: OrderOrigin,
    pub(crate) links: OrderLinks,
    pub(crate) sized_at_fill: Option<f64>,
    pub(crate) submitted_time: Timestamp,
    pub(crate) status: OrderStatus,
    pub(crate) clipped_by: Option<DenialReason>,
}

/// An order with its life. Times are the labels of the bars in which things happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Order {
    /// Its place in the journal.
    pub id: OrderId,
    /// The instrument.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// Units asked for; of a target weight, after the limits clipped it; of an order sized at its fill, an estimate until then. A split
    /// counts in new units. NaN or not above zero only where the request was denied for it.
    pub quantity: Quantity,
    /// At which price; a split counts in new prices.
    pub kind: OrderKind,
    /// How long.
    pub time_in_force: TimeInForce,
    /// What it may do to the position.
    pub effect: PositionEffect,
    /// Who asked.
    pub origin: OrderOrigin,
    links: PackedLinks,
    /// Zero for an order in units.
    sized_at_fill: f64,
    /// The bar whose close it was decided at.
    pub submitted_time: Timestamp,
    /// Where it is in its life.
    pub status: OrderStatus,
    /// For a target weight that a limit left less room than it asked for, that limit: `quantity` is what was left.
    pub clipped_by: Option<DenialReason>,
    /// Means nothing before the status is final.
    ended_time: Timestamp,
    /// Units filled.
    pub filled_quantity: Quantity,
    /// Average price of its fills; zero before the first.
    fill_price: Price,
    /// Commission charged for its fills, in the account's currency.
    pub commission: Cash,
}

/// Returns the position after an order of signed `units` has filled in full.
#[inline]
pub(crate) fn units_after(held: f64, units: f64, effect: PositionEffect) -> f64 {
    match effect {
        PositionEffect::Any => held + units,
        PositionEffect::ReduceOnly if held * units < 0.0 => held + units.clamp(-held.abs(), held.abs()),
        PositionEffect::ReduceOnly => held,
    }
}

impl Order {
    /// Creates an order of which nothing has filled.
    #[inline]
    pub(crate) fn new(request: &OrderRequest, new: NewOrder) -> Self {
        Self {
            id: new.id,
            instrument: request.instrument,
            side: request.side,
            quantity: request.quantity,
            kind: request.kind,
            time_in_force: request.time_in_force,
            effect: request.effect,
            origin: new.origin,
            links: new.links.into(),
            sized_at_fill: new.sized_at_fill.unwrap_or(0.0),
            submitted_time: new.submitted_time,
            status: new.status,
            clipped_by: new.clipped_by,
            ended_time: new.submitted_time,
            filled_quantity: Quantity(0.0),
            fill_price: Price(0.0),
            commission: Cash(0.0),
        }
    }

    /// Returns what ties it to others.
    #[inline]
    pub fn links(&self) -> OrderLinks {
        let PackedLinks { parent, group, replaces } = self.links;
        OrderLinks { parent: parent.id(), group: group.id(), replaces: replaces.id() }
    }

    /// Returns the fraction of free equity that it is sized by at its fill; `None` for an order in units.
    #[inline]
    pub fn sized_at_fill(&self) -> Option<f64> {
        (self.sized_at_fill > 0.0).then_some(self.sized_at_fill)
    }

    /// Returns the bar in which it reached its final status; `None` while it works.
    #[inline]
    pub fn ended_time(&self) -> Option<Timestamp> {
        self.status.is_final().then_some(self.ended_time)
    }

    /// Returns the average price of its fills; `None` before the first.
    #[inline]
    pub fn fill_price(&self) -> Option<Price> {
        (self.filled_quantity.0 > 0.0).then_some(self.fill_price)
    }

    /// Returns whether it waits for another order or is in a group of which one cancels the others.
    #[inline]
    pub(crate) fn is_tied(&self) -> bool {
        self.links.parent.0.is_some() || self.links.group.0.is_some()
    }

    /// Makes it wait for another order than before.
    pub(crate) fn move_to_parent(&mut self, parent: OrderId) {
        self.links.parent = Some(parent).into();
    }

    /// Notes when it reached its final status.
    #[inline]
    pub(crate) fn end(&mut self, time: Timestamp) {
        self.ended_time = time;
    }

    /// Takes in a fill, without its effect on the status.
    #[inline]
    pub(crate) fn take_fill(&mut self, quantity: f64, price: Price, commission: Cash) {
        let filled = self.filled_quantity.0;
        self.fill_price = match self.fill_price() {
            None => price,
            Some(average) => Price((average.0 * filled + price.0 * quantity) / (filled + quantity)),
        };
        self.filled_quantity = Quantity(filled + quantity);
        self.commission.0 += commission.0;
    }

    /// Settles the size of an order that is sized at its fill: from now on it is an order in units.
    pub(crate) fn settle(&mut self, quantity: f64) {
        self.quantity = Quantity(quantity);
        self.sized_at_fill = 0.0;
    }

    /// Counts in new units: `ratio` for each old one.
    pub(crate) fn split(&mut self, ratio: f64) {
        self.quantity.0 *= ratio;
        self.filled_quantity.0 *= ratio;
        self.fill_price.0 /= ratio;
    }

    /// Returns the units that have not filled yet.
    #[inline]
    pub fn remaining(&self) -> f64 {
        self.quantity.0 - self.filled_quantity.0
    }

    #[inline]
    pub(crate) fn units_after(&self, held: f64) -> f64 {
        units_after(held, self.side.sign() * self.remaining(), self.effect)
    }
}
