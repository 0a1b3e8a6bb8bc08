//! A forecast as the distribution that it is scored by.

use tidegate_metrics::Distribution;

use crate::{Predictive, PredictiveShape};

impl Predictive {
    /// Returns the distribution over the target's values: its quantiles where it states at least two, else its shape with its
    /// mean and variance, else, without a variance, a point.
    pub fn distribution(&self) -> Distribution {
        match (&self.shape, self.variance) {
            (PredictiveShape::Quantiles(points), _) if points.len() > 1 => Distribution::Quantiles {
                levels: points.iter().map(|point| point.level).collect(),
                values: points.iter().map(|point| point.value).collect(),
            },
            (PredictiveShape::StudentT { degrees_of_freedom }, Some(variance)) => {
                Distribution::student_t_from_moments(self.mean, variance, *degrees_of_freedom)
            }
            (_, variance) => Distribution::from_moments(self.mean, variance),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Quantile;

    fn check(variance: Option<f64>, shape: PredictiveShape, expected: &Distribution) {
        let found = Predictive { mean: 1.0, variance, epistemic_variance: None, shape }.distribution();
        assert_eq!(&found, expected);
        found.validate().expect("a distribution");
    }

    #[test]
    fn a_normal_forecast_is_normal_and_one_without_a_variance_a_point() {
        let normal = Distribution::Normal { mean: 1.0, standard_deviation: 2.0 };
        check(Some(4.0), PredictiveShape::Normal, &normal);
        check(None, PredictiveShape::Normal, &Distribution::Point { value: 1.0 });
        let heavy = PredictiveShape::StudentT { degrees_of_freedom: 4.0 };
        check(None, heavy, &Distribution::Point { value: 1.0 });
    }

    #[test]
    fn a_student_t_keeps_its_variance() {
        // Scale sqrt(8 (4 - 2) / 4) = 2.
        let expected = Distribution::StudentT { location: 1.0, scale: 2.0, degrees_of_freedom: 4.0 };
        check(Some(8.0), PredictiveShape::StudentT { degrees_of_freedom: 4.0 }, &expected);
        assert!((expected.variance().expect("above two degrees of freedom") - 8.0).abs() < 1e-12);
    }

    #[test]
    fn quantiles_are_kept_and_one_alone_says_nothing_of_the_spread() {
        let points = |values: &[(f64, f64)]| {
            PredictiveShape::Quantiles(values.iter().map(|&(level, value)| Quantile { level, value }).collect())
        };
        let expected = Distribution::Quantiles { levels: vec![0.1, 0.9], values: vec![-2.0, 3.0] };
        check(Some(4.0), points(&[(0.1, -2.0), (0.9, 3.0)]), &expected);
        check(Some(4.0), points(&[(0.5, 0.8)]), &Distribution::Normal { mean: 1.0, standard_deviation: 2.0 });
    }
}
