//! The loop: opens, fills inside bars, closes, forecasts, strategy, risk check, in this order and no other.

mod decide;
mod fill;
mod halt;
mod rebalance;
mod trade;

use tidegate_market::{Forecast, Timestamp};

use crate::delivery::Delivery;
use crate::order::OrderEvent;
use crate::state::State;
use crate::timeline::{Single, Timeline};
use crate::{BacktestConfig, BacktestError, CancelReason, Context, Journal, Market, OrderId, Requests, Strategy};

/// Runs a strategy over a market.
///
/// # Errors
/// [`BacktestError`] for a config out of range, forecasts that are unsorted, not finite or about an unknown instrument, and a
/// request for an unknown instrument.
///
/// # Panics
/// When the accounting identity does not hold at the end, which is a bug.
pub fn run<S: Strategy>(
    market: &Market,
    forecasts: &[Forecast],
    config: &BacktestConfig,
    strategy: &mut S,
) -> Result<Journal, BacktestError> {
    let mut journal = Journal::default();
    run_into(market, forecasts, config, strategy, &mut journal)?;
    Ok(journal)
}

/// Does what [`run`] does and writes into a journal whose memory is used again: what a sweep does trial after trial.
///
/// # Errors
/// As [`run`]; the journal's content is then undefined.
///
/// # Panics
/// As [`run`].
pub fn run_into<S: Strategy>(
    market: &Market,
    forecasts: &[Forecast],
    config: &BacktestConfig,
    strategy: &mut S,
    journal: &mut Journal,
) -> Result<(), BacktestError> {
    config.validate()?;
    let delivery = Delivery::new(forecasts, market.len())?;
    journal.reset(config.initial_cash, market);
    match market.merged_timeline() {
        None => {
            let bars = market.bars(tidegate_market::InstrumentId(0));
            Engine::new(Single { bars }, market, config, delivery, journal).run(strategy)
        }
        Some(merged) => Engine::new(merged, market, config, delivery, journal).run(strategy),
    }
}

/// An order that may fill now.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    id: OrderId,
    instrument: u32,
    row: u32,
    /// Sorts before others of its moment: units that close a position come first, then whatever the moment ranks by.
    rank: u8,
    quote: f64,
}

/// A target weight on its way to an order.
#[derive(Debug, Clone, Copy)]
struct Rebalance {
    adds: bool,
    instrument: u32,
    sequence: u32,
    units: f64,
}

struct Engine<'a, T> {
    timeline: T,
    config: &'a BacktestConfig,
    state: State<'a>,
    /// Opened bars per instrument; kept only where it can differ from `rows` at a decision.
    opened: Vec<u32>,
    journal: &'a mut Journal,
    equity_peak: f64,
    candidates: Vec<Candidate>,
    rebalances: Vec<Rebalance>,
    seen: Vec<bool>,
}

impl<'a, T: Timeline + Copy> Engine<'a, T> {
    fn new(
        timeline: T,
        market: &'a Market,
        config: &'a BacktestConfig,
        delivery: Delivery<'a>,
        journal: &'a mut Journal,
    ) -> Self {
        let orders = std::mem::take(&mut journal.orders);
        Self {
            timeline,
            config,
            state: State::new(market, config.initial_cash, delivery, orders),
            opened: vec![0; market.len()],
            journal,
            equity_peak: config.initial_cash.0,
            candidates: Vec::new(),
            rebalances: Vec::new(),
            seen: vec![false; market.len()],
        }
    }

    fn run<S: Strategy>(mut self, strategy: &mut S) -> Result<(), BacktestError> {
        let mut requests = Requests::default();
        let drawdown_floor = 1.0 - self.config.limits.drawdown_stop.unwrap_or(1.0);
        for step in 0..self.timeline.steps() {
            if !self.state.book.is_empty() {
                self.trade(step);
            }
            if !self.timeline.is_lockstep() {
                self.note_openings(step);
            }
            self.mark(step);
            if self.state.equity <= 0.0 {
                self.ruin();
                break;
            }
            if self.journal.halt.is_some() {
                continue;
            }
            if self.state.equity <= self.equity_peak * drawdown_floor {
                self.stop_at_drawdown(step);
            } else {
                self.consult(step, strategy, &mut requests);
                if requests.any {
                    self.decide(step, &mut requests)?;
                }
            }
            // Costs of fills at this very close can be the ruin, on the last bar too.
            if self.state.equity <= 0.0 {
                self.ruin();
                break;
            }
        }
        self.finish();
        Ok(())
    }

    /// Marks what closed and records the account.
    #[expect(clippy::inline_always, reason = "a part of the loop body, called once per bar")]
    #[inline(always)]
    fn mark(&mut self, step: usize) {
        let timeline = self.timeline;
        self.state.step = step as u32;
        self.state.closed = timeline.first_closing(step);
        for bar in timeline.closings(step) {
            let index = bar.instrument as usize;
            self.state.account.mark(index, self.state.columns[index].close[bar.row as usize]);
            self.state.rows[index] = bar.row + 1;
            self.state.updated[index] = step as u32 + 1;
        }
        self.record();
        self.equity_peak = if self.state.equity > self.equity_peak { self.state.equity } else { self.equity_peak };
    }

    #[expect(clippy::inline_always, reason = "a part of the loop body, called once per bar")]
    #[inline(always)]
    fn record(&mut self) {
        let exposure = self.state.account.exposure();
        let cash = self.state.account.cash();
        self.state.equity = cash + exposure.net;
        self.state.gross_exposure = exposure.gross;
        self.journal.equity.push(self.state.equity, cash, exposure.gross);
    }

    /// Records the account again after fills at the close that was just recorded.
    fn record_again(&mut self) {
        self.journal.equity.pop();
        self.record();
    }

    /// Notes which bars opened, and takes marks at the open of bars that are still running back to the last close.
    fn note_openings(&mut self, step: usize) {
        let timeline = self.timeline;
        for group in timeline.open_groups(step) {
            for bar in timeline.openings(group) {
                let index = bar.instrument as usize;
                self.opened[index] = bar.row + 1;
                if bar.row > 0 {
                    self.state.account.mark(index, self.state.columns[index].close[bar.row as usize - 1]);
                }
            }
        }
    }

    #[expect(clippy::inline_always, reason = "a part of the loop body, called once per bar")]
    #[inline(always)]
    fn consult<S: Strategy>(&mut self, step: usize, strategy: &mut S, requests: &mut Requests) {
        if self.state.delivery.is_pending() {
            self.state.delivery.deliver(self.timeline.close_time(step), &self.state.rows);
        }
        strategy.on_bar(&Context { state: &self.state }, requests);
    }

    /// Returns the label of the current step: that of the first bar that closed in it.
    fn label(&self) -> Timestamp {
        let closed = self.state.closed;
        self.state.columns[closed.instrument as usize].time[closed.row as usize]
    }

    fn cancel(&mut self, id: OrderId, reason: CancelReason, time: Timestamp) {
        self.state.book.end(&mut self.state.orders[id.index()], OrderEvent::Cancel(reason), time);
    }

    fn cancel_all(&mut self, reason: CancelReason, time: Timestamp) {
        for index in 0..self.state.market.len() {
            while let Some(waiting) = self.state.book.waiting(index).first() {
                self.cancel(waiting.id, reason, time);
            }
        }
    }

    fn finish(mut self) {
        let last = self.label();
        self.cancel_all(CancelReason::DataEnded, last);
        let totals = self.state.account.totals();
        let earned = totals.realized_pnl.0 + totals.unrealized_pnl.0 - totals.commission.0;
        let initial = self.config.initial_cash.0;
        let terms = [initial, self.state.equity, self.equity_peak, totals.realized_pnl.0, totals.commission.0];
        let scale = terms.iter().fold(0.0, |scale: f64, term| scale.max(term.abs()));
        assert!(
            (self.state.equity - initial - earned).abs() <= 1e-9 * scale,
            "equity `{}` must be initial cash `{initial}` plus realized, unrealized and commission `{totals:?}`",
            self.state.equity
        );
        self.journal.orders = self.state.orders;
        self.journal.totals = totals;
        self.journal.positions.extend_from_slice(self.state.account.positions());
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::sync::Arc;

    use tidegate_market::{Bps, Cash, Instrument};

    use super::*;
    use crate::strategies::{SmaCross, SmaCrossParams};
    use crate::testing::flat_bars;
    use crate::{Commission, FillTiming, RiskLimits, Slippage};

    fn check(fill: FillTiming) {
        let prices: Vec<f64> = (0..500).map(|row| 100.0 + 10.0 * (f64::from(row) * 0.37).sin()).collect();
        let series = || vec![(Instrument::fractional("A"), Arc::new(flat_bars(&prices)))];
        let config = BacktestConfig {
            initial_cash: Cash(1_000.0),
            fill,
            commission: Commission::Bps(Bps(5.0)),
            slippage: Slippage::Bps(Bps(1.0)),
            limits: RiskLimits { gross_leverage_max: Some(1.0), ..RiskLimits::UNLIMITED },
        };
        let bars = |count| NonZeroUsize::new(count).expect("above zero");
        let params = SmaCrossParams { fast_bars: bars(2), slow_bars: bars(5), weight: 1.0, allow_short: true };
        let journal = |market: &Market| {
            let mut strategy = SmaCross::new(params, 1).expect("valid");
            run(market, &[], &config, &mut strategy).expect("valid")
        };
        let single = journal(&Market::new(series()).expect("valid"));
        let merged = journal(&Market::merged(series()).expect("valid"));
        assert!(single.orders.len() > 50);
        assert_eq!(single.orders, merged.orders);
        assert_eq!(single.fills, merged.fills);
        assert_eq!(single.trades, merged.trades);
        assert_eq!(single.equity.equity(), merged.equity.equity());
        assert_eq!(single.totals, merged.totals);
    }

    #[test]
    fn the_short_and_the_general_timeline_give_the_same_journal_to_the_bit() {
        check(FillTiming::NextOpen);
        check(FillTiming::NextClose);
        check(FillTiming::SameClose);
    }
}
