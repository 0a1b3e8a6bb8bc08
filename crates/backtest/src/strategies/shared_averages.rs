//! Moving averages that the trials of one market share.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use tidegate_indicators::{Indicator, Sma};
use tidegate_market::Bars;

use crate::Market;

/// Lengths whose columns are found through one allocation.
const LENGTHS_A_PAGE: usize = 64;

/// The average of one length at every row of every instrument, one instrument after the other; `None` where there was no room.
type Column = OnceLock<Option<Box<[f64]>>>;

/// Simple moving averages of the closes that strategies see, each length computed once, when it is first asked for.
///
/// It is read-only and can be shared between threads: a sweep over thousands of pairs needs a few dozen columns. A row is what
/// [`Sma`] gives at that row from the rows up to it, to the bit, and NaN in its warm-up. Memory is bounded: what no longer fits is
/// not kept, and the strategies that ask for it compute their averages bar by bar instead, with the same result.
#[derive(Debug)]
pub struct SharedAverages {
    series: Vec<Arc<Bars>>,
    /// The first row of each instrument in a column.
    starts: Vec<usize>,
    rows: usize,
    pages: Box<[OnceLock<Box<[Column]>>]>,
    bytes_left: AtomicUsize,
}

/// Two columns of one market side by side.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AveragePair<'a> {
    pub(crate) fast: &'a [f64],
    pub(crate) slow: &'a [f64],
}

impl SharedAverages {
    /// Prepares a market's averages, which may together take so many bytes.
    pub fn new(market: &Market, bytes_max: usize) -> Self {
        let series = market.all_signal_bars().to_vec();
        let longest = series.iter().map(|bars| bars.len()).max().unwrap_or(0);
        let mut rows = 0;
        let mut starts = Vec::with_capacity(series.len());
        for bars in &series {
            starts.push(rows);
            rows += bars.len();
        }
        let pages = (0..longest.div_ceil(LENGTHS_A_PAGE)).map(|_| OnceLock::new()).collect();
        Self { series, starts, rows, pages, bytes_left: AtomicUsize::new(bytes_max) }
    }

    /// Returns the averages of a length over the rows of every instrument, one after the other; `None` where no instrument has as many
    /// rows, and where there is no room for one more column.
    pub fn column(&self, bars: NonZeroUsize) -> Option<&[f64]> {
        let place = bars.get() - 1;
        let page = self.pages.get(place / LENGTHS_A_PAGE)?;
        let page = page.get_or_init(|| (0..LENGTHS_A_PAGE).map(|_| Column::new()).collect());
        page[place % LENGTHS_A_PAGE].get_or_init(|| self.reserve().then(|| self.compute(bars))).as_deref()
    }

    /// Returns the row of an instrument in every column.
    #[inline]
    pub(crate) fn place(&self, instrument: usize, row: usize) -> usize {
        self.starts[instrument] + row
    }

    /// Returns whether closes are those that the averages of an instrument were made from.
    #[inline]
    pub(crate) fn is_of(&self, instrument: usize, closes: &[f64]) -> bool {
        self.series.get(instrument).is_some_and(|bars| bars.close().as_ptr() == closes.as_ptr())
    }

    fn reserve(&self) -> bool {
        let bytes = self.rows * size_of::<f64>();
        let left = |left: usize| left.checked_sub(bytes);
        self.bytes_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left).is_ok()
    }

    fn compute(&self, bars: NonZeroUsize) -> Box<[f64]> {
        let mut column = Vec::with_capacity(self.rows);
        for series in &self.series {
            let mut average = Sma::new(bars);
            column.extend(series.close().iter().map(|&close| average.update(close).unwrap_or(f64::NAN)));
        }
        column.into()
    }
}

impl AveragePair<'_> {
    /// Returns whether the fast average crosses above the slow one at a row: it is above, and was not one row before.
    #[inline]
    pub(crate) fn crosses_above(&self, row: usize) -> bool {
        row > 0 && self.fast[row - 1] <= self.slow[row - 1] && self.fast[row] > self.slow[row]
    }

    /// Returns whether the fast average crosses below the slow one at a row.
    #[inline]
    pub(crate) fn crosses_below(&self, row: usize) -> bool {
        row > 0 && self.fast[row - 1] >= self.slow[row - 1] && self.fast[row] < self.slow[row]
    }

    /// Returns the first row from `first`, above zero, on at which the averages cross; the number of rows where they do not.
    #[inline]
    pub(crate) fn next_cross(&self, first: usize) -> usize {
        const ROWS: usize = 8;
        let end = self.fast.len().min(self.slow.len());
        let mut row = first;
        // Row by row a cross ends the search, side by side it does not: most blocks have none.
        while row + ROWS <= end {
            let [before, now] = [row - 1..row - 1 + ROWS, row..row + ROWS];
            let was = self.fast[before.clone()].iter().zip(&self.slow[before]);
            let is = self.fast[now.clone()].iter().zip(&self.slow[now]);
            let mut crosses = 0_u64;
            for ((was_fast, was_slow), (is_fast, is_slow)) in was.zip(is) {
                let above = u64::from(was_fast <= was_slow) & u64::from(is_fast > is_slow);
                let below = u64::from(was_fast >= was_slow) & u64::from(is_fast < is_slow);
                crosses |= above | below;
            }
            if crosses != 0 {
                break;
            }
            row += ROWS;
        }
        (row..end).find(|&row| self.crosses_above(row) || self.crosses_below(row)).unwrap_or(end)
    }
}

#[cfg(test)]
mod tests {
    use tidegate_market::Instrument;

    use super::*;
    use crate::testing::flat_bars;

    fn bars(count: usize) -> NonZeroUsize {
        NonZeroUsize::new(count).expect("above zero")
    }

    fn market() -> Market {
        let wave =
            |phase: f64| -> Vec<f64> { (0..100).map(|row| 9.0 + (f64::from(row) * 0.4 + phase).sin()).collect() };
        let series = [0.0, 1.0].map(|phase| Arc::new(flat_bars(&wave(phase))));
        let named = series.into_iter().zip(["A", "B"]).map(|(bars, name)| (Instrument::fractional(name), bars));
        Market::new(named.collect()).expect("valid")
    }

    #[test]
    fn a_column_has_the_bits_of_the_streaming_average_of_every_instrument() {
        let market = market();
        let averages = SharedAverages::new(&market, 1 << 20);
        let column = averages.column(bars(7)).expect("room");
        assert_eq!(column.len(), 200);
        for (place, instrument) in market.all_signal_bars().iter().enumerate() {
            let mut streaming = Sma::new(bars(7));
            for (row, &close) in instrument.close().iter().enumerate() {
                let expected = streaming.update(close).unwrap_or(f64::NAN);
                assert_eq!(column[averages.place(place, row)].to_bits(), expected.to_bits());
            }
        }
        assert!(std::ptr::eq(column, averages.column(bars(7)).expect("kept")), "computed once");
    }

    #[test]
    fn a_length_without_room_or_rows_is_left_to_the_strategy() {
        // Two columns of 200 rows of 8 bytes.
        let averages = SharedAverages::new(&market(), 2 * 200 * 8);
        assert!(averages.column(bars(2)).is_some() && averages.column(bars(3)).is_some());
        assert!(averages.column(bars(4)).is_none());
        assert!(averages.column(bars(3)).is_some(), "what was kept stays");
        assert!(averages.column(bars(1_000)).is_none());
    }

    #[test]
    fn the_next_cross_is_found_in_and_between_blocks() {
        // Below, then level, then above from row 21 on, level at 40, above at 41, below at 60: touching does not cross.
        let spread = |row: usize| match row {
            20 | 40 => 0.0,
            0..=19 | 60.. => -1.0,
            _ => 1.0,
        };
        let fast: Vec<f64> = (0..70).map(spread).collect();
        let pair = AveragePair { fast: &fast, slow: &[0.0; 70] };
        assert_eq!([1, 20, 21, 22, 41, 42, 61].map(|first| pair.next_cross(first)), [21, 21, 21, 41, 41, 60, 70]);
        assert!(pair.crosses_above(21) && pair.crosses_above(41) && pair.crosses_below(60) && !pair.crosses_above(22));
    }

    #[test]
    fn warm_up_crosses_nothing() {
        let slow = [f64::NAN, f64::NAN, 1.0, 1.0, 1.0];
        let pair = AveragePair { fast: &[0.0, 2.0, 2.0, 2.0, 0.0], slow: &slow };
        assert_eq!(pair.next_cross(1), 4);
    }
}
