//! Gradients of windows with padding, in both directions, from all states and to all inputs, against finite differences of
//! plain loops.

use crate::plain_loops::{Kind, doubles, numbers, run};
use tidegate_recurrence::{Batch, Direction, Downstream, StackShape, Upstream, Weights, Workspace, all_states};

struct Case {
    shape: StackShape,
    size: usize,
    steps: usize,
    starts: Option<Vec<usize>>,
    direction: Direction,
    weights: Vec<f32>,
    windows: Vec<f32>,
    initial: Vec<f32>,
    /// The loss is the inner product of these with the last states of the top layer, and with all of its states.
    of_last: Vec<f32>,
    of_all: Vec<f32>,
}

/// Sizes `[I, H, L]`, batch and steps.
const SIZES: [([usize; 3], usize, usize); 6] = [
    ([2, 3, 1], 5, 4),
    ([3, 1, 3], 5, 3),
    ([17, 17, 2], 6, 6),
    ([4, 33, 2], 1, 5),
    ([8, 16, 1], 9, 7),
    ([5, 3, 2], 70, 3),
];

fn cases() -> impl Iterator<Item = Case> {
    let directions = [Direction::Forward, Direction::Backward];
    let choices = directions.into_iter().flat_map(|direction| [(direction, false), (direction, true)]);
    choices.flat_map(|(direction, padded)| {
        SIZES.into_iter().map(move |([inputs, hidden, layers], size, steps)| {
            let shape = StackShape { inputs, hidden, layers };
            Case {
                shape,
                size,
                steps,
                starts: padded.then(|| (0..size).map(|sample| (sample * 5 + 1) % steps).collect()),
                direction,
                weights: numbers(shape.weight_count(), 1, 1.5 / (hidden as f32).sqrt()),
                windows: numbers(size * steps * inputs, 2, 1.5),
                initial: numbers(layers * size * hidden, 3, 0.8),
                of_last: numbers(size * hidden, 5, 1.0),
                of_all: numbers(size * steps * hidden, 6, 1.0),
            }
        })
    })
}

impl Case {
    fn batch<'a>(&'a self, windows: &'a [f32], initial: &'a [f32]) -> Batch<'a> {
        Batch {
            initial_states: Some(initial),
            starts: self.starts.as_deref(),
            direction: self.direction,
            ..Batch::new(windows, self.size, self.steps)
        }
    }

    fn loss(&self, weights: &[f64], batch: &Batch<'_>) -> f64 {
        let hidden = self.shape.hidden;
        let inner = |states: &[f64], factors: &[f32]| {
            states.iter().zip(factors).map(|(state, factor)| state * f64::from(*factor)).sum::<f64>()
        };
        let of_sample = |sample: usize| {
            let found = run(Kind::Gru, self.shape, weights, batch, sample);
            let of_all = self.of_all.chunks(hidden).skip(sample * self.steps);
            let all: f64 = found.all.iter().zip(of_all).map(|(states, factors)| inner(states, factors)).sum();
            all + inner(&found.last[found.last.len() - 1], &self.of_last[sample * hidden..])
        };
        (0..self.size).map(of_sample).sum()
    }

    fn gradients(&self) -> [Vec<f32>; 3] {
        let mut found = [&self.weights, &self.windows, &self.initial].map(|values| vec![f32::NAN; values.len()]);
        let [of_weights, of_windows, of_initial] = &mut found;
        let weights = Weights::new(self.shape, &self.weights);
        let mut workspace = Workspace::default();
        workspace.forward(&weights, &self.batch(&self.windows, &self.initial));
        let upstream = Upstream { last: Some(&self.of_last), all: Some(&self.of_all) };
        let downstream =
            Downstream { weights: of_weights, windows: Some(of_windows), initial_states: Some(of_initial) };
        workspace.backward_to(&weights, upstream, downstream);
        found
    }
}

/// Compares a spread of a gradient's values with differences of the loss after a step of `2^-7`, which single precision can
/// take without rounding, extrapolated to steps of zero.
fn check(values: &[f32], gradient: &[f32], mut loss: impl FnMut(&[f32]) -> f64) {
    let mut moved = values.to_vec();
    for place in (0..values.len()).step_by(values.len() / 60 + 1) {
        let own = values[place];
        let mut slope = |step: f32| {
            let (above, below) = (own + step, own - step);
            moved[place] = above;
            let higher = loss(&moved);
            moved[place] = below;
            let slope = (higher - loss(&moved)) / (f64::from(above) - f64::from(below));
            moved[place] = own;
            slope
        };
        let (wide, narrow) = (slope(1.0 / 64.0), slope(1.0 / 128.0));
        let expected = (4.0 * narrow - wide) / 3.0;
        let error = (f64::from(gradient[place]) - expected).abs() / expected.abs().max(1.0);
        assert!(error < 1e-5, "value {place}: {} is not {expected}", gradient[place]);
    }
}

#[test]
fn gradients_of_weights_windows_and_initial_states_equal_finite_differences() {
    for case in cases() {
        let [of_weights, of_windows, of_initial] = case.gradients();
        let exact = doubles(&case.weights);
        check(&case.weights, &of_weights, |weights| {
            case.loss(&doubles(weights), &case.batch(&case.windows, &case.initial))
        });
        check(&case.windows, &of_windows, |windows| case.loss(&exact, &case.batch(windows, &case.initial)));
        check(&case.initial, &of_initial, |initial| case.loss(&exact, &case.batch(&case.windows, initial)));
    }
}

#[test]
fn padding_has_no_gradient_and_its_own_gradients_count_nothing() {
    for mut case in cases().filter(|case| case.starts.is_some()) {
        let expected = case.gradients();
        let starts = case.starts.clone().expect("these have padding");
        for (sample, start) in starts.into_iter().enumerate() {
            let (first, inputs, hidden) = (sample * case.steps, case.shape.inputs, case.shape.hidden);
            assert!(expected[1][first * inputs..(first + start) * inputs].iter().all(|gradient| *gradient == 0.0));
            case.windows[first * inputs..(first + start) * inputs].fill(f32::NAN);
            case.of_all[first * hidden..(first + start) * hidden].fill(f32::NAN);
        }
        assert_eq!(case.gradients(), expected);
    }
}

#[test]
fn a_forward_pass_keeps_the_states_of_an_inference() {
    for case in cases() {
        let weights = Weights::new(case.shape, &case.weights);
        let batch = case.batch(&case.windows, &case.initial);
        let expected = all_states(&weights, &batch);
        let mut workspace = Workspace::default();
        workspace.forward(&weights, &batch);
        let mut all = vec![f32::NAN; expected.all.len()];
        workspace.copy_all_states(&weights, &mut all);
        assert_eq!(all, expected.all);
        let mut last = vec![f32::NAN; case.size * case.shape.hidden];
        for (layer, expected) in expected.last.chunks(last.len()).enumerate() {
            workspace.copy_states(&weights, layer, case.steps, &mut last);
            assert_eq!(last, expected);
        }
    }
}

#[test]
fn the_gradient_of_a_batch_is_the_sum_of_those_of_its_windows_alone() {
    for case in cases().filter(|case| case.starts.is_some() && case.size <= 9) {
        let [together, ..] = case.gradients();
        let mut sum = vec![0.0_f64; together.len()];
        let starts = case.starts.clone().expect("these have padding");
        for (sample, start) in starts.into_iter().enumerate() {
            let StackShape { inputs, hidden, layers } = case.shape;
            let steps = sample * case.steps + start..(sample + 1) * case.steps;
            let initial = (0..layers)
                .flat_map(|layer| case.initial[(layer * case.size + sample) * hidden..][..hidden].to_vec())
                .collect();
            let alone = Case {
                size: 1,
                steps: steps.len(),
                starts: None,
                weights: case.weights.clone(),
                windows: case.windows[steps.start * inputs..steps.end * inputs].to_vec(),
                initial,
                of_last: case.of_last[sample * hidden..][..hidden].to_vec(),
                of_all: case.of_all[steps.start * hidden..steps.end * hidden].to_vec(),
                ..case
            };
            let [gradient, ..] = alone.gradients();
            sum.iter_mut().zip(gradient).for_each(|(sum, value)| *sum += f64::from(value));
        }
        for (found, expected) in together.iter().zip(sum) {
            assert!(
                (f64::from(*found) - expected).abs() <= 2e-6 * expected.abs().max(1.0),
                "{found} is not {expected}"
            );
        }
    }
}
