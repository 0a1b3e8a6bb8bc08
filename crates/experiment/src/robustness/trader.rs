//! One experiment, traded again and again under altered rules.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tidegate_backtest::{BacktestConfig, Journal, Market};
use tidegate_market::Forecast;

use crate::ExperimentError;
use crate::dataset::Dataset;
use crate::measure::{Measured, measure};
use crate::observer::{Observer, Progress};
use crate::pipeline::market;
use crate::resolve::ResolvedExperiment;
use crate::trading::{StrategyInputs, trade, trade_benchmark};

/// What is shown of a backtest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VariantResult {
    /// Total return, a fraction.
    pub total_return: Option<f64>,
    /// Compound return a year, a fraction.
    pub cagr: Option<f64>,
    /// Annual Sharpe ratio.
    pub sharpe_ratio: Option<f64>,
    /// Largest drawdown, a negative fraction.
    pub max_drawdown: Option<f64>,
    /// Money at the end.
    pub final_equity: f64,
    /// Round trips.
    pub trades: usize,
    /// Money paid as commission.
    pub commission: f64,
    /// Money lost to slippage.
    pub slippage: f64,
}

impl VariantResult {
    pub(super) fn new(measured: &Measured) -> Self {
        let (performance, execution) = (&measured.performance, &measured.execution);
        Self {
            total_return: performance.total_return,
            cagr: performance.cagr,
            sharpe_ratio: performance.sharpe_ratio,
            max_drawdown: performance.max_drawdown,
            final_equity: execution.final_equity,
            trades: execution.trades.number_of_trades,
            commission: execution.commission,
            slippage: execution.slippage,
        }
    }
}

/// What came of an altered assumption.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VariantOutcome {
    /// It was traded.
    Traded(VariantResult),
    /// The rules of the run forbid it: why.
    Refused(String),
}

/// An altered assumption and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    /// What the assumption is now.
    pub name: String,
    /// Whether this is the assumption of the run itself.
    pub is_the_run: bool,
    /// What came of it.
    pub outcome: VariantOutcome,
}

impl Variant {
    /// Returns the total return; `None` where it was refused or is undefined.
    pub fn total_return(&self) -> Option<f64> {
        match &self.outcome {
            VariantOutcome::Traded(result) => result.total_return,
            VariantOutcome::Refused(_) => None,
        }
    }
}

/// An altered assumption before it is traded.
pub(super) struct Planned {
    pub(super) name: String,
    pub(super) is_the_run: bool,
    /// The config, or why there is none.
    pub(super) config: Result<BacktestConfig, String>,
}

/// What all variants share: everything but the engine's config.
pub(super) struct Trader<'a> {
    pub(super) experiment: &'a ResolvedExperiment,
    dataset: &'a Dataset,
    market: Market,
    forecasts: &'a [Forecast],
    inputs: &'a StrategyInputs,
    observer: &'a dyn Observer,
}

impl<'a> Trader<'a> {
    pub(super) fn new(
        experiment: &'a ResolvedExperiment,
        dataset: &'a Dataset,
        forecasts: &'a [Forecast],
        inputs: &'a StrategyInputs,
        observer: &'a dyn Observer,
    ) -> Result<Self, ExperimentError> {
        let market = market(experiment, dataset, forecasts)?;
        Ok(Self { experiment, dataset, market, forecasts, inputs, observer })
    }

    /// Trades and measures under a config.
    pub(super) fn trade(&self, config: &BacktestConfig) -> Result<(Journal, Measured), ExperimentError> {
        let altered = ResolvedExperiment { backtest: config.clone(), ..self.experiment.clone() };
        let journal = trade(&altered, self.dataset, &self.market, self.forecasts, self.inputs)?;
        let benchmark = trade_benchmark(&self.market, config)?;
        let measured = measure(&altered, &journal, &benchmark)?;
        Ok((journal, measured))
    }

    /// Trades variants in parallel; their order is kept.
    pub(super) fn variants(&self, stage: &'static str, planned: Vec<Planned>) -> Result<Vec<Variant>, ExperimentError> {
        self.observer.notify(Progress::Stage { name: stage, steps: planned.len() as u64 });
        let variants = planned.into_par_iter().map(|plan| self.variant(plan)).collect::<Result<Vec<_>, _>>()?;
        self.observer.notify(Progress::StageDone);
        Ok(variants)
    }

    fn variant(&self, plan: Planned) -> Result<Variant, ExperimentError> {
        if self.observer.cancelled() {
            return Err(ExperimentError::Cancelled);
        }
        let Planned { name, is_the_run, config } = plan;
        let valid = config.and_then(|config| match config.validate() {
            Ok(()) => Ok(config),
            Err(error) => Err(error.to_string()),
        });
        let outcome = match valid {
            Ok(config) => VariantOutcome::Traded(VariantResult::new(&self.trade(&config)?.1)),
            Err(reason) => VariantOutcome::Refused(reason),
        };
        self.observer.notify(Progress::Step);
        Ok(Variant { name, is_the_run, outcome })
    }
}
