//! `tidegate compare` as a user sees it: against the metrics of its runs, and what it refuses.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Lab, sma_cross};

/// Two runs that differ in one setting, and a third on a shorter span with other fills.
fn lab() -> Lab {
    let lab = Lab::with(&sma_cross());
    lab.tidegate("run s.toml --out a").done();
    lab.tidegate("run s.toml --out b --set strategy.sma_cross.fast_bars=10").done();
    lab.tidegate("run s.toml --out c --set execution.fill=next_close --set data.end=2001-06-29").done();
    lab
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("a number, was {value}"))
}

fn metric<'a>(document: &'a Value, key: &str) -> &'a Value {
    let rows = document["metrics"].as_array().expect("a list");
    rows.iter().find(|row| row["key"] == key).unwrap_or_else(|| panic!("{key} is compared"))
}

#[test]
fn two_runs_of_one_span_differ_by_what_their_metrics_do() {
    let lab = lab();
    let document = lab.tidegate("compare a b --json").json();
    let [a, b] = ["a", "b"].map(|run| lab.json(&format!("{run}/metrics.json")));
    for key in ["sharpe_ratio", "cagr", "max_drawdown"] {
        assert_eq!(metric(&document, key)["values"], json!([a["performance"][key], b["performance"][key]]), "{key}");
    }
    let fills = metric(&document, "fills");
    let counted = |run: &Value| number(&run["execution"]["fills"]);
    assert_eq!(fills["values"], json!([counted(&a), counted(&b)]));
    let ratios = [&a, &b].map(|run| number(&run["performance"]["sharpe_ratio"]));
    assert_eq!(metric(&document, "sharpe_ratio")["best"], json!([if ratios[0] > ratios[1] { 1 } else { 2 }]));

    assert_eq!(document["warnings"], json!([]));
    assert_eq!(document["paired"]["returns"], 499, "from one of 500 bars to the next");
    let test = &document["tests"][0];
    assert_eq!((&test["run"], &test["against"]), (&json!(2), &json!(1)));
    let difference = &test["sharpe_ratio_difference"];
    assert!((number(&difference["estimate"]) - (ratios[1] - ratios[0])).abs() < 1e-9, "{difference}");
    let p_value = number(&difference["p_value"]);
    assert!(p_value > 0.0 && p_value <= 1.0 && difference["p_value_holm"] == difference["p_value"], "{difference}");
    assert!(number(&difference["low"]) < number(&difference["high"]), "{difference}");
    let correlation = number(&test["correlation"]);
    assert!(correlation > 0.0 && correlation < 1.0, "two crosses of one market: {correlation}");
    assert_eq!(document["config_differences"], json!([{ "key": "strategy.sma_cross.fast_bars", "values": [5, 10] }]));
    assert_eq!(lab.tidegate("compare a b --json").json(), document, "the seed is fixed");
}

#[test]
fn what_is_unequal_is_warned_of_and_only_common_times_are_paired() {
    let lab = lab();
    let document = lab.tidegate("compare a b c --json").json();
    let bars = document["runs"][2]["bars"].as_u64().expect("a count");
    assert!(bars < 500, "the third run ends earlier");
    assert_eq!(document["paired"]["returns"], bars - 1);
    assert_eq!(document["paired"]["last"], document["runs"][2]["last_bar"]);
    let warnings = document["warnings"].to_string();
    for part in [
        "different bars",
        "the spans differ",
        "the fill rules differ: run 1 next_open, run 2 next_open, run 3 next_close",
    ] {
        assert!(warnings.contains(part), "`{part}` is not in {warnings}");
    }
    for test in document["tests"].as_array().expect("a list") {
        for part in ["sharpe_ratio_difference", "mean_return_difference", "jobson_korkie"] {
            assert!(number(&test[part]["p_value_holm"]) >= number(&test[part]["p_value"]), "{test}");
        }
    }
    let end = document["config_differences"].as_array().expect("a list").iter().find(|row| row["key"] == "data.end");
    assert_eq!(end.expect("the end differs")["values"], json!([null, null, "2001-06-29"]));
}

#[test]
fn a_terminal_sees_tables_that_fit() {
    let text = lab().tidegate("compare a b c").done().stdout;
    for part in
        ["warning: the spans differ", "Sharpe ratio", "p, Jobson-Korkie", "seed 1.", "strategy.sma_cross.fast", "* "]
    {
        assert!(text.contains(part), "`{part}` is not in: {text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
}

#[test]
fn equal_runs_in_two_folders_are_said_to_be_equal() {
    let lab = Lab::with(&sma_cross());
    lab.tidegate("run s.toml --out a").done();
    lab.tidegate("run s.toml --out b").done();
    let document = lab.tidegate("compare a b --json").json();
    let warnings = document["warnings"].to_string();
    assert!(
        warnings.contains("the same config and the same data") && warnings.contains("nothing is tested"),
        "{warnings}"
    );
    assert_eq!(document["tests"][0]["sharpe_ratio_difference"], Value::Null);
    assert!(lab.tidegate("compare a b").done().stdout.contains("The configs do not differ."));
}

#[test]
fn shipped_strategies_are_compared_on_shipped_data() {
    let lab = Lab::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace is there");
    let file = root.join("strategies/sma_cross.toml").display().to_string();
    lab.tidegate(&format!("run {file} --out slow --quiet")).done();
    lab.tidegate(&format!("run {file} --out fast --quiet --set strategy.sma_cross.fast_bars=10")).done();
    let document = lab.tidegate("compare slow fast --json").json();
    let sharpe = metric(&document, "sharpe_ratio")["values"].clone();
    let paired = &document["paired"]["sharpe_ratios"];
    for run in 0..2 {
        assert!((number(&sharpe[run]) - number(&paired[run])).abs() < 1e-9, "{sharpe} and {paired}");
    }
}

#[test]
fn what_is_no_finished_run_is_named() {
    let lab = lab();
    lab.tidegate("compare a").refused(&["at least two runs are compared, was `1`", "hint: "]);
    lab.tidegate("compare a b ./a").refused(&["`a` and `./a`, which are the same folder", "hint: "]);
    lab.tidegate("compare a nowhere").refused(&["`nowhere` is not a run directory: there is no such folder", "hint: "]);
    fs::create_dir(lab.path("empty")).expect("the folder is writable");
    lab.tidegate("compare empty a").refused(&["`empty` is not a run directory: it has no `manifest.json`", "hint: "]);
    fs::remove_file(lab.path("b/manifest.json")).expect("the manifest was written");
    lab.tidegate("compare a b").refused(&["`b` holds a run that was not finished", "hint: run the experiment again"]);
    lab.write("c/metrics.json", "{}");
    lab.tidegate("compare a c").refused(&["metrics.json` is damaged: it is not what the run wrote there", "hint: "]);
}

#[test]
fn runs_without_enough_common_times_are_not_compared() {
    let lab = Lab::with(&sma_cross());
    lab.tidegate("run s.toml --out early --set data.end=2000-12-29").done();
    lab.tidegate("run s.toml --out late --set data.start=2000-12-01").done();
    lab.tidegate("compare early late").refused(&["at least 30 returns are paired, was `", "times in common", "hint: "]);
}
