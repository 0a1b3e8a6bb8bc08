//! Chains in each of which one stage looks ahead, as such stages do in the wild.

use std::sync::Arc;

use tidegate_backtest::{FillMoment, Journal, Market};
use tidegate_forecast::{Panel, PanelSeries, Sample, SampleSet, Scaler, Split};
use tidegate_market::{
    BarColumns, Bars, CorporateAction, CorporateActionKind, FeatureColumn, FeatureMatrix, Price, Timestamp,
};

use super::super::chain::{Chain, Feed, Product};
use super::super::{AuditLeak, AuditMethod, AuditStage};
use super::support::{audited, ridge, sma_cross, whole_dataset};
use crate::ExperimentError;
use crate::dataset::Dataset;
use crate::forecasting::PreparedFold;
use crate::resolve::{ForecastPlan, ResolvedExperiment};
use crate::trading::StrategyInputs;

const BARS: usize = 500;

/// What is made of a feature column, given the series that it is of.
type Spoil = fn(&PanelSeries, &[f64]) -> Vec<f64>;

#[derive(Clone, Copy)]
enum Leak {
    /// A feature column by its place, and what is made of it.
    Feature(usize, Spoil),
    /// Labels that say they read less than they do.
    ShortSpans,
    WholeSampleScaler,
    NoPurge,
    FillsAtTheDecidingBarsOpen,
    FillsAtTheClosesPrice,
    BackAdjustedPrices,
}

impl Chain for Leak {
    fn bars(&self, mut dataset: Dataset) -> Result<Dataset, ExperimentError> {
        if matches!(self, Self::BackAdjustedPrices) {
            for (signals, beside) in dataset.signal_bars.iter_mut().zip(&dataset.beside) {
                *signals = Arc::new(back_adjusted(signals, &beside.actions));
            }
        }
        Ok(dataset)
    }

    fn panel(&self, plan: &ForecastPlan, dataset: &Dataset) -> Result<Panel, ExperimentError> {
        let mut panel = Product.panel(plan, dataset)?;
        for series in &mut panel.series {
            match self {
                Self::Feature(place, spoil) => series.scales[0] = with_column(series, *place, *spoil),
                Self::ShortSpans => {
                    let labels = series.targets.iter_mut().flat_map(|target| target.labels.iter_mut().enumerate());
                    for (row, label) in labels {
                        if let Some(label) = label {
                            (label.span_first_row, label.span_last_row) = (row, row);
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(panel)
    }

    fn folds(
        &self,
        plan: &ForecastPlan,
        panel: &Panel,
        splits: Vec<Split>,
    ) -> Result<Vec<PreparedFold>, ExperimentError> {
        let mut folds = Product.folds(plan, panel, splits)?;
        for fold in &mut folds {
            match self {
                Self::WholeSampleScaler => {
                    fold.scaler = Scaler::fit(panel, std::slice::from_ref(&(0..panel.axis.len())), &plan.scaler)?;
                }
                Self::NoPurge => {
                    let (first, end) = (fold.samples.valid[0].row, fold.fold.valid.end as u32);
                    let samples: Vec<Sample> = (first..end).map(|row| Sample { series: 0, row }).collect();
                    fold.samples.valid = SampleSet::with_all_labels(panel, samples);
                }
                _ => {}
            }
        }
        Ok(folds)
    }

    fn trade(
        &self,
        experiment: &ResolvedExperiment,
        dataset: &Dataset,
        market: &Market,
        feed: Feed<'_>,
        inputs: &StrategyInputs,
    ) -> Result<Journal, ExperimentError> {
        let mut journal = Product.trade(experiment, dataset, market, feed, inputs)?;
        let bars = &dataset.bars[0];
        for fill in journal.fills.iter_mut().filter(|fill| fill.moment == FillMoment::Open) {
            let row = |time: Timestamp| bars.time().binary_search(&time).expect("a bar's label");
            match self {
                Self::FillsAtTheDecidingBarsOpen => {
                    fill.time = journal.orders[fill.order.index()].submitted_time;
                    fill.price = Price(bars.open()[row(fill.time)]);
                }
                Self::FillsAtTheClosesPrice => fill.price = Price(bars.close()[row(fill.time)]),
                _ => {}
            }
        }
        Ok(journal)
    }
}

fn with_column(series: &PanelSeries, place: usize, spoil: Spoil) -> FeatureMatrix {
    let columns = series.scales[0].columns().iter().enumerate();
    let columns = columns.map(|(own, column)| {
        if own == place { FeatureColumn::new(column.name(), spoil(series, column.values())) } else { column.clone() }
    });
    FeatureMatrix::new(series.len(), columns.collect()).expect("one length")
}

/// Prices over the product of all later splits, as vendors publish them.
fn back_adjusted(bars: &Bars, actions: &[CorporateAction]) -> Bars {
    let mut columns: BarColumns = bars.columns().clone();
    for row in 0..bars.len() {
        let later = actions.iter().filter(|action| action.time > bars.open_time(row));
        let factor: f64 = later
            .map(|action| match action.kind {
                CorporateActionKind::Split { ratio } => ratio,
                _ => 1.0,
            })
            .product();
        for prices in [&mut columns.open, &mut columns.high, &mut columns.low, &mut columns.close] {
            prices[row] /= factor;
        }
    }
    Bars::new(columns, bars.label(), bars.interval()).expect("scaled prices are sane")
}

fn leak(strategy: &str, dataset: &Dataset, chain: Leak) -> AuditLeak {
    let report = audited(strategy, dataset, &chain);
    report.leak.clone().unwrap_or_else(|| panic!("not found: {report}"))
}

fn of_ridge(chain: Leak) -> AuditLeak {
    leak(&ridge(), &whole_dataset(BARS), chain)
}

/// Returns the label so many bars before the cut.
fn before_cut(leak: &AuditLeak, bars: usize) -> Timestamp {
    let times = whole_dataset(BARS).bars[0].time().to_vec();
    let cut = times.binary_search(&leak.cut.expect("found at a cut")).expect("a bar");
    times[cut - bars]
}

#[test]
fn a_feature_shifted_by_minus_one_is_found_at_the_last_bar_before_the_cut() {
    let leak = of_ridge(Leak::Feature(0, |_, values| {
        (1..=values.len()).map(|row| values.get(row).copied().unwrap_or(f64::NAN)).collect()
    }));
    assert_eq!((leak.stage, leak.column.as_str()), (AuditStage::Features, "log_return_1"));
    assert_eq!((leak.symbol.as_deref(), leak.bar), (Some("AAA"), before_cut(&leak, 0)));
    assert_eq!((leak.method, leak.recomputed.as_str()), (AuditMethod::CutOff, "missing"));
}

#[test]
fn a_centered_window_is_found_as_early_as_it_reaches() {
    let leak = of_ridge(Leak::Feature(0, |_, values| {
        let mean = |row: usize| {
            let window = &values[row.saturating_sub(2)..(row + 3).min(values.len())];
            window.iter().sum::<f64>() / window.len() as f64
        };
        // As tools do, a shorter window stands in where there are no five bars; the first return is missing.
        (0..values.len()).map(|row| if row < 3 { f64::NAN } else { mean(row) }).collect()
    }));
    assert_eq!((leak.stage, leak.column.as_str()), (AuditStage::Features, "log_return_1"));
    assert_eq!((leak.bar, leak.method), (before_cut(&leak, 1), AuditMethod::CutOff));
}

#[test]
fn a_backward_fill_is_found_in_the_warm_up() {
    let leak = of_ridge(Leak::Feature(1, |_, values| {
        let first = values.iter().copied().find(|value| !value.is_nan()).unwrap_or(f64::NAN);
        values.iter().map(|&value| if value.is_nan() { first } else { value }).collect()
    }));
    assert_eq!((leak.stage, leak.column.as_str()), (AuditStage::Features, "volatility_10"));
    assert_eq!((leak.bar, leak.recomputed.as_str()), (whole_dataset(BARS).bars[0].time()[0], "missing"));
}

#[test]
fn a_label_among_the_features_is_found() {
    let leak = of_ridge(Leak::Feature(2, |series, _| {
        series.targets[0].labels.iter().map(|label| label.map_or(f64::NAN, |label| label.value)).collect()
    }));
    assert_eq!((leak.stage, leak.column.as_str()), (AuditStage::Features, "rsi_7"));
    // The first cut comes right after the first bar, whose label reads the opens of the next bar and of the one after it.
    assert_eq!((leak.bar, leak.method), (before_cut(&leak, 0), AuditMethod::CutOff));
}

#[test]
fn a_scaler_fitted_on_the_whole_sample_is_found_with_its_fold() {
    let leak = of_ridge(Leak::WholeSampleScaler);
    assert_eq!((leak.stage, leak.symbol.as_deref()), (AuditStage::Scaler, None));
    assert_eq!(leak.column, "fold 0 scale 0 log_return_1 lower clip");
    assert_eq!(leak.cut, Some(whole_dataset(BARS).bars[0].time()[259]), "the bar before the first test block");
}

#[test]
fn a_missing_purge_is_found_by_the_labels_that_reach_into_the_test_block() {
    let leak = of_ridge(Leak::NoPurge);
    assert_eq!((leak.stage, leak.method), (AuditStage::TrainingSets, AuditMethod::OrderOfEvents));
    assert_eq!(leak.column, "fold 0 validation label log_return_1");
    // Bars 200 to 259 validate; the label of bar 258 reads the opens of 259 and 260, and 260 is tested.
    assert_eq!(leak.bar, whole_dataset(BARS).bars[0].time()[258]);
}

#[test]
fn labels_that_say_they_read_less_than_they_do_are_found() {
    let leak = of_ridge(Leak::ShortSpans);
    assert_eq!((leak.stage, leak.column.as_str()), (AuditStage::Labels, "log_return_1"));
}

#[test]
fn a_fill_at_the_open_of_the_bar_that_decided_it_is_found() {
    for strategy in [ridge(), sma_cross()] {
        let dataset = whole_dataset(BARS);
        let leak = leak(&strategy, &dataset, Leak::FillsAtTheDecidingBarsOpen);
        assert_eq!((leak.stage, leak.column.as_str()), (AuditStage::Fills, "time"));
        assert_eq!((leak.method, leak.symbol.as_deref()), (AuditMethod::OrderOfEvents, Some("AAA")));
    }
}

#[test]
fn a_fill_at_the_open_for_the_price_of_the_close_is_found() {
    let leak = leak(&sma_cross(), &whole_dataset(BARS), Leak::FillsAtTheClosesPrice);
    assert_eq!((leak.stage, leak.column.as_str()), (AuditStage::Fills, "price"));
    assert_eq!(leak.method, AuditMethod::OverwrittenButTheOpen);
}

#[test]
fn prices_adjusted_by_splits_that_are_still_to_come_are_found() {
    let mut dataset = whole_dataset(BARS);
    let split = CorporateAction { time: dataset.bars[0].time()[480], kind: CorporateActionKind::Split { ratio: 2.0 } };
    dataset.beside[0].actions = vec![split];
    for strategy in [ridge(), sma_cross()] {
        let leak = leak(&strategy, &dataset, Leak::BackAdjustedPrices);
        assert_eq!((leak.stage, leak.column.as_str()), (AuditStage::Bars, "open"));
        assert_eq!(leak.bar, dataset.bars[0].time()[0], "every earlier price is of the later factor");
    }
}
