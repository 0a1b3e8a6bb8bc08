//! Which samples make the batches of an epoch.

use crate::random::{SeededRandom, Stream};
use crate::samples::SampleTensors;
use crate::training_spec::{Batches, TrainingSpec};

/// The order of samples in a training: every epoch follows from the seed and the number of epochs before it.
#[derive(Debug)]
pub(crate) struct BatchPlan {
    batches: Batches,
    /// Whether batches are runs of samples in their own order.
    runs: bool,
    batch_size: usize,
    steps_max: usize,
    random: SeededRandom,
    order: Vec<i64>,
    /// Valid steps of every sample, one list per scale; a scale of full windows has one entry for all.
    steps: Vec<Vec<u32>>,
}

impl BatchPlan {
    /// Starts before the first epoch; `runs` keeps samples in their own order and shuffles only whole batches.
    pub(crate) fn new(spec: &TrainingSpec, samples: &SampleTensors, seed: u64, runs: bool) -> Self {
        Self {
            batches: spec.batches,
            runs,
            batch_size: spec.batch_size,
            steps_max: spec.steps_per_batch_max.unwrap_or(usize::MAX),
            random: SeededRandom::new(seed, Stream::Shuffle),
            order: (0..samples.len() as i64).collect(),
            steps: samples.valid_steps(),
        }
    }

    /// Returns the batches of the next epoch; every sample is in one of them.
    pub(crate) fn next_epoch(&mut self) -> Vec<Vec<i64>> {
        if self.runs {
            return self.next_runs();
        }
        self.random.shuffle(&mut self.order);
        match self.batches {
            Batches::Shuffled => self.cut(&self.order),
            Batches::ByLength => {
                let mut sorted = self.order.clone();
                // Samples of equal length stay in shuffled order.
                sorted.sort_by_key(|&place| {
                    (0..self.steps.len()).map(|scale| self.steps_of(scale, place)).sum::<usize>()
                });
                let mut batches = self.cut(&sorted);
                self.random.shuffle(&mut batches);
                batches
            }
        }
    }

    /// Cuts the samples' own order, at other places in every epoch.
    fn next_runs(&mut self) -> Vec<Vec<i64>> {
        let first = (self.random.uniform() * self.batch_size as f64) as usize;
        let (head, rest) = self.order.split_at(first.min(self.order.len()));
        let mut batches = [self.cut(head), self.cut(rest)].concat();
        self.random.shuffle(&mut batches);
        batches
    }

    /// Returns how many words of the generator have been used.
    pub(crate) fn words_used(&self) -> u64 {
        self.random.words_used()
    }

    /// Cuts an order into batches, as long as the limits allow.
    fn cut(&self, order: &[i64]) -> Vec<Vec<i64>> {
        let mut batches: Vec<Vec<i64>> = Vec::new();
        let mut longest = vec![0; self.steps.len()];
        for &place in order {
            let joined: Vec<usize> =
                longest.iter().enumerate().map(|(scale, &steps)| self.steps_of(scale, place).max(steps)).collect();
            match batches.last_mut() {
                Some(batch)
                    if batch.len() < self.batch_size
                        && (batch.len() + 1) * joined.iter().sum::<usize>() <= self.steps_max =>
                {
                    batch.push(place);
                    longest = joined;
                }
                _ => {
                    batches.push(vec![place]);
                    longest = (0..self.steps.len()).map(|scale| self.steps_of(scale, place)).collect();
                }
            }
        }
        batches
    }

    fn steps_of(&self, scale: usize, place: i64) -> usize {
        let steps = &self.steps[scale];
        (if steps.len() == 1 { steps[0] } else { steps[place as usize] }) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{learnable, training};

    /// Windows of two scales, of 6 and 4 steps; `lengths` are those of the first scale.
    fn plan(batches: Batches, batch_size: usize, steps_per_batch_max: Option<usize>, lengths: &[u32]) -> BatchPlan {
        let mut windows = learnable(lengths.len(), 2, 1);
        windows.scales[0].lengths = lengths.to_vec();
        let samples = SampleTensors::new(&windows, "training", &[3, 2], None, tch::Device::Cpu).expect("sane");
        BatchPlan::new(&TrainingSpec { batch_size, batches, steps_per_batch_max, ..training(1) }, &samples, 7, false)
    }

    fn sorted(batches: &[Vec<i64>]) -> Vec<i64> {
        let mut all = batches.concat();
        all.sort_unstable();
        all
    }

    /// Sixty windows of lengths 1 to 6, ten of each.
    fn lengths() -> Vec<u32> {
        (0..60).map(|place| 1 + place % 6).collect()
    }

    #[test]
    fn every_epoch_has_every_sample_once_in_another_order() {
        for batches in [Batches::Shuffled, Batches::ByLength] {
            let mut plan = plan(batches, 16, None, &lengths());
            let (first, second) = (plan.next_epoch(), plan.next_epoch());
            assert_eq!(first.len(), 4);
            assert_eq!((sorted(&first), sorted(&second)), ((0..60).collect(), (0..60).collect()));
            assert_ne!(first, second);
        }
    }

    #[test]
    fn runs_keep_neighbours_together_in_other_places_every_epoch() {
        let mut plan = plan(Batches::Shuffled, 16, None, &lengths());
        plan.runs = true;
        let epochs = [plan.next_epoch(), plan.next_epoch(), plan.next_epoch()];
        for batches in &epochs {
            assert_eq!(sorted(batches), (0..60).collect::<Vec<_>>());
            assert!(
                batches.iter().flat_map(|batch| batch.windows(2)).all(|pair| pair[1] == pair[0] + 1),
                "{batches:?}"
            );
        }
        assert!(epochs[0] != epochs[1] && epochs[1] != epochs[2]);
    }

    #[test]
    fn the_last_smaller_batch_is_kept() {
        let mut sizes: Vec<usize> =
            plan(Batches::Shuffled, 16, None, &[6; 40]).next_epoch().iter().map(Vec::len).collect();
        sizes.sort_unstable();
        assert_eq!(sizes, [8, 16, 16]);
    }

    #[test]
    fn batches_by_length_hold_windows_of_like_length_in_shuffled_order() {
        let mut plan = plan(Batches::ByLength, 10, None, &lengths());
        let batches = plan.next_epoch();
        let of_batch = |batch: &Vec<i64>| {
            let first = 1 + batch[0] % 6;
            assert!(batch.iter().all(|place| 1 + place % 6 == first), "{batch:?}");
            first
        };
        let order: Vec<i64> = batches.iter().map(of_batch).collect();
        assert_ne!(order, [1, 2, 3, 4, 5, 6]);
        assert_ne!(plan.next_epoch().iter().map(of_batch).collect::<Vec<_>>(), order);
    }

    #[test]
    fn a_batch_has_no_more_steps_than_allowed_padding_included() {
        for batches in [Batches::Shuffled, Batches::ByLength] {
            // A whole window of both scales has 10 steps, so at most 4 of them, or 8 of the shortest, make a batch.
            let found = plan(batches, 16, Some(40), &lengths()).next_epoch();
            let steps = |batch: &Vec<i64>| {
                batch.len() * (4 + batch.iter().map(|place| 1 + place % 6).max().unwrap_or(0)) as usize
            };
            assert!(found.iter().all(|batch| steps(batch) <= 40), "{found:?}");
            assert_eq!(sorted(&found), (0..60).collect::<Vec<_>>());
            assert!(found.iter().any(|batch| batch.len() > 4));
        }
    }

    #[test]
    fn a_window_longer_than_the_limit_is_a_batch_of_its_own() {
        let found = plan(Batches::Shuffled, 16, Some(3), &[6; 5]).next_epoch();
        assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [1; 5]);
    }
}
