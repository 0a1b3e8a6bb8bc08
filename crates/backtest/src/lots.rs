//! First in, first out: which units of a position a fill closes, and what prices they saw meanwhile.

use std::collections::VecDeque;

use tidegate_market::Timestamp;

/// The highest and lowest price of some rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Extremes {
    pub(crate) high: f64,
    pub(crate) low: f64,
}

impl Extremes {
    pub(crate) const NONE: Self = Self { high: f64::NEG_INFINITY, low: f64::INFINITY };

    #[inline]
    fn merge(&mut self, other: Self) {
        self.high = if other.high > self.high { other.high } else { self.high };
        self.low = if other.low < self.low { other.low } else { self.low };
    }

    const fn divided(self, ratio: f64) -> Self {
        Self { high: self.high / ratio, low: self.low / ratio }
    }

    /// Returns the extremes of two columns of one length. Which of equal values is taken makes no difference, so that several rows
    /// are compared side by side; NaN is passed over.
    #[inline]
    pub(crate) fn of(high: &[f64], low: &[f64]) -> Self {
        const LANES: usize = 8;
        let [mut highest, mut lowest] = [[f64::NEG_INFINITY; LANES], [f64::INFINITY; LANES]];
        let ((highs, rest_high), (lows, rest_low)) = (high.as_chunks::<LANES>(), low.as_chunks::<LANES>());
        for (high, low) in highs.iter().zip(lows) {
            highest = std::array::from_fn(|lane| if high[lane] > highest[lane] { high[lane] } else { highest[lane] });
            lowest = std::array::from_fn(|lane| if low[lane] < lowest[lane] { low[lane] } else { lowest[lane] });
        }
        let mut extremes = Self::NONE;
        for (&high, &low) in highest.iter().zip(&lowest).chain(rest_high.iter().zip(rest_low)) {
            extremes.merge(Self { high, low });
        }
        extremes
    }
}

/// Units bought (or sold short) in one fill that are still held.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lot {
    pub(crate) quantity: f64,
    pub(crate) price: f64,
    pub(crate) fx_rate: f64,
    pub(crate) commission_per_unit: f64,
    pub(crate) slippage_per_unit: f64,
    pub(crate) row: u32,
    pub(crate) time: Timestamp,
    extremes: Extremes,
}

/// The lots of one position, oldest first.
///
/// The extremes since the oldest lot's entry are those of a window whose two ends only move forward. Each row is read once: a lot
/// keeps the extremes up to the next lot's entry; when the oldest lot's are asked for, all lots present are folded from the
/// newest back, and rows after that go to `tail`.
#[derive(Debug, Clone)]
pub(crate) struct LotQueue {
    lots: VecDeque<Lot>,
    folded: usize,
    tail: Extremes,
    rows_read: u32,
}

impl Default for LotQueue {
    fn default() -> Self {
        Self { lots: VecDeque::new(), folded: 0, tail: Extremes::NONE, rows_read: 0 }
    }
}

/// What an entry adds to the queue.
pub(crate) struct Entry {
    pub(crate) quantity: f64,
    pub(crate) price: f64,
    pub(crate) fx_rate: f64,
    pub(crate) commission_per_unit: f64,
    pub(crate) slippage_per_unit: f64,
    pub(crate) row: u32,
    pub(crate) time: Timestamp,
    /// The first row whose whole range the units see.
    pub(crate) first_row_seen: u32,
}

impl LotQueue {
    /// Adds units behind all others. `high` and `low` are the instrument's columns.
    #[inline]
    pub(crate) fn push(&mut self, entry: &Entry, high: &[f64], low: &[f64]) {
        if self.lots.is_empty() {
            self.folded = 0;
            self.tail = Extremes::NONE;
            self.rows_read = entry.first_row_seen;
        } else {
            self.read(entry.first_row_seen, high, low);
        }
        self.lots.push_back(Lot {
            quantity: entry.quantity,
            price: entry.price,
            fx_rate: entry.fx_rate,
            commission_per_unit: entry.commission_per_unit,
            slippage_per_unit: entry.slippage_per_unit,
            row: entry.row,
            time: entry.time,
            extremes: Extremes::NONE,
        });
    }

    /// Takes up to `quantity` units off the oldest lot. Returns the lot with its quantity set to what was taken, and the extremes of
    /// the rows before `rows_end` that it saw; `None` without lots.
    #[inline]
    pub(crate) fn take(&mut self, quantity: f64, rows_end: u32, high: &[f64], low: &[f64]) -> Option<(Lot, Extremes)> {
        self.read(rows_end, high, low);
        if self.folded == 0 {
            self.fold();
        }
        let tail = self.tail;
        let oldest = self.lots.front_mut()?;
        let mut taken = *oldest;
        taken.extremes.merge(tail);
        // A rest within rounding of the lot is no lot.
        if quantity < oldest.quantity * (1.0 - 8.0 * f64::EPSILON) {
            oldest.quantity -= quantity;
            taken.quantity = quantity;
        } else {
            self.lots.pop_front();
            self.folded -= 1;
        }
        Some((taken, taken.extremes))
    }

    /// Counts in new units from a row on: `ratio` for each old one. Extremes before it are divided like the prices.
    pub(crate) fn split(&mut self, ratio: f64, row: u32, high: &[f64], low: &[f64]) {
        if self.lots.is_empty() {
            return;
        }
        self.read(row, high, low);
        self.tail = self.tail.divided(ratio);
        for lot in &mut self.lots {
            lot.quantity *= ratio;
            lot.price /= ratio;
            lot.commission_per_unit /= ratio;
            lot.slippage_per_unit /= ratio;
            lot.extremes = lot.extremes.divided(ratio);
        }
    }

    /// Drops what rounding left of a position that is closed, or what an earlier run left.
    pub(crate) fn clear(&mut self) {
        self.lots.clear();
        self.folded = 0;
    }

    #[inline]
    fn read(&mut self, rows_end: u32, high: &[f64], low: &[f64]) {
        if rows_end <= self.rows_read {
            return;
        }
        let rows = self.rows_read as usize..rows_end as usize;
        let extremes = Extremes::of(&high[rows.clone()], &low[rows]);
        self.rows_read = rows_end;
        self.tail.merge(extremes);
        if self.lots.len() > self.folded
            && let Some(newest) = self.lots.back_mut()
        {
            newest.extremes.merge(extremes);
        }
    }

    #[inline]
    fn fold(&mut self) {
        let mut since = Extremes::NONE;
        for lot in self.lots.iter_mut().rev() {
            since.merge(lot.extremes);
            lot.extremes = since;
        }
        self.folded = self.lots.len();
        self.tail = Extremes::NONE;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HIGH: [f64; 6] = [11.0, 15.0, 12.0, 13.0, 19.0, 14.0];
    const LOW: [f64; 6] = [9.0, 8.0, 10.0, 7.0, 11.0, 12.0];

    fn push(queue: &mut LotQueue, quantity: f64, row: u32) {
        let entry = Entry {
            quantity,
            price: 10.0,
            fx_rate: 1.0,
            commission_per_unit: 0.0,
            slippage_per_unit: 0.0,
            row,
            time: Timestamp::from_nanos(0),
            first_row_seen: row,
        };
        queue.push(&entry, &HIGH, &LOW);
    }

    fn check(queue: &mut LotQueue, quantity: f64, rows_end: u32, taken: f64, high: f64, low: f64) {
        let (lot, extremes) = queue.take(quantity, rows_end, &HIGH, &LOW).expect("a lot");
        assert_eq!((lot.quantity, extremes.high, extremes.low), (taken, high, low));
    }

    #[test]
    fn the_oldest_lot_closes_first_and_sees_all_rows_since_its_entry() {
        let mut queue = LotQueue::default();
        push(&mut queue, 5.0, 0);
        push(&mut queue, 3.0, 2);
        push(&mut queue, 1.0, 3);
        check(&mut queue, 2.0, 4, 2.0, 15.0, 7.0); // rows 0..4
        push(&mut queue, 4.0, 4);
        check(&mut queue, 9.0, 5, 3.0, 19.0, 7.0); // the rest of the first lot, rows 0..5
        check(&mut queue, 6.0, 5, 3.0, 19.0, 7.0); // rows 2..5
        check(&mut queue, 3.0, 5, 1.0, 19.0, 7.0); // rows 3..5
        check(&mut queue, 2.0, 6, 2.0, 19.0, 11.0); // rows 4..6, half of the last lot
        check(&mut queue, 2.0, 6, 2.0, 19.0, 11.0);
        assert!(queue.take(1.0, 6, &HIGH, &LOW).is_none());
    }

    #[test]
    fn a_split_counts_the_rows_before_it_in_new_prices() {
        let mut queue = LotQueue::default();
        push(&mut queue, 5.0, 0);
        queue.split(2.0, 2, &HIGH, &LOW);
        // Rows 0 and 1 saw 15 and 8, which are 7.5 and 4 now; rows 2 and 3 are quoted in new prices already.
        check(&mut queue, 4.0, 4, 4.0, 13.0, 4.0);
        let (lot, _) = queue.take(9.0, 4, &HIGH, &LOW).expect("a lot");
        assert_eq!((lot.quantity, lot.price), (6.0, 5.0));
    }

    #[test]
    fn a_lot_that_saw_no_whole_row_has_no_extremes() {
        let mut queue = LotQueue::default();
        push(&mut queue, 1.0, 3);
        let (_, extremes) = queue.take(1.0, 3, &HIGH, &LOW).expect("a lot");
        assert_eq!(extremes, Extremes::NONE);
    }
}
