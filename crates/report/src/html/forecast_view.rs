//! The forecast panel: scores as text, small charts as coordinates.

use serde::Serialize;

use crate::number::{UNDEFINED, count, percent_short, scientific, score};
use crate::{CalibrationPoint, ForecastPanel, ForecastRole, ForecastRow};

/// Side of the drawing area of a small chart, in its own units.
const SIDE: f64 = 200.0;

#[derive(Serialize)]
pub(super) struct ForecastView<'a> {
    target: &'a str,
    rows: Vec<ScoreView<'a>>,
    folds: Vec<Vec<String>>,
    calibration: Option<CalibrationView>,
    pit: Option<BarsView>,
    fold_ic: Option<BarsView>,
    /// Folds that have loss curves, ascending.
    loss_folds: Vec<u32>,
}

#[derive(Serialize)]
struct ScoreView<'a> {
    name: &'a str,
    role: &'static str,
    is_model: bool,
    scores: Vec<String>,
}

/// Observed against nominal coverage; the origin is the lower left corner.
#[derive(Serialize)]
struct CalibrationView {
    line: String,
    points: Vec<(String, String)>,
    summary: String,
}

/// Bars around a base line.
#[derive(Debug, Serialize)]
struct BarsView {
    bars: Vec<Bar>,
    /// Height of the base line.
    base: String,
    /// Height of the line that a perfect forecast would follow.
    reference: Option<String>,
    high: String,
    low: String,
    summary: String,
}

#[derive(Debug, PartialEq, Serialize)]
struct Bar {
    x: String,
    y: String,
    width: String,
    height: String,
    title: String,
}

impl<'a> ForecastView<'a> {
    pub(super) fn new(panel: &'a ForecastPanel) -> Self {
        let mut loss_folds: Vec<u32> = panel.loss_curves.iter().map(|curve| curve.fold).collect();
        loss_folds.sort_unstable();
        loss_folds.dedup();
        Self {
            target: &panel.target,
            rows: panel.rows.iter().map(scores).collect(),
            folds: folds(panel),
            calibration: calibration(&panel.coverage_curve),
            pit: panel.pit_histogram.as_ref().map(pit),
            fold_ic: fold_ic(panel),
            loss_folds,
        }
    }
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

fn folds(panel: &ForecastPanel) -> Vec<Vec<String>> {
    let epoch = |value: Option<u32>| value.map_or_else(|| UNDEFINED.to_owned(), |epoch| epoch.to_string());
    let row = |fold: &crate::FoldRow| {
        vec![
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
    panel.by_fold.iter().map(row).collect()
}

fn calibration(curve: &[CalibrationPoint]) -> Option<CalibrationView> {
    let known = |point: &&CalibrationPoint| point.nominal.is_finite() && point.observed.is_finite();
    let points: Vec<&CalibrationPoint> = curve.iter().filter(known).collect();
    let widest = points.iter().max_by(|a, b| error(a).total_cmp(&error(b)))?;
    let coordinates: Vec<_> = points
        .iter()
        .map(|point| (coordinate(point.nominal * SIDE), coordinate((1.0 - point.observed) * SIDE)))
        .collect();
    let line: Vec<_> = coordinates.iter().map(|(x, y)| format!("{x},{y}")).collect();
    let summary = format!(
        "Observed against nominal coverage of {} central intervals; the farthest from the diagonal is {} for a nominal {}.",
        points.len(),
        percent_short(Some(widest.observed)),
        percent_short(Some(widest.nominal)),
    );
    Some(CalibrationView { line: line.join(" "), points: coordinates, summary })
}

fn error(point: &CalibrationPoint) -> f64 {
    (point.observed - point.nominal).abs()
}

fn pit(shares: &[f64; 10]) -> BarsView {
    let title = |bin: usize| format!("{:.1} to {:.1}", bin as f64 / 10.0, (bin + 1) as f64 / 10.0);
    let values: Vec<_> =
        shares.iter().enumerate().map(|(bin, &share)| (title(bin), Some(share), percent_short(Some(share)))).collect();
    let mut view = bars(&values, percent_short);
    let high = values.iter().filter_map(|(_, share, _)| *share).fold(0.0, f64::max);
    view.reference = (high > 0.0).then(|| coordinate(SIDE * (1.0 - 0.1 / high)));
    let shown: Vec<_> = values.iter().map(|(_, _, text)| text.as_str()).collect();
    view.summary = format!("Share of outcomes in each tenth of the forecast distribution: {}.", shown.join(", "));
    view
}

fn fold_ic(panel: &ForecastPanel) -> Option<BarsView> {
    if !panel.by_fold.iter().any(|fold| fold.ic.is_some()) {
        return None;
    }
    let values: Vec<_> =
        panel.by_fold.iter().map(|fold| (format!("fold {}", fold.fold), fold.ic, score(fold.ic))).collect();
    let mut view = bars(&values, score);
    let positive = panel.by_fold.iter().filter(|fold| fold.ic.is_some_and(|ic| ic > 0.0)).count();
    view.summary = format!("Information coefficient by fold: positive in {positive} of {}.", panel.by_fold.len());
    Some(view)
}

/// Lays bars out from left to right, scaled so that zero, the highest and the lowest value fit.
fn bars(values: &[(String, Option<f64>, String)], label: impl Fn(Option<f64>) -> String) -> BarsView {
    let finite = || values.iter().filter_map(|(_, value, _)| value.filter(|number| number.is_finite()));
    let (high, low) = (finite().fold(0.0, f64::max), finite().fold(0.0, f64::min));
    let range = if high > low { high - low } else { 1.0 };
    let height_of = |value: f64| (high - value) / range * SIDE;
    let step = SIDE / values.len().max(1) as f64;
    let bar = |(column, (name, value, text)): (usize, &(String, Option<f64>, String))| {
        let value = value.filter(|number| number.is_finite()).unwrap_or(0.0);
        let (top, bottom) = (height_of(value.max(0.0)), height_of(value.min(0.0)));
        Bar {
            x: coordinate((column as f64 + 0.1) * step),
            y: coordinate(top),
            width: coordinate(step * 0.8),
            height: coordinate(bottom - top),
            title: format!("{name}: {text}"),
        }
    };
    BarsView {
        bars: values.iter().enumerate().map(bar).collect(),
        base: coordinate(height_of(0.0)),
        reference: None,
        high: label(Some(high)),
        low: label(Some(low)),
        summary: String::new(),
    }
}

fn coordinate(value: f64) -> String {
    format!("{value:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn panel() -> ForecastPanel {
        fixture::small().forecast.expect("the small run has forecasts")
    }

    #[test]
    fn a_perfectly_calibrated_point_lies_on_the_diagonal() {
        let view = calibration(&[CalibrationPoint { nominal: 0.25, observed: 0.25 }]).expect("a point");
        assert_eq!(view.points, [("50.0".to_owned(), "150.0".to_owned())]);
    }

    #[test]
    fn no_variances_give_no_calibration() {
        assert!(calibration(&[]).is_none());
        assert!(calibration(&[CalibrationPoint { nominal: 0.5, observed: f64::NAN }]).is_none());
    }

    #[test]
    fn a_uniform_histogram_touches_its_reference_everywhere() {
        let view = pit(&[0.1; 10]);
        assert_eq!(view.reference.as_deref(), Some("0.0"));
        assert!(view.bars.iter().all(|bar| bar.y == "0.0" && bar.height == "200.0"));
    }

    #[test]
    fn a_negative_coefficient_hangs_below_the_base_line() {
        // 0.07 and -0.02: the base line is at 0.07 / 0.09 of 200 = 155.6, the second bar 44.4 high.
        let view = fold_ic(&panel()).expect("coefficients");
        assert_eq!(view.base, "155.6");
        assert_eq!((view.bars[1].y.as_str(), view.bars[1].height.as_str()), ("155.6", "44.4"));
        assert!(view.summary.ends_with("positive in 1 of 2."));
    }

    #[test]
    fn folds_with_losses_are_listed_once() {
        assert_eq!(ForecastView::new(&panel()).loss_folds, [0, 1]);
    }
}
