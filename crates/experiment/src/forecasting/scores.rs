//! How good the forecasts were, beside the yardsticks, pooled and fold by fold.

use std::ops::Range;

use serde::Serialize;
use tidegate_forecast::Predictive;
use tidegate_market::Timestamp;
use tidegate_metrics::{ForecastScores, ScoredForecast, forecast_scores};

use super::{FoldOutcome, ForecastOutcome};
use crate::ExperimentError;

/// The scores of a model and its yardsticks.
#[derive(Debug, Clone, Serialize)]
pub struct ForecastSummary {
    /// Over all test samples.
    pub pooled: PooledScores,
    /// Fold by fold.
    pub by_fold: Vec<FoldScores>,
}

/// Scores over all test samples.
#[derive(Debug, Clone, Serialize)]
pub struct PooledScores {
    /// The model's name.
    pub name: String,
    /// The model's scores.
    pub model: ForecastScores,
    /// The yardsticks' scores on the same samples, by name.
    pub yardsticks: Yardsticks,
}

/// Scores by name, in a fixed order, written as a table.
#[derive(Debug, Clone)]
pub struct Yardsticks(pub Vec<(String, ForecastScores)>);

impl Serialize for Yardsticks {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, scores)| (name, scores)))
    }
}

/// Scores of one fold.
#[derive(Debug, Clone, Serialize)]
pub struct FoldScores {
    /// The fold, from zero.
    pub fold: u32,
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
    /// The epochs each member trained.
    pub epochs: Vec<usize>,
    /// The epoch whose weights each member kept; null for forecasters without epochs.
    pub best_epoch: Vec<Option<usize>>,
    /// The model's scores.
    pub model: ForecastScores,
    /// The yardsticks' scores on the same samples, by name.
    pub yardsticks: Yardsticks,
}

impl ForecastSummary {
    /// Scores an outcome.
    ///
    /// # Errors
    /// When a forecast is not finite.
    pub fn new(name: &str, outcome: &ForecastOutcome) -> Result<Self, ExperimentError> {
        let yardsticks = yardstick_scores(outcome, 0..outcome.folds.len())?;
        let pooled = forecast_scores(&scored_forecasts(&outcome.folds, &outcome.model_predictions()))?;
        let by_fold = (0..outcome.folds.len()).map(|index| fold_scores(outcome, index)).collect::<Result<_, _>>()?;
        Ok(Self { pooled: PooledScores { name: name.to_owned(), model: pooled, yardsticks }, by_fold })
    }
}

/// Scores every yardstick over a range of folds.
fn yardstick_scores(outcome: &ForecastOutcome, folds: Range<usize>) -> Result<Yardsticks, ExperimentError> {
    let scores = outcome.yardsticks.iter().map(|yardstick| {
        let predictions: Vec<&[Predictive]> = yardstick.by_fold[folds.clone()].iter().map(Vec::as_slice).collect();
        let scored = scored_forecasts(&outcome.folds[folds.clone()], &predictions);
        Ok((yardstick.name.clone(), forecast_scores(&scored)?))
    });
    scores.collect::<Result<_, ExperimentError>>().map(Yardsticks)
}

fn fold_scores(outcome: &ForecastOutcome, index: usize) -> Result<FoldScores, ExperimentError> {
    let fold = &outcome.folds[index];
    Ok(FoldScores {
        fold: fold.fold.index,
        test_first: fold.test_first,
        test_last: fold.test_last,
        train_samples: fold.train_samples,
        valid_samples: fold.valid_samples,
        purged: fold.purged,
        epochs: fold.members.iter().map(|member| member.report.epochs.len()).collect(),
        best_epoch: fold.members.iter().map(|member| member.report.best_epoch).collect(),
        model: forecast_scores(&scored_forecasts(std::slice::from_ref(fold), &[&fold.predictions]))?,
        yardsticks: yardstick_scores(outcome, index..index + 1)?,
    })
}

/// Pairs predictions with what came true; samples whose future lies beyond the data are left out.
pub(crate) fn scored_forecasts(folds: &[FoldOutcome], predictions: &[&[Predictive]]) -> Vec<ScoredForecast> {
    let fold = |(fold, predictions): (&FoldOutcome, &&[Predictive])| -> Vec<ScoredForecast> {
        let pairs = predictions.iter().zip(&fold.actual);
        pairs
            .filter_map(|(prediction, actual)| {
                Some(ScoredForecast {
                    mean: prediction.mean,
                    variance: prediction.variance,
                    actual: (*actual)?,
                    train_mean: Some(fold.train_mean),
                })
            })
            .collect()
    };
    folds.iter().zip(predictions).flat_map(fold).collect()
}
