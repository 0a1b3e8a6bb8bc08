//! What a sweep found: the best trials, the counts, and how much of it is luck.

use std::fmt::{self, Write};
use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::axis::text;
use super::plan::SweepPlan;
use super::statistics::Judged;
use super::summary::Summary;
use super::trial::TrialRow;
use crate::ExperimentError;
use crate::files::write_atomically;
use crate::ledger::TrialCount;

/// The most trials that the terminal shows.
const TRIALS_SHOWN: usize = 10;

/// A finished sweep.
#[derive(Debug)]
pub struct SweepOutcome {
    /// Where its files are.
    pub folder: PathBuf,
    /// The content of `sweep.json`.
    pub summary: Value,
    shown: String,
}

/// Everything that a sweep's result is told from.
pub(super) struct Findings<'a> {
    pub(super) plan: &'a SweepPlan,
    pub(super) summary: &'a Summary,
    /// What the study holds, this sweep included.
    pub(super) trials: &'a TrialCount,
}

impl<'a> Findings<'a> {
    /// Returns the best trial; `None` when none has the objective.
    pub(super) fn best(&self) -> Option<&'a TrialRow> {
        let objective = self.plan.objectives[0];
        let is_defined = |row: &&TrialRow| row.ran().is_some_and(|ran| !objective.of(&ran.metrics).is_nan());
        self.summary.best.first().filter(is_defined)
    }

    fn to_json(&self, judged: &Judged) -> Value {
        let Self { plan, summary, trials } = self;
        let mut document = json!({
            "method": plan.method(),
            "objective": plan.objectives[0].name,
            "combinations": summary.trials,
            "skipped": summary.skipped,
            "objective_undefined": summary.undefined,
            "trials_in_study": trials.trials,
            "best": self.best().map(|row| self.describe(row)),
            "statistics": judged.statistics,
            "stability": judged.stability,
        });
        if plan.objectives.len() > 1 {
            document["objectives"] = plan.objectives.iter().map(|objective| objective.name).collect();
            document["pareto_front"] = summary.front.iter().map(|row| self.describe(row)).collect();
        }
        document
    }

    fn describe(&self, row: &TrialRow) -> Value {
        let plan = self.plan;
        let keys = plan.keys.iter().map(|key| key.key.clone());
        let values: Map<String, Value> = keys.zip(plan.values(&row.point).iter().map(|value| json!(value))).collect();
        let metrics = row.ran().map_or(&[][..], |ran| &ran.metrics);
        let names = plan.metrics.names().iter().map(|name| (*name).to_owned());
        // NaN becomes null.
        let metrics: Map<String, Value> = names.zip(metrics.iter().map(|value| json!(value))).collect();
        json!({ "trial": row.number, "values": values, "metrics": metrics })
    }

    fn shown(&self, judged: &Judged) -> String {
        let mut shown = String::new();
        // Writing into a text does not fail.
        let _ = self.show(&mut shown, judged);
        shown
    }

    fn show(&self, out: &mut String, judged: &Judged) -> fmt::Result {
        let Self { plan, summary, trials } = self;
        let known = if summary.known > 0 { format!(", {} known before", summary.known) } else { String::new() };
        writeln!(
            out,
            "{} combinations, {} skipped{known}, {} trials in this study\n",
            summary.trials, summary.skipped, trials.trials
        )?;
        if let Some((number, reason)) = &summary.first_skipped {
            writeln!(out, "skipped, the first is trial {number}: {}\n", reason.lines().next().unwrap_or_default())?;
        }
        self.show_best(out)?;
        if plan.objectives.len() > 1 {
            let names = plan.objectives.iter().map(|objective| objective.name).collect::<Vec<_>>().join(", ");
            writeln!(out, "\n{} trials are beaten by no other in all of {names}", summary.front.len())?;
        }
        writeln!(out)?;
        judged.lines.iter().try_for_each(|line| writeln!(out, "{line}"))
    }

    fn show_best(&self, out: &mut String) -> fmt::Result {
        let plan = self.plan;
        let mut names: Vec<&str> = plan.objectives.iter().map(|objective| objective.name).collect();
        for name in ["sharpe_ratio", "cagr", "max_drawdown", "trades"] {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let short = plan.keys.iter().map(|key| key.key.rsplit('.').next().unwrap_or(&key.key));
        let columns: Vec<&str> = std::iter::once("trial").chain(short).chain(names.iter().copied()).collect();
        let widths: Vec<usize> = columns.iter().map(|name| name.len().max(9)).collect();
        let line = |cells: &[String]| -> String {
            cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:>width$}")).collect::<Vec<_>>().join("  ")
        };
        writeln!(out, "{}", line(&columns.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()))?;
        for row in self.summary.best.iter().take(TRIALS_SHOWN) {
            let Some(ran) = row.ran() else { continue };
            let value = |name: &str| plan.metrics.place(name).map_or(f64::NAN, |place| ran.metrics[place]);
            let number = |value: f64| if value.is_nan() { "n/a".to_owned() } else { format!("{value:.4}") };
            let mut cells = vec![row.number.to_string()];
            cells.extend(plan.values(&row.point).iter().map(text));
            cells.extend(names.iter().map(|name| number(value(name))));
            writeln!(out, "{}", line(&cells))?;
        }
        Ok(())
    }
}

impl SweepOutcome {
    pub(super) fn new(folder: PathBuf, findings: &Findings<'_>, judged: &Judged) -> Self {
        let summary = findings.to_json(judged);
        let mut shown = findings.shown(judged);
        let _ = write!(shown, "trials: {}", folder.join("trials.parquet").display());
        Self { folder, summary, shown }
    }

    pub(super) fn write(&self) -> Result<(), ExperimentError> {
        let mut text = serde_json::to_string_pretty(&self.summary)
            .map_err(|error| ExperimentError::Internal(error.to_string()))?;
        text.push('\n');
        write_atomically(&self.folder.join("sweep.json"), text.as_bytes())
    }
}

impl fmt::Display for SweepOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}
