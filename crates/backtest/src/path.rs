//! Where in a bar an order fills: pure rules over four prices.

use tidegate_market::{Price, Side};

use crate::{FillTiming, OrderKind, PositionEffect};

/// Returns the quoted price at which an order fills at the open, if it does.
///
/// A market order of [`FillTiming::NextOpen`] always fills. A stop that the open has reached or gapped through fills at the open;
/// so does a limit order, whose buyer then pays the open if it is below the limit.
#[inline]
pub(crate) fn open_quote(kind: OrderKind, side: Side, timing: FillTiming, open: f64) -> Option<f64> {
    let fills = match (kind, side) {
        (OrderKind::Market, _) => timing == FillTiming::NextOpen,
        (OrderKind::Limit(Price(limit)), Side::Buy) => open <= limit,
        (OrderKind::Limit(Price(limit)), Side::Sell) => open >= limit,
        (OrderKind::Stop(Price(stop)), Side::Buy) => open >= stop,
        (OrderKind::Stop(Price(stop)), Side::Sell) => open <= stop,
    };
    fills.then_some(open)
}

/// Returns the quoted price at which a limit or stop order that the open did not fill is touched inside the bar, if it is.
#[inline]
pub(crate) fn inside_quote(kind: OrderKind, side: Side, high: f64, low: f64) -> Option<f64> {
    match (kind, side) {
        (OrderKind::Market, _) => None,
        (OrderKind::Limit(Price(price)), Side::Buy) | (OrderKind::Stop(Price(price)), Side::Sell) => {
            (low <= price).then_some(price)
        }
        (OrderKind::Limit(Price(price)), Side::Sell) | (OrderKind::Stop(Price(price)), Side::Buy) => {
            (high >= price).then_some(price)
        }
    }
}

/// Ranks touched orders for the pessimistic path: stops before limit orders, and limit orders that only take profit last.
#[inline]
pub(crate) const fn pessimistic_rank(kind: OrderKind, effect: PositionEffect) -> u8 {
    match (kind, effect) {
        (OrderKind::Market | OrderKind::Stop(_), _) => 0,
        (OrderKind::Limit(_), PositionEffect::Any) => 1,
        (OrderKind::Limit(_), PositionEffect::ReduceOnly) => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: OrderKind = OrderKind::Limit(Price(95.0));
    const STOP: OrderKind = OrderKind::Stop(Price(105.0));

    #[test]
    fn a_buyer_with_a_limit_gets_the_better_of_open_and_limit() {
        assert_eq!(open_quote(LIMIT, Side::Buy, FillTiming::NextOpen, 93.0), Some(93.0));
        assert_eq!(open_quote(LIMIT, Side::Buy, FillTiming::NextOpen, 96.0), None);
        assert_eq!(inside_quote(LIMIT, Side::Buy, 97.0, 94.0), Some(95.0));
    }

    #[test]
    fn a_touch_fills() {
        assert_eq!(inside_quote(LIMIT, Side::Buy, 97.0, 95.0), Some(95.0));
        assert_eq!(inside_quote(LIMIT, Side::Buy, 97.0, 95.01), None);
        assert_eq!(inside_quote(STOP, Side::Buy, 105.0, 99.0), Some(105.0));
    }

    #[test]
    fn a_stop_gapped_through_fills_at_the_open() {
        assert_eq!(open_quote(STOP, Side::Buy, FillTiming::NextOpen, 108.0), Some(108.0));
        assert_eq!(open_quote(STOP, Side::Buy, FillTiming::NextOpen, 104.0), None);
        let sell = OrderKind::Stop(Price(90.0));
        assert_eq!(open_quote(sell, Side::Sell, FillTiming::NextOpen, 88.0), Some(88.0));
        assert_eq!(inside_quote(sell, Side::Sell, 100.0, 90.0), Some(90.0));
    }

    #[test]
    fn a_market_order_waits_for_its_own_time() {
        assert_eq!(open_quote(OrderKind::Market, Side::Buy, FillTiming::NextClose, 100.0), None);
        assert_eq!(inside_quote(OrderKind::Market, Side::Buy, 101.0, 99.0), None);
    }
}
