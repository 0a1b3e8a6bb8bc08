//! `tidegate explain`: the story of a trade, number by number against the tables of its run and the bars it traded.

use std::path::Path;

use serde_json::Value;
use tidegate_data::Table;

use crate::support::{Lab, ridge, sma_cross};

/// Runs a shipped strategy on the shipped data and returns the text and the JSON of one trade.
fn shipped(lab: &Lab, strategy: &str, trade: usize) -> (String, Value) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace is there");
    let file = root.join("strategies").join(strategy);
    let file = file.to_str().expect("the path is UTF-8");
    lab.tidegate(&format!("run {file} --no-cache --quiet --out run")).done();
    told(lab, trade)
}

fn told(lab: &Lab, trade: usize) -> (String, Value) {
    let text = lab.tidegate(&format!("explain run --trade {trade}")).done().stdout;
    let story = lab.tidegate(&format!("explain run --trade {trade} --json")).json();
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
        assert!(!line.contains('…'), "nothing is cut: {line}");
    }
    (text.replace(story["config_hash"].as_str().expect("a hash"), "CONFIG"), story)
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("a number, was {value}"))
}

#[track_caller]
fn close_to(found: f64, expected: f64) {
    let scale = expected.abs().max(1.0);
    assert!((found - expected).abs() <= 1e-9 * scale, "{found} is not {expected}");
}

/// The tables that a story must agree with.
struct Tables {
    trades: Table,
    fills: Table,
    orders: Table,
    positions: Table,
    equity: Table,
    bars: Table,
}

impl Tables {
    fn of(lab: &Lab, bars: &Path) -> Self {
        let read = |name: &str| lab.table(&format!("run/{name}.parquet"));
        Self {
            trades: read("trades"),
            fills: read("fills"),
            orders: read("orders"),
            positions: read("positions"),
            equity: read("equity"),
            bars: Table::read(bars).expect("readable bars"),
        }
    }
}

fn row_of_time(table: &Table, time: &Value) -> usize {
    let time = time.as_str().expect("a time").parse().expect("a time");
    table.times("time").expect("times").iter().position(|found| *found == time).expect("a row of that time")
}

#[track_caller]
fn equals_row(story: &Value, table: &Table, row: usize, columns: &[&str]) {
    for column in columns {
        close_to(number(&story[*column]), table.floats(column).expect("numbers")[row]);
    }
}

/// Checks every number of one side of a trade: order, fill, bar, size.
fn check_leg(leg: &Value, tables: &Tables, trade_units: f64) {
    let order = leg["order"]["order"].as_u64().expect("a number") as usize;
    let fills = tables.fills.ints("order").expect("orders");
    let fill = fills.iter().position(|found| *found == order as i64).expect("a fill of the order");
    let columns = ["quantity", "price", "commission", "slippage", "multiplier", "fx_rate"];
    equals_row(&leg["fill"], &tables.fills, fill, &columns);
    let [quantity, price] = ["quantity", "price"].map(|key| number(&leg["fill"][key]));
    close_to(number(&leg["fill"]["value"]), quantity * price);
    let sign = if leg["order"]["side"] == "buy" { 1.0 } else { -1.0 };
    // One basis point of slippage against the order.
    close_to(number(&leg["fill"]["quote"]), price / (1.0 + sign * 1e-4));
    let share = trade_units / quantity;
    close_to(number(&leg["fill"]["trade_units"]), trade_units);
    close_to(number(&leg["fill"]["trade_commission"]), number(&leg["fill"]["commission"]) * share);

    let bar = row_of_time(&tables.bars, &leg["bar"]["time"]);
    equals_row(&leg["bar"], &tables.bars, bar, &["open", "high", "low", "close"]);
    close_to(number(&leg["bar"]["previous_close"]), tables.bars.floats("close").expect("numbers")[bar - 1]);
    close_to(number(&leg["fill"]["quote"]), number(&leg["bar"]["open"]));
    assert_eq!(leg["bar"]["touched"], Value::Array(Vec::new()), "market orders have no price of their own");

    let decided = row_of_time(&tables.bars, &leg["decision"]["time"]);
    assert_eq!(decided + 1, bar, "the fill is at the open after the decision");
    let close = tables.bars.floats("close").expect("numbers")[decided];
    close_to(number(&leg["decision"]["close"]), close);
    let sizing = &leg["sizing"];
    let equity =
        tables.equity.floats("equity").expect("numbers")[row_of_time(&tables.equity, &leg["decision"]["time"])];
    close_to(number(&sizing["equity"]), equity);
    close_to(number(&sizing["target_units"]), number(&leg["decision"]["signal"]["weight"]) * equity / close);
    let ordered = tables.orders.floats("quantity").expect("numbers")[order] * sign;
    close_to(number(&sizing["order_units"]), ordered);
    close_to(number(&sizing["order_units"]), number(&sizing["target_units"]) - number(&sizing["held_units"]));
    let filled = tables.orders.floats("filled_quantity").expect("numbers")[order] * sign;
    close_to(number(&sizing["filled_units"]), filled);
    assert_eq!(sizing["trimmed_at_fill"], Value::Bool(filled.abs() < ordered.abs()));
    let held = tables.positions.floats("quantity").expect("numbers");
    let changes = tables.positions.optional_ints("order").expect("orders");
    let change = changes.iter().position(|found| *found == Some(order as i64)).expect("the fill's row");
    close_to(number(&sizing["held_units"]), change.checked_sub(1).map_or(0.0, |before| held[before]));
}

/// Checks the trade's row, both legs, the excursions and the arithmetic.
fn check_story(story: &Value, tables: &Tables) {
    let row = story["number"].as_u64().expect("a number") as usize - 1;
    let columns = ["quantity", "entry_price", "exit_price", "realized_pnl", "commission", "slippage", "mae", "mfe"];
    let trade = &story["trade"];
    equals_row(trade, &tables.trades, row, &columns);
    assert_eq!(story["trades"].as_u64().expect("a count") as usize, tables.trades.rows());
    let units = number(&trade["quantity"]);
    check_leg(&story["entry"], tables, units);
    check_leg(&story["exit"], tables, units);

    let (entry, exit) =
        (row_of_time(&tables.bars, &trade["entry_time"]), row_of_time(&tables.bars, &trade["exit_time"]));
    assert_eq!(story["holding"]["bars"].as_u64().expect("a count") as usize, exit - entry);
    let lows = &tables.bars.floats("low").expect("numbers")[entry..exit];
    let highs = &tables.bars.floats("high").expect("numbers")[entry..exit];
    let fills = [number(&trade["entry_price"]), number(&trade["exit_price"])];
    let lowest = lows.iter().chain(&fills).copied().fold(f64::INFINITY, f64::min);
    let highest = highs.iter().chain(&fills).copied().fold(0.0, f64::max);
    for (key, price, column) in [("worst", lowest, "mae"), ("best", highest, "mfe")] {
        close_to(number(&story["holding"][key]["price"]), price);
        close_to(number(&story["holding"][key]["fraction"]), number(&trade[column]));
    }

    let result = &story["result"];
    let value = |key: &str| number(&result[key]);
    close_to(value("entry_value"), units * fills[0]);
    close_to(value("exit_value"), units * fills[1]);
    assert!((value("exit_value") - value("entry_value") - number(&trade["realized_pnl"])).abs() < 1e-6);
    close_to(value("entry_commission") + value("exit_commission"), number(&trade["commission"]));
    close_to(value("net_pnl"), number(&trade["realized_pnl"]) - number(&trade["commission"]));
    close_to(value("net_return"), value("net_pnl") / value("entry_value"));
}

/// Every number of the text is one of the story's, rounded as shown or in percent or basis points.
fn every_number_is_the_storys(text: &str, story: &Value) {
    let mut known = Vec::new();
    gather(story, &mut known);
    let fill = |leg: &str, key: &str| number(&story[leg]["fill"][key]);
    for leg in ["entry", "exit"] {
        known.push((fill(leg, "price") / fill(leg, "quote") - 1.0).abs() * 100.0);
        known.push(fill(leg, "commission") / fill(leg, "value") * 100.0);
        known.push(number(&story[leg]["bar"]["open"]) / number(&story[leg]["bar"]["previous_close"]) - 1.0);
    }
    for line in text.lines().filter(|line| line.starts_with("    ") || line.starts_with("  ")) {
        for word in line.split_whitespace() {
            let bare = word.trim_end_matches([',', '%']).trim_start_matches('+').replace(',', "");
            let Ok(shown) = bare.parse::<f64>() else { continue };
            let digits = bare.split_once('.').map_or(0, |(_, digits)| digits.len() as i32);
            let half = 0.5 * 10_f64.powi(-digits) * (1.0 + 1e-9);
            let scales = [1.0, -1.0, 100.0, -100.0];
            let is_known = known.iter().any(|value| scales.iter().any(|s| (value * s - shown).abs() <= half));
            assert!(is_known, "`{word}` is not in the story: {line}");
        }
    }
}

fn gather(value: &Value, numbers: &mut Vec<f64>) {
    match value {
        Value::Number(number) => numbers.extend(number.as_f64()),
        Value::String(text) => numbers.extend(text.split_whitespace().filter_map(|word| word.parse::<f64>().ok())),
        Value::Array(items) => items.iter().for_each(|item| gather(item, numbers)),
        Value::Object(fields) => fields.values().for_each(|field| gather(field, numbers)),
        Value::Null | Value::Bool(_) => {}
    }
}

fn data() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/sp500_daily.csv")
}

#[test]
fn a_trade_of_the_moving_average_cross_is_told_to_the_last_number() {
    let lab = Lab::new();
    let (text, story) = shipped(&lab, "sma_cross.toml", 2);
    insta::assert_snapshot!(text);
    let tables = Tables::of(&lab, &data());
    check_story(&story, &tables);
    every_number_is_the_storys(&text, &story);
    let closes = tables.bars.floats("close").expect("numbers");
    let average = |row: usize, bars: usize| closes[row + 1 - bars..=row].iter().sum::<f64>() / bars as f64;
    for leg in ["entry", "exit"] {
        let decision = &story[leg]["decision"];
        let row = row_of_time(&tables.bars, &decision["time"]);
        let values = decision["signal"]["values"].as_array().expect("a list");
        let (fast, slow) = (average(row, 50), average(row, 200));
        let spreads = [fast - slow, average(row - 1, 50) - average(row - 1, 200)];
        for (value, expected) in values.iter().zip([fast, slow, spreads[0], spreads[1]]) {
            assert!((number(&value["value"]) - expected).abs() < 1e-6, "{value}");
        }
    }
}

#[test]
fn a_trade_on_forecasts_shows_the_features_and_the_forecast_known_then() {
    let lab = Lab::new();
    let (text, story) = shipped(&lab, "sp500_ridge.toml", 5);
    insta::assert_snapshot!(text);
    check_story(&story, &Tables::of(&lab, &data()));
    every_number_is_the_storys(&text, &story);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../strategies/sp500_ridge.toml");
    lab.tidegate(&format!("features {} --out f.parquet", root.display())).done();
    let (features, forecasts) = (lab.table("f.parquet"), lab.table("run/forecasts.parquet"));
    for leg in ["entry", "exit"] {
        let decision = &story[leg]["decision"];
        let row = row_of_time(&features, &decision["time"]);
        let told = decision["features"].as_array().expect("a list");
        assert_eq!(told.len(), 8);
        for feature in told {
            let column = features.optional_floats(feature["name"].as_str().expect("a name")).expect("numbers");
            let values = feature["values"].as_array().expect("a list");
            assert_eq!((values.len(), values[0][0].as_u64(), values[1][0].as_u64()), (2, Some(1), Some(5)));
            assert_eq!(values[0][1].as_f64(), column[row], "bit for bit what `tidegate features` writes");
        }
        let forecast = &decision["forecast"];
        assert_eq!(forecast["time"], decision["time"]);
        equals_row(forecast, &forecasts, row_of_time(&forecasts, &forecast["time"]), &["mean", "volatility"]);
    }
}

#[test]
fn a_trade_that_is_not_there_is_refused_with_what_there_is() {
    let lab = Lab::with(&sma_cross());
    lab.tidegate("run s.toml --out run").done();
    let count = lab.table("run/trades.parquet").rows();
    let beyond = count + 1;
    let message = format!("trade must be in [1, {count}], was `{beyond}`");
    lab.tidegate(&format!("explain run --trade {beyond}")).refused(&[&message, "hint: it is the row in"]);
    lab.tidegate("explain run --trade 0").refused(&["was `0`"]);
    lab.tidegate("explain nowhere --trade 1")
        .refused(&["cannot read `nowhere/manifest.json`", "hint: name the run directory that `tidegate run` printed"]);
    let held = sma_cross().replace(
        "[strategy.sma_cross]\nfast_bars = 5\nslow_bars = 20\nweight = 1.0\nallow_short = false",
        "[strategy.buy_and_hold]",
    );
    lab.write("held.toml", &held);
    lab.tidegate("run held.toml --out held").done();
    lab.tidegate("explain held --trade 1").refused(&["the run has no trade to explain", "`orders.parquet`"]);
}

#[test]
fn a_file_of_the_run_that_is_missing_or_changed_is_named() {
    let lab = Lab::with(&sma_cross());
    lab.tidegate("run s.toml --out run").done();
    let fills = lab.read("run/fills.parquet");
    std::fs::write(lab.path("run/fills.parquet"), &fills[..fills.len() / 2]).expect("writable");
    let changed =
        ["`run/fills.parquet` is damaged: it is not what the run wrote there", "hint: run the experiment again"];
    lab.tidegate("explain run --trade 1").refused(&changed);
    std::fs::remove_file(lab.path("run/fills.parquet")).expect("it was there");
    let missing = ["cannot read `run/fills.parquet`", "hint: run the experiment again"];
    lab.tidegate("explain run --trade 1").refused(&missing);
    let manifest =
        String::from_utf8(lab.read("run/manifest.json")).expect("text").replace("\"format\": 2", "\"format\": 1");
    lab.write("run/manifest.json", &manifest);
    lab.tidegate("explain run --trade 1").refused(&["the run's format must be `2`, was `1`"]);
}

#[test]
fn the_story_is_told_without_the_data_and_says_what_is_missing() {
    let lab = Lab::with(&ridge());
    lab.tidegate("run s.toml --out run").done();
    let (_, whole) = told(&lab, 1);
    std::fs::create_dir(lab.path("moved")).expect("writable");
    std::fs::rename(lab.path("bars.csv"), lab.path("moved/bars.csv")).expect("writable");
    let (text, story) = told(&lab, 1);
    let notes = story["notes"].as_array().expect("a list");
    assert!(notes[0].as_str().is_some_and(|note| note.contains("the data of the run cannot be read")), "{text}");
    for key in ["trade", "result"] {
        assert_eq!(story[key], whole[key], "{key}");
    }
    assert_eq!(story["entry"]["fill"], whole["entry"]["fill"]);
    assert_eq!((&story["entry"]["bar"], &story["holding"]["worst"]), (&Value::Null, &Value::Null));
    // The strategy file's folder is where the data are looked for.
    let found = lab.tidegate("explain run --trade 1 --json --strategy moved/s.toml").json();
    assert_eq!(found, whole);
}

#[test]
fn bars_that_changed_since_the_run_are_told_apart() {
    let lab = Lab::with(&sma_cross());
    lab.tidegate("run s.toml --out run").done();
    let (_, before) = told(&lab, 1);
    let bars = String::from_utf8(lab.read("bars.csv")).expect("text");
    let kept: Vec<&str> = bars.lines().enumerate().filter(|(line, _)| *line != 1).map(|(_, text)| text).collect();
    lab.write("bars.csv", &kept.join("\n"));
    let (text, after) = told(&lab, 1);
    let notes = after["notes"].as_array().expect("a list");
    assert_eq!(notes.len(), 1);
    assert!(notes[0].as_str().is_some_and(|note| note.starts_with("the bars have changed since the run")), "{text}");
    assert_eq!(before["entry"]["fill"], after["entry"]["fill"]);
}
