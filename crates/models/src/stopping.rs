//! Early stopping: how long to wait, and which weights to keep.

use tch::Tensor;

/// Watches the validation loss and keeps a copy of the best weights.
#[derive(Debug)]
pub(crate) struct EarlyStopping {
    patience: usize,
    best: Option<Best>,
    epochs_without_improvement: usize,
}

/// The best epoch so far.
#[derive(Debug)]
pub(crate) struct Best {
    /// Its validation loss.
    pub(crate) loss: f64,
    /// The epoch, from 1.
    pub(crate) epoch: usize,
    /// Its weights, `[P]`.
    pub(crate) weights: Tensor,
}

impl EarlyStopping {
    /// Waits for `patience` epochs without a smaller loss.
    pub(crate) const fn new(patience: usize) -> Self {
        Self { patience, best: None, epochs_without_improvement: 0 }
    }

    /// Takes an epoch's validation loss and weights.
    pub(crate) fn epoch_ended(&mut self, epoch: usize, loss: f64, weights: &Tensor) {
        if self.best.as_ref().is_none_or(|best| loss < best.loss) {
            self.best = Some(Best { loss, epoch, weights: weights.detach().copy() });
            self.epochs_without_improvement = 0;
        } else {
            self.epochs_without_improvement += 1;
        }
    }

    /// Returns whether the patience has run out.
    pub(crate) const fn stops(&self) -> bool {
        self.epochs_without_improvement >= self.patience
    }

    /// Returns a copy of the best epoch so far, and the epochs since.
    pub(crate) fn state(&self) -> (Option<Best>, usize) {
        let copy = |best: &Best| Best { weights: best.weights.copy(), ..*best };
        (self.best.as_ref().map(copy), self.epochs_without_improvement)
    }

    /// Goes on from a state.
    pub(crate) fn restore(&mut self, best: Option<Best>, epochs_without_improvement: usize) {
        (self.best, self.epochs_without_improvement) = (best, epochs_without_improvement);
    }

    /// Returns the best epoch, `None` before the first.
    pub(crate) fn into_best(self) -> Option<Best> {
        self.best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn training_stops_after_the_patience_and_the_best_weights_are_kept() {
        let mut stopping = EarlyStopping::new(2);
        let mut weights = Tensor::from_slice(&[0.0_f32]);
        let mut stops = Vec::new();
        for (epoch, loss) in [(1, 3.0), (2, 1.0), (3, 1.0), (4, 2.0)] {
            let _ = weights.fill_(f64::from(epoch));
            stopping.epoch_ended(epoch as usize, loss, &weights);
            stops.push(stopping.stops());
        }
        assert_eq!(stops, [false, false, false, true]);
        let best = stopping.into_best().expect("four epochs ended");
        assert_eq!((best.epoch, best.weights.double_value(&[0])), (2, 2.0));
    }
}
