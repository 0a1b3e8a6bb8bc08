//! Gradient boosted trees: the yardstick that a network on engineered features most often loses to.

use std::collections::HashSet;

use forust_ml::gradientbooster::{GrowPolicy, MissingNodeTreatment};
use forust_ml::metric::Metric;
use forust_ml::objective::ObjectiveType;
use forust_ml::sampler::SampleMethod;
use forust_ml::tree::Tree;
use forust_ml::{GradientBooster, Matrix};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::window_summary::{Summary, column_count};
use super::{ensure_one_horizon, finite, predictive, targets, weighted_mean, weights};
use crate::{FitTask, FittedForecaster, ForecastError, Forecaster, Predictive, TrainingReport, Windows, checkpoint};

const NAME: &str = "boosted_trees";

/// Into how many bins of equally many samples each feature is cut.
const BINS: u16 = 255;

/// Gradient boosted regression trees on a summary of every window: each feature's last value, its mean, deviation and change.
///
/// Trees are grown one after another on the squared error of the standardised labels (Friedman, "Greedy function approximation: a
/// gradient boosting machine", 2001), level by level on 255 bins per feature, all samples and all features for each: there is
/// nothing random. The number of trees that are kept has the smallest mean squared error on the validation set, and that may
/// be none, in which case the forecast is the training labels' mean. The variance is the mean squared error there.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GradientBoostedTrees {
    /// The largest number of trees; at least 1.
    pub trees_max: usize,
    /// How much of each tree counts, in (0, 1].
    pub learning_rate: f64,
    /// The largest number of splits on the way to a leaf; at least 1.
    pub depth_max: usize,
    /// The smallest number of training samples in a leaf (the smallest sum of their weights, where they have any); at least 1.
    pub leaf_samples_min: usize,
    /// The penalty on a leaf's squared value, in samples; 0 or more.
    pub l2: f64,
    /// Growing stops when the validation error has not fallen for this many trees; at least 1.
    pub patience_trees: usize,
}

impl GradientBoostedTrees {
    /// Small trees, slowly added: settings for data with little to be found.
    pub const STANDARD: Self =
        Self { trees_max: 500, learning_rate: 0.05, depth_max: 3, leaf_samples_min: 20, l2: 1.0, patience_trees: 50 };

    /// Checks the settings.
    ///
    /// # Errors
    /// [`ForecastError::Range`] for one outside its range.
    pub fn validate(&self) -> Result<(), ForecastError> {
        let range = |name, rule: &str, value: String| Err(ForecastError::Range { name, rule: rule.to_owned(), value });
        let counts = [
            ("trees_max", self.trees_max),
            ("depth_max", self.depth_max),
            ("leaf_samples_min", self.leaf_samples_min),
            ("patience_trees", self.patience_trees),
        ];
        if let Some((name, value)) = counts.into_iter().find(|(_, count)| *count == 0) {
            return range(name, "at least 1", value.to_string());
        }
        if !(self.learning_rate > 0.0 && self.learning_rate <= 1.0) {
            return range("learning_rate", "in (0, 1]", self.learning_rate.to_string());
        }
        if !(self.l2.is_finite() && self.l2 >= 0.0) {
            return range("l2", "finite and at least 0", self.l2.to_string());
        }
        Ok(())
    }

    fn booster(&self) -> Result<GradientBooster, ForecastError> {
        GradientBooster::new(
            ObjectiveType::SquaredLoss,
            self.trees_max,
            self.learning_rate as f32,
            self.depth_max,
            usize::MAX, // leaves
            0.0,        // l1
            self.l2 as f32,
            0.0, // smallest gain of a split
            0.0, // largest leaf: no limit
            self.leaf_samples_min as f32,
            0.0, // first forecast: the standardised labels' mean
            BINS,
            false, // in parallel
            false, // splits on missing values, of which there are none
            None,  // monotone constraints
            1.0,   // share of the samples
            0.2,   // of no effect without a sampling method
            0.1,   // likewise
            1.0,   // share of the features
            0,     // seed: nothing is drawn
            f64::NAN,
            false, // a branch for missing values
            SampleMethod::None,
            GrowPolicy::DepthWise,
            Some(Metric::RootMeanSquaredError),
            Some(self.patience_trees),
            false, // a first forecast of its own
            HashSet::new(),
            MissingNodeTreatment::None,
            0, // log lines
            false,
        )
        .map_err(|error| ForecastError::Model(error.to_string()))
    }
}

impl Forecaster for GradientBoostedTrees {
    fn name(&self) -> &str {
        NAME
    }

    fn fit(&self, task: &FitTask<'_>) -> Result<Box<dyn FittedForecaster>, ForecastError> {
        task.ensure_running()?;
        self.validate()?;
        let train_targets = targets("training set", task.train, 2)?;
        let valid_targets = targets("validation set", task.valid, 1)?;
        let [columns, found] = [column_count(task.train), column_count(task.valid)];
        if columns != found {
            return Err(ForecastError::Shape { what: "the summary of a window", expected: columns, found });
        }
        let weights = weights(task.train);
        let units = Units::new(&train_targets, &weights)?;
        let train = Summary::new(task.train);
        let valid = Summary::new(task.valid);
        let [train_standard, valid_standard] = [&train_targets, &valid_targets].map(|labels| units.standardise(labels));
        let valid_weights = vec![1.0; valid_targets.len()];

        let mut booster = self.booster()?;
        let evaluation = (matrix(&valid, valid_standard.len()), &valid_standard[..], &valid_weights[..]);
        booster
            .fit(&matrix(&train, train_standard.len()), &train_standard, &weights, Some(vec![evaluation]))
            .map_err(|error| ForecastError::Model(error.to_string()))?;
        let mut fitted = FittedTrees { columns, units, trees: booster.trees, residual_variance: 0.0 };
        fitted.keep_the_best(&valid, &valid_standard)?;
        Ok(Box::new(fitted))
    }

    fn restore(&self, checkpoint: &[u8]) -> Result<Box<dyn FittedForecaster>, ForecastError> {
        Ok(Box::new(checkpoint::read::<FittedTrees>(NAME, checkpoint)?))
    }
}

fn matrix(summary: &Summary, samples: usize) -> Matrix<'_, f64> {
    Matrix::new(&summary.values, samples, summary.columns)
}

/// The labels' units: trees are grown on `(label - mean) / deviation`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Units {
    mean: f64,
    /// 1 where the labels are all the same.
    deviation: f64,
}

impl Units {
    fn new(labels: &[f64], weights: &[f64]) -> Result<Self, ForecastError> {
        let mean = weighted_mean(labels.iter().copied(), weights);
        let variance = weighted_mean(labels.iter().map(|label| (label - mean).powi(2)), weights);
        let deviation = finite(variance.sqrt(), || "the labels' deviation".to_owned())?;
        Ok(Self { mean, deviation: if deviation > 0.0 { deviation } else { 1.0 } })
    }

    fn standardise(self, labels: &[f64]) -> Vec<f64> {
        labels.iter().map(|label| (label - self.mean) / self.deviation).collect()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FittedTrees {
    /// The columns of the summary.
    columns: usize,
    units: Units,
    trees: Vec<Tree>,
    /// In the labels' units.
    residual_variance: f64,
}

impl FittedTrees {
    /// Drops the trees after the one with which the validation error is the smallest, and takes that error as the variance.
    fn keep_the_best(&mut self, valid: &Summary, labels: &[f64]) -> Result<(), ForecastError> {
        let error = |sums: &[f64]| {
            let squares = sums.iter().zip(labels).map(|(sum, label)| (label - sum).powi(2));
            squares.sum::<f64>() / labels.len() as f64
        };
        let mut sums = vec![0.0; labels.len()];
        let mut best = (error(&sums), 0);
        for (place, tree) in self.trees.iter().enumerate() {
            add(&mut sums, tree, valid);
            let found = error(&sums);
            if found < best.0 {
                best = (found, place + 1);
            }
        }
        self.trees.truncate(best.1);
        self.residual_variance = finite(best.0 * self.units.deviation.powi(2), || "the residual variance".to_owned())?;
        Ok(())
    }
}

/// Adds what a tree says of every sample.
fn add(sums: &mut [f64], tree: &Tree, summary: &Summary) {
    let values = tree.predict(&matrix(summary, sums.len()), false, &f64::NAN);
    sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
}

impl FittedForecaster for FittedTrees {
    fn forecast(&self, windows: &Windows) -> Result<Vec<Predictive>, ForecastError> {
        ensure_one_horizon(windows)?;
        let [expected, found] = [self.columns, column_count(windows)];
        if expected != found {
            return Err(ForecastError::Shape { what: "the summary of a window", expected, found });
        }
        let summary = Summary::new(windows);
        let mut sums = vec![0.0; windows.len()];
        self.trees.iter().for_each(|tree| add(&mut sums, tree, &summary));
        let forecast =
            |sum: f64| predictive(self.units.mean + self.units.deviation * sum, Some(self.residual_variance));
        Ok(sums.into_iter().map(forecast).collect())
    }

    fn checkpoint(&self) -> Result<Vec<u8>, ForecastError> {
        checkpoint::write(NAME, self)
    }

    fn report(&self) -> TrainingReport {
        // A value per leaf, a threshold per split, the mean and the variance.
        let nodes: usize = self.trees.iter().map(|tree| tree.nodes.len()).sum();
        TrainingReport { parameters: nodes + 2, ..TrainingReport::default() }
    }
}

#[cfg(test)]
mod tests;
