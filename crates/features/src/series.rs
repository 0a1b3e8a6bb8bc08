//! The columns that kernels run down: an instrument's bars, or coarser bars made of them.

use std::borrow::Cow;

use tidegate_market::Bars;

/// Prices and volumes in time order, all of one length.
pub(crate) struct Series<'a> {
    pub(crate) high: Cow<'a, [f64]>,
    pub(crate) low: Cow<'a, [f64]>,
    pub(crate) close: Cow<'a, [f64]>,
    pub(crate) volume: Cow<'a, [f64]>,
}

impl<'a> Series<'a> {
    /// Returns the bars as they are.
    pub(crate) fn of(bars: &'a Bars) -> Self {
        Self {
            high: Cow::Borrowed(bars.high()),
            low: Cow::Borrowed(bars.low()),
            close: Cow::Borrowed(bars.close()),
            volume: Cow::Borrowed(bars.volume()),
        }
    }

    /// Returns bars of `bar_multiple` rows each: the first ends at `first_row`, the others `bar_multiple` rows apart.
    ///
    /// Only whole bars exist; `first_row` must be at least `bar_multiple - 1`.
    pub(crate) fn coarse(bars: &Bars, first_row: usize, bar_multiple: usize) -> Series<'static> {
        let spans = || (first_row..bars.len()).step_by(bar_multiple).map(|row| row + 1 - bar_multiple..=row);
        Series {
            high: spans().map(|span| bars.high()[span].iter().copied().fold(f64::NEG_INFINITY, f64::max)).collect(),
            low: spans().map(|span| bars.low()[span].iter().copied().fold(f64::INFINITY, f64::min)).collect(),
            close: spans().map(|span| bars.close()[*span.end()]).collect(),
            volume: spans().map(|span| bars.volume()[span].iter().sum()).collect(),
        }
    }

    /// Returns the number of bars.
    pub(crate) fn len(&self) -> usize {
        self.close.len()
    }
}
