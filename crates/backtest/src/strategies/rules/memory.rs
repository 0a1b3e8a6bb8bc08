//! What one instrument's rules remember between bars.

use std::collections::VecDeque;

use tidegate_market::{InstrumentId, Side};

use super::expression::LiveField;
use crate::Context;

/// The live fields of the last bars of one instrument, and the side and age of its position.
#[derive(Debug, Clone)]
pub(super) struct Memory {
    /// The newest row last; never more than `capacity`.
    rows: VecDeque<[f64; LiveField::COUNT]>,
    capacity: usize,
    side: Option<Side>,
    bars_held: u32,
}

impl Memory {
    /// Creates a memory that reaches `bars` bars back.
    pub(super) const fn new(bars: usize) -> Self {
        Self { rows: VecDeque::new(), capacity: bars.saturating_add(1), side: None, bars_held: 0 }
    }

    /// Takes in the close that just happened.
    pub(super) fn observe(&mut self, context: &Context<'_>, instrument: InstrumentId) {
        let position = context.position(instrument);
        let side = side(position.quantity.0);
        self.bars_held = if side.is_some() && side == self.side { self.bars_held + 1 } else { 1 };
        self.side = side;
        let forecast = context.forecast(instrument);
        let (cost, mark) = (position.average_cost.0, position.mark.0);
        let held = |value: f64| if side.is_some() { value } else { f64::NAN };
        let mut row = [f64::NAN; LiveField::COUNT];
        row[LiveField::ForecastMean as usize] = forecast.map_or(f64::NAN, |forecast| forecast.mean);
        row[LiveField::ForecastVolatility as usize] =
            forecast.and_then(|forecast| forecast.variance).map_or(f64::NAN, f64::sqrt);
        row[LiveField::BarsHeld as usize] = held(f64::from(self.bars_held));
        row[LiveField::UnrealizedPnl as usize] = held(side.map_or(0.0, Side::sign) * (mark - cost) / cost);
        row[LiveField::Position as usize] = position.quantity.0;
        row[LiveField::EntryPrice as usize] = held(cost * signal_per_traded(context, instrument));
        row[LiveField::Equity as usize] = context.equity().0;
        if self.rows.len() == self.capacity {
            self.rows.pop_front();
        }
        self.rows.push_back(row);
    }

    /// Returns the live fields `ago` bars ago, in the order of [`LiveField`].
    pub(super) fn row(&self, ago: usize) -> Option<&[f64; LiveField::COUNT]> {
        self.rows.get(self.rows.len().checked_sub(1)?.checked_sub(ago)?)
    }
}

/// Returns the price that signals see per price that is traded: 1 where they are the same.
pub(super) fn signal_per_traded(context: &Context<'_>, instrument: InstrumentId) -> f64 {
    match (context.close(instrument), context.traded_close(instrument)) {
        (Some(signal), Some(traded)) => signal / traded,
        _ => 1.0,
    }
}

/// Returns the side that a number of units is on; `None` without any.
pub(super) fn side(units: f64) -> Option<Side> {
    match units {
        units if units > 0.0 => Some(Side::Buy),
        units if units < 0.0 => Some(Side::Sell),
        _ => None,
    }
}
