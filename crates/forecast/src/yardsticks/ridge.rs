//! Linear regression with a penalty: the yardstick that a network on engineered features has to beat.

use serde::{Deserialize, Serialize};

use super::least_squares::{Problem, Solution, Standardised, feature_count, last_steps};
use super::{ensure_one_horizon, finite, predictive, targets};
use crate::{FitTask, FittedForecaster, ForecastError, Forecaster, Predictive, TrainingReport, Windows, checkpoint};

const NAME: &str = "ridge";

/// The penalties that [`Ridge`] chooses from on the validation set.
pub const RIDGE_LAMBDAS: [f64; 9] = [1e-4, 1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2, 1e3, 1e4];

/// Ridge regression on the last step of every scale's window.
///
/// Features are standardised by the training set (mean, deviation over `n`; a constant feature gets no weight), and the
/// intercept is not penalised: the coefficients `b` minimise `sum w (y - mean(y) - z b)^2 / n + lambda |b|^2`, with the
/// samples' weights `w`, whose mean is 1. As the penalty is per sample, `lambda` does not depend on how long the training set
/// is: at 1 it weighs as much as the variance of one feature.
///
/// The variance is that of the weighted training residuals, `RSS / (n - 1 - df)`, with the effective degrees of freedom
/// `df = tr(Z (Z'WZ + n lambda I)^-1 Z'W)` (Hastie, Tibshirani and Friedman, "The elements of statistical learning", 3.50).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ridge {
    /// The penalty, above 0; `None` takes the one of [`RIDGE_LAMBDAS`] with the smallest mean squared error on the validation set,
    /// the larger one of two that tie. The weights are fitted on the training set alone either way.
    pub lambda: Option<f64>,
}

impl Forecaster for Ridge {
    fn name(&self) -> &str {
        NAME
    }

    fn fit(&self, task: &FitTask<'_>) -> Result<Box<dyn FittedForecaster>, ForecastError> {
        task.ensure_running()?;
        if let Some(lambda) = self.lambda.filter(|lambda| !(lambda.is_finite() && *lambda > 0.0)) {
            let rule = "finite and above 0".to_owned();
            return Err(ForecastError::Range { name: "lambda", rule, value: lambda.to_string() });
        }
        let problem = Problem::new(task.train)?;
        let fitted = match self.lambda {
            Some(lambda) => FittedRidge::new(&problem, lambda)?,
            None => choose(&problem, task.valid)?,
        };
        Ok(Box::new(fitted))
    }

    fn restore(&self, checkpoint: &[u8]) -> Result<Box<dyn FittedForecaster>, ForecastError> {
        Ok(Box::new(checkpoint::read::<FittedRidge>(NAME, checkpoint)?))
    }
}

/// Returns the fit with the smallest validation error, trying the largest penalty first.
fn choose(problem: &Problem, valid: &Windows) -> Result<FittedRidge, ForecastError> {
    let valid_targets = targets("validation set", valid, 1)?;
    let mut best: Option<(f64, FittedRidge)> = None;
    for &lambda in RIDGE_LAMBDAS.iter().rev() {
        let fitted = FittedRidge::new(problem, lambda)?;
        let squares =
            fitted.means(valid)?.into_iter().zip(&valid_targets).map(|(mean, target)| (target - mean).powi(2));
        let error = squares.sum::<f64>() / valid_targets.len() as f64;
        if best.as_ref().is_none_or(|(smallest, _)| error < *smallest) {
            best = Some((error, fitted));
        }
    }
    Ok(best.expect("there is at least one penalty").1)
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FittedRidge {
    lambda: f64,
    intercept: f64,
    scaling: Vec<Standardised>,
    weights: Vec<f64>,
    residual_variance: f64,
}

impl FittedRidge {
    fn new(problem: &Problem, lambda: f64) -> Result<Self, ForecastError> {
        let Solution { weights, residual_variance } = problem.solve(lambda)?;
        Ok(Self { lambda, intercept: problem.intercept, scaling: problem.scaling.clone(), weights, residual_variance })
    }

    fn means(&self, windows: &Windows) -> Result<Vec<f64>, ForecastError> {
        let [expected, found] = [self.weights.len(), feature_count(windows)];
        if expected != found {
            return Err(ForecastError::Shape { what: "a sample's last steps", expected, found });
        }
        (0..windows.len())
            .map(|sample| {
                let terms = last_steps(windows, sample).zip(&self.scaling).zip(&self.weights);
                let mean =
                    terms.fold(self.intercept, |sum, ((value, scaling), weight)| sum + scaling.apply(value) * weight);
                finite(mean, || format!("the forecast of sample `{sample}`"))
            })
            .collect()
    }
}

impl FittedForecaster for FittedRidge {
    fn forecast(&self, windows: &Windows) -> Result<Vec<Predictive>, ForecastError> {
        ensure_one_horizon(windows)?;
        let variance = Some(self.residual_variance);
        Ok(self.means(windows)?.into_iter().map(|mean| predictive(mean, variance)).collect())
    }

    fn checkpoint(&self) -> Result<Vec<u8>, ForecastError> {
        checkpoint::write(NAME, self)
    }

    fn report(&self) -> TrainingReport {
        // The weights, the intercept and the variance.
        TrainingReport { parameters: self.weights.len() + 2, ..TrainingReport::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::tabular;
    use crate::{NoMonitor, NoStore, WindowBlock};

    /// Twelve samples of three features, as `X` below.
    fn twelve() -> Windows {
        let rows: Vec<[f32; 3]> = (0..12_u16)
            .map(|i| {
                let square = f32::from((i * 5 % 12).pow(2));
                [f32::from(i * 7 % 12) / 4.0 - 1.0, square / 10.0, f32::from(i * i % 7) - 3.0]
            })
            .collect();
        let rows: Vec<&[f32]> = rows.iter().map(<[f32; 3]>::as_slice).collect();
        tabular(&rows, &[0.3, -1.2, 0.8, 2.1, -0.4, 0.9, -2.0, 1.1, 0.05, -0.7, 1.6, 0.2])
    }

    fn valid() -> Windows {
        tabular(&[&[0.5, 2.0, -1.0], &[-1.0, 4.0, 2.0], &[1.5, 0.5, 0.0]], &[0.24, 0.15, 0.40])
    }

    fn fit(lambda: Option<f64>, train: &Windows, valid: &Windows) -> Result<Box<dyn FittedForecaster>, ForecastError> {
        Ridge { lambda }.fit(&FitTask { train, valid, seed: 0, monitor: &NoMonitor, store: &NoStore })
    }

    fn check(lambda: Option<f64>, mean: f64, variance: f64) {
        let fitted = fit(lambda, &twelve(), &valid()).expect("fits");
        let forecast = &fitted.forecast(&valid()).expect("same shape")[0];
        let found = forecast.variance.expect("stated");
        assert!((forecast.mean - mean).abs() < 1e-12 && (found - variance).abs() < 1e-12, "{forecast:?}");
    }

    #[test]
    fn equals_numpys_least_squares_on_the_augmented_system() {
        // i = arange(12); X = stack([(i*7%12)/4-1, (i*5%12)**2/10, i*i%7-3], 1).astype(float32).astype(float)
        // Z = (X-X.mean(0))/X.std(0); A = vstack([c_[ones(12), Z], c_[zeros(3), sqrt(12*lam)*eye(3)]])
        // beta = lstsq(A, r_[y, zeros(3)])[0]; d = svd(Z, compute_uv=False)**2
        // variance = sum((y-c_[ones(12), Z]@beta)**2) / (11-(d/(d+12*lam)).sum()); mean at (0.5, 2, -1)
        check(Some(0.1), 0.259_075_622_449_788_93, 1.714_367_395_332_138_6);
        check(Some(1.0), 0.261_738_407_232_030_2, 1.512_352_038_969_637_9);
    }

    #[test]
    fn the_penalty_is_chosen_on_the_validation_set() {
        // NumPy's validation errors for 1e-4 ... 1e4: .01233 .01226 .01159 .00783 .00221 .00726 .01126 .01179 .01185.
        check(None, 0.261_738_407_232_030_2, 1.512_352_038_969_637_9);
    }

    #[test]
    fn one_feature_by_hand() {
        // x = 1, 3 standardises to -1, 1; y = 10, 14 centers to -2, 2; Z'y/n = 2; the weight at lambda 1 is 2 / (1 + 1) = 1.
        // Residuals -1, 1: RSS 2; df = 1 / 2; variance 2 / (2 - 1 - 1/2) = 4. At x = 4, z = 2: 12 + 2 = 14.
        let train = tabular(&[&[1.0], &[3.0]], &[10.0, 14.0]);
        let fitted = fit(Some(1.0), &train, &Windows::default()).expect("fits");
        let forecast = fitted.forecast(&tabular(&[&[4.0]], &[0.0])).expect("same shape");
        assert_eq!(forecast, [predictive(14.0, Some(4.0))]);
        assert_eq!(fitted.report().parameters, 3);
    }

    #[test]
    fn the_last_step_of_every_scale_is_read() {
        // The first scale's last steps are 1 and 3 as above; the second scale's are constant and weigh nothing.
        let mut train = tabular(&[&[1.0], &[3.0]], &[10.0, 14.0]);
        train.scales[0] = WindowBlock { steps: 2, features: 1, values: vec![9.0, 1.0, -7.0, 3.0], lengths: vec![] };
        train.scales.push(WindowBlock { steps: 1, features: 1, values: vec![0.1, 0.1], lengths: vec![] });
        let fitted = fit(Some(1.0), &train, &Windows::default()).expect("fits");
        let mut later = tabular(&[&[4.0]], &[0.0]);
        later.scales.push(WindowBlock { steps: 1, features: 1, values: vec![1e6], lengths: vec![] });
        assert_eq!(fitted.forecast(&later).expect("same shape"), [predictive(14.0, Some(4.0))]);
    }

    #[test]
    fn more_samples_than_a_block_give_the_same_fit() {
        // Every sample 50 times over leaves means, Gram matrix and moment as they are, and with them the weights.
        let one = twelve();
        let mut many = one.clone();
        many.scales[0].values = one.scales[0].values.repeat(50);
        many.samples = one.samples.repeat(50);
        many.target = one.target.repeat(50);
        many.ewma_variance = one.ewma_variance.repeat(50);
        let [few, many] = [one, many].map(|train| fit(Some(0.1), &train, &Windows::default()).expect("fits"));
        let [few, many] = [few, many].map(|fitted| fitted.forecast(&valid()).expect("same shape"));
        assert!(few.iter().zip(&many).all(|(few, many)| (few.mean - many.mean).abs() < 1e-12));
    }

    #[test]
    fn a_sample_of_twice_the_weight_is_two_samples() {
        // As often, the last three twice: the same sums over n = 15 as weights 1 and 2, which are 0.8 and 1.6 at mean 1.
        let mut weighted = twelve();
        weighted.weight = (0..12).map(|sample| if sample < 9 { 0.8 } else { 1.6 }).collect();
        let mut repeated = twelve();
        let last: Vec<f32> = repeated.scales[0].values[27..].to_vec();
        repeated.scales[0].values.extend(last);
        repeated.samples.extend_from_within(9..);
        repeated.target.extend_from_within(9..);
        let [weighted, repeated] = [weighted, repeated]
            .map(|train| fit(Some(0.1), &train, &Windows::default()).expect("fits").forecast(&valid()).expect("shape"));
        assert!(weighted.iter().zip(&repeated).all(|(one, other)| (one.mean - other.mean).abs() < 1e-12));
    }

    #[test]
    fn a_restored_fit_forecasts_the_same_bits() {
        let fitted = fit(None, &twelve(), &valid()).expect("fits");
        let bytes = fitted.checkpoint().expect("writes");
        let restored = Ridge { lambda: None }.restore(&bytes).expect("its own bytes");
        assert_eq!(restored.forecast(&twelve()).expect("same shape"), fitted.forecast(&twelve()).expect("same shape"));
        assert_eq!(restored.checkpoint().expect("writes"), bytes);
        assert_eq!(restored.report(), fitted.report());
    }

    #[test]
    fn what_cannot_be_fitted_is_named() {
        let message =
            |lambda, train: &Windows| fit(lambda, train, &Windows::default()).err().expect("refused").to_string();
        assert!(message(None, &twelve()).starts_with("validation set must have at least `1` samples, has `0`"));
        assert_eq!(message(Some(0.0), &twelve()), "lambda must be finite and above 0, was `0`");
        assert!(
            message(Some(1.0), &tabular(&[&[0.0]], &[1.0])).starts_with("training set must have at least `2` samples")
        );
        let infinite = tabular(&[&[f32::INFINITY], &[0.0]], &[1.0, 2.0]);
        assert_eq!(message(Some(1.0), &infinite), "the standard deviation of feature `0` must be finite, was `NaN`");
        let mut unlabelled = twelve();
        unlabelled.target[3] = Some(f64::NAN);
        assert_eq!(
            message(Some(1.0), &unlabelled),
            "the label of sample `3` of the training set must be finite, was `NaN`"
        );
    }

    #[test]
    fn windows_of_another_shape_are_refused() {
        let fitted = fit(Some(1.0), &twelve(), &Windows::default()).expect("fits");
        let error = fitted.forecast(&tabular(&[&[0.0]], &[0.0])).expect_err("one feature");
        assert_eq!(error, ForecastError::Shape { what: "a sample's last steps", expected: 3, found: 1 });
    }
}
