//! How the learning rate changes. Plain values, read from a config.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ModelError;
use crate::spec::check;

/// How the learning rate changes between epochs, or, for `one_cycle`, between steps; `e` counts the epochs that have ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Schedule {
    /// It stays as the optimizer states it.
    Constant,
    /// It is multiplied by `factor` after more than `patience` epochs in a row without a better validation loss.
    Plateau {
        /// In (0, 1).
        factor: f64,
        /// Epochs without improvement that are tolerated.
        patience: usize,
        /// The learning rate never falls below this.
        learning_rate_min: f64,
    },
    /// `learning_rate * factor^floor(e / every_epochs)`.
    Step {
        /// Epochs between two falls; at least 1.
        every_epochs: usize,
        /// In (0, 1).
        factor: f64,
    },
    /// `learning_rate * factor^e`.
    Exponential {
        /// In (0, 1).
        factor: f64,
    },
    /// `learning_rate_min + (learning_rate - learning_rate_min) (1 + cos(pi e / epochs)) / 2`, and the minimum from `epochs`
    /// on (Loshchilov and Hutter 2017).
    Cosine {
        /// Epochs of the first descent; at least 1.
        epochs: usize,
        /// Where the descent ends.
        learning_rate_min: f64,
        /// Starts again from the top after every descent, each so many times as long as the one before; at least 1. Absent:
        /// the rate stays at its minimum.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        restart_factor: Option<usize>,
    },
    /// Step by step along two half cosines: up from `start_factor` times the learning rate to all of it, then down to
    /// `end_factor` times, which the last step of the last epoch reaches (Smith and Topin 2018).
    OneCycle {
        /// Share of all steps in which the rate rises; in (0, 1).
        rising_share: f64,
        /// In (0, 1].
        start_factor: f64,
        /// In [0, 1].
        end_factor: f64,
    },
}

impl Schedule {
    /// Checks every number against the optimizer's learning rate.
    pub(crate) fn validate(&self, learning_rate: f64) -> Result<(), ModelError> {
        let fraction = |factor: f64| factor > 0.0 && factor < 1.0;
        let check_min = |least: f64| {
            check("learning_rate_min", "in [0, learning_rate]", least, |least| (0.0..=learning_rate).contains(&least))
        };
        match *self {
            Self::Constant => Ok(()),
            Self::Plateau { factor, learning_rate_min, .. } => {
                check("factor", "in (0, 1)", factor, fraction)?;
                check_min(learning_rate_min)
            }
            Self::Step { every_epochs, factor } => {
                check("every_epochs", "at least 1", every_epochs as f64, |epochs| epochs >= 1.0)?;
                check("factor", "in (0, 1)", factor, fraction)
            }
            Self::Exponential { factor } => check("factor", "in (0, 1)", factor, fraction),
            Self::Cosine { epochs, learning_rate_min, restart_factor } => {
                check("epochs", "at least 1", epochs as f64, |epochs| epochs >= 1.0)?;
                let longer = restart_factor.unwrap_or(1) as f64;
                check("restart_factor", "in [1, 100]", longer, |factor| (1.0..=100.0).contains(&factor))?;
                check_min(learning_rate_min)
            }
            Self::OneCycle { rising_share, start_factor, end_factor } => {
                check("rising_share", "in (0, 1)", rising_share, fraction)?;
                check("start_factor", "in (0, 1]", start_factor, |factor| factor > 0.0 && factor <= 1.0)?;
                check("end_factor", "in [0, 1]", end_factor, |factor| (0.0..=1.0).contains(&factor))
            }
        }
    }
}
