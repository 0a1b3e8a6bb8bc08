//! Where the reference data is, and what the strategy files must be told about it.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tidegate_data::{SymbolBars, Table, bars_table};
use tidegate_market::{BarColumns, BarInterval, BarLabel, Bars, Timestamp};

/// Values of `--set`.
pub(super) type Overrides = Vec<String>;

/// The folder of the reference data, and one with what had to be converted.
pub(super) struct Source {
    folder: PathBuf,
    converted: TempDir,
}

impl Source {
    /// Finds the data; where there is none, says so and returns nothing.
    pub(super) fn find() -> Option<Self> {
        let Some(folder) = std::env::var_os("TIDEGATE_REFERENCE_DATA") else {
            #[expect(clippy::print_stderr, reason = "a test that checks nothing says so")]
            {
                eprintln!("skipped: TIDEGATE_REFERENCE_DATA does not name a folder with the published data");
            }
            return None;
        };
        Some(Self { folder: folder.into(), converted: tempfile::tempdir().expect("a temporary folder") })
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        let path = self.folder.join(name);
        assert!(path.exists(), "`{}` is not there", path.display());
        path
    }

    /// Returns where a strategy file finds its data.
    pub(super) fn overrides(&self, strategy: &str) -> Overrides {
        let lean = |bars| {
            let factors = self.path("us_daily/lean/equity/usa/factor_files/spy.csv");
            vec![data_path(&[self.path(bars)]), format!("data.factor_files=\"{}\"", factors.display())]
        };
        match strategy {
            "lean_minute" => lean("intraday/lean/equity/usa/minute/spy"),
            "lean_hour" => lean("intraday/lean/equity/usa/hour/spy.zip"),
            "lean_daily" | "lean_macd_trend" => lean("us_daily/lean/equity/usa/daily/spy.zip"),
            "backtesting_py_goog" => vec![data_path(&[self.path("reference/backtesting_py/GOOG.csv")])],
            "exchange_rate" => vec![data_path(&[self.exchange_rate()])],
            "chan_ige" => vec![data_path(&[self.named("IGE")])],
            "chan_ige_spy" => vec![data_path(&[self.named("IGE"), self.named("SPY")])],
            _ => {
                let rest = strategy.strip_prefix("olps_").expect("no other strategy is left");
                let set = rest.strip_suffix("_buy_and_hold").or_else(|| rest.strip_suffix("_rebalanced"));
                vec![data_path(&[self.selection(set.expect("held or rebalanced"))])]
            }
        }
    }

    /// Copies one of Chan's files under the name of its symbol.
    fn named(&self, symbol: &str) -> PathBuf {
        let file = format!("reference/chan/sharpe-ratio-test-{}.csv", symbol.to_lowercase());
        let path = self.converted.path().join(format!("{symbol}.csv"));
        std::fs::copy(self.path(&file), &path).expect("the folder is writable");
        path
    }

    /// Makes bars of a wide table of what 1 has become, as `scripts/reference_data.py` does.
    fn selection(&self, set: &str) -> PathBuf {
        let table = Table::read(&self.path(&format!("reference/olps/{set}.csv.gz"))).expect("a table");
        let names = table.columns().iter().map(|(name, _)| name);
        let wealth = |name: &String| [vec![1.0], table.floats(name).expect("numbers")].concat();
        let bars = |(place, name)| SymbolBars::new(format!("a{:02}", place + 1), undated(&wealth(name)));
        self.written(set, &names.enumerate().map(bars).collect::<Vec<_>>())
    }

    /// Makes bars of the exchange rates, as `scripts/reference_data.py` does.
    fn exchange_rate(&self) -> PathBuf {
        let table = Table::read(&self.path("exchange_rate/exchange_rate.txt.gz")).expect("a table");
        // The file has no header: what stands for the names is its first row.
        let rates =
            |name: &String| [vec![name.parse().expect("a rate")], table.floats(name).expect("numbers")].concat();
        let names = table.columns().iter().map(|(name, _)| name);
        let bars = |(place, name)| SymbolBars::new(format!("currency_{}", place + 1), undated(&rates(name)));
        self.written("exchange_rate", &names.enumerate().map(bars).collect::<Vec<_>>())
    }

    fn written(&self, name: &str, bars: &[SymbolBars]) -> PathBuf {
        let path = self.converted.path().join(format!("{name}.csv"));
        bars_table(bars).write(&path).expect("the folder is writable");
        path
    }
}

/// Sets `data.path`.
pub(super) fn data_path(paths: &[impl AsRef<Path>]) -> String {
    let paths: Vec<String> = paths.iter().map(|path| format!("\"{}\"", path.as_ref().display())).collect();
    format!("data.path=[{}]", paths.join(", "))
}

/// Makes bars of one price a day, on weekdays from Monday 2000-01-03.
fn undated(price: &[f64]) -> Bars {
    let monday: Timestamp = "2000-01-03".parse().expect("a date");
    let weekday = |day: usize| monday.plus_nanos((day / 5 * 7 + day % 5) as i64 * Timestamp::NANOS_PER_DAY);
    let columns = BarColumns {
        time: (0..price.len()).map(weekday).collect(),
        open: price.to_vec(),
        high: price.to_vec(),
        low: price.to_vec(),
        close: price.to_vec(),
        volume: vec![0.0; price.len()],
    };
    let day: BarInterval = "1d".parse().expect("a day");
    Bars::new(columns, BarLabel::Open, day).expect("prices above zero")
}
