//! The equity curve as columns, with what a picture of it needs: drawdowns and calendar years.

use tidegate_market::Timestamp;

use crate::EquityPoint;

/// Columns of one equity curve, all of the same length.
pub(crate) struct Curve {
    pub(crate) time: Vec<Timestamp>,
    pub(crate) strategy: Vec<Option<f64>>,
    /// `None` when no point has a benchmark.
    pub(crate) benchmark: Option<Vec<Option<f64>>>,
}

/// Equity and returns of one calendar year.
#[derive(Debug, PartialEq)]
pub(crate) struct YearRow {
    pub(crate) year: String,
    /// The last equity of the year.
    pub(crate) equity: Option<f64>,
    /// Simple return since the last point of the year before, or since the first point.
    pub(crate) strategy: Option<f64>,
    pub(crate) benchmark: Option<f64>,
}

impl Curve {
    pub(crate) fn new(points: &[EquityPoint]) -> Self {
        let benchmark: Vec<_> = points.iter().map(|point| point.benchmark.filter(|value| value.is_finite())).collect();
        Self {
            time: points.iter().map(|point| point.time).collect(),
            strategy: points.iter().map(|point| Some(point.strategy).filter(|value| value.is_finite())).collect(),
            benchmark: benchmark.iter().any(Option::is_some).then_some(benchmark),
        }
    }

    /// Returns one row per calendar year that the curve touches.
    pub(crate) fn years(&self) -> Vec<YearRow> {
        let years: Vec<String> = self.time.iter().map(|time| time.date().format("%Y").to_string()).collect();
        let n_rows = years.len();
        let ends = (0..n_rows).filter(|&row| row + 1 == n_rows || years[row + 1] != years[row]);
        let mut start = 0;
        ends.map(|end| {
            let row = YearRow {
                year: years[end].clone(),
                equity: self.strategy[end],
                strategy: simple_return(&self.strategy, start, end),
                benchmark: self.benchmark.as_deref().and_then(|values| simple_return(values, start, end)),
            };
            start = end;
            row
        })
        .collect()
    }
}

/// Returns each value's distance from the highest value so far, as a fraction: zero at a peak, negative below it.
///
/// Formula: `value / max(values so far) - 1`; undefined while the highest value is not positive.
pub(crate) fn drawdown(values: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut peak = f64::NEG_INFINITY;
    let fall = |value: f64| {
        peak = peak.max(value);
        (peak > 0.0).then(|| value / peak - 1.0)
    };
    let mut fall = fall;
    values.iter().map(|value| value.and_then(&mut fall)).collect()
}

fn simple_return(values: &[Option<f64>], start: usize, end: usize) -> Option<f64> {
    let (first, last) = (values[start]?, values[end]?);
    (first > 0.0 && start < end).then(|| last / first - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(points: &[(&str, f64)]) -> Curve {
        let point = |&(time, strategy): &(&str, f64)| EquityPoint {
            time: time.parse().expect("valid time"),
            strategy,
            benchmark: None,
        };
        Curve::new(&points.iter().map(point).collect::<Vec<_>>())
    }

    #[test]
    fn a_drawdown_starts_at_zero_and_is_measured_from_the_highest_point() {
        // Peaks 100, 120; 90/120 = 0.75; 108/120 = 0.9.
        let values = [100.0, 120.0, 90.0, 108.0, 120.0].map(Some);
        assert_eq!(drawdown(&values), [Some(0.0), Some(0.0), Some(-0.25), Some(0.9 - 1.0), Some(0.0)]);
    }

    #[test]
    fn a_loss_in_the_first_period_is_a_drawdown() {
        assert_eq!(drawdown(&[Some(100.0), Some(50.0)]), [Some(0.0), Some(-0.5)]);
    }

    #[test]
    fn a_hole_and_a_worthless_account_are_undefined() {
        assert_eq!(
            drawdown(&[None, Some(-1.0), Some(2.0), None, Some(1.0)]),
            [None, None, Some(0.0), None, Some(-0.5)]
        );
    }

    #[test]
    fn a_year_runs_from_the_last_point_of_the_year_before() {
        // 2019: 110/100; 2020: 99/110; the second point of 2020 counts, not the first.
        let rows =
            curve(&[("2019-06-28", 100.0), ("2019-12-31", 110.0), ("2020-01-02", 120.0), ("2020-12-31", 99.0)]).years();
        let returns: Vec<_> = rows.iter().map(|row| (row.year.as_str(), row.strategy.expect("defined"))).collect();
        assert_eq!(returns, [("2019", 110.0 / 100.0 - 1.0), ("2020", 99.0 / 110.0 - 1.0)]);
        assert_eq!(rows[1].equity, Some(99.0));
    }

    #[test]
    fn a_year_of_one_point_has_no_return() {
        let rows = curve(&[("2019-12-31", 100.0), ("2020-12-31", 50.0)]).years();
        assert_eq!(rows[0].strategy, None);
        assert_eq!(rows[1].strategy, Some(-0.5));
        assert_eq!(rows[1].benchmark, None);
    }
}
