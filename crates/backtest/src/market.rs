//! The instruments of a run and their bars, merged in time once and shared by every run.

use std::sync::Arc;

use tidegate_market::{
    Bars, CorporateAction, CorporateActionKind, Instrument, InstrumentId, RateSeries, Sessions, Timestamp,
};

use crate::BacktestError;
use crate::detail::Detail;
use crate::error::{AMOUNT_MAX, FACTORS, require};
use crate::timeline::{Merged, Timeline, open_time};

/// One instrument with everything that happens to it.
#[derive(Debug, Clone)]
pub struct InstrumentData {
    /// What is traded.
    pub instrument: Instrument,
    /// The prices at which orders fill and positions are valued.
    pub bars: Arc<Bars>,
    /// The prices that strategies see, row by row beside `bars`: adjusted for corporate actions, point in time. `None` shows `bars`.
    pub signal_bars: Option<Arc<Bars>>,
    /// Corporate actions that positions and working orders go through, in any order.
    pub actions: Vec<CorporateAction>,
    /// Finer bars that say how prices moved inside each bar. A bar without any goes by the path model.
    pub detail: Option<Arc<Bars>>,
    /// Money of the account per money of the instrument; `None` is the account's own currency.
    pub fx: Option<Arc<RateSeries>>,
    /// Funding rates of a perpetual contract, each due once at its time: a long position pays the rate times its value.
    pub funding: Option<Arc<RateSeries>>,
}

impl InstrumentData {
    /// Wraps an instrument whose bars are all there is.
    pub const fn new(instrument: Instrument, bars: Arc<Bars>) -> Self {
        Self { instrument, bars, signal_bars: None, actions: Vec::new(), detail: None, fx: None, funding: None }
    }
}

/// A corporate action with the place at which it takes effect.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PlacedAction {
    /// The step before whose opens it takes effect.
    pub(crate) step: u32,
    pub(crate) instrument: u32,
    /// The first row in new units.
    pub(crate) row: u32,
    pub(crate) kind: CorporateActionKind,
}

/// What only some markets have.
#[derive(Debug, Clone, Default)]
pub(crate) struct Extras {
    pub(crate) actions: Vec<PlacedAction>,
    pub(crate) details: Vec<Option<Detail>>,
    pub(crate) fx: Vec<Option<Arc<RateSeries>>>,
    pub(crate) has_fx: bool,
    pub(crate) funding: Vec<Option<Arc<RateSeries>>>,
    pub(crate) has_funding: bool,
    /// The group of each instrument, numbered in order of first appearance.
    pub(crate) groups: Vec<Option<u32>>,
}

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
    signal_bars: Vec<Arc<Bars>>,
    labels: Arc<[Timestamp]>,
    has_one_label_a_step: bool,
    merged: Option<Merged>,
    sessions: Option<Arc<Sessions>>,
    extras: Arc<Extras>,
}

impl Market {
    /// Checks instruments whose bars are all there is, and merges them. An instrument's place is its [`InstrumentId`] and breaks ties
    /// in time.
    ///
    /// # Errors
    /// As [`Market::build`].
    pub fn new(series: Vec<(Instrument, Arc<Bars>)>) -> Result<Self, BacktestError> {
        Self::build(series.into_iter().map(|(instrument, bars)| InstrumentData::new(instrument, bars)).collect(), None)
    }

    /// Checks instruments with everything that happens to them, and merges their bars. `sessions` is the calendar by which days begin
    /// and end; without one a day is a UTC day.
    ///
    /// # Errors
    /// [`BacktestError::NoBars`], [`BacktestError::TooManyBars`], [`BacktestError::DuplicateSymbol`], [`BacktestError::Range`] for a lot
    /// size, tick size, multiplier, split ratio, dividend or exchange rate out of range, [`BacktestError::SignalRows`] for signal bars
    /// that do not lie beside the bars, and [`BacktestError::NoExchangeRate`] where none is known at an instrument's first close.
    pub fn build(series: Vec<InstrumentData>, sessions: Option<Arc<Sessions>>) -> Result<Self, BacktestError> {
        let merge = series.len() > 1;
        Self::assemble(series, sessions, merge)
    }

    fn assemble(
        series: Vec<InstrumentData>,
        sessions: Option<Arc<Sessions>>,
        merge: bool,
    ) -> Result<Self, BacktestError> {
        check_instruments(&series)?;
        let bars: Vec<Arc<Bars>> = series.iter().map(|data| Arc::clone(&data.bars)).collect();
        let rows: usize = bars.iter().map(|bars| bars.len()).sum();
        if rows == 0 {
            return Err(BacktestError::NoBars { instruments: series.len() });
        }
        if rows >= u32::MAX as usize {
            return Err(BacktestError::TooManyBars { bars: rows });
        }
        let merged = merge.then(|| Merged::new(&bars));
        let labels = merged.as_ref().map_or_else(|| bars[0].time().into(), |merged| merged.labels(&bars));
        let has_one_label_a_step = merged.as_ref().is_none_or(|merged| merged.has_one_label_a_step(&bars, &labels));
        let extras = extras(&series, merged.as_ref())?;
        let mut instruments = Vec::with_capacity(series.len());
        let mut signal_bars = Vec::with_capacity(series.len());
        for data in series {
            signal_bars.push(data.signal_bars.unwrap_or(data.bars));
            instruments.push(data.instrument);
        }
        let extras = Arc::new(extras);
        Ok(Self { instruments, bars, signal_bars, labels, has_one_label_a_step, merged, sessions, extras })
    }

    /// Builds the general timeline even for one instrument, to compare it with the short one.
    #[cfg(test)]
    pub(crate) fn merged(series: Vec<(Instrument, Arc<Bars>)>) -> Result<Self, BacktestError> {
        Self::assemble(
            series.into_iter().map(|(instrument, bars)| InstrumentData::new(instrument, bars)).collect(),
            None,
            true,
        )
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

    /// Returns one instrument's bars as traded.
    ///
    /// # Panics
    /// When the market has no such instrument.
    pub fn bars(&self, instrument: InstrumentId) -> &Arc<Bars> {
        &self.bars[instrument.index()]
    }

    /// Returns one instrument's bars as strategies see them.
    ///
    /// # Panics
    /// When the market has no such instrument.
    pub fn signal_bars(&self, instrument: InstrumentId) -> &Arc<Bars> {
        &self.signal_bars[instrument.index()]
    }

    /// Returns one label per time at which some bar closes, ascending in closing time: the label of the first instrument's bar that
    /// closes then.
    pub fn labels(&self) -> &[Timestamp] {
        &self.labels
    }

    /// Returns the calendar by which days begin and end, if there is one.
    pub fn sessions(&self) -> Option<&Sessions> {
        self.sessions.as_deref()
    }

    pub(crate) fn all_bars(&self) -> &[Arc<Bars>] {
        &self.bars
    }

    pub(crate) fn all_signal_bars(&self) -> &[Arc<Bars>] {
        &self.signal_bars
    }

    pub(crate) fn shared_labels(&self) -> Arc<[Timestamp]> {
        Arc::clone(&self.labels)
    }

    pub(crate) const fn merged_timeline(&self) -> Option<&Merged> {
        self.merged.as_ref()
    }

    /// Returns the moment of a step.
    #[inline]
    pub(crate) fn close_time(&self, step: usize) -> Timestamp {
        match &self.merged {
            Some(merged) => Timeline::close_time(&merged, step),
            None => self.bars[0].close_time(step),
        }
    }

    /// Returns the label of all bars that open in a step, where that is the step's own for every step.
    pub(crate) fn opening_label(&self, step: usize) -> Option<Timestamp> {
        self.has_one_label_a_step.then(|| self.labels[step])
    }

    pub(crate) fn extras(&self) -> &Extras {
        &self.extras
    }
}

fn extras(series: &[InstrumentData], merged: Option<&Merged>) -> Result<Extras, BacktestError> {
    let mut actions = Vec::new();
    let mut details = Vec::with_capacity(series.len());
    let mut names: Vec<&str> = Vec::new();
    let mut groups = Vec::with_capacity(series.len());
    for (place, data) in series.iter().enumerate() {
        check_rates(data)?;
        for action in &data.actions {
            check_action(&data.instrument.symbol, action)?;
            actions.extend(placed(place as u32, action, &data.bars, merged).map(|placed| (action.time, placed)));
        }
        details.push(data.detail.as_ref().map(|fine| Detail::new(&data.bars, Arc::clone(fine))));
        groups.push(data.instrument.group.as_deref().map(|group| {
            let known = names.iter().position(|name| *name == group);
            known.unwrap_or_else(|| {
                names.push(group);
                names.len() - 1
            }) as u32
        }));
    }
    actions.sort_by_key(|&(time, action): &(Timestamp, PlacedAction)| {
        (action.step, action.instrument, time, rank(action.kind))
    });
    let actions: Vec<PlacedAction> = actions.into_iter().map(|(_, action)| action).collect();
    let fx: Vec<_> = series.iter().map(|data| data.fx.clone()).collect();
    let funding: Vec<_> = series.iter().map(|data| data.funding.clone()).collect();
    Ok(Extras {
        actions,
        details,
        has_fx: fx.iter().any(Option::is_some),
        fx,
        has_funding: funding.iter().any(Option::is_some),
        funding,
        groups,
    })
}

/// Of actions that take effect together the split comes first, so that a dividend is one per new unit.
const fn rank(kind: CorporateActionKind) -> u8 {
    match kind {
        CorporateActionKind::Split { .. } => 0,
        CorporateActionKind::Dividend { .. } => 1,
        CorporateActionKind::Delisting { .. } => 2,
    }
}

/// Returns where an action takes effect; `None` for one after the last bar, which no position meets.
fn placed(instrument: u32, action: &CorporateAction, bars: &Bars, merged: Option<&Merged>) -> Option<PlacedAction> {
    let step_of = |time: Timestamp, row: usize| merged.map_or(row as u32, |merged| merged.step_opening_at(time));
    let last = bars.len().checked_sub(1)?;
    if let CorporateActionKind::Delisting { .. } = action.kind {
        let step = step_of(bars.close_time(last), last + 1);
        return Some(PlacedAction { step, instrument, row: last as u32 + 1, kind: action.kind });
    }
    let to_label = bars.time()[0].nanos() - bars.open_time(0).nanos();
    let row = bars.time().partition_point(|label| label.nanos() - to_label < action.time.nanos());
    (row <= last).then(|| {
        let step = step_of(open_time(bars, row), row);
        PlacedAction { step, instrument, row: row as u32, kind: action.kind }
    })
}

fn check_instruments(series: &[InstrumentData]) -> Result<(), BacktestError> {
    let mut symbols: Vec<&str> = series.iter().map(|data| data.instrument.symbol.as_str()).collect();
    symbols.sort_unstable();
    if let Some(pair) = symbols.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(BacktestError::DuplicateSymbol { symbol: pair[0].to_owned() });
    }
    for data in series {
        let instrument = &data.instrument;
        let rule = "in [1e-9, 1e9]";
        require("multiplier", rule, instrument.multiplier, FACTORS.contains(&instrument.multiplier))?;
        for (name, step) in [("lot_size", instrument.lot_size), ("tick_size", instrument.tick_size)] {
            let step = step.unwrap_or(1.0);
            require(name, rule, step, FACTORS.contains(&step))?;
        }
        if let Some(signal) = &data.signal_bars
            && (signal.time() != data.bars.time() || signal.label() != data.bars.label())
        {
            let [expected, found] = [data.bars.len(), signal.len()];
            return Err(BacktestError::SignalRows { symbol: instrument.symbol.clone(), expected, found });
        }
    }
    Ok(())
}

fn check_rates(data: &InstrumentData) -> Result<(), BacktestError> {
    for &rate in data.funding.iter().flat_map(|funding| funding.value()) {
        require("funding rate", "in [-1, 1]", rate, rate.abs() <= 1.0)?;
    }
    let Some(fx) = &data.fx else { return Ok(()) };
    for &rate in fx.value() {
        require("exchange rate", "in [1e-9, 1e9]", rate, FACTORS.contains(&rate))?;
    }
    let first = (!data.bars.is_empty()).then(|| data.bars.close_time(0));
    match first.filter(|&close| fx.at(close).is_none()) {
        None => Ok(()),
        Some(close) => Err(BacktestError::NoExchangeRate { symbol: data.instrument.symbol.clone(), time: close }),
    }
}

fn check_action(symbol: &str, action: &CorporateAction) -> Result<(), BacktestError> {
    let (name, rule, value, holds) = match action.kind {
        CorporateActionKind::Split { ratio } => ("split ratio", "in [1e-9, 1e9]", ratio, FACTORS.contains(&ratio)),
        CorporateActionKind::Dividend { amount } => {
            ("dividend", "in [0, 1e15]", amount, (0.0..=AMOUNT_MAX).contains(&amount))
        }
        CorporateActionKind::Delisting { price } => {
            let price = price.map_or(0.0, |price| price.0);
            ("delisting price", "in [0, 1e15]", price, (0.0..=AMOUNT_MAX).contains(&price))
        }
    };
    if holds {
        return Ok(());
    }
    Err(BacktestError::Action { symbol: symbol.to_owned(), time: action.time, name, rule, value })
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
        assert_eq!(error.to_string(), "lot_size must be in [1e-9, 1e9], was `0`");
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

    fn data(days: &[(i64, f64)]) -> InstrumentData {
        InstrumentData::new(Instrument::fractional("A"), Arc::new(bars_at(days)))
    }

    fn day(day: i64) -> Timestamp {
        Timestamp::from_nanos(day * Timestamp::NANOS_PER_DAY)
    }

    #[test]
    fn an_action_takes_effect_before_the_first_bar_that_opens_at_or_after_it() {
        let split = |time| CorporateAction { time, kind: CorporateActionKind::Split { ratio: 2.0 } };
        let delisting = CorporateAction { time: day(9), kind: CorporateActionKind::Delisting { price: None } };
        let actions = vec![delisting, split(day(2)), split(day(9))];
        let first = InstrumentData { actions, ..data(&[(1, 5.0), (3, 5.0)]) };
        let second = InstrumentData {
            instrument: Instrument::fractional("B"),
            ..data(&[(1, 7.0), (2, 7.0), (3, 7.0), (4, 7.0)])
        };
        let market = Market::build(vec![first, second], None).expect("valid");
        let placed: Vec<_> = market.extras().actions.iter().map(|action| (action.step, action.row)).collect();
        // The split of day 2 meets the bar of day 3, the step after the holiday; the delisting comes after that bar's step.
        assert_eq!(placed, [(2, 1), (3, 2)]);
    }

    #[test]
    fn an_exchange_rate_must_be_known_at_the_first_close() {
        let late = RateSeries::new(vec![day(5)], vec![1.1]).expect("one row");
        let error = Market::build(vec![InstrumentData { fx: Some(Arc::new(late)), ..data(&[(1, 5.0)]) }], None);
        let message = error.expect_err("late").to_string();
        assert!(
            message.starts_with("an exchange rate for `A` must be known at its first close, `1970-01-03`"),
            "{message}"
        );
    }

    #[test]
    fn signal_bars_lie_beside_the_bars_and_actions_are_in_range() {
        let other = Some(Arc::new(bars_at(&[(2, 5.0)])));
        let message = Market::build(vec![InstrumentData { signal_bars: other, ..data(&[(1, 5.0)]) }], None);
        assert!(message.expect_err("other times").to_string().contains("signal bars of `A` must have the times"));
        let actions = vec![CorporateAction { time: day(1), kind: CorporateActionKind::Split { ratio: 0.0 } }];
        let message = Market::build(vec![InstrumentData { actions, ..data(&[(1, 5.0)]) }], None);
        let message = message.expect_err("ratio").to_string();
        assert_eq!(message, "split ratio of `A` at `1970-01-02` must be in [1e-9, 1e9], was `0`");
    }
}
