//! The laws of folds and purge, against an oracle that enumerates bars instead of comparing ends.

use std::collections::BTreeSet;
use std::ops::Range;

use proptest::prelude::*;
use tidegate_market::Timestamp;

use crate::fixture::{labels, series};
use crate::{Fold, FoldSamples, Panel, Sample, ScaleSpec, WalkForward, fold_samples, folds};

/// One series: the days it trades on, and its labels' delay and horizon.
fn days() -> impl Strategy<Value = Vec<i64>> {
    proptest::collection::vec(prop_oneof![4 => Just(true), 1 => Just(false)], 45..60)
        .prop_map(|open| (0..).zip(open).filter_map(|(day, open)| open.then_some(day)).collect())
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

/// The instants of all bars that a label reads.
fn instants_read(panel: &Panel, sample: Sample) -> Option<BTreeSet<Timestamp>> {
    let series = &panel.series[sample.series as usize];
    let label = series.target.labels[sample.row as usize]?;
    Some((label.span_first_row..=label.span_last_row).map(|row| series.known_time[row]).collect())
}

/// Every row of the panel that closes in a part, slowly.
fn rows_of(panel: &Panel, part: &Range<usize>) -> Vec<Sample> {
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
    let mut purged = 0;
    let mut labelled = |part: &Range<usize>, later: usize| {
        let past: BTreeSet<Timestamp> = panel.axis[..later].iter().copied().collect();
        let mut kept = Vec::new();
        for sample in rows_of(panel, part) {
            match instants_read(panel, sample) {
                Some(read) if read.is_subset(&past) => kept.push(sample),
                Some(_) => purged += 1,
                None => {}
            }
        }
        kept
    };
    let train = labelled(&fold.train, fold.valid.start);
    let valid = labelled(&fold.valid, fold.test.start);
    FoldSamples { train, valid, test: rows_of(panel, &fold.test), purged }
}

/// The first instant that a part touches: its own bars and every bar its samples' labels read.
fn first_instant(panel: &Panel, part: &Range<usize>, samples: &[Sample]) -> Timestamp {
    let mut touched: BTreeSet<Timestamp> = panel.axis[part.clone()].iter().copied().collect();
    touched.extend(samples.iter().filter_map(|&sample| instants_read(panel, sample)).flatten());
    *touched.first().expect("a part has bars")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn the_purge_equals_the_oracle_and_no_spans_meet(
        histories in proptest::collection::vec(days(), 1..4),
        delay in 0_usize..2,
        horizon in 0_usize..9,
        scheme in scheme(),
    ) {
        let all: Vec<_> = (0..).zip(&histories).map(|(id, days)| {
            let mut one = series(id, days, 1);
            one.target = labels(days.len(), delay, horizon);
            one
        }).collect();
        let panel = Panel::new(all).expect("sane");
        prop_assume!(panel.axis.len() >= 24);
        for fold in folds(panel.axis.len(), &scheme).expect("fits") {
            let samples = fold_samples(&panel, &fold, &[ScaleSpec { window_bars: 1, bar_multiple: 1 }]);
            prop_assert_eq!(&samples, &oracle(&panel, &fold));

            let valid = first_instant(&panel, &fold.valid, &samples.valid);
            let test = first_instant(&panel, &fold.test, &samples.test);
            for (earlier, later) in [(&samples.train, valid), (&samples.train, test), (&samples.valid, test)] {
                for &sample in earlier {
                    let read = instants_read(&panel, sample).expect("kept samples have labels");
                    prop_assert!(read.iter().all(|&instant| instant < later));
                }
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
