//! Whether stated probabilities are right, and what a recalibration did about it.

use serde::{Deserialize, Serialize};

/// The calibration of the model's distributions at the nearest horizon.
///
/// p-values are those of independent samples: overlapping labels and instruments that move together make them too small.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalibrationPanel {
    /// The share of outcomes in each twentieth of the predictive distribution.
    pub pit_histogram: [f64; 20],
    /// Kolmogorov-Smirnov distance of the transforms from uniform.
    pub kolmogorov_smirnov: f64,
    /// The p-value of that distance.
    pub kolmogorov_smirnov_p_value: f64,
    /// p-value of Ljung-Box's test that each transform tells nothing of the next; `None` with too few samples.
    pub ljung_box_p_value: Option<f64>,
    /// Coverage of central intervals, by nominal coverage.
    pub coverage_curve: Vec<CalibrationPoint>,
    /// Tests of the central intervals of 90, 95 and 99 %.
    pub intervals: Vec<IntervalRow>,
}

/// Coverage of one central interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CalibrationPoint {
    /// The interval's nominal coverage, as a fraction.
    pub nominal: f64,
    /// The share of outcomes inside it, as a fraction.
    pub observed: f64,
}

/// Tests of one central interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct IntervalRow {
    /// The interval's nominal coverage, as a fraction.
    pub nominal: f64,
    /// The share of outcomes inside it, as a fraction.
    pub observed: f64,
    /// Outcomes outside.
    pub misses: u64,
    /// p-value of Kupiec's test that there are as many as stated.
    pub kupiec_p_value: f64,
    /// p-value of Christoffersen's test that they do not cluster; `None` with too few.
    pub christoffersen_p_value: Option<f64>,
    /// p-value of Christoffersen's test of both together; `None` with too few.
    pub conditional_coverage_p_value: Option<f64>,
}

/// What a recalibration on the validation sets did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecalibrationPanel {
    /// What was done, such as `split conformal intervals`.
    pub method: String,
    /// Horizon by horizon, the nearest first.
    pub rows: Vec<RecalibrationRow>,
}

/// A recalibration at one horizon; what it does not state is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RecalibrationRow {
    /// How many bars ahead the horizon reaches.
    pub horizon_bars: u32,
    /// The stated coverage of its intervals, as a fraction.
    pub nominal: Option<f64>,
    /// The share of outcomes inside them, as a fraction.
    pub observed: Option<f64>,
    /// The mean width of those that are bounded, in units of the target.
    pub mean_width: Option<f64>,
    /// Outcomes held against an interval.
    pub count: u64,
    /// Of those, how many against the whole line: too few labels were known for the coverage.
    pub unbounded: u64,
    /// The smallest factor of any fold on the variances.
    pub variance_factor_min: Option<f64>,
    /// The largest factor of any fold on the variances.
    pub variance_factor_max: Option<f64>,
}
