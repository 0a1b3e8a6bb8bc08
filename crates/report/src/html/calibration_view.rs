//! Calibration: the coverage curve, the PIT histogram, and tests of intervals.

use serde::Serialize;

use super::small_chart::{BarsView, SIDE, coordinate, histogram};
use super::table_view::TableView;
use crate::number::{count, p_value, percent_short, ratio, scientific, score};
use crate::{CalibrationPanel, CalibrationPoint, IntervalRow, RecalibrationPanel, RecalibrationRow};

/// Observed against nominal coverage; the origin is the lower left corner.
#[derive(Serialize)]
pub(super) struct CurveView {
    line: String,
    points: Vec<(String, String)>,
    summary: String,
}

pub(super) fn curve(points: &[CalibrationPoint]) -> Option<CurveView> {
    let known = |point: &&CalibrationPoint| point.nominal.is_finite() && point.observed.is_finite();
    let points: Vec<&CalibrationPoint> = points.iter().filter(known).collect();
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
    Some(CurveView { line: line.join(" "), points: coordinates, summary })
}

fn error(point: &CalibrationPoint) -> f64 {
    (point.observed - point.nominal).abs()
}

pub(super) fn pit(panel: &CalibrationPanel) -> BarsView {
    let shares = &panel.pit_histogram;
    let shown: Vec<_> = shares.iter().map(|&share| percent_short(Some(share))).collect();
    let uniform = format!(
        "Kolmogorov-Smirnov distance from uniform {}, p {}; Ljung-Box p {}.",
        score(Some(panel.kolmogorov_smirnov)),
        p_value(Some(panel.kolmogorov_smirnov_p_value)),
        p_value(panel.ljung_box_p_value),
    );
    BarsView {
        summary: format!(
            "Share of outcomes in each twentieth of the forecast distribution: {}. {uniform}",
            shown.join(", ")
        ),
        caption: format!(
            "Share of outcomes in each twentieth of the forecast distribution. Flat at the dashed line: calibrated. {uniform}"
        ),
        ..histogram("PIT histogram", shares, percent_short)
    }
}

pub(super) fn intervals(panel: &CalibrationPanel) -> Option<TableView> {
    let row = |row: &IntervalRow| {
        [
            percent_short(Some(row.nominal)),
            percent_short(Some(row.observed)),
            count(row.misses),
            p_value(Some(row.kupiec_p_value)),
            p_value(row.christoffersen_p_value),
            p_value(row.conditional_coverage_p_value),
        ]
    };
    TableView::new(
        "Tests of intervals",
        "Kupiec: are there as many misses as stated? Christoffersen: do they cluster? A small p speaks against the intervals; \
         overlapping labels and instruments that move together make it too small.",
        ["Interval", "Outcomes inside", "Misses", "Kupiec p", "Christoffersen p", "Both p"],
        panel.intervals.iter().map(row),
    )
}

pub(super) fn recalibration(panel: &RecalibrationPanel) -> Option<TableView> {
    let factors = |row: &RecalibrationRow| match (row.variance_factor_min, row.variance_factor_max) {
        (Some(min), Some(max)) => format!("{} to {}", ratio(Some(min)), ratio(Some(max))),
        _ => "none".to_owned(),
    };
    let row = |row: &RecalibrationRow| {
        [
            row.horizon_bars.to_string(),
            percent_short(row.nominal),
            percent_short(row.observed),
            scientific(row.mean_width),
            count(row.count),
            count(row.unbounded),
            factors(row),
        ]
    };
    TableView::new(
        "Recalibration",
        format!("{}, fitted on each fold's validation set; the width is in units of the target.", panel.method),
        ["Horizon, bars", "Stated coverage", "Reached", "Mean width", "Outcomes", "Without bound", "Variances times"],
        panel.rows.iter().map(row),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn a_perfectly_calibrated_point_lies_on_the_diagonal() {
        let view = curve(&[CalibrationPoint { nominal: 0.25, observed: 0.25 }]).expect("a point");
        assert_eq!(view.points, [("50.0".to_owned(), "150.0".to_owned())]);
    }

    #[test]
    fn no_distributions_give_no_curve() {
        assert!(curve(&[]).is_none());
        assert!(curve(&[CalibrationPoint { nominal: 0.5, observed: f64::NAN }]).is_none());
    }

    #[test]
    fn a_test_that_could_not_be_made_is_not_a_pass() {
        let panel = fixture::small().forecast.and_then(|forecast| forecast.calibration).expect("distributions");
        let table = intervals(&panel).expect("three intervals");
        assert_eq!(table.rows[2], ["99.0%", "97.8%", "11", "0.017", "n/a", "n/a"]);
    }

    #[test]
    fn stated_and_reached_coverage_stand_side_by_side() {
        let panel = fixture::small().forecast.and_then(|forecast| forecast.recalibration).expect("recalibrated");
        let table = recalibration(&panel).expect("two horizons");
        assert_eq!(table.rows[0], ["1", "90.0%", "90.6%", "3.410e-2", "500", "0", "none"]);
    }
}
