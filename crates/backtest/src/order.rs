//! Orders: what is asked for, and the life of what was asked.

use tidegate_market::{InstrumentId, Price, Quantity, Side, Timestamp};

/// The place of an order in [`crate::Journal::orders`]: orders are numbered as they reach the risk check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderId(pub u32);

impl OrderId {
    /// Returns the place as an index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// At which price an order may fill.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OrderKind {
    /// At the price of [`crate::FillTiming`].
    Market,
    /// At this price or better: a touch of the price fills it.
    Limit(Price),
    /// At the market once this price is reached.
    Stop(Price),
}

/// How long an order stays working.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeInForce {
    /// Until it is filled or cancelled.
    Gtc,
    /// Until the UTC day of the open of the first bar that it works in has ended.
    Day,
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
}

/// Why an order ended without (all of) its quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelReason {
    /// The strategy cancelled it.
    Requested,
    /// Its day ended.
    DayEnded,
    /// Trading ended: drawdown stop or ruin.
    Halted,
    /// It may only reduce, and there was nothing to reduce.
    NothingToReduce,
    /// At its fill the gross leverage limit left nothing for it.
    NoRoomAtFill,
    /// The data ended.
    DataEnded,
}

/// Why the risk check turned a request down, or which limit a target weight was clipped to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DenialReason {
    /// The quantity is not a finite number above zero.
    Quantity,
    /// The quantity is not a whole number of lots.
    Lot,
    /// The limit or stop price is not a finite number above zero.
    Price,
    /// The target weight is not a finite number.
    Weight,
    /// The instrument has no bar yet, so nothing is known about its price.
    NoPrice,
    /// The position would exceed [`crate::RiskLimits::weight_max`].
    WeightLimit,
    /// The account would exceed [`crate::RiskLimits::gross_leverage_max`].
    GrossLeverageLimit,
    /// The account would exceed [`crate::RiskLimits::net_leverage_max`].
    NetLeverageLimit,
    /// The account would exceed [`crate::RiskLimits::positions_max`].
    PositionsLimit,
}

/// Where an order is in its life. Every status but `Working` is final.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderStatus {
    /// Approved and waiting.
    Working,
    /// Filled; by less than was asked for when the fill was trimmed, and the rest is gone.
    Filled,
    /// Ended without a fill.
    Cancelled(CancelReason),
    /// Turned down by the risk check.
    Denied(DenialReason),
}

/// What happens to a working order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OrderEvent {
    Fill,
    Cancel(CancelReason),
}

impl OrderStatus {
    /// The transition table. `None` where the event cannot happen: final statuses are final.
    pub(crate) const fn transition(self, event: OrderEvent) -> Option<Self> {
        match (self, event) {
            (Self::Working, OrderEvent::Fill) => Some(Self::Filled),
            (Self::Working, OrderEvent::Cancel(reason)) => Some(Self::Cancelled(reason)),
            (Self::Filled | Self::Cancelled(_) | Self::Denied(_), _) => None,
        }
    }
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
    /// Units asked for; of a target weight, after the limits clipped it. NaN or not above zero only where the request was denied for it.
    pub quantity: Quantity,
    /// At which price.
    pub kind: OrderKind,
    /// How long.
    pub time_in_force: TimeInForce,
    /// What it may do to the position.
    pub effect: PositionEffect,
    /// Who asked.
    pub origin: OrderOrigin,
    /// The bar whose close it was decided at.
    pub submitted_time: Timestamp,
    /// Where it is in its life.
    pub status: OrderStatus,
    /// For a target weight that a limit left less room than it asked for, that limit: `quantity` is what was left.
    pub clipped_by: Option<DenialReason>,
    /// The bar in which it reached its final status; `None` while it works.
    pub ended_time: Option<Timestamp>,
    /// Units filled.
    pub filled_quantity: Quantity,
    /// Price of the fill.
    pub fill_price: Option<Price>,
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
    #[inline]
    pub(crate) fn units_after(&self, held: f64) -> f64 {
        units_after(held, self.side.sign() * self.quantity.0, self.effect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn final_statuses_are_final() {
        let ended = [
            OrderStatus::Filled,
            OrderStatus::Cancelled(CancelReason::Requested),
            OrderStatus::Denied(DenialReason::Quantity),
        ];
        for status in ended {
            assert_eq!(status.transition(OrderEvent::Fill), None);
            assert_eq!(status.transition(OrderEvent::Cancel(CancelReason::DayEnded)), None);
        }
    }

    #[test]
    fn a_working_order_fills_or_is_cancelled() {
        assert_eq!(OrderStatus::Working.transition(OrderEvent::Fill), Some(OrderStatus::Filled));
        let cancelled = OrderStatus::Cancelled(CancelReason::DayEnded);
        assert_eq!(OrderStatus::Working.transition(OrderEvent::Cancel(CancelReason::DayEnded)), Some(cancelled));
    }
}
