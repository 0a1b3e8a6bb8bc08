//! Dropout masks of our own making: seeded, independent of libtorch, and absent outside of training.

use tch::Tensor;

use crate::random::{SeededRandom, Stream};

/// Draws the masks of one training.
///
/// A forward pass gets masks only from here, so a pass without one cannot drop anything.
#[derive(Debug)]
pub(crate) struct DropoutMasks {
    dropout: f64,
    random: SeededRandom,
    buffer: Vec<f32>,
}

impl DropoutMasks {
    /// Starts the masks of a seed; `dropout` is the fraction of values that are dropped.
    pub(crate) fn new(dropout: f64, seed: u64) -> Self {
        Self { dropout, random: SeededRandom::new(seed, Stream::Dropout), buffer: Vec::new() }
    }

    /// Draws so many factors, 0 for a value that is dropped and more than 1 for one that is not, so that the expectation
    /// stays; `None` when nothing is ever dropped.
    pub(crate) fn draw(&mut self, count: usize) -> Option<&[f32]> {
        if self.dropout == 0.0 {
            return None;
        }
        self.buffer.resize(count, 0.0);
        self.random.fill_mask(&mut self.buffer, self.dropout);
        Some(&self.buffer)
    }

    /// Drops values of a layer's outputs.
    pub(crate) fn apply(&mut self, outputs: Tensor) -> Tensor {
        let Some(mask) = self.draw(outputs.numel()) else { return outputs };
        let mask = Tensor::from_slice(mask).to_device(outputs.device()).view(outputs.size().as_slice());
        outputs * mask
    }

    /// Returns how many words of the generator have been used.
    pub(crate) fn words_used(&self) -> u64 {
        self.random.words_used()
    }

    /// Goes on after so many words.
    pub(crate) fn skip_to(&mut self, words: u64) {
        self.random.skip_to(words);
    }
}
