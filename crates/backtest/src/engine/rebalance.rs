//! From target weights to market orders: sizing, and what the limits leave of a size.

use tidegate_market::{InstrumentId, Quantity, Side, Timestamp};

use super::decide::Entry;
use super::{Engine, Rebalance, Rebalances};
use crate::commission::CommissionTerms;
use crate::requests::{Exits, TargetWeight, exit_leg};
use crate::risk::{self, Change, Projection};
use crate::timeline::Timeline;
use crate::{
    BacktestError, DenialReason, Liquidity, OrderId, OrderKind, OrderLinks, OrderOrigin, OrderRequest, TargetSizing,
};

/// A difference to a target weight worth less than this fraction of equity makes no order.
const DUST: f64 = 1e-9;

/// A weight beyond this, long or short, is taken for a mistake.
const WEIGHT_MAX: f64 = 1e6;

/// What the limits make of a rebalance.
#[derive(Debug, Clone, Copy)]
struct Fitted {
    units: f64,
    denial: Option<DenialReason>,
    clipped_by: Option<DenialReason>,
}

impl<T: Timeline + Copy> Engine<'_, T> {
    /// Sizes target weights and turns them into market orders, those that take away from a position first.
    pub(super) fn rebalance(
        &mut self,
        targets: &[TargetWeight],
        time: Timestamp,
        projection: &mut Projection,
    ) -> Result<(), BacktestError> {
        let mut rebalances = std::mem::take(&mut self.rebalances);
        rebalances.reducing.clear();
        rebalances.others.clear();
        for (sequence, target) in targets.iter().enumerate().rev() {
            self.require_known(target.instrument)?;
            let index = target.instrument.index();
            if !std::mem::replace(&mut self.seen[index], true) {
                self.plan(target, sequence as u32, time, projection, &mut rebalances);
            }
        }
        for target in targets {
            self.seen[target.instrument.index()] = false;
        }
        for rebalance in rebalances.reducing.iter().rev().chain(rebalances.others.iter().rev()) {
            let target = &targets[rebalance.sequence as usize];
            self.place(rebalance, target, time, projection);
        }
        self.rebalances = rebalances;
        Ok(())
    }

    /// Enters the order of a rebalance, and the orders that close what it opens.
    #[inline]
    fn place(&mut self, rebalance: &Rebalance, target: &TargetWeight, time: Timestamp, projection: &mut Projection) {
        let instrument = InstrumentId(rebalance.instrument);
        let before = self.projected_units(instrument);
        let Fitted { units, denial, clipped_by } = self.fitted(rebalance, before, projection);
        let order = |units: f64| {
            let side = if units > 0.0 { Side::Buy } else { Side::Sell };
            OrderRequest::market(instrument, side, Quantity(units.abs()))
        };
        let entry = Entry { denial, clipped_by, ..Entry::from(OrderOrigin::TargetWeight) };
        let after = before + units;
        let opens = before * after <= 0.0 && after != 0.0;
        let at_fill = matches!(self.config.sizing, TargetSizing::AtFill { .. }) && opens && denial.is_none();
        if at_fill && before != 0.0 {
            self.enter(&order(-before).reduce_only(), Entry::from(OrderOrigin::TargetWeight), time, projection);
        }
        let request = if at_fill { order(after) } else { order(units) };
        let sized_at_fill = at_fill.then_some(target.weight.abs());
        let id = OrderId(self.state.orders.len() as u32);
        let denial = denial.or_else(|| self.misplaced_exits(&request, target.exits));
        self.enter(&request, Entry { denial, sized_at_fill, ..entry }, time, projection);
        self.place_exits(id, &request, target.exits, time, projection);
    }

    #[inline]
    fn misplaced_exits(&self, request: &OrderRequest, exits: Exits) -> Option<DenialReason> {
        if exits == Exits::NONE {
            return None;
        }
        let kinds = [exits.stop_loss, exits.take_profit.map(OrderKind::Limit)];
        self.misplaced_leg(request, kinds.into_iter().flatten())
    }

    #[inline]
    fn place_exits(
        &mut self,
        parent: OrderId,
        request: &OrderRequest,
        exits: Exits,
        time: Timestamp,
        projection: &mut Projection,
    ) {
        let links = OrderLinks { parent: Some(parent), group: Some(parent), replaces: None };
        for kind in [exits.stop_loss, exits.take_profit.map(OrderKind::Limit)].into_iter().flatten() {
            let leg = exit_leg(request, kind);
            let denial = self.malformed(&leg);
            self.enter(&leg, Entry { denial, links, ..Entry::from(OrderOrigin::TargetWeight) }, time, projection);
        }
    }

    /// Sizes one target weight at the last close; a weight that cannot be sized is denied at once.
    #[inline]
    fn plan(
        &mut self,
        target: &TargetWeight,
        sequence: u32,
        time: Timestamp,
        projection: &mut Projection,
        rebalances: &mut Rebalances,
    ) {
        let index = target.instrument.index();
        let denial = match () {
            () if target.weight.is_nan() || target.weight.abs() > WEIGHT_MAX => Some(DenialReason::Weight),
            () if self.delisted[index] => Some(DenialReason::Delisted),
            () if self.state.feeds[index].rows == 0 => Some(DenialReason::NoPrice),
            () => None,
        };
        if denial.is_some() {
            let request = OrderRequest::market(target.instrument, Side::Buy, Quantity(0.0));
            let entry = Entry { denial, ..Entry::from(OrderOrigin::TargetWeight) };
            return self.enter(&request, entry, time, projection);
        }
        let unit_value = self.unit_value(index);
        let after = self.whole_lots(index, self.units_for(index, target.weight));
        let before = self.projected_units(target.instrument);
        let units = after - before;
        let closes = after == 0.0 && before != 0.0;
        if closes || units.abs() * unit_value > DUST * self.state.equity {
            let rebalance = Rebalance { instrument: target.instrument.0, sequence, units };
            let only_reduces = Change { before, after, unit_value, group_gross: None }.takes_away();
            if only_reduces { rebalances.reducing.push(rebalance) } else { rebalances.others.push(rebalance) }
        }
    }

    /// Clips a rebalance to the room that the limits leave, in whole lots; one that only adds and has no room is denied.
    #[inline]
    fn fitted(&self, rebalance: &Rebalance, before: f64, projection: &Projection) -> Fitted {
        let index = rebalance.instrument as usize;
        let unit_value = self.unit_value(index);
        let group_gross = self.group_gross(index);
        let asked = Change { before, after: before + rebalance.units, unit_value, group_gross };
        let (bounds, equity) = (&self.bounds, self.state.equity);
        if self.today.is_stopped && !asked.takes_away() {
            return Fitted { units: rebalance.units, denial: Some(DenialReason::DailyLoss), clipped_by: None };
        }
        let (change, clipped_by) = match risk::clip(bounds, *projection, asked) {
            None => (asked, None),
            Some(clip) => {
                let after = self.whole_lots(index, clip.after);
                let adds = (after.abs() - asked.kept()) * unit_value > DUST * equity;
                let after = if adds { after } else { before.signum() * asked.kept() };
                (Change { after, ..asked }, Some(clip.reason))
            }
        };
        let nothing_left = clipped_by.filter(|_| change.after == before);
        match nothing_left.or_else(|| risk::positions_denial(bounds, *projection, change)) {
            None => Fitted { units: change.after - before, denial: None, clipped_by },
            denial => Fitted { units: rebalance.units, denial, clipped_by: None },
        }
    }

    /// Returns the units whose value is a weight of equity at the last close, less what the sizing rule leaves alone.
    #[inline]
    fn units_for(&self, index: usize, weight: f64) -> f64 {
        let unit_value = self.unit_value(index);
        let TargetSizing::AtDecision { cash_buffer, fees_included } = self.config.sizing else {
            return self.state.equity * weight / unit_value;
        };
        let budget = self.state.equity * weight.abs() * (1.0 - cash_buffer);
        let units = budget / unit_value;
        if !fees_included || weight == 0.0 {
            return units * weight.signum();
        }
        let terms = CommissionTerms {
            quantity: units,
            value: budget,
            liquidity: Liquidity::Taker,
            order_quantity: 0.0,
            order_value: 0.0,
            order_commission: 0.0,
            month_value: self.month.1,
        };
        let paid = self.config.commission.affine(unit_value, &terms).map_or_else(
            || (budget - self.config.commission.charge(&terms)) / unit_value,
            |fee| risk::units_within(budget, unit_value, fee, None),
        );
        paid.max(0.0) * weight.signum()
    }

    /// Rounds units to whole lots towards zero, where the instrument has lots.
    #[inline]
    fn whole_lots(&self, index: usize, units: f64) -> f64 {
        match self.state.market.instruments()[index].lot_size {
            Some(lot) => (units / lot * (1.0 + 1e-12)).trunc() * lot,
            None => units,
        }
    }
}
