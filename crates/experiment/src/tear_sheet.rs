//! What the report shows of a run.

mod forecast;
mod training;

use tidegate_backtest::FillTiming;
use tidegate_metrics::{Drawdown, Returns, SharpeStatistics, Trials, drawdowns, monthly_returns, sample_variance};
use tidegate_report::{
    AuditStatus, Build, CrossValidationPanel, DrawdownRow, EquityPoint, ExecutionPanel, FillRule, MetricRow,
    MonthlyReturn, PathRow, RunHeader, RunReport, TimeSpan, TradeRow, WalkForwardSummary,
};

use crate::execution_text;
use crate::forecasting::ForecastOutcome;
use crate::ledger::TrialCount;
use crate::measure::{CrossValidationSummary, Measured, PathSummary};
use crate::pipeline::Computed;
use crate::resolve::{ForecastSource, ResolvedExperiment};
use forecast::forecast_panel;

/// The most drawdowns shown.
const DRAWDOWNS_SHOWN: usize = 10;

/// Lays out the report of a run; `trials` is what the study has tried, this run included.
pub fn tear_sheet(experiment: &ResolvedExperiment, computed: &Computed, trials: &TrialCount) -> RunReport {
    let measured = &computed.measured;
    RunReport {
        header: header(experiment, computed, trials.trials),
        performance: performance_rows(measured, trials),
        equity: equity_points(measured),
        monthly_returns: monthly_returns(&measured.returns)
            .into_iter()
            .map(|month| MonthlyReturn { year: month.year, month: month.month, value: month.value })
            .collect(),
        drawdowns: drawdown_rows(&measured.returns),
        trades: trade_rows(computed),
        execution: execution_panel(measured),
        forecast: forecast_panel(experiment, computed),
        cross_validation: measured.cross_validation.as_ref().map(cross_validation),
        warnings: warnings(experiment, computed),
        notes: execution_text::notes(experiment),
    }
}

fn header(experiment: &ResolvedExperiment, computed: &Computed, trials: u64) -> RunHeader {
    let execution = &measured_execution(computed);
    let (first, last) = computed.dataset.span().unwrap_or((execution.first_bar, execution.last_bar));
    RunHeader {
        name: experiment.name.clone(),
        description: experiment.description.clone(),
        config_hash: experiment.config_hash.clone(),
        data_span: TimeSpan { first, last },
        symbols: computed.dataset.symbols.clone(),
        interval: experiment.data.interval.to_string(),
        periods_per_year: experiment.data.periods_per_year,
        benchmark: Some("buy and hold, same costs".to_owned()),
        fill_rule: match experiment.backtest.fill {
            FillTiming::NextOpen => FillRule::NextOpen,
            FillTiming::NextClose => FillRule::NextClose,
            FillTiming::SameClose | FillTiming::SameCloseBookedNext => FillRule::SameClose,
        },
        costs: execution_text::costs(&experiment.backtest),
        seed: experiment.seed,
        walk_forward: walk_forward(experiment, computed.walk_forward.as_ref()),
        n_trials: Some(trials),
        audit: AuditStatus::NotRun,
        tidegate_version: env!("CARGO_PKG_VERSION").to_owned(),
        build: if cfg!(feature = "libtorch") { Build::WithLibtorch } else { Build::WithoutLibtorch },
    }
}

fn measured_execution(computed: &Computed) -> &crate::measure::ExecutionSummary {
    &computed.measured.execution
}

fn walk_forward(experiment: &ResolvedExperiment, outcome: Option<&ForecastOutcome>) -> Option<WalkForwardSummary> {
    match (&experiment.forecasts, outcome) {
        (ForecastSource::WalkForward(plan), Some(outcome)) => {
            Some(WalkForwardSummary { n_folds: outcome.folds.len() as u32, ensemble_size: plan.ensemble_size })
        }
        _ => None,
    }
}

fn warnings(experiment: &ResolvedExperiment, computed: &Computed) -> Vec<String> {
    let measured = &computed.measured;
    let halted = measured.execution.halted.iter().map(|halted| format!("Trading stopped early: {halted}."));
    let execution = &measured.execution;
    let counted = [
        (execution.margin_calls, "margin calls cut the positions"),
        (execution.daily_loss_stops, "days ended early by the daily loss stop"),
    ];
    let counted = counted.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}."));
    let idle = (execution.fills == 0)
        .then(|| format!("Nothing was traded: of {} orders {} were denied.", execution.orders, execution.denials));
    let of_data = computed.walk_forward.iter().flat_map(|outcome| outcome.warnings.iter().cloned());
    halted.chain(counted).chain(idle).chain(crate::check::warnings(experiment)).chain(of_data).collect()
}

/// The chance that the strategy beats the best of as many worthless trials; undefined below two trials.
fn deflated_sharpe_ratio(measured: &Measured, trials: &TrialCount) -> Option<f64> {
    let periods_per_year = measured.execution.periods_per_year;
    let per_period: Vec<f64> = trials.sharpe_ratios.iter().map(|ratio| ratio / periods_per_year.sqrt()).collect();
    let sharpe_ratio_variance = sample_variance(&per_period)?;
    SharpeStatistics::of(&measured.returns, &measured.options)?
        .deflated(&Trials { count: trials.trials, sharpe_ratio_variance })
}

fn performance_rows(measured: &Measured, trials: &TrialCount) -> Vec<MetricRow> {
    let benchmark = measured.benchmark.entries();
    measured
        .performance
        .entries()
        .into_iter()
        .zip(benchmark)
        .filter_map(|((key, strategy), (_, benchmark))| MetricRow::known(key, strategy, benchmark))
        .chain(
            deflated_sharpe_ratio(measured, trials)
                .and_then(|deflated| MetricRow::known("deflated_sharpe_ratio", Some(deflated), None)),
        )
        .chain(MetricRow::known(
            "final_equity",
            Some(measured.execution.final_equity),
            measured.benchmark_curve.equity().last().copied(),
        ))
        .collect()
}

fn equity_points(measured: &Measured) -> Vec<EquityPoint> {
    let benchmark = measured.benchmark_curve.equity();
    let curve = &measured.curve;
    let point = |(row, (&time, &strategy))| EquityPoint { time, strategy, benchmark: benchmark.get(row).copied() };
    curve.time().iter().zip(curve.equity()).enumerate().map(point).collect()
}

fn drawdown_rows(returns: &Returns) -> Vec<DrawdownRow> {
    let mut deepest: Vec<Drawdown> = drawdowns(returns);
    deepest.sort_by(|a, b| a.depth.total_cmp(&b.depth).then(a.peak_period.cmp(&b.peak_period)));
    deepest.truncate(DRAWDOWNS_SHOWN);
    deepest
        .into_iter()
        .filter_map(|drawdown| {
            Some(DrawdownRow {
                peak: drawdown.peak_time?,
                valley: drawdown.trough_time?,
                recovery: drawdown.recovery_time,
                depth: drawdown.depth,
                bars: drawdown.periods as u64,
            })
        })
        .collect()
}

fn trade_rows(computed: &Computed) -> Vec<TradeRow> {
    let row = |trade: &tidegate_backtest::ClosedTrade| TradeRow {
        symbol: computed.dataset.symbols[trade.instrument.index()].clone(),
        side: trade.side,
        quantity: trade.quantity.0,
        entry_time: trade.entry_time,
        entry_price: trade.entry_price.0,
        exit_time: trade.exit_time,
        exit_price: trade.exit_price.0,
        bars_held: u64::from(trade.bars_held()),
        realized_pnl: trade.realized_pnl.0,
        commission: trade.commission.0,
        slippage: trade.slippage.0,
        mae: trade.max_adverse_excursion * trade.quantity.0.abs() * trade.entry_price.0,
        mfe: trade.max_favorable_excursion * trade.quantity.0.abs() * trade.entry_price.0,
    };
    computed.journal.trades.iter().map(row).collect()
}

fn execution_panel(measured: &Measured) -> ExecutionPanel {
    let execution = &measured.execution;
    ExecutionPanel {
        n_orders: execution.orders as u64,
        n_fills: execution.fills as u64,
        n_trades: execution.trades.number_of_trades as u64,
        win_rate: execution.trades.win_rate,
        profit_factor: execution.trades.profit_factor,
        expectancy: execution.trades.expectancy,
        average_bars_held: execution.trades.average_bars_held,
        commission: execution.commission,
        slippage: execution.slippage,
        turnover: execution.turnover,
        exposure: execution.exposure,
        ambiguous_bars: execution.ambiguous_bars,
        denials: execution.denials as u64,
    }
}

fn cross_validation(summary: &CrossValidationSummary) -> CrossValidationPanel {
    let path = |path: &PathSummary| PathRow {
        sharpe_ratio: path.sharpe_ratio,
        total_return: path.total_return,
        max_drawdown: path.max_drawdown,
    };
    CrossValidationPanel {
        paths: summary.paths.iter().map(path).collect(),
        sharpe_ratio_mean: summary.sharpe_ratio_mean,
        sharpe_ratio_standard_deviation: summary.sharpe_ratio_standard_deviation,
        sharpe_ratio_min: summary.sharpe_ratio_min,
        share_not_positive: summary.share_not_positive,
    }
}
