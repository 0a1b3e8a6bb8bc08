//! The files of `tests/vectors/parity`: runs of other engines, and the bars that they ran on.

use std::sync::Arc;

use serde_json::Value;
use tidegate_market::{BarColumns, BarLabel, Bars, Timestamp};

const FILES: [&str; 5] = [
    include_str!("../../../../../tests/vectors/parity/backtesting_py.json"),
    include_str!("../../../../../tests/vectors/parity/vectorbt.json"),
    include_str!("../../../../../tests/vectors/parity/backtrader.json"),
    include_str!("../../../../../tests/vectors/parity/zipline.json"),
    include_str!("../../../../../tests/vectors/parity/ledgers.json"),
];

/// One request, asked at the close of a bar.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) bar: usize,
    pub(crate) what: String,
    pub(crate) size: Option<f64>,
    pub(crate) limit: Option<f64>,
    pub(crate) stop: Option<f64>,
    pub(crate) stop_loss: Option<f64>,
    pub(crate) take_profit: Option<f64>,
    pub(crate) trail: Option<f64>,
    pub(crate) shares: Option<f64>,
}

impl Asked {
    fn read(row: &Value) -> Self {
        let cell = |place: usize| row.get(place).and_then(Value::as_f64);
        Self {
            bar: cell(0).expect("a bar") as usize,
            what: row[1].as_str().expect("what to do").to_owned(),
            size: cell(2),
            limit: cell(3),
            stop: cell(4),
            stop_loss: cell(5),
            take_profit: cell(6),
            trail: cell(7),
            shares: cell(8),
        }
    }

    /// Returns whether the order takes the price of a moment.
    pub(crate) const fn is_market(&self) -> bool {
        self.limit.is_none() && self.stop.is_none() && self.trail.is_none()
    }
}

/// Bar, signed units, price, commission.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Filled {
    pub(crate) bar: usize,
    pub(crate) units: f64,
    pub(crate) price: f64,
    pub(crate) commission: f64,
}

/// Entry bar, exit bar, signed units, entry price, exit price, commission of both ends, net pnl.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RoundTrip {
    pub(crate) entry_bar: usize,
    pub(crate) exit_bar: usize,
    pub(crate) units: f64,
    pub(crate) entry_price: f64,
    pub(crate) exit_price: f64,
    pub(crate) commission: f64,
    pub(crate) pnl: f64,
}

/// What happened in a run, by whichever engine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    pub(crate) fills: Vec<Filled>,
    /// `None` where the engine has no list of trades.
    pub(crate) trades: Option<Vec<RoundTrip>>,
    /// Bars in which an order was dropped for want of money.
    pub(crate) refused: Vec<usize>,
    pub(crate) equity: Vec<f64>,
}

/// One run of another engine.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) name: String,
    pub(crate) engine: String,
    pub(crate) series: String,
    pub(crate) settings: Value,
    pub(crate) requests: Vec<Asked>,
    pub(crate) ledger: Ledger,
}

impl Run {
    fn read(run: &Value) -> Self {
        let text = |key: &str| run[key].as_str().expect("text").to_owned();
        let open_at_end = numbers(&run["settings"]["open_at_end"]);
        let trades = run.get("trades").map(|_| {
            let rows = rows(&run["trades"]).enumerate();
            rows.filter(|(place, _)| !open_at_end.contains(&(*place as f64))).map(|(_, row)| round_trip(&row)).collect()
        });
        let ledger = Ledger {
            fills: rows(&run["fills"]).map(|row| filled(&row)).collect(),
            trades,
            refused: rows(&run["refused"]).map(|row| row[0] as usize).collect(),
            equity: numbers(&run["equity"]),
        };
        let requests = run["requests"].as_array().expect("a list").iter().map(Asked::read).collect();
        Self {
            name: text("name"),
            engine: text("engine"),
            series: text("series"),
            settings: run["settings"].clone(),
            requests,
            ledger,
        }
    }

    /// Returns a number of the settings.
    pub(crate) fn number(&self, key: &str) -> Option<f64> {
        self.settings.get(key).and_then(Value::as_f64)
    }

    /// Returns a flag of the settings; one that is not there is off.
    pub(crate) fn flag(&self, key: &str) -> bool {
        self.settings.get(key).and_then(Value::as_bool).unwrap_or(false)
    }

    /// Returns a text of the settings.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.settings.get(key).and_then(Value::as_str)
    }

    /// Names every size that the engine chose at the fill, as the fill says it was.
    pub(crate) fn with_its_sizes(mut self) -> Self {
        for asked in &mut self.requests {
            let side = match asked.what.as_str() {
                "buy" => 1.0,
                "sell" => -1.0,
                _ => continue,
            };
            if asked.size.is_none_or(|size| size < 1.0) && asked.is_market() {
                let mut fills = self.ledger.fills.iter().rev();
                let fill = fills.find(|fill| fill.bar == asked.bar + 1 && fill.units * side > 0.0);
                asked.size = Some(fill.expect("it filled on the next bar").units.abs());
            }
        }
        self
    }
}

fn rows(list: &Value) -> impl Iterator<Item = Vec<f64>> {
    list.as_array().into_iter().flatten().map(numbers)
}

/// Returns the numbers of a list; other cells are NaN.
fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().into_iter().flatten().map(|cell| cell.as_f64().unwrap_or(f64::NAN)).collect()
}

fn filled(row: &[f64]) -> Filled {
    Filled { bar: row[0] as usize, units: row[1], price: row[2], commission: row[3] }
}

fn round_trip(row: &[f64]) -> RoundTrip {
    RoundTrip {
        entry_bar: row[0] as usize,
        exit_bar: row[1] as usize,
        units: row[2],
        entry_price: row[3],
        exit_price: row[4],
        commission: row[5],
        pnl: row[6],
    }
}

/// Returns every run.
pub(crate) fn all() -> Vec<Run> {
    let files = FILES.iter().map(|file| serde_json::from_str::<Value>(file).expect("valid JSON"));
    files.flat_map(|file| file["runs"].as_array().expect("a list").iter().map(Run::read).collect::<Vec<_>>()).collect()
}

/// Returns one run by its engine and name.
pub(crate) fn named(engine: &str, name: &str) -> Run {
    all().into_iter().find(|run| run.engine == engine && run.name == name).expect("a run of that name")
}

/// Returns the bars of a series.
pub(crate) fn bars(series: &str) -> Arc<Bars> {
    let file = match series {
        "calm" => include_str!("../../../../../tests/vectors/parity/calm.csv"),
        "volatile" => include_str!("../../../../../tests/vectors/parity/volatile.csv"),
        "surge" => include_str!("../../../../../tests/vectors/parity/surge.csv"),
        _ => include_str!("../../../../../tests/vectors/parity/ledgers.csv"),
    };
    let mut columns = BarColumns::default();
    for line in file.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let number = |place: usize| cells[place].parse::<f64>().expect("a number");
        columns.time.push(midnight(cells[0]));
        columns.open.push(number(1));
        columns.high.push(number(2));
        columns.low.push(number(3));
        columns.close.push(number(4));
        columns.volume.push(number(5));
    }
    Arc::new(Bars::new(columns, BarLabel::Open, "1d".parse().expect("valid")).expect("sane bars"))
}

/// Returns the start of a UTC day written as `2019-01-31`.
pub(crate) fn midnight(date: &str) -> Timestamp {
    let part = |from: usize, to: usize| date[from..to].parse::<i64>().expect("a number");
    let [year, month, day] = [part(0, 4), part(5, 7), part(8, 10)];
    // Days since 1970-01-01 of the proleptic Gregorian calendar, the year taken to begin in March.
    let shifted = if month > 2 { year } else { year - 1 };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = 365 * shifted + shifted.div_euclid(4) - shifted.div_euclid(100) + shifted.div_euclid(400) + day_of_year
        - 719_468;
    Timestamp::from_nanos(days * Timestamp::NANOS_PER_DAY)
}
