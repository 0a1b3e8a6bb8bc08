//! The laws of cross-validation: what training may share with the bars that judge it, and what the paths cover.

use std::collections::BTreeSet;
use std::ops::Range;

use proptest::prelude::*;
use tidegate_market::Timestamp;

use crate::sample_laws::{days, horizons, instants_of, instants_read, panel, rows_of};
use crate::{CrossValidation, FoldScheme, Panel, SampleSet, ScaleSpec, Split, paths, split_samples, splits};

const ONE_BAR: [ScaleSpec; 1] = [ScaleSpec { window_bars: 1, bar_multiple: 1, window_bars_min: None }];

fn scheme() -> impl Strategy<Value = CrossValidation> {
    let k_fold = (2_usize..6, 1_usize..4, 0_usize..4)
        .prop_map(|(folds, valid_bars, embargo_bars)| CrossValidation::PurgedKFold { folds, valid_bars, embargo_bars });
    let numbers = (3_usize..7).prop_flat_map(|groups| (Just(groups), 1..groups, 1_usize..4, 0_usize..4));
    let combinatorial = numbers.prop_map(|(groups, test_groups, valid_bars, embargo_bars)| {
        CrossValidation::Combinatorial { groups, test_groups, valid_bars, embargo_bars }
    });
    prop_oneof![k_fold, combinatorial]
}

fn cut(panel: &Panel, scheme: CrossValidation) -> Vec<Split> {
    splits(panel.axis.len(), &FoldScheme::CrossValidation(scheme)).expect("fits")
}

/// Every instant of the axis from the first to the last of some.
fn hull(panel: &Panel, touched: &BTreeSet<Timestamp>) -> BTreeSet<Timestamp> {
    let (Some(first), Some(last)) = (touched.first(), touched.last()) else { return BTreeSet::new() };
    panel.axis.iter().copied().filter(|time| first <= time && time <= last).collect()
}

/// The instants that bars and the labels of samples in them take up, slowly.
fn taken_up(panel: &Panel, bars: &Range<usize>, labels: &SampleSet) -> BTreeSet<Timestamp> {
    let mut touched = instants_of(panel, labels);
    touched.extend(&panel.axis[bars.clone()]);
    hull(panel, &touched)
}

fn tested(panel: &Panel, bars: &Range<usize>) -> BTreeSet<Timestamp> {
    taken_up(panel, bars, &SampleSet::with_all_labels(panel, rows_of(panel, bars)))
}

/// What is kept of bars: the labels whose time, from the sample's own close on, shares no instant with what is taken up.
fn kept(panel: &Panel, bars: &[Range<usize>], taken: &BTreeSet<Timestamp>, embargo: &BTreeSet<Timestamp>) -> SampleSet {
    let mut set = SampleSet::with_all_labels(panel, vec![]);
    for sample in bars.iter().flat_map(|bars| rows_of(panel, bars)) {
        let own = panel.known_time(sample.series, sample.row as usize);
        let keeps = |horizon| {
            let mut read = instants_read(panel, sample, horizon)?;
            read.insert(own);
            (!embargo.contains(&own) && hull(panel, &read).is_disjoint(taken)).then_some(f64::from(sample.row) / 1000.0)
        };
        let target: Vec<_> = (0..panel.horizons()).map(keeps).collect();
        if target.iter().any(Option::is_some) {
            set.samples.push(sample);
            set.target.extend(target);
        }
    }
    set
}

/// The same panel where each label is the sum of the prices that it reads.
fn with_prices(panel: &Panel, price: impl Fn(Timestamp) -> f64) -> Panel {
    let mut priced = panel.clone();
    for series in &mut priced.series {
        let known_time = &series.known_time;
        for label in series.targets.iter_mut().flat_map(|target| target.labels.iter_mut().flatten()) {
            let read = &known_time[label.span_first_row..=label.span_last_row];
            label.value = read.iter().map(|&time| price(time)).sum();
        }
    }
    priced
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(60) })]

    #[test]
    fn the_purge_of_a_split_equals_the_oracle(
        histories in proptest::collection::vec(days(), 1..3),
        delay in 0_usize..2,
        horizons in horizons(),
        scheme in scheme(),
    ) {
        let panel = panel(&histories, delay, &horizons);
        for split in cut(&panel, scheme) {
            let samples = split_samples(&panel, &split, &ONE_BAR);
            let blocks: Vec<_> = split.test.iter().map(|bars| tested(&panel, bars)).collect();
            let embargo: BTreeSet<_> = blocks.iter().flat_map(|block| {
                let last = *block.last().expect("a block has bars");
                panel.axis.iter().copied().filter(move |&time| time > last).take(split.embargo_bars)
            }).collect();
            let mut taken: BTreeSet<_> = blocks.into_iter().flatten().collect();
            let valid = kept(&panel, std::slice::from_ref(&split.valid), &taken, &embargo);
            prop_assert_eq!(&samples.valid, &valid);
            taken.extend(taken_up(&panel, &split.valid, &valid));
            prop_assert_eq!(&samples.train, &kept(&panel, &split.train, &taken, &embargo));
        }
    }

    #[test]
    fn no_span_of_training_meets_a_span_that_judges_it(
        histories in proptest::collection::vec(days(), 1..4),
        delay in 0_usize..2,
        horizons in horizons(),
        scheme in scheme(),
    ) {
        let panel = panel(&histories, delay, &horizons);
        for split in cut(&panel, scheme) {
            let samples = split_samples(&panel, &split, &ONE_BAR);
            let read = instants_of(&panel, &samples.train);
            prop_assert!(read.is_disjoint(&instants_of(&panel, &samples.test)));
            prop_assert!(read.is_disjoint(&instants_of(&panel, &samples.valid)));
            prop_assert!(instants_of(&panel, &samples.valid).is_disjoint(&instants_of(&panel, &samples.test)));
            let scaled: BTreeSet<_> = samples.train_bars.iter().flat_map(|bars| &panel.axis[bars.clone()]).collect();
            prop_assert!(instants_of(&panel, &samples.test).iter().all(|time| !scaled.contains(time)));
        }
    }

    #[test]
    fn overwriting_what_a_test_block_and_its_labels_read_changes_no_label_that_is_learned(
        histories in proptest::collection::vec(days(), 1..4),
        delay in 0_usize..2,
        horizons in horizons(),
        scheme in scheme(),
    ) {
        let panel = panel(&histories, delay, &horizons);
        for split in cut(&panel, scheme) {
            let hidden: BTreeSet<_> = split.test.iter().flat_map(|bars| tested(&panel, bars)).collect();
            let price = |time: Timestamp| time.nanos() as f64;
            let before = split_samples(&with_prices(&panel, price), &split, &ONE_BAR);
            let noise = |time| if hidden.contains(&time) { f64::NAN } else { price(time) };
            let after = split_samples(&with_prices(&panel, noise), &split, &ONE_BAR);
            prop_assert_eq!((before.train, before.valid), (after.train, after.valid));
        }
    }

    #[test]
    fn with_an_embargo_of_their_reach_no_window_of_training_reads_a_tested_bar(
        len in 45_usize..80,
        horizon in 0_usize..4,
        window_bars in 1_usize..5,
        bar_multiple in 1_usize..3,
        folds in 2_usize..6,
    ) {
        let days: Vec<i64> = (0..len as i64).collect();
        let panel = panel(&[days.clone(), days], 1, &[horizon]);
        let scale = ScaleSpec { window_bars, bar_multiple, window_bars_min: None };
        let scheme = CrossValidation::PurgedKFold { folds, valid_bars: 3, embargo_bars: scale.reach() };
        for split in cut(&panel, scheme) {
            let samples = split_samples(&panel, &split, &[scale]);
            for sample in samples.train.iter().chain(samples.valid.iter()) {
                let row = sample.row as usize;
                prop_assert!((row - scale.reach()..=row).all(|row| !split.test[0].contains(&row)));
            }
        }
    }

    #[test]
    fn every_block_is_tested_equally_often_and_every_path_covers_all_bars_once(len in 30_usize..200, scheme in scheme()) {
        let splits = splits(len, &FoldScheme::CrossValidation(scheme)).expect("fits");
        let mut times_tested = vec![0; len];
        for split in &splits {
            let mut parts: Vec<usize> = split.train.iter().cloned().flatten().collect();
            parts.extend(split.valid.clone());
            parts.extend(split.test.iter().cloned().flatten());
            parts.sort_unstable();
            prop_assert!(parts.into_iter().eq(0..len), "a split uses each bar once");
            split.test.iter().cloned().flatten().for_each(|bar| times_tested[bar] += 1);
        }
        let paths = paths(&splits);
        prop_assert_eq!(splits.len(), scheme.split_count().expect("valid"));
        prop_assert_eq!(paths.len(), scheme.path_count().expect("valid"));
        prop_assert_eq!(times_tested, vec![paths.len(); len]);
        let mut used = BTreeSet::new();
        for path in &paths {
            prop_assert!(path.iter().flat_map(|part| part.test.clone()).eq(0..len));
            for part in path {
                prop_assert!(splits[part.split as usize].test.contains(&part.test));
                prop_assert!(used.insert((part.split, part.test.start)), "no forecast stands in two paths");
            }
        }
    }
}
