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
    /// Signal bars that are not those of the traded bars.
    #[error(
        "signal bars of `{symbol}` must have the times of its traded bars, has `{found}` rows beside `{expected}` or other times"
    )]
    SignalRows {
        /// The symbol.
        symbol: String,
        /// Traded bars.
        expected: usize,
        /// Signal bars.
        found: usize,
    },
    /// No exchange rate when it is first needed.
    #[error(
        "an exchange rate for `{symbol}` must be known at its first close, `{time}`; hint: start the rates earlier or the bars later"
    )]
    NoExchangeRate {
        /// The symbol.
        symbol: String,
        /// The first close.
        time: Timestamp,
    },
    /// A corporate action out of range.
    #[error("{name} of `{symbol}` at `{time}` must be {rule}, was `{value}`")]
    Action {
        /// The symbol.
        symbol: String,
        /// When it takes effect.
        time: Timestamp,
        /// What the number is.
        name: &'static str,
        /// The rule in words.
        rule: &'static str,
        /// The number found.
        value: f64,
    },
    /// An exit at the end of sessions in a market without sessions.
    #[error("session_exit needs the sessions of the market; hint: state them with the data")]
    NoSessions,
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
    /// Slippage in ticks for an instrument without a tick size.
    #[error("slippage in ticks must have a tick size, `{symbol}` has none; hint: set tick_size for `{symbol}`")]
    NoTickSize {
        /// The symbol.
        symbol: String,
    },
    /// Weights of equal risk contribution that do not exist or were not found.
    #[error(
        "risk contributions of `{instruments}` instruments must be equal, differ by `{deviation:e}` of a share after `{sweeps}` sweeps; hint: leave out instruments that hedge each other, or measure over more bars"
    )]
    RiskContributions {
        /// The number of instruments.
        instruments: usize,
        /// How often every weight was moved.
        sweeps: u32,
        /// How far the worst contribution is from its share, as a fraction of it.
        deviation: f64,
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
    /// A forecast that its source handed over before it was known.
    #[error("a forecast must be known when it is handed over, at `{now}`, was known at `{known_time}`")]
    ForecastFromTheFuture {
        /// When it will be known.
        known_time: Timestamp,
        /// When it was handed over.
        now: Timestamp,
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

/// The largest amount of money, units or price that the engine reckons with: sums of it stay far from overflow.
pub(crate) const AMOUNT_MAX: f64 = 1e15;

/// The range of what prices and quantities are multiplied by: contract sizes, steps, split ratios, exchange rates.
pub(crate) const FACTORS: std::ops::RangeInclusive<f64> = 1e-9..=1e9;

/// Checks one number against its rule.
pub(crate) fn require(name: &'static str, rule: &'static str, value: f64, holds: bool) -> Result<(), BacktestError> {
    if holds { Ok(()) } else { Err(BacktestError::Range { name, rule, value }) }
}
