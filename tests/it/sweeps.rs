//! A sweep's rows are the single runs' numbers, on any number of threads.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::support::{Lab, assert_same_files, network, ridge, sma_cross};

const GRID: &str = "
[sweep]
objective = \"sharpe_ratio\"
metrics = [\"beta\", \"tail_ratio\"]

[sweep.grid]
\"strategy.sma_cross.fast_bars\" = [3, 5, 10]
\"strategy.sma_cross.slow_bars\" = [10, 30]
";

#[test]
fn every_trial_equals_the_run_of_its_values() {
    let lab = Lab::with(&[sma_cross(), GRID.to_owned()].concat());
    let document = lab.tidegate("sweep s.toml --out sweep --json").json();
    let trials = lab.table("sweep/trials.parquet");
    let (fast, slow) = (
        trials.ints("strategy.sma_cross.fast_bars").expect("whole numbers"),
        trials.ints("strategy.sma_cross.slow_bars").expect("whole numbers"),
    );
    assert_eq!(fast, [3, 3, 5, 5, 10, 10], "the last key changes fastest");
    assert_eq!(slow, [10, 30, 10, 30, 10, 30]);
    let skipped = trials.texts("skipped").expect("texts");
    let best = document["sweep"]["best"]["trial"].as_u64().expect("a number") as usize;
    let sharpe = trials.optional_floats("sharpe_ratio").expect("numbers");
    for row in 0..trials.rows() {
        let command = format!(
            "run s.toml --json --set strategy.sma_cross.fast_bars={} --set strategy.sma_cross.slow_bars={}",
            fast[row], slow[row]
        );
        if fast[row] == slow[row] {
            assert!(skipped[row].contains("must be above fast_bars, which is `10`, was `10`"), "{}", skipped[row]);
            assert_eq!(sharpe[row], None);
            lab.tidegate(&command).refused(&["strategy.sma_cross.slow_bars: must be above fast_bars"]);
            continue;
        }
        assert_eq!(skipped[row], "");
        let metrics = lab.tidegate(&command).json()["metrics"].clone();
        for name in ["total_return", "cagr", "sharpe_ratio", "max_drawdown", "beta", "tail_ratio"] {
            let found = trials.optional_floats(name).expect("numbers")[row];
            assert_eq!(found, metrics["performance"][name].as_f64(), "trial {row}, {name}");
        }
        for name in ["final_equity", "commission", "turnover"] {
            let found = trials.optional_floats(name).expect("numbers")[row];
            assert_eq!(found, metrics["execution"][name].as_f64(), "trial {row}, {name}");
        }
        assert!(sharpe[row] <= sharpe[best], "trial {row} is better than the best");
    }
    assert_eq!(document["sweep"]["combinations"], 6);
    assert_eq!(document["sweep"]["skipped"], 1);
    assert_eq!(document["sweep"]["trials_in_study"], 5);
    assert_eq!(document["sweep"], lab.json("sweep/sweep.json"));
}

#[test]
fn a_sweep_gives_the_same_bytes_on_one_thread_and_two() {
    let lab = Lab::with(&[sma_cross(), GRID.to_owned()].concat());
    lab.tidegate("sweep s.toml --threads 1 --out one").done();
    lab.tidegate("sweep s.toml --threads 2 --out two").done();
    assert_same_files(&lab.files("one"), &lab.files("two"));
}

#[test]
fn forecasts_that_trials_share_are_made_once() {
    let lab = Lab::with(&ridge());
    let grid = "--grid strategy.forecast_threshold.short_weight=-1.0,-0.5,0.0 --objective total_return";
    let swept = lab.tidegate(&format!("sweep s.toml {grid} --out sweep --json")).done();
    assert_eq!(swept.stderr.matches("fitting yardsticks: 2 of 2").count(), 1, "{}", swept.stderr);
    let single = lab.tidegate("run s.toml --json --no-cache").json();
    let trials = lab.table("sweep/trials.parquet");
    assert_eq!(trials.floats("strategy.forecast_threshold.short_weight").expect("numbers"), [-1.0, -0.5, 0.0]);
    let found = trials.floats("total_return").expect("numbers")[1];
    assert_eq!(Value::from(found), single["metrics"]["performance"]["total_return"]);
    assert_eq!(swept.json()["sweep"]["objective"], "total_return");
}

#[test]
fn a_grid_may_vary_words_dates_and_whole_tables() {
    let lab = Lab::with(&sma_cross());
    lab.tidegate(
        "sweep s.toml --out sweep --grid execution.fill=next_open,next_close --grid data.end=2001-06-29,2001-10-31",
    )
    .done();
    let trials = lab.table("sweep/trials.parquet");
    assert_eq!(trials.texts("execution.fill").expect("texts"), ["next_open", "next_close"].repeat(2));
    assert_eq!(trials.texts("data.end").expect("texts")[1..3], ["2001-06-29", "2001-10-31"]);
    let distinct: std::collections::BTreeSet<u64> =
        trials.floats("total_return").expect("numbers").iter().map(|value| value.to_bits()).collect();
    assert_eq!(distinct.len(), 4, "four different trials");
}

#[test]
fn a_key_that_does_not_exist_is_refused_before_the_first_trial() {
    let lab = Lab::with(&sma_cross());
    lab.tidegate("sweep s.toml --out sweep --grid strategy.sma_cross.fats_bars=3,5").refused(&[
        "[sweep.grid]",
        "unknown field `fats_bars`, expected one of `fast_bars`, `slow_bars`, `weight`, `allow_short`",
        "hint: did you mean `fast_bars`?",
    ]);
    assert!(!lab.path("sweep/trials.parquet").exists());
}

#[test]
fn a_grid_without_values_or_without_keys_is_refused() {
    let lab = Lab::with(&sma_cross());
    lab.tidegate("sweep s.toml").refused(&["a sweep needs a grid, which is empty", "[sweep.grid]", "--grid KEY=V1,V2"]);
    lab.tidegate("sweep s.toml --grid strategy.sma_cross.fast_bars=")
        .refused(&["sweep.grid.\"strategy.sma_cross.fast_bars\" must list at least one value, was empty"]);
    lab.tidegate("sweep s.toml --grid strategy.sma_cross.fast_bars")
        .refused(&["a grid axis must be `key=v1,v2,...`, was `strategy.sma_cross.fast_bars`"]);
}

#[test]
fn a_grid_that_is_too_large_is_refused_with_its_number() {
    let lab = Lab::with(&sma_cross());
    let values = (1..=4_000).map(|value: u32| value.to_string()).collect::<Vec<_>>().join(",");
    lab.tidegate(&format!("sweep s.toml --grid seed={values} --grid account.cash={values}"))
        .refused(&["at most `10000000` combinations, the grid has `16000000`"]);
}

#[cfg(feature = "libtorch")]
#[test]
fn twelve_settings_of_one_trained_model_train_it_once() {
    let lab = Lab::with(&network());
    let grid = "--grid strategy.forecast_threshold.long_weight=0.25,0.5,0.75,1.0 --grid strategy.forecast_threshold.short_weight=-1.0,-0.5,0.0";
    let swept = lab.tidegate(&format!("sweep s.toml {grid} --no-cache --out sweep --json")).done();
    assert_eq!(swept.stderr.matches("training folds: 4 of 4").count(), 1, "{}", swept.stderr);
    assert_eq!(swept.json()["sweep"]["combinations"], 12);
    let trials = lab.table("sweep/trials.parquet");
    let single = lab.tidegate("run s.toml --json --set strategy.forecast_threshold.long_weight=0.75").json();
    let found = trials.floats("total_return").expect("numbers")[7];
    assert_eq!(Value::from(found), single["metrics"]["performance"]["total_return"]);
}

#[test]
fn every_distinct_model_is_trained_once() {
    let lab = Lab::with(&ridge());
    let grid = "--grid seed=1,2 --grid strategy.forecast_threshold.short_weight=-1.0,-0.5,0.0";
    let swept = lab.tidegate(&format!("sweep s.toml {grid} --out sweep")).done();
    assert_eq!(swept.stderr.matches("fitting yardsticks: 2 of 2").count(), 2, "{}", swept.stderr);
}

/// As [`GRID`], 4,900 trials.
const WIDE: &str = "
[sweep]
objective = \"sharpe_ratio\"

[sweep.grid]
\"strategy.sma_cross.fast_bars\" = { from = 1, to = 70 }
\"strategy.sma_cross.slow_bars\" = { from = 2, to = 71 }
";

#[test]
fn a_sweep_that_was_killed_goes_on_and_ends_with_the_same_bytes() {
    let lab = Lab::with(&[sma_cross(), WIDE.to_owned()].concat());
    lab.tidegate("sweep s.toml --study whole --out whole/sweep").done();
    let arguments = ["sweep", "s.toml", "--study", "stopped", "--out", "stopped/sweep", "--threads", "1"];
    for _ in 0..4 {
        let before = ledger_bytes(&lab);
        let mut child = lab.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        // Long enough for some batches, in whatever time the machine takes for them.
        while ledger_bytes(&lab) < before + 200_000 && child.try_wait().expect("it can be asked").is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
    }
    let last = lab.tidegate(&arguments.join(" ")).done();
    assert!(last.stdout.contains(" known before"), "nothing was recorded before the kill: {}", last.stdout);
    assert_same_files(&sweep_files(&lab, "whole"), &sweep_files(&lab, "stopped"));
    let again = lab.tidegate(&arguments.join(" ")).done();
    assert!(again.stdout.contains("2485 known before"), "{}", again.stdout);
    assert_same_files(&sweep_files(&lab, "whole"), &sweep_files(&lab, "stopped"));
}

/// The size of the stopped sweep's ledger, with what is written beside it.
fn ledger_bytes(lab: &Lab) -> u64 {
    let size = |name: &str| std::fs::metadata(lab.path(name)).map_or(0, |found| found.len());
    size("stopped/trials.sqlite") + size("stopped/trials.sqlite-wal")
}

fn sweep_files(lab: &Lab, study: &str) -> std::collections::BTreeMap<PathBuf, Vec<u8>> {
    lab.files(&format!("{study}/sweep"))
}

#[test]
fn another_sweep_in_the_same_folder_is_refused_by_name_or_becomes_a_study() {
    let lab = Lab::with(&[sma_cross(), GRID.to_owned()].concat());
    lab.tidegate("sweep s.toml").done();
    lab.tidegate("sweep s.toml").done();
    lab.tidegate("sweep s.toml --objective cagr").refused(&[
        "`runs/s/sweep` is the folder of another sweep: `sweep.objective` was `\"sharpe_ratio\"` there, is `\"cagr\"` here",
        "--study NAME",
    ]);
    lab.tidegate("sweep s.toml --set execution.slippage.bps=2.5")
        .refused(&["`config.execution.slippage.bps` was `1.0` there, is `2.5` here"]);
    lab.tidegate("sweep s.toml --objective cagr --study second").done();
    assert!(lab.path("runs/s/second/sweep/sweep.json").exists());
    assert!(lab.path("runs/s/second/trials.sqlite").exists());
}

#[test]
fn a_sweep_may_stand_in_a_file_of_its_own() {
    let lab = Lab::with(&sma_cross());
    lab.write("wide.toml", GRID);
    let swept = lab.tidegate("sweep s.toml --sweep wide.toml --out sweep --json").json();
    assert_eq!(swept["sweep"]["combinations"], 6);
    lab.write("wrong.toml", &GRID.replace("objective", "objektive"));
    lab.tidegate("sweep s.toml --sweep wrong.toml").refused(&["wrong.toml:3:1: unknown field `objektive`"]);
}

#[test]
fn drawn_points_fulfil_the_constraints_and_search_finds_better_than_chance() {
    let space = "[sweep.space]\n\"strategy.sma_cross.fast_bars\" = { from = 2, to = 60, scale = \"log\" }\n\"strategy.sma_cross.slow_bars\" = { from = 3, to = 120 }\n\"strategy.sma_cross.weight\" = { from = 0.1, to = 1.0 }\n";
    let file = |method: &str| {
        format!("[sweep]\nobjective = \"cagr\"\nconstraints = [\"fast_bars < slow_bars\"]\nmethod.{method}\n{space}")
    };
    let lab = Lab::with(&sma_cross());
    let methods = [
        ("random", "random = { trials = 60 }"),
        ("latin_hypercube", "latin_hypercube = { trials = 60, seed = 3 }"),
        ("tpe", "tpe = { trials = 60, startup = 20, batch = 8, candidates = 24 }"),
    ];
    for (name, method) in methods {
        lab.write("draw.toml", &file(method));
        lab.tidegate(&format!("sweep s.toml --sweep draw.toml --out {name}_1 --study {name}_1 --threads 1")).done();
        lab.tidegate(&format!("sweep s.toml --sweep draw.toml --out {name}_2 --study {name}_2 --threads 2")).done();
        let trials = lab.table(&format!("{name}_1/trials.parquet"));
        let bars = |key: &str| trials.ints(&format!("strategy.sma_cross.{key}")).expect("whole numbers");
        let pairs: Vec<_> = bars("fast_bars").into_iter().zip(bars("slow_bars")).collect();
        assert!(pairs.iter().all(|(fast, slow)| fast < slow), "{name}");
        let document = lab.json(&format!("{name}_1/sweep.json"));
        assert_eq!(document["method"], name);
        assert_eq!(document["skipped"], 0, "{name}");
        assert_eq!(
            lab.read(&format!("{name}_1/trials.parquet")),
            lab.read(&format!("{name}_2/trials.parquet")),
            "{name}"
        );
    }
}

#[test]
fn several_objectives_have_a_front() {
    let grid = GRID.replace("objective = \"sharpe_ratio\"", "objectives = [\"cagr\", \"turnover\"]");
    let lab = Lab::with(&[sma_cross(), grid].concat());
    let document = lab.tidegate("sweep s.toml --out sweep --json").json()["sweep"].clone();
    let trials = lab.table("sweep/trials.parquet");
    let (cagr, turnover) =
        (trials.optional_floats("cagr").expect("there"), trials.optional_floats("turnover").expect("there"));
    let ran: Vec<usize> = (0..6).filter(|&row| cagr[row].is_some()).collect();
    let beats = |a: usize, b: usize| {
        cagr[a] >= cagr[b] && turnover[a] <= turnover[b] && (cagr[a] > cagr[b] || turnover[a] < turnover[b])
    };
    let expected: Vec<u64> =
        ran.iter().filter(|&&row| !ran.iter().any(|&other| beats(other, row))).map(|&row| row as u64).collect();
    let front = document["pareto_front"].as_array().expect("a list");
    let front: Vec<u64> = front.iter().map(|row| row["trial"].as_u64().expect("a number")).collect();
    assert_eq!(front, expected);
    assert_eq!(document["objective"], "cagr");
}

#[test]
fn an_unknown_objective_lists_the_metrics() {
    let lab = Lab::with(&[sma_cross(), GRID.to_owned()].concat());
    lab.tidegate("sweep s.toml --out sweep --objective sharp_ratio").refused(&[
        "objective must be one of",
        "`sharpe_ratio`",
        "was `sharp_ratio`",
    ]);
}

#[test]
fn a_sweep_says_unasked_how_much_of_its_best_is_luck() {
    let lab = Lab::with(&[sma_cross(), WIDE.to_owned()].concat());
    let swept = lab.tidegate("sweep s.toml --out sweep").done();
    let document = lab.json("sweep/sweep.json");
    let statistics = &document["statistics"];
    assert_eq!(document["trials_in_study"], 2_485);
    let share = |value: &Value| value.as_f64().filter(|share| (0.0..=1.0).contains(share)).expect("a share");
    for name in ["probabilistic_sharpe_ratio", "deflated_sharpe_ratio"] {
        share(&statistics[name]);
    }
    assert!(statistics["deflated_sharpe_ratio"].as_f64() < statistics["probabilistic_sharpe_ratio"].as_f64());
    share(&statistics["probability_of_overfitting"]["probability"]);
    // Half of 12 blocks: 12! / (6! 6!) ways.
    assert_eq!(statistics["probability_of_overfitting"]["logits"].as_array().expect("a list").len(), 924);
    share(&statistics["snooping"]["superior_predictive_ability"]["p_value_consistent"]);
    share(&statistics["snooping"]["reality_check"]["p_value"]);
    let judged = statistics["trials_judged"].as_u64().expect("a count");
    // Half of the 500 evenly spaced points are no trials, a fast average being the longer; the best 100 come on top.
    assert!((250..=600).contains(&judged), "{judged}");
    let interval = &statistics["sharpe_ratio_interval"];
    let best = document["best"]["metrics"]["sharpe_ratio"].as_f64().expect("a number");
    assert!((interval["estimate"].as_f64().expect("a number") - best).abs() < 1e-9);
    assert_eq!(statistics["max_drawdown_interval"]["estimate"], document["best"]["metrics"]["max_drawdown"]);
    assert!(document["stability"]["neighbors"].as_u64() >= Some(2));
    for shown in ["deflated Sharpe ratio of the best", "probability of overfitting", "Hansen's test", "neighbors"] {
        assert!(swept.stdout.contains(shown), "{}", swept.stdout);
    }
}
