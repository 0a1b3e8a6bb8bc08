//! The learning rate between epochs.

use crate::training_spec::Schedule;

/// A schedule in the middle of a training.
///
/// The plateau rule is that of PyTorch's `ReduceLROnPlateau` with `threshold = 0`: any smaller loss is an improvement.
#[derive(Debug)]
pub(crate) struct LearningRate {
    schedule: Schedule,
    rate: f64,
    best_loss: f64,
    epochs_without_improvement: usize,
}

impl LearningRate {
    /// Starts at the optimizer's learning rate.
    pub(crate) const fn new(schedule: Schedule, rate: f64) -> Self {
        Self { schedule, rate, best_loss: f64::INFINITY, epochs_without_improvement: 0 }
    }

    /// Returns the rate of the coming epoch.
    pub(crate) const fn rate(&self) -> f64 {
        self.rate
    }

    /// Takes the validation loss of the epoch that ended.
    pub(crate) fn epoch_ended(&mut self, valid_loss: f64) {
        let Schedule::Plateau { factor, patience, learning_rate_min } = self.schedule else { return };
        if valid_loss < self.best_loss {
            self.best_loss = valid_loss;
            self.epochs_without_improvement = 0;
            return;
        }
        self.epochs_without_improvement += 1;
        if self.epochs_without_improvement > patience {
            self.rate = (self.rate * factor).max(learning_rate_min);
            self.epochs_without_improvement = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(schedule: Schedule, losses: &[f64]) -> Vec<f64> {
        let mut learning_rate = LearningRate::new(schedule, 0.1);
        losses
            .iter()
            .map(|loss| {
                learning_rate.epoch_ended(*loss);
                learning_rate.rate()
            })
            .collect()
    }

    #[test]
    fn a_plateau_longer_than_the_patience_halves_the_rate() {
        // Patience 1: epochs 2 and 3 do not improve on 1.0, so the rate falls after epoch 3; epoch 4 improves; 5 and 6 do not.
        let schedule = Schedule::Plateau { factor: 0.5, patience: 1, learning_rate_min: 0.0 };
        assert_eq!(rates(schedule, &[1.0, 1.0, 2.0, 0.5, 0.6, 0.7]), [0.1, 0.1, 0.05, 0.05, 0.05, 0.025]);
    }

    #[test]
    fn the_rate_never_falls_below_its_minimum() {
        let schedule = Schedule::Plateau { factor: 0.1, patience: 0, learning_rate_min: 0.04 };
        assert_eq!(rates(schedule, &[1.0, 1.0, 1.0]), [0.1, 0.04, 0.04]);
    }

    #[test]
    fn a_constant_rate_stays() {
        assert_eq!(rates(Schedule::Constant, &[1.0, 2.0, 3.0]), [0.1; 3]);
    }
}
