//! What a forecaster says about one observation.

mod quantile_function;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use self::quantile_function::QuantileFunction;
use super::{gaussian_crps, gaussian_negative_log_likelihood};
use crate::normal::{standard_cumulative, standard_quantile};
use crate::{MetricsError, student_t};

/// What a forecaster says about one observation: a distribution over its values, in units of the observation.
///
/// The numbers of every method but [`validate`](Self::validate) are those of a valid distribution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Distribution {
    /// All probability on one value: a forecaster that states no spread.
    Point {
        /// The value.
        value: f64,
    },
    /// A normal distribution.
    Normal {
        /// The mean.
        mean: f64,
        /// The standard deviation, above 0.
        standard_deviation: f64,
    },
    /// A Student-t distribution. Its mean is the location; its variance is not the square of the scale.
    StudentT {
        /// The location, which is the mean and the median.
        location: f64,
        /// The scale, above 0.
        scale: f64,
        /// The degrees of freedom, above 1: with fewer it has neither a mean nor a score.
        degrees_of_freedom: f64,
    },
    /// Quantiles, linear between the levels.
    ///
    /// Beyond the outer levels the tails are exponential, `Q(p) = v_0 + b ln(p / l_0)` below and its mirror image above, with the
    /// `b` for which the density goes on without a jump: `b = l_0 (v_1 - v_0) / (l_1 - l_0)`. Equal values at two levels hold the
    /// probability between them.
    Quantiles {
        /// At least two levels in (0, 1), strictly rising.
        levels: Vec<f64>,
        /// The value at each level, never falling.
        values: Vec<f64>,
    },
}

/// The central interval of a distribution: as much probability lies below it as above.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PredictionInterval {
    /// The probability that the interval should hold, in (0, 1).
    pub coverage: f64,
    /// Its lower end, which belongs to it.
    pub lower: f64,
    /// Its upper end, which belongs to it.
    pub upper: f64,
}

impl PredictionInterval {
    /// Returns whether the interval holds a value.
    pub fn contains(&self, value: f64) -> bool {
        self.lower <= value && value <= self.upper
    }
}

impl Distribution {
    /// Returns a normal distribution with this mean and variance, or a point where no variance is stated.
    pub fn from_moments(mean: f64, variance: Option<f64>) -> Self {
        match variance {
            Some(variance) => Self::Normal { mean, standard_deviation: variance.sqrt() },
            None => Self::Point { value: mean },
        }
    }

    /// Returns a Student-t distribution with this mean and variance, its scale `sqrt(variance (nu - 2) / nu)`; `nu`, the degrees of
    /// freedom, must be above 2.
    pub fn student_t_from_moments(mean: f64, variance: f64, degrees_of_freedom: f64) -> Self {
        let scale = (variance * (degrees_of_freedom - 2.0) / degrees_of_freedom).sqrt();
        Self::StudentT { location: mean, scale, degrees_of_freedom }
    }

    /// Checks that the numbers are those of a distribution.
    ///
    /// # Errors
    /// [`MetricsError::Setting`] or [`MetricsError::Row`] for a number that is not finite or not in its range,
    /// [`MetricsError::Length`] when levels and values differ in number.
    pub fn validate(&self) -> Result<(), MetricsError> {
        match self {
            Self::Point { value } => finite("a forecast value", *value),
            Self::Normal { mean, standard_deviation } => {
                finite("a forecast mean", *mean)?;
                above("a forecast standard deviation", "finite and above 0", *standard_deviation, 0.0)
            }
            Self::StudentT { location, scale, degrees_of_freedom } => {
                finite("a forecast location", *location)?;
                above("a forecast scale", "finite and above 0", *scale, 0.0)?;
                above("the degrees of freedom of a forecast", "finite and above 1", *degrees_of_freedom, 1.0)
            }
            Self::Quantiles { levels, values } => QuantileFunction { levels, values }.validate(),
        }
    }

    /// Returns the mean.
    pub fn mean(&self) -> f64 {
        match self {
            Self::Point { value } => *value,
            Self::Normal { mean, .. } => *mean,
            Self::StudentT { location, .. } => *location,
            Self::Quantiles { levels, values } => QuantileFunction { levels, values }.moments().0,
        }
    }

    /// Returns the variance, 0 for a point; `None` for a Student-t distribution of at most 2 degrees of freedom, which has none.
    pub fn variance(&self) -> Option<f64> {
        match self {
            Self::Point { .. } => Some(0.0),
            Self::Normal { standard_deviation, .. } => Some(standard_deviation * standard_deviation),
            Self::StudentT { scale, degrees_of_freedom, .. } => {
                (*degrees_of_freedom > 2.0).then(|| scale * scale * degrees_of_freedom / (degrees_of_freedom - 2.0))
            }
            Self::Quantiles { levels, values } => Some(QuantileFunction { levels, values }.moments().1),
        }
    }

    /// Returns whether the distribution is more than a point, so that it can be calibrated.
    pub fn states_spread(&self) -> bool {
        !matches!(self, Self::Point { .. })
    }

    /// Returns the probability of a value at most `y`; at what happened it is the probability integral transform.
    pub fn cdf(&self, y: f64) -> f64 {
        match self {
            Self::Point { value } => f64::from(u8::from(y >= *value)),
            Self::Normal { mean, standard_deviation } => standard_cumulative((y - mean) / standard_deviation),
            Self::StudentT { location, scale, degrees_of_freedom } => {
                student_t::cumulative((y - location) / scale, *degrees_of_freedom)
            }
            Self::Quantiles { levels, values } => QuantileFunction { levels, values }.cumulative(y),
        }
    }

    /// Returns the probability of a value below `y`: that of a value at most `y`, less what lies on `y` itself.
    pub(super) fn cdf_below(&self, y: f64) -> f64 {
        match self {
            Self::Point { value } => f64::from(u8::from(y > *value)),
            Self::Normal { .. } | Self::StudentT { .. } => self.cdf(y),
            Self::Quantiles { levels, values } => QuantileFunction { levels, values }.cumulative_below(y),
        }
    }

    /// Returns the value that is not exceeded with probability `p`; `None` outside (0, 1).
    pub fn quantile(&self, p: f64) -> Option<f64> {
        if !(p > 0.0 && p < 1.0) {
            return None;
        }
        match self {
            Self::Point { value } => Some(*value),
            Self::Normal { mean, standard_deviation } => Some(mean + standard_deviation * standard_quantile(p)?),
            Self::StudentT { location, scale, degrees_of_freedom } => {
                Some(location + scale * student_t::quantile(p, *degrees_of_freedom)?)
            }
            Self::Quantiles { levels, values } => Some(QuantileFunction { levels, values }.quantile(p)),
        }
    }

    /// Returns the natural logarithm of the density at `y`, the logarithmic score; `None` for a point and for quantiles, whose
    /// density is an artifact of the interpolation.
    ///
    /// Source: Good (1952), "Rational Decisions"; Gneiting and Raftery (2007), "Strictly Proper Scoring Rules".
    pub fn log_density(&self, y: f64) -> Option<f64> {
        match self {
            Self::Point { .. } | Self::Quantiles { .. } => None,
            Self::Normal { mean, standard_deviation } => {
                let z = (y - mean) / standard_deviation;
                Some(-(gaussian_negative_log_likelihood(0.0, 1.0, z) + standard_deviation.ln()))
            }
            Self::StudentT { location, scale, degrees_of_freedom } => {
                Some(student_t::log_density((y - location) / scale, *degrees_of_freedom) - scale.ln())
            }
        }
    }

    /// Computes the continuous ranked probability score against `y`, in units of the observation; lower is better.
    ///
    /// Closed forms for the normal ([`gaussian_crps`]) and the Student-t distribution, `scale (z (2 F(z) - 1) + 2 f(z) (nu + z^2) /
    /// (nu - 1) - 2 sqrt(nu) / (nu - 1) B(1/2, nu - 1/2) / B(1/2, nu/2)^2)`; the absolute error of a point; for quantiles twice
    /// the mean [`pinball_loss`](crate::pinball_loss) over the stated levels, which is the score itself in the limit of many evenly
    /// spaced levels. Sources: Gneiting and Raftery (2007), "Strictly Proper Scoring Rules"; Jordan, Krueger and Lerch (2019),
    /// "Evaluating Probabilistic Forecasts with scoringRules"; Laio and Tamea (2007) for the pinball form.
    pub fn crps(&self, y: f64) -> f64 {
        match self {
            Self::Point { value } => (y - value).abs(),
            Self::Normal { mean, standard_deviation } => {
                standard_deviation * gaussian_crps(0.0, 1.0, (y - mean) / standard_deviation)
            }
            Self::StudentT { location, scale, degrees_of_freedom } => {
                scale * student_t::crps((y - location) / scale, *degrees_of_freedom)
            }
            Self::Quantiles { levels, values } => QuantileFunction { levels, values }.crps(y),
        }
    }

    /// Returns the central interval that holds a probability; `None` when it is outside (0, 1).
    pub fn interval(&self, coverage: f64) -> Option<PredictionInterval> {
        if !(coverage > 0.0 && coverage < 1.0) {
            return None;
        }
        let level = f64::midpoint(1.0, coverage);
        let upper = self.quantile(level)?;
        let lower = match self {
            Self::Point { .. } | Self::Quantiles { .. } => self.quantile(1.0 - level)?,
            // Symmetric, and a quantile of Student's t is dear.
            Self::Normal { .. } | Self::StudentT { .. } => 2.0 * self.mean() - upper,
        };
        Some(PredictionInterval { coverage, lower, upper })
    }
}

fn finite(name: &'static str, value: f64) -> Result<(), MetricsError> {
    if value.is_finite() { Ok(()) } else { Err(MetricsError::Setting { name, rule: "finite", value }) }
}

fn above(name: &'static str, rule: &'static str, value: f64, limit: f64) -> Result<(), MetricsError> {
    if value.is_finite() && value > limit { Ok(()) } else { Err(MetricsError::Setting { name, rule, value }) }
}
