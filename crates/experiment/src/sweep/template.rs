//! A config of which only some values change from trial to trial: what stays is read, checked and hashed once.
//!
//! The trial's experiment is the one that its values, written into the strategy file, would give, and so is its hash.

use serde::de::DeserializeOwned;
use tidegate_search::Coordinate;

use super::axis::SweptKey;
use crate::ExperimentError;
use crate::config::{ConfigSource, ExperimentConfig};
use crate::resolve::{Changed, ResolvedExperiment, hashed_text};

/// A table of the config that decides nothing but how forecasts are traded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Section {
    Strategy,
    Account,
    Execution,
    Risk,
}

impl Section {
    const ALL: [Self; 4] = [Self::Strategy, Self::Account, Self::Execution, Self::Risk];

    const fn name(self) -> &'static str {
        match self {
            Self::Strategy => "strategy",
            Self::Account => "account",
            Self::Execution => "execution",
            Self::Risk => "risk",
        }
    }

    /// Returns the section of a key when data, features and forecasts do not depend on it.
    pub(super) fn of(key: &str, config: &ExperimentConfig) -> Option<Self> {
        let parts: Vec<&str> = key.split('.').collect();
        let section = Self::ALL.into_iter().find(|section| section.name() == parts[0])?;
        let is_shared = match (section, &parts[1..]) {
            // Another strategy may need forecasts or a file.
            (Self::Strategy, [_, _, ..]) => key.starts_with("strategy.target_weights") || key.contains('"'),
            (Self::Account, [name, ..]) => *name == "currency",
            // The target of a model runs between the prices of the fills.
            (Self::Execution, [name, ..]) => {
                ["detail", "profile"].contains(name) || (*name == "fill" && config.model.is_some())
            }
            (Self::Risk, [_, ..]) => false,
            _ => true,
        };
        (!is_shared).then_some(section)
    }
}

/// An experiment with holes.
pub(super) struct Template {
    base: ResolvedExperiment,
    /// Where rules are checked; nothing can be pointed at.
    source: ConfigSource,
    changed: Changed,
    sections: Vec<ChangedSection>,
    /// The text that the hash is of, cut at the sections that change.
    text: Vec<Piece>,
}

/// A section with the swept keys in it.
struct ChangedSection {
    section: Section,
    table: toml::Value,
    /// The place of a swept key, and the parts of its path inside the section.
    holes: Vec<(usize, Vec<String>)>,
}

enum Piece {
    Fixed(String),
    Changed(Section),
}

/// An experiment that is changed from trial to trial.
pub(super) struct TrialExperiment {
    pub(super) experiment: ResolvedExperiment,
    text: Vec<u8>,
}

impl Template {
    /// Makes the template of a valid trial: `sections` says of each swept key which section it changes, if it is not shared.
    ///
    /// # Errors
    /// A bug, when the text of the hash is not put together as it was taken apart.
    pub(super) fn new(
        base: ResolvedExperiment,
        source: &ConfigSource,
        keys: &[SweptKey],
        sections: &[Option<Section>],
    ) -> Result<Self, ExperimentError> {
        let mut changed: Vec<ChangedSection> = Vec::new();
        for (place, section) in sections.iter().enumerate() {
            let Some(section) = *section else { continue };
            let path = keys[place].key.split('.').skip(1).map(str::to_owned).collect();
            if let Some(known) = changed.iter_mut().find(|known| known.section == section) {
                known.holes.push((place, path));
            } else {
                changed.push(ChangedSection {
                    section,
                    table: table(&base.config, section)?,
                    holes: vec![(place, path)],
                });
            }
        }
        let of_strategy = changed.iter().all(|changed| changed.section == Section::Strategy);
        let text = pieces(&base.config, &changed)?;
        let template = Self {
            base,
            source: source.unwritten(),
            changed: if of_strategy { Changed::Strategy } else { Changed::Trading },
            sections: changed,
            text,
        };
        let mut own = template.trial();
        let hash = format!("{:016x}", template.hash(&mut own)?);
        if hash != template.base.config_hash {
            let message = format!("the hash of a trial must be `{}`, was `{hash}`", template.base.config_hash);
            return Err(ExperimentError::Internal(message));
        }
        Ok(template)
    }

    /// Returns the trial that the template was made of.
    pub(super) const fn base(&self) -> &ResolvedExperiment {
        &self.base
    }

    /// Returns an experiment to be changed by [`Template::apply`].
    pub(super) fn trial(&self) -> TrialExperiment {
        TrialExperiment { experiment: self.base.clone(), text: Vec::new() }
    }

    /// Turns an experiment of this template into that of a point, and returns the hash of its config.
    ///
    /// # Errors
    /// The first rule that the point breaks, or a value of the wrong type.
    pub(super) fn apply(
        &self,
        trial: &mut TrialExperiment,
        keys: &[SweptKey],
        point: &[Coordinate],
    ) -> Result<u64, ExperimentError> {
        for section in &self.sections {
            let mut table = section.table.clone();
            for (place, path) in &section.holes {
                set(&mut table, path, keys[*place].value(point[*place]))?;
            }
            let config = &mut trial.experiment.config;
            match section.section {
                Section::Strategy => config.strategy = read(table)?,
                Section::Account => config.account = read(table)?,
                Section::Execution => config.execution = read(table)?,
                Section::Risk => config.risk = read(table)?,
            }
        }
        trial.experiment.resolve_changed(self.changed, &self.source)?;
        self.hash(trial)
    }

    fn hash(&self, trial: &mut TrialExperiment) -> Result<u64, ExperimentError> {
        let (config, text) = (&trial.experiment.config, &mut trial.text);
        text.clear();
        for piece in &self.text {
            let written = match piece {
                Piece::Fixed(fixed) => {
                    text.extend_from_slice(fixed.as_bytes());
                    Ok(())
                }
                Piece::Changed(Section::Strategy) => serde_json::to_writer(&mut *text, &config.strategy),
                Piece::Changed(Section::Account) => serde_json::to_writer(&mut *text, &config.account),
                Piece::Changed(Section::Execution) => serde_json::to_writer(&mut *text, &config.execution),
                Piece::Changed(Section::Risk) => serde_json::to_writer(&mut *text, &config.risk),
            };
            written.map_err(internal)?;
        }
        let hash = blake3::hash(text);
        let [a, b, c, d, e, f, g, h, ..] = *hash.as_bytes();
        Ok(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
    }
}

/// Returns a section as it would be written.
fn table(config: &ExperimentConfig, section: Section) -> Result<toml::Value, ExperimentError> {
    let table = match section {
        Section::Strategy => toml::Value::try_from(&config.strategy),
        Section::Account => toml::Value::try_from(&config.account),
        Section::Execution => toml::Value::try_from(&config.execution),
        Section::Risk => toml::Value::try_from(config.risk),
    };
    table.map_err(internal)
}

/// Cuts the text of a config's hash at the sections that change.
fn pieces(config: &ExperimentConfig, changed: &[ChangedSection]) -> Result<Vec<Piece>, ExperimentError> {
    let text = hashed_text(config)?;
    let document: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).map_err(internal)?;
    let mut pieces = Vec::new();
    let mut fixed = "{".to_owned();
    for (place, (name, value)) in document.iter().enumerate() {
        if place > 0 {
            fixed.push(',');
        }
        fixed.push_str(&serde_json::to_string(name).map_err(internal)?);
        fixed.push(':');
        match changed.iter().find(|changed| changed.section.name() == name) {
            Some(changed) => {
                pieces.push(Piece::Fixed(std::mem::take(&mut fixed)));
                pieces.push(Piece::Changed(changed.section));
            }
            None => fixed.push_str(&serde_json::to_string(value).map_err(internal)?),
        }
    }
    fixed.push('}');
    pieces.push(Piece::Fixed(fixed));
    Ok(pieces)
}

/// Sets a key of a table, making tables on the way.
fn set(table: &mut toml::Value, path: &[String], value: toml::Value) -> Result<(), ExperimentError> {
    let mut current = table;
    for part in path {
        let shown = || format!("key goes through `{part}`, which is not in a table");
        let entries = current.as_table_mut().ok_or_else(|| ExperimentError::Sweep(shown()))?;
        if !entries.contains_key(part) {
            entries.insert(part.clone(), toml::Value::Table(toml::Table::new()));
        }
        current = entries.get_mut(part).expect("inserted above");
    }
    *current = value;
    Ok(())
}

fn read<T: DeserializeOwned>(table: toml::Value) -> Result<T, ExperimentError> {
    table.try_into().map_err(|error: toml::de::Error| ExperimentError::Sweep(error.message().trim().to_owned()))
}

fn internal(error: impl std::fmt::Display) -> ExperimentError {
    ExperimentError::Internal(error.to_string())
}
