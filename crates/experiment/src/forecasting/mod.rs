//! From bars to out-of-sample forecasts: panel, folds, members, their mixture, and how good they were.

mod cache;
mod panel;
mod scores;
mod training;

use tidegate_forecast::{Fold, Predictive, Sample, Scaler, TrainingReport};
use tidegate_market::{Forecast, Timestamp};

pub use cache::ArtifactCache;
pub(crate) use panel::build_panel;
pub(crate) use scores::scored_forecasts;
pub use scores::{FoldScores, ForecastSummary, PooledScores, Yardsticks};
pub(crate) use training::{TrainingContext, forecast_walk_forward};

/// Everything the forecasting river delivers.
#[derive(Debug, Clone)]
pub struct ForecastOutcome {
    /// The forecasts, ordered by the time they were known, then by instrument.
    pub forecasts: Vec<Forecast>,
    /// What happened in each fold.
    pub folds: Vec<FoldOutcome>,
    /// The yardsticks' predictions on the same samples.
    pub yardsticks: Vec<YardstickOutcome>,
    /// How many members were restored from the cache.
    pub members_reused: usize,
    /// How many members were trained.
    pub members_trained: usize,
}

impl ForecastOutcome {
    /// Returns the mixture's predictions, fold by fold.
    pub fn model_predictions(&self) -> Vec<&[Predictive]> {
        self.folds.iter().map(|fold| fold.predictions.as_slice()).collect()
    }
}

/// One fold: its members, its predictions and what came true.
#[derive(Debug, Clone)]
pub struct FoldOutcome {
    /// The fold's place on the time axis.
    pub fold: Fold,
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
    /// The mixture's predictions, one per test sample.
    pub predictions: Vec<Predictive>,
    /// What came true, where the data reaches far enough.
    pub actual: Vec<Option<f64>>,
    /// The mean of the training targets: the reference of the out-of-sample R2.
    pub train_mean: f64,
}

/// One ensemble member of one fold.
#[derive(Debug, Clone)]
pub struct MemberOutcome {
    /// The trained model.
    pub checkpoint: Vec<u8>,
    /// How training went.
    pub report: TrainingReport,
    /// Whether it came from the cache.
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
