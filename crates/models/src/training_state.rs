//! A training between two epochs as bytes: with them it goes on bit for bit as if it had never stopped.
//!
//! The bytes name the task that they belong to (specifications, seed, device and a hash of all windows), so that the state of
//! another task is refused by its difference.

use std::fmt::Debug;

use serde::{Deserialize, Serialize};
use tch::Tensor;
use tidegate_forecast::{EpochRecord, FitTask, ForecastError, Windows};

use crate::adam::AdamState;
use crate::device::Device;
use crate::mixed_precision::LossScale;
use crate::parameters::to_vec;
use crate::schedule::Plateau;
use crate::sealed_file::{self, SealedFile, StoredTensor, json};
use crate::spec::NetworkSpec;
use crate::stopping::Best;
use crate::trainer::TrainerState;
use crate::training_spec::TrainingSpec;

const FORMAT_VERSION: u32 = 1;

const WEIGHTS: &str = "weights";
const FIRST_MOMENT: &str = "first_moment";
const SECOND_MOMENT: &str = "second_moment";
const BEST_WEIGHTS: &str = "best_weights";

/// What a state belongs to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TaskIdentity {
    format_version: u32,
    /// This crate's version: another one may compute other bits.
    program: String,
    network: NetworkSpec,
    training: TrainingSpec,
    device: String,
    seed: u64,
    /// Hashes of the windows.
    train: String,
    valid: String,
}

/// A training after an epoch.
#[derive(Debug)]
pub(crate) struct TrainingState {
    pub(crate) trainer: TrainerState,
    pub(crate) plateau: Plateau,
    /// The best epoch so far and the epochs since, where somebody waits for a better one.
    pub(crate) stopping: Option<(Option<Best>, usize)>,
    /// How many words of the generator the order of samples has used.
    pub(crate) shuffle_words: u64,
    pub(crate) epochs: Vec<EpochRecord>,
}

/// The part of a state that is not a tensor.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    task: TaskIdentity,
    parameters: usize,
    optimizer_steps: u32,
    learning_rate: f64,
    mask_words: u64,
    augmentation_words: u64,
    loss_scale: Option<LossScale>,
    shuffle_words: u64,
    plateau: Plateau,
    stopping: Option<Stopping>,
    epochs: Vec<EpochRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stopping {
    best_epoch: Option<usize>,
    best_loss: Option<f64>,
    epochs_without_improvement: usize,
}

impl TaskIdentity {
    /// Describes a task; reads all windows.
    pub(crate) fn of(network: &NetworkSpec, training: &TrainingSpec, device: Device, task: &FitTask<'_>) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            network: network.clone(),
            training: training.clone(),
            device: device.to_string(),
            seed: task.seed,
            train: fingerprint(task.train),
            valid: fingerprint(task.valid),
        }
    }

    /// Names the first difference.
    fn check(&self, found: &Self) -> Result<(), String> {
        fn same<V: PartialEq + Serialize>(part: &str, expected: &V, found: &V) -> Result<(), String> {
            if expected == found {
                return Ok(());
            }
            Err(format!("{part} must be `{}`, was `{}`", json(expected), json(found)))
        }
        same("format_version", &self.format_version, &found.format_version)?;
        same("program", &self.program, &found.program)?;
        same("network", &self.network, &found.network)?;
        same("training", &self.training, &found.training)?;
        same("device", &self.device, &found.device)?;
        same("seed", &self.seed, &found.seed)?;
        same("hash of the training set", &self.train, &found.train)?;
        same("hash of the validation set", &self.valid, &found.valid)
    }
}

impl TrainingState {
    /// Writes the state of a task.
    pub(crate) fn to_bytes(&self, task: &TaskIdentity) -> Result<Vec<u8>, ForecastError> {
        let best = self.stopping.as_ref().and_then(|(best, _)| best.as_ref());
        let content = Content {
            task: task.clone(),
            parameters: self.trainer.weights.len(),
            optimizer_steps: self.trainer.optimizer.steps,
            learning_rate: self.trainer.optimizer.learning_rate,
            mask_words: self.trainer.mask_words,
            augmentation_words: self.trainer.augmentation_words,
            loss_scale: self.trainer.loss_scale,
            shuffle_words: self.shuffle_words,
            plateau: self.plateau,
            stopping: self.stopping.as_ref().map(|(_, epochs_without_improvement)| Stopping {
                best_epoch: best.map(|best| best.epoch),
                best_loss: best.map(|best| best.loss),
                epochs_without_improvement: *epochs_without_improvement,
            }),
            epochs: self.epochs.clone(),
        };
        let stored = |values: &[f32]| StoredTensor::new(vec![values.len()], values);
        let mut tensors = vec![
            (WEIGHTS, stored(&self.trainer.weights)),
            (FIRST_MOMENT, stored(&self.trainer.optimizer.first_moment)),
            (SECOND_MOMENT, stored(&self.trainer.optimizer.second_moment)),
        ];
        tensors.extend(best.map(|best| (BEST_WEIGHTS, stored(&to_vec(&best.weights)))));
        sealed_file::write(&content, tensors)
    }

    /// Reads the state of a task, or says why these bytes are none.
    pub(crate) fn from_bytes(bytes: &[u8], task: &TaskIdentity, device: tch::Device) -> Result<Self, String> {
        let file: SealedFile<'_, Content> = sealed_file::read(bytes)?;
        task.check(&file.content.task)?;
        file.check_seal()?;
        let values = |name| file.values(name, &[file.content.parameters]);
        let best = |stopping: &Stopping| -> Result<Option<Best>, String> {
            let Some((epoch, loss)) = stopping.best_epoch.zip(stopping.best_loss) else { return Ok(None) };
            Ok(Some(Best { loss, epoch, weights: Tensor::from_slice(&values(BEST_WEIGHTS)?).to_device(device) }))
        };
        let waiting = |stopping: &Stopping| best(stopping).map(|best| (best, stopping.epochs_without_improvement));
        Ok(Self {
            trainer: TrainerState {
                weights: values(WEIGHTS)?,
                optimizer: AdamState {
                    steps: file.content.optimizer_steps,
                    learning_rate: file.content.learning_rate,
                    first_moment: values(FIRST_MOMENT)?,
                    second_moment: values(SECOND_MOMENT)?,
                },
                mask_words: file.content.mask_words,
                augmentation_words: file.content.augmentation_words,
                loss_scale: file.content.loss_scale,
            },
            plateau: file.content.plateau,
            stopping: file.content.stopping.as_ref().map(waiting).transpose()?,
            shuffle_words: file.content.shuffle_words,
            epochs: file.content.epochs,
        })
    }
}

/// Hashes everything of windows that a fit reads, shapes included.
fn fingerprint(windows: &Windows) -> String {
    let mut hasher = blake3::Hasher::new();
    let size = |size: &usize| (*size as u64).to_le_bytes();
    update(&mut hasher, &[windows.scales.len(), windows.horizons, windows.samples.len(), windows.weight.len()], size);
    for block in &windows.scales {
        update(&mut hasher, &[block.steps, block.features, block.lengths.len()], size);
        update(&mut hasher, &block.values, |value| value.to_le_bytes());
        update(&mut hasher, &block.lengths, |length| length.to_le_bytes());
    }
    update(&mut hasher, &windows.samples, |sample| sample.series.to_le_bytes());
    // No label is NaN, so its bits can stand for a missing one.
    update(&mut hasher, &windows.target, |label| label.unwrap_or(f64::NAN).to_bits().to_le_bytes());
    update(&mut hasher, &windows.weight, |weight| weight.to_bits().to_le_bytes());
    hasher.finalize().to_hex().to_string()
}

/// Hashes a list in large pieces, which is several times faster than value by value.
fn update<V, const N: usize>(hasher: &mut blake3::Hasher, values: &[V], bytes: impl Fn(&V) -> [u8; N]) {
    let mut piece = Vec::with_capacity(N * values.len().min(16_384));
    for values in values.chunks(16_384) {
        piece.clear();
        piece.extend(values.iter().flat_map(&bytes));
        hasher.update(&piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::learnable;

    #[test]
    fn a_change_of_anything_that_a_fit_reads_changes_the_fingerprint() {
        let windows = learnable(5, 2, 1);
        let changed = |change: fn(&mut Windows)| {
            let mut other = windows.clone();
            change(&mut other);
            fingerprint(&other)
        };
        let all = [
            fingerprint(&windows),
            changed(|windows| windows.scales[1].values[39] += 1.0),
            changed(|windows| windows.scales[0].lengths = vec![6, 6, 6, 6, 5]),
            changed(|windows| windows.target[4] = Some(0.0)),
            changed(|windows| windows.target[4] = None),
            changed(|windows| windows.weight = vec![1.0; 5]),
            changed(|windows| windows.samples[4].series = 1),
            changed(|windows| windows.scales.reverse()),
        ];
        for (place, one) in all.iter().enumerate() {
            assert!(all[..place].iter().all(|other| other != one), "change {place}");
        }
        assert_eq!(fingerprint(&windows), all[0]);
    }
}
