//! How good the forecasts were, beside the yardsticks, pooled and fold by fold.

use serde::Serialize;
use tidegate_market::Timestamp;
use tidegate_metrics::{
    Calibration, ForecastScores, IcSummary, Loss, NamedForecasts, ScoredForecast, SkillVersusYardsticks,
    YardstickComparison, calibration, cross_sectional_information_coefficient, forecast_scores,
    skill_versus_yardsticks,
};

use super::{ForecastOutcome, Pairs, RecalibrationScores};
use crate::ExperimentError;
use crate::resolve::ForecastPlan;

/// The scores of a model and its yardsticks.
#[derive(Debug, Clone, Serialize)]
pub struct ForecastSummary {
    /// Over all test samples, at the nearest horizon.
    pub pooled: PooledScores,
    /// Over all test samples, horizon by horizon.
    pub by_horizon: Vec<HorizonScores>,
    /// The model's errors against each yardstick's, with the Diebold-Mariano test, at the nearest horizon: squared errors, then
    /// continuous ranked probability scores.
    pub versus_yardsticks: Vec<SkillVersusYardsticks>,
    /// Information coefficients across the instruments of each time; null for fewer than three instruments.
    pub cross_section: Option<CrossSection>,
    /// Whether the stated probabilities at the nearest horizon are right; null for a forecaster that states none.
    pub calibration: Option<Calibration>,
    /// How far the scores of the ensemble's members lie apart; null for a single member.
    pub members: Option<Spread>,
    /// What the recalibration did, horizon by horizon; empty without one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub recalibration: Vec<RecalibrationScores>,
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

/// Scores at one horizon.
#[derive(Debug, Clone, Serialize)]
pub struct HorizonScores {
    /// How many bars ahead it reaches.
    pub horizon_bars: u32,
    /// The model's scores.
    pub model: ForecastScores,
    /// The yardsticks' scores on the same samples, by name.
    pub yardsticks: Yardsticks,
    /// The errors of the prices themselves; null unless the target is a difference.
    pub level: Option<LevelScores>,
}

/// Errors of forecast prices: the price that a difference is measured from plus the forecast difference.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct LevelScores {
    /// The model's root relative squared error (Lai, Chang, Yang and Liu 2018).
    pub relative_squared_error: Option<f64>,
    /// That of a forecast which says that the price stays as it is.
    pub last_value: Option<f64>,
}

/// Correlations of forecasts and outcomes across the instruments of each time, averaged over times.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct CrossSection {
    /// Of the Pearson correlations; null without any.
    pub pearson: Option<IcSummary>,
    /// Of the Spearman correlations; null without any.
    pub rank: Option<IcSummary>,
}

/// The scores of an ensemble's members, each by itself over all test samples at the nearest horizon.
#[derive(Debug, Clone, Serialize)]
pub struct Spread {
    /// How many members there are, each trained from a seed of its own.
    pub count: usize,
    /// Mean squared errors.
    pub mse: MemberScores,
    /// Rank information coefficients.
    pub rank_information_coefficient: MemberScores,
    /// Mean negative log likelihoods.
    pub negative_log_likelihood: MemberScores,
}

/// One score of every member.
#[derive(Debug, Clone, Serialize)]
pub struct MemberScores {
    /// The average of the members; null where a member has none.
    pub mean: Option<f64>,
    /// Their standard deviation, divisor n - 1; null where a member has none.
    pub standard_deviation: Option<f64>,
    /// Member by member.
    pub values: Vec<Option<f64>>,
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
    pub fn new(plan: &ForecastPlan, outcome: &ForecastOutcome) -> Result<Self, ExperimentError> {
        let name = &plan.forecaster.name();
        let nearest = Pairs::all(outcome, 0);
        let model = nearest.model();
        let pooled = PooledScores {
            name: name.clone(),
            model: forecast_scores(&model)?,
            yardsticks: yardstick_scores(outcome, nearest)?,
        };
        let horizons = 0..outcome.horizon_bars.len();
        Ok(Self {
            pooled,
            by_horizon: horizons.map(|horizon| horizon_scores(outcome, horizon)).collect::<Result<_, _>>()?,
            versus_yardsticks: versus_yardsticks(name, outcome, nearest, &model)?,
            cross_section: CrossSection::of(nearest, &model)?,
            calibration: calibration(&model)?,
            members: Spread::of(outcome)?,
            recalibration: RecalibrationScores::of(plan.recalibration, outcome),
            by_fold: (0..outcome.folds.len()).map(|fold| fold_scores(outcome, fold)).collect::<Result<_, _>>()?,
        })
    }
}

/// Scores every yardstick.
fn yardstick_scores(outcome: &ForecastOutcome, pairs: Pairs<'_>) -> Result<Yardsticks, ExperimentError> {
    let scores = outcome
        .yardsticks
        .iter()
        .enumerate()
        .map(|(place, yardstick)| Ok((yardstick.name.clone(), forecast_scores(&pairs.yardstick(place))?)));
    scores.collect::<Result<_, ExperimentError>>().map(Yardsticks)
}

/// Tests whether the model's errors differ from the yardsticks'.
fn versus_yardsticks(
    name: &str,
    outcome: &ForecastOutcome,
    pairs: Pairs<'_>,
    model: &[ScoredForecast],
) -> Result<Vec<SkillVersusYardsticks>, ExperimentError> {
    let times = pairs.times();
    let scored: Vec<Vec<ScoredForecast>> = (0..outcome.yardsticks.len()).map(|place| pairs.yardstick(place)).collect();
    let named = outcome.yardsticks.iter().zip(&scored);
    let yardsticks: Vec<NamedForecasts<'_>> =
        named.map(|(yardstick, forecasts)| NamedForecasts { name: &yardstick.name, forecasts }).collect();
    let compare = |loss| {
        skill_versus_yardsticks(&YardstickComparison {
            loss,
            horizon: pairs.horizon_bars() as usize,
            times: &times,
            model: NamedForecasts { name, forecasts: model },
            yardsticks: &yardsticks,
        })
    };
    Ok([Loss::SquaredError, Loss::Crps].into_iter().map(compare).collect::<Result<_, _>>()?)
}

impl CrossSection {
    fn of(pairs: Pairs<'_>, model: &[ScoredForecast]) -> Result<Option<Self>, ExperimentError> {
        let found = cross_sectional_information_coefficient(&pairs.times(), model, pairs.horizon_bars() as usize)?;
        let any = found.pearson.is_some() || found.rank.is_some();
        Ok(any.then_some(Self { pearson: found.pearson, rank: found.rank }))
    }
}

fn horizon_scores(outcome: &ForecastOutcome, horizon: usize) -> Result<HorizonScores, ExperimentError> {
    let pairs = Pairs::all(outcome, horizon);
    let model = pairs.model();
    Ok(HorizonScores {
        horizon_bars: pairs.horizon_bars(),
        model: forecast_scores(&model)?,
        yardsticks: yardstick_scores(outcome, pairs)?,
        level: match pairs.start_prices() {
            Some(prices) => Some(LevelScores::new(&model, &prices)?),
            None => None,
        },
    })
}

impl LevelScores {
    fn new(differences: &[ScoredForecast], start_prices: &[f64]) -> Result<Self, ExperimentError> {
        let error = |mean: fn(&ScoredForecast) -> f64| {
            let pairs = differences.iter().zip(start_prices);
            let levels: Vec<ScoredForecast> = pairs
                .map(|(pair, price)| ScoredForecast::from_moments(price + mean(pair), None, price + pair.actual))
                .collect();
            Ok::<_, ExperimentError>(forecast_scores(&levels)?.relative_squared_error)
        };
        Ok(Self { relative_squared_error: error(|pair| pair.mean)?, last_value: error(|_| 0.0)? })
    }
}

impl Spread {
    fn of(outcome: &ForecastOutcome) -> Result<Option<Self>, ExperimentError> {
        let count = outcome.folds.first().map_or(0, |fold| fold.members.len());
        let is_streamed =
            outcome.folds.iter().any(|fold| fold.members.iter().any(|member| member.predictions.is_empty()));
        if count < 2 || is_streamed {
            return Ok(None);
        }
        let pairs = Pairs::all(outcome, 0);
        let scores: Vec<ForecastScores> =
            (0..count).map(|member| forecast_scores(&pairs.member(member))).collect::<Result<_, _>>()?;
        let of = |score: fn(&ForecastScores) -> Option<f64>| MemberScores::new(scores.iter().map(score).collect());
        Ok(Some(Self {
            count,
            mse: of(|scores| scores.mse),
            rank_information_coefficient: of(|scores| scores.rank_information_coefficient),
            negative_log_likelihood: of(|scores| scores.negative_log_likelihood),
        }))
    }
}

impl MemberScores {
    fn new(values: Vec<Option<f64>>) -> Self {
        let known: Option<Vec<f64>> = values.iter().copied().collect();
        let count = values.len() as f64;
        let mean = known.as_ref().map(|known| known.iter().sum::<f64>() / count);
        let squares =
            known.zip(mean).map(|(known, mean)| known.iter().map(|value| (value - mean).powi(2)).sum::<f64>());
        Self { mean, standard_deviation: squares.map(|squares| (squares / (count - 1.0)).sqrt()), values }
    }
}

fn fold_scores(outcome: &ForecastOutcome, index: usize) -> Result<FoldScores, ExperimentError> {
    let fold = &outcome.folds[index];
    let pairs = Pairs::of_fold(outcome, index);
    Ok(FoldScores {
        fold: fold.fold.index,
        test_first: fold.test_first,
        test_last: fold.test_last,
        train_samples: fold.train_samples,
        valid_samples: fold.valid_samples,
        purged: fold.purged,
        epochs: fold.members.iter().map(|member| member.report.epochs.len()).collect(),
        best_epoch: fold.members.iter().map(|member| member.report.best_epoch).collect(),
        model: forecast_scores(&pairs.model())?,
        yardsticks: yardstick_scores(outcome, pairs)?,
    })
}
