//! States and gradients against the equations in plain double-precision loops, at sizes that do and do not fill a vector.

use tidegate_recurrence::{Batch, StackShape, Weights, Workspace, last_states};

/// A small problem: sizes, weights, windows, initial states, factors of the layers' outputs, and the gradient of the last
/// states, which makes a loss of them: their inner product.
struct Case {
    shape: StackShape,
    size: usize,
    steps: usize,
    weights: Vec<f32>,
    windows: Vec<f32>,
    initial: Vec<f32>,
    masks: Vec<f32>,
    last_gradient: Vec<f32>,
}

/// Fixed numbers in `[-scale, scale]`.
fn numbers(len: usize, seed: usize, scale: f32) -> Vec<f32> {
    (0..len).map(|i| ((i * 7 + seed * 131 + 1) as f32 * 12.9898).sin() * scale).collect()
}

impl Case {
    fn new([inputs, hidden, layers]: [usize; 3], size: usize, steps: usize) -> Self {
        let shape = StackShape { inputs, hidden, layers };
        let mask = |value: f32| if value > 0.4 { 0.0 } else { 1.25 };
        Self {
            shape,
            size,
            steps,
            weights: numbers(shape.weight_count(), 1, 1.5 / (hidden as f32).sqrt()),
            windows: numbers(size * steps * inputs, 2, 1.5),
            initial: numbers(layers * size * hidden, 3, 0.8),
            masks: numbers((layers - 1) * steps * size * hidden, 4, 1.0).into_iter().map(mask).collect(),
            last_gradient: numbers(size * hidden, 5, 1.0),
        }
    }

    fn batch(&self) -> Batch<'_> {
        Batch {
            initial_states: Some(&self.initial),
            masks: Some(&self.masks),
            ..Batch::new(&self.windows, self.size, self.steps)
        }
    }

    /// Returns the states of all layers after the last step of one sample.
    fn reference(&self, weights: &[f64], sample: usize, with_masks: bool) -> Vec<Vec<f64>> {
        let StackShape { inputs, hidden, layers } = self.shape;
        let window = &self.windows[sample * self.steps * inputs..][..self.steps * inputs];
        let mut input: Vec<Vec<f64>> = window.chunks(inputs).map(doubles).collect();
        let mut rest = weights;
        let mut last = Vec::new();
        for layer in 0..layers {
            let mut take = |len: usize| {
                let (own, others) = rest.split_at(len);
                rest = others;
                own
            };
            let width = input[0].len();
            let (w_ih, w_hh) = (take(3 * hidden * width), take(3 * hidden * hidden));
            let (b_ih, b_hh) = (take(3 * hidden), take(3 * hidden));
            let mut state = doubles(&self.initial[(layer * self.size + sample) * hidden..][..hidden]);
            for (step, values) in input.iter_mut().enumerate() {
                let (x, h) = (affine(w_ih, b_ih, values), affine(w_hh, b_hh, &state));
                state = (0..hidden)
                    .map(|i| {
                        let reset = sigmoid(x[i] + h[i]);
                        let update = sigmoid(x[hidden + i] + h[hidden + i]);
                        let new = (x[2 * hidden + i] + reset * h[2 * hidden + i]).tanh();
                        (1.0 - update) * new + update * state[i]
                    })
                    .collect();
                values.clone_from(&state);
                if with_masks && layer + 1 < layers {
                    let mask = &self.masks[((layer * self.steps + step) * self.size + sample) * hidden..][..hidden];
                    values.iter_mut().zip(mask).for_each(|(value, factor)| *value *= f64::from(*factor));
                }
            }
            last.push(state);
        }
        last
    }

    fn loss(&self, weights: &[f64]) -> f64 {
        let hidden = self.shape.hidden;
        let of_sample = |sample: usize| -> f64 {
            let states = self.reference(weights, sample, true);
            let gradient = &self.last_gradient[sample * hidden..][..hidden];
            states[states.len() - 1].iter().zip(gradient).map(|(state, factor)| state * f64::from(*factor)).sum()
        };
        (0..self.size).map(of_sample).sum()
    }
}

fn doubles(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

fn sigmoid(value: f64) -> f64 {
    1.0 / (1.0 + (-value).exp())
}

/// `W x + b`, row by row.
fn affine(weights: &[f64], biases: &[f64], input: &[f64]) -> Vec<f64> {
    let dot = |row: &[f64]| row.iter().zip(input).map(|(weight, value)| weight * value).sum::<f64>();
    weights.chunks(input.len()).zip(biases).map(|(row, bias)| dot(row) + bias).collect()
}

/// Sizes `[I, H, L]`, batch and steps.
const CASES: [([usize; 3], usize, usize); 9] = [
    ([1, 1, 1], 1, 1),
    ([2, 3, 1], 5, 4),
    ([3, 1, 3], 5, 3),
    ([5, 17, 2], 5, 6),
    ([4, 33, 2], 3, 5),
    ([8, 16, 1], 9, 7),
    ([10, 64, 2], 2, 3),
    ([17, 3, 2], 70, 2),
    ([7, 16, 2], 33, 9),
];

#[test]
fn last_states_of_every_layer_equal_plain_loops() {
    for (sizes, size, steps) in CASES {
        let case = Case::new(sizes, size, steps);
        let weights = Weights::new(case.shape, &case.weights);
        let states = last_states(&weights, &Batch { masks: None, ..case.batch() });
        let exact = doubles(&case.weights);
        for sample in 0..size {
            for (layer, expected) in case.reference(&exact, sample, false).iter().enumerate() {
                let found = &states[(layer * size + sample) * case.shape.hidden..];
                for (found, expected) in found.iter().zip(expected) {
                    assert!((f64::from(*found) - expected).abs() < 2e-6, "{sizes:?}: {found} is not {expected}");
                }
            }
        }
    }
}

#[test]
fn gradients_equal_finite_differences_of_plain_loops() {
    for (sizes, size, steps) in CASES {
        let case = Case::new(sizes, size, steps);
        let weights = Weights::new(case.shape, &case.weights);
        let mut workspace = Workspace::default();
        workspace.forward(&weights, &case.batch());
        let mut gradient = vec![f32::NAN; case.weights.len()];
        workspace.backward(&weights, &case.last_gradient, &mut gradient);
        let mut moved = doubles(&case.weights);
        // Every weight of a small stack, a few hundred spread over a large one.
        for place in (0..moved.len()).step_by(moved.len() / 300 + 1) {
            let (own, step) = (moved[place], 1e-5);
            let mut loss_at = |value: f64| {
                moved[place] = value;
                case.loss(&moved)
            };
            let expected = (loss_at(own + step) - loss_at(own - step)) / (2.0 * step);
            moved[place] = own;
            let error = (f64::from(gradient[place]) - expected).abs() / expected.abs().max(1.0);
            assert!(error < 5e-6, "{sizes:?} weight {place}: {} is not {expected}", gradient[place]);
        }
    }
}

#[test]
fn a_workspace_that_has_seen_other_sizes_gives_the_same_bits() {
    let gradient = |workspace: &mut Workspace, case: &Case| {
        let weights = Weights::new(case.shape, &case.weights);
        workspace.forward(&weights, &case.batch());
        let states = workspace.last_states(&weights);
        let mut gradient = vec![0.0; case.weights.len()];
        workspace.backward(&weights, &case.last_gradient, &mut gradient);
        (states, gradient)
    };
    let mut used = Workspace::default();
    for (sizes, size, steps) in CASES.into_iter().chain(CASES) {
        let case = Case::new(sizes, size, steps);
        assert_eq!(gradient(&mut used, &case), gradient(&mut Workspace::default(), &case));
    }
}

#[test]
fn a_sample_does_not_feel_the_samples_beside_it() {
    let case = Case::new([7, 33, 2], 70, 4);
    let weights = Weights::new(case.shape, &case.weights);
    let all = last_states(&weights, &Batch::new(&case.windows, 70, 4));
    let mut kept = Workspace::default();
    kept.forward(&weights, &Batch::new(&case.windows, 70, 4));
    let top = &all[70 * 33..];
    assert_eq!(kept.last_states(&weights), top);
    for count in [1, 2, 3, 5, 64, 69] {
        let first = last_states(&weights, &Batch::new(&case.windows[..count * 28], count, 4));
        assert_eq!(first[count * 33..], top[..count * 33]);
    }
}

#[test]
fn a_weight_that_is_not_a_number_reaches_the_states() {
    let mut case = Case::new([2, 3, 1], 1, 2);
    case.weights[4] = f32::NAN;
    let weights = Weights::new(case.shape, &case.weights);
    assert!(last_states(&weights, &Batch::new(&case.windows, 1, 2)).iter().any(|state| state.is_nan()));
}

#[test]
#[should_panic(expected = "windows are `[B, T, I]`")]
fn windows_of_another_shape_are_refused() {
    let case = Case::new([2, 3, 1], 4, 2);
    let weights = Weights::new(case.shape, &case.weights);
    last_states(&weights, &Batch::new(&case.windows[1..], 4, 2));
}
