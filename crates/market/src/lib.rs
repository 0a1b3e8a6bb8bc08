//! The nouns of a market: time, intervals, bars, instruments, units, feature columns, forecasts.
//!
//! Every other crate speaks in these types. There is no input or output here, no behaviour beyond what makes an illegal
//! value impossible to construct, and nothing that depends on a file format, a model or a thread.
//!
//! Invariant: a [`Bars`] that exists is sorted, unique in time, finite and sane, so nothing downstream checks again.

mod bars;
mod corporate_action;
mod error;
mod feature;
mod forecast;
mod instrument;
mod interval;
mod rate;
mod session;
mod side;
mod target;
mod timestamp;
mod units;

pub use bars::{Bar, BarColumns, BarLabel, Bars};
pub use corporate_action::{CorporateAction, CorporateActionKind};
pub use error::MarketError;
pub use feature::{FeatureColumn, FeatureMatrix};
pub use forecast::Forecast;
pub use instrument::{Instrument, InstrumentId};
pub use interval::{BarInterval, IntervalUnit, TradingCalendar};
pub use rate::RateSeries;
pub use session::{Session, Sessions};
pub use side::Side;
pub use target::{TargetColumn, TargetLabel};
pub use timestamp::Timestamp;
pub use units::{Bps, Cash, Price, Quantity};
