//! A strategy file to its result: config, pipeline, run directory, cache, trial ledger, sweeps.
//!
//! This is where the two rivers meet: bars become out-of-sample forecasts, forecasts become orders, orders become numbers.
//! Nothing here computes a feature, a gradient, a fill or a ratio itself.
//!
//! Invariants: what a user wrote ([`config::ExperimentConfig`]) and what runs ([`ResolvedExperiment`]) are two types; a result
//! depends on config, data and seed, never on the number of threads, the wall clock or what ran before; a file is written
//! whole or not at all.

mod audit;
mod check;
mod compare;
mod compress;
pub mod config;
mod dataset;
#[cfg(test)]
mod documented;
mod error;
mod execution_text;
mod explain;
mod export;
mod features;
mod files;
mod forecasting;
mod ledger;
mod measure;
mod observer;
mod pipeline;
mod rates;
mod resolve;
mod returns_file;
mod robustness;
mod rules;
mod run_directory;
mod schema;
mod stored_model;
mod study;
mod sweep;
mod tables;
mod tear_sheet;
mod traded_market;
mod trading;

pub use audit::{
    AuditLeak, AuditMethod, AuditOptions, AuditReport, AuditStage, AuditedCut, AuditedStage, CutKind, DEFAULT_CUTS,
    audit_and_store, audit_experiment,
};
pub use check::{CheckedFold, CheckedForecaster, CheckedRun, check};
pub use compare::compare;
pub use compress::{CompressOutcome, CompressRequest, Compression, MeasuredNetwork, compress};
pub use config::ConfigSource;
pub use dataset::{Beside, Dataset, read_options};
pub use error::ExperimentError;
pub use explain::{ExplainRequest, explain};
pub use export::{ExportFormat, ExportOutcome, ExportRequest, WrittenFile, export};
pub use features::write_features;
pub use forecasting::{
    ArtifactCache, CrossSection, FoldOutcome, FoldScores, ForecastOutcome, ForecastSummary, HorizonScores, LevelScores,
    MemberOutcome, MemberScores, PooledScores, RecalibrationScores, Spread, Statement, StreamedForecasts,
    YardstickOutcome, Yardsticks,
};
pub use ledger::TrialCount;
pub use measure::{CrossValidationSummary, ExecutionSummary, Measured, PathSummary, measure};
pub use observer::{Observer, Progress, SilentObserver};
pub use pipeline::{
    Computed, RunOptions, RunOutcome, TrainOutcome, compute, default_directory, forecasts, load, run_experiment,
    study_directory, train,
};
pub use resolve::{
    ActionsPlan, DetailPlan, ForecastPlan, ForecastSource, ForecasterPlan, Inference, NetworkPlan, RateFiles,
    ResolvedData, ResolvedExperiment, RulesPlan,
};
pub use returns_file::{ReturnsRequest, measure_returns};
pub use robustness::{
    BreakEven, CostsAnswer, DEFAULT_RESAMPLES, ExecutionAnswer, FinancingPaid, IntervalsAnswer, PeriodsAnswer,
    RobustnessOptions, RobustnessReport, SubPeriod, TradeOrderAnswer, Variant, VariantOutcome, VariantResult,
    robustness, robustness_and_store,
};
pub use run_directory::{RunDirectory, RunFacts, StoredRun, read_report};
pub use schema::schema;
pub use stored_model::{ModelRequest, StoredModel};
pub use study::{
    StudyRequest, StudySummary, StudyTable, StudyTrials, TrialLine, export_study, list_studies, show_study,
};
pub use sweep::{SweepOutcome, SweepRequest, run_sweep};
pub use tear_sheet::tear_sheet;
pub use traded_market::traded_market;
pub use trading::{StrategyInputs, read_forecasts, read_inputs, trade, trade_benchmark, trade_in_the_loop};
