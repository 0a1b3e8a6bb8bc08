//! One fill: trimmed to what the account can bear, priced, charged, booked, recorded.

use tidegate_market::{Cash, Price, Quantity};

use super::{Candidate, Engine};
use crate::account::{Exposure, Range};
use crate::order::OrderEvent;
use crate::risk::{self, Moment};
use crate::timeline::Timeline;
use crate::{CancelReason, Fill, FillMoment, Order, OrderKind, OrderStatus, PositionEffect, Slippage};

impl<T: Timeline + Copy> Engine<'_, T> {
    /// Fills a candidate, or cancels it when nothing is left of it. `exposure` is the account's before and after.
    pub(super) fn fill(&mut self, candidate: &Candidate, moment: FillMoment, exposure: &mut Exposure) {
        let order = self.state.orders[candidate.id.index()];
        if order.status != OrderStatus::Working {
            return;
        }
        let index = candidate.instrument as usize;
        let time = self.state.columns[index].time[candidate.row as usize];
        self.remark(index, candidate.quote, exposure);
        let wanted = match self.reducible(&order) {
            Ok(wanted) => wanted,
            Err(reason) => return self.cancel(order.id, reason, time),
        };
        let quantity = self.trimmed(&order, wanted, candidate.quote, *exposure);
        if quantity <= wanted * 1e-12 {
            return self.cancel(order.id, CancelReason::NoRoomAtFill, time);
        }
        let multiplier = self.state.account.positions()[index].multiplier;
        let price = self.slippage(&order).price(order.side, candidate.quote);
        let fill = Fill {
            order: order.id,
            instrument: order.instrument,
            side: order.side,
            quantity: Quantity(quantity),
            price: Price(price),
            commission: Cash(self.config.commission.charge(quantity, quantity * multiplier * price)),
            slippage: Cash((price - candidate.quote).abs() * quantity * multiplier),
            row: candidate.row,
            time,
            moment,
        };
        self.book_fill(&fill, exposure);
    }

    /// Moves an instrument's mark to the price of a fill.
    fn remark(&mut self, index: usize, quote: f64, exposure: &mut Exposure) {
        let before = self.state.account.positions()[index].value().0;
        self.state.account.mark(index, quote);
        let after = self.state.account.positions()[index].value().0;
        exposure.gross += after.abs() - before.abs();
        exposure.net += after - before;
    }

    fn book_fill(&mut self, fill: &Fill, exposure: &mut Exposure) {
        let index = fill.instrument.index();
        let columns = self.state.columns[index];
        let before = self.state.account.positions()[index].value().0;
        let range = Range { high: columns.high, low: columns.low };
        self.state.account.apply_fill(fill, range, &mut self.journal.trades);
        let after = self.state.account.positions()[index].value().0;
        exposure.gross += after.abs() - before.abs();
        exposure.net += after - before;
        self.journal.fills.push(*fill);
        let order = &mut self.state.orders[fill.order.index()];
        order.filled_quantity = fill.quantity;
        order.fill_price = Some(fill.price);
        self.state.book.end(order, OrderEvent::Fill, fill.time);
        if self.state.account.units(index) == 0.0 {
            self.cancel_reduce_only(fill);
        }
    }

    /// Ends the orders that could only reduce the position that a fill has closed.
    fn cancel_reduce_only(&mut self, fill: &Fill) {
        let index = fill.instrument.index();
        let mut place = 0;
        while let Some(waiting) = self.state.book.waiting(index).get(place) {
            if self.state.orders[waiting.id.index()].effect == PositionEffect::ReduceOnly {
                self.cancel(waiting.id, CancelReason::NothingToReduce, fill.time);
            } else {
                place += 1;
            }
        }
    }

    /// Returns the units that an order may fill as far as its effect goes.
    fn reducible(&self, order: &Order) -> Result<f64, CancelReason> {
        let wanted = order.quantity.0;
        if order.effect == PositionEffect::Any {
            return Ok(wanted);
        }
        let against = -order.side.sign() * self.state.account.units(order.instrument.index());
        if against > 0.0 { Ok(wanted.min(against)) } else { Err(CancelReason::NothingToReduce) }
    }

    /// Trims units to the bound on gross leverage after costs, and to whole lots where it trims.
    fn trimmed(&self, order: &Order, wanted: f64, quote: f64, exposure: Exposure) -> f64 {
        let Some(bound) = self.config.limits.gross_leverage_max else { return wanted };
        let position = &self.state.account.positions()[order.instrument.index()];
        let unit_value = position.multiplier * quote;
        let slippage = self.slippage(order);
        let price_value = position.multiplier * slippage.price(order.side, quote);
        let (commission_per_unit, commission_minimum) = self.config.commission.per_unit_and_minimum(price_value);
        let moment = Moment {
            equity: self.state.account.cash() + exposure.net,
            gross: exposure.gross,
            held: order.side.sign() * position.quantity.0,
            unit_value,
            slippage_per_unit: unit_value * slippage.fraction(),
            commission_per_unit,
            commission_minimum,
        };
        let quantity = risk::affordable(bound, &moment, wanted);
        match self.state.market.instruments()[order.instrument.index()].lot_size {
            Some(lot) if quantity < wanted => (quantity / lot * (1.0 + 1e-12)).floor() * lot,
            _ => quantity,
        }
    }

    fn slippage(&self, order: &Order) -> Slippage {
        match order.kind {
            OrderKind::Market | OrderKind::Stop(_) => self.config.slippage,
            OrderKind::Limit(_) => Slippage::None,
        }
    }
}
