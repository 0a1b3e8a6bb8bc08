//! The same config, data and seed give the same bytes: on any number of threads, in any process, from the cache or not.

use std::path::Path;

use serde_json::Value;

use crate::support::{Lab, assert_same_files, ridge, sma_cross};

/// Files that a run always has; models come on top.
const RESULTS: [&str; 13] = [
    "cash_flows.parquet",
    "config.toml",
    "corporate_actions.parquet",
    "equity.parquet",
    "fills.parquet",
    "forecasts.parquet",
    "manifest.json",
    "metrics.json",
    "orders.parquet",
    "positions.parquet",
    "report.html",
    "report.json",
    "trades.parquet",
];

/// Runs one strategy three times from nothing: on one thread, on two, and on two again in another folder.
fn three_fresh_runs_agree(strategy: &str, model_files: usize) {
    let (first, second) = (Lab::with(strategy), Lab::with(strategy));
    first.tidegate("run s.toml --no-cache --threads 1 --out one").done();
    first.tidegate("run s.toml --no-cache --threads 2 --out two").done();
    second.tidegate("run s.toml --no-cache --threads 2 --out two").done();
    let files = first.files("one");
    for name in RESULTS {
        assert!(files.contains_key(Path::new(name)), "{name} is missing");
    }
    assert_eq!(files.keys().filter(|path| path.starts_with("models")).count(), model_files);
    assert_same_files(&files, &first.files("two"));
    assert_same_files(&files, &second.files("two"));
}

#[test]
fn a_linear_model_gives_the_same_bytes_on_one_thread_and_two_and_in_a_second_process() {
    // A scaler and one member per fold, two folds; and the list of members.
    three_fresh_runs_agree(&ridge(), 5);
}

#[cfg(feature = "libtorch")]
#[test]
fn a_network_gives_the_same_bytes_on_one_thread_and_two_and_in_a_second_process() {
    // A scaler and two members per fold, two folds; and the list of members.
    three_fresh_runs_agree(&crate::support::network(), 7);
}

#[cfg(feature = "libtorch")]
#[test]
fn four_folds_trained_on_two_threads_have_the_bytes_of_one() {
    // 500 bars: 200 to train, 60 to validate, then four blocks of 60.
    let lab = Lab::with(&crate::support::network().replace("test_bars = 120", "test_bars = 60"));
    lab.tidegate("train s.toml --no-cache --threads 1 --out one").done();
    lab.tidegate("train s.toml --no-cache --threads 2 --out two").done();
    let files = lab.files("one");
    // A scaler and two members per fold, and the list of members.
    assert_eq!(files.keys().filter(|path| path.starts_with("models")).count(), 4 * 3 + 1);
    assert_same_files(&files, &lab.files("two"));
}

#[cfg(feature = "libtorch")]
#[test]
fn another_seed_trains_another_network() {
    let lab = Lab::with(&crate::support::network());
    lab.tidegate("run s.toml --no-cache --out seven").done();
    lab.tidegate("run s.toml --no-cache --out eight --seed 8").done();
    for name in ["forecasts.parquet", "models/fold_000_member_00.safetensors"] {
        assert_ne!(lab.read(&format!("seven/{name}")), lab.read(&format!("eight/{name}")), "{name}");
    }
    let members = ["seven/models/fold_000_member_00.safetensors", "seven/models/fold_000_member_01.safetensors"];
    assert_ne!(lab.read(members[0]), lab.read(members[1]), "members of one ensemble start from different weights");
}

/// Runs from a filled cache into a fresh folder and compares with the run that filled it.
fn a_cached_run_equals_the_run_that_trained(strategy: &str, members: &str) {
    let lab = Lab::with(strategy);
    let trained = lab.tidegate("run s.toml --json --cache cache --out trained").json();
    assert_eq!(trained["cached"], Value::Bool(false));
    let again = lab.tidegate("run s.toml --json --cache cache --out restored").done();
    assert!(again.stderr.contains(&format!("{members} trained models came from the cache, 0 were trained")));
    let restored = again.json();
    assert_eq!(restored["cached"], Value::Bool(true));
    assert_eq!(trained["metrics"], restored["metrics"]);
    assert_same_files(&lab.files("trained"), &lab.files("restored"));
}

#[test]
fn a_linear_model_from_the_cache_equals_the_one_that_was_trained() {
    a_cached_run_equals_the_run_that_trained(&ridge(), "2");
}

#[cfg(feature = "libtorch")]
#[test]
fn a_network_from_the_cache_equals_the_one_that_was_trained() {
    a_cached_run_equals_the_run_that_trained(&crate::support::network(), "4");
}

#[test]
fn a_second_identical_run_is_reused_until_no_cache_is_asked_for() {
    let lab = Lab::with(&ridge());
    let first = lab.tidegate("run s.toml --json").json();
    let second = lab.tidegate("run s.toml --json").done();
    assert!(second.stderr.contains("this run is finished already"), "{}", second.stderr);
    let second = second.json();
    assert_eq!((&first["cached"], &second["cached"]), (&Value::Bool(false), &Value::Bool(true)));
    assert_eq!(first["metrics"], second["metrics"]);
    assert_eq!(first["run_dir"], second["run_dir"]);
    let third = lab.tidegate("run s.toml --json --no-cache").done();
    assert!(!third.stderr.contains("cache"), "{}", third.stderr);
    assert_eq!(third.json()["cached"], Value::Bool(false));
}

#[test]
fn a_finished_run_whose_files_were_changed_is_made_again() {
    let lab = Lab::with(&ridge());
    lab.tidegate("run s.toml --out run").done();
    let untouched = lab.files("run");
    lab.write("run/metrics.json", "{}");
    let again = lab.tidegate("run s.toml --out run").done();
    assert!(!again.stderr.contains("finished already"), "{}", again.stderr);
    assert_same_files(&untouched, &lab.files("run"));
}

#[test]
fn changed_bars_are_not_answered_from_an_older_run() {
    let lab = Lab::with(&ridge());
    let before = lab.tidegate("run s.toml --json --out run").json();
    let text = String::from_utf8(lab.read("bars.csv")).expect("text");
    let lines: Vec<&str> = text.lines().collect();
    // Without the first bar of AAA every training set is another.
    lab.write("bars.csv", &[&lines[..1], &lines[2..]].concat().join("\n"));
    let after = lab.tidegate("run s.toml --json --out run").json();
    assert_eq!(after["cached"], Value::Bool(false));
    assert_ne!(before["metrics"], after["metrics"]);
}

#[test]
fn nothing_of_an_older_run_stays_in_its_folder() {
    let lab = Lab::with(&ridge());
    lab.write("other.toml", &sma_cross());
    lab.tidegate("run other.toml --out fresh").done();
    lab.tidegate("run s.toml --out used").done();
    lab.write("used/notes.txt", "mine");
    lab.tidegate("run other.toml --out used").done();
    let (fresh, mut used) = (lab.files("fresh"), lab.files("used"));
    assert_eq!(used.remove(Path::new("notes.txt")).as_deref(), Some(&b"mine"[..]), "what a run does not write stays");
    assert_eq!(fresh.keys().collect::<Vec<_>>(), used.keys().collect::<Vec<_>>());
    assert_eq!(lab.read("fresh/metrics.json"), lab.read("used/metrics.json"));
    lab.tidegate("train s.toml --out used").done();
    lab.tidegate("report used").refused(&["cannot read `used/manifest.json`"]);
}
