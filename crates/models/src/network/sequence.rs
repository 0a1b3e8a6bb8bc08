//! The steps of windows on their way through an encoder.

use tch::{Kind, Tensor};

/// Windows of one scale, their first valid step first: what is missing of a short one lies behind its end, where nothing that
/// looks backward ever sees it.
#[derive(Debug)]
pub(crate) struct Sequence {
    /// `[T, B, F]`, laid out so that a step's rows are neighbours.
    pub(crate) values: Tensor,
    /// Valid steps, `[B]`, 64-bit whole numbers of at least 1; `None` where all steps are.
    lengths: Option<Tensor>,
}

impl Sequence {
    /// Takes windows as batches keep them: `[B, T, F]`, short ones at the end of their `T` steps.
    pub(crate) fn new(windows: &Tensor, lengths: Option<&[u32]>) -> Self {
        let values = windows.transpose(0, 1).contiguous();
        let Some(lengths) = lengths else { return Self { values, lengths: None } };
        let lengths: Vec<i64> = lengths.iter().map(|&length| i64::from(length)).collect();
        let lengths = Tensor::from_slice(&lengths).to_device(values.device());
        let missing = values.size()[0] - &lengths;
        // The step that comes to a place: as many later as steps are missing. Behind the end the last one is repeated.
        let steps = (steps_of(&values) + missing).clamp_max(values.size()[0] - 1);
        Self { values: pick_steps(&values, &steps), lengths: Some(lengths) }
    }

    /// Returns other values of the same steps.
    pub(crate) fn with(&self, values: Tensor) -> Self {
        Self { values, lengths: self.lengths.as_ref().map(Tensor::shallow_clone) }
    }

    /// Returns the number of steps, of windows and of values per step.
    pub(crate) fn sizes(&self) -> [i64; 3] {
        self.values.size3().expect("steps are `[T, B, F]`").into()
    }

    /// Returns each window's steps in the opposite order; twice gives the same steps again.
    ///
    /// What lies behind the end of a short window means nothing before and after.
    pub(crate) fn reversed(&self) -> Self {
        let values = match &self.lengths {
            None => self.values.flip([0]),
            Some(lengths) => {
                let steps: Tensor = lengths - 1 - steps_of(&self.values);
                pick_steps(&self.values, &steps.clamp_min(0))
            }
        };
        self.with(values)
    }

    /// Returns the last valid step's values, `[B, F]`.
    pub(crate) fn last(&self) -> Tensor {
        match &self.lengths {
            None => self.values.select(0, -1),
            Some(lengths) => pick_steps(&self.values, &(lengths - 1).unsqueeze(0)).squeeze_dim(0),
        }
    }

    /// Returns the mean over the valid steps, `[B, F]`.
    pub(crate) fn mean(&self) -> Tensor {
        let sum = |values: &Tensor| values.sum_dim_intlist(0, false, Kind::Float);
        match &self.lengths {
            None => sum(&self.values) / self.values.size()[0],
            Some(lengths) => {
                let invalid = self.invalid().expect("some windows are short").unsqueeze(2);
                sum(&self.values.masked_fill(&invalid, 0.0)) / lengths.unsqueeze(1)
            }
        }
    }

    /// Returns which steps lie behind the end of their window, `[T, B]`; `None` where none does.
    pub(crate) fn invalid(&self) -> Option<Tensor> {
        self.lengths.as_ref().map(|lengths| steps_of(&self.values).ge_tensor(lengths))
    }
}

/// Returns the places of the steps, `[T, 1]`.
fn steps_of(values: &Tensor) -> Tensor {
    Tensor::arange(values.size()[0], (Kind::Int64, values.device())).unsqueeze(1)
}

/// Returns other steps of each window: `steps` is `[T', B]`.
fn pick_steps(values: &Tensor, steps: &Tensor) -> Tensor {
    let features = values.size()[2];
    values.gather(0, &steps.unsqueeze(2).expand([-1, -1, features], false), false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::to_vec;

    /// Two windows of one feature over four steps: all of 1, 2, 3, 4, and 7, 8 at the end.
    fn sequence() -> Sequence {
        let windows = Tensor::from_slice(&[1.0_f32, 2.0, 3.0, 4.0, 0.0, 0.0, 7.0, 8.0]).view([2, 4, 1]);
        Sequence::new(&windows, Some(&[4, 2]))
    }

    /// Steps of the first and of the second window, as far as they are valid.
    fn valid(sequence: &Sequence) -> [Vec<f32>; 2] {
        let [mut first, mut second] = [0, 1].map(|window| to_vec(&sequence.values.select(1, window)));
        first.truncate(4);
        second.truncate(2);
        [first, second]
    }

    #[test]
    fn a_short_window_starts_at_the_first_step() {
        assert_eq!(valid(&sequence()), [vec![1.0, 2.0, 3.0, 4.0], vec![7.0, 8.0]]);
        assert_eq!(to_vec(&sequence().last()), [4.0, 8.0]);
        assert_eq!(to_vec(&sequence().mean()), [2.5, 7.5]);
    }

    #[test]
    fn a_window_reversed_twice_is_the_window() {
        let reversed = sequence().reversed();
        assert_eq!(valid(&reversed), [vec![4.0, 3.0, 2.0, 1.0], vec![8.0, 7.0]]);
        assert_eq!(valid(&reversed.reversed()), valid(&sequence()));
    }

    #[test]
    fn full_windows_give_the_same_bits_with_and_without_their_lengths() {
        let windows = Tensor::arange(24, (Kind::Float, tch::Device::Cpu)).view([2, 4, 3]) * 0.37;
        let (with, without) = (Sequence::new(&windows, Some(&[4, 4])), Sequence::new(&windows, None));
        let parts: [fn(&Sequence) -> Tensor; 4] =
            [|s| s.values.copy(), Sequence::last, Sequence::mean, |s| s.reversed().values];
        for part in parts {
            assert_eq!(to_vec(&part(&with)), to_vec(&part(&without)));
        }
    }
}
