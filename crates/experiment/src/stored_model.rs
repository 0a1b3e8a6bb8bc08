//! A trained network where a run left it, or in a file of its own.

use std::path::{Path, PathBuf};

use crate::ExperimentError;
use crate::config::ConfigSource;
use crate::error::cannot_read;
use crate::forecasting::member_file;
use crate::resolve::{ForecastPlan, ForecastSource, ResolvedExperiment};
use crate::run_directory::Circumstances;
#[cfg(feature = "libtorch")]
use crate::run_directory::Manifest;

/// Which network is meant.
#[derive(Debug, Clone)]
pub struct ModelRequest {
    /// A run directory, or a file.
    pub model: PathBuf,
    /// The fold, in a run directory; the last one when not given.
    pub fold: Option<u32>,
    /// The ensemble member, in a run directory.
    pub member: usize,
}

/// A network's bytes and where they come from.
#[derive(Debug, Clone)]
pub struct StoredModel {
    /// The file.
    pub path: PathBuf,
    /// Its content.
    pub bytes: Vec<u8>,
    /// The fold that it was trained on; `None` for a file of its own.
    pub fold: Option<u32>,
    /// The run directory.
    pub run_dir: Option<PathBuf>,
}

impl StoredModel {
    /// Finds and reads a network.
    ///
    /// # Errors
    /// When nothing is there, the run trained nothing, or it has no such fold or member.
    pub fn open(request: &ModelRequest) -> Result<Self, ExperimentError> {
        if !request.model.is_dir() {
            return Ok(Self { path: request.model.clone(), bytes: read(&request.model)?, fold: None, run_dir: None });
        }
        let members = members(&request.model);
        let fold = choose(&request.model, &members, request)?;
        let path = request.model.join("models").join(member_file(fold, request.member));
        Ok(Self { bytes: read(&path)?, path, fold: Some(fold), run_dir: Some(request.model.clone()) })
    }
}

/// Returns fold and number of every member in a run directory, in order.
fn members(run_dir: &Path) -> Vec<(u32, usize)> {
    let entries = std::fs::read_dir(run_dir.join("models")).into_iter().flatten().filter_map(Result::ok);
    let parse = |name: &str| {
        let (fold, member) = name.strip_prefix("fold_")?.strip_suffix(".safetensors")?.split_once("_member_")?;
        Some((fold.parse().ok()?, member.parse().ok()?))
    };
    let mut members: Vec<(u32, usize)> =
        entries.filter_map(|entry| parse(&entry.file_name().to_string_lossy())).collect();
    members.sort_unstable();
    members
}

/// Returns the fold that is meant.
fn choose(run_dir: &Path, members: &[(u32, usize)], request: &ModelRequest) -> Result<u32, ExperimentError> {
    let refuse = |message| Err(ExperimentError::Sample(message));
    let Some(&(last, _)) = members.last() else {
        let hint = "name a run directory that `tidegate run` or `tidegate train` made with `[model]`, or a file";
        return refuse(format!("`{}` must hold trained models, has none\nhint: {hint}", run_dir.display()));
    };
    let fold = request.fold.unwrap_or(last);
    let of_fold = members.iter().filter(|(own, _)| *own == fold);
    let numbers: Vec<String> = of_fold.map(|(_, member)| format!("`{member}`")).collect();
    if numbers.is_empty() {
        let mut folds: Vec<String> = members.iter().map(|(fold, _)| format!("`{fold}`")).collect();
        folds.dedup();
        return refuse(format!("fold must be one of {}, was `{fold}`", folds.join(", ")));
    }
    if !members.contains(&(fold, request.member)) {
        let (member, numbers) = (request.member, numbers.join(", "));
        return refuse(format!("member of fold `{fold}` must be one of {numbers}, was `{member}`"));
    }
    Ok(fold)
}

fn read(path: &Path) -> Result<Vec<u8>, ExperimentError> {
    std::fs::read(path).map_err(|source| ExperimentError::File {
        action: "cannot read",
        path: path.to_owned(),
        source,
        hint: "\nhint: name a run directory, or a safetensors file",
    })
}

/// Reads the config of a run as it ran; paths start where they did then, or beside the strategy file named.
pub(crate) fn run_config(run_dir: &Path, strategy: Option<&Path>) -> Result<ResolvedExperiment, ExperimentError> {
    let path = run_dir.join("config.toml");
    let text = std::fs::read_to_string(&path).map_err(cannot_read(&path))?;
    let folder = match strategy {
        Some(file) => file.parent().unwrap_or_else(|| Path::new("")).to_owned(),
        None => strategy_folder(run_dir).unwrap_or_default(),
    };
    ResolvedExperiment::from_source(&ConfigSource::from_text(&folder.join("config.toml"), text))
}

fn strategy_folder(run_dir: &Path) -> Option<PathBuf> {
    let bytes = std::fs::read(run_dir.join("timings.json")).ok()?;
    serde_json::from_slice(&bytes).ok().map(|Circumstances { strategy_folder, .. }| strategy_folder)
}

/// Returns the hash of the bars that a finished run saw.
#[cfg(feature = "libtorch")]
pub(crate) fn bars_hash(run_dir: &Path) -> Option<String> {
    let bytes = std::fs::read(run_dir.join("manifest.json")).ok()?;
    serde_json::from_slice(&bytes).ok().map(|Manifest { bars_hash, .. }| bars_hash)
}

/// Returns the walk-forward of an experiment.
pub(crate) fn plan_of(experiment: &ResolvedExperiment) -> Result<&ForecastPlan, ExperimentError> {
    match &experiment.forecasts {
        ForecastSource::WalkForward(plan) => Ok(plan),
        ForecastSource::None | ForecastSource::File(_) => {
            let message =
                "the config must have `[model]`, has none\nhint: name the strategy that the network was trained with";
            Err(ExperimentError::Sample(message.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run_with(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::create_dir(folder.path().join("models")).expect("writable");
        for file in files {
            std::fs::write(folder.path().join("models").join(file), file).expect("writable");
        }
        folder
    }

    fn open(run: &Path, fold: Option<u32>, member: usize) -> Result<StoredModel, ExperimentError> {
        StoredModel::open(&ModelRequest { model: run.to_owned(), fold, member })
    }

    #[test]
    fn the_last_folds_first_member_is_taken_unless_another_is_named() {
        let files = ["fold_000_member_00", "fold_000_member_01", "fold_012_member_00", "fold_012_member_01"];
        let run = run_with(&files.map(|name| format!("{name}.safetensors")).each_ref().map(String::as_str));
        let last = open(run.path(), None, 0).expect("there");
        assert_eq!((last.fold, last.bytes.as_slice()), (Some(12), b"fold_012_member_00.safetensors".as_slice()));
        let first = open(run.path(), Some(0), 1).expect("there");
        assert_eq!(first.bytes, b"fold_000_member_01.safetensors");
        let message = |fold, member| open(run.path(), fold, member).expect_err("not there").to_string();
        assert_eq!(message(Some(3), 0), "fold must be one of `0`, `12`, was `3`");
        assert_eq!(message(None, 2), "member of fold `12` must be one of `0`, `1`, was `2`");
    }

    #[test]
    fn a_run_without_models_and_a_file_that_is_not_there_are_named() {
        let run = run_with(&["fold_000_scaler.json"]);
        let message = open(run.path(), None, 0).expect_err("nothing trained").to_string();
        assert!(message.contains("must hold trained models, has none\nhint: "), "{message}");
        let message = open(&run.path().join("none"), None, 0).expect_err("no file").to_string();
        assert!(message.starts_with("cannot read `") && message.contains("hint: "), "{message}");
    }
}
