//! The instruments of a run and their bars, merged in time once and shared by every run.

use std::sync::Arc;

use tidegate_market::{Bars, Instrument, InstrumentId, Timestamp};

use crate::BacktestError;
use crate::error::require;
use crate::timeline::Merged;

/// Instruments with their bars; histories may differ in length, times and interval.
///
/// It is read-only and cheap to share: a sweep runs every trial on one market.
///
/// A bar is taken to open at its open time, but never before the instrument's bar before it closed: data whose bars overlap by
/// their nominal length (a short week) still trade one after the other.
#[derive(Debug, Clone)]
pub struct Market {
    instruments: Vec<Instrument>,
    bars: Vec<Arc<Bars>>,
    labels: Arc<[Timestamp]>,
    merged: Option<Merged>,
}

impl Market {
    /// Checks instruments and merges their bars. An instrument's place is its [`InstrumentId`] and breaks ties in time.
    ///
    /// # Errors
    /// [`BacktestError::NoBars`], [`BacktestError::TooManyBars`], [`BacktestError::DuplicateSymbol`], and
    /// [`BacktestError::Range`] for a lot size or multiplier that is not finite and above zero.
    pub fn new(series: Vec<(Instrument, Arc<Bars>)>) -> Result<Self, BacktestError> {
        let merge = series.len() > 1;
        Self::build(series, merge)
    }

    fn build(series: Vec<(Instrument, Arc<Bars>)>, merge: bool) -> Result<Self, BacktestError> {
        let (instruments, bars): (Vec<_>, Vec<_>) = series.into_iter().unzip();
        check_instruments(&instruments)?;
        let rows: usize = bars.iter().map(|bars| bars.len()).sum();
        if rows == 0 {
            return Err(BacktestError::NoBars { instruments: instruments.len() });
        }
        if rows >= u32::MAX as usize {
            return Err(BacktestError::TooManyBars { bars: rows });
        }
        let merged = merge.then(|| Merged::new(&bars));
        let labels = merged.as_ref().map_or_else(|| bars[0].time().into(), |merged| merged.labels(&bars));
        Ok(Self { instruments, bars, labels, merged })
    }

    /// Builds the general timeline even for one instrument, to compare it with the short one.
    #[cfg(test)]
    pub(crate) fn merged(series: Vec<(Instrument, Arc<Bars>)>) -> Result<Self, BacktestError> {
        Self::build(series, true)
    }

    /// Returns the number of instruments.
    pub const fn len(&self) -> usize {
        self.instruments.len()
    }

    /// Returns whether there are no instruments; a market that constructs has at least one.
    pub const fn is_empty(&self) -> bool {
        self.instruments.is_empty()
    }

    /// Returns the instruments in order.
    pub fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }

    /// Returns one instrument's bars.
    ///
    /// # Panics
    /// When the market has no such instrument.
    pub fn bars(&self, instrument: InstrumentId) -> &Arc<Bars> {
        &self.bars[instrument.index()]
    }

    /// Returns one label per time at which some bar closes, ascending in closing time: the label of the first instrument's bar that
    /// closes then.
    pub fn labels(&self) -> &[Timestamp] {
        &self.labels
    }

    pub(crate) fn all_bars(&self) -> &[Arc<Bars>] {
        &self.bars
    }

    pub(crate) fn shared_labels(&self) -> Arc<[Timestamp]> {
        Arc::clone(&self.labels)
    }

    pub(crate) const fn merged_timeline(&self) -> Option<&Merged> {
        self.merged.as_ref()
    }
}

fn check_instruments(instruments: &[Instrument]) -> Result<(), BacktestError> {
    let mut symbols: Vec<&str> = instruments.iter().map(|instrument| instrument.symbol.as_str()).collect();
    symbols.sort_unstable();
    if let Some(pair) = symbols.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(BacktestError::DuplicateSymbol { symbol: pair[0].to_owned() });
    }
    for instrument in instruments {
        let positive = |value: f64| value.is_finite() && value > 0.0;
        require("multiplier", "finite and above 0", instrument.multiplier, positive(instrument.multiplier))?;
        if let Some(lot) = instrument.lot_size {
            require("lot_size", "finite and above 0", lot, positive(lot))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{bars_at, flat_bars};

    #[test]
    fn a_symbol_given_twice_is_refused() {
        let bars = Arc::new(flat_bars(&[1.0]));
        let series = vec![(Instrument::fractional("A"), Arc::clone(&bars)), (Instrument::fractional("A"), bars)];
        let error = Market::new(series).expect_err("duplicate");
        assert_eq!(error.to_string(), "symbols must differ, `A` was given twice");
    }

    #[test]
    fn a_market_without_bars_is_refused() {
        let error = Market::new(vec![(Instrument::fractional("A"), Arc::new(flat_bars(&[])))]).expect_err("no bars");
        assert_eq!(error.to_string(), "a market must have at least one bar, has `1` instruments and no bar");
    }

    #[test]
    fn a_lot_of_zero_is_refused() {
        let instrument = Instrument { lot_size: Some(0.0), ..Instrument::fractional("A") };
        let error = Market::new(vec![(instrument, Arc::new(flat_bars(&[1.0])))]).expect_err("lot");
        assert_eq!(error.to_string(), "lot_size must be finite and above 0, was `0`");
    }

    #[test]
    fn labels_of_different_histories_are_merged() {
        let first = Arc::new(bars_at(&[(1, 5.0), (3, 5.0)]));
        let second = Arc::new(bars_at(&[(2, 7.0), (3, 7.0), (4, 7.0)]));
        let series = vec![(Instrument::fractional("A"), first), (Instrument::fractional("B"), second)];
        let market = Market::new(series).expect("valid");
        let days: Vec<i64> = market.labels().iter().map(|t| t.nanos() / Timestamp::NANOS_PER_DAY).collect();
        assert_eq!(days, [1, 2, 3, 4]);
    }
}
