//! A statistic of one or two series over all resamples, with the standard error of each.

use super::long_run_variance::{block_variance, stationary_variance};
use crate::Resamples;
use crate::sample::{ROUNDING, finite, is_constant, mean, sorted, standard_deviation};

/// Computes a statistic and writes how far each value moves it, values whose mean is 0; `None` where it is undefined.
pub(super) type Statistic = fn(&[f64], &mut Vec<f64>) -> Option<f64>;

/// The mean: each value moves it by its difference from the mean.
pub(super) fn mean_of(values: &[f64], influence: &mut Vec<f64>) -> Option<f64> {
    let center = mean(values)?;
    influence.clear();
    influence.extend(values.iter().map(|value| value - center));
    Some(center)
}

/// The Sharpe ratio `s` of one period: a value `z` standard deviations from the mean moves it by `z - s / 2 (z^2 - 1)`.
///
/// Source: the delta method, as in Lo (2002), "The Statistics of Sharpe Ratios".
pub(super) fn sharpe_ratio_of(values: &[f64], influence: &mut Vec<f64>) -> Option<f64> {
    let center = mean(values)?;
    let deviation = standard_deviation(values).filter(|&deviation| deviation >= ROUNDING)?;
    let ratio = finite(center / deviation)?;
    let count = values.len() as f64;
    let population = deviation * ((count - 1.0) / count).sqrt();
    influence.clear();
    influence.extend(values.iter().map(|value| {
        let z = (value - center) / population;
        z - 0.5 * ratio * (z * z - 1.0)
    }));
    Some(ratio)
}

/// What resampling says about a statistic, or about the difference of that of two series.
#[derive(Debug)]
pub(super) struct Studentized {
    /// The statistic of the data.
    pub(super) estimate: f64,
    /// Its standard error, by the variance that the stationary bootstrap gives to the mean of what the values move.
    pub(super) standard_error: f64,
    /// The statistic of each resample, ascending; those where it is undefined are left out.
    pub(super) values: Vec<f64>,
    /// The error of each resample over its own standard error, ascending.
    pub(super) errors: Vec<f64>,
}

impl Studentized {
    /// Resamples one series, or two side by side, each with the same periods; `None` where the statistic has no error.
    pub(super) fn of(
        series: &[f64],
        other: Option<&[f64]>,
        resamples: &Resamples,
        statistic: Statistic,
    ) -> Option<Self> {
        let mut difference = Difference { statistic, influence: Vec::new(), of_other: Vec::new() };
        let estimate = difference.measure(series, other)?;
        if is_constant(&difference.influence) {
            return None;
        }
        let length = resamples.length() as f64;
        let variance = stationary_variance(&difference.influence, resamples.settings().mean_block_length) / length;
        let standard_error = finite(variance.sqrt()).filter(|&error| error > 0.0)?;
        let (mut values, mut errors) = (Vec::new(), Vec::new());
        let (mut drawn, mut drawn_other) = (Vec::new(), Vec::new());
        for periods in resamples.rows() {
            draw(series, periods, &mut drawn);
            let other = other.map(|other| draw(other, periods, &mut drawn_other));
            let Some(value) = difference.measure(&drawn, other) else { continue };
            values.push(value);
            let own_error = block_variance(&difference.influence, periods).sqrt();
            errors.extend(finite((value - estimate) / own_error));
        }
        Some(Self { estimate, standard_error, values: sorted(&values), errors: sorted(&errors) })
    }
}

/// A statistic of one series, less that of another where there is one.
struct Difference {
    statistic: Statistic,
    influence: Vec<f64>,
    of_other: Vec<f64>,
}

impl Difference {
    fn measure(&mut self, series: &[f64], other: Option<&[f64]>) -> Option<f64> {
        let value = (self.statistic)(series, &mut self.influence)?;
        let Some(other) = other else { return Some(value) };
        let less = (self.statistic)(other, &mut self.of_other)?;
        self.influence.iter_mut().zip(&self.of_other).for_each(|(influence, other)| *influence -= other);
        Some(value - less)
    }
}

/// Writes the values of the drawn periods.
pub(super) fn draw<'a>(values: &[f64], periods: &[u32], drawn: &'a mut Vec<f64>) -> &'a [f64] {
    drawn.clear();
    drawn.extend(periods.iter().map(|&period| values[period as usize]));
    drawn
}
