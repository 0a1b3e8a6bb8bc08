//! What the command line asks of a sweep, in place of the file's `[sweep]`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::ExperimentError;
use crate::config::AxisConfig;

/// What the command line asks of a sweep, in place of the file's `[sweep]`.
#[derive(Debug, Clone, Default)]
pub struct SweepRequest {
    /// A file whose `[sweep]` stands in for the strategy file's.
    pub file: Option<PathBuf>,
    /// `key=v1,v2,...`, replacing the file's method, grid, space and constraints when there is any.
    pub grid: Vec<String>,
    /// The objective, replacing the file's.
    pub objective: Option<String>,
}

/// Parses every axis of the command line; a key stands once.
pub(super) fn axes(texts: &[String]) -> Result<BTreeMap<String, AxisConfig>, ExperimentError> {
    let mut axes = BTreeMap::new();
    for text in texts {
        let (key, values) = axis(text)?;
        if axes.insert(key.clone(), AxisConfig::List(values)).is_some() {
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
}
