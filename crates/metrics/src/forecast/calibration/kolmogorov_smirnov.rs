//! Kolmogorov-Smirnov test against the uniform distribution.

use crate::sample::sorted;
use crate::{MetricsError, TestOutcome};

/// Up to so many values the p-value is exact.
const EXACT_COUNT: usize = 500;

/// Beyond this `count * distance^2` the p-value is below 3e-7, and the limit distribution serves.
const EXACT_SQUARE: f64 = 8.0;

/// Tests whether values are uniform on [0, 1], such as the probability integral transforms of a calibrated forecaster or the
/// p-values of a correct test where nothing is to be found; `None` without values.
///
/// The statistic is `max_i max(i / n - u_i, u_i - (i - 1) / n)` over the ascending `u`. Its p-value is exact up to 500 values
/// (Marsaglia, Tsang and Wang 2003, "Evaluating Kolmogorov's Distribution"), beyond it that of the limit distribution with
/// Vrbik's (2018) correction, off by less than 4e-5. Source: Kolmogorov (1933). The values must be independent.
///
/// # Errors
/// [`MetricsError::Row`] for a value outside [0, 1].
pub fn kolmogorov_smirnov_uniform(values: &[f64]) -> Result<Option<TestOutcome>, MetricsError> {
    if let Some(row) = values.iter().position(|value| !(0.0..=1.0).contains(value)) {
        let (name, rule, value) = ("a value of a test of uniformity", "in [0, 1]", values[row]);
        return Err(MetricsError::Row { name, rule, value, row });
    }
    Ok(kolmogorov_smirnov(values))
}

/// Tests whether values in [0, 1] are uniform; `None` without values.
pub(crate) fn kolmogorov_smirnov(values: &[f64]) -> Option<TestOutcome> {
    let count = values.len() as f64;
    let distance = |(rank, value): (usize, f64)| ((rank + 1) as f64 / count - value).max(value - rank as f64 / count);
    let statistic = sorted(values).into_iter().enumerate().map(distance).reduce(f64::max)?;
    Some(TestOutcome { statistic, p_value: p_value(values.len(), statistic) })
}

/// Returns the probability that the largest distance of `count` uniform values is at least `distance`.
fn p_value(count: usize, distance: f64) -> f64 {
    let n = count as f64;
    if distance >= 1.0 {
        return 0.0;
    }
    if count <= EXACT_COUNT && n * distance * distance <= EXACT_SQUARE {
        return (1.0 - exact_cumulative(count, distance)).clamp(0.0, 1.0);
    }
    let z = n.sqrt() * distance;
    limit_tail(z + 1.0 / (6.0 * n.sqrt()) + (z - 1.0) / (4.0 * n))
}

/// Returns Kolmogorov's limit `2 sum_k (-1)^(k - 1) exp(-2 k^2 z^2)`; near 0, where that converges slowly, one less its theta
/// transform `sqrt(2 pi) / z sum_k exp(-(2 k - 1)^2 pi^2 / (8 z^2))`.
fn limit_tail(z: f64) -> f64 {
    use std::f64::consts::{PI, TAU};
    let value = if z < 0.2 {
        1.0
    } else if z < 1.0 {
        let term = |k: f64| (-(2.0 * k - 1.0).powi(2) * PI * PI / (8.0 * z * z)).exp();
        1.0 - TAU.sqrt() / z * (1..=6).map(|k| term(f64::from(k))).sum::<f64>()
    } else {
        let term = |k: f64| (-2.0 * k * k * z * z).exp();
        2.0 * (1..=6).map(|k| if k % 2 == 1 { term(f64::from(k)) } else { -term(f64::from(k)) }).sum::<f64>()
    };
    value.clamp(0.0, 1.0)
}

/// A square matrix whose cells may exceed the range of a float: `cell * 10^exponent`.
#[derive(Debug, Clone)]
struct ScaledMatrix {
    size: usize,
    cells: Vec<f64>,
    exponent: i32,
}

impl ScaledMatrix {
    fn product(&self, other: &Self) -> Self {
        let size = self.size;
        let mut cells = vec![0.0; size * size];
        for row in 0..size {
            for inner in 0..size {
                let factor = self.cells[row * size + inner];
                let target = &mut cells[row * size..(row + 1) * size];
                for (cell, value) in target.iter_mut().zip(&other.cells[inner * size..(inner + 1) * size]) {
                    *cell += factor * value;
                }
            }
        }
        let mut exponent = self.exponent + other.exponent;
        if cells[size / 2 * size + size / 2] > 1e140 {
            for cell in &mut cells {
                *cell *= 1e-140;
            }
            exponent += 140;
        }
        Self { size, cells, exponent }
    }

    fn power(self, exponent: usize) -> Self {
        if exponent == 1 {
            return self;
        }
        let half = self.clone().power(exponent / 2);
        let square = half.product(&half);
        if exponent.is_multiple_of(2) { square } else { square.product(&self) }
    }
}

/// Returns the probability of a largest distance below `distance`: `n! / n^n` times the middle of the n-th power of Durbin's matrix.
fn exact_cumulative(count: usize, distance: f64) -> f64 {
    let scaled = count as f64 * distance;
    let middle = scaled as usize;
    let rest = (middle + 1) as f64 - scaled;
    let power = durbin_matrix(2 * middle + 1, rest).power(count);
    let mut value = power.cells[middle * power.size + middle];
    let mut exponent = power.exponent;
    for factor in 1..=count {
        value *= factor as f64 / count as f64;
        if value < 1e-140 {
            value *= 1e140;
            exponent -= 140;
        }
    }
    value * 10.0_f64.powi(exponent)
}

/// Returns `1 / (i - j + 1)!` with the first column and last row reduced by powers of `rest`.
fn durbin_matrix(size: usize, rest: f64) -> ScaledMatrix {
    let mut inverse_factorial = vec![1.0; size + 1];
    for number in 1..=size {
        inverse_factorial[number] = inverse_factorial[number - 1] / number as f64;
    }
    let mut cells = vec![0.0; size * size];
    for row in 0..size {
        for column in 0..size.min(row + 2) {
            let order = row + 1 - column;
            let mut cell = 1.0;
            if column == 0 {
                cell -= rest.powi(order as i32);
            }
            if row == size - 1 {
                cell -= rest.powi(order as i32);
            }
            if column == 0 && row == size - 1 {
                cell += (2.0 * rest - 1.0).max(0.0).powi(size as i32);
            }
            cells[row * size + column] = cell * inverse_factorial[order];
        }
    }
    ScaledMatrix { size, cells, exponent: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{FORECAST, FORECAST_REFERENCE, assert_close, floats};

    #[test]
    fn p_values_are_those_of_scipy() {
        let rows = FORECAST_REFERENCE["kolmogorov_smirnov"].as_array().expect("a list");
        assert_eq!(rows.len(), 16);
        for row in rows {
            let read = |key: &str| row[key].as_f64().expect("a number");
            let (count, distance, expected) = (read("count") as usize, read("distance"), read("p_value"));
            let tolerance = if count <= EXACT_COUNT { 1e-10 } else { 4e-5 };
            let found = p_value(count, distance);
            assert!((found - expected).abs() < tolerance, "{count} values at {distance}: {found}, not {expected}");
        }
    }

    #[test]
    fn the_transforms_of_the_reference_are_not_uniform() {
        let found = kolmogorov_smirnov_uniform(&floats(&FORECAST["pit"])).expect("in range").expect("200 values");
        assert_close(Some(found.statistic), FORECAST["pit_ks"].as_f64().expect("a number"));
        assert_close(
            Some(found.p_value),
            FORECAST_REFERENCE["calibration"]["kolmogorov_smirnov"][1].as_f64().expect("a number"),
        );
    }

    #[test]
    fn one_value_is_as_far_as_its_farther_end() {
        // P(max(u, 1 - u) >= 0.7) = 0.6.
        let found = kolmogorov_smirnov(&[0.3]).expect("a value");
        assert_close(Some(found.statistic), 0.7);
        assert_close(Some(found.p_value), 0.6);
        assert_eq!(kolmogorov_smirnov(&[]), None);
    }

    #[test]
    fn a_far_distance_is_impossible_and_the_limit_is_kolmogorov_s() {
        assert_eq!(p_value(10, 1.0), 0.0);
        assert!(p_value(400, 0.4) < 1e-50);
        // Kolmogorov's table: the 5 % point is 1.358, the 1 % point 1.628; and K(0.5) = 0.0361.
        assert!((limit_tail(1.358_1) - 0.05).abs() < 1e-5);
        assert!((limit_tail(1.627_6) - 0.01).abs() < 1e-5);
        assert!((limit_tail(0.5) - 0.963_9).abs() < 1e-4);
    }

    #[test]
    fn a_value_outside_the_unit_interval_is_named() {
        let error = kolmogorov_smirnov_uniform(&[0.5, 1.5]).expect_err("outside").to_string();
        assert_eq!(error, "a value of a test of uniformity must be in [0, 1], was `1.5` at row `1`");
    }
}
