//! Forecasts and weights made elsewhere enter by files, and an own forecast leaves and comes back unchanged.

use tidegate_data::{Column, Table, TimeKind};
use tidegate_market::Timestamp;

use crate::support::{ACCOUNT, BY_SIGN, HEAD, Lab, assert_same_files, ridge};

const FROM_FILE: &str = "
[forecasts]
path = \"mine.csv\"
";

const WEIGHTS: &str = "
[strategy.target_weights]
path = \"weights.csv\"
";

fn date(text: &str) -> Timestamp {
    text.parse().expect("a date")
}

/// Trains, trades the stored forecasts, and compares with a run that does both.
fn training_then_backtesting_equals_running(strategy: &str) {
    let lab = Lab::with(strategy);
    lab.tidegate("run s.toml --no-cache --out run").done();
    let trained = lab.tidegate("train s.toml --no-cache --out trained --json").json();
    assert_eq!(trained["run_dir"], "trained");
    assert_eq!(trained["members_reused"], 0);
    assert_eq!(trained["forecast"], lab.json("run/metrics.json")["forecast"]);
    assert_eq!(lab.read("trained/forecasts.parquet"), lab.read("run/forecasts.parquet"));
    assert_same_files(&lab.files("trained/models"), &lab.files("run/models"));
    let traded = lab.tidegate("backtest s.toml --forecasts trained/forecasts.parquet --out traded --json").json();
    let whole = lab.json("run/metrics.json");
    for part in ["performance", "benchmark", "execution"] {
        assert_eq!(traded["metrics"][part], whole[part], "{part}");
    }
    for name in ["equity.parquet", "trades.parquet", "orders.parquet"] {
        assert_eq!(lab.read(&format!("traded/{name}")), lab.read(&format!("run/{name}")), "{name}");
    }
    // Of forecasts from a file no more is known than a strategy reads.
    for column in ["mean", "volatility"] {
        let of = |run: &str| lab.table(&format!("{run}/forecasts.parquet")).floats(column).expect("a column");
        assert_eq!(of("traded"), of("run"), "{column}");
    }
}

#[test]
fn training_a_linear_model_and_trading_its_forecasts_later_equals_one_run() {
    training_then_backtesting_equals_running(&ridge());
}

#[cfg(feature = "libtorch")]
#[test]
fn training_networks_and_trading_their_forecasts_later_equals_one_run() {
    training_then_backtesting_equals_running(&crate::support::network());
}

#[test]
fn a_forecast_is_traded_at_the_open_after_the_bar_it_names() {
    let lab = Lab::with(&[HEAD, FROM_FILE, BY_SIGN, ACCOUNT].concat());
    lab.write("mine.csv", "time,symbol,mean\n2001-01-01,AAA,0.01\n2001-01-02,AAA,0.01\n2001-01-03,AAA,-0.01\n");
    let metrics = lab.tidegate("run s.toml --json --out run").json()["metrics"].clone();
    assert_eq!(metrics["execution"]["first_bar"], "2001-01-01");
    let orders = lab.table("run/orders.parquet");
    let submitted = orders.times("submitted_time").expect("times");
    assert_eq!(submitted[..2], [date("2001-01-01"), date("2001-01-03")]);
    assert_eq!(orders.texts("side").expect("texts")[..2], ["buy", "sell"]);
    let ended = orders.times("ended_time").expect("times");
    assert_eq!(ended[..2], [date("2001-01-02"), date("2001-01-04")]);
    let bars = lab.table("bars.csv");
    let row = bars.times("time").expect("times").iter().position(|time| *time == date("2001-01-02")).expect("a bar");
    let open = bars.floats("open").expect("numbers")[row];
    let price = orders.floats("fill_price").expect("numbers")[0];
    assert!((price - open * 1.0001).abs() < 1e-9, "{price} is {open} and one basis point of slippage");
}

#[test]
fn changed_forecasts_are_not_answered_from_an_older_run() {
    let lab = Lab::with(&[HEAD, FROM_FILE, BY_SIGN, ACCOUNT].concat());
    lab.write("mine.csv", "time,symbol,mean\n2001-01-01,AAA,0.01\n");
    let long = lab.tidegate("run s.toml --json").json();
    assert_eq!(lab.tidegate("run s.toml --json").json()["cached"], true);
    lab.write("mine.csv", "time,symbol,mean\n2001-01-01,AAA,-0.01\n");
    let short = lab.tidegate("run s.toml --json").json();
    assert_eq!(short["cached"], false);
    assert_ne!(long["metrics"]["performance"], short["metrics"]["performance"]);
    let study = lab.tidegate("study show s --json").json();
    assert_eq!(study["trials"], 2, "two different inputs are two trials");
}

#[test]
fn weights_from_a_file_are_held_from_the_next_open_on() {
    let lab = Lab::with(&[&HEAD.replace(r#"["AAA"]"#, r#"["AAA", "BBB"]"#), WEIGHTS, ACCOUNT].concat());
    let table = Table::new(vec![
        (
            "time".to_owned(),
            Column::Time(["2000-02-01", "2000-02-01", "2000-03-01"].map(date).to_vec(), TimeKind::Date),
        ),
        ("symbol".to_owned(), Column::Text(["AAA", "BBB", "BBB"].map(str::to_owned).to_vec())),
        ("weight".to_owned(), Column::Float(vec![0.6, -0.2, 0.0])),
    ]);
    table.expect("equal lengths").write(&lab.path("weights.csv")).expect("writable");
    let document = lab.tidegate("run s.toml --json --out run").json();
    assert_eq!(document["metrics"]["forecast"], serde_json::Value::Null);
    let equity = lab.table("run/equity.parquet");
    let (time, value) = (equity.times("time").expect("times"), equity.floats("equity").expect("numbers"));
    let (gross, net) =
        (equity.floats("gross_exposure").expect("numbers"), equity.floats("net_exposure").expect("numbers"));
    let row = |day: &str| time.iter().position(|time| *time == date(day)).expect("a bar");
    let decided = row("2000-02-01");
    assert_eq!(gross[decided], 0.0, "the weight is known at the close and filled at the next open");
    let held = decided + 1;
    assert!((gross[held] / value[held] - 0.8).abs() < 0.02, "{}", gross[held] / value[held]);
    assert!((net[held] / value[held] - 0.4).abs() < 0.02, "{}", net[held] / value[held]);
    let closed = row("2000-03-01") + 1;
    assert!((gross[closed] - net[closed]).abs() < 1e-6, "the short leg is gone");
    assert!(net[closed] > 0.0);
}

#[test]
fn changed_weights_are_not_answered_from_an_older_run() {
    let lab = Lab::with(&[HEAD, WEIGHTS, ACCOUNT].concat());
    lab.write("weights.csv", "time,symbol,weight\n2000-02-01,AAA,0.5\n");
    lab.tidegate("run s.toml").done();
    lab.write("weights.csv", "time,symbol,weight\n2000-02-01,AAA,0.6\n");
    assert_eq!(lab.tidegate("run s.toml --json").json()["cached"], false);
}

#[test]
fn a_row_about_an_unknown_symbol_or_day_is_named() {
    let lab = Lab::with(&[HEAD, FROM_FILE, BY_SIGN, ACCOUNT].concat());
    lab.write("mine.csv", "time,symbol,mean\n2001-01-01,AAA,0.01\n2001-01-02,ZZZ,0.01\n");
    lab.tidegate("run s.toml").refused(&[
        "mine.csv",
        "symbol `ZZZ` of data row `2` is not one of `AAA`",
        "data.symbols",
    ]);
    // A Saturday.
    lab.write("mine.csv", "time,symbol,mean\n2001-01-06,AAA,0.01\n");
    lab.tidegate("run s.toml").refused(&["mine.csv", "time `2001-01-06` of data row `1` is not a bar of `AAA`"]);
    lab.write("mine.csv", "time,symbol,maen\n2001-01-02,AAA,0.01\n");
    lab.tidegate("run s.toml").refused(&["mine.csv` must have a column `mean`, has `time, symbol, maen`", "`maen`"]);
    std::fs::remove_file(lab.path("mine.csv")).expect("it was just written");
    lab.tidegate("run s.toml").refused(&["mine.csv"]);
}
