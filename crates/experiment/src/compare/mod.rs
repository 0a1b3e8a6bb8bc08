//! Runs side by side: their metrics, paired tests of each against the first, and what differs in their configs.
//!
//! Everything is read from the run directories; nothing is run again. The runs are paired on the times that all of them have, so that a
//! difference is never one of spans.

mod config;
mod metrics;
mod paired;
mod stored;

use std::path::PathBuf;

use tidegate_report::Comparison;

use self::stored::Stored;
use crate::ExperimentError;

/// Compares finished runs; the first is what the others are tested against.
///
/// # Errors
/// When there are fewer than two runs, a folder is no finished run's or is named twice, one of its files was changed, or fewer than 30
/// returns can be paired.
pub fn compare(run_dirs: &[PathBuf]) -> Result<Comparison, ExperimentError> {
    different_folders(run_dirs)?;
    let runs: Vec<Stored> =
        run_dirs.iter().enumerate().map(|(place, path)| Stored::read(place + 1, path)).collect::<Result<_, _>>()?;
    let paired = paired::paired(&runs)?;
    let mut warnings = warnings(&runs);
    warnings.extend(paired.warnings);
    Ok(Comparison {
        warnings,
        metrics: metrics::rows(&runs),
        paired: paired.periods,
        bootstrap: paired.bootstrap,
        tests: paired.tests,
        config_differences: config::differences(&runs.iter().map(|run| run.config.clone()).collect::<Vec<_>>()),
        runs: runs.into_iter().map(|run| run.facts).collect(),
    })
}

fn different_folders(run_dirs: &[PathBuf]) -> Result<(), ExperimentError> {
    if run_dirs.len() < 2 {
        return Err(ExperimentError::Sample(format!(
            "at least two runs are compared, was `{}`\nhint: name two run directories or more; `tidegate report` shows one",
            run_dirs.len()
        )));
    }
    let places: Vec<PathBuf> =
        run_dirs.iter().map(|path| path.canonicalize().unwrap_or_else(|_| path.clone())).collect();
    for (place, path) in places.iter().enumerate() {
        if let Some(before) = places[..place].iter().position(|other| other == path) {
            return Err(ExperimentError::Sample(format!(
                "a run is compared once, was `{}` and `{}`, which are the same folder\nhint: name another run directory",
                run_dirs[before].display(),
                run_dirs[place].display()
            )));
        }
    }
    Ok(())
}

/// Says what makes the runs no equals.
fn warnings(runs: &[Stored]) -> Vec<String> {
    let mut found = Vec::new();
    let mut differ = |of: &dyn Fn(&Stored) -> String, what: &str| {
        let values: Vec<String> = runs.iter().map(of).collect();
        if values.iter().any(|value| *value != values[0]) {
            let each: Vec<String> =
                values.iter().zip(1..).map(|(value, number)| format!("run {number} {value}")).collect();
            found.push(format!("{what}: {}", each.join(", ")));
        }
    };
    differ(&|run| run.facts.bars_hash.clone(), "the runs traded different bars");
    differ(
        &|run| format!("{} to {}", run.facts.first_bar, run.facts.last_bar),
        "the spans differ, so that the metrics of the first table are of different times",
    );
    differ(&|run| run.facts.interval.clone(), "the intervals differ");
    differ(&|run| run.facts.fill.clone(), "the fill rules differ");
    differ(
        &|run| run.periods_per_year.to_string(),
        "the periods a year differ, and the fewest annualize the paired returns",
    );
    differ(
        &|run| run.risk_free_rate.to_string(),
        "the risk-free rates differ, and the first run's is used for the paired returns",
    );
    for run in runs.iter().filter(|run| !run.metrics["cross_validation"].is_null()) {
        found.push(format!(
            "run {} is a cross-validation: its models learned from later bars, and nobody could have traded it",
            run.facts.number
        ));
    }
    let inputs = |run: &Stored| (run.facts.config_hash.clone(), run.facts.data_hash.clone());
    for (place, run) in runs.iter().enumerate() {
        if let Some(before) = runs[..place].iter().find(|before| inputs(before) == inputs(run)) {
            let (one, two) = (before.facts.number, run.facts.number);
            found.push(format!("runs {one} and {two} have the same config and the same data"));
        }
    }
    found
}
