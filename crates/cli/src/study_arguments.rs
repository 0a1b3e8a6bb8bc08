//! What can be typed after `tidegate study`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(crate) struct StudyArguments {
    #[command(subcommand)]
    pub(crate) command: StudyCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StudyCommand {
    /// List the studies with their number of trials, best Sharpe ratio and last time
    #[command(after_help = "Examples:\n  tidegate study list\n  tidegate study list --runs results --json")]
    List(StudyListArguments),
    /// Show the first trials of a study by a metric
    #[command(
        after_help = "Examples:\n  tidegate study show sma_cross\n  tidegate study show runs/sma_cross --sort max_drawdown --limit 20 --json"
    )]
    Show(StudyShowArguments),
    /// Write every trial of a study as CSV or Parquet, by the file's ending
    #[command(
        after_help = "Examples:\n  tidegate study export sma_cross --out trials.csv\n  tidegate study export runs/sma_cross --out trials.parquet"
    )]
    Export(StudyExportArguments),
}

/// Where the studies lie.
#[derive(Debug, Clone, Args)]
pub(crate) struct StudyListArguments {
    /// The folder of runs
    #[arg(long, default_value = "runs", value_name = "DIR")]
    pub(crate) runs: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct StudyShowArguments {
    /// The study: its name below the folder of runs, its folder, or its ledger
    pub(crate) study: PathBuf,
    #[command(flatten)]
    pub(crate) list: StudyListArguments,
    /// The metric that orders the trials
    #[arg(long, default_value = "sharpe_ratio", value_name = "METRIC")]
    pub(crate) sort: String,
    /// Show the smallest first
    #[arg(long)]
    pub(crate) ascending: bool,
    /// The most trials shown
    #[arg(long, default_value_t = 10, value_name = "N")]
    pub(crate) limit: u64,
}

#[derive(Debug, Args)]
pub(crate) struct StudyExportArguments {
    /// The study: its name below the folder of runs, its folder, or its ledger
    pub(crate) study: PathBuf,
    #[command(flatten)]
    pub(crate) list: StudyListArguments,
    /// The file to write, ending in `.csv` or `.parquet`
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}
