//! Results that others published or that were verified by independent programs, found again by the files of `strategies/reference` through
//! the binary.
//!
//! Their data is not part of the repository: `TIDEGATE_REFERENCE_DATA` names its folder, and without it these tests pass with a note. That
//! the strategy files are valid is tested everywhere.

mod adjusted;
mod data;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tidegate_experiment::{ConfigSource, ResolvedExperiment};

use self::data::{Overrides, Source};
use crate::support::{Finished, Lab};

/// What a published result states, beside a number of the run.
struct Figure {
    /// Where the number stands in `metrics.json`.
    place: &'static str,
    expected: f64,
    /// The last digit that is stated: the number rounds to it, halves up.
    digit: f64,
}

const fn figure(place: &'static str, expected: f64, digit: f64) -> Figure {
    Figure { place, expected, digit }
}

const EQUITY: &str = "/execution/final_equity";
const FEES: &str = "/execution/commission";
const FILLS: &str = "/execution/fills";
const TRADES: &str = "/execution/trades/number_of_trades";
const RETURN: &str = "/performance/total_return";
const SHARPE: &str = "/performance/sharpe_ratio";
const DRAWDOWN: &str = "/performance/max_drawdown";

const CENT: f64 = 0.01;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../strategies/reference")
}

/// Runs a strategy file on the reference data.
fn run(lab: &Lab, name: &str, overrides: &Overrides) -> Value {
    let file = folder().join(format!("{name}.toml"));
    let mut arguments = vec!["run", file.to_str().expect("the path is UTF-8"), "--json", "--out", name];
    for assignment in overrides {
        arguments.extend(["--set", assignment]);
    }
    let mut document = Finished::from(lab.command(&arguments).output().expect("the binary runs")).json();
    document["metrics"].take()
}

/// Runs a strategy file and compares what came out with what was published, to the last digit.
#[track_caller]
fn check(source: &Source, name: &str, figures: &[Figure]) {
    let metrics = run(&Lab::new(), name, &source.overrides(name));
    for Figure { place, expected, digit } in figures {
        let found = metrics.pointer(place).and_then(Value::as_f64).expect("a number");
        // A half that binary numbers cannot hold, such as 3.485, rounds up all the same.
        let rounded = (found / digit + 0.5 + 1e-9).floor() * digit;
        assert!((rounded - expected).abs() < digit * 1e-3, "{name}: {place} must be `{expected}`, was `{found}`");
    }
}

#[test]
fn every_reference_file_resolves_and_stands_in_the_table() {
    let table = fs::read_to_string(folder().join("../../docs/REFERENCE.md")).expect("the page is checked in");
    let entries = fs::read_dir(folder()).expect("the folder is checked in");
    let mut names: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    names.sort();
    assert_eq!(names.len(), 14, "{names:?}");
    for file in names {
        let source = ConfigSource::read(&file).unwrap_or_else(|error| panic!("{error}"));
        ResolvedExperiment::from_source(&source).unwrap_or_else(|error| panic!("{error}"));
        let name = file.file_name().expect("a file").to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).expect("the file was just read");
        let says_how = |verb: &str| text.contains(&format!("tidegate {verb} strategies/reference/{name}"));
        assert!(says_how("run") || says_how("train"), "{name} does not say how to run it");
        assert!(table.contains(&format!("`{}`", name.trim_end_matches(".toml"))), "{name} is not in the table");
    }
}

#[test]
fn four_algorithms_of_lean_end_with_its_equity_and_fees_to_the_cent() {
    let Some(source) = Source::find() else { return };
    let ends =
        |equity, fees, fills| [figure(EQUITY, equity, CENT), figure(FEES, fees, CENT), figure(FILLS, fills, 1.0)];
    check(&source, "lean_minute", &ends(101_691.92, 3.44, 1.0));
    check(&source, "lean_hour", &ends(101_529.08, 3.44, 1.0));
    check(&source, "lean_daily", &ends(104_486.22, 3.49, 1.0));
    check(&source, "lean_macd_trend", &ends(137_751.04, 468.54, 84.0));
}

#[test]
fn the_half_spread_of_the_minutes_is_that_of_the_quotes() {
    let Some(source) = Source::find() else { return };
    let price = |overrides: &Overrides| {
        let lab = Lab::new();
        run(&lab, "lean_minute", overrides);
        let orders = lab.table("lean_minute/orders.parquet");
        (orders.floats("fill_price").expect("filled")[0], orders.floats("filled_quantity").expect("filled")[0])
    };
    let (at_trade, units) = price(&source.overrides("lean_minute"));
    let mut asks = source.overrides("lean_minute");
    asks.push(r#"data.columns={ layout = "lean_quote", quote_side = "ask", price_scale = 1e-4 }"#.to_owned());
    asks.push(r#"execution.slippage="none""#.to_owned());
    let (at_ask, units_at_ask) = price(&asks);
    // The ask was 167.45, and the factor of the week is 0.8646266; 688 shares either way.
    assert_eq!([units, units_at_ask], [688.0, 688.0]);
    assert!((at_ask - 167.45 * 0.864_626_6).abs() < 1e-9, "{at_ask}");
    assert!((at_trade - at_ask).abs() < 1e-9, "{at_trade} and {at_ask}");
}

#[test]
fn the_cross_of_backtesting_py_makes_its_trades_and_its_equity() {
    let Some(source) = Source::find() else { return };
    check(&source, "backtesting_py_goog", &[figure(EQUITY, 51_422.99, CENT), figure(TRADES, 66.0, 1.0)]);
}

#[test]
fn uniform_portfolios_end_with_the_wealth_of_the_literature() {
    let Some(source) = Source::find() else { return };
    let wealth = [("nyse_o", 14.497_308, 27.075_246), ("djia", 0.764_361, 0.812_726), ("msci", 0.906_352, 0.926_836)];
    for (set, held, rebalanced) in wealth {
        let becomes = |wealth: f64| [figure(RETURN, wealth - 1.0, 1e-6)];
        check(&source, &format!("olps_{set}_buy_and_hold"), &becomes(held));
        check(&source, &format!("olps_{set}_rebalanced"), &becomes(rebalanced));
    }
}

#[test]
fn the_ratios_of_chans_third_chapter_are_found() {
    let Some(source) = Source::find() else { return };
    check(&source, "chan_ige", &[figure(SHARPE, 0.7893, 1e-4)]);
    check(&source, "chan_ige_spy", &[figure(SHARPE, 0.7837, 1e-4), figure(DRAWDOWN, -0.0953, 1e-4)]);
}

#[cfg(feature = "libtorch")]
#[test]
fn a_network_of_the_change_forecasts_exchange_rates_as_well_as_the_last_value_nearly_does() {
    let Some(source) = Source::find() else { return };
    let lab = Lab::new();
    let file = folder().join("exchange_rate.toml");
    let mut arguments = vec!["train", file.to_str().expect("the path is UTF-8"), "--json", "--out", "run"];
    let overrides = source.overrides("exchange_rate");
    for assignment in &overrides {
        arguments.extend(["--set", assignment]);
    }
    let document = Finished::from(lab.command(&arguments).output().expect("the binary runs")).json();
    let horizons = document["forecast"]["by_horizon"].as_array().expect("a list");
    assert_eq!(horizons.len(), 4);
    // Horizon, the most that the network may score, and the last value's score on the same rows, by numpy.
    let expected =
        [(3, 0.0176, 0.017_133_6), (6, 0.0243, 0.023_863_5), (12, 0.0336, 0.033_055_5), (24, 0.0445, 0.043_657_5)];
    for (found, (bars, most, last_value)) in horizons.iter().zip(expected) {
        assert_eq!(found["horizon_bars"], bars);
        let number = |place: &str| found["level"][place].as_f64().expect("a number");
        assert!((number("last_value") - last_value).abs() < 1e-7, "{found}");
        assert!(number("relative_squared_error") <= most, "{found}");
    }
}
