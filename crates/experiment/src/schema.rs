//! The JSON Schema of strategy files, made from the types that read them.

use crate::config::ExperimentConfig;

/// Returns the schema that editors complete and check strategy files by.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(ExperimentConfig).to_value()
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_table_of_a_strategy_file_is_in_the_schema() {
        let schema = super::schema();
        let properties = schema["properties"].as_object().expect("a table has properties");
        for table in
            ["data", "features", "target", "walk_forward", "model", "training", "strategy", "account", "execution"]
        {
            assert!(properties.contains_key(table), "{table}");
        }
    }
}
