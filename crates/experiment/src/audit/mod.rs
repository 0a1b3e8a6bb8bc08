//! Proof of causality on one config and its data: what was known by a moment is computed again without what came after it.
//!
//! At sampled cuts the whole chain, from bars to equity, is computed on the bars up to the cut, and on all bars with everything
//! after the cut overwritten by noise. Whatever was known by the cut must have the same bits as in the whole computation.
//! At some opens at which orders filled, everything but that open is overwritten: the fills must stay. Besides, no label that
//! trains or validates a fold may reach into what judges it, and no fill may come before its order was decided.
//!
//! Invariant: the audit runs the very functions that a run calls ([`chain::Product`]); it has no second copy of any stage.

mod altered;
mod auditor;
mod chain;
mod column;
mod cuts;
mod journal;
mod order_of_events;
mod report;
mod stages;
mod store;
#[cfg(test)]
mod tests;

use tidegate_backtest::DataEnd;

pub use self::column::AuditStage;
pub use self::cuts::CutKind;
pub use self::report::{AuditLeak, AuditMethod, AuditReport, AuditedCut, AuditedStage};
pub use self::store::audit_and_store;
pub(crate) use self::store::{AUDIT_FILE, stored_status};
use crate::ExperimentError;
use crate::dataset::Dataset;
use crate::observer::Observer;
use crate::pipeline::{RunOptions, in_pool};
use crate::resolve::ResolvedExperiment;

/// How many cuts are sampled when nobody says.
pub const DEFAULT_CUTS: usize = 8;

/// How an audit is made.
#[derive(Debug, Clone)]
pub struct AuditOptions {
    /// How many cuts are sampled over the bars, at least 1; those in the warm-up and at opens come on top.
    pub cuts: usize,
    /// As for a run: cache, threads, device, folder.
    pub run: RunOptions,
}

/// Audits an experiment on bars in memory, writing nothing but the cache of trained models.
///
/// # Errors
/// Whatever would end a run; also when no bar is left to cut at. A leak is a result, not an error.
pub fn audit_experiment(
    experiment: &ResolvedExperiment,
    dataset: &Dataset,
    options: &AuditOptions,
    observer: &dyn Observer,
) -> Result<AuditReport, ExperimentError> {
    audit_chain(experiment, dataset, options, observer, &chain::Product)
}

/// Audits a chain of stages.
fn audit_chain(
    experiment: &ResolvedExperiment,
    dataset: &Dataset,
    options: &AuditOptions,
    observer: &dyn Observer,
    chain: &dyn chain::Chain,
) -> Result<AuditReport, ExperimentError> {
    // What happens at the end of the data happens at another bar on a prefix; it is no part of what was known before.
    let mut endless = experiment.clone();
    endless.backtest.data_end = DataEnd::Keep;
    in_pool(options.run.threads, || auditor::Auditor::new(&endless, dataset, options, observer, chain)?.audit())?
}
