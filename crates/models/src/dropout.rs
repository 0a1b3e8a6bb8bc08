//! Dropout masks of our own making: seeded, independent of libtorch, and absent outside of training.

use tch::Tensor;

use crate::random::{SeededRandom, Stream};

/// Draws the masks of one training.
///
/// A forward pass gets masks only from here, so a pass without one cannot drop anything.
#[derive(Debug)]
pub(crate) struct DropoutMasks {
    random: SeededRandom,
    buffer: Vec<f32>,
}

impl DropoutMasks {
    /// Starts the masks of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self { random: SeededRandom::new(seed, Stream::Dropout), buffer: Vec::new() }
    }

    /// Draws so many factors, 0 for a value that is dropped, a fraction `dropout` of them, and more than 1 for one that is not,
    /// so that the expectation stays; `None` when nothing is ever dropped.
    pub(crate) fn draw(&mut self, count: usize, dropout: f64) -> Option<&[f32]> {
        if dropout == 0.0 {
            return None;
        }
        self.buffer.resize(count, 0.0);
        self.random.fill_mask(&mut self.buffer, dropout);
        Some(&self.buffer)
    }

    /// Drops values of a layer's outputs.
    pub(crate) fn apply(&mut self, outputs: Tensor, dropout: f64) -> Tensor {
        let Some(mask) = self.draw(outputs.numel(), dropout) else { return outputs };
        let mask = Tensor::from_slice(mask).to_device(outputs.device()).view(outputs.size().as_slice());
        outputs * mask
    }

    /// Draws which values of a shape are dropped: 1 for a fraction `dropout` of them, above 0, else 0.
    pub(crate) fn dropped(&mut self, size: &[i64], dropout: f64, device: tch::Device) -> Tensor {
        let count = size.iter().product::<i64>() as usize;
        let mask = self.draw(count, dropout).expect("something is dropped");
        Tensor::from_slice(mask).to_device(device).view(size).eq(0.0).to_kind(tch::Kind::Float)
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
