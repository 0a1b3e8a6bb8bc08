//! From journals to numbers: `metrics.json`.

use serde::Serialize;
use tidegate_backtest::{FillTiming, HaltReason, Journal};
use tidegate_market::Timestamp;
use tidegate_metrics::{
    EquityCurve, MetricOptions, Performance, Returns, TradeStatistics, exposure, performance, trade_statistics,
    turnover,
};

use crate::ExperimentError;
use crate::config::ProfileConfig;
use crate::forecasting::ForecastSummary;
use crate::resolve::ResolvedExperiment;

/// The numbers of a run.
#[derive(Debug, Clone)]
pub struct Measured {
    /// The strategy's performance, beside the benchmark where a metric needs one.
    pub performance: Performance,
    /// Buy-and-hold over the same bars with the same costs.
    pub benchmark: Performance,
    /// The strategy's returns per bar.
    pub returns: Returns,
    /// The benchmark's returns per bar.
    pub benchmark_returns: Returns,
    /// The strategy's equity, from its initial point.
    pub curve: EquityCurve,
    /// The benchmark's equity, from its initial point.
    pub benchmark_curve: EquityCurve,
    /// What was traded and what it cost.
    pub execution: ExecutionSummary,
    /// What the metrics were measured with.
    pub options: MetricOptions,
    /// The paths of a cross-validation; `None` for forecasts that could have been traded.
    pub cross_validation: Option<CrossValidationSummary>,
}

/// How a strategy did on every path of a cross-validation, whose models learned from later bars too.
///
/// The paths share training bars and the market, so that they are not independent.
#[derive(Debug, Clone, Serialize)]
pub struct CrossValidationSummary {
    /// Path by path; the run's other numbers are those of the first.
    pub paths: Vec<PathSummary>,
    /// The mean of the paths' Sharpe ratios; null where one is undefined.
    pub sharpe_ratio_mean: Option<f64>,
    /// Their standard deviation, divisor n - 1; null below two paths.
    pub sharpe_ratio_standard_deviation: Option<f64>,
    /// The smallest of them.
    pub sharpe_ratio_min: Option<f64>,
    /// The share of paths whose Sharpe ratio is not above 0.
    pub share_not_positive: Option<f64>,
}

/// How a strategy did on one path.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct PathSummary {
    /// Annual Sharpe ratio.
    pub sharpe_ratio: Option<f64>,
    /// Total return, a fraction.
    pub total_return: Option<f64>,
    /// Largest drawdown, a fraction.
    pub max_drawdown: Option<f64>,
}

impl PathSummary {
    /// Takes what is shown of a path.
    pub const fn new(performance: &Performance) -> Self {
        let Performance { sharpe_ratio, total_return, max_drawdown, .. } = performance;
        Self { sharpe_ratio: *sharpe_ratio, total_return: *total_return, max_drawdown: *max_drawdown }
    }
}

impl CrossValidationSummary {
    /// Summarises the paths.
    pub fn new(paths: Vec<PathSummary>) -> Self {
        let ratios: Option<Vec<f64>> = paths.iter().map(|path| path.sharpe_ratio).collect();
        let ratios = ratios.filter(|ratios| !ratios.is_empty());
        let count = paths.len() as f64;
        let of = |statistic: &dyn Fn(&[f64]) -> Option<f64>| ratios.as_deref().and_then(statistic);
        let mean = of(&|ratios| Some(ratios.iter().sum::<f64>() / count));
        let deviation = |ratios: &[f64]| {
            let squares: f64 = ratios.iter().map(|ratio| (ratio - mean.unwrap_or(0.0)).powi(2)).sum();
            (ratios.len() > 1).then(|| (squares / (count - 1.0)).sqrt())
        };
        Self {
            sharpe_ratio_mean: mean,
            sharpe_ratio_standard_deviation: of(&deviation),
            sharpe_ratio_min: of(&|ratios| ratios.iter().copied().reduce(f64::min)),
            share_not_positive: of(&|ratios| Some(ratios.iter().filter(|ratio| **ratio <= 0.0).count() as f64 / count)),
            paths,
        }
    }
}

/// What was traded and what it cost.
#[derive(Debug, Clone, Serialize)]
pub struct ExecutionSummary {
    /// When market orders filled.
    pub fill: &'static str,
    /// The engine whose defaults were used; null when none was named.
    pub profile: Option<&'static str>,
    /// The first traded bar.
    pub first_bar: Timestamp,
    /// The last traded bar.
    pub last_bar: Timestamp,
    /// Bars per year used to annualise.
    pub periods_per_year: f64,
    /// The risk-free rate a year, as a fraction.
    pub risk_free_rate: f64,
    /// Money at the start.
    pub initial_equity: f64,
    /// Money at the end.
    pub final_equity: f64,
    /// Orders, denied ones included.
    pub orders: usize,
    /// Fills.
    pub fills: usize,
    /// Orders that a limit denied.
    pub denials: usize,
    /// Money paid as commission.
    pub commission: f64,
    /// Money lost to slippage.
    pub slippage: f64,
    /// Dividends received, less those paid on short positions.
    pub dividends: f64,
    /// Interest earned on cash.
    pub cash_interest: f64,
    /// Fees paid for borrowed units.
    pub borrow_fees: f64,
    /// Interest paid on borrowed money.
    pub margin_interest: f64,
    /// Funding paid on perpetual contracts, less what was received.
    pub funding: f64,
    /// Money that changed hands.
    pub traded_value: f64,
    /// Traded value over average equity, per year.
    pub turnover: Option<f64>,
    /// The share of bars with a position.
    pub exposure: Option<f64>,
    /// Bars whose path decided which order filled first.
    pub ambiguous_bars: u64,
    /// Times that a margin call cut the positions.
    pub margin_calls: usize,
    /// Days on which the daily loss stop ended trading.
    pub daily_loss_stops: usize,
    /// Why trading stopped early; null when it did not.
    pub halted: Option<String>,
    /// Round trips.
    pub trades: TradeStatistics,
    /// The hash of every order, its life and its fills.
    pub order_hash: String,
}

impl Measured {
    /// Returns the content of `metrics.json`.
    pub fn to_json(&self, scores: Option<&ForecastSummary>) -> serde_json::Value {
        let mut metrics = serde_json::json!({
            "performance": self.performance,
            "benchmark": self.benchmark,
            "forecast": scores,
            "execution": self.execution,
        });
        if let Some(summary) = &self.cross_validation {
            metrics["cross_validation"] = serde_json::json!(summary);
        }
        metrics
    }
}

/// Measures a strategy's journal beside the benchmark's.
///
/// # Errors
/// When a journal has no bar.
pub fn measure(
    experiment: &ResolvedExperiment,
    journal: &Journal,
    benchmark: &Journal,
) -> Result<Measured, ExperimentError> {
    let periods_per_year = experiment.data.periods_per_year;
    let options = experiment.metrics;
    let rows = journal.equity.len().min(benchmark.equity.len());
    let curve = equity_curve(experiment, journal, journal.equity.len())?;
    let benchmark_curve = equity_curve(experiment, benchmark, rows)?;
    let returns = curve.returns(periods_per_year)?;
    let benchmark_returns = benchmark_curve.returns(periods_per_year)?;
    let paired = (returns.len() == benchmark_returns.len()).then_some(&benchmark_returns);
    Ok(Measured {
        performance: performance(&returns, paired, &options)?,
        benchmark: performance(&benchmark_returns, None, &options)?,
        execution: execution(experiment, journal, &curve, periods_per_year)?,
        returns,
        benchmark_returns,
        curve,
        benchmark_curve,
        options,
        cross_validation: None,
    })
}

/// Returns equity with its initial point.
///
/// No order can fill before the first bar has closed, so that bar's mark is the initial point; only `same_close` can pay costs
/// within it, and gets a point one interval earlier.
pub(crate) fn equity_curve(
    experiment: &ResolvedExperiment,
    journal: &Journal,
    rows: usize,
) -> Result<EquityCurve, ExperimentError> {
    let mut time = journal.equity.time()[..rows].to_vec();
    let mut equity = journal.equity.equity()[..rows].to_vec();
    let Some(&first) = time.first() else {
        return Err(ExperimentError::Sample("there are no bars to trade".to_owned()));
    };
    if let Some((before, money)) = initial_point(experiment, journal, first) {
        time.insert(0, before);
        equity.insert(0, money);
    }
    Ok(EquityCurve::new(time, equity)?)
}

/// Returns the initial point of an equity that begins at a label, where it is not that label's own.
pub(crate) fn initial_point(
    experiment: &ResolvedExperiment,
    journal: &Journal,
    first: Timestamp,
) -> Option<(Timestamp, f64)> {
    let is_in_first_bar = experiment.backtest.fill == FillTiming::SameClose;
    is_in_first_bar.then(|| (first.plus_nanos(-experiment.data.interval.nanos()), journal.initial_cash.0))
}

fn execution(
    experiment: &ResolvedExperiment,
    journal: &Journal,
    curve: &EquityCurve,
    periods_per_year: f64,
) -> Result<ExecutionSummary, ExperimentError> {
    let time = journal.equity.time();
    let totals = &journal.totals;
    let pnl: Vec<f64> = journal.trades.iter().map(|trade| trade.net_pnl().0).collect();
    let bars_held: Vec<u64> = journal.trades.iter().map(|trade| u64::from(trade.bars_held())).collect();
    Ok(ExecutionSummary {
        fill: fill_name(experiment.backtest.fill),
        profile: experiment.config.execution.profile.map(ProfileConfig::name),
        first_bar: time[0],
        last_bar: time[time.len() - 1],
        periods_per_year,
        risk_free_rate: experiment.metrics.risk_free_annual,
        initial_equity: journal.initial_cash.0,
        final_equity: journal.final_equity().0,
        orders: journal.orders.len(),
        fills: journal.fills.len(),
        denials: journal.denials().count(),
        commission: totals.commission.0,
        slippage: totals.slippage.0,
        dividends: totals.dividends.0,
        cash_interest: totals.cash_interest.0,
        borrow_fees: totals.borrow_fees.0,
        margin_interest: totals.margin_interest.0,
        funding: totals.funding.0,
        traded_value: totals.turnover.0,
        turnover: turnover(totals.turnover, curve),
        exposure: exposure(&journal.equity.gross_exposure()),
        ambiguous_bars: totals.ambiguous_bars,
        margin_calls: journal.margin_calls.len(),
        daily_loss_stops: journal.daily_loss_stops.len(),
        halted: journal.halt.map(|halt| match halt.reason {
            HaltReason::DrawdownStop => format!("the drawdown stop closed everything at {}", halt.time),
            HaltReason::LosingTrades => format!("too many round trips in a row had lost at {}", halt.time),
            HaltReason::Ruin => format!("the account was ruined at {}", halt.time),
        }),
        trades: trade_statistics(&pnl, &bars_held)?,
        order_hash: format!("{:016x}", journal.order_hash()),
    })
}

pub(crate) const fn fill_name(fill: FillTiming) -> &'static str {
    match fill {
        FillTiming::NextOpen => "next_open",
        FillTiming::NextClose => "next_close",
        FillTiming::SameClose => "same_close",
        FillTiming::SameCloseBookedNext => "same_close_booked_next",
    }
}
