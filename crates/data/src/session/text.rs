//! Times, dates and days as they are written in a strategy file.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveTime, Weekday};
use serde::de::{Deserialize, Deserializer, Error};

pub(super) fn time_of_day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveTime, D::Error> {
    parse_time(&String::deserialize(deserializer)?)
}

pub(super) fn days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Weekday>, D::Error> {
    let parse = |text: &String| {
        text.parse().map_err(|_| D::Error::custom(format!("a day must be one of `mon` to `sun`, was `{text}`")))
    };
    Vec::<String>::deserialize(deserializer)?.iter().map(parse).collect()
}

pub(super) fn dates<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<NaiveDate>, D::Error> {
    Vec::<String>::deserialize(deserializer)?.iter().map(|text| parse_date(text)).collect()
}

pub(super) fn early_closes<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<NaiveDate, NaiveTime>, D::Error> {
    let texts = BTreeMap::<String, String>::deserialize(deserializer)?;
    texts.iter().map(|(date, time)| Ok((parse_date(date)?, parse_time(time)?))).collect()
}

fn parse_time<E: Error>(text: &str) -> Result<NaiveTime, E> {
    let parsed = NaiveTime::parse_from_str(text, "%H:%M").or_else(|_| NaiveTime::parse_from_str(text, "%H:%M:%S"));
    parsed.map_err(|_| E::custom(format!("a time of day must be `HH:MM` or `HH:MM:SS`, was `{text}`")))
}

fn parse_date<E: Error>(text: &str) -> Result<NaiveDate, E> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .map_err(|_| E::custom(format!("a date must be `YYYY-MM-DD`, was `{text}`")))
}

#[cfg(test)]
mod tests {
    use crate::SessionSpec;

    fn error(fields: &str) -> String {
        serde_json::from_str::<SessionSpec>(fields).expect_err("wrong").to_string()
    }

    #[test]
    fn a_wrong_text_is_named() {
        let found = error(r#"{"time_zone": "UTC", "open": "9.30", "close": "16:00"}"#);
        assert!(found.starts_with("a time of day must be `HH:MM` or `HH:MM:SS`, was `9.30`"), "{found}");
        let found = error(r#"{"time_zone": "UTC", "open": "09:30", "close": "16:00", "days": ["Mo"]}"#);
        assert!(found.starts_with("a day must be one of `mon` to `sun`, was `Mo`"), "{found}");
        let found = error(r#"{"time_zone": "UTC", "open": "09:30", "close": "16:00", "holidays": ["2018-13-01"]}"#);
        assert!(found.starts_with("a date must be `YYYY-MM-DD`, was `2018-13-01`"), "{found}");
        let found = error(r#"{"time_zone": "Europe/Berlni", "open": "09:30", "close": "16:00"}"#);
        assert!(found.contains("was `Europe/Berlni`; hint: did you mean `Europe/Berlin`?"), "{found}");
        let found = error(r#"{"time_zone": "UTC", "open": "09:30", "close": "16:00", "holiday": []}"#);
        assert!(found.starts_with("unknown field `holiday`"), "{found}");
    }

    #[test]
    fn the_schema_shows_every_field_as_it_is_written() {
        let schema = serde_json::to_value(schemars::schema_for!(SessionSpec)).expect("plain values");
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["required"], serde_json::json!(["time_zone", "open", "close"]));
        let kind = |field: &str| {
            let field = &schema["properties"][field];
            let named = field["$ref"].as_str().map(|path| &schema["$defs"][path.rsplit('/').next().expect("a name")]);
            named.unwrap_or(field)["type"].clone()
        };
        let kinds = ["time_zone", "open", "days", "holidays", "early_closes"].map(kind);
        assert_eq!(kinds, ["string", "string", "array", "array", "object"]);
    }

    #[test]
    fn a_session_reads_back_as_it_was_written() {
        let fields =
            r#"{"time_zone": "UTC", "open": "09:30", "close": "16:00", "early_closes": {"2018-11-23": "13:00"}}"#;
        let spec: SessionSpec = serde_json::from_str(fields).expect("valid");
        let written = serde_json::to_string(&spec).expect("plain values");
        assert_eq!(serde_json::from_str::<SessionSpec>(&written).expect("valid"), spec);
    }
}
