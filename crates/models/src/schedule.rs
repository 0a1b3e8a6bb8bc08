//! The learning rate of every step.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::training_spec::{Schedule, TrainingSpec};

/// A schedule in the middle of a training.
///
/// The rules are those of PyTorch's `lr_scheduler`, each in its closed form; the plateau is `ReduceLROnPlateau` with
/// `threshold = 0`: any smaller loss is an improvement.
#[derive(Debug)]
pub(crate) struct LearningRate {
    schedule: Schedule,
    warmup_steps: usize,
    /// The optimizer's rate.
    top: f64,
    /// Steps of the whole training, as far as is known before its first.
    steps_planned: usize,
    plateau: Plateau,
}

/// What the schedule remembers between epochs; everything else follows from their number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plateau {
    /// The rate of the plateau rule.
    rate: f64,
    /// `None` before the first validation.
    best_loss: Option<f64>,
    epochs_without_improvement: usize,
}

impl LearningRate {
    /// Starts at the optimizer's learning rate; `steps_per_epoch` is that of the first epoch.
    pub(crate) fn new(spec: &TrainingSpec, steps_per_epoch: usize) -> Self {
        let top = spec.optimizer.learning_rate();
        Self {
            schedule: spec.schedule.clone(),
            warmup_steps: spec.warmup_steps,
            top,
            steps_planned: steps_per_epoch * spec.epochs_max,
            plateau: Plateau { rate: top, best_loss: None, epochs_without_improvement: 0 },
        }
    }

    /// Returns the rate of a step, given the epochs that have ended and the steps that have been taken.
    pub(crate) fn rate(&self, epochs: usize, steps: usize) -> f64 {
        let rate = match self.schedule {
            Schedule::Constant => self.top,
            Schedule::Plateau { .. } => self.plateau.rate,
            Schedule::Step { every_epochs, factor } => self.top * factor.powi((epochs / every_epochs) as i32),
            Schedule::Exponential { factor } => self.top * factor.powi(epochs as i32),
            Schedule::Cosine { epochs: descent, learning_rate_min, restart_factor } => {
                let share = share_of_descent(epochs, descent, restart_factor);
                half_cosine(self.top, learning_rate_min, share)
            }
            Schedule::OneCycle { rising_share, start_factor, end_factor } => {
                self.top * one_cycle(steps, self.steps_planned, rising_share, [start_factor, end_factor])
            }
        };
        if steps < self.warmup_steps { rate * (steps + 1) as f64 / self.warmup_steps as f64 } else { rate }
    }

    /// Takes the validation loss of the epoch that ended.
    pub(crate) fn epoch_ended(&mut self, valid_loss: f64) {
        let Schedule::Plateau { factor, patience, learning_rate_min } = self.schedule else { return };
        let plateau = &mut self.plateau;
        if plateau.best_loss.is_none_or(|best| valid_loss < best) {
            plateau.best_loss = Some(valid_loss);
            plateau.epochs_without_improvement = 0;
            return;
        }
        plateau.epochs_without_improvement += 1;
        if plateau.epochs_without_improvement > patience {
            plateau.rate = (plateau.rate * factor).max(learning_rate_min);
            plateau.epochs_without_improvement = 0;
        }
    }

    /// Returns what must be kept between epochs.
    pub(crate) const fn state(&self) -> Plateau {
        self.plateau
    }

    /// Goes on from what was kept.
    pub(crate) const fn restore(&mut self, state: Plateau) {
        self.plateau = state;
    }
}

/// Returns how far a descent that began `epochs` ago has come, 1 at its end.
fn share_of_descent(epochs: usize, descent: usize, restart_factor: Option<usize>) -> f64 {
    let Some(factor) = restart_factor else { return epochs.min(descent) as f64 / descent as f64 };
    let (mut since, mut length) = (epochs, descent);
    while since >= length {
        since -= length;
        length = length.saturating_mul(factor);
    }
    since as f64 / length as f64
}

/// Goes from one value to another along half a cosine.
fn half_cosine(from: f64, to: f64, share: f64) -> f64 {
    to + (from - to) * (1.0 + (PI * share).cos()) / 2.0
}

/// Returns the share of the top rate at a step of a cycle.
fn one_cycle(step: usize, steps: usize, rising_share: f64, [start, end]: [f64; 2]) -> f64 {
    let last = (steps - 1) as f64;
    let step = (step as f64).min(last);
    let peak = rising_share * steps as f64 - 1.0;
    if step <= peak {
        return half_cosine(start, 1.0, step / peak);
    }
    // A cycle of so few steps that it has no rise begins at its peak.
    let peak = peak.max(0.0);
    if last > peak { half_cosine(1.0, end, (step - peak) / (last - peak)) } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::training_spec::Optimizer;

    fn learning_rate(schedule: Schedule, warmup_steps: usize, epochs: usize) -> LearningRate {
        let optimizer = Optimizer::Adam { learning_rate: 0.1, weight_decay: 0.0 };
        LearningRate::new(&TrainingSpec { schedule, warmup_steps, ..TrainingSpec::new(epochs, 1, optimizer) }, 4)
    }

    /// The rates of epochs with some losses; the first is that of the first epoch.
    fn rates(schedule: Schedule, losses: &[f64]) -> Vec<f64> {
        let mut learning_rate = learning_rate(schedule, 0, losses.len());
        let epoch = |(epoch, loss): (usize, &f64)| {
            let rate = learning_rate.rate(epoch, 4 * epoch);
            learning_rate.epoch_ended(*loss);
            rate
        };
        losses.iter().enumerate().map(epoch).collect()
    }

    /// What PyTorch's schedules said (`scripts/schedule_reference.py`).
    fn reference(name: &str) -> Vec<f64> {
        let text = include_str!("../../../tests/vectors/nn/schedules.json");
        let all: BTreeMap<String, Vec<f64>> = serde_json::from_str(text).expect("lists of numbers");
        all[name].clone()
    }

    fn assert_close(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (epoch, (found, expected)) in found.iter().zip(expected).enumerate() {
            assert!((found - expected).abs() < 1e-12, "after {epoch}: {found} is not {expected}");
        }
    }

    #[test]
    fn a_plateau_longer_than_the_patience_halves_the_rate() {
        // Patience 1: epochs 2 and 3 do not improve on 1.0, so the rate falls after epoch 3; epoch 4 improves; 5 and 6 do not.
        let schedule = Schedule::Plateau { factor: 0.5, patience: 1, learning_rate_min: 0.0 };
        let losses = [1.0, 1.0, 2.0, 0.5, 0.6, 0.7, 0.0];
        assert_eq!(rates(schedule, &losses), [0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.025]);
    }

    #[test]
    fn the_rate_never_falls_below_its_minimum() {
        let schedule = Schedule::Plateau { factor: 0.1, patience: 0, learning_rate_min: 0.04 };
        assert_eq!(rates(schedule, &[1.0, 1.0, 1.0, 1.0]), [0.1, 0.1, 0.04, 0.04]);
    }

    #[test]
    fn a_constant_rate_stays() {
        assert_eq!(rates(Schedule::Constant, &[1.0, 2.0, 3.0]), [0.1; 3]);
    }

    #[test]
    fn every_schedule_by_epochs_equals_pytorchs() {
        let check = |name: &str, schedule: Schedule| {
            let expected = reference(name);
            assert_close(&rates(schedule, &vec![1.0; expected.len()]), &expected);
        };
        check("step", Schedule::Step { every_epochs: 3, factor: 0.3 });
        check("exponential", Schedule::Exponential { factor: 0.9 });
        check("cosine", Schedule::Cosine { epochs: 10, learning_rate_min: 0.001, restart_factor: None });
        check("cosine_restarts", Schedule::Cosine { epochs: 3, learning_rate_min: 0.001, restart_factor: Some(2) });
        check("cosine_restarts_alike", Schedule::Cosine { epochs: 4, learning_rate_min: 0.0, restart_factor: Some(1) });
        let plateau = Schedule::Plateau { factor: 0.5, patience: 2, learning_rate_min: 0.02 };
        assert_close(&rates(plateau, &reference("losses")), &reference("plateau"));
    }

    #[test]
    fn a_cosine_without_restarts_stays_at_its_minimum() {
        let schedule = Schedule::Cosine { epochs: 2, learning_rate_min: 0.01, restart_factor: None };
        assert_close(&rates(schedule, &[1.0; 5]), &[0.1, 0.055, 0.01, 0.01, 0.01]);
    }

    #[test]
    fn warm_up_and_the_cycle_go_step_by_step_as_pytorchs() {
        let warmup = learning_rate(Schedule::Constant, 8, 3);
        assert_close(&(0..12).map(|step| warmup.rate(step / 4, step)).collect::<Vec<_>>(), &reference("warmup"));
        // Five epochs of four steps; PyTorch divides by 25, and what it gets by 10,000.
        let schedule = Schedule::OneCycle { rising_share: 0.3, start_factor: 1.0 / 25.0, end_factor: 1.0 / 250_000.0 };
        let cycle = learning_rate(schedule, 0, 5);
        assert_close(&(0..20).map(|step| cycle.rate(step / 4, step)).collect::<Vec<_>>(), &reference("one_cycle"));
        // Dynamic batches may make later epochs longer than the first: the rate then stays where the cycle ended.
        assert_eq!(cycle.rate(5, 25), cycle.rate(4, 19));
    }

    #[test]
    fn a_cycle_of_one_step_has_the_whole_rate() {
        assert_eq!(one_cycle(0, 1, 0.3, [0.1, 0.0]), 1.0);
        // Two steps, the rise ends before the first: the peak, then the end.
        assert_eq!([0, 1].map(|step| one_cycle(step, 2, 0.3, [0.1, 0.0])), [1.0, 0.0]);
    }
}
