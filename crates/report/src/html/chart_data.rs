//! The numbers that the page's script draws.

use serde::Serialize;
use tidegate_market::Timestamp;

use crate::curve::{Curve, drawdown};
use crate::downsample::kept_rows;
use crate::number::rounded;
use crate::{ForecastPanel, LossCurve, ReportError, RunReport};

/// Rows of the equity chart beyond which extremes stand for their neighbors.
pub(super) const EQUITY_ROWS_MAX: usize = 5_000;
/// Significant digits of money: cents up to a million, which the hover legend shows.
const MONEY_DIGITS: i32 = 9;
/// Significant digits of drawdowns and losses.
const FRACTION_DIGITS: i32 = 6;
/// Epochs of all loss curves together beyond which curves are thinned.
const EPOCHS_MAX: usize = 20_000;

#[derive(Serialize)]
pub(super) struct ChartData<'a> {
    benchmark_name: Option<&'a str>,
    equity: EquityChart,
    losses: Vec<LossChart>,
}

#[derive(Serialize)]
struct EquityChart {
    /// Seconds since 1970-01-01 UTC.
    time: Vec<i64>,
    strategy: Vec<Option<f64>>,
    benchmark: Option<Vec<Option<f64>>>,
    drawdown: Vec<Option<f64>>,
    benchmark_drawdown: Option<Vec<Option<f64>>>,
}

#[derive(Serialize)]
struct LossChart {
    fold: u32,
    member: u32,
    epoch: Vec<usize>,
    train: Vec<Option<f64>>,
    valid: Vec<Option<f64>>,
    /// Mean global norms of the gradients.
    gradient: Vec<Option<f64>>,
}

impl<'a> ChartData<'a> {
    pub(super) fn new(report: &'a RunReport) -> Self {
        Self {
            benchmark_name: report.header.benchmark.as_deref(),
            equity: EquityChart::new(&Curve::new(&report.equity)),
            losses: report.forecast.as_ref().map_or_else(Vec::new, losses),
        }
    }

    /// Returns JSON that can stand inside a script element: `<` is written as `\u003c`.
    pub(super) fn json(&self) -> Result<String, ReportError> {
        Ok(serde_json::to_string(self)?.replace('<', "\\u003c"))
    }
}

impl EquityChart {
    fn new(curve: &Curve) -> Self {
        let strategy_fall = drawdown(&curve.strategy);
        let benchmark_fall = curve.benchmark.as_deref().map(drawdown);
        let columns: Vec<&[Option<f64>]> =
            [Some(&curve.strategy), Some(&strategy_fall), curve.benchmark.as_ref(), benchmark_fall.as_ref()]
                .into_iter()
                .flatten()
                .map(Vec::as_slice)
                .collect();
        let rows = kept_rows(&columns, EQUITY_ROWS_MAX);
        Self {
            time: rows.iter().map(|&row| curve.time[row].nanos().div_euclid(NANOS_PER_SECOND)).collect(),
            strategy: picked(&curve.strategy, &rows, MONEY_DIGITS),
            benchmark: curve.benchmark.as_ref().map(|values| picked(values, &rows, MONEY_DIGITS)),
            drawdown: picked(&strategy_fall, &rows, FRACTION_DIGITS),
            benchmark_drawdown: benchmark_fall.as_ref().map(|values| picked(values, &rows, FRACTION_DIGITS)),
        }
    }
}

const NANOS_PER_SECOND: i64 = Timestamp::NANOS_PER_DAY / 86_400;

fn losses(panel: &ForecastPanel) -> Vec<LossChart> {
    let epochs_max = (EPOCHS_MAX / panel.training.loss_curves.len().max(1)).max(8);
    panel.training.loss_curves.iter().map(|curve| loss(curve, epochs_max)).collect()
}

fn loss(curve: &LossCurve, epochs_max: usize) -> LossChart {
    let defined = |values: &[f64]| values.iter().copied().map(Some).collect::<Vec<_>>();
    let (train, valid) = (defined(&curve.train), defined(&curve.valid));
    let gradient: Vec<Option<f64>> = curve.gradients.iter().map(|epoch| Some(epoch.mean)).collect();
    let rows = kept_rows(&[&train, &valid], epochs_max);
    LossChart {
        fold: curve.fold,
        member: curve.member,
        epoch: rows.iter().map(|row| row + 1).collect(),
        train: picked(&train, &rows, FRACTION_DIGITS),
        valid: picked(&valid, &rows, FRACTION_DIGITS),
        gradient: picked(&gradient, &rows, FRACTION_DIGITS),
    }
}

fn picked(values: &[Option<f64>], rows: &[usize], digits: i32) -> Vec<Option<f64>> {
    rows.iter().map(|&row| rounded(values.get(row).copied().flatten(), digits)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn check_extremes(drawn: &[Option<f64>], all: &[f64], digits: i32) {
        let low = all.iter().copied().fold(f64::INFINITY, f64::min);
        let high = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        assert!(drawn.contains(&rounded(Some(low), digits)), "the minimum {low} is lost");
        assert!(drawn.contains(&rounded(Some(high), digits)), "the maximum {high} is lost");
    }

    #[test]
    fn a_long_curve_keeps_its_extremes_and_its_ends() {
        let report = fixture::random_walk(60_000, 390);
        let chart = ChartData::new(&report).equity;
        assert!(chart.time.len() <= EQUITY_ROWS_MAX, "{} rows", chart.time.len());
        let curve = Curve::new(&report.equity);
        let known = |values: &[Option<f64>]| values.iter().flatten().copied().collect::<Vec<_>>();
        check_extremes(&chart.strategy, &known(&curve.strategy), MONEY_DIGITS);
        check_extremes(&chart.drawdown, &known(&drawdown(&curve.strategy)), FRACTION_DIGITS);
        let benchmark = curve.benchmark.expect("a benchmark");
        check_extremes(&chart.benchmark.expect("a benchmark"), &known(&benchmark), MONEY_DIGITS);
        assert_eq!(chart.time[0] * NANOS_PER_SECOND, report.equity[0].time.nanos());
        assert_eq!(chart.time.last().map(|time| time * NANOS_PER_SECOND), report.equity.last().map(|p| p.time.nanos()));
    }

    #[test]
    fn a_short_curve_is_drawn_as_it_is() {
        let chart = ChartData::new(&fixture::small()).equity;
        // Below 110,000: 99,000 by 10 %, 104,000 by 6/110 = 5.45455 %, 108,000 by 2/110 = 1.81818 %.
        assert_eq!(chart.drawdown[2..6], [Some(-0.1), Some(-0.054_545_5), Some(0.0), Some(-0.018_181_8)]);
        assert_eq!(chart.strategy[5], Some(108_000.0));
    }

    #[test]
    fn curves_of_unequal_length_are_padded_with_nothing() {
        let curve = LossCurve { fold: 0, member: 0, train: vec![1.0, 0.5], valid: vec![1.0], gradients: Vec::new() };
        let chart = loss(&curve, 100);
        assert_eq!((chart.epoch, chart.valid), (vec![1, 2], vec![Some(1.0), None]));
    }
}
