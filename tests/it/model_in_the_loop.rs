//! Networks that are stepped inside the backtest, bar by bar.

use std::path::Path;

use crate::support::{ACCOUNT, BY_SIGN, HEAD, LEARNING, Lab, assert_same_files, streaming};

/// A strategy file whose networks are stepped inside the backtest.
fn streamed() -> String {
    [HEAD, LEARNING, &streaming(), BY_SIGN, ACCOUNT].concat()
}

/// Trains once; every test runs on what the cache then holds.
fn trained() -> Lab {
    let lab = Lab::with(&streamed());
    lab.tidegate("train s.toml --cache cache --out trained").done();
    lab
}

/// Means by fold, in the order of time.
fn means(lab: &Lab, run: &str) -> [Vec<f64>; 2] {
    let table = lab.table(&format!("{run}/forecasts.parquet"));
    let (folds, means) = (table.ints("fold").expect("a column"), table.floats("mean").expect("a column"));
    [0, 1].map(|fold| folds.iter().zip(&means).filter(|(own, _)| **own == fold).map(|(_, mean)| *mean).collect())
}

#[test]
fn forecasts_made_in_the_loop_are_those_made_without_a_backtest() {
    let lab = trained();
    let run = lab.tidegate("run s.toml --json --cache cache --out run").done();
    assert!(run.stderr.contains("4 trained models came from the cache, 0 were trained"), "{}", run.stderr);
    assert!(run.json()["metrics"]["execution"]["fills"].as_u64().is_some_and(|fills| fills > 20));
    assert_eq!(lab.read("run/forecasts.parquet"), lab.read("trained/forecasts.parquet"));
    // The same forecasts from the file trade the same.
    lab.tidegate("backtest s.toml --forecasts run/forecasts.parquet --out stored").done();
    for name in ["fills.parquet", "equity.parquet", "trades.parquet"] {
        assert_eq!(lab.read(&format!("run/{name}")), lab.read(&format!("stored/{name}")), "{name}");
    }
}

#[test]
fn a_block_starts_from_its_first_window_and_remembers_from_then_on() {
    let lab = trained();
    lab.tidegate("run s.toml --cache cache --out stream").done();
    let windows = lab.tidegate("run s.toml --cache cache --out window --set model.inference=window").done();
    assert!(windows.stderr.contains("4 trained models came from the cache"), "both are read by the same networks");
    for (stream, window) in means(&lab, "stream").iter().zip(&means(&lab, "window")) {
        assert_eq!((stream.len(), window.len()), (120, 120));
        assert_eq!(stream[0], window[0]);
        assert!(stream.iter().zip(window).skip(1).all(|(stream, window)| stream != window));
    }
}

#[test]
fn a_backtest_that_stops_trading_leaves_the_forecasts_whole() {
    let lab = trained();
    lab.tidegate("run s.toml --cache cache --out run --set risk.drawdown_stop=0.005").done();
    let equity = lab.table("run/equity.parquet");
    let gross = equity.floats("gross_exposure").expect("a column");
    assert!(gross[gross.len() - 100..].iter().all(|gross| *gross == 0.0), "trading stopped early");
    assert_eq!(lab.read("run/forecasts.parquet"), lab.read("trained/forecasts.parquet"));
}

#[test]
fn the_bytes_do_not_depend_on_threads() {
    let lab = Lab::with(&streamed());
    lab.tidegate("run s.toml --no-cache --threads 1 --out one").done();
    lab.tidegate("run s.toml --no-cache --threads 2 --out two").done();
    assert!(lab.files("one").contains_key(Path::new("forecasts.parquet")));
    assert_same_files(&lab.files("one"), &lab.files("two"));
}
