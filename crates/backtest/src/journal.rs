//! What happened: orders, fills, round trips, equity, sums.

use std::sync::Arc;

use tidegate_market::{Cash, CorporateActionKind, InstrumentId, Price, Quantity, Side, Timestamp};

use crate::engine::Memory;
use crate::hash::Fnv1a;
use crate::lots::Extremes;
use crate::{Liquidity, Market, Order, OrderId, OrderStatus, Position, Totals};

/// Where in its bar a fill happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FillMoment {
    /// At the open.
    Open,
    /// Between open and close, at an unknown time.
    Inside,
    /// At the close.
    Close,
}

/// One execution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fill {
    /// The order.
    pub order: OrderId,
    /// The instrument.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// Units, above zero.
    pub quantity: Quantity,
    /// Price with slippage, in the instrument's currency.
    pub price: Price,
    /// Commission, in the account's currency.
    pub commission: Cash,
    /// Money lost against the quoted price, in the account's currency; contained in `price`.
    pub slippage: Cash,
    /// Money of the account per money of the instrument.
    pub fx_rate: f64,
    /// Whether the order waited in the book or took what was there.
    pub liquidity: Liquidity,
    /// The row of the instrument's bars.
    pub row: u32,
    /// The label of that bar.
    pub time: Timestamp,
    /// Where in the bar.
    pub moment: FillMoment,
}

/// A round trip: units of one fill that another fill closed, first in, first out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClosedTrade {
    /// The instrument.
    pub instrument: InstrumentId,
    /// `Buy` for a long trade, `Sell` for a short one.
    pub side: Side,
    /// Units, above zero.
    pub quantity: Quantity,
    /// Row of the entry's bar.
    pub entry_row: u32,
    /// Label of the entry's bar.
    pub entry_time: Timestamp,
    /// Price of the entry with slippage.
    pub entry_price: Price,
    /// Row of the exit's bar.
    pub exit_row: u32,
    /// Label of the exit's bar.
    pub exit_time: Timestamp,
    /// Price of the exit with slippage.
    pub exit_price: Price,
    /// Gain from entry to exit price, before commission.
    pub realized_pnl: Cash,
    /// The trade's share of both fills' commission.
    pub commission: Cash,
    /// The trade's share of both fills' slippage.
    pub slippage: Cash,
    /// Worst price seen as a fraction of the entry price, at most zero.
    ///
    /// Bars between entry and exit count whole, the entry's bar counts whole unless the entry was at its close, the exit's bar only
    /// if the exit was at its close: no price after the exit counts.
    pub max_adverse_excursion: f64,
    /// Best price seen as a fraction of the entry price, at least zero; over the same bars.
    pub max_favorable_excursion: f64,
}

impl ClosedTrade {
    /// Returns the gain after commission.
    pub fn net_pnl(&self) -> Cash {
        Cash(self.realized_pnl.0 - self.commission.0)
    }

    /// Returns the bars from the entry's to the exit's.
    pub const fn bars_held(&self) -> u32 {
        self.exit_row - self.entry_row
    }
}

/// The account after each bar, as columns of one length, in the account's currency.
///
/// Equity is kept per bar. Cash moves only with fills and is kept as its changes. The gross exposure of one instrument is the absolute
/// value of its net exposure; only with several instruments is it kept.
#[derive(Debug, Clone, Default)]
pub struct EquityColumns {
    labels: Arc<[Timestamp]>,
    equity: Vec<f64>,
    /// The rows from which on cash has a new value.
    cash_changes: Vec<(u32, f64)>,
    gross_exposure: Vec<f64>,
    instruments: usize,
}

impl EquityColumns {
    fn reset(&mut self, initial_cash: Cash, market: &Market) {
        self.labels = market.shared_labels();
        self.instruments = market.len();
        self.equity.clear();
        self.equity.reserve(self.labels.len());
        self.cash_changes.clear();
        self.cash_changes.push((0, initial_cash.0));
        self.gross_exposure.clear();
        if self.instruments > 1 {
            self.gross_exposure.reserve(self.labels.len());
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, equity: f64, cash: f64, gross_exposure: f64) {
        let row = self.equity.len() as u32;
        if self.cash_changes.last().is_none_or(|&(_, last)| last != cash) {
            self.cash_changes.push((row, cash));
        }
        self.equity.push(equity);
        if self.instruments > 1 {
            self.gross_exposure.push(gross_exposure);
        }
    }

    /// Appends one row per close of one instrument of which so many units, times the multiplier, are held, and returns the extremes of
    /// equity.
    pub(crate) fn extend(&mut self, cash: f64, units: f64, closes: &[f64]) -> Extremes {
        let first = self.equity.len();
        if self.cash_changes.last().is_none_or(|&(_, last)| last != cash) {
            self.cash_changes.push((first as u32, cash));
        }
        self.equity.extend(closes.iter().map(|close| cash + units * close));
        Extremes::of(&self.equity[first..], &self.equity[first..])
    }

    /// Takes back the rows after the first one from `first` on at which nothing is left, and returns the highest equity from there on
    /// and the number of rows.
    #[cold]
    pub(crate) fn cut_after_ruin(&mut self, first: usize) -> (f64, usize) {
        let ruin = self.equity[first..].iter().position(|&equity| equity <= 0.0);
        self.equity.truncate(ruin.map_or(self.equity.len(), |place| first + place + 1));
        let kept = &self.equity[first..];
        (Extremes::of(kept, kept).high, self.equity.len())
    }

    /// Takes the last row back.
    pub(crate) fn pop(&mut self) {
        self.equity.pop();
        self.gross_exposure.pop();
        let row = self.equity.len() as u32;
        if self.cash_changes.len() > 1 && self.cash_changes.last().is_some_and(|&(first, _)| first == row) {
            self.cash_changes.pop();
        }
    }

    /// Returns the number of rows: one per time at which some bar closed, up to the end of the run.
    pub const fn len(&self) -> usize {
        self.equity.len()
    }

    /// Returns whether there are no rows.
    pub const fn is_empty(&self) -> bool {
        self.equity.is_empty()
    }

    /// Returns the labels, as in [`crate::Market::labels`].
    pub fn time(&self) -> &[Timestamp] {
        &self.labels[..self.len()]
    }

    /// Returns cash plus the value of all positions.
    pub fn equity(&self) -> &[f64] {
        &self.equity
    }

    /// Returns cash; above equity when short.
    pub fn cash(&self) -> Vec<f64> {
        let mut cash = Vec::with_capacity(self.len());
        for (place, &(_, value)) in self.cash_changes.iter().enumerate() {
            let end = self.cash_changes.get(place + 1).map_or(self.len(), |&(first, _)| first as usize);
            cash.resize(end, value);
        }
        cash
    }

    /// Returns the number of bars at whose end a position was open: those whose gross exposure is not zero.
    pub fn bars_exposed(&self) -> usize {
        if self.instruments > 1 {
            return self.gross_exposure.iter().filter(|&&gross| gross != 0.0).count();
        }
        let ends = self.cash_changes.iter().skip(1).map(|&(first, _)| first as usize).chain([self.len()]);
        let segments = self.cash_changes.iter().zip(ends);
        // Equity less cash is zero only where they are equal.
        let exposed = |(&(first, cash), end): (&(u32, f64), usize)| {
            self.equity[first as usize..end].iter().map(|&equity| u32::from(equity != cash)).sum::<u32>() as usize
        };
        segments.map(exposed).sum()
    }

    /// Returns the sum of the values of all positions: equity less cash.
    pub fn net_exposure(&self) -> Vec<f64> {
        self.equity.iter().zip(self.cash()).map(|(equity, cash)| equity - cash).collect()
    }

    /// Returns the sum of the absolute values of all positions.
    pub fn gross_exposure(&self) -> Vec<f64> {
        if self.instruments > 1 {
            self.gross_exposure.clone()
        } else {
            self.net_exposure().into_iter().map(f64::abs).collect()
        }
    }
}

/// Why trading ended before the data did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HaltReason {
    /// Equity fell from its highest by the drawdown stop: positions are closed by market orders, the run goes on without trading.
    DrawdownStop,
    /// The last round trips all lost: positions are closed by market orders, the run goes on without trading.
    LosingTrades,
    /// Equity fell to zero or below at a close, by its prices or by the costs of fills there: positions were closed there, and the
    /// run ended.
    Ruin,
}

/// The end of trading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Halt {
    /// The label of the step.
    pub time: Timestamp,
    /// Why.
    pub reason: HaltReason,
}

/// Why money moved without a fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CashFlowKind {
    /// A dividend, received by who is long and paid by who is short.
    Dividend,
    /// Interest earned on cash.
    CashInterest,
    /// The fee for borrowed units.
    BorrowFee,
    /// Interest on borrowed money.
    MarginInterest,
    /// Funding of a perpetual contract: at a positive rate longs pay shorts.
    Funding,
}

/// Money that moved without a fill.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CashFlow {
    /// The label of the step in which it was booked.
    pub time: Timestamp,
    /// The instrument; `None` for what concerns the account as a whole.
    pub instrument: Option<InstrumentId>,
    /// Why.
    pub kind: CashFlowKind,
    /// Money in the account's currency, positive when received.
    pub amount: Cash,
}

/// A corporate action that met a position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AppliedAction {
    /// The label of the step in which it took effect.
    pub time: Timestamp,
    /// The instrument.
    pub instrument: InstrumentId,
    /// What it was.
    pub kind: CorporateActionKind,
    /// Units held before it.
    pub units_before: Quantity,
    /// Units held after it.
    pub units_after: Quantity,
}

/// The complete record of a run.
#[derive(Debug, Clone, Default)]
pub struct Journal {
    /// Cash before the first bar: the explicit first point of the equity curve.
    pub initial_cash: Cash,
    /// Every order in the order of the risk check, denied ones too, each with its life.
    pub orders: Vec<Order>,
    /// Every fill in the order of events.
    pub fills: Vec<Fill>,
    /// Every round trip in the order of its exit.
    pub trades: Vec<ClosedTrade>,
    /// The account after each bar.
    pub equity: EquityColumns,
    /// Money that moved without a fill, in the order of events.
    pub cash_flows: Vec<CashFlow>,
    /// Corporate actions that met a position, in the order of events.
    pub actions: Vec<AppliedAction>,
    /// What is held at the end, one entry per instrument.
    pub positions: Vec<Position>,
    /// Sums over the run.
    pub totals: Totals,
    /// Why trading ended early, if it did.
    pub halt: Option<Halt>,
    /// The steps at which the daily loss stop ended trading for the day.
    pub daily_loss_stops: Vec<Timestamp>,
    /// The steps at which a margin call cut the positions.
    pub margin_calls: Vec<Timestamp>,
    /// What the next run into this journal need not allocate.
    pub(crate) memory: Memory,
}

impl Journal {
    /// Returns the orders that the risk check turned down.
    pub fn denials(&self) -> impl Iterator<Item = &Order> {
        self.orders.iter().filter(|order| matches!(order.status, OrderStatus::Denied(_)))
    }

    /// Returns the equity at the end; the initial cash before any bar.
    pub fn final_equity(&self) -> Cash {
        self.equity.equity().last().map_or(self.initial_cash, |&equity| Cash(equity))
    }

    /// Returns a hash of every order with its life.
    ///
    /// FNV-1a, 64 bits (offset basis `0xcbf29ce484222325`, prime `0x100000001b3`), over the little-endian bytes of, per order in
    /// order: instrument (u32), side (u8: buy 0, sell 1), kind (u8: market 0, limit 1, stop 2, market on open 3, market on close 4,
    /// stop limit 5, trailing by an amount 6, by a fraction 7), its price or distance (f64 bits, 0.0 for market; of a stop limit the
    /// stop, then the limit), quantity (f64 bits), time in force (u8: GTC 0, day 1, GTD 2 and then its date, IOC 3, FOK 4), effect (u8:
    /// any 0, reduce only 1), origin (u8), submitted time (i64 nanoseconds), status (u8, in the order of declaration: working 0, filled
    /// 1, cancelled 2, denied 3, held 4, partially filled 5), reason (u8, in the order of declaration from 0; 0 where there is none),
    /// ended time (i64, 0 for none), filled quantity (f64 bits), fill price (f64 bits, 0.0 for none).
    pub fn order_hash(&self) -> u64 {
        let mut hash = Fnv1a::default();
        for order in &self.orders {
            hash.order(order);
        }
        hash.value()
    }

    pub(crate) fn reset(&mut self, initial_cash: Cash, market: &Market) {
        self.initial_cash = initial_cash;
        // Room for an order every eight bars: memory that is not used is not touched, and a busy run does not copy as it grows.
        let orders = market.all_bars().iter().map(|bars| bars.len()).sum::<usize>() / 8;
        self.orders.clear();
        self.orders.reserve(orders);
        self.fills.clear();
        self.fills.reserve(orders);
        self.trades.clear();
        self.trades.reserve(orders / 2);
        self.equity.reset(initial_cash, market);
        self.cash_flows.clear();
        self.actions.clear();
        self.daily_loss_stops.clear();
        self.margin_calls.clear();
        self.positions.clear();
        self.totals = Totals::default();
        self.halt = None;
    }
}
