//! How a network is trained. Plain values, read from a config.

mod augmentation;
mod schedule;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use augmentation::Augmentation;
pub use schedule::Schedule;

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
    /// Steps over which the learning rate rises to what the schedule says: step `s`, from 1, takes `s / warmup_steps` of it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub warmup_steps: usize,
    /// Batches whose gradients are averaged, by their samples' weights, before the weights move; the rest at the end of an
    /// epoch moves them too. A loss that reads a batch as a whole (`sharpe`) is that of each batch, averaged.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub accumulation_steps: usize,
    /// Which samples make a batch.
    #[serde(default, skip_serializing_if = "is_default")]
    pub batches: Batches,
    /// The most steps of windows in a batch, padding included, over all scales; a batch with longer windows has fewer of them
    /// than `batch_size`. Absent: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps_per_batch_max: Option<usize>,
    /// How training windows are disturbed. Absent: not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub augmentation: Option<Augmentation>,
    /// The short number format of large products on a CUDA device, where losses are scaled so that small gradients survive.
    /// Absent: single precision everywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mixed_precision: Option<MixedPrecision>,
}

/// Which samples make a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Batches {
    /// Any: all samples are shuffled.
    #[default]
    Shuffled,
    /// Windows of like length, so that little is padding. Which of equal length come together and the order of the batches
    /// are shuffled.
    ByLength,
}

/// The short number format of a training in mixed precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MixedPrecision {
    /// IEEE half precision, the only one that libtorch's binding switches to.
    Float16,
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

impl TrainingSpec {
    /// Takes what every training needs: full batches in shuffled order at a constant learning rate, nothing clipped, and all
    /// epochs.
    pub const fn new(epochs_max: usize, batch_size: usize, optimizer: Optimizer) -> Self {
        Self {
            epochs_max,
            batch_size,
            optimizer,
            gradient_clip_norm: None,
            schedule: Schedule::Constant,
            early_stopping_patience: None,
            warmup_steps: 0,
            accumulation_steps: 1,
            batches: Batches::Shuffled,
            steps_per_batch_max: None,
            augmentation: None,
            mixed_precision: None,
        }
    }

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
        self.schedule.validate(self.optimizer.learning_rate())?;
        if matches!(self.schedule, Schedule::OneCycle { .. }) {
            check("warmup_steps", "0 with `one_cycle` (it has its own)", self.warmup_steps as f64, |steps| {
                steps == 0.0
            })?;
        }
        check("accumulation_steps", "at least 1", self.accumulation_steps as f64, |steps| steps >= 1.0)?;
        check("steps_per_batch_max", "at least 1", self.steps_per_batch_max.unwrap_or(1) as f64, |steps| steps >= 1.0)?;
        self.augmentation.unwrap_or_default().validate()?;
        if self.early_stopping_patience == Some(0) {
            return Err(ModelError::Range { key: "early_stopping_patience", rule: "at least 1", value: 0.0 });
        }
        Ok(())
    }
}

// Serde hands over references.
#[expect(clippy::trivially_copy_pass_by_ref)]
fn is_default(batches: &Batches) -> bool {
    *batches == Batches::default()
}

const fn one() -> usize {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref)]
const fn is_zero(count: &usize) -> bool {
    *count == 0
}

#[expect(clippy::trivially_copy_pass_by_ref)]
const fn is_one(count: &usize) -> bool {
    *count == 1
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
            gradient_clip_norm: Some(1.0),
            schedule: Schedule::Plateau { factor: 0.5, patience: 3, learning_rate_min: 1e-5 },
            early_stopping_patience: Some(5),
            ..TrainingSpec::new(20, 32, Optimizer::Adam { learning_rate: 1e-3, weight_decay: 1e-5 })
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
    fn numbers_of_schedules_and_options_are_refused_by_name() {
        let schedule = |schedule: Schedule| refused(|spec| spec.schedule = schedule.clone());
        assert_eq!(
            schedule(Schedule::Step { every_epochs: 0, factor: 0.5 }),
            "every_epochs must be at least 1, was `0`"
        );
        assert_eq!(schedule(Schedule::Exponential { factor: 1.0 }), "factor must be in (0, 1), was `1`");
        let cosine = Schedule::Cosine { epochs: 5, learning_rate_min: 0.0, restart_factor: Some(0) };
        assert_eq!(schedule(cosine), "restart_factor must be in [1, 100], was `0`");
        let one_cycle = Schedule::OneCycle { rising_share: 0.3, start_factor: 0.04, end_factor: 1e-6 };
        assert_eq!(
            schedule(Schedule::OneCycle { rising_share: 1.0, start_factor: 0.04, end_factor: 0.0 }),
            "rising_share must be in (0, 1), was `1`"
        );
        assert_eq!(
            refused(|spec| (spec.schedule, spec.warmup_steps) = (one_cycle.clone(), 10)),
            "warmup_steps must be 0 with `one_cycle` (it has its own), was `10`"
        );
        assert_eq!(refused(|spec| spec.accumulation_steps = 0), "accumulation_steps must be at least 1, was `0`");
        assert_eq!(
            refused(|spec| spec.steps_per_batch_max = Some(0)),
            "steps_per_batch_max must be at least 1, was `0`"
        );
        let mask = Augmentation { time_mask: 1.0, ..Augmentation::default() };
        assert_eq!(refused(|spec| spec.augmentation = Some(mask)), "time_mask must be in [0, 1), was `1`");
    }

    #[test]
    fn options_that_are_not_named_keep_their_meaning_and_leave_no_trace() {
        let text = r#"{"epochs_max":20,"batch_size":32,"optimizer":{"adam":{"learning_rate":0.001,"weight_decay":0.00001}},"gradient_clip_norm":1.0,"schedule":{"plateau":{"factor":0.5,"patience":3,"learning_rate_min":0.00001}},"early_stopping_patience":5}"#;
        let read: TrainingSpec = serde_json::from_str(text).expect("valid");
        assert_eq!(read, spec());
        assert_eq!(serde_json::to_string(&read).expect("plain numbers"), text);
        let augmentation: Augmentation = serde_json::from_str(r#"{"noise": 0.1}"#).expect("valid");
        assert_eq!(augmentation, Augmentation { noise: 0.1, ..Augmentation::default() });
    }

    #[test]
    fn adamw_is_one_word() {
        let optimizer: Optimizer =
            serde_json::from_str(r#"{"adamw": {"learning_rate": 0.001, "weight_decay": 0.01}}"#).expect("valid");
        assert_eq!(optimizer, Optimizer::AdamW { learning_rate: 0.001, weight_decay: 0.01 });
    }
}
