//! The values of one swept key: a list, or a range.

use std::fmt;

use schemars::JsonSchema;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The values of one swept key.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum AxisConfig {
    /// These.
    List(#[schemars(with = "Vec<serde_json::Value>")] Vec<toml::Value>),
    /// The numbers of a range.
    Range(RangeConfig),
}

/// `{ from, to, step, scale }`: whole numbers where `from` and `to` are written without a point.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RangeConfig {
    /// The first value.
    #[schemars(with = "f64")]
    pub from: Number,
    /// The last value, where the steps meet it.
    #[schemars(with = "f64")]
    pub to: Number,
    /// From one value to the next; missing is 1 for whole numbers and any number otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<f64>")]
    pub step: Option<Number>,
    /// How draws are spread: evenly, or evenly in the logarithm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<ScaleKind>,
}

/// How draws are spread over a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScaleKind {
    /// Evenly.
    Linear,
    /// Evenly in the logarithm.
    Log,
}

/// A number as it is written: whole, or with a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// Without a point.
    Whole(i64),
    /// With one.
    Real(f64),
}

impl Number {
    /// Returns the number.
    pub const fn value(self) -> f64 {
        match self {
            Self::Whole(value) => value as f64,
            Self::Real(value) => value,
        }
    }
}

impl<'de> Deserialize<'de> for AxisConfig {
    /// By the kind of value, so that a mistake inside a range is shown where it stands.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AxisVisitor;

        impl<'de> Visitor<'de> for AxisVisitor {
            type Value = AxisConfig;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of values or a range `{ from, to, step }`")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<AxisConfig, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(items)).map(AxisConfig::List)
            }

            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<AxisConfig, A::Error> {
                RangeConfig::deserialize(MapAccessDeserializer::new(entries)).map(AxisConfig::Range)
            }
        }

        deserializer.deserialize_any(AxisVisitor)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberVisitor;

        impl Visitor<'_> for NumberVisitor {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Number, E> {
                Ok(Number::Whole(value))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Number, E> {
                i64::try_from(value).map(Number::Whole).map_err(|_| E::custom("number is too large"))
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Number, E> {
                Ok(Number::Real(value))
            }
        }

        deserializer.deserialize_any(NumberVisitor)
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Whole(value) => serializer.serialize_i64(*value),
            Self::Real(value) => serializer.serialize_f64(*value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct File {
        axis: AxisConfig,
    }

    fn parse(text: &str) -> Result<AxisConfig, String> {
        toml::from_str::<File>(text).map(|file| file.axis).map_err(|error| error.to_string())
    }

    #[test]
    fn an_axis_is_a_list_or_a_range() {
        let list = vec![toml::Value::Integer(5), toml::Value::String("a".to_owned())];
        assert_eq!(parse("axis = [5, \"a\"]"), Ok(AxisConfig::List(list)));
        let range = RangeConfig {
            from: Number::Whole(5),
            to: Number::Real(9.5),
            step: Some(Number::Whole(2)),
            scale: Some(ScaleKind::Log),
        };
        let text = "axis = { from = 5, to = 9.5, step = 2, scale = \"log\" }";
        assert_eq!(parse(text), Ok(AxisConfig::Range(range)));
    }

    #[test]
    fn a_mistake_in_a_range_is_shown_where_it_stands() {
        let error = parse("axis = { from = 5, til = 9 }").expect_err("no such key");
        assert!(error.contains("unknown field `til`, expected one of `from`, `to`, `step`, `scale`"), "{error}");
        assert!(error.contains("line 1, column 20"), "{error}");
        let error = parse("axis = { from = 5, to = \"x\" }").expect_err("no number");
        assert!(error.contains("expected a number"), "{error}");
        assert!(parse("axis = 3").expect_err("neither").contains("a list of values or a range"));
    }
}
