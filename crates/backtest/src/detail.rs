//! Finer bars inside the bars of one instrument.

use std::ops::Range;
use std::sync::Arc;

use tidegate_market::Bars;

/// Which fine bars lie inside each coarse bar.
#[derive(Debug, Clone)]
pub(crate) struct Detail {
    fine: Arc<Bars>,
    /// The fine rows of coarse row `r` are `starts[r]..ends[r]`.
    rows: Vec<Range<u32>>,
}

impl Detail {
    /// Assigns fine bars to the coarse bar in which they open and close; those between two coarse bars belong to none.
    pub(crate) fn new(coarse: &Bars, fine: Arc<Bars>) -> Self {
        let mut rows = Vec::with_capacity(coarse.len());
        let mut next = 0;
        for row in 0..coarse.len() {
            while next < fine.len() && fine.open_time(next) < coarse.open_time(row) {
                next += 1;
            }
            let first = next;
            while next < fine.len() && fine.close_time(next) <= coarse.close_time(row) {
                next += 1;
            }
            rows.push(first as u32..next as u32);
        }
        Self { fine, rows }
    }

    /// Returns open, high, low and close of the fine bars inside a coarse one, in order.
    pub(crate) fn inside(&self, row: usize) -> impl Iterator<Item = [f64; 4]> + use<> {
        let fine = Arc::clone(&self.fine);
        let rows = self.rows[row].clone();
        rows.map(move |row| {
            let row = row as usize;
            [fine.open()[row], fine.high()[row], fine.low()[row], fine.close()[row]]
        })
    }

    /// Returns whether a coarse bar has fine ones.
    pub(crate) fn covers(&self, row: usize) -> bool {
        !self.rows[row].is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::bars_every;

    #[test]
    fn fine_bars_belong_to_the_coarse_bar_that_they_lie_in() {
        let detail = Detail::new(&bars_every("4h", 2), Arc::new(bars_every("1h", 6)));
        assert_eq!((detail.inside(0).count(), detail.inside(1).count()), (4, 2));
        assert!(detail.covers(1));
        let coarser = Detail::new(&bars_every("1h", 2), Arc::new(bars_every("4h", 2)));
        assert!(!coarser.covers(0) && !coarser.covers(1), "a bar that closes later is not inside");
    }
}
