//! In which order bars open and close.
//!
//! A step is a time at which at least one bar closes. Before its closes come the opens since the step before, in groups of one
//! open time. What ends at a time comes before what begins at it: a decision at the close of one bar precedes the open of the
//! next bar even where the two times are equal.

use std::ops::Range;
use std::sync::Arc;

use tidegate_market::{Bars, Timestamp};

/// One row of one instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BarRef {
    pub(crate) instrument: u32,
    pub(crate) row: u32,
}

/// Walks steps; the engine is generic over it.
pub(crate) trait Timeline {
    /// Every bar that closes in a step also opened in it, in one group: marks at the open never outlive the step.
    fn is_lockstep(&self) -> bool;
    /// Whether there is one instrument, whose rows are the steps.
    fn is_one_instrument(&self) -> bool;
    fn steps(&self) -> usize;
    fn close_time(&self, step: usize) -> Timestamp;
    /// The first bar, in instrument order, that closes in a step.
    fn first_closing(&self, step: usize) -> BarRef;
    /// The bars that close in a step, in instrument order.
    fn closings(&self, step: usize) -> impl Iterator<Item = BarRef>;
    /// The groups of bars that open in a step, in time order.
    fn open_groups(&self, step: usize) -> Range<usize>;
    /// The bars of one group, in instrument order.
    fn openings(&self, group: usize) -> impl Iterator<Item = BarRef>;
    /// Reads the opens of a step before it is known whether any order needs them, where that is one column: memory is then ahead
    /// of the fills, which come too seldom for the processor to see that they follow a column.
    fn follow_opens(&self, step: usize);
    /// The bar of an instrument in one group.
    fn opening(&self, group: usize, instrument: usize) -> Option<BarRef>;
}

/// One instrument: a step is a row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Single<'a> {
    bars: &'a Bars,
    opens: &'a [f64],
}

impl<'a> Single<'a> {
    pub(crate) fn new(bars: &'a Bars) -> Self {
        Self { bars, opens: bars.open() }
    }
}

impl Timeline for Single<'_> {
    #[inline]
    fn is_lockstep(&self) -> bool {
        true
    }

    #[inline]
    fn is_one_instrument(&self) -> bool {
        true
    }

    #[inline]
    fn steps(&self) -> usize {
        self.bars.len()
    }

    #[inline]
    fn close_time(&self, step: usize) -> Timestamp {
        self.bars.close_time(step)
    }

    #[inline]
    fn first_closing(&self, step: usize) -> BarRef {
        BarRef { instrument: 0, row: step as u32 }
    }

    #[inline]
    fn closings(&self, step: usize) -> impl Iterator<Item = BarRef> {
        std::iter::once(self.first_closing(step))
    }

    #[inline]
    fn open_groups(&self, step: usize) -> Range<usize> {
        step..step + 1
    }

    #[inline]
    fn openings(&self, group: usize) -> impl Iterator<Item = BarRef> {
        self.closings(group)
    }

    #[inline]
    fn follow_opens(&self, step: usize) {
        std::hint::black_box(self.opens[step]);
    }

    #[inline]
    fn opening(&self, group: usize, _instrument: usize) -> Option<BarRef> {
        Some(self.first_closing(group))
    }
}

/// Lists of bars, one after the other: list `i` ends at `ends[i]`.
#[derive(Debug, Clone)]
struct Lists {
    ends: Arc<[u32]>,
    bars: Arc<[BarRef]>,
}

impl Lists {
    #[inline]
    fn get(&self, index: usize) -> &[BarRef] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        &self.bars[start..self.ends[index] as usize]
    }

    /// Returns the bar of an instrument in a list, which is in instrument order.
    #[inline]
    fn find(&self, index: usize, instrument: usize) -> Option<BarRef> {
        let bars = self.get(index);
        let id = instrument as u32;
        // In a list of all instruments each is at its own place.
        let own = bars.get(instrument).filter(|bar| bar.instrument == id);
        own.or_else(|| bars.binary_search_by_key(&id, |bar| bar.instrument).ok().map(|place| &bars[place])).copied()
    }
}

/// Several instruments with any histories.
#[derive(Debug, Clone)]
pub(crate) struct Merged {
    axis: Arc<[Timestamp]>,
    closings: Lists,
    openings: Lists,
    /// Open groups per step: those of step `i` end at `group_ends[i]`. `None` when groups are steps.
    group_ends: Option<Arc<[u32]>>,
}

impl Merged {
    pub(crate) fn new(series: &[Arc<Bars>]) -> Self {
        let axis = axis(series);
        let closings = closings(series, &axis);
        if is_lockstep(series, &axis, &closings) {
            return Self { axis: axis.into(), openings: closings.clone(), closings, group_ends: None };
        }
        let (openings, group_ends) = openings(series, &axis);
        Self { axis: axis.into(), closings, openings, group_ends: Some(group_ends) }
    }

    /// Returns the step before whose closes a bar opens at a time.
    pub(crate) fn step_opening_at(&self, time: Timestamp) -> u32 {
        self.axis.partition_point(|&close| close <= time) as u32
    }

    /// One label per step: that of the first instrument's bar that closes in it.
    pub(crate) fn labels(&self, series: &[Arc<Bars>]) -> Arc<[Timestamp]> {
        let label = |step| {
            let bar = self.closings.get(step)[0];
            series[bar.instrument as usize].time()[bar.row as usize]
        };
        (0..self.axis.len()).map(label).collect()
    }

    /// Returns whether all bars that open in a step close in it and have its label.
    pub(crate) fn has_one_label_a_step(&self, series: &[Arc<Bars>], labels: &[Timestamp]) -> bool {
        let mut agree = self.group_ends.is_none();
        each_close(series, &self.axis, |step, bar| {
            agree &= series[bar.instrument as usize].time()[bar.row as usize] == labels[step];
        });
        agree
    }
}

impl Timeline for &Merged {
    fn is_lockstep(&self) -> bool {
        self.group_ends.is_none()
    }

    fn is_one_instrument(&self) -> bool {
        false
    }

    fn steps(&self) -> usize {
        self.axis.len()
    }

    fn close_time(&self, step: usize) -> Timestamp {
        self.axis[step]
    }

    fn first_closing(&self, step: usize) -> BarRef {
        self.closings.get(step)[0]
    }

    fn closings(&self, step: usize) -> impl Iterator<Item = BarRef> {
        self.closings.get(step).iter().copied()
    }

    fn open_groups(&self, step: usize) -> Range<usize> {
        match &self.group_ends {
            None => step..step + 1,
            Some(ends) => (if step == 0 { 0 } else { ends[step - 1] as usize })..ends[step] as usize,
        }
    }

    fn openings(&self, group: usize) -> impl Iterator<Item = BarRef> {
        self.openings.get(group).iter().copied()
    }

    #[inline]
    fn follow_opens(&self, _step: usize) {}

    #[inline]
    fn opening(&self, group: usize, instrument: usize) -> Option<BarRef> {
        self.openings.find(group, instrument)
    }
}

/// When a bar opened, but never before the instrument's bar before it closed.
pub(crate) fn open_time(bars: &Bars, row: usize) -> Timestamp {
    let nominal = bars.open_time(row);
    if row == 0 { nominal } else { nominal.max(bars.close_time(row - 1)) }
}

fn axis(series: &[Arc<Bars>]) -> Vec<Timestamp> {
    let close_times = |bars: &Bars| (0..bars.len()).map(|row| bars.close_time(row)).collect::<Vec<_>>();
    let mut axis = close_times(&series[0]);
    for bars in &series[1..] {
        let known = bars.len() == axis.len() && (0..bars.len()).all(|row| bars.close_time(row) == axis[row]);
        if !known {
            axis.extend(close_times(bars));
        }
    }
    // A stable sort finds the sorted runs and merges them.
    axis.sort();
    axis.dedup();
    axis
}

fn closings(series: &[Arc<Bars>], axis: &[Timestamp]) -> Lists {
    let mut ends = vec![0_u32; axis.len()];
    each_close(series, axis, |step, _| ends[step] += 1);
    let mut starts = Vec::with_capacity(axis.len());
    let mut total = 0;
    for end in &mut ends {
        starts.push(total);
        total += *end;
        *end = total;
    }
    let mut bars = vec![BarRef { instrument: 0, row: 0 }; total as usize];
    each_close(series, axis, |step, bar| {
        bars[starts[step] as usize] = bar;
        starts[step] += 1;
    });
    Lists { ends: ends.into(), bars: bars.into() }
}

/// Visits every bar with the step in which it closes, instrument by instrument.
fn each_close(series: &[Arc<Bars>], axis: &[Timestamp], mut visit: impl FnMut(usize, BarRef)) {
    for (instrument, bars) in series.iter().enumerate() {
        let mut step = 0;
        for row in 0..bars.len() {
            let time = bars.close_time(row);
            if axis[step] != time {
                step += axis[step..].partition_point(|&close| close < time);
            }
            visit(step, BarRef { instrument: instrument as u32, row: row as u32 });
            step += 1;
        }
    }
}

/// Whether the bars of every step opened together, at or after the step before.
fn is_lockstep(series: &[Arc<Bars>], axis: &[Timestamp], closings: &Lists) -> bool {
    (0..axis.len()).all(|step| {
        let time = |bar: &BarRef| open_time(&series[bar.instrument as usize], bar.row as usize);
        let bars = closings.get(step);
        let first = time(&bars[0]);
        (step == 0 || axis[step - 1] <= first) && bars.iter().all(|bar| time(bar) == first)
    })
}

fn openings(series: &[Arc<Bars>], axis: &[Timestamp]) -> (Lists, Arc<[u32]>) {
    let mut opens = Vec::new();
    for (instrument, bars) in series.iter().enumerate() {
        for row in 0..bars.len() {
            opens.push((open_time(bars, row), BarRef { instrument: instrument as u32, row: row as u32 }));
        }
    }
    opens.sort_by_key(|&(time, bar)| (time, bar.instrument));
    let mut group_ends = Vec::with_capacity(axis.len());
    let mut ends = Vec::new();
    let mut place = 0;
    for &close in axis {
        while place < opens.len() && opens[place].0 < close {
            let time = opens[place].0;
            place += opens[place..].iter().take_while(|open| open.0 == time).count();
            ends.push(place as u32);
        }
        group_ends.push(ends.len() as u32);
    }
    let bars = opens.into_iter().map(|(_, bar)| bar).collect();
    (Lists { ends: ends.into(), bars }, group_ends.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{bars_at, bars_every};

    fn pairs(bars: impl Iterator<Item = BarRef>) -> Vec<(u32, u32)> {
        bars.map(|bar| (bar.instrument, bar.row)).collect()
    }

    #[test]
    fn bars_of_one_grid_run_in_lockstep() {
        let series = [Arc::new(bars_at(&[(1, 1.0), (3, 1.0)])), Arc::new(bars_at(&[(2, 1.0), (3, 1.0)]))];
        let merged = &Merged::new(&series);
        assert!(merged.is_lockstep());
        assert_eq!(merged.steps(), 3);
        assert_eq!(pairs(merged.closings(0)), [(0, 0)]);
        assert_eq!(pairs(merged.closings(2)), [(0, 1), (1, 1)]);
        assert_eq!(pairs(merged.openings(2)), [(0, 1), (1, 1)]);
    }

    #[test]
    fn a_step_has_one_label_only_where_all_its_bars_have() {
        let series = [Arc::new(bars_at(&[(1, 1.0), (3, 1.0)])), Arc::new(bars_at(&[(2, 1.0), (3, 1.0)]))];
        let merged = Merged::new(&series);
        assert!(merged.has_one_label_a_step(&series, &merged.labels(&series)));
        // The same day, labelled by its close.
        let columns = series[0].columns().clone();
        let later = columns.time.iter().map(|time| time.plus_nanos(Timestamp::NANOS_PER_DAY)).collect();
        let columns = tidegate_market::BarColumns { time: later, ..columns };
        let by_close = Bars::new(columns, tidegate_market::BarLabel::Close, series[0].interval()).expect("sane");
        let series = [Arc::clone(&series[0]), Arc::new(by_close)];
        let merged = Merged::new(&series);
        assert!((&merged).is_lockstep());
        assert!(!merged.has_one_label_a_step(&series, &merged.labels(&series)));
    }

    #[test]
    fn the_bar_of_an_instrument_is_found_in_any_group() {
        let series = [Arc::new(bars_at(&[(1, 1.0), (3, 1.0)])), Arc::new(bars_at(&[(2, 1.0), (3, 1.0)]))];
        let merged = &Merged::new(&series);
        let found = |group, instrument| merged.opening(group, instrument).map(|bar| bar.row);
        assert_eq!([found(0, 0), found(0, 1)], [Some(0), None]);
        assert_eq!([found(1, 0), found(1, 1)], [None, Some(0)]);
        assert_eq!([found(2, 0), found(2, 1)], [Some(1), Some(1)]);
    }

    #[test]
    fn a_long_bar_opens_before_the_short_bars_inside_it_close() {
        // Hours 0..4 against two bars of two hours: the second long bar opens with the third hour.
        let series = [Arc::new(bars_every("1h", 4)), Arc::new(bars_every("2h", 2))];
        let merged = &Merged::new(&series);
        assert!(!merged.is_lockstep());
        assert_eq!(merged.steps(), 4);
        let opened =
            |step| merged.open_groups(step).flat_map(|group| pairs(merged.openings(group))).collect::<Vec<_>>();
        assert_eq!(opened(0), [(0, 0), (1, 0)]);
        assert_eq!(opened(1), [(0, 1)]);
        assert_eq!(opened(2), [(0, 2), (1, 1)]);
        assert_eq!(pairs(merged.closings(1)), [(0, 1), (1, 0)]);
    }
}
