//! The files of a finished run, read only as the run wrote them.

use std::path::{Path, PathBuf};

use tidegate_data::Table;

use crate::ExperimentError;
use crate::run_directory::{Circumstances, Manifest, RUN_FORMAT};

use super::damaged;

/// A finished run's folder and what its manifest says.
pub(crate) struct RunFiles {
    path: PathBuf,
    manifest: Manifest,
}

impl RunFiles {
    /// # Errors
    /// When the folder is not a finished run's, or was written by a version with other tables.
    pub(crate) fn open(run_dir: &Path) -> Result<Self, ExperimentError> {
        let path = run_dir.join("manifest.json");
        let bytes = read(&path, "\nhint: name the run directory that `tidegate run` printed")?;
        // An older manifest lacks keys, so that its format is looked at first.
        let value: serde_json::Value =
            serde_json::from_slice(&bytes).map_err(|error| damaged(&path, error.to_string()))?;
        if value["format"] != RUN_FORMAT {
            let reason = format!("the run's format must be `{RUN_FORMAT}`, was `{}`", value["format"]);
            return Err(damaged(&path, reason));
        }
        let manifest = serde_json::from_value(value).map_err(|error| damaged(&path, error.to_string()))?;
        Ok(Self { path: run_dir.to_owned(), manifest })
    }

    pub(crate) fn name(&self) -> &str {
        &self.manifest.name
    }

    pub(crate) fn config_hash(&self) -> &str {
        &self.manifest.config_hash
    }

    pub(crate) fn bars_hash(&self) -> &str {
        &self.manifest.bars_hash
    }

    pub(crate) fn data_hash(&self) -> &str {
        &self.manifest.data_hash
    }

    pub(crate) const fn seed(&self) -> u64 {
        self.manifest.seed
    }

    pub(crate) fn place(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// # Errors
    /// When the file is missing, was changed since the run, or is no table.
    pub(crate) fn table(&self, name: &str) -> Result<Table, ExperimentError> {
        self.unchanged(name)?;
        Ok(Table::read(&self.place(name))?)
    }

    /// # Errors
    /// When the file is missing or was changed since the run.
    pub(crate) fn config_text(&self) -> Result<String, ExperimentError> {
        let bytes = self.unchanged("config.toml")?;
        String::from_utf8(bytes).map_err(|error| damaged(&self.place("config.toml"), error.to_string()))
    }

    /// Returns the folder that the config's paths start from; `None` where the run does not say.
    pub(crate) fn strategy_folder(&self) -> Option<PathBuf> {
        let bytes = std::fs::read(self.place("timings.json")).ok()?;
        serde_json::from_slice(&bytes).ok().map(|Circumstances { strategy_folder, .. }| strategy_folder)
    }

    /// Returns the bytes of a result file.
    ///
    /// # Errors
    /// When the file is missing or was changed since the run.
    pub(crate) fn unchanged(&self, name: &str) -> Result<Vec<u8>, ExperimentError> {
        let path = self.place(name);
        let bytes = read(&path, "\nhint: run the experiment again")?;
        let found = blake3::hash(&bytes).to_hex();
        if self.manifest.files.get(name).is_some_and(|hash| hash == found.as_str()) {
            return Ok(bytes);
        }
        Err(damaged(&path, "it is not what the run wrote there".to_owned()))
    }
}

fn read(path: &Path, hint: &'static str) -> Result<Vec<u8>, ExperimentError> {
    let failed = |source| ExperimentError::File { action: "cannot read", path: path.to_owned(), source, hint };
    std::fs::read(path).map_err(failed)
}
