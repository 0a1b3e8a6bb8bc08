//! Everything that a strategy may see and the engine moves.

use tidegate_market::{Bars, Timestamp};

use crate::account::Account;
use crate::book::Book;
use crate::delivery::Delivery;
use crate::{Market, Order};

/// One instrument's traded bars with the columns that the engine reads at hand, and the closes that strategies see.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Columns<'a> {
    pub(crate) close: &'a [f64],
    pub(crate) signal_close: &'a [f64],
    pub(crate) open: &'a [f64],
    pub(crate) high: &'a [f64],
    pub(crate) low: &'a [f64],
    pub(crate) time: &'a [Timestamp],
    pub(crate) bars: &'a Bars,
    pub(crate) signals: &'a Bars,
}

impl<'a> Columns<'a> {
    fn new(bars: &'a Bars, signals: &'a Bars) -> Self {
        let [open, high, low, close] = [bars.open(), bars.high(), bars.low(), bars.close()];
        Self { bars, signals, time: bars.time(), open, high, low, close, signal_close: signals.close() }
    }

    /// Reads what a fill in a row looks at, so that it is at hand by then.
    #[inline]
    pub(crate) fn read_ahead(&self, row: usize) {
        let before = row.saturating_sub(1);
        std::hint::black_box((self.open[row], self.high[before], self.low[before]));
    }
}

/// What is known of one instrument's bars.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Feed {
    /// Closed bars.
    pub(crate) rows: u32,
    /// One more than the step in which the last of them closed.
    pub(crate) updated: u32,
    /// The last close as strategies see it; zero before the first.
    pub(crate) close: f64,
}

/// The market as far as it is known, and the account. A [`crate::Context`] is one reference to it.
pub(crate) struct State<'a> {
    pub(crate) market: &'a Market,
    pub(crate) columns: Vec<Columns<'a>>,
    pub(crate) feeds: Vec<Feed>,
    pub(crate) account: Account,
    pub(crate) orders: Vec<Order>,
    pub(crate) book: Book,
    pub(crate) delivery: Delivery,
    pub(crate) step: u32,
    /// The label of the step: that of the first bar that closed in it.
    pub(crate) label: Timestamp,
    pub(crate) equity: f64,
    pub(crate) gross_exposure: f64,
}

/// The memory of a state, to be used by the next one.
#[derive(Default)]
pub(crate) struct StateMemory {
    columns: Vec<Columns<'static>>,
    feeds: Vec<Feed>,
    account: Account,
    book: Book,
    delivery: Delivery,
}

/// Returns a vector of so many equal values in the memory of another.
pub(crate) fn refilled<V: Clone>(mut used: Vec<V>, count: usize, value: V) -> Vec<V> {
    used.clear();
    used.resize(count, value);
    used
}

/// Returns an empty vector of columns of another life in the memory of this one: a collection in place, where there is nothing to move.
fn emptied<'b>(mut used: Vec<Columns<'_>>) -> Vec<Columns<'b>> {
    used.clear();
    used.into_iter().map(|_| unreachable!("there are none")).collect()
}

impl<'a> State<'a> {
    /// Starts in the memory of an earlier run.
    pub(crate) fn new(
        market: &'a Market,
        initial_cash: tidegate_market::Cash,
        orders: Vec<Order>,
        used: StateMemory,
    ) -> Self {
        let instruments = market.len();
        let mut columns = emptied(used.columns);
        let series = market.all_bars().iter().zip(market.all_signal_bars());
        columns.extend(series.map(|(bars, signals)| Columns::new(bars, signals)));
        Self {
            market,
            columns,
            feeds: refilled(used.feeds, instruments, Feed::default()),
            account: used.account.renewed(initial_cash, market.instruments()),
            orders,
            book: used.book.renewed(instruments),
            delivery: used.delivery.renewed(instruments),
            step: 0,
            label: market.labels()[0],
            equity: initial_cash.0,
            gross_exposure: 0.0,
        }
    }

    /// Returns the orders, and the memory of everything else.
    pub(crate) fn into_memory(self) -> (Vec<Order>, StateMemory) {
        let Self { columns, feeds, account, book, delivery, orders, .. } = self;
        (orders, StateMemory { columns: emptied(columns), feeds, account, book, delivery })
    }

    /// Returns the close time of the current step.
    #[inline]
    pub(crate) fn now(&self) -> Timestamp {
        self.market.close_time(self.step as usize)
    }
}
