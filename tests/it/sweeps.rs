//! A sweep's rows are the single runs' numbers, on any number of threads.

use serde_json::Value;

use crate::support::{Lab, assert_same_files, ridge, sma_cross};

const GRID: &str = "
[sweep]
objective = \"sharpe_ratio\"

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
        for name in ["total_return", "cagr", "sharpe_ratio", "max_drawdown", "beta"] {
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

#[test]
fn an_unknown_objective_lists_the_metrics() {
    let lab = Lab::with(&[sma_cross(), GRID.to_owned()].concat());
    lab.tidegate("sweep s.toml --out sweep --objective sharp_ratio").refused(&[
        "objective must be one of",
        "`sharpe_ratio`",
        "was `sharp_ratio`",
    ]);
}
