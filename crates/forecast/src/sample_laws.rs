//! The laws of folds and purge, against an oracle that enumerates bars instead of comparing ends.

use std::collections::BTreeSet;
use std::ops::Range;

use proptest::prelude::*;
use tidegate_market::Timestamp;

use crate::fixture::{labels, series};
use crate::{Fold, FoldSamples, Panel, PanelSeries, Sample, SampleSet, ScaleSpec, WalkForward, fold_samples, folds};

/// The days that a series trades on.
pub(crate) fn days() -> impl Strategy<Value = Vec<i64>> {
    proptest::collection::vec(prop_oneof![4 => Just(true), 1 => Just(false)], 45..60)
        .prop_map(|open| (0..).zip(open).filter_map(|(day, open)| open.then_some(day)).collect())
}

/// Rising horizons.
pub(crate) fn horizons() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::btree_set(0_usize..9, 1..4).prop_map(|horizons| horizons.into_iter().collect())
}

/// Series on the given days whose labels begin `delay` rows after their own.
pub(crate) fn panel(histories: &[Vec<i64>], delay: usize, horizons: &[usize]) -> Panel {
    let one = |(id, days): (u32, &Vec<i64>)| {
        let targets = horizons.iter().map(|&horizon| labels(days.len(), delay, horizon)).collect();
        PanelSeries { targets, ..series(id, days, 1) }
    };
    Panel::new((0..).zip(histories).map(one).collect()).expect("sane")
}

fn scheme() -> impl Strategy<Value = WalkForward> {
    (1_usize..12, 1_usize..6, 1_usize..8, proptest::option::of(0_usize..4), any::<bool>()).prop_map(
        |(train_bars, valid_bars, test_bars, more, rolling)| {
            let step_bars = more.map(|more| test_bars + more);
            if rolling {
                WalkForward::Rolling { train_bars, valid_bars, test_bars, step_bars }
            } else {
                WalkForward::Expanding { train_bars, valid_bars, test_bars, step_bars }
            }
        },
    )
}

/// The instants of all bars that a sample's label reads at one horizon.
pub(crate) fn instants_read(panel: &Panel, sample: Sample, horizon: usize) -> Option<BTreeSet<Timestamp>> {
    let series = &panel.series[sample.series as usize];
    let label = series.targets[horizon].labels[sample.row as usize]?;
    Some((label.span_first_row..=label.span_last_row).map(|row| series.known_time[row]).collect())
}

/// The instants that all labels of a set read.
pub(crate) fn instants_of(panel: &Panel, set: &SampleSet) -> BTreeSet<Timestamp> {
    let mut instants = BTreeSet::new();
    for (place, &sample) in set.iter().enumerate() {
        for (horizon, label) in set.labels(place).iter().enumerate() {
            if label.is_some() {
                instants.extend(instants_read(panel, sample, horizon).expect("a label of the set is one of the panel"));
            }
        }
    }
    instants
}

/// Every row of the panel that closes in a part, slowly.
pub(crate) fn rows_of(panel: &Panel, part: &Range<usize>) -> Vec<Sample> {
    let instants: BTreeSet<Timestamp> = panel.axis[part.clone()].iter().copied().collect();
    let mut samples = Vec::new();
    for time in &instants {
        for (place, series) in panel.series.iter().enumerate() {
            if let Some(row) = series.known_time.iter().position(|known| known == time) {
                samples.push(Sample { series: place as u32, row: row as u32 });
            }
        }
    }
    samples
}

/// What the samples must be: a label stays when every bar it reads is among the instants before the later parts.
fn oracle(panel: &Panel, fold: &Fold) -> FoldSamples {
    let (mut purged, mut purged_labels) = (0, 0);
    let mut labelled = |part: &Range<usize>, later: usize| {
        let past: BTreeSet<Timestamp> = panel.axis[..later].iter().copied().collect();
        let mut set = SampleSet::with_all_labels(panel, vec![]);
        for sample in rows_of(panel, part) {
            let all: Vec<_> = (0..panel.horizons()).map(|horizon| instants_read(panel, sample, horizon)).collect();
            let lost = all.iter().flatten().filter(|read| !read.is_subset(&past)).count();
            purged_labels += lost;
            if all.iter().flatten().any(|read| read.is_subset(&past)) {
                let stays = |read: &Option<BTreeSet<_>>| read.as_ref().is_some_and(|read| read.is_subset(&past));
                let value = f64::from(sample.row) / 1000.0;
                set.samples.push(sample);
                set.target.extend(all.iter().map(|read| stays(read).then_some(value)));
            } else if lost > 0 {
                purged += 1;
            }
        }
        set
    };
    let train = labelled(&fold.train, fold.valid.start);
    let valid = labelled(&fold.valid, fold.test.start);
    let test = SampleSet::with_all_labels(panel, rows_of(panel, &fold.test));
    let train_bars = vec![fold.train.clone()];
    FoldSamples { train, valid, test, train_bars, purged, purged_labels, embargoed: 0 }
}

/// The first instant that a part touches: its own bars and every bar its samples' labels read.
fn first_instant(panel: &Panel, part: &Range<usize>, set: &SampleSet) -> Timestamp {
    let mut touched = instants_of(panel, set);
    touched.extend(&panel.axis[part.clone()]);
    *touched.first().expect("a part has bars")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn the_purge_equals_the_oracle_and_no_spans_meet(
        histories in proptest::collection::vec(days(), 1..4),
        delay in 0_usize..2,
        horizons in horizons(),
        scheme in scheme(),
    ) {
        let panel = panel(&histories, delay, &horizons);
        prop_assume!(panel.axis.len() >= 24);
        for fold in folds(panel.axis.len(), &scheme).expect("fits") {
            let samples = fold_samples(&panel, &fold, &[ScaleSpec { window_bars: 1, bar_multiple: 1, window_bars_min: None }]);
            prop_assert_eq!(&samples, &oracle(&panel, &fold));

            let valid = first_instant(&panel, &fold.valid, &samples.valid);
            let test = first_instant(&panel, &fold.test, &samples.test);
            for (earlier, later) in [(&samples.train, valid), (&samples.train, test), (&samples.valid, test)] {
                prop_assert!(instants_of(&panel, earlier).iter().all(|&instant| instant < later));
            }
        }
    }

    #[test]
    fn test_blocks_cover_everything_after_the_first_once_and_in_order(len in 24_usize..200, scheme in scheme()) {
        let folds = folds(len, &scheme).expect("fits");
        let (step, test) = match scheme {
            WalkForward::Rolling { test_bars, step_bars, .. } | WalkForward::Expanding { test_bars, step_bars, .. } => {
                (step_bars.unwrap_or(test_bars), test_bars)
            }
            WalkForward::Holdout { .. } => unreachable!("not among the schemes"),
        };
        let first = folds[0].test.start;
        let expected: Vec<usize> = (first..len).filter(|bar| (bar - first) % step < test).collect();
        let tested: Vec<usize> = folds.iter().flat_map(|fold| fold.test.clone()).collect();
        prop_assert_eq!(tested, expected);
        for fold in &folds {
            prop_assert_eq!(fold.train.end, fold.valid.start);
            prop_assert_eq!(fold.valid.end, fold.test.start);
        }
    }
}
