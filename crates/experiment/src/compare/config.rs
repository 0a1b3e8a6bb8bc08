//! What differs in the configs of runs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tidegate_report::ConfigDifference;

/// A config as dotted keys; a list is one value.
pub(super) type Flat = BTreeMap<String, Value>;

/// Reads a config's text as dotted keys, without the sweep, which is no part of a run.
///
/// # Errors
/// With what the parser says of text that is no TOML.
pub(super) fn flat(text: &str) -> Result<Flat, String> {
    let mut config: Value = toml::from_str(text).map_err(|error: toml::de::Error| error.message().to_owned())?;
    if let Some(tables) = config.as_object_mut() {
        tables.shift_remove("sweep");
    }
    let mut found = Flat::new();
    flatten("", config, &mut found);
    Ok(found)
}

fn flatten(key: &str, value: Value, found: &mut Flat) {
    match value {
        Value::Object(table) if key.is_empty() || !table.is_empty() => {
            for (name, value) in table {
                let below = if key.is_empty() { name } else { format!("{key}.{name}") };
                flatten(&below, value, found);
            }
        }
        value => drop(found.insert(key.to_owned(), value)),
    }
}

/// Lists the keys whose values are not the same in all configs, in the order of their names.
pub(super) fn differences(configs: &[Flat]) -> Vec<ConfigDifference> {
    let keys: BTreeSet<&String> = configs.iter().flat_map(BTreeMap::keys).collect();
    let of_key = |key: &String| configs.iter().map(|config| config.get(key).cloned()).collect::<Vec<_>>();
    let rows = keys.into_iter().map(|key| ConfigDifference { key: key.clone(), values: of_key(key) });
    rows.filter(|row| row.values.iter().any(|value| *value != row.values[0])).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_differs_is_listed_by_dotted_keys() {
        let one = "seed = 1\n[data]\npath = \"a.csv\"\nsymbols = [\"A\"]\n[strategy.buy_and_hold]\n";
        let two = "seed = 1\n[data]\npath = \"a.csv\"\nsymbols = [\"A\", \"B\"]\n[strategy.sma_cross]\nfast_bars = 5\n[sweep]\nobjective = \"cagr\"\n";
        let found = differences(&[flat(one).expect("TOML"), flat(two).expect("TOML")]);
        let expected = [
            ("data.symbols", vec![Some(json!(["A"])), Some(json!(["A", "B"]))]),
            ("strategy.buy_and_hold", vec![Some(json!({})), None]),
            ("strategy.sma_cross.fast_bars", vec![None, Some(json!(5))]),
        ];
        assert_eq!(found, expected.map(|(key, values)| ConfigDifference { key: key.to_owned(), values }));
    }

    #[test]
    fn equal_configs_do_not_differ_and_what_is_no_config_is_said() {
        let config = flat("seed = 1\n").expect("TOML");
        assert_eq!(differences(&[config.clone(), config]), []);
        assert!(flat("seed = \n").is_err());
    }
}
