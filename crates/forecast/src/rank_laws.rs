//! The laws of ranks: what they are of, and that the purge holds for everything they were made from.

use proptest::prelude::*;
use tidegate_market::Timestamp;

use crate::sample_laws::{days, horizons, panel};
use crate::{
    CrossValidation, Fold, FoldScheme, Panel, RankScore, RankSpec, SampleSet, ScaleSpec, cross_sectional_rank,
    fold_samples, split_samples, splits,
};

const ONE_BAR: [ScaleSpec; 1] = [ScaleSpec { window_bars: 1, bar_multiple: 1, window_bars_min: None }];

/// Ranks of labels that are the change from the first price that they read to the last.
fn ranked(panel: &Panel, spec: &RankSpec, price: impl Fn(u32, Timestamp) -> f64) -> Panel {
    let mut priced = panel.clone();
    for (place, series) in (0..).zip(&mut priced.series) {
        let known_time = &series.known_time;
        for label in series.targets.iter_mut().flat_map(|target| target.labels.iter_mut().flatten()) {
            let [first, last] = [label.span_first_row, label.span_last_row].map(|row| price(place, known_time[row]));
            label.value = last - first;
        }
    }
    cross_sectional_rank(priced, spec).expect("valid")
}

/// A price that depends on nothing but its place, in few steps so that some changes are equal.
fn price(series: u32, time: Timestamp, seed: u64) -> f64 {
    let day = (time.nanos() / Timestamp::NANOS_PER_DAY) as u64;
    let mixed = (day * 31 + u64::from(series) * 7 + seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 60) as f64
}

fn spec() -> impl Strategy<Value = RankSpec> {
    (2_usize..4, any::<bool>()).prop_map(|(symbols_min, normal)| RankSpec {
        score: if normal { RankScore::Normal } else { RankScore::Uniform },
        symbols_min,
    })
}

fn learned(set: &SampleSet) -> (Vec<crate::Sample>, Vec<Option<u64>>) {
    (set.samples.clone(), set.target.iter().map(|label| label.map(f64::to_bits)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(80) })]

    #[test]
    fn ranks_are_balanced_and_read_no_less_than_the_labels_they_rank(
        histories in proptest::collection::vec(days(), 2..5),
        delay in 0_usize..2,
        horizons in horizons(),
        spec in spec(),
        seed in any::<u32>(),
    ) {
        let plain = panel(&histories, delay, &horizons);
        let ranks = ranked(&plain, &spec, |series, time| price(series, time, seed.into()));
        prop_assert!(Panel::new(ranks.series.clone()).is_ok());
        for horizon in 0..plain.horizons() {
            for &time in &plain.axis {
                let label = |panel: &Panel, place: usize| {
                    let series = &panel.series[place];
                    let row = series.known_time.iter().position(|&known| known == time)?;
                    let label = series.targets[horizon].labels[row]?;
                    Some((label.value, series.known_time[label.span_first_row], series.known_time[label.span_last_row]))
                };
                let all: Vec<_> = (0..plain.series.len()).filter_map(|place| label(&plain, place)).collect();
                let kept: Vec<_> = (0..plain.series.len()).filter_map(|place| label(&ranks, place)).collect();
                prop_assert!(kept.is_empty() || all.len() >= spec.symbols_min);
                for (value, first, last) in &kept {
                    prop_assert!(value.abs() < 3.0);
                    prop_assert!(all.iter().all(|label| *first <= label.1 && label.2 <= *last));
                }
                // Normal scores of ranks with ties do not add up to 0.
                if spec.score == RankScore::Uniform && kept.len() == all.len() {
                    prop_assert!(kept.iter().map(|(value, ..)| value).sum::<f64>().abs() < 1e-9);
                }
            }
        }
    }

    #[test]
    fn overwriting_every_price_from_validation_on_changes_no_rank_that_is_learned(
        histories in proptest::collection::vec(days(), 2..5),
        delay in 0_usize..2,
        horizons in horizons(),
        spec in spec(),
        train_bars in 10_usize..25,
        seed in any::<u32>(),
    ) {
        let plain = panel(&histories, delay, &horizons);
        let valid_end = train_bars + 8;
        let fold = Fold { index: 0, train: 0..train_bars, valid: train_bars..valid_end, test: valid_end..plain.axis.len() };
        let samples = |hidden_from: usize| {
            let from = plain.axis[hidden_from];
            let noise = |series, time| price(series, time, if time >= from { u64::from(seed) + 1 } else { 5 });
            fold_samples(&ranked(&plain, &spec, noise), &fold, &ONE_BAR)
        };
        let whole = samples(plain.axis.len() - 1);
        prop_assert_eq!(learned(&whole.train), learned(&samples(train_bars).train));
        prop_assert_eq!(learned(&whole.valid), learned(&samples(valid_end).valid));
    }

    #[test]
    fn overwriting_every_price_of_a_test_block_changes_no_rank_that_is_learned(
        histories in proptest::collection::vec(days(), 2..4),
        horizons in horizons(),
        spec in spec(),
        seed in any::<u32>(),
    ) {
        let plain = panel(&histories, 0, &horizons);
        let scheme = CrossValidation::Combinatorial { groups: 4, test_groups: 2, valid_bars: 3, embargo_bars: 0 };
        for split in splits(plain.axis.len(), &FoldScheme::CrossValidation(scheme)).expect("fits") {
            let samples = |hides: bool| {
                let tested = |time| split.test.iter().any(|bars| plain.axis[bars.clone()].contains(&time));
                let noise = |series, time| price(series, time, if hides && tested(time) { u64::from(seed) + 1 } else { 5 });
                split_samples(&ranked(&plain, &spec, noise), &split, &ONE_BAR)
            };
            let (whole, hidden) = (samples(false), samples(true));
            prop_assert_eq!(learned(&whole.train), learned(&hidden.train));
            prop_assert_eq!(learned(&whole.valid), learned(&hidden.valid));
        }
    }
}
