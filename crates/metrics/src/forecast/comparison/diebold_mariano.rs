//! Diebold-Mariano test of equal accuracy.

use super::mean_test::{LongRunVariance, MeanTest, largest, mean_test, varies};
use crate::MetricsError;

/// The losses of a model and of a yardstick on the same rows, in the order of time.
#[derive(Debug, Clone, Copy)]
pub struct PairedLosses<'a> {
    /// The model's losses; lower is better.
    pub model: &'a [f64],
    /// The yardstick's losses.
    pub yardstick: &'a [f64],
}

/// Tests whether a model and a yardstick are equally accurate, from their losses on the same rows; a statistic above 0 speaks for
/// the model. `None` when the losses differ by a constant, or there are no more rows than steps.
///
/// The mean of `d = yardstick - model` is tested as [`mean_test`] does, with the correction of Harvey, Leybourne and Newbold (1997):
/// forecasts `horizon` steps ahead have errors that depend on the `horizon - 1` before them. Several instruments at one time are not
/// independent: average their losses first ([`mean_by_time`](crate::mean_by_time)). The test is not for nested models that are
/// estimated on the same growing sample. Source: Diebold and Mariano (1995), "Comparing Predictive Accuracy".
///
/// # Errors
/// [`MetricsError::Length`] when the two differ in number, [`MetricsError::Row`] for a loss that is not finite,
/// [`MetricsError::NoHorizon`] for a horizon of 0.
pub fn diebold_mariano(
    losses: PairedLosses,
    horizon: usize,
    variance: LongRunVariance,
) -> Result<Option<MeanTest>, MetricsError> {
    let (expected, found) = (losses.model.len(), losses.yardstick.len());
    if expected != found {
        return Err(MetricsError::Length { name: "the losses of a yardstick", expected, found });
    }
    let differences: Vec<f64> = losses.yardstick.iter().zip(losses.model).map(|(other, own)| other - own).collect();
    let test = mean_test(&differences, horizon, variance)?;
    Ok(test.filter(|_| varies(&differences, largest(losses.model).max(largest(losses.yardstick)))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{FORECAST_REFERENCE, assert_close, floats};

    fn kernel(row: &serde_json::Value) -> LongRunVariance {
        serde_json::from_value(row["kernel"].clone()).expect("a kernel")
    }

    #[test]
    fn statistics_and_p_values_are_those_of_a_regression_with_robust_errors() {
        let reference = &FORECAST_REFERENCE["diebold_mariano"];
        let (model, yardstick) = (floats(&reference["model"]), floats(&reference["yardstick"]));
        let losses = PairedLosses { model: &model, yardstick: &yardstick };
        let tests = reference["tests"].as_array().expect("a list");
        assert_eq!(tests.len(), 6);
        for row in tests {
            let horizon = row["horizon"].as_u64().expect("a number") as usize;
            let found = diebold_mariano(losses, horizon, kernel(row)).expect("valid").expect("varies");
            assert_close(Some(found.statistic), row["statistic"].as_f64().expect("a number"));
            assert_close(Some(found.p_value), row["p_value"].as_f64().expect("a number"));
            assert_eq!(found.variance, kernel(row));
        }
    }

    #[test]
    fn a_negative_variance_gives_way_to_bartlett_s() {
        let reference = &FORECAST_REFERENCE["diebold_mariano"];
        let differences = floats(&reference["zigzag"]);
        let zeros = vec![0.0; differences.len()];
        let losses = PairedLosses { model: &zeros, yardstick: &differences };
        let found = diebold_mariano(losses, 2, LongRunVariance::Truncated).expect("valid").expect("varies");
        let (truncated, bartlett) = (&reference["zigzag_tests"][0], &reference["zigzag_tests"][1]);
        assert!(truncated["variance"].as_f64().expect("a number") < 0.0);
        assert_eq!(found.variance, LongRunVariance::Bartlett);
        assert_close(Some(found.statistic), bartlett["statistic"].as_f64().expect("a number"));
        assert_close(Some(found.p_value), bartlett["p_value"].as_f64().expect("a number"));
    }

    #[test]
    fn a_better_model_has_a_statistic_above_zero() {
        let losses = PairedLosses { model: &[1.0, 0.5, 0.8, 0.2], yardstick: &[2.0, 1.6, 1.7, 1.4] };
        let found = diebold_mariano(losses, 1, LongRunVariance::Truncated).expect("valid").expect("varies");
        assert!(found.statistic > 0.0 && found.p_value < 0.001);
    }

    #[test]
    fn losses_that_differ_by_a_constant_cannot_be_tested() {
        // 0.1 + 0.2 and the like differ from 0.3 in the last bit.
        let model = [0.1, 0.2, 0.7, 1.1];
        let yardstick = model.map(|loss| loss + 0.3);
        let losses = PairedLosses { model: &model, yardstick: &yardstick };
        assert_eq!(diebold_mariano(losses, 1, LongRunVariance::Truncated), Ok(None));
    }

    #[test]
    fn losses_of_other_rows_are_refused() {
        let losses = PairedLosses { model: &[1.0, 2.0], yardstick: &[1.0] };
        let error = diebold_mariano(losses, 1, LongRunVariance::Truncated).expect_err("one row").to_string();
        assert_eq!(error, "the losses of a yardstick must have `2` rows, has `1`");
    }
}
