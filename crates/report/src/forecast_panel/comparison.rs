//! The model against yardsticks, over horizons, over seeds and across instruments.

use serde::{Deserialize, Serialize};

/// The model's errors against one yardstick's; undefined is `None`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComparisonRow {
    /// What counts as an error, such as `squared error`.
    pub loss: String,
    /// The yardstick's name.
    pub yardstick: String,
    /// `1 - model's mean loss / yardstick's mean loss`: above 0 the model is better.
    pub skill: Option<f64>,
    /// The yardstick's mean loss less the model's.
    pub difference: Option<f64>,
    /// Statistic of the Diebold-Mariano test, above 0 where the model is better.
    pub statistic: Option<f64>,
    /// Two-sided p-value of that test, for this yardstick alone.
    pub p_value: Option<f64>,
}

/// The model's scores at one horizon; undefined is `None`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HorizonRow {
    /// How many bars ahead it reaches.
    pub horizon_bars: u32,
    /// Mean squared error, in squared units of the target.
    pub mse: Option<f64>,
    /// The yardstick with the smallest mean squared error, and that error.
    pub best_yardstick: Option<(String, f64)>,
    /// Out-of-sample R2 against a forecast of zero.
    pub r2: Option<f64>,
    /// Spearman correlation of forecast and outcome.
    pub rank_ic: Option<f64>,
    /// Mean negative log likelihood, in nats.
    pub nll: Option<f64>,
    /// Mean continuous ranked probability score, in units of the target.
    pub crps: Option<f64>,
    /// Observed coverage of the central 95 % interval, as a fraction.
    pub coverage_95: Option<f64>,
    /// The errors of the forecast prices themselves; `None` unless the target is a difference.
    pub level: Option<LevelErrors>,
    /// Samples scored.
    pub count: u64,
}

/// Root relative squared errors of forecast prices; undefined is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LevelErrors {
    /// The model's.
    pub model: Option<f64>,
    /// That of a forecast which says that the price stays as it is.
    pub last_value: Option<f64>,
}

/// One score of every ensemble member, each by itself; undefined is `None`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SpreadRow {
    /// The score, such as `MSE`.
    pub score: String,
    /// The members' mean.
    pub mean: Option<f64>,
    /// Their standard deviation, divisor n - 1.
    pub standard_deviation: Option<f64>,
    /// Member by member.
    pub values: Vec<Option<f64>>,
    /// The whole ensemble's.
    pub ensemble: Option<f64>,
}

/// Correlations of forecasts and outcomes across the instruments of each time; undefined is `None`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CrossSectionRow {
    /// Which correlation, such as `rank IC`.
    pub correlation: String,
    /// How many times there were.
    pub times: u64,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation, divisor n - 1.
    pub standard_deviation: Option<f64>,
    /// Mean over standard deviation, a time.
    pub information_ratio: Option<f64>,
    /// Statistic of the test that the mean is 0.
    pub t_statistic: Option<f64>,
    /// Two-sided p-value of that test.
    pub p_value: Option<f64>,
}
