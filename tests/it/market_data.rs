//! `tidegate data`: simulate, inspect, convert.

use serde_json::Value;

use crate::support::{Lab, sma_cross};

#[test]
fn simulated_bars_survive_inspection_and_conversion_unchanged() {
    let lab = Lab::new();
    let made = lab.tidegate("data simulate --symbols 3 --bars 120 --seed 5 --out sim.csv --json").json();
    assert_eq!((&made["path"], &made["rows"]), (&Value::from("sim.csv"), &Value::from(360)));
    let report = lab.tidegate("data inspect sim.csv --json").json();
    assert_eq!(report["rows_kept"], 360);
    assert_eq!(report["symbols"], serde_json::json!(["SIM1", "SIM2", "SIM3"]));
    assert_eq!(report["offences"], serde_json::json!([]));
    lab.tidegate("data convert sim.csv --out sim.parquet").done();
    lab.tidegate("data convert sim.parquet --out back.csv").done();
    assert_eq!(lab.read("sim.csv"), lab.read("back.csv"));
}

#[test]
fn a_seed_names_one_simulation() {
    let lab = Lab::new();
    for (out, seed) in [("a.csv", 5), ("b.csv", 5), ("c.csv", 6)] {
        lab.tidegate(&format!("data simulate --bars 50 --interval 5m --seed {seed} --out {out}")).done();
    }
    assert_eq!(lab.read("a.csv"), lab.read("b.csv"));
    assert_ne!(lab.read("a.csv"), lab.read("c.csv"));
    let report = lab.tidegate("data inspect a.csv --interval 5m --json").json();
    assert_eq!(report["step_nanos"], 300_000_000_000_u64);
}

#[test]
fn a_vendor_file_becomes_canonical() {
    let lab = Lab::new();
    lab.write(
        "yahoo.csv",
        "Date,Open,High,Low,Close,Adj Close,Volume\n2020-01-02,10,12,9,11,10.5,100\n2020-01-03,11,13,10,12,11.5,200\n",
    );
    lab.tidegate("data convert yahoo.csv --symbol SPY --out spy.csv").done();
    let text = String::from_utf8(lab.read("spy.csv")).expect("text");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "symbol,time,open,high,low,close,volume");
    assert!(lines[1].starts_with("SPY,2020-01-02,10.0,12.0,9.0,11.0,100"), "{}", lines[1]);
    assert_eq!(lines.len(), 3);
}

#[test]
fn prices_written_in_small_parts_are_the_same_market() {
    let lab = Lab::with(&sma_cross());
    let metrics = |lab: &Lab| lab.tidegate("run s.toml --json").json()["metrics"].clone();
    let expected = metrics(&lab);
    let text = String::from_utf8(lab.read("bars.csv")).expect("text");
    let scaled = text.lines().enumerate().map(|(row, line)| {
        let mut fields: Vec<String> = line.split(',').map(str::to_owned).collect();
        for price in fields[2..6].iter_mut().filter(|_| row > 0) {
            // A power of two loses no digit.
            *price = (price.parse::<f64>().expect("a price") * 4096.0).to_string();
        }
        fields.join(",") + "\n"
    });
    let scaled: String = scaled.collect();
    lab.write("bars.csv", &scaled);
    let columns = format!("adjustment = \"raw\"\ncolumns = {{ price_scale = {} }}", 1.0 / 4096.0);
    lab.write("s.toml", &sma_cross().replace("adjustment = \"raw\"", &columns));
    assert_eq!(metrics(&lab), expected);
}

#[test]
fn an_inspection_shows_what_is_wrong_and_a_conversion_drops_it_only_when_asked() {
    let lab = Lab::new();
    lab.write(
        "bad.csv",
        "symbol,time,open,high,low,close,volume\nX,2020-01-02,10,12,9,11,1\nX,2020-01-03,-1,12,9,11,1\nX,2020-01-06,10,8,9,11,1\n",
    );
    let shown = lab.tidegate("data inspect bad.csv").done().stdout;
    assert!(shown.contains("non_positive_price: 1 row") && shown.contains("high_below_low: 1 row"), "{shown}");
    lab.tidegate("data convert bad.csv --out good.csv").refused(&["`bad.csv` line 3", "prices must be above 0"]);
    assert!(!lab.path("good.csv").exists());
    lab.tidegate("data convert bad.csv --out good.csv --drop-offences").done();
    assert_eq!(String::from_utf8(lab.read("good.csv")).expect("text").lines().count(), 2);
}

#[test]
fn numbers_that_make_no_bars_are_refused() {
    let lab = Lab::new();
    lab.tidegate("data simulate --bars 0 --out x.csv").refused(&["invalid value '0' for '--bars <BARS>'"]);
    lab.tidegate("data simulate --bars 9 --symbols 0 --out x.csv").refused(&["invalid value '0' for '--symbols"]);
    lab.tidegate("data simulate --bars 9 --interval 7q --out x.csv")
        .refused(&["bar interval must be a whole number and one of `m`, `h`, `d`, `w`", "was `7q`"]);
    lab.tidegate("data simulate --bars 9 --correlation 2 --out x.csv").refused(&["correlation must be", "was `2`"]);
    lab.tidegate("data simulate --bars 9 --out x.txt").refused(&["file name must end in", "was `x.txt`"]);
}
