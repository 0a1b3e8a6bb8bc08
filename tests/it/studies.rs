//! A study's ledger: what is written there, what the commands show of it, and what damage to it stops.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};

use crate::support::{Lab, sma_cross};

const SWEEP: &str =
    "sweep s.toml --grid strategy.sma_cross.fast_bars=3,5,10 --grid strategy.sma_cross.slow_bars=10,30 --out sweep";

/// A study of one run and one sweep: five trials, since one pair is impossible and one is the run's.
fn study() -> Lab {
    let lab = Lab::with(&sma_cross());
    lab.tidegate("run s.toml --set strategy.sma_cross.fast_bars=3 --set strategy.sma_cross.slow_bars=30").done();
    lab.tidegate(SWEEP).done();
    lab
}

#[test]
fn runs_and_sweeps_count_in_one_study_and_the_same_trial_counts_once() {
    let lab = study();
    let list = lab.tidegate("study list --json").json();
    let study = &list["studies"][0];
    assert_eq!((&study["study"], &study["trials"], &study["failed"]), (&"runs/s".into(), &5.into(), &0.into()));
    assert!(study["best_sharpe_ratio"].is_f64() && study["last_recorded_at"].is_string(), "{study}");
    assert_eq!(list["studies"].as_array().map(Vec::len), Some(1));
    lab.tidegate(SWEEP).done();
    assert_eq!(lab.tidegate("study list --json").json()["studies"][0]["trials"], 5);
    let text = lab.tidegate("study list").done().stdout;
    assert!(text.starts_with("study ") || text.trim_start().starts_with("study"), "{text}");
    assert!(text.contains("runs/s") && text.lines().count() == 2, "{text}");
}

#[test]
fn a_study_is_shown_by_any_metric_with_the_numbers_of_its_runs() {
    let lab = study();
    let document = lab.tidegate("study show s --sort max_drawdown --limit 3 --json").json();
    let rows = document["rows"].as_array().expect("rows");
    assert_eq!((rows.len(), &document["trials"]), (3, &5.into()));
    let losses: Vec<f64> = rows.iter().map(|row| row["metrics"]["max_drawdown"].as_f64().expect("a number")).collect();
    assert!(losses.is_sorted_by(|a, b| a >= b), "{losses:?}");
    let swept = rows.iter().find(|row| row["source"] == "sweep").expect("a trial of the sweep");
    let value = |key: &str| swept["values"][format!("strategy.sma_cross.{key}")].as_i64().expect("a whole number");
    let run = lab.tidegate(&format!(
        "run s.toml --no-cache --json --set strategy.sma_cross.fast_bars={} --set strategy.sma_cross.slow_bars={}",
        value("fast_bars"),
        value("slow_bars")
    ));
    let metrics = run.json()["metrics"].clone();
    for name in ["sharpe_ratio", "max_drawdown", "cagr"] {
        assert_eq!(swept["metrics"][name], metrics["performance"][name], "{name}");
    }
    let smallest = lab.tidegate("study show runs/s --sort max_drawdown --ascending --json").json();
    assert_eq!(smallest["rows"].as_array().map(Vec::len), Some(5));
    assert!(smallest["rows"][0]["metrics"]["max_drawdown"].as_f64().expect("a number") <= losses[2]);
    let text = lab.tidegate("study show s").done().stdout;
    assert!(text.starts_with("runs/s: 5 trials, 0 failed\n") && text.contains("fast_bars  slow_bars"), "{text}");
    lab.tidegate("study show s --sort sharp_ratio").refused(&[
        "has the metric `sharp_ratio`",
        "hint: it has ",
        "sharpe_ratio",
    ]);
}

#[test]
fn a_study_is_exported_as_csv_and_as_parquet_with_the_same_rows() {
    let lab = study();
    lab.tidegate("study export s --out trials.csv").done();
    assert_eq!(lab.tidegate("study export s --out trials.parquet --json").json()["rows"], 5);
    let (csv, parquet) = (lab.table("trials.csv"), lab.table("trials.parquet"));
    assert_eq!((csv.rows(), parquet.rows()), (5, 5));
    assert_eq!(parquet.ints("number").expect("numbers"), [1, 2, 3, 4, 5]);
    assert_eq!(parquet.texts("source").expect("texts")[..2], ["run", "sweep"]);
    for name in ["sharpe_ratio", "final_equity"] {
        assert_eq!(
            csv.optional_floats(name).expect("numbers"),
            parquet.optional_floats(name).expect("numbers"),
            "{name}"
        );
    }
    assert!(parquet.has("strategy.sma_cross.fast_bars") && parquet.has("config_hash"));
    lab.tidegate("study export s --out trials.xlsx").refused(&["trials.xlsx"]);
}

#[test]
fn a_study_that_is_not_there_is_named_and_not_made() {
    let lab = Lab::with(&sma_cross());
    lab.tidegate("study show nothing")
        .refused(&["there is no trial ledger `runs/nothing/trials.sqlite`", "hint: `tidegate study list`"]);
    assert_eq!(lab.tidegate("study list").done().stdout, "no studies below runs\n");
    assert!(!lab.path("runs").exists());
}

#[test]
fn a_damaged_ledger_stops_a_run_before_it_computes_and_stays_as_it_is() {
    let lab = study();
    let path = lab.path("runs/s/trials.sqlite");
    let whole = fs::read(&path).expect("readable");
    let cut = &whole[..whole.len() - 20_000];
    fs::write(&path, cut).expect("writable");
    lab.tidegate("run s.toml").refused(&["the trial ledger", "trials.sqlite` is damaged", "hint: bring back a copy"]);
    lab.tidegate(SWEEP).refused(&["trials.sqlite` is damaged"]);
    assert_eq!(fs::read(&path).expect("readable"), cut);
    assert!(lab.tidegate("study list --json").json()["studies"][0]["problem"].is_string());
    fs::write(&path, b"config_hash\n").expect("writable");
    lab.tidegate("run s.toml").refused(&["is not a trial ledger", "hint: move the file away"]);
}

#[test]
fn a_ledger_of_an_earlier_version_still_counts() {
    let lab = Lab::with(&sma_cross());
    fs::create_dir_all(lab.path("runs/s")).expect("writable");
    let line = |digit: char, ratio: &str| {
        let hash = digit.to_string().repeat(16);
        format!("{{\"config_hash\":\"{hash}\",\"data_hash\":\"{hash}\",\"sharpe_ratio\":{ratio}}}\n")
    };
    lab.write("runs/s/trials.jsonl", &[line('a', "0.5"), line('b', "-0.25"), line('c', "null")].concat());
    let run = lab.tidegate("run s.toml").done();
    assert!(run.stdout.contains("4 in this study"), "{}", run.stdout);
    assert!(lab.path("runs/s/trials.jsonl.imported").exists());
    assert_eq!(lab.tidegate("study show s --json").json()["trials"], 4);
}

#[test]
fn sweeps_of_several_processes_on_one_study_lose_nothing_and_double_nothing() {
    let lab = Lab::with(&sma_cross());
    // 3 x 8 pairs and 3 x 8 pairs, of which 3 x 4 are the same.
    let sweep = |slow: [u32; 8], out: &str| {
        let slow = slow.map(|bars| bars.to_string()).join(",");
        let arguments = format!(
            "sweep s.toml --threads 1 --grid strategy.sma_cross.fast_bars=3,5,10 --grid strategy.sma_cross.slow_bars={slow} --out {out}"
        );
        let mut command = lab.command(&arguments.split(' ').collect::<Vec<_>>());
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        command.spawn().expect("the binary starts")
    };
    let first = sweep([20, 21, 22, 23, 24, 25, 26, 27], "one");
    let second = sweep([24, 25, 26, 27, 28, 29, 30, 31], "two");
    for child in [first, second] {
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let document = lab.tidegate("study show s --limit 100 --json").json();
    assert_eq!(document["trials"], 36, "3 x 12 different pairs");
    let hashes: BTreeSet<&str> = document["rows"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| row["config_hash"].as_str().expect("a hash"))
        .collect();
    assert_eq!(hashes.len(), 36);
}

#[cfg(unix)]
#[test]
fn a_disk_without_room_for_the_trial_shows_no_result_and_keeps_the_trials_before() {
    let lab = study();
    // Files may not grow beyond 8 blocks of 512 bytes, or of 1,024 in some shells; the signal that would end the process is off.
    let limited = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" run s.toml --no-cache --set seed=99"])
        .arg(env!("CARGO_BIN_EXE_tidegate"))
        .current_dir(lab.path(""))
        .output()
        .expect("a shell");
    let text = String::from_utf8_lossy(&limited.stderr);
    assert_eq!(limited.status.code(), Some(1), "{text}");
    assert!(text.contains("cannot write the trial ledger `runs/s/trials.sqlite`"), "{text}");
    assert!(text.contains("every trial recorded before is kept\nhint: free space"), "{text}");
    assert!(limited.stdout.is_empty(), "a result was shown that no ledger has");
    assert_eq!(lab.tidegate("study show s --json").json()["trials"], 5);
    lab.tidegate("run s.toml --set seed=99").done();
    assert_eq!(lab.tidegate("study show s --json").json()["trials"], 6);
}
