//! The loop: what happens between bars, opens, fills inside bars, closes, forecasts, strategy, risk check, in this order and no other.

mod currency;
mod decide;
mod fill;
mod halt;
mod inside;
mod linked;
mod memory;
mod overnight;
mod quiet;
mod rebalance;
mod trade;

use tidegate_market::{Forecast, Timestamp};

pub(crate) use memory::Memory;

use crate::forecast_source::KnownForecasts;
use crate::order::OrderEvent;
use crate::risk::Bounds;
use crate::state::{Feed, State, refilled};
use crate::timeline::{Single, Timeline};
use crate::{
    AccountKind, BacktestConfig, BacktestError, CancelReason, Commission, Context, FillMoment, FillOrder,
    ForecastSource, Journal, Market, OrderId, Requests, Strategy, calendar,
};

/// Runs a strategy over a market.
///
/// # Errors
/// [`BacktestError`] for a config out of range or one that the market cannot serve, forecasts that are unsorted, not finite or about an
/// unknown instrument, and a request for an unknown instrument.
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
    let mut known = KnownForecasts::new(forecasts, market.len())?;
    let source: Option<&mut dyn ForecastSource> = if forecasts.is_empty() { None } else { Some(&mut known) };
    execute(market, source, config, strategy, journal)
}

/// Does what [`run`] does with forecasts that come from a source while the run goes on.
///
/// # Errors
/// As [`run`], but for a forecast that is wrong when it is handed over: [`BacktestError::ForecastFromTheFuture`] among others.
///
/// # Panics
/// As [`run`].
pub fn run_with<S: Strategy>(
    market: &Market,
    source: &mut dyn ForecastSource,
    config: &BacktestConfig,
    strategy: &mut S,
) -> Result<Journal, BacktestError> {
    let mut journal = Journal::default();
    run_with_into(market, source, config, strategy, &mut journal)?;
    Ok(journal)
}

/// Does what [`run_with`] does and writes into a journal whose memory is used again.
///
/// # Errors
/// As [`run_with`]; the journal's content is then undefined.
///
/// # Panics
/// As [`run`].
pub fn run_with_into<S: Strategy>(
    market: &Market,
    source: &mut dyn ForecastSource,
    config: &BacktestConfig,
    strategy: &mut S,
    journal: &mut Journal,
) -> Result<(), BacktestError> {
    execute(market, Some(source), config, strategy, journal)
}

fn execute<'a, S: Strategy>(
    market: &'a Market,
    source: Option<&'a mut dyn ForecastSource>,
    config: &'a BacktestConfig,
    strategy: &mut S,
    journal: &'a mut Journal,
) -> Result<(), BacktestError> {
    config.validate()?;
    check_market(market, config)?;
    journal.reset(config.initial_cash, market);
    match market.merged_timeline() {
        None => {
            let bars = market.bars(tidegate_market::InstrumentId(0));
            Engine::new(Single::new(bars), market, config, source, journal).run(strategy)
        }
        Some(merged) => Engine::new(merged, market, config, source, journal).run(strategy),
    }
}

/// Refuses what the config asks of a market that the market does not have.
fn check_market(market: &Market, config: &BacktestConfig) -> Result<(), BacktestError> {
    if config.session_exit && market.sessions().is_none() {
        return Err(BacktestError::NoSessions);
    }
    market.instruments().iter().try_for_each(|instrument| config.slippage.validate_for(instrument))
}

/// An order that may fill now.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    id: OrderId,
    instrument: u32,
    row: u32,
    /// The label of the bar.
    time: Timestamp,
    quote: f64,
    moment: FillMoment,
    /// Whether the order waited in the book as a limit order.
    is_maker: bool,
}

/// The orders that may fill at one moment.
#[derive(Debug, Default)]
struct Candidates {
    /// Those that only take away from a position.
    reducing: Vec<Candidate>,
    others: Vec<Candidate>,
}

impl Candidates {
    #[inline]
    fn clear(&mut self) {
        self.reducing.clear();
        self.others.clear();
    }

    #[inline]
    fn is_empty(&self) -> bool {
        self.reducing.is_empty() && self.others.is_empty()
    }

    #[inline]
    fn push(&mut self, candidate: Candidate, only_reduces: bool) {
        if only_reduces { self.reducing.push(candidate) } else { self.others.push(candidate) }
    }

    /// Sorts by instrument, then by age; most often they come in that order, which a sort finds out in one pass. Where age alone
    /// counts, all are among the others.
    #[inline]
    fn sort(&mut self, order: FillOrder) {
        if order == FillOrder::OldestFirst {
            self.others.append(&mut self.reducing);
            return self.others.sort_unstable_by_key(|candidate| candidate.id);
        }
        for candidates in [&mut self.reducing, &mut self.others] {
            if candidates.len() > 1 {
                candidates.sort_unstable_by_key(|candidate| (candidate.instrument, candidate.id));
            }
        }
    }
}

/// A target weight on its way to an order.
#[derive(Debug, Clone, Copy)]
struct Rebalance {
    instrument: u32,
    sequence: u32,
    units: f64,
}

/// The rebalances of one decision, the last target first.
#[derive(Debug, Default)]
struct Rebalances {
    /// Those that only take away from a position.
    reducing: Vec<Rebalance>,
    others: Vec<Rebalance>,
}

/// What the fills of one instrument took of one bar's volume.
#[derive(Debug, Clone, Copy, Default)]
struct VolumeTaken {
    row: u32,
    units: f64,
}

/// What is counted day by day.
#[derive(Debug, Clone, Copy)]
struct Today {
    day: i64,
    /// Equity at the last close of the day before.
    start_equity: f64,
    /// Value of the units that requests added.
    added_value: f64,
    /// Whether the daily loss stop ended trading for the day.
    is_stopped: bool,
}

/// What a run has to look after at every bar besides orders, marks and the strategy: most need nothing of it.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
struct Needs {
    /// Money or units may move between two closes without a fill.
    nights: bool,
    /// Some instrument is not in the account's currency.
    rates: bool,
    /// Sums of a day bind.
    days: bool,
    /// Something may close positions without the strategy at a close.
    stops: bool,
    /// Positions are closed at the end of sessions.
    session_ends: bool,
}

impl Needs {
    fn new(market: &Market, config: &BacktestConfig) -> Self {
        let (extras, limits) = (market.extras(), &config.limits);
        let days = limits.daily_loss_stop.is_some() || limits.daily_turnover_max.is_some();
        let margin = matches!(config.account, AccountKind::Margin { .. });
        Self {
            nights: !extras.actions.is_empty() || extras.has_funding || !config.financing.is_none(),
            rates: extras.has_fx,
            days,
            stops: days || margin || limits.drawdown_stop.is_some() || limits.losing_trades_stop.is_some(),
            session_ends: config.session_exit,
        }
    }
}

struct Engine<'a, T> {
    timeline: T,
    config: &'a BacktestConfig,
    /// Where forecasts come from, if there are any.
    source: Option<&'a mut dyn ForecastSource>,
    state: State<'a>,
    /// Opened bars per instrument; kept only where it can differ from `rows` at a decision.
    opened: Vec<u32>,
    journal: &'a mut Journal,
    equity_peak: f64,
    /// The bounds of the decision that is made.
    bounds: Bounds,
    /// The bound on gross exposure over equity that fills are trimmed to.
    gross_bound: Option<f64>,
    /// The label of every bar that opens in the step that trades, where they have one label.
    opening_label: Option<Timestamp>,
    candidates: Candidates,
    /// Orders that acted in the bar that is looked into.
    acted: Vec<OrderId>,
    rebalances: Rebalances,
    seen: Vec<bool>,
    /// Money of the account per money of the instrument.
    fx: Vec<f64>,
    /// The next corporate action.
    next_action: usize,
    /// The next funding rate of each instrument.
    next_funding: Vec<usize>,
    delisted: Vec<bool>,
    volume_taken: Vec<VolumeTaken>,
    today: Today,
    /// The calendar month and the value traded in it.
    month: (i64, f64),
    needs: Needs,
    /// What the strategy asks for; handed out while it is asked.
    requests: Requests,
    losing_trades: u32,
    /// Round trips that were looked at for losses.
    trades_seen: usize,
}

impl<'a, T: Timeline + Copy> Engine<'a, T> {
    fn new(
        timeline: T,
        market: &'a Market,
        config: &'a BacktestConfig,
        source: Option<&'a mut dyn ForecastSource>,
        journal: &'a mut Journal,
    ) -> Self {
        let orders = std::mem::take(&mut journal.orders);
        let used = std::mem::take(&mut journal.memory);
        let instruments = market.len();
        Self {
            timeline,
            config,
            source,
            state: State::new(market, config.initial_cash, orders, used.state),
            opened: refilled(used.opened, instruments, 0),
            journal,
            equity_peak: config.initial_cash.0,
            bounds: Bounds::new(config, config.initial_cash.0, 0.0),
            gross_bound: config.gross_bound(),
            opening_label: None,
            candidates: used.candidates,
            acted: used.acted,
            rebalances: used.rebalances,
            seen: refilled(used.seen, instruments, false),
            fx: refilled(used.fx, instruments, 1.0),
            next_action: 0,
            next_funding: refilled(used.next_funding, instruments, 0),
            delisted: refilled(used.delisted, instruments, false),
            volume_taken: refilled(used.volume_taken, instruments, VolumeTaken::default()),
            today: Today { day: i64::MIN, start_equity: config.initial_cash.0, added_value: 0.0, is_stopped: false },
            month: (i64::MIN, 0.0),
            needs: Needs::new(market, config),
            requests: used.requests,
            losing_trades: 0,
            trades_seen: 0,
        }
    }

    fn run<S: Strategy>(mut self, strategy: &mut S) -> Result<(), BacktestError> {
        let mut requests = std::mem::take(&mut self.requests);
        requests.clear(0);
        let may_pass = self.has_quiet_stretches();
        let mut step = 0;
        while step < self.timeline.steps() && self.step(step, strategy, &mut requests)? {
            step += 1;
            if may_pass {
                step = self.pass_quietly(step, strategy);
                if self.state.equity <= 0.0 {
                    self.ruin();
                    break;
                }
            }
        }
        self.requests = requests;
        self.finish();
        Ok(())
    }

    /// Lives through one step; returns whether the run goes on.
    #[expect(clippy::inline_always, reason = "the loop body, called once per bar")]
    #[inline(always)]
    fn step<S: Strategy>(
        &mut self,
        step: usize,
        strategy: &mut S,
        requests: &mut Requests,
    ) -> Result<bool, BacktestError> {
        if self.needs.nights {
            self.pass_the_night(step);
        }
        self.timeline.follow_opens(step);
        if self.needs.session_ends {
            self.exit_carried(step);
        }
        if !self.state.book.is_empty() {
            self.trade(step);
        }
        if self.needs.session_ends {
            self.exit_sessions(step);
        }
        if !self.timeline.is_lockstep() {
            self.note_openings(step);
        }
        self.mark(step);
        if self.state.equity <= 0.0 {
            self.ruin();
            return Ok(false);
        }
        if self.journal.halt.is_some() {
            return Ok(true);
        }
        if !(self.needs.stops && self.stopped(step)) {
            self.consult(step, strategy, requests)?;
            if requests.any {
                self.decide(step, requests)?;
            }
        }
        // Costs of fills at this very close can be the ruin, on the last bar too.
        if self.state.equity <= 0.0 {
            self.ruin();
            return Ok(false);
        }
        Ok(true)
    }

    /// Marks what closed and records the account.
    #[expect(clippy::inline_always, reason = "a part of the loop body, called once per bar")]
    #[inline(always)]
    fn mark(&mut self, step: usize) {
        let timeline = self.timeline;
        self.state.step = step as u32;
        self.state.label = self.state.market.labels()[step];
        if self.needs.rates {
            self.convert_at(timeline.close_time(step));
        }
        for bar in timeline.closings(step) {
            let [index, row] = [bar.instrument as usize, bar.row as usize];
            let columns = &self.state.columns[index];
            self.state.account.mark(index, columns.close[row] * self.fx[index]);
            let close = columns.signal_close[row];
            self.state.feeds[index] = Feed { rows: bar.row + 1, updated: step as u32 + 1, close };
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
                    let close = self.state.columns[index].close[bar.row as usize - 1];
                    let units = self.new_units(bar.instrument, bar.row - 1, bar.row);
                    self.state.account.mark(index, close / units * self.fx[index]);
                }
            }
        }
    }

    #[expect(clippy::inline_always, reason = "a part of the loop body, called once per bar")]
    #[inline(always)]
    fn consult<S: Strategy>(
        &mut self,
        step: usize,
        strategy: &mut S,
        requests: &mut Requests,
    ) -> Result<(), BacktestError> {
        if let Some(source) = self.source.as_deref_mut() {
            self.state.delivery.deliver(source, self.timeline.close_time(step), &self.state.feeds)?;
        }
        // The engine may have made orders of its own since the last requests: a margin call, a delisting.
        requests.next_id = self.state.orders.len() as u32;
        strategy.on_bar(&Context { state: &self.state }, requests);
        Ok(())
    }

    /// Returns the day that a moment belongs to.
    fn day(&self, time: Timestamp) -> i64 {
        calendar::day(time, self.state.market.sessions())
    }

    fn cancel(&mut self, id: OrderId, reason: CancelReason, time: Timestamp) {
        self.state.book.advance(&mut self.state.orders[id.index()], OrderEvent::Cancel(reason), time);
        if !self.state.book.linked().is_empty() {
            self.cancel_held_children(id, time);
        }
    }

    /// Cancels every order of an instrument that has not ended.
    fn cancel_instrument(&mut self, index: usize, reason: CancelReason, time: Timestamp) {
        while let Some(waiting) = self.state.book.waiting(index).first() {
            self.cancel(waiting.id, reason, time);
        }
    }

    fn cancel_all(&mut self, reason: CancelReason, time: Timestamp) {
        for index in 0..self.state.market.len() {
            self.cancel_instrument(index, reason, time);
        }
    }

    /// Returns whether the commission depends on what the month has traded.
    const fn counts_months(&self) -> bool {
        matches!(self.config.commission, Commission::Tiered(_))
    }

    fn finish(mut self) {
        let last = self.state.label;
        if self.journal.halt.is_none_or(|halt| halt.reason != crate::HaltReason::Ruin) {
            self.apply_actions(self.timeline.steps());
            if self.config.data_end == crate::DataEnd::Close {
                self.close_at_the_end();
            }
        }
        self.cancel_all(CancelReason::DataEnded, last);
        let totals = self.state.account.totals();
        let initial = self.config.initial_cash.0;
        let terms = [
            initial,
            self.state.equity,
            self.equity_peak,
            totals.realized_pnl.0,
            totals.commission.0,
            self.state.account.largest_fill(),
        ];
        let scale = terms.iter().fold(0.0, |scale: f64, term| scale.max(term.abs()));
        assert!(
            (self.state.equity - initial - totals.earned().0).abs() <= 1e-9 * scale,
            "equity `{}` must be initial cash `{initial}` plus what was earned, `{totals:?}`",
            self.state.equity
        );
        self.journal.totals = totals;
        self.journal.positions.extend_from_slice(self.state.account.positions());
        let (orders, state) = self.state.into_memory();
        self.journal.orders = orders;
        self.journal.memory = Memory {
            state,
            requests: self.requests,
            opened: self.opened,
            candidates: self.candidates,
            acted: self.acted,
            rebalances: self.rebalances,
            seen: self.seen,
            fx: self.fx,
            next_funding: self.next_funding,
            delisted: self.delisted,
            volume_taken: self.volume_taken,
        };
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
    use crate::{FillTiming, RiskLimits, Slippage};

    fn check(fill: FillTiming) {
        let prices: Vec<f64> = (0..500).map(|row| 100.0 + 10.0 * (f64::from(row) * 0.37).sin()).collect();
        let series = || vec![(Instrument::fractional("A"), Arc::new(flat_bars(&prices)))];
        let config = BacktestConfig {
            commission: Commission::Bps(Bps(5.0)),
            slippage: Slippage::Bps(Bps(1.0)),
            limits: RiskLimits { gross_leverage_max: Some(1.0), ..RiskLimits::UNLIMITED },
            ..BacktestConfig::frictionless(Cash(1_000.0), fill)
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
        check(FillTiming::SameCloseBookedNext);
    }
}
