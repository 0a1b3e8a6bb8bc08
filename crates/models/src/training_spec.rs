//! How a network is trained. Plain values, read from a config.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ModelError;
use crate::spec::check;

/// How a network is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainingSpec {
    /// The most passes over the training samples.
    pub epochs_max: usize,
    /// Samples per step; the last, smaller batch of an epoch is kept.
    pub batch_size: usize,
    /// The rule that moves the weights.
    pub optimizer: Optimizer,
    /// The largest global norm of a step's gradient; larger ones are scaled down to it. Absent: no clipping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gradient_clip_norm: Option<f64>,
    /// How the learning rate changes.
    pub schedule: Schedule,
    /// Epochs without a better validation loss after which training stops and the best weights are restored. Absent: all
    /// epochs run and the last weights stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_stopping_patience: Option<usize>,
}

/// The rule that moves the weights: Adam (Kingma and Ba 2015) with `beta` 0.9 and 0.999 and `epsilon` 1e-8.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Optimizer {
    /// Adam whose weight decay is an L2 penalty: it is added to the gradient, before the moments.
    Adam {
        /// Step size; above 0.
        learning_rate: f64,
        /// L2 penalty; 0 for none.
        weight_decay: f64,
    },
    /// Adam whose weight decay is decoupled (Loshchilov and Hutter 2019): weights shrink by `learning_rate * weight_decay`.
    #[serde(rename = "adamw")]
    AdamW {
        /// Step size; above 0.
        learning_rate: f64,
        /// Decoupled decay; 0 for none.
        weight_decay: f64,
    },
}

/// How the learning rate changes between epochs.
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
}

impl TrainingSpec {
    /// Checks every number.
    ///
    /// # Errors
    /// [`ModelError::Range`] names the first key that is out of its range.
    pub fn validate(&self) -> Result<(), ModelError> {
        let positive = |value: f64| value > 0.0 && value.is_finite();
        check("epochs_max", "in [1, 100000]", self.epochs_max as f64, |epochs| (1.0..=100_000.0).contains(&epochs))?;
        check("batch_size", "at least 1", self.batch_size as f64, |size| size >= 1.0)?;
        check("learning_rate", "in (0, 1)", self.optimizer.learning_rate(), |rate| rate > 0.0 && rate < 1.0)?;
        check("weight_decay", "in [0, 1)", self.optimizer.weight_decay(), |decay| (0.0..1.0).contains(&decay))?;
        if let Some(norm) = self.gradient_clip_norm {
            check("gradient_clip_norm", "above 0 and finite", norm, positive)?;
        }
        if let Schedule::Plateau { factor, learning_rate_min, .. } = self.schedule {
            check("factor", "in (0, 1)", factor, |factor| factor > 0.0 && factor < 1.0)?;
            check("learning_rate_min", "in [0, learning_rate]", learning_rate_min, |least| {
                (0.0..=self.optimizer.learning_rate()).contains(&least)
            })?;
        }
        if self.early_stopping_patience == Some(0) {
            return Err(ModelError::Range { key: "early_stopping_patience", rule: "at least 1", value: 0.0 });
        }
        Ok(())
    }
}

impl Optimizer {
    /// Returns the step size of the first epoch.
    pub const fn learning_rate(&self) -> f64 {
        match self {
            Self::Adam { learning_rate, .. } | Self::AdamW { learning_rate, .. } => *learning_rate,
        }
    }

    /// Returns the weight decay.
    pub const fn weight_decay(&self) -> f64 {
        match self {
            Self::Adam { weight_decay, .. } | Self::AdamW { weight_decay, .. } => *weight_decay,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> TrainingSpec {
        TrainingSpec {
            epochs_max: 20,
            batch_size: 32,
            optimizer: Optimizer::Adam { learning_rate: 1e-3, weight_decay: 1e-5 },
            gradient_clip_norm: Some(1.0),
            schedule: Schedule::Plateau { factor: 0.5, patience: 3, learning_rate_min: 1e-5 },
            early_stopping_patience: Some(5),
        }
    }

    fn refused(change: impl Fn(&mut TrainingSpec)) -> String {
        let mut spec = spec();
        change(&mut spec);
        spec.validate().expect_err("the specification is wrong").to_string()
    }

    #[test]
    fn a_usual_training_is_valid() {
        assert_eq!(spec().validate(), Ok(()));
    }

    #[test]
    fn numbers_out_of_range_are_refused_by_name() {
        assert_eq!(refused(|spec| spec.batch_size = 0), "batch_size must be at least 1, was `0`");
        assert_eq!(
            refused(|spec| spec.optimizer = Optimizer::AdamW { learning_rate: 1.5, weight_decay: 0.0 }),
            "learning_rate must be in (0, 1), was `1.5`"
        );
        assert_eq!(
            refused(|spec| spec.gradient_clip_norm = Some(0.0)),
            "gradient_clip_norm must be above 0 and finite, was `0`"
        );
        assert_eq!(
            refused(|spec| spec.early_stopping_patience = Some(0)),
            "early_stopping_patience must be at least 1, was `0`"
        );
        let above = Schedule::Plateau { factor: 0.5, patience: 3, learning_rate_min: 0.1 };
        assert_eq!(
            refused(|spec| spec.schedule = above.clone()),
            "learning_rate_min must be in [0, learning_rate], was `0.1`"
        );
    }

    #[test]
    fn adamw_is_one_word() {
        let optimizer: Optimizer =
            serde_json::from_str(r#"{"adamw": {"learning_rate": 0.001, "weight_decay": 0.01}}"#).expect("valid");
        assert_eq!(optimizer, Optimizer::AdamW { learning_rate: 0.001, weight_decay: 0.01 });
    }
}
