//! Disturbed training windows: bent in time, noisy, and with gaps.

use tch::Tensor;

use crate::parameters::to_vec;
use crate::random::{SeededRandom, Stream};
use crate::samples::Batch;
use crate::training_spec::Augmentation;

/// Disturbs the batches of one training.
///
/// Only the trainer's steps have one, so a validation or a forecast cannot be disturbed.
#[derive(Debug)]
pub(crate) struct Disturbance {
    spec: Augmentation,
    random: SeededRandom,
}

/// One window inside a batch's values.
struct Window<'a> {
    /// Its valid steps, `[T, F]`, oldest first.
    values: &'a mut [f32],
    features: usize,
}

impl Disturbance {
    /// Starts the disturbances of a seed.
    pub(crate) fn new(spec: Augmentation, seed: u64) -> Self {
        Self { spec, random: SeededRandom::new(seed, Stream::Augmentation) }
    }

    /// Disturbs the windows of a batch; padding stays zero, labels stay as they are.
    pub(crate) fn apply(&mut self, batch: &mut Batch) {
        // So that the generator's position says everything about what comes next.
        self.random.forget_spare_normal();
        for (input, lengths) in batch.inputs.iter_mut().zip(&batch.lengths) {
            let (size, steps, features) = input.size3().expect("windows are `[B, T, F]`");
            let [steps, features] = [steps, features].map(|count| count as usize);
            let mut values = to_vec(input);
            for (place, window) in values.chunks_mut(steps * features).enumerate() {
                let valid = lengths.as_ref().map_or(steps, |lengths| lengths[place] as usize);
                self.disturb(&mut Window { values: &mut window[(steps - valid) * features..], features });
            }
            *input = Tensor::from_slice(&values).view([size, steps as i64, features as i64]).to_device(input.device());
        }
    }

    /// Returns how many words of the generator have been used.
    pub(crate) fn words_used(&self) -> u64 {
        self.random.words_used()
    }

    /// Goes on after so many words.
    pub(crate) fn skip_to(&mut self, words: u64) {
        self.random.skip_to(words);
    }

    fn disturb(&mut self, window: &mut Window<'_>) {
        let Augmentation { noise, feature_mask, time_mask, time_warp } = self.spec;
        if time_warp > 0.0 {
            let places = warped_places(window.steps(), time_warp, &mut self.random);
            window.read_at(&places);
        }
        if noise > 0.0 {
            window.values.iter_mut().for_each(|value| *value += (noise * self.random.normal()) as f32);
        }
        if feature_mask > 0.0 {
            for feature in 0..window.features {
                if self.random.uniform() < feature_mask {
                    window.values.iter_mut().skip(feature).step_by(window.features).for_each(|value| *value = 0.0);
                }
            }
        }
        if time_mask > 0.0 {
            let before_last = window.steps() - 1;
            for step in window.values.chunks_mut(window.features).take(before_last) {
                if self.random.uniform() < time_mask {
                    step.fill(0.0);
                }
            }
        }
    }
}

impl Window<'_> {
    const fn steps(&self) -> usize {
        self.values.len() / self.features
    }

    /// Reads the window at other places than its steps, on straight lines between them.
    fn read_at(&mut self, places: &[f64]) {
        let own = self.values.to_vec();
        for (step, &place) in self.values.chunks_mut(self.features).zip(places) {
            let before = (place as usize).min(own.len() / self.features - 1);
            let after = (before + 1).min(own.len() / self.features - 1);
            let share = (place - before as f64) as f32;
            for (feature, value) in step.iter_mut().enumerate() {
                let [from, to] = [before, after].map(|step| own[step * self.features + feature]);
                *value = share.mul_add(to - from, from);
            }
        }
    }
}

/// Returns where the steps of a warped window are read, from the first step to the last and strictly rising.
///
/// The speed between two steps is `exp(strength * n)`, `n` standard normal; the way is then scaled to the window's length.
fn warped_places(steps: usize, strength: f64, random: &mut SeededRandom) -> Vec<f64> {
    let mut places = Vec::with_capacity(steps);
    let mut way = 0.0;
    places.push(way);
    for _ in 1..steps {
        way += (strength * random.normal()).exp();
        places.push(way);
    }
    let last = (steps - 1) as f64;
    let scale = if way > 0.0 { last / way } else { 0.0 };
    for place in &mut places {
        *place *= scale;
    }
    places[steps - 1] = last;
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::learnable;
    use crate::samples::SampleTensors;
    use crate::target::TargetScale;

    const STILL: Augmentation = Augmentation { noise: 0.0, feature_mask: 0.0, time_mask: 0.0, time_warp: 0.0 };

    /// Forty windows of 6 steps and 3 features, of which every second has 4 valid steps; disturbed, and as they were.
    fn disturbed(spec: Augmentation) -> (Batch, Batch) {
        let mut windows = learnable(40, 1, 1);
        windows.scales[0].lengths = (0..40).map(|place| 6 - 2 * (place % 2)).collect();
        for place in (1..40).step_by(2) {
            windows.scales[0].values[place * 18..place * 18 + 6].fill(0.0);
        }
        let scales = TargetScale::of(&windows).expect("labels");
        let samples =
            SampleTensors::new(&windows, "training", &[3], Some(&scales), tch::Device::Cpu).expect("finite windows");
        let mut batch = samples.cut(0, 40);
        Disturbance::new(spec, 7).apply(&mut batch);
        (batch, samples.cut(0, 40))
    }

    /// Values of the windows' valid steps before and after.
    fn pairs(spec: Augmentation) -> Vec<(f32, f32)> {
        let (after, before) = disturbed(spec);
        let (after, before) = (to_vec(&after.inputs[0]), to_vec(&before.inputs[0]));
        let valid = |place: usize| place % 36 < 18 || place % 18 >= 6;
        before.into_iter().zip(after).enumerate().filter(|(place, _)| valid(*place)).map(|(_, pair)| pair).collect()
    }

    #[test]
    fn padding_and_labels_are_never_disturbed() {
        let spec = Augmentation { noise: 1.0, feature_mask: 0.3, time_mask: 0.3, time_warp: 0.5 };
        let (after, before) = disturbed(spec);
        assert_ne!(to_vec(&after.inputs[0]), to_vec(&before.inputs[0]));
        let padding: Vec<f32> =
            to_vec(&after.inputs[0]).chunks(18).skip(1).step_by(2).flat_map(|window| window[..6].to_vec()).collect();
        assert_eq!(padding, [0.0; 120]);
        let targets = |batch: &Batch| to_vec(batch.targets.as_ref().expect("targets"));
        assert_eq!(targets(&after), targets(&before));
    }

    #[test]
    fn nothing_asked_is_nothing_done() {
        assert!(pairs(STILL).iter().all(|(before, after)| before == after));
    }

    #[test]
    fn noise_has_the_stated_deviation() {
        let changes: Vec<f64> = pairs(Augmentation { noise: 0.2, ..STILL })
            .iter()
            .map(|(before, after)| f64::from(after - before))
            .collect();
        let count = changes.len() as f64;
        let mean = changes.iter().sum::<f64>() / count;
        let variance = changes.iter().map(|change| change * change).sum::<f64>() / count;
        // 600 values: standard errors 0.2 / sqrt(600) = 0.0082 and 0.04 sqrt(2 / 600) = 0.0023; four of them.
        assert_eq!(count, 600.0);
        assert!(mean.abs() < 0.033 && (variance - 0.04).abs() < 0.0093, "{mean} {variance}");
    }

    #[test]
    fn masked_steps_are_zero_in_all_features_and_the_last_step_stays() {
        let pairs = pairs(Augmentation { time_mask: 0.5, ..STILL });
        let mut gone = 0;
        for step in pairs.chunks(3) {
            let zero = step.iter().all(|(_, after)| *after == 0.0);
            assert!(zero || step.iter().all(|(before, after)| before == after), "{step:?}");
            gone += u32::from(zero);
        }
        // 20 windows of 6 steps and 20 of 4, the last ones kept: 160 may go, half of them; standard error sqrt(40) = 6.3.
        assert!((55..=105).contains(&gone), "{gone}");
        let mut start = 0;
        for steps in (0..40).map(|place| 6 - 2 * (place % 2)) {
            let last = &pairs[start + 3 * (steps - 1)..start + 3 * steps];
            assert!(last.iter().all(|(before, after)| before == after));
            start += 3 * steps;
        }
    }

    #[test]
    fn masked_features_are_zero_in_the_whole_window() {
        let (after, before) = disturbed(Augmentation { feature_mask: 0.4, ..STILL });
        let (after, before) = (to_vec(&after.inputs[0]), to_vec(&before.inputs[0]));
        let mut gone = 0;
        for (after, before) in after.chunks(18).zip(before.chunks(18)) {
            for feature in 0..3 {
                let column = |window: &[f32]| window.iter().skip(feature).step_by(3).copied().collect::<Vec<_>>();
                let zero = column(after).iter().all(|value| *value == 0.0);
                assert!(zero || column(after) == column(before));
                gone += u32::from(zero);
            }
        }
        // 120 columns, 48 expected; standard error sqrt(120 * 0.4 * 0.6) = 5.4; four of them.
        assert!((27..=69).contains(&gone), "{gone}");
    }

    #[test]
    fn warped_time_rises_from_the_first_step_to_the_last() {
        let mut random = SeededRandom::new(3, Stream::Augmentation);
        for steps in [1, 2, 3, 50] {
            for _ in 0..100 {
                let places = warped_places(steps, 1.5, &mut random);
                assert_eq!((places[0], places[steps - 1]), (0.0, (steps - 1) as f64));
                assert!(places.is_sorted_by(|a, b| a < b), "{places:?}");
            }
        }
    }

    #[test]
    fn a_window_read_between_its_steps_lies_on_straight_lines() {
        let mut values = [0.0, 10.0, 1.0, 20.0, 3.0, 0.0_f32];
        Window { values: &mut values, features: 2 }.read_at(&[0.0, 0.5, 2.0]);
        assert_eq!(values, [0.0, 10.0, 0.5, 15.0, 3.0, 0.0]);
    }

    #[test]
    fn one_seed_disturbs_alike_and_a_position_goes_on() {
        let spec = Augmentation { noise: 0.1, ..STILL };
        let batch = || disturbed(STILL).0;
        let run = |disturbance: &mut Disturbance| {
            let mut batch = batch();
            disturbance.apply(&mut batch);
            to_vec(&batch.inputs[0])
        };
        let mut whole = Disturbance::new(spec, 7);
        let first = run(&mut whole);
        let mut resumed = Disturbance::new(spec, 7);
        resumed.skip_to(whole.words_used());
        assert_eq!(run(&mut resumed), run(&mut whole));
        assert_eq!(run(&mut Disturbance::new(spec, 7)), first);
        assert_ne!(run(&mut Disturbance::new(spec, 8)), first);
    }
}
