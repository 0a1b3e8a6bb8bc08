//! How far ahead a target looks: one distance or several.

use std::num::NonZeroU32;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::FeatureError;

/// Forecast horizons in bars: at least one, each at least 1, the nearest first.
///
/// In a config one number or a list of numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Horizons(Vec<NonZeroU32>);

impl Horizons {
    /// Takes horizons that rise.
    ///
    /// # Errors
    /// [`FeatureError::Horizons`] for none, for one of zero bars, and for one that is not above the one before.
    pub fn new(bars: &[u32]) -> Result<Self, FeatureError> {
        let rising = bars.windows(2).all(|pair| pair[0] < pair[1]);
        let horizons: Option<Vec<NonZeroU32>> = bars.iter().map(|&bars| NonZeroU32::new(bars)).collect();
        match horizons {
            Some(horizons) if rising && !horizons.is_empty() => Ok(Self(horizons)),
            _ => Err(FeatureError::Horizons { found: bars.to_vec() }),
        }
    }

    /// Returns the horizons in bars, the nearest first.
    pub fn bars(&self) -> impl ExactSizeIterator<Item = u32> + '_ {
        self.0.iter().map(|bars| bars.get())
    }

    /// Returns the number of horizons, `K`.
    #[expect(clippy::len_without_is_empty, reason = "there is always one")]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the first horizon in bars.
    pub fn nearest(&self) -> u32 {
        self.0[0].get()
    }
}

impl TryFrom<u32> for Horizons {
    type Error = FeatureError;

    fn try_from(bars: u32) -> Result<Self, FeatureError> {
        Self::new(&[bars])
    }
}

impl Serialize for Horizons {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [only] => only.serialize(serializer),
            several => several.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Horizons {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(HorizonsVisitor)
    }
}

struct HorizonsVisitor;

impl<'de> de::Visitor<'de> for HorizonsVisitor {
    type Value = Horizons;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a number of bars, or a list of them that rises")
    }

    fn visit_i64<E: de::Error>(self, bars: i64) -> Result<Horizons, E> {
        let bars = u32::try_from(bars).map_err(|_| E::invalid_value(de::Unexpected::Signed(bars), &self))?;
        Horizons::new(&[bars]).map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, bars: u64) -> Result<Horizons, E> {
        let bars = u32::try_from(bars).map_err(|_| E::invalid_value(de::Unexpected::Unsigned(bars), &self))?;
        Horizons::new(&[bars]).map_err(E::custom)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Horizons, A::Error> {
        let mut bars = Vec::new();
        while let Some(one) = list.next_element::<u32>()? {
            bars.push(one);
        }
        Horizons::new(&bars).map_err(de::Error::custom)
    }
}

impl JsonSchema for Horizons {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Horizons".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A number of bars, or a list of them that rises.",
            "anyOf": [
                { "type": "integer", "format": "uint32", "minimum": 1 },
                { "type": "array", "minItems": 1, "items": { "type": "integer", "format": "uint32", "minimum": 1 } },
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn horizons_that_do_not_rise_are_refused() {
        for (bars, found) in [(&[0_u32][..], "[0]"), (&[], "[]"), (&[5, 3], "[5, 3]"), (&[2, 2], "[2, 2]")] {
            let message = format!("horizon_bars must be at least `1` and rise, were `{found}`");
            assert_eq!(Horizons::new(bars).expect_err("refused").to_string(), message);
        }
        for (text, message) in [
            ("0", "horizon_bars must be at least `1` and rise, were `[0]`"),
            ("[3, 2]", "horizon_bars must be at least `1` and rise, were `[3, 2]`"),
            ("-1", "expected a number of bars, or a list of them that rises"),
            ("\"five\"", "expected a number of bars, or a list of them that rises"),
        ] {
            let error = serde_json::from_str::<Horizons>(text).expect_err(message).to_string();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn a_config_gives_one_horizon_or_a_list() {
        for (text, bars) in [("5", &[5][..]), ("[3,6,12,24]", &[3, 6, 12, 24])] {
            let horizons: Horizons = serde_json::from_str(text).expect("valid");
            assert_eq!(horizons.bars().collect::<Vec<_>>(), bars);
            assert_eq!((horizons.len(), horizons.nearest()), (bars.len(), bars[0]));
            assert_eq!(serde_json::to_string(&horizons).expect("plain"), text);
        }
    }
}
