//! What an audit found, as it is stored and shown.

use std::fmt;

use serde::{Deserialize, Serialize};
use tidegate_backtest::FillTiming;
use tidegate_data::Adjustment;
use tidegate_forecast::FoldScheme;
use tidegate_market::Timestamp;

use super::auditor::Tally;
use super::column::{AuditStage, Difference};
use super::cuts::CutKind;
use crate::ExperimentError;
use crate::config::StrategyConfig;
use crate::dataset::Dataset;
use crate::resolve::{ForecastSource, ResolvedExperiment};

/// How a leak came to light.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditMethod {
    /// By the bars up to the cut alone.
    CutOff,
    /// By noise in place of everything after the cut.
    Overwritten,
    /// By noise in place of everything after an open.
    OverwrittenButTheOpen,
    /// By the order of events in the whole computation.
    OrderOfEvents,
}

/// Where what was known by a cut depends on what came after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditLeak {
    /// The first stage that differs.
    pub stage: AuditStage,
    /// The column.
    pub column: String,
    /// The symbol; `None` for what concerns all.
    pub symbol: Option<String>,
    /// The label of the first bar that differs.
    pub bar: Timestamp,
    /// How it came to light.
    pub method: AuditMethod,
    /// The label of the last bar before the cut; `None` where no cut was needed.
    pub cut: Option<Timestamp>,
    /// The value in the whole computation.
    pub whole: String,
    /// The value without what came after the cut, or the rule that is broken.
    pub recomputed: String,
}

impl AuditLeak {
    pub(super) fn new(found: Difference, method: AuditMethod, cut: Option<Timestamp>) -> Self {
        let Difference { stage, column, symbol, bar, whole, again } = found;
        Self { stage, column, symbol, bar, method, cut, whole, recomputed: again }
    }
}

impl fmt::Display for AuditLeak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of_symbol = self.symbol.as_ref().map_or_else(String::new, |symbol| format!(" of {symbol}"));
        let cut = self.cut.map_or_else(String::new, |cut| cut.to_string());
        write!(f, "{}: `{}`{of_symbol} at {} ", self.stage, self.column, self.bar)?;
        let (whole, again) = (&self.whole, &self.recomputed);
        match self.method {
            AuditMethod::CutOff => {
                write!(f, "changes when what follows the bar {cut} is cut off: it was {whole}, and is {again}")
            }
            AuditMethod::Overwritten => {
                write!(f, "changes when what follows the bar {cut} is overwritten: it was {whole}, and is {again}")
            }
            AuditMethod::OverwrittenButTheOpen => write!(
                f,
                "changes when what follows the first open after the bar {cut} is overwritten: it was {whole}, and is {again}"
            ),
            AuditMethod::OrderOfEvents => write!(f, "is {whole}; there may be {again}"),
        }
    }
}

/// A cut and what it covered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditedCut {
    /// The label of the last bar before the cut.
    pub bar: Timestamp,
    /// What the cut was for.
    pub kind: CutKind,
    /// The stages at which something was known by the cut and was compared.
    pub stages: Vec<AuditStage>,
}

/// A stage and how much of it was compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditedStage {
    /// The stage.
    pub stage: AuditStage,
    /// At how many cuts.
    pub cuts: usize,
    /// How many values, a value once per computation that it was compared with.
    pub values: u64,
}

/// The result of an audit: the content of `audit.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditReport {
    /// The experiment's title.
    pub name: String,
    /// The hash of the config that was audited.
    pub config_hash: String,
    /// The hash of everything that it reads.
    pub data_hash: String,
    /// The version that audited.
    pub version: String,
    /// The cuts in the order in which they were made.
    pub cuts: Vec<AuditedCut>,
    /// What was compared, stage by stage.
    pub stages: Vec<AuditedStage>,
    /// The folds whose members were trained again on an overwritten future.
    pub folds_retrained: Vec<u32>,
    /// What recomputing cannot prove here, a sentence each.
    pub not_proven: Vec<String>,
    /// The first leak; `None` when there is none.
    pub leak: Option<AuditLeak>,
}

impl AuditReport {
    pub(super) fn begin(experiment: &ResolvedExperiment, dataset: &Dataset) -> Result<Self, ExperimentError> {
        Ok(Self {
            name: experiment.name.clone(),
            config_hash: experiment.config_hash.clone(),
            data_hash: dataset.input_hash(experiment)?,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            cuts: Vec::new(),
            stages: Vec::new(),
            folds_retrained: Vec::new(),
            not_proven: not_proven(experiment),
            leak: None,
        })
    }

    pub(super) fn count(&mut self, tally: &Tally) {
        self.stages = tally.stages().map(|(stage, cuts, values)| AuditedStage { stage, cuts, values }).collect();
    }

    /// Returns the result in one sentence.
    pub fn verdict(&self) -> String {
        match &self.leak {
            Some(leak) => format!("leak: {leak}"),
            None => format!(
                "no leak: {} cuts, {} values compared bit by bit",
                self.cuts.len(),
                self.stages.iter().map(|stage| stage.values).sum::<u64>()
            ),
        }
    }
}

impl fmt::Display for AuditReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} (config {})\n\nstage            cuts        values", self.name, self.config_hash)?;
        for AuditedStage { stage, cuts, values } in &self.stages {
            writeln!(f, "{:<14} {cuts:>6} {values:>13}", stage.to_string())?;
        }
        writeln!(f, "\ncut after              where                                  compared up to")?;
        for cut in &self.cuts {
            let last = cut.stages.last().map_or_else(|| "nothing".to_owned(), ToString::to_string);
            writeln!(f, "{:<22} {:<38} {last}", cut.bar.to_string(), cut.kind.to_string())?;
        }
        if !self.folds_retrained.is_empty() {
            let folds: Vec<String> = self.folds_retrained.iter().map(ToString::to_string).collect();
            writeln!(f, "\ntrained again on an overwritten future: fold {}", folds.join(", "))?;
        }
        for sentence in &self.not_proven {
            writeln!(f, "\nnot proven: {sentence}")?;
        }
        write!(f, "\n{}", self.verdict())
    }
}

/// Returns what recomputing cannot prove on a config.
fn not_proven(experiment: &ResolvedExperiment) -> Vec<String> {
    let mut sentences = Vec::new();
    match &experiment.forecasts {
        ForecastSource::File(path) => sentences.push(format!(
            "the forecasts are read from `{}`: they count as known when their bars close, whatever made them",
            path.display()
        )),
        ForecastSource::WalkForward(plan) if matches!(plan.scheme, FoldScheme::CrossValidation(_)) => sentences.push(
            "a cross-validation trains on both sides of the bars that it forecasts: its forecasts could not have been traded, \
             and only what is before and after them is audited"
                .to_owned(),
        ),
        _ => {}
    }
    if let StrategyConfig::TargetWeights(weights) = &experiment.strategy {
        sentences.push(format!(
            "the target weights are read from `{}`: they count as known when their bars close, whatever made them",
            weights.path.display()
        ));
    }
    match experiment.data.adjustment {
        Adjustment::Raw => {}
        Adjustment::Split => sentences.push(
            "prices come adjusted for splits from the files: returns do not depend on later splits, price levels do".to_owned(),
        ),
        Adjustment::TotalReturn => sentences.push(
            "prices come adjusted for dividends from the files: returns do not depend on later dividends, price levels do"
                .to_owned(),
        ),
    }
    if matches!(experiment.backtest.fill, FillTiming::SameClose | FillTiming::SameCloseBookedNext) {
        let rule = "orders fill at the close that they are decided from, as the config says: nobody can trade that";
        sentences.push(rule.to_owned());
    }
    sentences
}
