//! How good the forecasts were, beside the yardsticks.

mod calibration;
mod comparison;
mod training;

use serde::{Deserialize, Serialize};
use tidegate_market::Timestamp;

pub use calibration::{CalibrationPanel, CalibrationPoint, IntervalRow, RecalibrationPanel, RecalibrationRow};
pub use comparison::{ComparisonRow, CrossSectionRow, HorizonRow, LevelErrors, SpreadRow};
pub use training::{GateHistogram, GradientNorms, LossCurve, NetworkFacts, TrainingPanel};

/// Out-of-sample quality of the forecasts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ForecastPanel {
    /// What is forecast, such as `log return over 1 bar, from the next open`.
    pub target: String,
    /// How the trained members read the test bars, such as `one window per forecast`.
    pub inference: String,
    /// The model and the yardsticks on the same samples, pooled over folds.
    pub rows: Vec<ForecastRow>,
    /// The model's errors against each yardstick's, with a test of the difference.
    pub comparisons: Vec<ComparisonRow>,
    /// The model's scores at each horizon, the nearest first.
    pub horizons: Vec<HorizonRow>,
    /// Scores of the ensemble's members, each by itself; empty for a single member.
    pub spread: Vec<SpreadRow>,
    /// Correlations across the instruments of each time; empty for fewer than three instruments.
    pub cross_section: Vec<CrossSectionRow>,
    /// The model, fold by fold.
    pub by_fold: Vec<FoldRow>,
    /// Whether the stated probabilities are right; `None` without predictive distributions.
    pub calibration: Option<CalibrationPanel>,
    /// What a recalibration did; `None` without one.
    pub recalibration: Option<RecalibrationPanel>,
    /// How training went.
    pub training: TrainingPanel,
}

/// The scores of one forecaster; `None` where undefined or where the forecaster gives no variance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ForecastRow {
    /// The forecaster's name.
    pub name: String,
    /// Whether it is the model or a yardstick.
    pub role: ForecastRole,
    /// Mean squared error, in squared units of the target.
    pub mse: Option<f64>,
    /// Out-of-sample R2 against a forecast of zero.
    pub r2: Option<f64>,
    /// Pearson correlation of forecast and outcome.
    pub ic: Option<f64>,
    /// Spearman correlation of forecast and outcome.
    pub rank_ic: Option<f64>,
    /// The share of forecasts with the right sign, as a fraction.
    pub hit_rate: Option<f64>,
    /// Mean negative log likelihood, in nats.
    pub nll: Option<f64>,
    /// Mean continuous ranked probability score, in units of the target.
    pub crps: Option<f64>,
    /// Observed coverage of the central 50 % interval, as a fraction.
    pub coverage_50: Option<f64>,
    /// Observed coverage of the central 80 % interval, as a fraction.
    pub coverage_80: Option<f64>,
    /// Observed coverage of the central 95 % interval, as a fraction.
    pub coverage_95: Option<f64>,
    /// Samples scored.
    pub count: u64,
}

/// Who made a forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForecastRole {
    /// The model under test.
    Model,
    /// A simple forecaster that a model has to beat.
    Yardstick,
}

impl ForecastRole {
    /// Returns the role in a word.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Yardstick => "yardstick",
        }
    }
}

/// The model's scores on one fold's test block.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoldRow {
    /// The fold, from zero.
    pub fold: u32,
    /// First time label of the test block.
    pub test_first: Timestamp,
    /// Last time label of the test block.
    pub test_last: Timestamp,
    /// Pearson correlation of forecast and outcome; `None` when undefined.
    pub ic: Option<f64>,
    /// Out-of-sample R2 against a forecast of zero; `None` when undefined.
    pub r2: Option<f64>,
    /// Mean negative log likelihood, in nats; `None` without variances.
    pub nll: Option<f64>,
    /// Epochs trained, the most of any member; `None` for a model without epochs.
    pub epochs: Option<u32>,
    /// The epoch whose weights were kept, from one, the median over members; `None` for a model without epochs.
    pub best_epoch: Option<u32>,
}
