//! How a result changes when its assumptions do: costs, delays, fills, stretches of time, the order of trades and of periods.
//!
//! Data, features and forecasts are computed once; only backtests are repeated, each on the run's own config with one assumption
//! altered. The variants are checks of one result and not choices among results, so no ledger counts them.
//!
//! Invariant: every backtest here goes through the functions that a run calls ([`trader::Trader`]), so that the unaltered variant has
//! the bits of the run.

mod costs;
mod delay;
mod execution;
mod intervals;
mod periods;
mod report;
mod store;
mod text;
mod trade_order;
mod trader;

pub use self::costs::{BreakEven, CostsAnswer, FinancingPaid};
pub use self::execution::ExecutionAnswer;
pub use self::intervals::IntervalsAnswer;
pub use self::periods::{PeriodsAnswer, SubPeriod};
pub use self::report::RobustnessReport;
pub use self::store::robustness_and_store;
pub use self::trade_order::TradeOrderAnswer;
use self::trader::Trader;
pub use self::trader::{Variant, VariantOutcome, VariantResult};
use crate::ExperimentError;
use crate::dataset::Dataset;
use crate::observer::{Observer, Progress};
use crate::pipeline::{RunOptions, forecasts, in_pool};
use crate::resolve::ResolvedExperiment;
use crate::trading::read_inputs;

/// How many resamples and orders of trades are drawn when nobody says.
pub const DEFAULT_RESAMPLES: usize = 1_000;

/// The share of resamples that an interval holds.
const CONFIDENCE: f64 = 0.95;

/// How a result is checked.
#[derive(Debug, Clone)]
pub struct RobustnessOptions {
    /// How many resamples of the periods and orders of the trades are drawn, at least 1.
    pub resamples: usize,
    /// As for a run: cache, threads, device, folder.
    pub run: RunOptions,
}

/// Checks the result of an experiment on bars in memory, writing nothing but the cache of trained models.
///
/// # Errors
/// Whatever would end a run. A variant that the engine's rules forbid is a result, not an error.
pub fn robustness(
    experiment: &ResolvedExperiment,
    dataset: &Dataset,
    options: &RobustnessOptions,
    observer: &dyn Observer,
) -> Result<RobustnessReport, ExperimentError> {
    in_pool(options.run.threads, || answer(experiment, dataset, options, observer))?
}

fn answer(
    experiment: &ResolvedExperiment,
    dataset: &Dataset,
    options: &RobustnessOptions,
    observer: &dyn Observer,
) -> Result<RobustnessReport, ExperimentError> {
    let (forecasts, _) = forecasts(experiment, dataset, &options.run, observer)?;
    let inputs = read_inputs(experiment, dataset)?;
    let trader = Trader::new(experiment, dataset, &forecasts, &inputs, observer)?;
    observer.notify(Progress::Stage { name: "backtesting", steps: 0 });
    let (journal, measured) = trader.trade(&experiment.backtest)?;
    observer.notify(Progress::StageDone);
    let actual = VariantResult::new(&measured);
    let costs = costs::answer(&trader, &measured)?;
    let delay = delay::answer(&trader)?;
    let execution = execution::answer(&trader)?;
    observer.notify(Progress::Stage { name: "resampling", steps: 0 });
    let report = RobustnessReport {
        name: experiment.name.clone(),
        config_hash: experiment.config_hash.clone(),
        data_hash: dataset.input_hash(experiment)?,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        actual,
        costs,
        delay,
        execution,
        periods: periods::answer(&measured, &journal)?,
        trade_order: trade_order::answer(&journal, options.resamples, experiment.seed)?,
        intervals: intervals::answer(&measured, options.resamples, experiment.seed)?,
    };
    observer.notify(Progress::StageDone);
    Ok(report)
}
