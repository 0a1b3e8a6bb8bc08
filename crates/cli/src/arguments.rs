//! What can be typed.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use tidegate_experiment::{DEFAULT_CUTS, DEFAULT_RESAMPLES};
use tidegate_market::TradingCalendar;

use crate::model_arguments::{BenchArguments, CompressArguments, ExportArguments, PredictArguments};
use crate::study_arguments::StudyArguments;

/// Backtests trading ideas, neural forecasters included, without looking ahead.
#[derive(Debug, Parser)]
#[command(name = "tidegate", version, propagate_version = true, arg_required_else_help = true)]
#[command(
    after_help = "Examples:\n  tidegate run strategies/sma_cross.toml\n  tidegate check strategies/sp500_multi_scale_gru.toml"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// How results and progress are shown.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct OutputArguments {
    /// Print one JSON document on stdout in place of tables
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Show no progress and no notes
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run an experiment: features, training, backtest, metrics, report
    #[command(
        after_help = "Examples:\n  tidegate run strategies/sp500_ridge.toml\n  tidegate run strategies/sma_cross.toml --set execution.commission.bps=5 --out runs/costly"
    )]
    Run(AuditedRunArguments),
    /// Prove on this very config and data that nothing known at a bar depends on what came after it
    #[command(
        after_help = "Examples:\n  tidegate audit strategies/sp500_multi_scale_gru.toml\n  tidegate audit strategies/sma_cross.toml --cuts 50 --json"
    )]
    Audit(AuditArguments),
    /// Show how the result changes when its assumptions do: costs, delays, fills, parts of the time, the order of trades
    #[command(
        after_help = "Examples:\n  tidegate robustness strategies/sma_cross.toml\n  tidegate robustness strategies/sp500_ridge.toml --resamples 5000 --json"
    )]
    Robustness(RobustnessArguments),
    /// Check a strategy file and its data, and say what a run will do
    #[command(
        after_help = "Examples:\n  tidegate check strategies/sp500_multi_scale_gru.toml\n  tidegate check strategies/sma_cross.toml --set data.end=2010-12-31"
    )]
    Check(CheckArguments),
    /// Write the features of a strategy file as CSV or Parquet
    #[command(
        after_help = "Examples:\n  tidegate features strategies/sp500_ridge.toml --out features.parquet\n  tidegate features strategies/sp500_ridge.toml --out features.csv"
    )]
    Features(FeaturesArguments),
    /// Train the forecasters and write their out-of-sample forecasts, without a backtest
    #[command(
        after_help = "Examples:\n  tidegate train strategies/sp500_multi_scale_gru.toml --out forecasts/sp500\n  tidegate train strategies/sp500_ridge.toml --threads 1"
    )]
    Train(RunArguments),
    /// Backtest stored forecasts, trained earlier or elsewhere
    #[command(
        after_help = "Examples:\n  tidegate backtest strategies/sp500_ridge.toml --forecasts forecasts/sp500/forecasts.parquet\n  tidegate backtest strategies/sp500_ridge.toml --forecasts mine.csv --set strategy.kelly.fraction=0.25"
    )]
    Backtest(BacktestArguments),
    /// Run the trials of `[sweep]` on all cores, and go on where a stopped sweep ended
    #[command(
        after_help = "Examples:\n  tidegate sweep strategies/sma_cross.toml\n  tidegate sweep strategies/sma_cross.toml --grid strategy.sma_cross.fast_bars=5,10,20 --objective calmar_ratio"
    )]
    Sweep(SweepArguments),
    /// See what a study has tried: every trial ever evaluated
    Study(StudyArguments),
    /// Show the report of a finished run, or write it again
    #[command(
        after_help = "Examples:\n  tidegate report runs/sma_cross/0123456789abcdef\n  tidegate report runs/sma_cross/0123456789abcdef --format html --out report.html"
    )]
    Report(ReportArguments),
    /// Show runs side by side, with paired tests against the first and what differs in their configs
    #[command(
        after_help = "Examples:\n  tidegate compare runs/sma_cross/0123456789abcdef runs/sma_cross/fedcba9876543210\n  tidegate compare runs/base runs/costly runs/short --json"
    )]
    Compare(CompareArguments),
    /// Tell the whole story of one trade: what was known, the order, the fill, the costs, the gain
    #[command(
        after_help = "Examples:\n  tidegate explain runs/sma_cross/0123456789abcdef --trade 3\n  tidegate explain runs/sma_cross/0123456789abcdef --trade 3 --json"
    )]
    Explain(ExplainArguments),
    /// Run GRU or LSTM layers, stored under PyTorch's names, on windows from a file
    #[command(
        after_help = "Examples:\n  tidegate predict --weights gru.safetensors --input windows.safetensors --output states.safetensors\n  tidegate predict --weights model.safetensors --prefix encoder.gru. --input windows.safetensors --output states.safetensors --json"
    )]
    Predict(PredictArguments),
    /// Write a trained network, or layers of PyTorch, as ONNX, TorchScript or safetensors
    #[command(
        after_help = "Examples:\n  tidegate export runs/sp500_multi_scale_gru/0123456789abcdef --format onnx --out network.onnx\n  tidegate export runs/sp500_multi_scale_gru/0123456789abcdef --fold 0 --member 1 --format onnx --split --out network.onnx\n  tidegate export gru.safetensors --format torchscript --out gru.pt"
    )]
    Export(ExportArguments),
    /// Make a trained network smaller, and measure size, speed and loss before and after
    #[command(
        after_help = "Examples:\n  tidegate compress runs/sp500_multi_scale_gru/0123456789abcdef --int8 --out small.safetensors\n  tidegate compress network.safetensors --strategy strategies/sp500_multi_scale_gru.toml --prune 0.5 --out small.safetensors"
    )]
    Compress(CompressArguments),
    /// Measure this build on this machine
    Bench(BenchArguments),
    /// Measure any series of returns
    #[command(
        after_help = "Examples:\n  tidegate metrics returns.csv --periods-per-year 252\n  tidegate metrics returns.csv --json --convention empyrical --risk-free 0.02"
    )]
    Metrics(MetricsArguments),
    /// Inspect, convert or simulate market data
    Data(DataArguments),
    /// Print the JSON Schema of strategy files, for editors
    #[command(after_help = "Examples:\n  tidegate schema > tidegate.schema.json\n  tidegate schema | head")]
    Schema,
    /// Print a shell's completion script
    #[command(
        after_help = "Examples:\n  tidegate completions bash > ~/.local/share/bash-completion/completions/tidegate\n  tidegate completions fish"
    )]
    Completions(CompletionsArguments),
}

/// A strategy file and what is laid over it.
#[derive(Debug, Clone, Args)]
pub(crate) struct StrategyArguments {
    /// The strategy file
    #[arg(value_name = "STRATEGY.toml")]
    pub(crate) strategy: PathBuf,
    /// Override a config key, such as `strategy.kelly.fraction=0.25`; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) overrides: Vec<String>,
    /// Override the seed
    #[arg(long)]
    pub(crate) seed: Option<u64>,
}

/// How an experiment is run, as opposed to what it computes.
#[derive(Debug, Clone, Args)]
pub(crate) struct ExecutionArguments {
    /// Threads for training and sweeps; one per core when not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,
    /// The device networks train on: `cpu`, `cuda` or `cuda:N`
    #[arg(long, default_value = "cpu")]
    pub(crate) device: String,
    /// Train everything again and ignore finished runs
    #[arg(long)]
    pub(crate) no_cache: bool,
    /// The folder of the study's trial ledger, or a bare name, which is a folder in `runs/<file stem>`; that one itself when not given
    #[arg(long, value_name = "DIR")]
    pub(crate) study: Option<PathBuf>,
    /// The folder of trained models shared between runs
    #[arg(long, value_name = "DIR", default_value = "runs/cache")]
    pub(crate) cache: PathBuf,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    pub(crate) strategy: StrategyArguments,
    #[command(flatten)]
    pub(crate) execution: ExecutionArguments,
    /// The run directory; `runs/<file stem>/<config hash>` when not given
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct AuditedRunArguments {
    #[command(flatten)]
    pub(crate) run: RunArguments,
    /// Audit first, as `tidegate audit` does, and show no result when there is a leak
    #[arg(long)]
    pub(crate) audit: bool,
}

#[derive(Debug, Args)]
pub(crate) struct AuditArguments {
    #[command(flatten)]
    pub(crate) run: RunArguments,
    /// How many cuts are sampled; those in the warm-up and at opens come on top
    #[arg(long, value_name = "N", default_value_t = DEFAULT_CUTS as u16, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) cuts: u16,
}

#[derive(Debug, Args)]
pub(crate) struct RobustnessArguments {
    #[command(flatten)]
    pub(crate) run: RunArguments,
    /// How many resamples of the returns and orders of the trades are drawn
    #[arg(long, value_name = "N", default_value_t = DEFAULT_RESAMPLES as u32, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) resamples: u32,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    #[command(flatten)]
    pub(crate) strategy: StrategyArguments,
}

#[derive(Debug, Args)]
pub(crate) struct FeaturesArguments {
    #[command(flatten)]
    pub(crate) strategy: StrategyArguments,
    /// The file to write; its ending, `.csv` or `.parquet`, says how
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct BacktestArguments {
    #[command(flatten)]
    pub(crate) run: RunArguments,
    /// A CSV or Parquet file with the columns of `forecasts.parquet`
    #[arg(long, value_name = "FILE")]
    pub(crate) forecasts: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct SweepArguments {
    #[command(flatten)]
    pub(crate) run: RunArguments,
    /// Vary a key over values, such as `strategy.sma_cross.fast_bars=5,10,20`; replaces the file's grid; may be repeated
    #[arg(long = "grid", value_name = "KEY=V1,V2,...")]
    pub(crate) grid: Vec<String>,
    /// A file whose `[sweep]` stands in for the strategy file's
    #[arg(long = "sweep", value_name = "FILE.toml")]
    pub(crate) sweep: Option<PathBuf>,
    /// The metric to rank by, in place of the file's
    #[arg(long)]
    pub(crate) objective: Option<String>,
    /// Audit the file's own config first, as `tidegate audit` does, and sweep nothing when there is a leak
    #[arg(long)]
    pub(crate) audit: bool,
}

/// How a report is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// Tables for a terminal
    Text,
    /// One self-contained HTML page
    Html,
    /// Everything the report shows, as JSON
    Json,
    /// The table of metrics, as CSV
    Csv,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArguments {
    /// A run directory
    #[arg(value_name = "RUN")]
    pub(crate) run_dir: PathBuf,
    /// How to render it
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: ReportFormat,
    /// The file to write in place of stdout
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct CompareArguments {
    /// Two or more run directories; the first is what the others are tested against
    #[arg(value_name = "RUN", required = true)]
    pub(crate) run_dirs: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// A run directory
    #[arg(value_name = "RUN")]
    pub(crate) run_dir: PathBuf,
    /// The trade: its row in `trades.parquet`, from one
    #[arg(long, value_name = "N")]
    pub(crate) trade: usize,
    /// The strategy file, where the data lie elsewhere than at the time of the run
    #[arg(long, value_name = "STRATEGY.toml")]
    pub(crate) strategy: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct MetricsArguments {
    /// A CSV or Parquet file with the columns `time, return` and optionally `benchmark`
    #[arg(value_name = "RETURNS.csv")]
    pub(crate) returns: PathBuf,
    /// Periods in a year
    #[arg(long, value_name = "N", default_value_t = 252.0)]
    pub(crate) periods_per_year: f64,
    /// Whose definitions to use: `tidegate`, `empyrical` or `quantstats`
    #[arg(long, value_name = "NAME", default_value = "tidegate")]
    pub(crate) convention: String,
    /// The risk-free rate per year, as a fraction
    #[arg(long, value_name = "R", default_value_t = 0.0)]
    pub(crate) risk_free: f64,
}

#[derive(Debug, Args)]
pub(crate) struct DataArguments {
    #[command(subcommand)]
    pub(crate) command: DataCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// Say what a file holds and what is wrong with it
    #[command(
        after_help = "Examples:\n  tidegate data inspect data/sp500_daily.csv\n  tidegate data inspect prices/ --interval 5m --json"
    )]
    Inspect(InspectArguments),
    /// Write a file of any known layout in canonical columns
    #[command(
        after_help = "Examples:\n  tidegate data convert yahoo.csv --symbol SPY --out spy.parquet\n  tidegate data convert klines.csv --interval 1h --out btc.csv"
    )]
    Convert(ConvertArguments),
    /// Make seeded random bars with volatility clusters, jumps and correlation
    #[command(
        after_help = "Examples:\n  tidegate data simulate --symbols 5 --bars 2520 --seed 7 --out simulated.parquet\n  tidegate data simulate --symbols 1 --bars 100000 --interval 1m --out minutes.csv"
    )]
    Simulate(SimulateArguments),
}

/// How a data file is read.
#[derive(Debug, Clone, Args)]
pub(crate) struct ReadArguments {
    /// A CSV or Parquet file, a folder of them, or a glob
    pub(crate) path: PathBuf,
    /// The length of a bar
    #[arg(long, default_value = "1d")]
    pub(crate) interval: String,
    /// Which end of the bar a time names: `open` or `close`
    #[arg(long, default_value = "open", value_parser = ["open", "close"])]
    pub(crate) timestamp: String,
    /// The symbol of a file that has no symbol column; the file's stem when not given
    #[arg(long)]
    pub(crate) symbol: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct InspectArguments {
    #[command(flatten)]
    pub(crate) read: ReadArguments,
}

#[derive(Debug, Args)]
pub(crate) struct ConvertArguments {
    #[command(flatten)]
    pub(crate) read: ReadArguments,
    /// The file to write; its ending, `.csv` or `.parquet`, says how
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Leave out rows that break a rule, in place of refusing the file
    #[arg(long)]
    pub(crate) drop_offences: bool,
}

/// When a simulated market trades.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CalendarArgument {
    /// 252 sessions a year
    Sessions,
    /// Every hour of every day
    RoundTheClock,
}

impl From<CalendarArgument> for TradingCalendar {
    fn from(calendar: CalendarArgument) -> Self {
        match calendar {
            CalendarArgument::Sessions => Self::Sessions,
            CalendarArgument::RoundTheClock => Self::RoundTheClock,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct SimulateArguments {
    /// How many symbols
    #[arg(long, default_value = "1")]
    pub(crate) symbols: NonZeroUsize,
    /// How many bars of each
    #[arg(long)]
    pub(crate) bars: NonZeroUsize,
    /// The length of a bar
    #[arg(long, default_value = "1d")]
    pub(crate) interval: String,
    /// The first bar's time
    #[arg(long, default_value = "2000-01-03")]
    pub(crate) start: String,
    /// When the market trades
    #[arg(long, value_enum, default_value = "sessions")]
    pub(crate) calendar: CalendarArgument,
    /// The seed
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
    /// Mean log return per year, as a fraction
    #[arg(long, default_value_t = 0.05, allow_negative_numbers = true)]
    pub(crate) drift: f64,
    /// Volatility per year, as a fraction
    #[arg(long, default_value_t = 0.2)]
    pub(crate) volatility: f64,
    /// Correlation between any two symbols
    #[arg(long, default_value_t = 0.3)]
    pub(crate) correlation: f64,
    /// The file to write; its ending, `.csv` or `.parquet`, says how
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct CompletionsArguments {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}
