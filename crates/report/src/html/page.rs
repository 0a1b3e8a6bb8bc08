//! Everything that the templates show, as text.

use serde::Serialize;
use tidegate_market::Side;

use crate::curve::{Curve, drawdown};
use crate::number::{count, metric, metric_pair, money, percent, percent_short, price, quantity};
use crate::{MetricUnit, ReportError, RunHeader, RunReport, TradeRow};

use super::chart_data::{ChartData, EQUITY_ROWS_MAX};
use super::cross_validation_view::CrossValidationView;
use super::forecast_view::ForecastView;
use super::heat_map::{HeatYear, heat_map};

/// Trades listed; a longer list is no longer read, and the page has to stay small.
const TRADES_MAX: usize = 500;
/// The metrics shown large, in this order, as far as the run has them.
const KEY_FIGURES: [&str; 6] =
    ["total_return", "cagr", "sharpe_ratio", "max_drawdown", "volatility", "deflated_sharpe_ratio"];

#[derive(Serialize)]
pub(super) struct Page<'a> {
    header: &'a RunHeader,
    notes: &'a [String],
    has_benchmark: bool,
    build: &'static str,
    warnings: Vec<String>,
    summary: String,
    key_figures: Vec<KeyFigure<'a>>,
    facts: Vec<(&'static str, String)>,
    equity: Option<EquityView>,
    metrics: Vec<(&'a str, String, String)>,
    heat_map: Vec<HeatYear>,
    years: Vec<[String; 4]>,
    drawdowns: Vec<[String; 5]>,
    execution: Vec<(&'static str, String)>,
    cross_validation: Option<CrossValidationView>,
    forecast: Option<ForecastView<'a>>,
    trades: Vec<TradeView<'a>>,
    trades_omitted: Option<String>,
    data: String,
    uplot_style: &'static str,
    uplot_script: &'static str,
    uplot_license: &'static str,
    style: &'static str,
    script: &'static str,
}

#[derive(Serialize)]
struct KeyFigure<'a> {
    label: &'a str,
    value: String,
    beside: Option<String>,
}

#[derive(Serialize)]
struct EquityView {
    /// The curve in a sentence, for whoever does not see it.
    summary: String,
    is_downsampled: bool,
}

/// One trade: text to show and numbers to sort by.
#[derive(Serialize)]
struct TradeView<'a> {
    symbol: &'a str,
    side: &'static str,
    cells: Vec<(String, String)>,
}

impl<'a> Page<'a> {
    pub(super) fn new(report: &'a RunReport) -> Result<Self, ReportError> {
        let n_omitted = report.trades.len().saturating_sub(TRADES_MAX);
        Ok(Self {
            header: &report.header,
            notes: &report.notes,
            has_benchmark: report.header.benchmark.is_some(),
            build: report.header.build.label(),
            warnings: report.all_warnings(),
            summary: summary(report),
            key_figures: key_figures(report),
            facts: report.facts(),
            equity: equity(report),
            metrics: metrics(report),
            heat_map: heat_map(&report.monthly_returns),
            years: years(report),
            drawdowns: drawdowns(report),
            execution: execution(report),
            cross_validation: report.cross_validation.as_ref().map(CrossValidationView::new),
            forecast: report.forecast.as_ref().map(ForecastView::new),
            trades: report.trades[n_omitted..].iter().map(trade).collect(),
            trades_omitted: (n_omitted > 0)
                .then(|| format!("the last {TRADES_MAX} of {}", count(report.trades.len() as u64))),
            data: ChartData::new(report).json()?,
            uplot_style: include_str!("../../assets/uPlot.min.css"),
            uplot_script: include_str!("../../assets/uPlot.iife.min.js"),
            uplot_license: include_str!("../../assets/uPlot.LICENSE"),
            style: include_str!("../../assets/report.css"),
            script: include_str!("../../assets/report.js"),
        })
    }
}

fn summary(report: &RunReport) -> String {
    let header = &report.header;
    let mut parts = vec![header.instruments()];
    parts.extend(report.traded_span().map(|span| span.to_string()));
    parts.push(format!("fills at the {}", header.fill_rule.label()));
    let sample = if report.cross_validation.is_some() { "cross-validated" } else { "out of sample" };
    parts.extend(header.walk_forward.map(|walk| format!("{sample} over {} folds", walk.n_folds)));
    parts.join(" · ")
}

fn key_figures(report: &RunReport) -> Vec<KeyFigure<'_>> {
    let known = |key: &&str| report.performance.iter().find(|row| row.key == **key);
    let mut figures: Vec<_> = KEY_FIGURES
        .iter()
        .filter_map(known)
        .map(|row| {
            let trials = report.header.n_trials.filter(|_| row.key == "deflated_sharpe_ratio");
            let benchmark = row.benchmark.map(|value| format!("benchmark {}", metric(row.unit, Some(value))));
            let beside = trials.map(|trials| format!("over {} trials", count(trials))).or(benchmark);
            KeyFigure { label: &row.label, value: metric(row.unit, row.strategy), beside }
        })
        .collect();
    let execution = &report.execution;
    let exposure = execution.exposure.map(|share| format!("exposure {}", percent_short(Some(share))));
    figures.push(KeyFigure { label: "Closed trades", value: count(execution.n_trades), beside: exposure });
    figures
}

fn equity(report: &RunReport) -> Option<EquityView> {
    let span = report.traded_span()?;
    let curve = Curve::new(&report.equity);
    let ends = |values: &[Option<f64>]| {
        format!("from {} to {}", money(values.first().copied().flatten()), money(values.last().copied().flatten()))
    };
    let falls = drawdown(&curve.strategy);
    let deepest = falls.iter().zip(&curve.time).filter_map(|(fall, time)| Some(((*fall)?, time)));
    let mut sentences = vec![format!("Strategy equity {} over {span}.", ends(&curve.strategy))];
    if let Some(benchmark) = &curve.benchmark {
        sentences.push(format!("Benchmark {}.", ends(benchmark)));
    }
    if let Some((fall, time)) = deepest.min_by(|a, b| a.0.total_cmp(&b.0)).filter(|(fall, _)| *fall < 0.0) {
        sentences.push(format!("Deepest drawdown {} on {time}.", percent(Some(fall))));
    }
    Some(EquityView { summary: sentences.join(" "), is_downsampled: report.equity.len() > EQUITY_ROWS_MAX })
}

fn metrics(report: &RunReport) -> Vec<(&str, String, String)> {
    let row = |row| {
        let (strategy, benchmark) = metric_pair(row);
        (row.label.as_str(), strategy, benchmark)
    };
    report.performance.iter().map(row).collect()
}

fn years(report: &RunReport) -> Vec<[String; 4]> {
    let years = Curve::new(&report.equity).years();
    years.into_iter().map(|row| [row.year, percent(row.strategy), percent(row.benchmark), money(row.equity)]).collect()
}

fn drawdowns(report: &RunReport) -> Vec<[String; 5]> {
    let recovery = |row: &crate::DrawdownRow| row.recovery.map_or_else(|| "open".to_owned(), |time| time.to_string());
    let row = |row: &crate::DrawdownRow| {
        [percent(Some(row.depth)), row.peak.to_string(), row.valley.to_string(), recovery(row), count(row.bars)]
    };
    report.drawdowns.iter().map(row).collect()
}

fn execution(report: &RunReport) -> Vec<(&'static str, String)> {
    let execution = &report.execution;
    vec![
        ("Orders submitted", count(execution.n_orders)),
        ("Fills", count(execution.n_fills)),
        ("Closed trades", count(execution.n_trades)),
        ("Trades with a gain", percent_short(execution.win_rate)),
        ("Profit factor", metric(MetricUnit::Ratio, execution.profit_factor)),
        ("Expectancy, money a trade", money(execution.expectancy)),
        ("Bars held, mean", metric(MetricUnit::Ratio, execution.average_bars_held)),
        ("Orders denied by risk limits", count(execution.denials)),
        ("Bars with an assumed order of fills", count(execution.ambiguous_bars)),
        ("Exposure, share of bars", percent_short(execution.exposure)),
        ("Turnover a year", metric(MetricUnit::Ratio, execution.turnover)),
        ("Commission paid", money(Some(execution.commission))),
        ("Slippage paid", money(Some(execution.slippage))),
    ]
}

fn trade(row: &TradeRow) -> TradeView<'_> {
    let side = match row.side {
        Side::Buy => "long",
        Side::Sell => "short",
    };
    let nanos = |time: tidegate_market::Timestamp| (time.to_string(), time.nanos().to_string());
    let amount = |value: f64| (money(Some(value)), value.to_string());
    let price = |value: f64| (price(value), value.to_string());
    TradeView {
        symbol: &row.symbol,
        side,
        cells: vec![
            (quantity(row.quantity), row.quantity.to_string()),
            nanos(row.entry_time),
            price(row.entry_price),
            nanos(row.exit_time),
            price(row.exit_price),
            (count(row.bars_held), row.bars_held.to_string()),
            amount(row.realized_pnl),
            amount(row.commission),
            amount(row.slippage),
            amount(row.mae),
            amount(row.mfe),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn a_long_list_of_trades_shows_the_last_ones_and_says_so() {
        let report = fixture::random_walk(9_000, 1);
        let page = Page::new(&report).expect("a page");
        assert_eq!(page.trades.len(), 500);
        assert_eq!(page.trades_omitted.as_deref(), Some("the last 500 of 1,000"));
    }

    #[test]
    fn the_curve_is_told_in_a_sentence() {
        let summary = equity(&fixture::small()).expect("a curve").summary;
        let strategy = "Strategy equity from 100,000.00 to 108,000.00 over 2020-01-31 to 2020-06-30.";
        let rest = " Benchmark from 100,000.00 to 105,000.00. Deepest drawdown -10.00% on 2020-03-31.";
        assert_eq!(summary, format!("{strategy}{rest}"));
    }

    #[test]
    fn the_deflated_sharpe_names_the_number_of_trials() {
        let report = fixture::random_walk(100, 1);
        let figures = key_figures(&report);
        let deflated = figures.iter().find(|figure| figure.label == "Deflated Sharpe").expect("shown");
        assert_eq!(deflated.beside.as_deref(), Some("over 4 trials"));
    }

    #[test]
    fn a_price_below_a_cent_is_not_shown_as_zero() {
        let mut report = fixture::small();
        report.trades[0].entry_price = 0.000_012_34;
        assert_eq!(trade(&report.trades[0]).cells[2].0, "0.00001234");
    }
}
