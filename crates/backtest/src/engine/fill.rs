//! One fill: sized, cut to the volume and to what the account can bear, priced, charged, booked, recorded.

use tidegate_market::{Cash, CorporateActionKind, Instrument, Price, Quantity, Side};

use super::{Candidate, Engine, VolumeTaken};
use crate::account::{Exposure, Range};
use crate::commission::CommissionTerms;
use crate::order::OrderEvent;
use crate::risk::{self, Moment};
use crate::slippage::SlippageTerms;
use crate::timeline::Timeline;
use crate::{
    AccountKind, CancelReason, FeeBasis, Fill, FillMoment, Liquidity, Order, OrderOrigin, PositionEffect, Shortfall,
    Slippage, SlippageScope, TargetSizing, TimeInForce, calendar,
};

/// What is left of an order at its fill.
#[derive(Debug, Clone, Copy)]
struct Fillable {
    quantity: f64,
    /// What would have filled with volume enough.
    wanted: f64,
    /// Whether the order ends with this fill; else the rest waits for volume.
    ends: bool,
}

/// An order at the moment of a fill, with what its prices and costs start from.
#[derive(Clone, Copy)]
struct Filling<'a> {
    order: &'a Order,
    candidate: &'a Candidate,
    instrument: &'a Instrument,
    /// Money of the account per unit and point of price.
    scale: f64,
    slippage: &'a Slippage,
    /// The terms of the commission but for quantity and value.
    terms: CommissionTerms,
}

impl Filling<'_> {
    #[inline]
    fn terms(&self, quantity: f64, value: f64) -> CommissionTerms {
        CommissionTerms { quantity, value, ..self.terms }
    }
}

impl<T: Timeline + Copy> Engine<'_, T> {
    /// Fills a candidate, or cancels it when nothing is left of it. `exposure` is the account's before and after.
    pub(super) fn fill(&mut self, candidate: &Candidate, exposure: &mut Exposure) {
        if !self.state.orders[candidate.id.index()].status.is_working() {
            return;
        }
        let index = candidate.instrument as usize;
        self.remark(index, candidate.quote, exposure);
        match self.execution(candidate, *exposure) {
            Ok((fill, fillable)) => {
                let order = &mut self.state.orders[candidate.id.index()];
                if order.sized_at_fill().is_some() {
                    order.settle(order.filled_quantity.0 + fillable.wanted);
                }
                self.book_fill(&fill, fillable.ends, exposure);
            }
            Err(None) => {}
            Err(Some(reason)) => {
                self.cancel(candidate.id, reason, candidate.time);
            }
        }
    }

    /// Returns the fill of a candidate and whether its order ends with it; the reason for the order's end where nothing fills, or none
    /// where it waits for volume.
    #[inline]
    fn execution(&self, candidate: &Candidate, exposure: Exposure) -> Result<(Fill, Fillable), Option<CancelReason>> {
        let filling = self.filling(candidate);
        let fillable = self.fillable(&filling, exposure)?;
        let quantity = fillable.quantity;
        let Filling { order, scale, .. } = filling;
        let index = candidate.instrument as usize;
        let price = self.price(&filling, quantity);
        let fill = Fill {
            order: order.id,
            instrument: order.instrument,
            side: order.side,
            quantity: Quantity(quantity),
            price: Price(price),
            commission: Cash(self.config.commission.charge(&filling.terms(quantity, quantity * scale * price))),
            slippage: Cash((price - candidate.quote).abs() * quantity * scale),
            fx_rate: self.fx[index],
            liquidity: filling.terms.liquidity,
            row: candidate.row,
            time: candidate.time,
            moment: candidate.moment,
        };
        Ok((fill, fillable))
    }

    #[inline]
    fn filling<'a>(&'a self, candidate: &'a Candidate) -> Filling<'a> {
        let order = &self.state.orders[candidate.id.index()];
        let index = candidate.instrument as usize;
        let scale = self.state.account.positions()[index].multiplier * self.fx[index];
        Filling {
            order,
            candidate,
            instrument: &self.state.market.instruments()[index],
            scale,
            slippage: self.slippage(order),
            terms: self.commission_terms(order, candidate, scale),
        }
    }

    /// Books a fill without costs for what a delisting pays.
    pub(super) fn pay_out(&mut self, candidate: &Candidate) {
        let order = self.state.orders[candidate.id.index()];
        let index = candidate.instrument as usize;
        let mut exposure = self.state.account.exposure();
        self.remark(index, candidate.quote, &mut exposure);
        let fill = Fill {
            order: order.id,
            instrument: order.instrument,
            side: order.side,
            quantity: order.quantity,
            price: Price(candidate.quote),
            commission: Cash(0.0),
            slippage: Cash(0.0),
            fx_rate: self.fx[index],
            liquidity: Liquidity::Taker,
            row: candidate.row,
            time: candidate.time,
            moment: candidate.moment,
        };
        self.book_fill(&fill, true, &mut exposure);
    }

    /// Moves an instrument's mark to the price of a fill.
    #[inline]
    fn remark(&mut self, index: usize, quote: f64, exposure: &mut Exposure) {
        let before = self.state.account.positions()[index].value().0;
        self.state.account.mark(index, quote * self.fx[index]);
        let after = self.state.account.positions()[index].value().0;
        exposure.gross += after.abs() - before.abs();
        exposure.net += after - before;
    }

    #[inline]
    fn book_fill(&mut self, fill: &Fill, ends: bool, exposure: &mut Exposure) {
        let index = fill.instrument.index();
        let columns = self.state.columns[index];
        let before = self.state.account.positions()[index].value().0;
        let range = Range { high: columns.high, low: columns.low };
        self.state.account.apply_fill(fill, range, &mut self.journal.trades);
        let after = self.state.account.positions()[index].value().0;
        exposure.gross += after.abs() - before.abs();
        exposure.net += after - before;
        self.journal.fills.push(*fill);
        if self.config.volume_share_max.is_some() {
            self.take_volume(fill);
        }
        if self.counts_months() {
            let month = calendar::month(columns.bars.open_time(fill.row as usize));
            let before = if self.month.0 == month { self.month.1 } else { 0.0 };
            self.month = (month, before + self.traded_value(fill));
        }
        let order = &mut self.state.orders[fill.order.index()];
        order.take_fill(fill.quantity.0, fill.price, fill.commission);
        let event = if ends { OrderEvent::Fill } else { OrderEvent::PartialFill };
        self.state.book.advance(order, event, fill.time);
        if !self.state.book.linked().is_empty() {
            self.follow_fill(fill);
        }
        if self.state.account.units(index) == 0.0 {
            self.cancel_reduce_only(fill);
        }
    }

    fn traded_value(&self, fill: &Fill) -> f64 {
        let multiplier = self.state.account.positions()[fill.instrument.index()].multiplier;
        fill.quantity.0 * fill.price.0 * multiplier * fill.fx_rate
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

    /// Returns what of an order fills now; the reason for its end where that is nothing, or none where it waits for volume.
    #[inline]
    fn fillable(&self, filling: &Filling<'_>, exposure: Exposure) -> Result<Fillable, Option<CancelReason>> {
        let Filling { order, candidate, .. } = *filling;
        let asked = match (order.sized_at_fill(), self.config.sizing) {
            (Some(weight), TargetSizing::AtFill { budget_fraction, .. }) => {
                let sized = self.sized(filling, weight * budget_fraction, exposure);
                // What the limits left at the decision stays the most.
                if order.clipped_by.is_some() { sized.min(order.remaining()) } else { sized }
            }
            _ => order.remaining(),
        };
        let wanted = self.reducible(order, asked)?;
        let available = self.available_volume(order, candidate).map_or(wanted, |volume| wanted.min(volume));
        let quantity =
            if order.sized_at_fill().is_some() { available } else { self.payable(filling, available, exposure) };
        let is_whole = quantity >= wanted * (1.0 - 1e-12);
        if order.time_in_force == TimeInForce::Fok && !(is_whole && wanted == asked) {
            return Err(Some(CancelReason::NotImmediate));
        }
        if quantity <= wanted * 1e-12 {
            let waits_for_volume = available <= wanted * 1e-12 && wanted > 0.0;
            return Err(if waits_for_volume { None } else { Some(CancelReason::NoRoomAtFill) });
        }
        let trimmed = quantity < available * (1.0 - 1e-12);
        Ok(Fillable { quantity, wanted, ends: is_whole || trimmed })
    }

    /// Returns the units that an order may fill as far as its effect and the account's kind go.
    #[inline]
    fn reducible(&self, order: &Order, asked: f64) -> Result<f64, Option<CancelReason>> {
        let against = -order.side.sign() * self.state.account.units(order.instrument.index());
        if order.effect == PositionEffect::ReduceOnly {
            return if against > 0.0 { Ok(asked.min(against)) } else { Err(Some(CancelReason::NothingToReduce)) };
        }
        if self.config.account == AccountKind::Cash && order.side == Side::Sell {
            return if against > 0.0 { Ok(asked.min(against)) } else { Err(Some(CancelReason::NoRoomAtFill)) };
        }
        Ok(asked)
    }

    /// Returns the units that a fraction of free equity pays for at the prices of the fill.
    fn sized(&self, filling: &Filling<'_>, fraction: f64, exposure: Exposure) -> f64 {
        let Filling { order, candidate, scale, .. } = *filling;
        let free = self.state.account.cash() + exposure.net - exposure.gross;
        let price = self.price(filling, order.remaining()) * scale;
        let fee_value = match self.config.sizing {
            TargetSizing::AtFill { fee_basis: FeeBasis::Quote, .. } => candidate.quote * scale,
            _ => price,
        };
        let terms = filling.terms(order.remaining(), order.remaining() * price);
        let budget = free * fraction;
        let lot = filling.instrument.lot_size;
        let Some(fee) = self.config.commission.affine(fee_value, &terms) else {
            return self.sized_by_search(budget, price, &terms, lot);
        };
        risk::units_within(budget, price, fee, lot).max(0.0)
    }

    /// Does what [`Self::sized`] does for a commission of any shape, by bisection.
    fn sized_by_search(&self, budget: f64, price: f64, terms: &CommissionTerms, lot: Option<f64>) -> f64 {
        let cost = |units: f64| {
            let value = units * price;
            value + self.config.commission.charge(&CommissionTerms { quantity: units, value, ..*terms })
        };
        let (mut low, mut high) = (0.0, (budget / price).max(0.0));
        for _ in 0..200 {
            let middle = f64::midpoint(low, high);
            if cost(middle) <= budget { low = middle } else { high = middle }
        }
        risk::whole_lots_within(low, 1.0, lot)
    }

    /// Returns the units that the volume limit leaves in the bar of a fill, in whole lots; `None` without a limit.
    #[inline]
    fn available_volume(&self, order: &Order, candidate: &Candidate) -> Option<f64> {
        let share = self.config.volume_share_max?;
        if matches!(order.origin, OrderOrigin::Ruin | OrderOrigin::Delisting) {
            return None;
        }
        let index = order.instrument.index();
        let taken = self.volume_taken[index];
        let taken = if taken.row == candidate.row { taken.units } else { 0.0 };
        let left = (share * self.volume(candidate) - taken).max(0.0);
        Some(match self.state.market.instruments()[index].lot_size {
            Some(lot) => (left / lot * (1.0 + 1e-12)).floor() * lot,
            None => left,
        })
    }

    fn take_volume(&mut self, fill: &Fill) {
        let taken = &mut self.volume_taken[fill.instrument.index()];
        if taken.row != fill.row {
            *taken = VolumeTaken { row: fill.row, units: 0.0 };
        }
        taken.units += fill.quantity.0;
    }

    /// Returns the volume that a fill is measured against: that of the bar before at an open, where the bar's own is not known yet.
    fn volume(&self, candidate: &Candidate) -> f64 {
        let volume = self.state.columns[candidate.instrument as usize].bars.volume();
        match candidate.moment {
            FillMoment::Open => candidate
                .row
                .checked_sub(1)
                .map_or(0.0, |row| volume[row as usize] * self.new_units(candidate.instrument, row, candidate.row)),
            FillMoment::Inside | FillMoment::Close => volume[candidate.row as usize],
        }
    }

    /// Returns the units that the account can pay for, or only those that close where it drops what it cannot pay for in full.
    #[inline]
    fn payable(&self, filling: &Filling<'_>, wanted: f64, exposure: Exposure) -> f64 {
        let trimmed = self.trimmed(filling, wanted, exposure);
        if self.config.shortfall == Shortfall::Trim || trimmed >= wanted * (1.0 - 1e-12) {
            return trimmed;
        }
        let order = filling.order;
        let against = -order.side.sign() * self.state.account.units(order.instrument.index());
        against.clamp(0.0, wanted)
    }

    /// Trims units to the bounds on gross exposure and on cash after costs, and to whole lots where it trims.
    #[inline]
    fn trimmed(&self, filling: &Filling<'_>, wanted: f64, exposure: Exposure) -> f64 {
        let Filling { order, candidate, scale, .. } = *filling;
        let pays_cash = self.config.account == AccountKind::CashAndShorts && order.side == Side::Buy;
        if self.gross_bound.is_none() && !pays_cash {
            return wanted;
        }
        let unit_value = scale * candidate.quote;
        let held = order.side.sign() * self.state.account.units(order.instrument.index());
        let cash = self.state.account.cash();
        let mut quantity = wanted;
        if let Some(bound) = self.gross_bound {
            let moment = Moment { equity: cash + exposure.net, gross: exposure.gross, held, unit_value };
            quantity = self.affordable(filling, (bound, &moment), quantity);
        }
        if pays_cash {
            // Cash after what closes is all that there is, and only what opens takes from it.
            let closing = (-held).clamp(0.0, wanted) * unit_value;
            let moment = Moment { equity: cash - closing, gross: closing, held, unit_value };
            quantity = self.affordable(filling, (1.0, &moment), quantity);
        }
        match filling.instrument.lot_size {
            Some(lot) if quantity < wanted => (quantity / lot * (1.0 + 1e-12)).floor() * lot,
            _ => quantity,
        }
    }

    /// Returns how many of the wanted units fit under a bound on gross exposure after costs.
    #[inline]
    fn affordable(&self, filling: &Filling<'_>, (bound, moment): (f64, &Moment), wanted: f64) -> f64 {
        if moment.only_closes(wanted) {
            return wanted;
        }
        let Filling { candidate, scale, .. } = *filling;
        let price = self.price(filling, wanted);
        let terms = filling.terms(wanted, wanted * scale * price);
        let fraction = filling.slippage.is_proportional();
        let affine = self.config.commission.affine(scale * price, &terms).filter(|_| fraction.is_some());
        if let Some(commission) = affine {
            let slippage_per_unit = (price - candidate.quote).abs() * scale;
            return risk::affordable(bound, moment, slippage_per_unit, commission, wanted);
        }
        let cost = |quantity: f64| {
            let price = self.price(filling, quantity);
            let terms = filling.terms(quantity, quantity * scale * price);
            (price - candidate.quote).abs() * scale * quantity + self.config.commission.charge(&terms)
        };
        risk::affordable_by_search(bound, moment, cost, wanted)
    }

    /// Returns the price of a fill of a quantity: the quote with slippage, on the instrument's ticks where slippage moved it.
    #[inline]
    fn price(&self, filling: &Filling<'_>, quantity: f64) -> f64 {
        let Filling { order, candidate, slippage, .. } = *filling;
        let tick_size = filling.instrument.tick_size;
        if let Some(fraction) = slippage.is_proportional()
            && (fraction == 0.0 || tick_size.is_none())
        {
            return candidate.quote * (1.0 + order.side.sign() * fraction);
        }
        let (volatility, average_volume) = match slippage {
            Slippage::SquareRootImpact { lookback_bars, .. } => self.recent(candidate, lookback_bars.get()),
            _ => (0.0, 0.0),
        };
        let volume = self.volume(candidate);
        let terms = SlippageTerms {
            side: order.side,
            quoted: candidate.quote,
            quantity,
            tick_size,
            volume,
            volatility,
            average_volume,
        };
        let price = slippage.price(&terms);
        match tick_size {
            Some(tick) if price != candidate.quote => on_tick(order.side, price, tick),
            _ => price,
        }
    }

    /// Returns the units at one row for each unit at an earlier one, by the splits between them.
    pub(super) fn new_units(&self, instrument: u32, earlier: u32, later: u32) -> f64 {
        let splits = self.state.market.extras().actions.iter().filter(|action| action.instrument == instrument);
        splits.filter(|split| earlier < split.row && split.row <= later).fold(1.0, |units, split| match split.kind {
            CorporateActionKind::Split { ratio } => units * ratio,
            _ => units,
        })
    }

    /// Returns the standard deviation of log returns and the average volume over the last bars known before a fill.
    fn recent(&self, candidate: &Candidate, bars: usize) -> (f64, f64) {
        let columns = self.state.columns[candidate.instrument as usize];
        let known = match candidate.moment {
            FillMoment::Open | FillMoment::Inside => candidate.row as usize,
            FillMoment::Close => candidate.row as usize + 1,
        };
        let rows = known.saturating_sub(bars)..known;
        let in_new_units =
            |row: usize| columns.bars.volume()[row] * self.new_units(candidate.instrument, row as u32, candidate.row);
        let average_volume = rows.clone().map(in_new_units).sum::<f64>() / rows.len().max(1) as f64;
        // Signals that are the traded bars jump at a split.
        let is_traded = std::ptr::eq(columns.bars, columns.signals);
        let rows = known.saturating_sub(bars)..known;
        let returns = rows.filter(|&row| row > 0).map(|row| {
            let units = if is_traded { self.new_units(candidate.instrument, row as u32 - 1, row as u32) } else { 1.0 };
            (columns.signal_close[row] * units / columns.signal_close[row - 1]).ln()
        });
        let count = returns.clone().count() as f64;
        if count < 2.0 {
            return (0.0, average_volume);
        }
        let mean = returns.clone().sum::<f64>() / count;
        let variance = returns.map(|value| (value - mean) * (value - mean)).sum::<f64>() / (count - 1.0);
        (variance.sqrt(), average_volume)
    }

    /// Returns the terms of the commission for a fill of nothing.
    #[inline]
    fn commission_terms(&self, order: &Order, candidate: &Candidate, scale: f64) -> CommissionTerms {
        CommissionTerms {
            quantity: 0.0,
            value: 0.0,
            liquidity: if candidate.is_maker { Liquidity::Maker } else { Liquidity::Taker },
            order_quantity: order.filled_quantity.0,
            order_value: order.fill_price().map_or(0.0, |price| price.0 * order.filled_quantity.0 * scale),
            order_commission: order.commission.0,
            month_value: self.month_value(candidate),
        }
    }

    /// Returns what the account traded in the calendar month of a fill.
    #[inline]
    fn month_value(&self, candidate: &Candidate) -> f64 {
        if !self.counts_months() {
            return 0.0;
        }
        let bars = self.state.columns[candidate.instrument as usize].bars;
        let (month, value) = self.month;
        if month == calendar::month(bars.open_time(candidate.row as usize)) { value } else { 0.0 }
    }

    /// Returns the slippage of an order, where the config says that its fills have one.
    #[inline]
    fn slippage(&self, order: &Order) -> &Slippage {
        let has_slippage = match self.config.slippage_scope {
            SlippageScope::All => !order.kind.has_limit(),
            SlippageScope::Every => true,
            SlippageScope::Market => order.kind.is_market(),
            SlippageScope::Entries => {
                let held = self.state.account.units(order.instrument.index());
                order.effect == PositionEffect::Any && held * order.side.sign() >= 0.0
            }
        };
        if has_slippage { &self.config.slippage } else { &Slippage::None }
    }
}

/// Rounds a price to the next tick that is no better for the order.
fn on_tick(side: Side, price: f64, tick: f64) -> f64 {
    let ticks = price / tick;
    let whole = match side {
        Side::Buy => (ticks * (1.0 - 1e-12)).ceil(),
        Side::Sell => (ticks * (1.0 + 1e-12)).floor(),
    };
    whole * tick
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_moves_to_the_next_tick_against_the_order() {
        assert!((on_tick(Side::Buy, 100.013, 0.01) - 100.02).abs() < 1e-9);
        assert!((on_tick(Side::Sell, 100.017, 0.01) - 100.01).abs() < 1e-9);
        assert!((on_tick(Side::Buy, 100.02, 0.01) - 100.02).abs() < 1e-9);
    }
}
