//! Everything that a strategy may see and the engine moves.

use tidegate_market::{Bars, Timestamp};

use crate::account::Account;
use crate::book::Book;
use crate::delivery::Delivery;
use crate::timeline::BarRef;
use crate::{Market, Order};

/// One instrument's bars with the columns that the engine reads at hand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Columns<'a> {
    pub(crate) bars: &'a Bars,
    pub(crate) time: &'a [Timestamp],
    pub(crate) open: &'a [f64],
    pub(crate) high: &'a [f64],
    pub(crate) low: &'a [f64],
    pub(crate) close: &'a [f64],
}

impl<'a> Columns<'a> {
    fn new(bars: &'a Bars) -> Self {
        let [open, high, low, close] = [bars.open(), bars.high(), bars.low(), bars.close()];
        Self { bars, time: bars.time(), open, high, low, close }
    }
}

/// The market as far as it is known, and the account. A [`crate::Context`] is one reference to it.
pub(crate) struct State<'a> {
    pub(crate) market: &'a Market,
    pub(crate) columns: Vec<Columns<'a>>,
    /// Closed bars per instrument.
    pub(crate) rows: Vec<u32>,
    /// One more than the step in which an instrument's last bar closed.
    pub(crate) updated: Vec<u32>,
    pub(crate) account: Account,
    pub(crate) orders: Vec<Order>,
    pub(crate) book: Book,
    pub(crate) delivery: Delivery<'a>,
    pub(crate) step: u32,
    /// The first, in instrument order, of the bars that closed last.
    pub(crate) closed: BarRef,
    pub(crate) equity: f64,
    pub(crate) gross_exposure: f64,
}

impl<'a> State<'a> {
    pub(crate) fn new(
        market: &'a Market,
        initial_cash: tidegate_market::Cash,
        delivery: Delivery<'a>,
        orders: Vec<Order>,
    ) -> Self {
        let instruments = market.len();
        Self {
            market,
            columns: market.all_bars().iter().map(|bars| Columns::new(bars)).collect(),
            rows: vec![0; instruments],
            updated: vec![0; instruments],
            account: Account::new(initial_cash, market.instruments()),
            orders,
            book: Book::new(instruments),
            delivery,
            step: 0,
            closed: BarRef { instrument: 0, row: 0 },
            equity: initial_cash.0,
            gross_exposure: 0.0,
        }
    }

    /// Returns the close time of the current step.
    #[inline]
    pub(crate) fn now(&self) -> Timestamp {
        self.columns[self.closed.instrument as usize].bars.close_time(self.closed.row as usize)
    }
}
