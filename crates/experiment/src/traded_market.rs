//! What the engine trades: bars and everything beside them, from the first forecast on.

use std::sync::Arc;

use tidegate_backtest::{InstrumentData, Market};
use tidegate_market::{Bars, Forecast, Instrument, Timestamp};

use crate::ExperimentError;
use crate::dataset::{Beside, Dataset};

/// Returns the bars that are traded, all of them or those from the first forecast on, with what lies beside them.
///
/// Corporate actions before the first traded bar, and rates and finer bars outside, concern nobody: the engine passes over them.
///
/// # Errors
/// When no bar is left, or no exchange rate is known when it is needed.
pub fn traded_market(
    dataset: &Dataset,
    instruments: &[Instrument],
    forecasts: Option<&[Forecast]>,
) -> Result<Market, ExperimentError> {
    match forecasts {
        None => build(dataset, instruments, None),
        Some(forecasts) => {
            traded_market_from(dataset, instruments, forecasts.iter().map(|forecast| forecast.time).min())
        }
    }
}

/// Returns the bars from a label on, that of the first bar with a forecast, with what lies beside them.
///
/// # Errors
/// As [`traded_market`]; also without a label.
pub(crate) fn traded_market_from(
    dataset: &Dataset,
    instruments: &[Instrument],
    first: Option<Timestamp>,
) -> Result<Market, ExperimentError> {
    if first.is_none() {
        return Err(ExperimentError::Sample("there are no forecasts to trade on".to_owned()));
    }
    build(dataset, instruments, first)
}

fn build(dataset: &Dataset, instruments: &[Instrument], first: Option<Timestamp>) -> Result<Market, ExperimentError> {
    let data = |(place, instrument): (usize, &Instrument)| instrument_data(dataset, place, instrument.clone(), first);
    let series = instruments.iter().enumerate().map(data).collect();
    Ok(Market::build(series, dataset.sessions.clone())?)
}

fn instrument_data(
    dataset: &Dataset,
    place: usize,
    instrument: Instrument,
    first: Option<Timestamp>,
) -> InstrumentData {
    let (bars, signal_bars) = (&dataset.bars[place], &dataset.signal_bars[place]);
    let Beside { actions, detail, fx, funding } = dataset.beside[place].clone();
    let row = first.map_or(0, |first| bars.time().partition_point(|&time| time < first));
    InstrumentData {
        instrument,
        bars: from_row(bars, row),
        signal_bars: (!Arc::ptr_eq(bars, signal_bars)).then(|| from_row(signal_bars, row)),
        actions,
        detail,
        fx,
        funding,
    }
}

fn from_row(bars: &Arc<Bars>, row: usize) -> Arc<Bars> {
    if row == 0 { Arc::clone(bars) } else { Arc::new(bars.slice(row..bars.len())) }
}
