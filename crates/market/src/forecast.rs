//! A statement about a future return, with the time at which it was known.

use crate::{InstrumentId, Timestamp};

/// An out-of-sample statement about one instrument's return over the next bars.
///
/// The return is of the kind the target states (log or simple), over `horizon_bars`, as a fraction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forecast {
    /// The instrument.
    pub instrument: InstrumentId,
    /// The time label of the bar the forecast was made from.
    pub time: Timestamp,
    /// The moment from which a decision may use it: that bar's close, plus any latency.
    pub known_time: Timestamp,
    /// How many bars ahead the return reaches.
    pub horizon_bars: u32,
    /// The expected return.
    pub mean: f64,
    /// The predictive variance of the return; `None` when the forecaster states none.
    pub variance: Option<f64>,
    /// The walk-forward fold that made it.
    pub fold: u32,
}
