//! What a strategy may see: everything known at the close of the bar, nothing after it.

use tidegate_market::{Cash, Forecast, Instrument, InstrumentId, Quantity, Timestamp};

use crate::instrument_set::InstrumentSet;
use crate::state::State;
use crate::{Order, Position, Totals};

/// One instrument's bars up to now as strategies see them, adjusted where the market has adjusted ones, as columns of one length,
/// oldest first.
#[derive(Debug, Clone, Copy)]
pub struct History<'a> {
    /// Labels.
    pub time: &'a [Timestamp],
    /// First prices.
    pub open: &'a [f64],
    /// Highest prices.
    pub high: &'a [f64],
    /// Lowest prices.
    pub low: &'a [f64],
    /// Last prices.
    pub close: &'a [f64],
    /// Units traded.
    pub volume: &'a [f64],
}

/// A read-only view of the market and the account at one close. It is one reference, so that handing it to a strategy costs nothing.
///
/// # Panics
/// Every method that takes an instrument panics when the market has no such instrument.
pub struct Context<'a> {
    pub(crate) state: &'a State<'a>,
}

impl<'a> Context<'a> {
    /// Returns the moment of the decision: the close of the bars that were just marked.
    #[inline]
    pub fn now(&self) -> Timestamp {
        self.state.now()
    }

    /// Returns the row of [`crate::EquityColumns`] that belongs to this moment.
    #[inline]
    pub const fn step(&self) -> usize {
        self.state.step as usize
    }

    /// Returns the ids of all instruments in order.
    #[inline]
    pub fn instruments(&self) -> impl ExactSizeIterator<Item = InstrumentId> + use<> {
        (0..self.state.feeds.len() as u32).map(InstrumentId)
    }

    /// Returns the number of instruments.
    #[inline]
    pub const fn instrument_count(&self) -> usize {
        self.state.feeds.len()
    }

    /// Returns one instrument.
    pub fn instrument(&self, instrument: InstrumentId) -> &'a Instrument {
        &self.state.market.instruments()[instrument.index()]
    }

    /// Returns whether a bar of the instrument closed just now.
    #[inline]
    pub fn is_updated(&self, instrument: InstrumentId) -> bool {
        self.state.feeds[instrument.index()].updated == self.state.step + 1
    }

    /// Returns the number of closed bars.
    #[inline]
    pub fn bar_count(&self, instrument: InstrumentId) -> usize {
        self.state.feeds[instrument.index()].rows as usize
    }

    /// Returns the last close as strategies see it; `None` before the first bar closed.
    #[inline]
    pub fn close(&self, instrument: InstrumentId) -> Option<f64> {
        let feed = &self.state.feeds[instrument.index()];
        if feed.rows == 0 { None } else { Some(feed.close) }
    }

    /// Returns the last close as traded: the scale of order prices and position sizes. It is [`Context::close`] unless the market has
    /// adjusted signal bars. `None` before the first bar closed.
    #[inline]
    pub fn traded_close(&self, instrument: InstrumentId) -> Option<f64> {
        let rows = self.state.feeds[instrument.index()].rows as usize;
        if rows == 0 { None } else { Some(self.state.columns[instrument.index()].close[rows - 1]) }
    }

    /// Returns the closes as strategies see them, oldest first: those of [`Context::history`], at less cost where nothing else is needed.
    #[inline]
    pub fn closes(&self, instrument: InstrumentId) -> &'a [f64] {
        let rows = self.state.feeds[instrument.index()].rows as usize;
        &self.state.columns[instrument.index()].signal_close[..rows]
    }

    /// Returns the closed bars as strategies see them.
    #[inline]
    pub fn history(&self, instrument: InstrumentId) -> History<'a> {
        let rows = self.state.feeds[instrument.index()].rows as usize;
        let bars = self.state.columns[instrument.index()].signals;
        History {
            time: &bars.time()[..rows],
            open: &bars.open()[..rows],
            high: &bars.high()[..rows],
            low: &bars.low()[..rows],
            close: &bars.close()[..rows],
            volume: &bars.volume()[..rows],
        }
    }

    /// Returns the position.
    #[inline]
    pub fn position(&self, instrument: InstrumentId) -> &'a Position {
        &self.state.account.positions()[instrument.index()]
    }

    /// Returns the instruments whose position is not zero.
    #[inline]
    pub(crate) const fn held(&self) -> &'a InstrumentSet {
        self.state.account.held()
    }

    /// Returns the units that will be held once the market orders on their way have filled.
    #[inline]
    pub fn projected_quantity(&self, instrument: InstrumentId) -> Quantity {
        let held = self.position(instrument).quantity.0;
        Quantity(self.state.book.projected_units(&self.state.orders, instrument, held))
    }

    /// Returns the position's value as a fraction of equity; negative for short.
    #[inline]
    pub fn weight(&self, instrument: InstrumentId) -> f64 {
        self.position(instrument).value().0 / self.state.equity
    }

    /// Returns cash.
    #[inline]
    pub const fn cash(&self) -> Cash {
        Cash(self.state.account.cash())
    }

    /// Returns cash plus the value of all positions.
    #[inline]
    pub const fn equity(&self) -> Cash {
        Cash(self.state.equity)
    }

    /// Returns the sum of the absolute values of all positions.
    #[inline]
    pub const fn gross_exposure(&self) -> Cash {
        Cash(self.state.gross_exposure)
    }

    /// Returns the sums so far.
    pub fn totals(&self) -> Totals {
        self.state.account.totals()
    }

    /// Returns an order by its id, whatever its status; `None` when there is no such order yet.
    pub fn order(&self, id: crate::OrderId) -> Option<&'a Order> {
        self.state.orders.get(id.index())
    }

    /// Returns the orders that wait, in the order they were made.
    pub fn working_orders(&self, instrument: InstrumentId) -> impl Iterator<Item = &'a Order> {
        let state = self.state;
        state.book.waiting(instrument.index()).iter().map(move |waiting| &state.orders[waiting.id.index()])
    }

    /// Returns the last forecast known, however old.
    #[inline]
    pub fn latest_forecast(&self, instrument: InstrumentId) -> Option<&'a Forecast> {
        self.state.delivery.latest(instrument.index()).map(|(forecast, _)| forecast)
    }

    /// Returns the last forecast known while it still speaks about the future: until `horizon_bars` bars of the instrument have closed
    /// since it arrived.
    #[inline]
    pub fn forecast(&self, instrument: InstrumentId) -> Option<&'a Forecast> {
        let (forecast, rows) = self.state.delivery.latest(instrument.index())?;
        (self.state.feeds[instrument.index()].rows - *rows < forecast.horizon_bars.max(1)).then_some(forecast)
    }
}
