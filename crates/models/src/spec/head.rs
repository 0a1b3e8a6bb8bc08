//! What a network states.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check;
use crate::ModelError;

/// What is added to the learned degrees of freedom, so that the variance exists in single precision too.
pub(crate) const DEGREES_OF_FREEDOM_MIN: f64 = 2.01;

/// What turns the encoder's vector into a forecast per horizon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Head {
    /// The mean alone.
    Point,
    /// A normal distribution: mean and `softplus(raw) + variance_floor`.
    Gaussian {
        /// The smallest variance, in units of the training targets' variance; in [1e-10, 1).
        variance_floor: f64,
    },
    /// Student's t: location, squared scale `softplus(raw) + variance_floor`, degrees of freedom.
    StudentT {
        /// The smallest squared scale, in units of the training targets' variance; in [1e-10, 1).
        variance_floor: f64,
        /// The degrees of freedom, above 2. Absent: learned per sample, `2.01 + softplus(raw)`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        degrees_of_freedom: Option<f64>,
    },
    /// Values at some levels of probability. They never cross: each is the one below it plus a softplus.
    Quantile {
        /// At least two levels in (0, 1), strictly rising.
        levels: Vec<f64>,
    },
}

impl Head {
    /// Returns the name as it is written in a config.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Point => "point",
            Self::Gaussian { .. } => "gaussian",
            Self::StudentT { .. } => "student_t",
            Self::Quantile { .. } => "quantile",
        }
    }

    pub(super) fn validate(&self) -> Result<(), ModelError> {
        let floor = |floor: f64| check("variance_floor", "in [1e-10, 1)", floor, |floor| (1e-10..1.0).contains(&floor));
        match self {
            Self::Point => Ok(()),
            Self::Gaussian { variance_floor } => floor(*variance_floor),
            Self::StudentT { variance_floor, degrees_of_freedom } => {
                floor(*variance_floor)?;
                let degrees = degrees_of_freedom.unwrap_or(3.0);
                check("degrees_of_freedom", "in (2, 1e6]", degrees, |degrees| degrees > 2.0 && degrees <= 1e6)
            }
            Self::Quantile { levels } => check_levels(levels),
        }
    }
}

fn check_levels(levels: &[f64]) -> Result<(), ModelError> {
    check("number of levels", "in [2, 999]", levels.len() as f64, |count| (2.0..=999.0).contains(&count))?;
    let mut last = 0.0;
    for &level in levels {
        check("levels", "in (0, 1)", level, |level| level > 0.0 && level < 1.0)?;
        check("levels", "each above the one before", level, |level| level > last)?;
        last = level;
    }
    Ok(())
}
