//! `tidegate audit` as a user sees it: what it prints, stores and gates, and no false alarm on any shipped strategy.

use std::fs;

use serde_json::{Value, json};

use crate::strategies::{smaller, strategies};
use crate::support::{ACCOUNT, BY_SIGN, Finished, HEAD, Lab, ridge, sma_cross};

/// Everything that a walk-forward is compared in, in order.
const ALL: [&str; 10] =
    ["bars", "features", "labels", "scaler", "training_sets", "models", "forecasts", "orders", "fills", "equity"];

fn stages(document: &Value) -> Vec<&str> {
    let stages = document["audit"]["stages"].as_array().expect("a list");
    stages.iter().map(|stage| stage["stage"].as_str().expect("a name")).collect()
}

#[test]
fn an_audit_prints_what_it_compared_and_the_report_of_the_run_says_so() {
    let lab = Lab::with(&ridge());
    let shown = lab.tidegate("audit s.toml --out run").done();
    for part in
        ["stage            cuts        values", "training sets", "in the test block of fold 1", "no leak: 15 cuts"]
    {
        assert!(shown.stdout.contains(part), "`{part}` is not in: {}", shown.stdout);
    }
    assert_eq!(lab.json("run/audit.json")["leak"], Value::Null);
    lab.tidegate("run s.toml --out run").done();
    assert_eq!(lab.json("run/report.json")["header"]["audit"], json!({ "passed": { "cuts": 15 } }));
    let report = lab.tidegate("report run").done().stdout;
    assert!(report.contains("audited: 15 cuts, no leak"), "{report}");
}

#[test]
fn an_audit_after_the_run_is_in_its_report_and_one_of_another_config_is_not() {
    let lab = Lab::with(&sma_cross());
    lab.tidegate("run s.toml --out run").done();
    assert_eq!(lab.json("run/report.json")["header"]["audit"], "not_run");
    let files = lab.files("run");
    lab.tidegate("audit s.toml --out run --cuts 3").done();
    let html = String::from_utf8(lab.read("run/report.html")).expect("UTF-8");
    assert!(html.contains("audited: 4 cuts, no leak"), "three cuts and one open");
    for name in ["manifest.json", "metrics.json", "orders.parquet"] {
        assert_eq!(files[std::path::Path::new(name)], lab.read(&format!("run/{name}")), "{name}");
    }
    assert_eq!(lab.tidegate("run s.toml --out run --json").json()["cached"], true, "the run is still finished");
    lab.tidegate("run s.toml --out run --set strategy.sma_cross.fast_bars=6").done();
    assert_eq!(lab.json("run/report.json")["header"]["audit"], "not_run");
}

#[test]
fn a_run_audits_itself_first() {
    let lab = Lab::with(&sma_cross());
    let run = lab.tidegate("run s.toml --audit --out run").done();
    assert!(run.stderr.contains("no leak: 12 cuts, "), "{}", run.stderr);
    assert!(run.stdout.contains("audited: 12 cuts, no leak"), "{}", run.stdout);
}

#[test]
fn a_stored_leak_is_a_warning_of_the_report() {
    let lab = Lab::with(&sma_cross());
    lab.tidegate("audit s.toml --out run --cuts 2").done();
    let mut audit = lab.json("run/audit.json");
    audit["leak"] = json!({
        "stage": "features", "column": "rsi_2", "symbol": "AAA", "bar": audit["cuts"][0]["bar"], "method": "cut_off",
        "cut": audit["cuts"][0]["bar"], "whole": "1", "recomputed": "missing"
    });
    lab.write("run/audit.json", &audit.to_string());
    let run = lab.tidegate("run s.toml --out run").done();
    assert!(run.stdout.contains("The causality audit failed"), "{}", run.stdout);
}

#[test]
fn the_number_of_threads_and_the_cache_change_no_byte_of_an_audit() {
    let lab = Lab::with(&ridge());
    lab.tidegate("audit s.toml --out a --threads 1 --cache cache").done();
    lab.tidegate("audit s.toml --out b --threads 2 --cache cache").done();
    lab.tidegate("audit s.toml --out c --no-cache").done();
    assert_eq!(lab.read("a/audit.json"), lab.read("b/audit.json"));
    assert_eq!(lab.read("a/audit.json"), lab.read("c/audit.json"));
}

#[test]
fn what_comes_from_a_file_is_said_to_be_unproven() {
    let lab = Lab::with(&ridge());
    lab.tidegate("run s.toml --out made").done();
    fs::copy(lab.path("made/forecasts.parquet"), lab.path("forecasts.parquet")).expect("the folder is writable");
    lab.write("f.toml", &[HEAD, "[forecasts]\npath = \"forecasts.parquet\"\n", BY_SIGN, ACCOUNT].concat());
    let document = lab.tidegate("audit f.toml --json").json();
    assert_eq!(stages(&document), ["bars", "orders", "fills", "equity"]);
    let sentence = document["audit"]["not_proven"][0].as_str().expect("a sentence");
    assert!(
        sentence.starts_with("the forecasts are read from `") && sentence.contains("whatever made them"),
        "{sentence}"
    );

    let rows: String = ["2000-03-01,AAA,0.5", "2000-06-01,AAA,1.0", "2001-03-01,AAA,0.2"].join("\n");
    lab.write("weights.csv", &format!("time,symbol,weight\n{rows}\n"));
    lab.write("w.toml", &[HEAD, "[strategy.target_weights]\npath = \"weights.csv\"\n", ACCOUNT].concat());
    let document = lab.tidegate("audit w.toml --json").json();
    assert_eq!(document["clean"], true);
    let sentence = document["audit"]["not_proven"][0].as_str().expect("a sentence");
    assert!(sentence.starts_with("the target weights are read from `weights.csv`"), "{sentence}");
}

#[test]
fn a_cross_validation_is_audited_up_to_its_labels_and_in_its_trading() {
    let walk_forward = "[walk_forward.expanding]\ntrain_bars = 200\nvalid_bars = 60\ntest_bars = 120\n";
    let folds = "[cross_validation.purged_k_fold]\nfolds = 4\nvalid_bars = 40\nembargo_bars = 5\n";
    assert!(ridge().contains(walk_forward));
    let lab = Lab::with(&ridge().replace(walk_forward, folds));
    let document = lab.tidegate("audit s.toml --json").json();
    assert_eq!(stages(&document), ["bars", "features", "labels", "orders", "fills", "equity"]);
    let sentence = document["audit"]["not_proven"][0].as_str().expect("a sentence");
    assert!(sentence.starts_with("a cross-validation trains on both sides"), "{sentence}");
}

#[cfg(feature = "libtorch")]
#[test]
fn networks_in_windows_and_in_the_loop_pass_and_are_trained_again() {
    let streaming = [HEAD, crate::support::LEARNING, &crate::support::streaming(), BY_SIGN, ACCOUNT].concat();
    for strategy in [crate::support::network(), streaming] {
        let document = Lab::with(&strategy).tidegate("audit s.toml --json --no-cache").json();
        assert_eq!(stages(&document), ALL);
        assert_eq!(document["audit"]["folds_retrained"], json!([0, 1]));
    }
}

#[test]
fn no_shipped_strategy_looks_ahead() {
    let lab = Lab::new();
    for file in strategies() {
        let text = fs::read_to_string(&file).expect("the file was just listed");
        let mut arguments = vec!["audit", file.to_str().expect("the path is UTF-8"), "--json"];
        let overrides = smaller(&text);
        for assignment in &overrides {
            arguments.extend(["--set", assignment]);
        }
        if overrides.is_empty() {
            arguments.extend(["--cuts", "40"]);
        }
        let finished = Finished::from(lab.command(&arguments).output().expect("the binary runs"));
        if text.contains("[training]") && cfg!(not(feature = "libtorch")) {
            finished.refused(&["training encoder", "needs libtorch"]);
            continue;
        }
        let document = finished.json();
        assert_eq!(document["clean"], true, "{}", file.display());
        assert_eq!(stages(&document).last(), Some(&"equity"), "{}", file.display());
        if text.contains("[walk_forward") {
            assert_eq!(stages(&document), ALL, "{}", file.display());
        }
    }
}

#[test]
fn an_audit_of_no_cuts_is_refused() {
    let refused = Lab::with(&sma_cross()).tidegate("audit s.toml --cuts 0");
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""));
    assert!(refused.stderr.contains("invalid value '0' for '--cuts <N>'"), "{}", refused.stderr);
}
