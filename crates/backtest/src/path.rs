//! Where in a bar an order fills: pure rules over prices.

use tidegate_market::{Price, Side};

use crate::book::Waiting;
use crate::{FillTiming, LimitFill, Order, OrderKind, OrderStatus, PositionEffect};

/// What an order waits for, once its stage is taken into account.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Wait {
    /// A moment.
    Moment,
    /// This price or better.
    Limit(f64),
    /// The market, once this price is reached.
    Stop(f64),
    /// A limit order of this price, once the stop is reached.
    StopLimit { stop: f64, limit: f64 },
    /// The next open: what is left of a stop order that has filled in part.
    Rest,
}

/// Returns what an order waits for now.
#[inline]
pub(crate) fn wait(order: &Order, waiting: &Waiting) -> Wait {
    // A fill in part shows that the stop was reached.
    let began = order.status == OrderStatus::PartiallyFilled;
    match order.kind {
        OrderKind::Market | OrderKind::MarketOnOpen | OrderKind::MarketOnClose => Wait::Moment,
        OrderKind::Limit(Price(limit)) => Wait::Limit(limit),
        OrderKind::Stop(_) | OrderKind::TrailingStop(_) if began => Wait::Rest,
        OrderKind::Stop(Price(stop)) => Wait::Stop(stop),
        OrderKind::StopLimit { limit: Price(limit), .. } if began || waiting.triggered => Wait::Limit(limit),
        OrderKind::StopLimit { stop: Price(stop), limit: Price(limit) } => Wait::StopLimit { stop, limit },
        OrderKind::TrailingStop(_) => Wait::Stop(waiting.level),
    }
}

/// Returns whether a price is at a limit or better.
#[inline]
pub(crate) fn within(side: Side, price: f64, limit: f64) -> bool {
    match side {
        Side::Buy => price <= limit,
        Side::Sell => price >= limit,
    }
}

/// Returns whether a price has reached a stop.
#[inline]
pub(crate) fn reached(side: Side, price: f64, stop: f64) -> bool {
    match side {
        Side::Buy => price >= stop,
        Side::Sell => price <= stop,
    }
}

/// Returns whether a market order of a kind fills at opens.
#[inline]
pub(crate) const fn fills_at_open(kind: OrderKind, timing: FillTiming) -> bool {
    match kind {
        OrderKind::Market => matches!(timing, FillTiming::NextOpen | FillTiming::SameCloseBookedNext),
        OrderKind::MarketOnOpen => true,
        _ => false,
    }
}

/// Returns whether a market order of a kind fills at closes.
#[inline]
pub(crate) const fn fills_at_close(kind: OrderKind, timing: FillTiming) -> bool {
    match kind {
        OrderKind::Market => matches!(timing, FillTiming::NextClose | FillTiming::SameClose),
        OrderKind::MarketOnClose => true,
        _ => false,
    }
}

/// Returns the quoted price at which an order with a price of its own fills at the open of a bar, if it does.
///
/// A stop that the open has reached or gapped through fills at the open; so does a limit order, whose buyer then pays the open if it is
/// below the limit; so does a stop-limit order when the open has reached its stop and is within its limit.
#[inline]
pub(crate) fn open_quote(wait: Wait, side: Side, open: f64) -> Option<f64> {
    let fills = match wait {
        Wait::Moment => false,
        Wait::Limit(limit) => within(side, open, limit),
        Wait::Stop(stop) => reached(side, open, stop),
        Wait::StopLimit { stop, limit } => reached(side, open, stop) && within(side, open, limit),
        Wait::Rest => true,
    };
    fills.then_some(open)
}

/// The range of a bar that an order can act in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reach {
    pub(crate) high: f64,
    pub(crate) low: f64,
    /// The open, or the price at which the order began to work inside this bar.
    pub(crate) start: f64,
    pub(crate) limit_fill: LimitFill,
}

/// Returns the quoted price at which an order fills inside the bar, if it does, nothing being known of the order of prices.
///
/// An order that the start has passed acts there: what the open left for want of volume, or a leg whose entry gapped through it. Its own
/// price may lie outside the range.
/// A stop-limit order whose limit is beyond its stop fills at the stop, where it becomes marketable. With the limit on the near side of
/// the stop the price would have to come back, which cannot be told: it does not fill in the bar that triggers it.
#[inline]
pub(crate) fn inside_quote(wait: Wait, side: Side, reach: Reach) -> Option<f64> {
    let [best, worst] = match side {
        Side::Buy => [reach.low, reach.high],
        Side::Sell => [reach.high, reach.low],
    };
    let stopped_at = |stop: f64| if reached(side, reach.start, stop) { reach.start } else { stop };
    match wait {
        Wait::Moment | Wait::Rest => None,
        Wait::Limit(limit) => {
            let touched = match reach.limit_fill {
                LimitFill::Touch => within(side, best, limit),
                LimitFill::Penetrate => within(side, best, limit) && best != limit,
            };
            touched.then_some(if within(side, reach.start, limit) { reach.start } else { limit })
        }
        Wait::Stop(stop) => reached(side, worst, stop).then(|| stopped_at(stop)),
        Wait::StopLimit { stop, limit } => {
            let price = stopped_at(stop);
            (reached(side, worst, stop) && within(side, price, limit)).then_some(price)
        }
    }
}

/// Ranks touched orders for the pessimistic path: stops before limit orders, and limit orders that only take profit last.
#[inline]
pub(crate) const fn pessimistic_rank(wait: Wait, effect: PositionEffect) -> u8 {
    match (wait, effect) {
        (Wait::Moment | Wait::Stop(_) | Wait::StopLimit { .. } | Wait::Rest, _) => 0,
        (Wait::Limit(_), PositionEffect::Any) => 1,
        (Wait::Limit(_), PositionEffect::ReduceOnly) => 2,
    }
}

/// Returns the turning points of the nearest-extreme path: open, the nearer extreme, the other one, close.
#[inline]
pub(crate) fn turning_points([open, high, low, close]: [f64; 4]) -> [f64; 4] {
    if high - open < open - low { [open, high, low, close] } else { [open, low, high, close] }
}

/// Returns the price at which an order acts while the price goes from `at` to `to`, if it does; `at` where it can act at once.
///
/// For a stop-limit order this is the price that triggers it.
#[inline]
pub(crate) fn crossing(wait: Wait, side: Side, at: f64, to: f64, limit_fill: LimitFill) -> Option<f64> {
    match wait {
        Wait::Moment | Wait::Rest => None,
        Wait::Limit(limit) if within(side, at, limit) && (limit_fill == LimitFill::Touch || at != limit) => Some(at),
        Wait::Limit(limit) => {
            let touched = within(side, to, limit) && (limit_fill == LimitFill::Touch || to != limit);
            touched.then_some(limit)
        }
        Wait::Stop(stop) | Wait::StopLimit { stop, .. } if reached(side, at, stop) => Some(at),
        Wait::Stop(stop) | Wait::StopLimit { stop, .. } => reached(side, to, stop).then_some(stop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOUCH: Reach = Reach { high: 97.0, low: 94.0, start: 96.0, limit_fill: LimitFill::Touch };

    #[test]
    fn a_buyer_with_a_limit_gets_the_better_of_open_and_limit() {
        assert_eq!(open_quote(Wait::Limit(95.0), Side::Buy, 93.0), Some(93.0));
        assert_eq!(open_quote(Wait::Limit(95.0), Side::Buy, 96.0), None);
        assert_eq!(inside_quote(Wait::Limit(95.0), Side::Buy, TOUCH), Some(95.0));
    }

    #[test]
    fn a_touch_fills_unless_the_price_must_go_beyond() {
        let at_low = Reach { low: 95.0, ..TOUCH };
        assert_eq!(inside_quote(Wait::Limit(95.0), Side::Buy, at_low), Some(95.0));
        assert_eq!(inside_quote(Wait::Limit(95.0), Side::Buy, Reach { low: 95.01, ..TOUCH }), None);
        let beyond = Reach { limit_fill: LimitFill::Penetrate, ..at_low };
        assert_eq!(inside_quote(Wait::Limit(95.0), Side::Buy, beyond), None);
        assert_eq!(inside_quote(Wait::Limit(95.0), Side::Buy, Reach { low: 94.99, ..beyond }), Some(95.0));
        assert_eq!(inside_quote(Wait::Stop(97.0), Side::Buy, beyond), Some(97.0), "a stop needs no more than a touch");
    }

    #[test]
    fn a_stop_gapped_through_fills_at_the_open() {
        assert_eq!(open_quote(Wait::Stop(105.0), Side::Buy, 108.0), Some(108.0));
        assert_eq!(open_quote(Wait::Stop(105.0), Side::Buy, 104.0), None);
        assert_eq!(open_quote(Wait::Stop(90.0), Side::Sell, 88.0), Some(88.0));
        assert_eq!(inside_quote(Wait::Stop(94.5), Side::Sell, TOUCH), Some(94.5));
    }

    #[test]
    fn a_stop_limit_fills_at_its_stop_when_its_limit_lies_beyond() {
        let wait = Wait::StopLimit { stop: 96.0, limit: 96.5 };
        assert_eq!(inside_quote(wait, Side::Buy, TOUCH), Some(96.0));
        assert_eq!(open_quote(wait, Side::Buy, 96.2), Some(96.2));
        assert_eq!(open_quote(wait, Side::Buy, 96.6), None, "triggered, but above the limit");
        let comes_back = Wait::StopLimit { stop: 96.0, limit: 95.0 };
        assert_eq!(inside_quote(comes_back, Side::Buy, TOUCH), None);
    }

    #[test]
    fn an_order_that_the_start_has_passed_acts_at_the_start() {
        let entered = Reach { start: 94.2, ..TOUCH };
        assert_eq!(inside_quote(Wait::Stop(94.5), Side::Sell, entered), Some(94.2));
        assert_eq!(inside_quote(Wait::Stop(94.1), Side::Sell, entered), Some(94.1));
        assert_eq!(
            inside_quote(Wait::Stop(97.5), Side::Sell, TOUCH),
            Some(96.0),
            "above the high: no price to fill at"
        );
        assert_eq!(inside_quote(Wait::Limit(97.5), Side::Buy, TOUCH), Some(96.0));
    }

    #[test]
    fn the_nearer_extreme_comes_first_and_the_low_in_a_tie() {
        assert_eq!(turning_points([100.0, 101.0, 97.0, 98.0]), [100.0, 101.0, 97.0, 98.0]);
        assert_eq!(turning_points([100.0, 104.0, 97.0, 98.0]), [100.0, 97.0, 104.0, 98.0]);
        assert_eq!(turning_points([100.0, 102.0, 98.0, 98.0]), [100.0, 98.0, 102.0, 98.0]);
    }

    #[test]
    fn an_order_acts_where_the_path_crosses_its_price() {
        assert_eq!(crossing(Wait::Stop(101.0), Side::Buy, 100.0, 102.0, LimitFill::Touch), Some(101.0));
        assert_eq!(crossing(Wait::Stop(101.0), Side::Buy, 100.0, 98.0, LimitFill::Touch), None);
        assert_eq!(crossing(Wait::Limit(99.0), Side::Buy, 100.0, 98.0, LimitFill::Touch), Some(99.0));
        assert_eq!(crossing(Wait::Limit(98.0), Side::Buy, 100.0, 98.0, LimitFill::Penetrate), None);
        assert_eq!(
            crossing(Wait::Limit(98.0), Side::Buy, 98.0, 99.0, LimitFill::Penetrate),
            None,
            "it turned at the limit"
        );
        assert_eq!(crossing(Wait::Stop(101.0), Side::Buy, 103.0, 102.0, LimitFill::Touch), Some(103.0));
    }
}
