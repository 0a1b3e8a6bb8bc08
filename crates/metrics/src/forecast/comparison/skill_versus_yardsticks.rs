//! A model beside every yardstick: how much better, and whether that may be chance.

use serde::{Deserialize, Serialize};
use tidegate_market::Timestamp;

use super::loss::{Loss, losses, mean_by_time};
use super::{LongRunVariance, MeanTest, PairedLosses, diebold_mariano};
use crate::MetricsError;
use crate::forecast::ScoredForecast;
use crate::forecast::crps_skill;
use crate::sample::mean;

/// The forecasts of one forecaster.
#[derive(Debug, Clone, Copy)]
pub struct NamedForecasts<'a> {
    /// The forecaster's name.
    pub name: &'a str,
    /// Its forecasts, row by row the observations of the others.
    pub forecasts: &'a [ScoredForecast],
}

/// What is compared, and how.
#[derive(Debug, Clone, Copy)]
pub struct YardstickComparison<'a> {
    /// What counts as worse.
    pub loss: Loss,
    /// How many steps of time ahead the forecasts look: neighbors closer than that have overlapping labels.
    pub horizon: usize,
    /// The time of each row. Rows of one time are averaged before testing, because instruments move together.
    pub times: &'a [Timestamp],
    /// The model.
    pub model: NamedForecasts<'a>,
    /// The yardsticks.
    pub yardsticks: &'a [NamedForecasts<'a>],
}

/// A model beside every yardstick.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SkillVersusYardsticks {
    /// The model's name.
    pub model: String,
    /// What counts as worse.
    pub loss: Loss,
    /// How many steps of time ahead the forecasts look.
    pub horizon: usize,
    /// How many times there were.
    pub times: usize,
    /// The model's mean loss: over the instruments of each time, then over times; `None` when it states no distribution that the
    /// loss needs.
    pub mean_loss: Option<f64>,
    /// The yardsticks, in the order given.
    pub yardsticks: Vec<YardstickSkill>,
}

/// A model against one yardstick; undefined is `None`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct YardstickSkill {
    /// The yardstick's name.
    pub yardstick: String,
    /// The yardstick's mean loss.
    pub mean_loss: Option<f64>,
    /// The yardstick's mean loss less the model's: above 0 the model was better.
    pub difference: Option<f64>,
    /// `1 - model's mean loss / yardstick's mean loss`; `None` for a likelihood, whose zero means nothing.
    pub skill: Option<f64>,
    /// The Diebold-Mariano test of the difference: see [`diebold_mariano`]. Its p-value is for this yardstick alone; the smallest of
    /// several is small by chance more often than it says.
    pub test: Option<MeanTest>,
}

/// Compares a model with every yardstick on the same rows.
///
/// # Errors
/// [`MetricsError::Length`] when times and rows differ in number, [`MetricsError::OtherRow`] when a yardstick was held against another
/// outcome, [`MetricsError::Row`] for a number that is not finite or a variance that is not above 0,
/// [`MetricsError::Distribution`] for an invalid distribution, [`MetricsError::NoHorizon`] for a horizon of 0.
pub fn skill_versus_yardsticks(comparison: &YardstickComparison) -> Result<SkillVersusYardsticks, MetricsError> {
    if comparison.horizon == 0 {
        return Err(MetricsError::NoHorizon);
    }
    let model = comparison.losses_by_time(comparison.model)?;
    let yardstick = |&yardstick: &NamedForecasts| -> Result<YardstickSkill, MetricsError> {
        comparison.check_rows(yardstick)?;
        let losses = comparison.losses_by_time(yardstick)?;
        comparison.skill(yardstick.name, model.as_deref(), losses.as_deref())
    };
    Ok(SkillVersusYardsticks {
        model: comparison.model.name.to_owned(),
        loss: comparison.loss,
        horizon: comparison.horizon,
        times: mean_by_time(comparison.times, &vec![0.0; comparison.times.len()])?.len(),
        mean_loss: model.as_deref().and_then(mean),
        yardsticks: comparison.yardsticks.iter().map(yardstick).collect::<Result<_, _>>()?,
    })
}

impl YardstickComparison<'_> {
    fn losses_by_time(&self, forecaster: NamedForecasts) -> Result<Option<Vec<f64>>, MetricsError> {
        let (expected, found) = (self.times.len(), forecaster.forecasts.len());
        if expected != found {
            return Err(MetricsError::Length { name: "the forecasts of each forecaster", expected, found });
        }
        losses(self.loss, forecaster.forecasts)?.map(|losses| mean_by_time(self.times, &losses)).transpose()
    }

    /// Checks that a yardstick was held against the outcomes of the model.
    fn check_rows(&self, yardstick: NamedForecasts) -> Result<(), MetricsError> {
        for (row, (own, other)) in self.model.forecasts.iter().zip(yardstick.forecasts).enumerate() {
            if own.actual != other.actual {
                let (yardstick, expected, found) = (yardstick.name.to_owned(), own.actual, other.actual);
                return Err(MetricsError::OtherRow { yardstick, row, expected, found });
            }
        }
        Ok(())
    }

    fn skill(
        &self,
        name: &str,
        model: Option<&[f64]>,
        yardstick: Option<&[f64]>,
    ) -> Result<YardstickSkill, MetricsError> {
        let mean_loss = yardstick.and_then(mean);
        let means = model.and_then(mean).zip(mean_loss);
        let test = match model.zip(yardstick) {
            Some((model, yardstick)) => {
                diebold_mariano(PairedLosses { model, yardstick }, self.horizon, LongRunVariance::Truncated)?
            }
            None => None,
        };
        Ok(YardstickSkill {
            yardstick: name.to_owned(),
            mean_loss,
            difference: means.map(|(own, other)| other - own),
            skill: means.filter(|_| self.loss.has_zero()).and_then(|(own, other)| crps_skill(own, other)),
            test,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(step: i64) -> Timestamp {
        Timestamp::from_nanos(step)
    }

    fn forecasts(means: &[f64], variance: Option<f64>, actuals: &[f64]) -> Vec<ScoredForecast> {
        means.iter().zip(actuals).map(|(&mean, &actual)| ScoredForecast::from_moments(mean, variance, actual)).collect()
    }

    /// Compares forecasts of 1, 2, 3, 6 with forecasts of 0, three instruments at the first time and one at each other.
    fn compare(loss: Loss, variance: Option<f64>) -> SkillVersusYardsticks {
        let actuals = [1.0, 1.0, 1.0, 2.0, 3.0, 4.0];
        let model = forecasts(&[1.0, 0.0, 2.0, 2.0, 2.0, 4.0], Some(1.0), &actuals);
        let zero = forecasts(&[0.0; 6], variance, &actuals);
        let comparison = YardstickComparison {
            loss,
            horizon: 1,
            times: &[0, 0, 0, 1, 2, 3].map(time),
            model: NamedForecasts { name: "model", forecasts: &model },
            yardsticks: &[NamedForecasts { name: "zero", forecasts: &zero }],
        };
        skill_versus_yardsticks(&comparison).expect("the same rows")
    }

    #[test]
    fn instruments_of_one_time_count_as_one_row_by_hand() {
        let found = compare(Loss::AbsoluteError, None);
        // Model: (0 + 1 + 1) / 3, 0, 1, 0: mean 5/12. Zero: 1, 2, 3, 4: mean 2.5.
        // d: 1/3, 2, 2, 4; mean 25/12; squares around it 49/16 + 2/144 + 529/144 = 972/144, sd sqrt(9/4) = 1.5.
        let zero = &found.yardsticks[0];
        let close = |found: Option<f64>, expected: f64| assert!((found.expect("defined") - expected).abs() < 1e-12);
        assert_eq!((found.times, found.model.as_str(), zero.yardstick.as_str()), (4, "model", "zero"));
        close(found.mean_loss, 5.0 / 12.0);
        close(zero.mean_loss, 2.5);
        close(zero.difference, 25.0 / 12.0);
        close(zero.skill, 1.0 - 1.0 / 6.0);
        close(zero.test.map(|test| test.statistic), 25.0 / 12.0 / (1.5 / 2.0));
    }

    #[test]
    fn a_yardstick_without_a_distribution_has_no_loss_of_one() {
        let found = compare(Loss::Crps, None);
        assert!(found.mean_loss.is_some());
        let zero = &found.yardsticks[0];
        assert_eq!((zero.mean_loss, zero.difference, zero.skill, zero.test), (None, None, None, None));
    }

    #[test]
    fn a_likelihood_has_a_difference_and_no_ratio() {
        let found = compare(Loss::NegativeLogLikelihood, Some(1.0));
        let zero = &found.yardsticks[0];
        // Both have a variance of 1: half the difference of the squared errors, (2/3, 0, 1, 0) against (1, 4, 9, 16).
        assert!((zero.difference.expect("defined") - (30.0 - 5.0 / 3.0) / 8.0).abs() < 1e-12);
        assert_eq!((zero.skill, zero.test.is_some()), (None, true));
    }

    #[test]
    fn a_model_against_itself_has_no_skill_and_no_test() {
        let model = forecasts(&[1.0, 2.0, 4.0], None, &[1.5, 2.0, 3.0]);
        let named = NamedForecasts { name: "model", forecasts: &model };
        let comparison = YardstickComparison {
            loss: Loss::SquaredError,
            horizon: 1,
            times: &[0, 1, 2].map(time),
            model: named,
            yardsticks: &[named],
        };
        let found = skill_versus_yardsticks(&comparison).expect("the same rows");
        let itself = &found.yardsticks[0];
        assert_eq!((itself.difference, itself.skill, itself.test), (Some(0.0), Some(0.0), None));
    }

    #[test]
    fn other_outcomes_are_refused() {
        let (model, other) = (forecasts(&[0.0; 2], None, &[1.0, 2.0]), forecasts(&[0.0; 2], None, &[1.0, 2.5]));
        let comparison = YardstickComparison {
            loss: Loss::SquaredError,
            horizon: 1,
            times: &[0, 1].map(time),
            model: NamedForecasts { name: "model", forecasts: &model },
            yardsticks: &[NamedForecasts { name: "ridge", forecasts: &other }],
        };
        let error = skill_versus_yardsticks(&comparison).expect_err("2.5").to_string();
        let message = "a yardstick must be held against the outcomes of the model: row `1` is `2`, of `ridge` `2.5`\nhint: score \
                       both on the same samples, in the same order";
        assert_eq!(error, message);
        let none = YardstickComparison { times: &[], ..comparison };
        assert!(skill_versus_yardsticks(&none).is_err());
        assert_eq!(
            skill_versus_yardsticks(&YardstickComparison { horizon: 0, ..comparison }),
            Err(MetricsError::NoHorizon)
        );
    }
}
