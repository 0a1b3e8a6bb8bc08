//! From bars to out-of-sample forecasts: panel, folds, members, their mixture, and how good they were.

mod cache;
mod pairs;
mod panel;
mod recalibration_scores;
mod run_members;
mod scores;
mod statements;
mod streams;
mod suspicions;
mod training;

use tidegate_forecast::{Interval, Predictive, Sample, Scaler, Split, TrainingReport};
use tidegate_market::{Forecast, Timestamp};

pub use cache::ArtifactCache;
pub(crate) use pairs::{Pairs, stated};
pub(crate) use panel::build_panel;
pub use recalibration_scores::RecalibrationScores;
pub(crate) use run_members::{MEMBERS_FILE, RunMembers, member_file, member_list};
pub use scores::{
    CrossSection, FoldScores, ForecastSummary, HorizonScores, LevelScores, MemberScores, PooledScores, Spread,
    Yardsticks,
};
use statements::PathSpan;
pub use statements::Statement;
pub use streams::StreamedForecasts;
pub(crate) use suspicions::{check_samples, constant_features};
#[cfg(feature = "libtorch")]
pub(crate) use training::{FoldWindows, fold_windows};
pub(crate) use training::{PreparedFold, TrainingContext, prepare_splits, train_prepared, train_walk_forward};

/// Everything the forecasting river delivers.
#[derive(Debug, Clone)]
pub struct ForecastOutcome {
    /// The forecasts of the nearest horizon, the one that is traded, path by path, each ordered by the time they were known, then
    /// by instrument. A walk-forward has one path, a combinatorial cross-validation several.
    pub paths: Vec<Vec<Forecast>>,
    pub(crate) path_spans: Vec<Vec<PathSpan>>,
    /// The forecasts of every horizon with their distributions, ordered by the time they were known, then by instrument, then
    /// by horizon.
    pub statements: Vec<Statement>,
    /// How many bars ahead each horizon reaches, the nearest first.
    pub horizon_bars: Vec<u32>,
    /// The prices from which differences are measured, per instrument and row; empty unless the target is a difference.
    pub start_prices: Vec<Vec<Option<f64>>>,
    /// What happened in each fold.
    pub folds: Vec<FoldOutcome>,
    /// The yardsticks' predictions on the same samples.
    pub yardsticks: Vec<YardstickOutcome>,
    /// What looks wrong with the data, a sentence each.
    pub warnings: Vec<String>,
    /// How many members were restored from the cache.
    pub members_reused: usize,
    /// How many members were trained.
    pub members_trained: usize,
}

/// One fold: its members, its predictions and what came true.
#[derive(Debug, Clone)]
pub struct FoldOutcome {
    /// The fold's place on the time axis.
    pub fold: Split,
    /// The close of the first test bar.
    pub test_first: Timestamp,
    /// The close of the last test bar.
    pub test_last: Timestamp,
    /// Training samples after the purge.
    pub train_samples: usize,
    /// Validation samples after the purge.
    pub valid_samples: usize,
    /// Samples that the purge dropped.
    pub purged: usize,
    /// The scaler, as stored beside the models.
    pub scaler: Scaler,
    /// The members, in order.
    pub members: Vec<MemberOutcome>,
    /// The test samples.
    pub samples: Vec<Sample>,
    /// The time labels of their bars, `[N]`.
    pub time: Vec<Timestamp>,
    /// When each of them was known, `[N]`.
    pub known_time: Vec<Timestamp>,
    /// The mixture's predictions, `[N, K]`: one per test sample and horizon.
    pub predictions: Vec<Predictive>,
    /// The intervals that a recalibration states, `[N, K]`; empty without one that states any.
    pub intervals: Vec<Option<Interval>>,
    /// What a recalibration multiplied the variances by, `[K]`; empty for one that leaves them.
    pub variance_factors: Vec<f64>,
    /// What came true, `[N, K]`, where the data reaches far enough.
    pub actual: Vec<Option<f64>>,
    /// The mean of the training targets at each horizon, `[K]`: the reference of the out-of-sample R2.
    pub train_mean: Vec<f64>,
}

/// One ensemble member of one fold.
#[derive(Debug, Clone)]
pub struct MemberOutcome {
    /// The trained model.
    pub checkpoint: Vec<u8>,
    /// How training went.
    pub report: TrainingReport,
    /// Its own predictions, `[N, K]`; empty when it was stepped bar by bar.
    pub predictions: Vec<Predictive>,
    /// Its predictions of the validation set, for a recalibration; empty without one.
    pub valid_predictions: Vec<Predictive>,
    /// The hash of everything that it was trained from.
    pub key: String,
    /// Whether it came from the cache or the run's folder.
    pub reused: bool,
}

/// One yardstick's predictions, fold by fold, on the samples of [`FoldOutcome::samples`].
#[derive(Debug, Clone)]
pub struct YardstickOutcome {
    /// The yardstick's name.
    pub name: String,
    /// Predictions per fold.
    pub by_fold: Vec<Vec<Predictive>>,
}
