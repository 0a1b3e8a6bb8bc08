//! The ledgers of other engines on an SMA(5, 20) cross.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use tidegate_backtest::strategies::{SmaCross, SmaCrossParams};
use tidegate_backtest::{
    BacktestConfig, Commission, Context, FillTiming, Journal, Market, OrderRequest, Requests, RiskLimits, Slippage,
    Strategy, run,
};
use tidegate_indicators::{Indicator, Sma};
use tidegate_market::{Bps, Cash, Instrument, InstrumentId, Quantity, Side};

use crate::support::{Ohlc, close_to, daily};

const EQUITY: &str = include_str!("../../../../tests/vectors/ledger_equity.csv");
const TRADES: &str = include_str!("../../../../tests/vectors/ledger_trades.csv");
const FEE: f64 = 0.001;

fn columns() -> HashMap<&'static str, Vec<f64>> {
    let mut lines = EQUITY.lines().filter(|line| !line.starts_with('#'));
    let names: Vec<&str> = lines.next().expect("header").split(',').collect();
    let rows: Vec<Vec<f64>> =
        lines.map(|line| line.split(',').map(|cell| cell.parse().expect("number")).collect()).collect();
    names.iter().enumerate().map(|(place, name)| (*name, rows.iter().map(|row| row[place]).collect())).collect()
}

fn prices() -> Vec<Ohlc> {
    let columns = columns();
    let price = |name, row: usize| columns[name][row];
    (0..400).map(|row| ["open", "high", "low", "close"].map(|name| price(name, row))).collect()
}

/// Entry bar, exit bar, entry price, exit price, size, pnl.
fn trades(engine: &str) -> Vec<[f64; 6]> {
    let mine = TRADES.lines().filter_map(|line| line.strip_prefix(engine)?.strip_prefix(','));
    mine.map(|line| {
        let cells: Vec<f64> = line.split(',').map(|cell| cell.parse().expect("number")).collect();
        cells.try_into().expect("six cells")
    })
    .collect()
}

fn config(fill: FillTiming, gross_leverage_max: Option<f64>) -> BacktestConfig {
    BacktestConfig {
        initial_cash: Cash(100_000.0),
        fill,
        commission: Commission::Bps(Bps(FEE * 1e4)),
        slippage: Slippage::None,
        limits: RiskLimits { gross_leverage_max, ..RiskLimits::UNLIMITED },
    }
}

fn bars(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).expect("above zero")
}

fn one(lot_size: Option<f64>) -> Market {
    let instrument = Instrument { lot_size, ..Instrument::fractional("WALK") };
    Market::new(vec![(instrument, Arc::new(daily(&prices())))]).expect("valid")
}

fn sma_cross() -> SmaCross {
    let params = SmaCrossParams { fast_bars: bars(5), slow_bars: bars(20), weight: 1.0, allow_short: false };
    SmaCross::new(params, 1).expect("valid")
}

/// Sizes each entry by the price of the next open, which only a test can know: so the other engines size theirs.
struct SizedAtTheOpen {
    fast: Sma,
    slow: Sma,
    spread: f64,
    units: fn(cash: f64, open: f64) -> f64,
    opens: Vec<f64>,
}

impl SizedAtTheOpen {
    fn new(units: fn(f64, f64) -> f64) -> Self {
        let opens = prices().iter().map(|row| row[0]).collect();
        Self { fast: Sma::new(bars(5)), slow: Sma::new(bars(20)), spread: f64::NAN, units, opens }
    }
}

impl Strategy for SizedAtTheOpen {
    fn on_bar(&mut self, context: &Context<'_>, requests: &mut Requests) {
        let instrument = InstrumentId(0);
        let close = context.close(instrument).expect("one instrument");
        let (fast, slow) = (self.fast.update(close), self.slow.update(close));
        let (Some(fast), Some(slow)) = (fast, slow) else { return };
        let before = std::mem::replace(&mut self.spread, fast - slow);
        let held = context.position(instrument).quantity;
        if before <= 0.0 && self.spread > 0.0 && held.0 == 0.0 {
            let Some(&open) = self.opens.get(context.bar_count(instrument)) else { return };
            let units = (self.units)(context.cash().0, open);
            requests.submit(OrderRequest::market(instrument, Side::Buy, Quantity(units)));
        } else if before >= 0.0 && self.spread < 0.0 && held.0 > 0.0 {
            requests.submit(OrderRequest::market(instrument, Side::Sell, held));
        }
    }
}

/// Compares all closed trades that the engine and the ledger share, and equity over the first bars.
fn check(journal: &Journal, engine: &str, closed: usize, equity_bars: usize) {
    let expected = trades(engine);
    assert!(journal.trades.len() >= closed && closed >= 12);
    for (trade, [entry_bar, exit_bar, entry_price, exit_price, size, pnl]) in
        journal.trades.iter().zip(expected).take(closed)
    {
        assert_eq!([f64::from(trade.entry_row), f64::from(trade.exit_row)], [entry_bar, exit_bar]);
        close_to(trade.entry_price.0, entry_price, 1e-12);
        close_to(trade.exit_price.0, exit_price, 1e-12);
        close_to(trade.quantity.0, size, 1e-9);
        assert!((trade.net_pnl().0 - pnl).abs() < 1e-9 * 100_000.0);
    }
    let expected = &columns()[engine];
    for (row, found) in journal.equity.equity().iter().enumerate().take(equity_bars) {
        close_to(*found, expected[row], 1e-9);
    }
}

#[test]
fn vectorbt_at_the_same_close_is_our_target_weight_at_the_same_close() {
    let journal = run(&one(None), &[], &config(FillTiming::SameClose, Some(1.0)), &mut sma_cross()).expect("valid");
    check(&journal, "vectorbt_same_close", 12, 400);
}

#[test]
fn backtesting_py_trading_on_close_is_our_target_weight_in_whole_units_at_the_same_close() {
    // It books a fill at the close with the next bar, so that equity is compared where nothing filled, and closes the last trade at
    // the close of the bar before the last; we keep it.
    let journal =
        run(&one(Some(1.0)), &[], &config(FillTiming::SameClose, Some(1.0)), &mut sma_cross()).expect("valid");
    check(&journal, "backtesting_py_trade_on_close", 12, 0);
    let expected = &columns()["backtesting_py_trade_on_close"];
    let quiet = |row: &usize| journal.fills.iter().all(|fill| fill.row as usize != *row);
    let compared: Vec<usize> = (0..398).filter(quiet).collect();
    assert_eq!(compared.len(), 398 - 25);
    for row in compared {
        close_to(journal.equity.equity()[row], expected[row], 1e-9);
    }
}

#[test]
fn next_open_trades_of_a_target_weight_are_those_of_vectorbt_but_for_their_size() {
    let journal = run(&one(None), &[], &config(FillTiming::NextOpen, Some(1.0)), &mut sma_cross()).expect("valid");
    let expected = trades("vectorbt_next_open");
    assert_eq!(journal.trades.len(), 12);
    for (trade, expected) in journal.trades.iter().zip(expected) {
        assert_eq!([f64::from(trade.entry_row), f64::from(trade.exit_row)], expected[..2]);
        assert_eq!([trade.entry_price.0, trade.exit_price.0], expected[2..4]);
    }
    // Ours never spends more than cash: sized at the close, trimmed at the open.
    assert!(journal.equity.cash().iter().all(|&cash| cash > -1e-9));
}

#[test]
fn vectorbt_at_the_next_open_with_its_own_sizes() {
    let mut strategy = SizedAtTheOpen::new(|cash, open| cash / (open * (1.0 + FEE)));
    let journal = run(&one(None), &[], &config(FillTiming::NextOpen, None), &mut strategy).expect("valid");
    check(&journal, "vectorbt_next_open", 12, 400);
}

#[test]
fn backtrader_at_the_next_open_with_its_own_sizes() {
    let mut strategy = SizedAtTheOpen::new(|cash, open| cash / (open * (1.0 + FEE)) * (1.0 - 1e-12));
    let journal = run(&one(None), &[], &config(FillTiming::NextOpen, None), &mut strategy).expect("valid");
    check(&journal, "backtrader_next_open", 12, 400);
}

#[test]
fn backtesting_py_at_the_next_open_in_whole_units_with_its_own_sizes() {
    // It closes the last trade at the open of the last bar; we keep it.
    let mut strategy = SizedAtTheOpen::new(|cash, open| (cash / (open * (1.0 + FEE))).floor());
    let journal = run(&one(Some(1.0)), &[], &config(FillTiming::NextOpen, None), &mut strategy).expect("valid");
    check(&journal, "backtesting_py_whole_units", 12, 399);
}

#[test]
fn backtesting_py_at_the_next_open_in_fractions_with_its_own_sizes() {
    let mut strategy = SizedAtTheOpen::new(|cash, open| (cash / (open * (1.0 + FEE)) * 1e9).floor() / 1e9);
    let journal = run(&one(None), &[], &config(FillTiming::NextOpen, None), &mut strategy).expect("valid");
    check(&journal, "backtesting_py_fractional", 12, 399);
}
