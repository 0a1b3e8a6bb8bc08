//! A hash of orders that is the same on every machine and in every version.

use crate::{Order, OrderKind, OrderStatus, PositionEffect, TimeInForce, Trail};
use tidegate_market::Side;

/// FNV-1a, 64 bits (Fowler, Noll, Vo; draft-eastlake-fnv).
pub(crate) struct Fnv1a(u64);

impl Default for Fnv1a {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv1a {
    pub(crate) const fn value(&self) -> u64 {
        self.0
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
    }

    fn float(&mut self, value: f64) {
        self.bytes(&value.to_bits().to_le_bytes());
    }

    pub(crate) fn order(&mut self, order: &Order) {
        let (kind, price, second_price) = match order.kind {
            OrderKind::Market => (0, 0.0, None),
            OrderKind::Limit(price) => (1, price.0, None),
            OrderKind::Stop(price) => (2, price.0, None),
            OrderKind::MarketOnOpen => (3, 0.0, None),
            OrderKind::MarketOnClose => (4, 0.0, None),
            OrderKind::StopLimit { stop, limit } => (5, stop.0, Some(limit.0)),
            OrderKind::TrailingStop(Trail::Absolute(distance)) => (6, distance, None),
            OrderKind::TrailingStop(Trail::Fraction(fraction)) => (7, fraction, None),
        };
        let (status, reason) = match order.status {
            OrderStatus::Working => (0, 0),
            OrderStatus::Filled => (1, 0),
            OrderStatus::Cancelled(reason) => (2, reason as u8),
            OrderStatus::Denied(reason) => (3, reason as u8),
            OrderStatus::Held => (4, 0),
            OrderStatus::PartiallyFilled => (5, 0),
        };
        self.bytes(&order.instrument.0.to_le_bytes());
        self.bytes(&[u8::from(order.side == Side::Sell), kind]);
        self.float(price);
        if let Some(second) = second_price {
            self.float(second);
        }
        self.float(order.quantity.0);
        match order.time_in_force {
            TimeInForce::Gtc => self.bytes(&[0]),
            TimeInForce::Day => self.bytes(&[1]),
            TimeInForce::Gtd(date) => {
                self.bytes(&[2]);
                self.bytes(&date.nanos().to_le_bytes());
            }
            TimeInForce::Ioc => self.bytes(&[3]),
            TimeInForce::Fok => self.bytes(&[4]),
        }
        self.bytes(&[u8::from(order.effect == PositionEffect::ReduceOnly), order.origin as u8]);
        self.bytes(&order.submitted_time.nanos().to_le_bytes());
        self.bytes(&[status, reason]);
        self.bytes(&order.ended_time().map_or(0, tidegate_market::Timestamp::nanos).to_le_bytes());
        self.float(order.filled_quantity.0);
        self.float(order.fill_price().map_or(0.0, |price| price.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv_1a() {
        // Test vectors of the FNV draft: "" and "foobar".
        let mut hash = Fnv1a::default();
        assert_eq!(hash.value(), 0xcbf2_9ce4_8422_2325);
        hash.bytes(b"foobar");
        assert_eq!(hash.value(), 0x8594_4171_f739_67e8);
    }
}
