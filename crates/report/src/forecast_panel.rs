//! How good the forecasts were, beside the yardsticks.

use serde::{Deserialize, Serialize};
use tidegate_market::Timestamp;

/// Out-of-sample quality of the forecasts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ForecastPanel {
    /// What is forecast, such as `log return over 1 bar, from the next open`.
    pub target: String,
    /// The model and the yardsticks on the same samples, pooled over folds.
    pub rows: Vec<ForecastRow>,
    /// The model, fold by fold.
    pub by_fold: Vec<FoldRow>,
    /// The share of outcomes in each tenth of the predictive distribution; `None` without predictive variances.
    pub pit_histogram: Option<[f64; 10]>,
    /// Coverage of central intervals, by nominal coverage; empty without predictive variances.
    pub coverage_curve: Vec<CalibrationPoint>,
    /// Losses by epoch, one curve per fitted member.
    pub loss_curves: Vec<LossCurve>,
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

/// Coverage of one central interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CalibrationPoint {
    /// The interval's nominal coverage, as a fraction.
    pub nominal: f64,
    /// The share of outcomes inside it, as a fraction.
    pub observed: f64,
}

/// Losses of one fitted member by epoch, the first entry being epoch 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LossCurve {
    /// The fold, from zero.
    pub fold: u32,
    /// The ensemble member, from zero.
    pub member: u32,
    /// Training loss, in the loss function's unit.
    pub train: Vec<f64>,
    /// Validation loss, in the loss function's unit.
    pub valid: Vec<f64>,
}
