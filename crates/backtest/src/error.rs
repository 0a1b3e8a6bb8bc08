//! What can be wrong with a run before it starts, or with a request that no limit can judge.

use tidegate_market::{InstrumentId, Timestamp};

/// A market, config, forecast or request that the engine cannot work with.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BacktestError {
    /// A market without a single bar.
    #[error("a market must have at least one bar, has `{instruments}` instruments and no bar")]
    NoBars {
        /// The number of instruments.
        instruments: usize,
    },
    /// More bars than a row number can count.
    #[error("a market must have fewer than `4294967295` bars, has `{bars}`")]
    TooManyBars {
        /// The number of bars over all instruments.
        bars: usize,
    },
    /// The same symbol twice.
    #[error("symbols must differ, `{symbol}` was given twice")]
    DuplicateSymbol {
        /// The symbol.
        symbol: String,
    },
    /// A number outside its range.
    #[error("{name} must be {rule}, was `{value}`")]
    Range {
        /// What the number is.
        name: &'static str,
        /// The rule in words.
        rule: &'static str,
        /// The number found.
        value: f64,
    },
    /// Forecasts out of order.
    #[error(
        "forecasts must be sorted by known_time, forecast `{index}` known at `{known_time}` comes after one known at `{previous}`; hint: sort them by (known_time, instrument)"
    )]
    UnsortedForecasts {
        /// The place of the offending forecast.
        index: usize,
        /// When it was known.
        known_time: Timestamp,
        /// When the one before it was known.
        previous: Timestamp,
    },
    /// A schedule out of order.
    #[error(
        "target weights must be sorted by time, entry `{index}` at `{time}` comes after one at `{previous}`; hint: sort them by (time, symbol)"
    )]
    UnsortedSchedule {
        /// The place of the offending entry.
        index: usize,
        /// Its time.
        time: Timestamp,
        /// The time of the entry before it.
        previous: Timestamp,
    },
    /// An instrument that the market does not have.
    #[error("{source_name} must name one of the market's `{instruments}` instruments, was number `{}`", .instrument.0)]
    UnknownInstrument {
        /// What named the instrument.
        source_name: &'static str,
        /// The instrument as named.
        instrument: InstrumentId,
        /// The number of instruments in the market.
        instruments: usize,
    },
}

/// Checks one number against its rule.
pub(crate) fn require(name: &'static str, rule: &'static str, value: f64, holds: bool) -> Result<(), BacktestError> {
    if holds { Ok(()) } else { Err(BacktestError::Range { name, rule, value }) }
}
