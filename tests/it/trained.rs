//! A trained strategy runs in every build: its networks were trained with libtorch, and are run without it.
//!
//! The members and the expected forecasts lie in `tests/vectors/trained`; `scripts/trained_vectors.sh` makes them anew when what
//! they are trained from, or the way it is hashed, has changed.

use std::fs;
use std::path::Path;

use tidegate_data::Table;

use crate::support::{Finished, Lab, files_below};

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/trained");

/// A folder with the strategy, its bars, and its members in a cache.
fn lab() -> Lab {
    let lab = Lab::new();
    for source in files_below(Path::new(VECTORS)) {
        let name = source.strip_prefix(VECTORS).expect("the file lies below").to_str().expect("the path is UTF-8");
        let target = if name.starts_with("members") { lab.path("cache").join(name) } else { lab.path(name) };
        fs::create_dir_all(target.parent().expect("a file lies in a folder")).expect("the folder is writable");
        fs::copy(&source, target).expect("the folder is writable");
    }
    lab
}

/// Asserts that nothing was trained.
fn reused(finished: &Finished) {
    let all = "4 trained models came from the cache, 0 were trained";
    assert!(finished.stderr.contains(all), "scripts/trained_vectors.sh makes the members anew: {}", finished.stderr);
}

/// Means and volatilities.
fn forecasts(table: &Table) -> Vec<f64> {
    ["mean", "volatility"].into_iter().flat_map(|name| table.floats(name).expect("a column")).collect()
}

/// Asserts that every build says what the build that trained said: to the bit where the exponential function is the same.
fn as_trained(lab: &Lab, run: &str) {
    let expected = forecasts(&Table::read(&Path::new(VECTORS).join("forecasts.parquet")).expect("readable"));
    let found = forecasts(&lab.table(&format!("{run}/forecasts.parquet")));
    assert_eq!((found.len(), expected.len()), (240, 240));
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - expected).abs() <= 1e-12 * expected.abs(), "{found} {expected}");
    }
}

#[test]
fn a_trained_strategy_runs_to_the_end_without_training() {
    let lab = lab();
    let run = lab.tidegate("run strategy.toml --json --cache cache --out run").done();
    reused(&run);
    let document = run.json();
    assert_eq!(document["cached"], true);
    assert!(document["metrics"]["execution"]["fills"].as_u64().is_some_and(|fills| fills > 10));
    as_trained(&lab, "run");
    reused(&lab.tidegate("train strategy.toml --cache cache --out trained").done());
    as_trained(&lab, "trained");
    lab.tidegate("backtest strategy.toml --forecasts run/forecasts.parquet --out stored").done();
    assert_eq!(lab.read("stored/fills.parquet"), lab.read("run/fills.parquet"));
}

#[test]
fn a_trained_strategy_is_stepped_bar_by_bar() {
    let lab = lab();
    reused(&lab.tidegate("run strategy.toml --cache cache --out run --set model.inference=stream").done());
    reused(&lab.tidegate("train strategy.toml --cache cache --out alone --set model.inference=stream").done());
    assert_eq!(lab.read("run/forecasts.parquet"), lab.read("alone/forecasts.parquet"));
    let expected = forecasts(&Table::read(&Path::new(VECTORS).join("forecasts.parquet")).expect("readable"));
    let found = forecasts(&lab.table("run/forecasts.parquet"));
    // The first bars of both blocks of 60, whose forecasts come from one window each.
    for first in [0, 60, 120, 180] {
        assert!((found[first] - expected[first]).abs() <= 1e-12 * expected[first].abs(), "forecast {first}");
        assert!((found[first + 30] - expected[first + 30]).abs() > 1e-9 * expected[first + 30].abs());
    }
}

#[test]
fn a_run_is_made_again_from_its_own_folder_without_the_cache() {
    let lab = lab();
    lab.tidegate("run strategy.toml --cache cache --out run").done();
    let finished = lab.read("run/forecasts.parquet");
    fs::remove_file(lab.path("run/metrics.json")).expect("the run wrote it");
    let again = lab.tidegate("run strategy.toml --cache empty --out run").done();
    reused(&again);
    assert_eq!(lab.read("run/forecasts.parquet"), finished);
    assert!(files_below(&lab.path("empty")).is_empty());
}

#[cfg(not(feature = "libtorch"))]
#[test]
fn a_member_that_is_missing_or_damaged_cannot_be_trained_here() {
    let refusal = ["training encoder `gru` needs libtorch, which this build was made without", "hint: train with"];
    let lab = lab();
    lab.tidegate("run strategy.toml --cache cache --out run --seed 8").refused(&refusal);
    let member = files_below(&lab.path("cache/members"));
    let member = member.iter().find(|path| path.extension().is_some_and(|kind| kind == "checkpoint")).expect("four");
    let mut bytes = fs::read(member).expect("readable");
    *bytes.last_mut().expect("not empty") ^= 1;
    fs::write(member, bytes).expect("writable");
    let parts = [&["is damaged (its hash must be"], &refusal[..]].concat();
    lab.tidegate("run strategy.toml --cache cache --out run").refused(&parts);
}
