//! Skill of a forecaster against a yardstick.

use serde::{Deserialize, Serialize};

use super::{ForecastScores, crps_skill};
use crate::sample::finite;

/// How much better than a yardstick a forecaster did on the same rows; above 0 is better, undefined is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Skill {
    /// `1 - mse / mse of the yardstick`.
    pub mse: Option<f64>,
    /// `1 - crps / crps of the yardstick`.
    pub crps: Option<f64>,
    /// The yardstick's negative log likelihood less the forecaster's, in nats a forecast: a ratio of logarithms means nothing.
    pub negative_log_likelihood: Option<f64>,
}

/// Computes the skill of a forecaster against a yardstick that was scored on the same rows; all `None` when the two differ in
/// number.
///
/// Source: Murphy (1988), "Skill Scores Based on the Mean Square Error"; Gneiting and Raftery (2007).
pub fn skill(scores: &ForecastScores, yardstick: &ForecastScores) -> Skill {
    if scores.count != yardstick.count {
        return Skill::default();
    }
    Skill {
        mse: relative(scores.mse, yardstick.mse),
        crps: relative(scores.crps, yardstick.crps),
        negative_log_likelihood: scores
            .negative_log_likelihood
            .zip(yardstick.negative_log_likelihood)
            .and_then(|(own, other)| finite(other - own)),
    }
}

fn relative(own: Option<f64>, other: Option<f64>) -> Option<f64> {
    let (own, other) = own.zip(other)?;
    crps_skill(own, other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(mse: f64, negative_log_likelihood: Option<f64>) -> ForecastScores {
        ForecastScores { count: 10, mse: Some(mse), negative_log_likelihood, ..ForecastScores::default() }
    }

    #[test]
    fn a_quarter_less_error_is_a_skill_of_a_quarter() {
        let skill = skill(&scores(3.0, Some(-2.5)), &scores(4.0, Some(-2.0)));
        assert_eq!((skill.mse, skill.negative_log_likelihood, skill.crps), (Some(0.25), Some(0.5), None));
    }

    #[test]
    fn a_yardstick_that_is_never_wrong_leaves_none() {
        assert_eq!(skill(&scores(3.0, None), &scores(0.0, Some(1.0))), Skill::default());
    }

    #[test]
    fn other_rows_cannot_be_compared() {
        let other = ForecastScores { count: 9, ..scores(4.0, None) };
        assert_eq!(skill(&scores(3.0, None), &other), Skill::default());
    }
}
