//! A laboratory: a temporary folder with simulated bars and strategy files, and the built binary to run in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;
use tidegate_data::{Garch, Jumps, SimulationSpec, SymbolBars, Table, bars_table, simulate};
use tidegate_experiment::{
    ConfigSource, Dataset, ExperimentError, ResolvedExperiment, RunOptions, SilentObserver, check, run_experiment,
};
use tidegate_market::TradingCalendar;

/// Bars of the laboratory's file, per symbol.
pub(crate) const BARS: usize = 500;

/// Everything of a strategy file down to the data.
pub(crate) const HEAD: &str = r#"
name = "Fixture"
seed = 7

[data]
path = "bars.csv"
symbols = ["AAA"]
interval = "1d"
timestamp = "open"
calendar = "sessions"
adjustment = "raw"
"#;

/// What forecasters see and learn: two folds on [`BARS`] bars.
pub(crate) const LEARNING: &str = r"
[features]
columns = [{ log_return = { bars = 1 } }, { volatility = { bars = 10 } }, { rsi = { bars = 7 } }]
scaler.standard = { winsorize_iqr = 3.0 }

[target.log_return]
horizon_bars = 1

[walk_forward.expanding]
train_bars = 200
valid_bars = 60
test_bars = 120
";

/// An ensemble of two small networks on two scales.
pub(crate) const NETWORK: &str = r"
[model]
scales = [{ window_bars = 6, bar_multiple = 1 }, { window_bars = 3, bar_multiple = 5 }]
ensemble_size = 2
loss.beta_nll = { beta = 0.5 }
head.gaussian = { variance_floor = 1e-4 }

[model.encoder.multi_scale_gru]
hidden_size = 4
layers = 1
dropout = 0.0

[training]
epochs_max = 2
batch_size = 64
gradient_clip_norm = 1.0
optimizer.adam = { learning_rate = 1e-2, weight_decay = 0.0 }
schedule.constant = {}
";

/// Returns an ensemble of two small networks on one scale, stepped inside the backtest.
pub(crate) fn streaming() -> String {
    NETWORK
        .replace(", { window_bars = 3, bar_multiple = 5 }", "")
        .replace("ensemble_size = 2", "ensemble_size = 2\ninference = \"stream\"")
        .replace("multi_scale_gru", "gru")
}

/// A linear model.
pub(crate) const RIDGE: &str = r"
[model]
scales = [{ window_bars = 1, bar_multiple = 1 }]
ensemble_size = 1
yardstick.ridge = {}
";

/// Long or short by the sign of the forecast, with costs.
pub(crate) const BY_SIGN: &str = r"
[strategy.forecast_threshold]
entry_threshold = 0.0
long_weight = 1.0
short_weight = -0.5
";

/// Two moving averages.
pub(crate) const SMA_CROSS: &str = r"
[strategy.sma_cross]
fast_bars = 5
slow_bars = 20
weight = 1.0
allow_short = false
";

/// Money, fills and costs.
pub(crate) const ACCOUNT: &str = r#"
[account]
cash = 100000.0

[execution]
fill = "next_open"
commission.bps = 5.0
slippage.bps = 1.0
"#;

/// A strategy file with the small networks.
pub(crate) fn network() -> String {
    [HEAD, LEARNING, NETWORK, BY_SIGN, ACCOUNT].concat()
}

/// A strategy file with the linear model.
pub(crate) fn ridge() -> String {
    [HEAD, LEARNING, RIDGE, BY_SIGN, ACCOUNT].concat()
}

/// A strategy file without a forecaster.
pub(crate) fn sma_cross() -> String {
    [HEAD, SMA_CROSS, ACCOUNT].concat()
}

/// A temporary folder in which the binary runs.
pub(crate) struct Lab {
    folder: TempDir,
}

impl Lab {
    /// Makes a folder with `bars.csv`: [`BARS`] bars of `AAA` and `BBB`.
    pub(crate) fn new() -> Self {
        let lab = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        bars_table(&simulated(BARS, 3)).write(&lab.path("bars.csv")).expect("the folder is writable");
        lab
    }

    /// Makes the folder with a strategy file `s.toml`.
    pub(crate) fn with(strategy: &str) -> Self {
        let lab = Self::new();
        lab.write("s.toml", strategy);
        lab
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("the folder is writable");
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        let path = self.path(name);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub(crate) fn table(&self, name: &str) -> Table {
        Table::read(&self.path(name)).unwrap_or_else(|error| panic!("{error}"))
    }

    pub(crate) fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&self.read(name)).expect("the file is JSON")
    }

    /// Builds a command that runs the binary in the folder.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null()).env("NO_COLOR", "1");
        command
    }

    /// Runs the binary in the folder; arguments are split at blanks.
    pub(crate) fn tidegate(&self, arguments: &str) -> Finished {
        let arguments: Vec<&str> = arguments.split_whitespace().collect();
        Finished::from(self.command(&arguments).output().expect("the binary runs"))
    }

    /// Does what `check s.toml` or `run s.toml --out run` would, in this process: a process of its own costs half a second, and
    /// most of what is refused is refused by the library. Paths are shown from the folder, as the binary shows them.
    pub(crate) fn attempt(&self, verb: &str, overrides: &[&str]) -> Finished {
        let Err(error) = self.try_in_process(verb, overrides) else {
            return Finished { code: Some(0), stdout: String::new(), stderr: String::new() };
        };
        let folder = format!("{}/", self.folder.path().display());
        // The exit code's rule is the binary's own; that it follows it is seen where the binary is run.
        let code = if error.is_users() { 1 } else { 2 };
        let stderr = format!("error: {}", error.to_string().replace(&folder, ""));
        Finished { code: Some(code), stdout: String::new(), stderr }
    }

    fn try_in_process(&self, verb: &str, overrides: &[&str]) -> Result<(), ExperimentError> {
        let mut source = ConfigSource::read(&self.path("s.toml"))?;
        for assignment in overrides {
            source.push_override(*assignment);
        }
        let experiment = ResolvedExperiment::from_source(&source)?;
        match verb {
            "check" => check(&experiment).map(|_| ()),
            "run" => run_experiment(&experiment, &RunOptions::fresh(self.path("run")), &SilentObserver).map(|_| ()),
            _ => panic!("no such verb: {verb}"),
        }
    }

    /// Returns every file below a folder with its bytes, by its path from there; not the one that holds wall times.
    pub(crate) fn files(&self, folder: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let root = self.path(folder);
        let relative = |path: PathBuf| {
            let bytes = fs::read(&path).expect("the file was just listed");
            (path.strip_prefix(&root).expect("the file lies below").to_owned(), bytes)
        };
        let files: BTreeMap<_, _> = files_below(&root).into_iter().map(relative).collect();
        files.into_iter().filter(|(path, _)| path != Path::new("timings.json")).collect()
    }
}

/// Lists the files below a folder; a folder that is not there has none.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// Asserts that two sets of files have the same names and bytes.
pub(crate) fn assert_same_files(a: &BTreeMap<PathBuf, Vec<u8>>, b: &BTreeMap<PathBuf, Vec<u8>>) {
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    let different: Vec<_> = a.iter().filter(|(name, bytes)| b[*name] != **bytes).map(|(name, _)| name).collect();
    assert!(different.is_empty(), "these files differ: {different:?}");
}

/// What a run of the binary left behind.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Finished {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("the binary writes UTF-8");
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Finished {
    /// Asserts exit code 0.
    pub(crate) fn done(self) -> Self {
        assert_eq!(self.code, Some(0), "stderr: {}", self.stderr);
        self
    }

    /// Reads stdout as one JSON document, after exit code 0.
    pub(crate) fn json(self) -> Value {
        let finished = self.done();
        serde_json::from_str(&finished.stdout).unwrap_or_else(|error| panic!("{error} in {}", finished.stdout))
    }

    /// Asserts exit code 1, an empty stdout, and that stderr starts an error that has all these parts.
    pub(crate) fn refused(self, parts: &[&str]) {
        assert_eq!(self.code, Some(1), "{self:?}");
        assert_eq!(self.stdout, "");
        assert!(self.stderr.contains("error: "), "{}", self.stderr);
        for part in parts {
            assert!(self.stderr.contains(part), "`{part}` is not in: {}", self.stderr);
        }
    }
}

/// Simulates daily bars of `AAA` and `BBB`.
pub(crate) fn simulated(bars: usize, seed: u64) -> Vec<SymbolBars> {
    simulate(&simulation(bars, seed)).expect("the parameters are in range")
}

/// Simulates bars of `AAA` and `BBB` of another interval, round the clock.
pub(crate) fn simulated_every(interval: &str, bars: usize) -> Vec<SymbolBars> {
    let interval = interval.parse().expect("an interval");
    let spec = SimulationSpec { interval, calendar: TradingCalendar::RoundTheClock, ..simulation(bars, 3) };
    simulate(&spec).expect("the parameters are in range")
}

fn simulation(bars: usize, seed: u64) -> SimulationSpec {
    SimulationSpec {
        symbols: vec!["AAA".to_owned(), "BBB".to_owned()],
        bars,
        interval: "1d".parse().expect("a day"),
        calendar: TradingCalendar::Sessions,
        start: "2000-01-03".parse().expect("a date"),
        seed,
        start_price: 100.0,
        annual_drift: 0.05,
        annual_volatility: 0.2,
        correlation: 0.3,
        open_gap_share: 0.2,
        garch: Garch { alpha: 0.08, beta: 0.9 },
        jump: Jumps { per_year: 2.0, mean: -0.01, sd: 0.03 },
    }
}

/// Puts simulated bars of the named symbols into a dataset.
pub(crate) fn dataset(symbols: &[&str], bars: Vec<SymbolBars>) -> Dataset {
    let chosen = bars.into_iter().filter(|found| symbols.contains(&found.symbol.as_str()));
    let bars = chosen.map(|symbol| Arc::new(symbol.bars)).collect();
    Dataset::new(symbols.iter().map(|&symbol| symbol.to_owned()).collect(), bars)
}

/// Resolves a strategy file's text; bars are not read.
pub(crate) fn resolved(text: &str) -> ResolvedExperiment {
    let source = ConfigSource::from_text(Path::new("s.toml"), text.to_owned());
    ResolvedExperiment::from_source(&source).unwrap_or_else(|error| panic!("{error}"))
}
