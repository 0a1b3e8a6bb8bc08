//! The laws of windows: which rows they read, at any length, and that none of them is later than the sample's own.

use proptest::prelude::*;
use tidegate_market::{FeatureColumn, FeatureMatrix};

use crate::fixture::series;
use crate::{Fold, FoldSamples, Panel, PanelSeries, ScaleSpec, Scaler, ScalerSpec, Windows, fold_samples, windows};

/// One series of two features over `rows` days, with holes in the second.
fn panel(rows: usize, missing: &[bool]) -> Panel {
    let days: Vec<i64> = (0..rows as i64).collect();
    let holes = (0..rows).map(|row| if missing[row % missing.len()] { f64::NAN } else { -1.5 * row as f64 });
    let columns = vec![
        FeatureColumn::new("row", (0..rows).map(|row| row as f64).collect()),
        FeatureColumn::new("holes", holes.collect()),
    ];
    let matrix = FeatureMatrix::new(rows, columns).expect("one length");
    Panel::new(vec![PanelSeries { scales: vec![matrix], ..series(0, &days, 1) }]).expect("sane")
}

/// The test samples and windows of a fold of 4 training bars, 1 to validate on and the rest to test.
fn tested(panel: &Panel, scale: ScaleSpec, spec: &ScalerSpec) -> (FoldSamples, Windows) {
    let fold = Fold { index: 0, train: 0..4, valid: 4..5, test: 5..panel.axis.len() };
    let samples = fold_samples(panel, &fold, &[scale]);
    let scaler = Scaler::fit(panel, &samples.train_bars, spec).expect("fits");
    let windows = windows(panel, &samples.test, &[scale], &scaler);
    (samples, windows)
}

/// The valid steps of each window: the rows from the oldest, each with its features.
fn valid_steps(windows: &Windows) -> Vec<Vec<Vec<f32>>> {
    let block = &windows.scales[0];
    let steps = |sample: usize| {
        let length = block.lengths.get(sample).map_or(block.steps, |&length| length as usize);
        let (padding, valid) = block.window(sample).split_at((block.steps - length) * block.features);
        assert!(padding.iter().all(|&value| value == 0.0), "zeros before a short window");
        valid.chunks(block.features).map(<[f32]>::to_vec).collect()
    };
    (0..windows.len()).map(steps).collect()
}

fn scales() -> impl Strategy<Value = ScaleSpec> {
    (1_usize..6, 1_usize..4, proptest::option::of(0_usize..5)).prop_map(|(window_bars, bar_multiple, less)| {
        let window_bars_min = less.map(|less| window_bars.saturating_sub(less).max(1));
        ScaleSpec { window_bars, bar_multiple, window_bars_min }
    })
}

fn missing() -> impl Strategy<Value = Vec<bool>> {
    proptest::collection::vec(prop_oneof![5 => Just(false), 1 => Just(true)], 12).prop_map(|mut missing| {
        missing[0] = false;
        missing
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    #[test]
    fn a_window_is_the_latest_complete_rows(rows in 8_usize..40, missing in missing(), scale in scales()) {
        let panel = panel(rows, &missing);
        let (samples, windows) = tested(&panel, scale, &ScalerSpec::None {});
        let complete = |row: usize| !missing[row % missing.len()];
        let mut expected = Vec::new();
        for row in 5..rows {
            let back = (0..).map(|step| row.checked_sub(step * scale.bar_multiple));
            let back = back.take_while(|row| row.is_some_and(complete)).flatten().take(scale.window_bars);
            let mut read: Vec<usize> = back.collect();
            read.reverse();
            if read.len() >= scale.window_bars_min.unwrap_or(scale.window_bars) {
                expected.push((row as u32, read));
            }
        }
        prop_assert_eq!(
            samples.test.iter().map(|sample| sample.row).collect::<Vec<_>>(),
            expected.iter().map(|(row, _)| *row).collect::<Vec<_>>()
        );
        let features = |row: &usize| vec![*row as f32, -1.5 * *row as f32];
        let expected: Vec<Vec<Vec<f32>>> =
            expected.iter().map(|(_, read)| read.iter().map(features).collect()).collect();
        let any_short = expected.iter().any(|window| window.len() < scale.window_bars);
        prop_assert_eq!(windows.scales[0].lengths.is_empty(), !any_short);
        prop_assert_eq!(valid_steps(&windows), expected);
    }

    #[test]
    fn overwriting_the_future_changes_no_window_before_it(
        rows in 8_usize..40,
        cut in 7_usize..39,
        missing in missing(),
        scale in scales(),
        seed in any::<u32>(),
    ) {
        prop_assume!(cut < rows);
        let before = panel(rows, &missing);
        let mut after = before.clone();
        let noise = |row: usize| f64::from(seed.wrapping_mul(row as u32 + 1));
        for matrix in &mut after.series[0].scales {
            let columns = matrix.columns().iter().map(|column| {
                let values = column.values().iter().enumerate();
                FeatureColumn::new(column.name(), values.map(|(row, &v)| if row > cut { noise(row) } else { v }).collect())
            });
            *matrix = FeatureMatrix::new(rows, columns.collect()).expect("one length");
        }
        let first = panel(cut + 1, &missing);
        let spec = ScalerSpec::Robust { winsorize_iqr: Some(2.0) };
        let [one, overwritten, prefix] = [before, after, first].map(|panel| {
            let (samples, windows) = tested(&panel, scale, &spec);
            let count = samples.test.partition_point(|sample| sample.row as usize <= cut);
            (samples.test[..count].to_vec(), valid_steps(&windows)[..count].to_vec())
        });
        prop_assert_eq!(&one, &overwritten);
        prop_assert_eq!(&one, &prefix);
    }
}
