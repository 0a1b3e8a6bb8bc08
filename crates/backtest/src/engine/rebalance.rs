//! From target weights to market orders: sizing, and what the limits leave of a size.

use tidegate_market::{InstrumentId, Quantity, Side, Timestamp};

use super::{Engine, Rebalance};
use crate::requests::TargetWeight;
use crate::risk::{self, Change, Projection};
use crate::timeline::Timeline;
use crate::{BacktestError, DenialReason, OrderOrigin, OrderRequest};

/// A difference to a target weight worth less than this fraction of equity makes no order.
const DUST: f64 = 1e-9;

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
        rebalances.clear();
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
        rebalances.sort_unstable_by_key(|rebalance| (rebalance.adds, rebalance.sequence));
        for rebalance in &rebalances {
            let Fitted { units, denial, clipped_by } = self.fitted(rebalance, projection);
            let side = if units > 0.0 { Side::Buy } else { Side::Sell };
            let request = OrderRequest::market(InstrumentId(rebalance.instrument), side, Quantity(units.abs()));
            self.enter(&request, OrderOrigin::TargetWeight, denial, time, projection);
            if let Some(order) = self.state.orders.last_mut() {
                order.clipped_by = clipped_by;
            }
        }
        self.rebalances = rebalances;
        Ok(())
    }

    /// Sizes one target weight at the last close; a weight that cannot be sized is denied at once.
    fn plan(
        &mut self,
        target: &TargetWeight,
        sequence: u32,
        time: Timestamp,
        projection: &mut Projection,
        rebalances: &mut Vec<Rebalance>,
    ) {
        let index = target.instrument.index();
        let denial = match () {
            () if !target.weight.is_finite() => Some(DenialReason::Weight),
            () if self.state.rows[index] == 0 => Some(DenialReason::NoPrice),
            () => None,
        };
        if denial.is_some() {
            let request = OrderRequest::market(target.instrument, Side::Buy, Quantity(0.0));
            return self.enter(&request, OrderOrigin::TargetWeight, denial, time, projection);
        }
        let unit_value = self.unit_value(index);
        let after = self.whole_lots(index, self.state.equity * target.weight / unit_value);
        let before = self.projected_units(target.instrument);
        let units = after - before;
        let closes = after == 0.0 && before != 0.0;
        if closes || units.abs() * unit_value > DUST * self.state.equity {
            let adds = !Change { before, after, unit_value }.takes_away();
            rebalances.push(Rebalance { adds, instrument: target.instrument.0, sequence, units });
        }
    }

    /// Clips a rebalance to the room that the limits leave, in whole lots; one that only adds and has no room is denied.
    fn fitted(&self, rebalance: &Rebalance, projection: &Projection) -> Fitted {
        let index = rebalance.instrument as usize;
        let before = self.projected_units(InstrumentId(rebalance.instrument));
        let unit_value = self.unit_value(index);
        let asked = Change { before, after: before + rebalance.units, unit_value };
        let (limits, equity) = (&self.config.limits, self.state.equity);
        let (change, clipped_by) = match risk::clip(limits, equity, *projection, asked) {
            None => (asked, None),
            Some(clip) => {
                let after = self.whole_lots(index, clip.after);
                let adds = (after.abs() - asked.kept()) * unit_value > DUST * equity;
                let after = if adds { after } else { before.signum() * asked.kept() };
                (Change { after, ..asked }, Some(clip.reason))
            }
        };
        let nothing_left = clipped_by.filter(|_| change.after == before);
        match nothing_left.or_else(|| risk::positions_denial(limits, *projection, change)) {
            None => Fitted { units: change.after - before, denial: None, clipped_by },
            denial => Fitted { units: rebalance.units, denial, clipped_by: None },
        }
    }

    /// Rounds units to whole lots towards zero, where the instrument has lots.
    fn whole_lots(&self, index: usize, units: f64) -> f64 {
        match self.state.market.instruments()[index].lot_size {
            Some(lot) => (units / lot * (1.0 + 1e-12)).trunc() * lot,
            None => units,
        }
    }
}
