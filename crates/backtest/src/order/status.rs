//! The life of an order as one table.

/// Why an order ended without (all of) its quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelReason {
    /// The strategy cancelled it.
    Requested,
    /// Its day ended.
    DayEnded,
    /// Trading ended: drawdown stop, losing trades or ruin.
    Halted,
    /// It may only reduce, and there was nothing to reduce.
    NothingToReduce,
    /// At its fill the limits on what an account may hold left nothing for it.
    NoRoomAtFill,
    /// The data ended.
    DataEnded,
    /// The strategy replaced it by another.
    Replaced,
    /// Its date came.
    Expired,
    /// It had to fill at once and could not, or not in full.
    NotImmediate,
    /// Another order of its group filled.
    OtherFilled,
    /// The order that it waited for ended without a fill.
    ParentEnded,
    /// The instrument was delisted.
    Delisted,
    /// A margin call cleared the book.
    MarginCall,
    /// The session ended, and the config closes positions then.
    SessionEnded,
    /// The daily loss stop cleared the book.
    DailyLoss,
}

/// Why the risk check turned a request down, or which limit a target weight was clipped to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DenialReason {
    /// The quantity is not above zero and at most 1e15.
    Quantity,
    /// The quantity is not a whole number of lots.
    Lot,
    /// A price of the order is not above zero and at most 1e15.
    Price,
    /// The target weight is not a number, or beyond a million times equity.
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
    /// A price of the order is not a whole number of ticks.
    Tick,
    /// The distance of a trailing stop is not above zero, or a fraction not below one.
    Trail,
    /// Its date had come when it was made.
    Expired,
    /// The leg of a bracket is on the wrong side of the price, or not of a kind that can protect a position.
    Bracket,
    /// A cash account cannot sell what it does not hold.
    ShortSale,
    /// The account would exceed what its cash or its initial margin pays for.
    BuyingPower,
    /// The instrument's group would exceed [`crate::RiskLimits::group_weight_max`].
    GroupLimit,
    /// The day's trading would exceed [`crate::RiskLimits::daily_turnover_max`].
    TurnoverLimit,
    /// The daily loss stop holds until the day ends.
    DailyLoss,
    /// The instrument was delisted.
    Delisted,
    /// The order to replace had ended.
    NothingToReplace,
}

/// Where an order is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderStatus {
    /// Approved and waiting for a fill.
    Working,
    /// Filled, by less than was asked for when the fill was trimmed and the rest is gone.
    Filled,
    /// Ended; what filled before stays filled.
    Cancelled(CancelReason),
    /// Turned down by the risk check.
    Denied(DenialReason),
    /// Approved and waiting for another order to fill first.
    Held,
    /// Filled in part, the rest is waiting.
    PartiallyFilled,
}

/// What happens to an order that has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OrderEvent {
    /// The order that it waited for has filled.
    Activate,
    PartialFill,
    Fill,
    Cancel(CancelReason),
}

impl OrderStatus {
    /// Returns whether nothing can happen to the order any more.
    #[inline]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Filled | Self::Cancelled(_) | Self::Denied(_))
    }

    /// Returns whether the order can fill.
    #[inline]
    pub const fn is_working(self) -> bool {
        matches!(self, Self::Working | Self::PartiallyFilled)
    }

    /// The transition table. `None` where the event cannot happen: final statuses are final.
    #[inline]
    pub(crate) const fn transition(self, event: OrderEvent) -> Option<Self> {
        match (self, event) {
            (Self::Held, OrderEvent::Activate) => Some(Self::Working),
            (Self::Working | Self::PartiallyFilled, OrderEvent::PartialFill) => Some(Self::PartiallyFilled),
            (Self::Working | Self::PartiallyFilled, OrderEvent::Fill) => Some(Self::Filled),
            (Self::Held | Self::Working | Self::PartiallyFilled, OrderEvent::Cancel(reason)) => {
                Some(Self::Cancelled(reason))
            }
            (Self::Held, OrderEvent::PartialFill | OrderEvent::Fill)
            | (Self::Working | Self::PartiallyFilled, OrderEvent::Activate)
            | (Self::Filled | Self::Cancelled(_) | Self::Denied(_), _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANCEL: OrderEvent = OrderEvent::Cancel(CancelReason::DayEnded);
    const CANCELLED: OrderStatus = OrderStatus::Cancelled(CancelReason::DayEnded);

    #[test]
    fn final_statuses_are_final() {
        let ended = [
            OrderStatus::Filled,
            OrderStatus::Cancelled(CancelReason::Requested),
            OrderStatus::Denied(DenialReason::Quantity),
        ];
        for status in ended {
            assert!(status.is_final() && !status.is_working());
            for event in [OrderEvent::Activate, OrderEvent::PartialFill, OrderEvent::Fill, CANCEL] {
                assert_eq!(status.transition(event), None);
            }
        }
    }

    #[test]
    fn a_working_order_fills_in_part_or_whole_or_is_cancelled() {
        for status in [OrderStatus::Working, OrderStatus::PartiallyFilled] {
            assert_eq!(status.transition(OrderEvent::PartialFill), Some(OrderStatus::PartiallyFilled));
            assert_eq!(status.transition(OrderEvent::Fill), Some(OrderStatus::Filled));
            assert_eq!(status.transition(CANCEL), Some(CANCELLED));
            assert_eq!(status.transition(OrderEvent::Activate), None);
        }
    }

    #[test]
    fn a_held_order_must_be_activated_before_it_can_fill() {
        assert_eq!(OrderStatus::Held.transition(OrderEvent::Fill), None);
        assert_eq!(OrderStatus::Held.transition(OrderEvent::PartialFill), None);
        assert_eq!(OrderStatus::Held.transition(OrderEvent::Activate), Some(OrderStatus::Working));
        assert_eq!(OrderStatus::Held.transition(CANCEL), Some(CANCELLED));
    }
}
