//! The parameters under which a series' returns are likeliest.

use std::f64::consts::PI;

use nalgebra::Vector4;

use super::minimize::{Slope, minimize};
use super::process::Process;
use crate::ForecastError;
use crate::yardsticks::finite;

/// How many returns the recursion's start is taken from, and how fast their weight falls.
const BACKCAST_RETURNS: usize = 75;
const BACKCAST_DECAY: f64 = 0.94;

/// Where the search may start: `alpha` and `alpha + beta`.
const STARTS: [(f64, f64); 8] =
    [(0.02, 0.6), (0.1, 0.6), (0.05, 0.8), (0.2, 0.8), (0.05, 0.93), (0.15, 0.93), (0.03, 0.985), (0.1, 0.985)];

/// Fits the returns at the trained rows; `None` when they never move.
///
/// The variance runs through every return from the first one on, and only those at trained rows are likely or not.
///
/// # Errors
/// [`ForecastError::NotFinite`] for returns that are not.
pub(super) fn fit_series(returns: &[Option<f64>], trained: &[bool]) -> Result<Option<Process>, ForecastError> {
    let counted: Vec<f64> = returns.iter().zip(trained).filter_map(|(one, trained)| one.filter(|_| *trained)).collect();
    let count = counted.len() as f64;
    let mean = counted.iter().sum::<f64>() / count;
    let variance = counted.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / count;
    let deviation = finite(variance.sqrt(), || "the standard deviation of a series' one-bar returns".to_owned())?;
    // Rounding alone gives equal returns a deviation of this size.
    if deviation <= 1e-12 * mean.abs() {
        return Ok(None);
    }
    // In units of the deviation, so that the search sees numbers near 1.
    let standard: Vec<Option<f64>> = returns.iter().map(|one| one.map(|one| (one - mean) / deviation)).collect();
    let backcast = backcast(counted.iter().map(|one| (one - mean) / deviation));
    let first = standard.iter().position(Option::is_some).expect("some returns are counted");
    let likelihood = Likelihood { returns: &standard[first..], trained: &trained[first..], backcast };
    let best = minimize(|free| likelihood.slope(free), likelihood.start());
    let process = likelihood.process(&best.0);
    Ok(Some(Process {
        mean: mean + process.mean * deviation,
        omega: finite(process.omega * variance, || "a fitted omega".to_owned())?,
        backcast: backcast * variance,
        ..process
    }))
}

/// The weighted mean of the first squares, the oldest weighing the most.
fn backcast(standard: impl Iterator<Item = f64>) -> f64 {
    let mut weight = 1.0;
    let [mut squares, mut weights] = [0.0; 2];
    for one in standard.take(BACKCAST_RETURNS) {
        squares += weight * one * one;
        weights += weight;
        weight *= BACKCAST_DECAY;
    }
    squares / weights
}

/// The normal likelihood of returns under a process that starts from a fixed variance.
struct Likelihood<'a> {
    /// From the first return on.
    returns: &'a [Option<f64>],
    trained: &'a [bool],
    backcast: f64,
}

impl Likelihood<'_> {
    /// Returns the likeliest of the starting points, each with the omega that gives a variance of 1 in the long run.
    fn start(&self) -> Vector4<f64> {
        let starts = STARTS.map(|(alpha, persistence)| {
            let free =
                Vector4::new(0.0, (1.0 - persistence).ln(), log_odds(persistence), log_odds(alpha / persistence));
            (self.slope(&free).0, free)
        });
        starts.into_iter().min_by(|one, other| one.0.total_cmp(&other.0)).expect("there are starting points").1
    }

    /// Turns free variables into parameters: the mean, the logarithm of omega, the log odds of `alpha + beta` and those of
    /// alpha's share of it.
    fn process(&self, free: &Vector4<f64>) -> Process {
        let [persistence, share] = [sigmoid(free[2]), sigmoid(free[3])];
        Process {
            mean: free[0],
            omega: free[1].exp(),
            alpha: persistence * share,
            beta: persistence * (1.0 - share),
            backcast: self.backcast,
        }
    }

    /// Returns the mean negative log-likelihood and its gradient in the free variables.
    fn slope(&self, free: &Vector4<f64>) -> Slope {
        let process = self.process(free);
        let (value, gradient) = self.negative_log_likelihood(&process);
        let [persistence, share] = [sigmoid(free[2]), sigmoid(free[3])];
        let by_persistence = share * gradient[2] + (1.0 - share) * gradient[3];
        let by_share = persistence * (gradient[2] - gradient[3]);
        let chain = Vector4::new(
            gradient[0],
            gradient[1] * process.omega,
            by_persistence * persistence * (1.0 - persistence),
            by_share * share * (1.0 - share),
        );
        (value, chain)
    }

    /// Returns the mean of `(ln 2 pi h + e^2 / h) / 2` and its gradient by mean, omega, alpha and beta.
    fn negative_log_likelihood(&self, process: &Process) -> Slope {
        let mut variance = process.first_variance();
        let mut by = Vector4::new(0.0, 1.0, self.backcast, self.backcast);
        let (mut sum, mut gradient, mut count) = (0.0, Vector4::zeros(), 0.0);
        for (one, trained) in self.returns.iter().zip(self.trained) {
            let error = one.map(|one| one - process.mean);
            if let Some(error) = error.filter(|_| *trained) {
                let square = error * error / variance;
                sum += 0.5 * ((2.0 * PI * variance).ln() + square);
                gradient += by * ((1.0 - square) / (2.0 * variance));
                gradient[0] -= error / variance;
                count += 1.0;
            }
            let own = match error {
                Some(error) => Vector4::new(-2.0 * process.alpha * error, 1.0, error * error, variance),
                None => by * process.alpha + Vector4::new(0.0, 1.0, variance, variance),
            };
            (variance, by) = (process.next_variance(variance, *one), own + by * process.beta);
        }
        (sum / count, gradient / count)
    }
}

fn sigmoid(odds: f64) -> f64 {
    1.0 / (1.0 + (-odds).exp())
}

fn log_odds(probability: f64) -> f64 {
    (probability / (1.0 - probability)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn returns() -> Vec<Option<f64>> {
        (0..200_u32).map(|row| (row % 41 != 7).then(|| f64::from(row * row % 97) / 40.0 - 1.2)).collect()
    }

    #[test]
    fn the_gradient_is_the_slope_of_the_likelihood() {
        let returns = returns();
        let trained: Vec<bool> = (0..200).map(|row| row % 3 != 0).collect();
        let likelihood = Likelihood { returns: &returns, trained: &trained, backcast: 0.8 };
        let at = Vector4::new(0.1, -1.0, 1.5, -0.7);
        let (_, gradient) = likelihood.slope(&at);
        for axis in 0..4 {
            let mut step = Vector4::zeros();
            step[axis] = 1e-5;
            let rise = likelihood.slope(&(at + step)).0 - likelihood.slope(&(at - step)).0;
            assert!((gradient[axis] - rise / 2e-5).abs() < 1e-8, "{axis}: {} {}", gradient[axis], rise / 2e-5);
        }
    }

    #[test]
    fn the_likelihood_of_two_returns_by_hand() {
        // Start 4: h_1 = 0.5 + 0.75 * 4 = 3.5, h_2 = 0.5 + 0.25 * 4 + 0.5 * 3.5 = 3.25; errors 2 and -1.
        // (ln(2 pi 3.5) + 4 / 3.5 + ln(2 pi 3.25) + 1 / 3.25) / 4 = 1.889430.
        let process = Process { mean: 1.0, omega: 0.5, alpha: 0.25, beta: 0.5, backcast: 4.0 };
        let likelihood = Likelihood { returns: &[Some(3.0), Some(0.0)], trained: &[true, true], backcast: 4.0 };
        assert!((likelihood.negative_log_likelihood(&process).0 - 1.889_430).abs() < 1e-6);
    }

    #[test]
    fn the_first_squares_weigh_the_most() {
        // (1 * 4 + 0.94 * 1) / 1.94 = 2.546392.
        assert!((backcast([2.0, -1.0].into_iter()) - 2.546_391_752_577_32).abs() < 1e-12);
        assert!((backcast(std::iter::repeat_n(3.0, 500)) - 9.0).abs() < 1e-12);
    }

    #[test]
    fn returns_that_never_move_have_no_process() {
        assert_eq!(fit_series(&[Some(0.0); 200], &[true; 200]), Ok(None));
        assert_eq!(fit_series(&[Some(0.01); 200], &[true; 200]), Ok(None));
    }
}
