//! The forecast panel: scores as text, small charts as coordinates.

use serde::Serialize;

use super::calibration_view::{CurveView, curve, intervals, pit, recalibration};
use super::comparison_view;
use super::small_chart::{BarsView, bars};
use super::table_view::TableView;
use super::training_view::TrainingView;
use crate::number::{UNDEFINED, count, percent_short, scientific, score};
use crate::{CalibrationPanel, ForecastPanel, ForecastRole, ForecastRow};

#[derive(Serialize)]
pub(super) struct ForecastView<'a> {
    target: &'a str,
    inference: &'a str,
    rows: Vec<ScoreView<'a>>,
    comparisons: Vec<TableView>,
    curve: Option<CurveView>,
    charts: Vec<BarsView>,
    calibration: Vec<TableView>,
    folds: Option<TableView>,
    training: Option<TrainingView<'a>>,
}

#[derive(Serialize)]
struct ScoreView<'a> {
    name: &'a str,
    role: &'static str,
    is_model: bool,
    scores: Vec<String>,
}

impl<'a> ForecastView<'a> {
    pub(super) fn new(panel: &'a ForecastPanel) -> Self {
        let calibration = panel.calibration.as_ref();
        Self {
            target: &panel.target,
            inference: &panel.inference,
            rows: panel.rows.iter().map(scores).collect(),
            comparisons: comparison_view::tables(panel),
            curve: calibration.and_then(|calibration| curve(&calibration.coverage_curve)),
            charts: calibration.map(pit).into_iter().chain(fold_ic(panel)).collect(),
            calibration: calibration_tables(panel, calibration),
            folds: folds(panel),
            training: TrainingView::new(&panel.training),
        }
    }
}

fn calibration_tables(panel: &ForecastPanel, calibration: Option<&CalibrationPanel>) -> Vec<TableView> {
    let recalibrated = panel.recalibration.as_ref().and_then(recalibration);
    calibration.and_then(intervals).into_iter().chain(recalibrated).collect()
}

fn scores(row: &ForecastRow) -> ScoreView<'_> {
    ScoreView {
        name: &row.name,
        role: row.role.label(),
        is_model: row.role == ForecastRole::Model,
        scores: vec![
            scientific(row.mse),
            score(row.r2),
            score(row.ic),
            score(row.rank_ic),
            percent_short(row.hit_rate),
            score(row.nll),
            scientific(row.crps),
            percent_short(row.coverage_50),
            percent_short(row.coverage_80),
            percent_short(row.coverage_95),
            count(row.count),
        ],
    }
}

fn folds(panel: &ForecastPanel) -> Option<TableView> {
    let epoch = |value: Option<u32>| value.map_or_else(|| UNDEFINED.to_owned(), |epoch| epoch.to_string());
    let row = |fold: &crate::FoldRow| {
        [
            fold.fold.to_string(),
            fold.test_first.to_string(),
            fold.test_last.to_string(),
            score(fold.ic),
            score(fold.r2),
            score(fold.nll),
            epoch(fold.epochs),
            epoch(fold.best_epoch),
        ]
    };
    TableView::new(
        "Folds",
        "",
        ["Fold", "Test from", "Test to", "IC", "R2", "NLL", "Epochs", "Best epoch"],
        panel.by_fold.iter().map(row),
    )
}

fn fold_ic(panel: &ForecastPanel) -> Option<BarsView> {
    if !panel.by_fold.iter().any(|fold| fold.ic.is_some()) {
        return None;
    }
    let values: Vec<_> =
        panel.by_fold.iter().map(|fold| (format!("fold {}", fold.fold), fold.ic, score(fold.ic))).collect();
    let positive = panel.by_fold.iter().filter(|fold| fold.ic.is_some_and(|ic| ic > 0.0)).count();
    Some(BarsView {
        summary: format!("Information coefficient by fold: positive in {positive} of {}.", panel.by_fold.len()),
        caption: "Correlation of forecast and outcome on each fold's test block, in time order.".to_owned(),
        ..bars("IC by fold", &values, score)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn a_negative_coefficient_hangs_below_the_base_line() {
        // 0.07 and -0.02: the base line is at 0.07 / 0.09 of 200 = 155.6, the second bar 44.4 high.
        let panel = fixture::small().forecast.expect("the small run has forecasts");
        let view = fold_ic(&panel).expect("coefficients");
        assert_eq!(view.base, "155.6");
        assert_eq!((view.bars[1].y.as_str(), view.bars[1].height.as_str()), ("155.6", "44.4"));
        assert!(view.summary.ends_with("positive in 1 of 2."));
    }
}
