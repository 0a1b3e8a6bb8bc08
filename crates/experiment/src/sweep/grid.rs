//! The combinations of a grid, numbered.

use std::collections::BTreeMap;

use super::outcome::metric_names;
use crate::ExperimentError;
use crate::config::{ConfigSource, ExperimentConfig, nearest};

/// The most combinations one sweep runs.
const COMBINATIONS_MAX: u128 = 10_000_000;

/// What the command line asks of a sweep, in place of the file's `[sweep]`.
#[derive(Debug, Clone, Default)]
pub struct SweepRequest {
    /// `key=v1,v2,...`, replacing the file's grid when there is any.
    pub grid: Vec<String>,
    /// The objective, replacing the file's.
    pub objective: Option<String>,
}

/// A grid whose combinations are numbered from zero, the last key changing fastest.
#[derive(Debug, Clone)]
pub struct SweepPlan {
    table: toml::Table,
    axes: Vec<(String, Vec<toml::Value>)>,
    /// The metric that ranks trials; larger is better.
    pub objective: String,
}

impl SweepPlan {
    /// Reads the grid of a file or of the command line.
    ///
    /// # Errors
    /// When there is no grid, a key has no values, or there are more combinations than a sweep runs.
    pub fn new(source: &ConfigSource, request: &SweepRequest) -> Result<Self, ExperimentError> {
        let config = source.parse()?;
        let file = config.sweep.as_ref();
        let axes = if request.grid.is_empty() {
            file.map(|sweep| sweep.grid.clone()).unwrap_or_default()
        } else {
            axes(&request.grid)?
        };
        if axes.is_empty() {
            let message = "a sweep needs a grid, which is empty\nhint: write `[sweep.grid]` into the file, or use `--grid KEY=V1,V2`";
            return Err(ExperimentError::Sweep(message.to_owned()));
        }
        if let Some((key, _)) = axes.iter().find(|(_, values)| values.is_empty()) {
            return Err(ExperimentError::Sweep(format!(
                "sweep.grid.\"{key}\" must list at least one value, was empty"
            )));
        }
        let combinations = axes.values().map(|values| values.len() as u128).product::<u128>();
        if combinations > COMBINATIONS_MAX {
            let message =
                format!("a sweep runs at most `{COMBINATIONS_MAX}` combinations, the grid has `{combinations}`");
            return Err(ExperimentError::Sweep(message));
        }
        let objective = request.objective.clone().or_else(|| file.map(|sweep| sweep.objective.clone()));
        let objective = objective.unwrap_or_else(|| "sharpe_ratio".to_owned());
        check_objective(&objective)?;
        let mut table = source.table()?;
        for (key, value) in source.override_values()? {
            crate::config::set(&mut table, &key, value).map_err(ExperimentError::Sweep)?;
        }
        table.remove("sweep");
        let plan = Self { table, axes: axes.into_iter().collect(), objective };
        plan.check_keys(source)?;
        Ok(plan)
    }

    /// Returns the number of combinations.
    pub fn len(&self) -> usize {
        self.axes.iter().map(|(_, values)| values.len()).product()
    }

    /// Returns whether there are none, which [`SweepPlan::new`] refuses.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the varied keys.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.axes.iter().map(|(key, _)| key.as_str())
    }

    /// Returns the values of a combination, in the order of the keys.
    pub fn values(&self, index: usize) -> Vec<toml::Value> {
        let mut rest = index;
        let mut values: Vec<toml::Value> = Vec::with_capacity(self.axes.len());
        for (_, axis) in self.axes.iter().rev() {
            values.push(axis[rest % axis.len()].clone());
            rest /= axis.len();
        }
        values.reverse();
        values
    }

    /// Returns the config of a combination.
    ///
    /// # Errors
    /// When a key does not exist or a value has the wrong type.
    pub fn config(&self, source: &ConfigSource, index: usize) -> Result<ExperimentConfig, ExperimentError> {
        let mut table = self.table.clone();
        for ((key, _), value) in self.axes.iter().zip(self.values(index)) {
            crate::config::set(&mut table, key, value).map_err(ExperimentError::Sweep)?;
        }
        Ok(source.parse_table(&table)?)
    }

    /// A key that does not exist breaks every combination, so it is refused before the first.
    fn check_keys(&self, source: &ConfigSource) -> Result<(), ExperimentError> {
        self.config(source, 0).map(|_| ()).map_err(|error| ExperimentError::Sweep(format!("[sweep.grid] {error}")))
    }
}

/// An objective that no trial has would be noticed after all of them ran.
fn check_objective(objective: &str) -> Result<(), ExperimentError> {
    let names = metric_names();
    if names.contains(&objective) {
        return Ok(());
    }
    let hint = nearest(objective, names.iter().copied())
        .map_or_else(String::new, |name| format!("\nhint: did you mean `{name}`?"));
    let names = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    Err(ExperimentError::Sweep(format!("objective must be one of {names}, was `{objective}`{hint}")))
}

/// Parses every axis of the command line; a key stands once.
fn axes(texts: &[String]) -> Result<BTreeMap<String, Vec<toml::Value>>, ExperimentError> {
    let mut axes = BTreeMap::new();
    for text in texts {
        let (key, values) = axis(text)?;
        if axes.insert(key.clone(), values).is_some() {
            return Err(ExperimentError::Sweep(format!("a grid must name a key once, `{key}` stands twice")));
        }
    }
    Ok(axes)
}

/// Parses `key=v1,v2,...`; text may leave out its quotes.
fn axis(text: &str) -> Result<(String, Vec<toml::Value>), ExperimentError> {
    let (key, values) = text
        .split_once('=')
        .ok_or_else(|| ExperimentError::Sweep(format!("a grid axis must be `key=v1,v2,...`, was `{text}`")))?;
    let parse = |value: &str| {
        toml::from_str::<toml::Table>(&format!("value = {value}"))
            .ok()
            .and_then(|mut table| table.remove("value"))
            .unwrap_or_else(|| toml::Value::String(value.to_owned()))
    };
    let values = values.split(',').map(str::trim).filter(|value| !value.is_empty()).map(parse).collect();
    Ok((key.trim().to_owned(), values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_keeps_numbers_numbers_and_words_words() {
        let (key, values) = axis("execution.fill = next_open, same_close").expect("an axis");
        assert_eq!(key, "execution.fill");
        assert_eq!(values, [toml::Value::String("next_open".to_owned()), toml::Value::String("same_close".to_owned())]);
        let (_, values) = axis("a.b=1,2.5,true").expect("an axis");
        assert_eq!(values, [toml::Value::Integer(1), toml::Value::Float(2.5), toml::Value::Boolean(true)]);
    }

    #[test]
    fn the_last_key_changes_fastest() {
        let axes = vec![
            ("a".to_owned(), vec![toml::Value::Integer(1), toml::Value::Integer(2)]),
            ("b".to_owned(), vec![toml::Value::Integer(10), toml::Value::Integer(20), toml::Value::Integer(30)]),
        ];
        let plan = SweepPlan { table: toml::Table::new(), axes, objective: String::new() };
        assert_eq!(plan.len(), 6);
        let values: Vec<_> = (0..6).map(|index| plan.values(index)).collect();
        assert_eq!(values[1], [toml::Value::Integer(1), toml::Value::Integer(20)]);
        assert_eq!(values[3], [toml::Value::Integer(2), toml::Value::Integer(10)]);
    }
}
