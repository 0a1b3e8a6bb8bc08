//! Many configs of one study, with what they share computed once.
//!
//! Data is read once per distinct `[data]`, models are trained and forecasts made once per distinct set of keys they depend on, and the
//! backtests run in parallel over shared read-only bars. A trial is in the ledger before anything shows it, and its result depends on
//! neither the thread that ran it nor what was there before: a sweep that was stopped goes on and ends with the same bytes.

mod axis;
mod metrics;
mod outcome;
mod plan;
mod request;
mod runner;
mod stages;
mod statistics;
mod study;
mod summary;
mod table;
mod template;
#[cfg(test)]
mod tests;
mod trial;
mod walker;

use std::sync::Mutex;

pub(crate) use metrics::trial_metrics;
pub use outcome::SweepOutcome;
pub use request::SweepRequest;

use self::outcome::Findings;
use self::plan::SweepPlan;
use self::runner::{Runner, nothing_ran};
use self::stages::Stages;
use crate::ExperimentError;
use crate::config::ConfigSource;
use crate::ledger::TrialCount;
use crate::observer::{Observer, Progress};
use crate::pipeline::{RunOptions, open_ledger, study_folder};
use crate::resolve::ResolvedExperiment;

/// Runs every trial of a sweep and writes `trials.parquet` and `sweep.json`.
///
/// # Errors
/// When there is nothing to sweep or too much, a key does not exist, the folder is another sweep's, the ledger or a file cannot be
/// written, nothing could run, or the observer cancelled.
pub fn run_sweep(
    source: &ConfigSource,
    request: &SweepRequest,
    options: &RunOptions,
    observer: &dyn Observer,
) -> Result<SweepOutcome, ExperimentError> {
    let base = ResolvedExperiment::from_source(source)?;
    let plan = SweepPlan::new(source, request)?;
    let folder = options.out.clone().unwrap_or_else(|| study_folder(&base, options).join("sweep"));
    study::claim(&folder, &plan)?;
    let ledger = Mutex::new(open_ledger(&base, options)?);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads.unwrap_or(0)).build();
    let pool = pool.map_err(|error| ExperimentError::Internal(error.to_string()))?;
    let mut stages = Stages::new(source, &plan, options, observer);
    let runner = Runner::new(&plan, observer, &pool, &ledger)?;
    let summary = runner.run(&mut stages, &folder.join("trials.parquet"))?;
    if let Some(error) = nothing_ran(&summary) {
        return Err(error);
    }
    let trials = TrialCount::of(&ledger.lock().expect("no thread panics while it holds the ledger"))?;
    let findings = Findings { plan: &plan, summary: &summary, trials: &trials };
    observer.notify(Progress::Stage { name: "judging the best", steps: 0 });
    let judged = pool.install(|| statistics::judge(&findings, &mut stages))?;
    observer.notify(Progress::StageDone);
    let outcome = SweepOutcome::new(folder, &findings, &judged);
    outcome.write()?;
    Ok(outcome)
}
