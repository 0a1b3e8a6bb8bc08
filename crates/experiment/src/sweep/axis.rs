//! A swept key: its values as a config has them, and as the search walks them.

use tidegate_search::{Axis, Choice, Coordinate, Scale};

use crate::config::{AxisConfig, Number, RangeConfig, ScaleKind};

/// A key that a sweep varies.
#[derive(Debug, Clone)]
pub(super) struct SweptKey {
    /// The dotted key.
    pub(super) key: String,
    values: Values,
}

#[derive(Debug, Clone)]
enum Values {
    Listed(Vec<toml::Value>),
    Whole,
    Real,
}

/// The kind of a swept key's column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueKind {
    Whole,
    Real,
    Text,
}

impl SweptKey {
    /// Reads an axis, and returns it as the search has it.
    ///
    /// # Errors
    /// The rule that a range breaks.
    pub(super) fn new(key: &str, config: &AxisConfig) -> Result<(Self, Axis), String> {
        let (values, axis) = match config {
            AxisConfig::List(values) if values.is_empty() => {
                return Err("must list at least one value, was empty".to_owned());
            }
            AxisConfig::List(values) => {
                let choices = values.iter().map(choice).collect();
                (Values::Listed(values.clone()), Axis::Choices { name: key.to_owned(), values: choices })
            }
            AxisConfig::Range(range) => ranged(key, range)?,
        };
        Ok((Self { key: key.to_owned(), values }, axis))
    }

    /// Returns a key of whole numbers that is no axis of the search.
    pub(super) fn whole(key: &str) -> Self {
        Self { key: key.to_owned(), values: Values::Whole }
    }

    /// Returns a value as a config has it.
    pub(super) fn value(&self, coordinate: Coordinate) -> toml::Value {
        match (&self.values, coordinate) {
            (Values::Listed(values), Coordinate::Choice(place)) => values[place].clone(),
            (_, Coordinate::Integer(value)) => toml::Value::Integer(value),
            (_, Coordinate::Float(value)) => toml::Value::Float(value),
            (Values::Whole | Values::Real, Coordinate::Choice(_)) => unreachable!("a range has no choices"),
        }
    }

    /// Numbers stay numbers; anything else becomes text.
    pub(super) fn kind(&self) -> ValueKind {
        match &self.values {
            Values::Whole => ValueKind::Whole,
            Values::Real => ValueKind::Real,
            Values::Listed(values) if values.iter().all(toml::Value::is_integer) => ValueKind::Whole,
            Values::Listed(values) if values.iter().all(|value| value.is_integer() || value.is_float()) => {
                ValueKind::Real
            }
            Values::Listed(_) => ValueKind::Text,
        }
    }
}

fn choice(value: &toml::Value) -> Choice {
    match value {
        toml::Value::Integer(value) => Choice::Number(*value as f64),
        toml::Value::Float(value) => Choice::Number(*value),
        toml::Value::String(text) => Choice::Text(text.clone()),
        toml::Value::Boolean(value) => Choice::Boolean(*value),
        toml::Value::Datetime(moment) => Choice::Text(moment.to_string()),
        toml::Value::Array(_) | toml::Value::Table(_) => Choice::Other,
    }
}

fn ranged(key: &str, range: &RangeConfig) -> Result<(Values, Axis), String> {
    let name = key.to_owned();
    let scale = match range.scale {
        None | Some(ScaleKind::Linear) => Scale::Linear,
        Some(ScaleKind::Log) => Scale::Log,
    };
    if let (Number::Whole(low), Number::Whole(high)) = (range.from, range.to) {
        let step = match range.step {
            None => 1,
            Some(Number::Whole(step)) => step,
            Some(Number::Real(step)) => {
                return Err(format!("step must be a whole number between whole numbers, was `{step}`"));
            }
        };
        return Ok((Values::Whole, Axis::Integers { name, low, high, step, scale }));
    }
    let (low, high) = (range.from.value(), range.to.value());
    let step = range.step.map(Number::value);
    Ok((Values::Real, Axis::Floats { name, low, high, step, scale }))
}

/// Shows a value as a column of text has it.
pub(super) fn text(value: &toml::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(values: &[toml::Value]) -> SweptKey {
        SweptKey::new("a.b", &AxisConfig::List(values.to_vec())).expect("values").0
    }

    #[test]
    fn whole_numbers_stay_whole_and_words_make_a_column_text() {
        let (whole, real, word) =
            (toml::Value::Integer(5), toml::Value::Float(0.5), toml::Value::String("next_open".to_owned()));
        assert_eq!(list(std::slice::from_ref(&whole)).kind(), ValueKind::Whole);
        assert_eq!(list(&[whole.clone(), real]).kind(), ValueKind::Real);
        let mixed = list(&[whole, word.clone()]);
        assert_eq!(mixed.kind(), ValueKind::Text);
        assert_eq!(mixed.value(Coordinate::Choice(1)), word);
        assert_eq!(text(&mixed.value(Coordinate::Choice(0))), "5");
    }

    #[test]
    fn a_range_is_whole_where_both_ends_are() {
        let range = |from, to, step| AxisConfig::Range(RangeConfig { from, to, step, scale: None });
        let (key, axis) = SweptKey::new("n", &range(Number::Whole(5), Number::Whole(9), None)).expect("a range");
        assert_eq!(key.kind(), ValueKind::Whole);
        assert!(matches!(axis, Axis::Integers { low: 5, high: 9, step: 1, .. }));
        let (key, axis) = SweptKey::new("x", &range(Number::Whole(0), Number::Real(1.5), None)).expect("a range");
        assert_eq!(key.kind(), ValueKind::Real);
        assert!(matches!(axis, Axis::Floats { step: None, .. }));
        let error = SweptKey::new("n", &range(Number::Whole(5), Number::Whole(9), Some(Number::Real(0.5))));
        assert_eq!(error.expect_err("half a step"), "step must be a whole number between whole numbers, was `0.5`");
    }
}
