//! What a head's outputs mean.
//!
//! A head puts out `P` raw values per horizon, those of one kind for all horizons side by side: `[P, K]`.

use tidegate_forecast::{Predictive, PredictiveShape, Quantile};

use crate::quantile_moments::moments;
use crate::spec::{DEGREES_OF_FREEDOM_MIN, Head};
use crate::target::TargetScale;

/// What stands in a forecast's place before it is made.
pub(super) const BLANK: Predictive =
    Predictive { mean: 0.0, variance: None, epistemic_variance: None, shape: PredictiveShape::Normal };

/// Returns how many raw values a head has per horizon, `P`.
pub(super) const fn outputs(head: &Head) -> usize {
    match head {
        Head::Point => 1,
        Head::Gaussian { .. } | Head::StudentT { degrees_of_freedom: Some(_), .. } => 2,
        Head::StudentT { degrees_of_freedom: None, .. } => 3,
        Head::Quantile { levels } => levels.len(),
    }
}

/// Turns a head's raw values for one sample, `[P, K]`, into forecasts in the targets' units, `[K]`.
pub(super) fn read(head: &Head, raw: &[f64], targets: &[TargetScale], forecasts: &mut [Predictive]) {
    for (horizon, (forecast, target)) in forecasts.iter_mut().zip(targets).enumerate() {
        let value = |kind: usize| raw[kind * targets.len() + horizon];
        *forecast = one(head, value, *target);
    }
}

fn one(head: &Head, value: impl Fn(usize) -> f64, target: TargetScale) -> Predictive {
    let (mean, variance, shape) = match head {
        Head::Point => (value(0), None, PredictiveShape::Normal),
        Head::Gaussian { variance_floor } => {
            (value(0), Some(softplus(value(1)) + variance_floor), PredictiveShape::Normal)
        }
        Head::StudentT { variance_floor, degrees_of_freedom } => {
            let scale_squared = softplus(value(1)) + variance_floor;
            let degrees_of_freedom = degrees_of_freedom.unwrap_or_else(|| softplus(value(2)) + DEGREES_OF_FREEDOM_MIN);
            let variance = scale_squared * degrees_of_freedom / (degrees_of_freedom - 2.0);
            (value(0), Some(variance), PredictiveShape::StudentT { degrees_of_freedom })
        }
        Head::Quantile { levels } => {
            let mut values = vec![value(0)];
            values.extend((1..levels.len()).scan(value(0), |last, place| {
                *last += softplus(value(place));
                Some(*last)
            }));
            let (mean, variance) = moments(levels, &values);
            let quantile = |(&level, &value): (&f64, &f64)| Quantile { level, value: target.mean(value) };
            (mean, Some(variance), PredictiveShape::Quantiles(levels.iter().zip(&values).map(quantile).collect()))
        }
    };
    let variance = variance.map(|variance| target.variance(variance));
    Predictive { mean: target.mean(mean), variance, epistemic_variance: None, shape }
}

/// Returns `ln(1 + e^x)`.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LN_2: f64 = std::f64::consts::LN_2;

    /// Forecasts of targets of mean 1 and standard deviation 2.
    fn forecasts<const K: usize>(head: &Head, raw: &[f64]) -> [Predictive; K] {
        let mut forecasts = [BLANK; K];
        read(head, raw, &[TargetScale { mean: 1.0, standard_deviation: 2.0 }; K], &mut forecasts);
        forecasts
    }

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-14, "{found} is not {expected}");
    }

    #[test]
    fn softplus_is_exact_near_zero_and_far_from_it() {
        // ln 2; e^-40 to first order; 40 + e^-40.
        assert!((softplus(0.0) - LN_2).abs() < 1e-15);
        assert!((softplus(-40.0) / (-40.0_f64).exp() - 1.0).abs() < 1e-15);
        assert_eq!(softplus(40.0), 40.0);
        assert!(softplus(f64::NAN).is_nan());
    }

    #[test]
    fn a_normal_forecast_has_the_units_of_its_target() {
        let [one] = forecasts(&Head::Gaussian { variance_floor: 0.25 }, &[0.5, 0.0]);
        // 1 + 2 * 0.5 and 2^2 (ln 2 + 0.25).
        assert_eq!(one.mean, 2.0);
        close(one.variance.expect("a variance"), 4.0 * (LN_2 + 0.25));
        let [one] = forecasts(&Head::Point, &[0.5]);
        assert_eq!((one.mean, one.variance), (2.0, None));
    }

    #[test]
    fn raw_values_of_one_kind_lie_side_by_side() {
        let [near, far] = forecasts(&Head::Gaussian { variance_floor: 0.25 }, &[0.5, -0.5, 40.0, 0.0]);
        assert_eq!((near.mean, far.mean), (2.0, 0.0));
        assert_eq!(near.variance, Some(4.0 * 40.25));
        close(far.variance.expect("a variance"), 4.0 * (LN_2 + 0.25));
    }

    #[test]
    fn a_student_t_forecast_states_the_variance_of_its_scale() {
        let fixed = Head::StudentT { variance_floor: 0.25, degrees_of_freedom: Some(4.0) };
        let [one] = forecasts(&fixed, &[0.5, 0.0]);
        // The variance is nu / (nu - 2) = 2 times the squared scale.
        close(one.variance.expect("a variance"), 2.0 * 4.0 * (LN_2 + 0.25));
        assert_eq!(one.shape, PredictiveShape::StudentT { degrees_of_freedom: 4.0 });
        let learned = Head::StudentT { variance_floor: 0.25, degrees_of_freedom: None };
        let [one] = forecasts(&learned, &[0.5, 0.0, 40.0]);
        assert_eq!(one.shape, PredictiveShape::StudentT { degrees_of_freedom: 42.01 });
        assert_eq!((outputs(&fixed), outputs(&learned)), (2, 3));
    }

    #[test]
    fn quantiles_rise_by_softplus_steps_in_the_units_of_the_target() {
        let [one] = forecasts(&Head::Quantile { levels: vec![0.1, 0.5, 0.9] }, &[-1.0, 0.0, 0.0]);
        let PredictiveShape::Quantiles(quantiles) = one.shape else { panic!("quantiles") };
        assert_eq!(quantiles.iter().map(|quantile| quantile.level).collect::<Vec<_>>(), [0.1, 0.5, 0.9]);
        for (quantile, expected) in quantiles.iter().zip([-1.0, -1.0 + LN_2, -1.0 + 2.0 * LN_2]) {
            close(quantile.value, 1.0 + 2.0 * expected);
        }
        // Symmetric around the median.
        close(one.mean, 1.0 + 2.0 * (-1.0 + LN_2));
    }
}
