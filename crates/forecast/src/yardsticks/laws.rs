//! What holds for every yardstick on a panel: several horizons, series of different ages, short windows, weights.

use std::sync::Arc;

use tidegate_market::{FeatureColumn, FeatureMatrix};

use crate::fixture::{labels, normals, series};
use crate::{
    EwmaVolatility, FitTask, Fold, Forecaster, Garch, GradientBoostedTrees, HistoricalMean, NoMonitor, NoStore, Panel,
    PanelSeries, PerHorizon, Predictive, Ridge, ScaleSpec, Scaler, ScalerSpec, Zero, fold_samples, windows,
};

const HORIZONS: [usize; 2] = [1, 5];
const SCALES: [ScaleSpec; 2] = [
    ScaleSpec { window_bars: 8, bar_multiple: 1, window_bars_min: Some(3) },
    ScaleSpec { window_bars: 2, bar_multiple: 5, window_bars_min: None },
];

fn yardsticks() -> Vec<PerHorizon> {
    type Make = fn(u32) -> Box<dyn Forecaster>;
    let makes: [Make; 6] = [
        |_| Box::new(Zero),
        |_| Box::new(HistoricalMean),
        |horizon_bars| Box::new(EwmaVolatility { horizon_bars }),
        |horizon_bars| Box::new(Garch { horizon_bars }),
        |_| Box::new(Ridge { lambda: None }),
        |_| Box::new(GradientBoostedTrees { trees_max: 30, ..GradientBoostedTrees::STANDARD }),
    ];
    makes.iter().map(|make| PerHorizon::new(HORIZONS.iter().map(|&bars| make(bars as u32)).collect())).collect()
}

/// A series from a first day on: features are returns, labels sums of the coming ones.
fn random_walk(instrument: u32, days: std::ops::Range<i64>) -> PanelSeries {
    let returns = normals(u64::from(instrument) + 40, days.end as usize)[days.start as usize..].to_vec();
    let days: Vec<i64> = days.collect();
    let mut one = series(instrument, &days, 1);
    one.one_bar_return = std::iter::once(None).chain(returns[1..].iter().map(|&one| Some(one / 100.0))).collect();
    let columns = |scale: f64| vec![FeatureColumn::new("return", returns.iter().map(|one| one * scale).collect())];
    one.scales = [1.0, 2.0].map(|scale| FeatureMatrix::new(days.len(), columns(scale)).expect("one length")).into();
    one.targets = HORIZONS.map(|horizon| labels(days.len(), 0, horizon)).into();
    for target in &mut one.targets {
        for (row, label) in target.labels.iter_mut().enumerate() {
            if let Some(label) = label {
                label.value = returns[row + 1..=label.span_last_row].iter().sum::<f64>() / 100.0;
            }
        }
    }
    one
}

fn forecasts(panel: &Panel, weigh: bool) -> Vec<Vec<Predictive>> {
    let fold = Fold { index: 0, train: 0..400, valid: 400..480, test: 480..540 };
    let mut samples = fold_samples(panel, &fold, &SCALES);
    if weigh {
        let count = samples.train.samples.len();
        samples.train.weight = (0..count).map(|place| if place % 2 == 0 { 0.5 } else { 1.5 }).collect();
    }
    let scaler = Scaler::fit(panel, &samples.train_bars, &ScalerSpec::Standard { winsorize_iqr: None }).expect("fits");
    let [train, valid, test] =
        [&samples.train, &samples.valid, &samples.test].map(|set| windows(panel, set, &SCALES, &scaler));
    let forecast = |yardstick: PerHorizon| {
        let task = FitTask { train: &train, valid: &valid, seed: 3, monitor: &NoMonitor, store: &NoStore };
        let fitted = yardstick.fit(&task).expect("fits");
        let found = fitted.forecast(&test).expect("same shape");
        assert_eq!(found.len(), test.len() * HORIZONS.len());
        let restored = yardstick.restore(&fitted.checkpoint().expect("writes")).expect("its own bytes");
        assert_eq!(restored.forecast(&test).expect("same shape"), found, "{}", yardstick.name());
        found
    };
    yardsticks().into_iter().map(forecast).collect()
}

fn panel() -> Panel {
    Panel::new(vec![random_walk(0, 0..560), random_walk(1, 120..560)]).expect("sane")
}

#[test]
fn every_yardstick_serves_every_horizon_of_a_panel() {
    for weigh in [false, true] {
        for found in forecasts(&panel(), weigh) {
            for pair in found.chunks(HORIZONS.len()) {
                let [near, far] = [&pair[0], &pair[1]].map(|one| one.variance.expect("every yardstick states one"));
                assert!(pair.iter().all(|one| one.mean.is_finite()));
                // Five bars of a random walk vary about five times as much as one.
                assert!((2.5..10.0).contains(&(far / near)), "{near} {far}");
                // One bar has a variance of 1e-4.
                assert!((3e-5..3e-4).contains(&near), "{near}");
            }
        }
    }
}

#[test]
fn what_comes_after_the_test_changes_no_forecast() {
    let before = panel();
    let mut after = panel();
    for series in &mut after.series {
        let first = series.known_time.partition_point(|&time| time < before.axis[540]);
        series.one_bar_return = series.one_bar_return[..first]
            .iter()
            .copied()
            .chain(std::iter::repeat_n(Some(9.0), series.len() - first))
            .collect::<Arc<[_]>>();
        for target in &mut series.targets {
            for label in target.labels.iter_mut().flatten().filter(|label| label.span_last_row >= first) {
                label.value = -9.0;
            }
        }
    }
    assert_eq!(forecasts(&before, true), forecasts(&after, true));
}
