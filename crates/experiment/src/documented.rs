//! Every block of `docs/FORECASTERS.md` is a config that resolves.

use std::path::Path;

use toml::{Table, Value};

use crate::config::ConfigSource;
use crate::resolve::ResolvedExperiment;

const PAGE: &str = include_str!("../../../docs/FORECASTERS.md");

const AROUND: &str = r#"
name = "Documented"
seed = 7
[data]
path = "bars.csv"
symbols = ["AAA", "BBB", "CCC"]
interval = "1d"
timestamp = "open"
calendar = "sessions"
adjustment = "raw"
[strategy.volatility_target]
annual_volatility = 0.1
weight_max = 1.0
rebalance_tolerance = 0.1
[account]
cash = 100000.0
[execution]
fill = "next_open"
commission.bps = 1.0
slippage.bps = 1.0
"#;

/// Tables of which a config has one at a time: a new one takes the place of the old.
const CHOICES: [&str; 8] = ["target", "walk_forward", "strategy", "encoder", "head", "loss", "optimizer", "schedule"];

fn blocks() -> Vec<&'static str> {
    PAGE.split("```toml\n").skip(1).map(|rest| rest.split("```").next().expect("a block ends")).collect()
}

fn parsed(text: &str) -> Table {
    text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Puts the keys of one table in place of those of another.
fn put(into: &mut Table, from: Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Table(old)), Value::Table(new)) if !CHOICES.contains(&key.as_str()) => put(old, new),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

/// Lays a block over the first one; a yardstick takes the place of a network, and cross-validation that of a walk-forward.
fn laid_over(first: &Table, block: &str) -> Table {
    let mut config = first.clone();
    let block = parsed(block);
    if block.contains_key("cross_validation") {
        config.remove("walk_forward");
    }
    if block.get("model").is_some_and(|model| model.get("yardstick").is_some()) {
        let model = config["model"].as_table_mut().expect("the first block has a model");
        for part in ["encoder", "head", "loss"] {
            model.remove(part);
        }
        config.remove("training");
    }
    put(&mut config, block);
    config
}

fn resolve(config: &Table) -> ResolvedExperiment {
    let text = toml::to_string(config).expect("a table is TOML");
    let source = ConfigSource::from_text(Path::new("documented.toml"), text.clone());
    ResolvedExperiment::from_source(&source).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn every_block_about_forecasters_resolves() {
    let blocks = blocks();
    let mut first = parsed(AROUND);
    put(&mut first, parsed(blocks[0]));
    assert_eq!(resolve(&first).config.model.map(|model| model.ensemble_size), Some(2));
    for block in &blocks[1..] {
        resolve(&laid_over(&first, block));
    }
    assert!(blocks.len() >= 16, "{} blocks", blocks.len());
}
