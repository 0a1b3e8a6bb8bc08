//! A journal of one instrument whose bars, corporate actions and orders are written out.

use std::sync::Arc;

use tidegate_backtest::{
    BacktestConfig, Commission, Context, FillTiming, Financing, InstrumentData, Journal, Market, Requests, Strategy,
    run,
};
use tidegate_market::{
    BarColumns, BarLabel, Bars, Bps, Cash, CorporateAction, CorporateActionKind, Instrument, Timestamp,
};

use super::Naming;

/// The prices of one day.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Day {
    pub(crate) open: f64,
    pub(crate) high: f64,
    pub(crate) low: f64,
    pub(crate) close: f64,
}

impl Day {
    pub(crate) const fn flat(price: f64) -> Self {
        Self { open: price, high: price, low: price, close: price }
    }
}

pub(crate) const fn day(day: i64) -> Timestamp {
    Timestamp::from_nanos(day * Timestamp::NANOS_PER_DAY)
}

pub(crate) fn naming(symbols: &[String]) -> Naming<'_> {
    Naming { symbols, interval: "1d".parse().expect("a valid interval"), fill: FillTiming::NextOpen }
}

pub(crate) fn split(at: i64, ratio: f64) -> CorporateAction {
    CorporateAction { time: day(at), kind: CorporateActionKind::Split { ratio } }
}

pub(crate) fn dividend(at: i64, amount: f64) -> CorporateAction {
    CorporateAction { time: day(at), kind: CorporateActionKind::Dividend { amount } }
}

/// Returns daily bars from 1970-01-01.
pub(crate) fn bars(days: &[Day]) -> Bars {
    let columns = BarColumns {
        time: (0..days.len() as i64).map(day).collect(),
        open: days.iter().map(|day| day.open).collect(),
        high: days.iter().map(|day| day.high).collect(),
        low: days.iter().map(|day| day.low).collect(),
        close: days.iter().map(|day| day.close).collect(),
        volume: vec![1_000.0; days.len()],
    };
    Bars::new(columns, BarLabel::Open, "1d".parse().expect("a valid interval")).expect("sane bars")
}

/// 1,000 of cash, 100 basis points of commission, 5 % a year on cash.
pub(crate) fn config() -> BacktestConfig {
    BacktestConfig {
        commission: Commission::Bps(Bps(100.0)),
        financing: Financing { cash_rate: 0.05, ..Financing::NONE },
        ..BacktestConfig::frictionless(Cash(1_000.0), FillTiming::NextOpen)
    }
}

pub(crate) fn market(days: &[Day], actions: Vec<CorporateAction>) -> Market {
    let data = InstrumentData { actions, ..InstrumentData::new(Instrument::fractional("A"), Arc::new(bars(days))) };
    Market::build(vec![data], None).expect("a valid market")
}

/// Runs a strategy that is told the step and asks for orders.
pub(crate) fn journal(
    days: &[Day],
    actions: Vec<CorporateAction>,
    decide: impl FnMut(usize, &mut Requests),
) -> Journal {
    journal_of(&market(days, actions), &config(), decide)
}

/// Does so on any market.
pub(crate) fn journal_of(
    market: &Market,
    config: &BacktestConfig,
    decide: impl FnMut(usize, &mut Requests),
) -> Journal {
    struct Scripted<F>(F);

    impl<F: FnMut(usize, &mut Requests)> Strategy for Scripted<F> {
        fn on_bar(&mut self, context: &Context<'_>, requests: &mut Requests) {
            (self.0)(context.step(), requests);
        }
    }

    run(market, &[], config, &mut Scripted(decide)).expect("a valid config")
}
