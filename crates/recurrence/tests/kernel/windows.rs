//! Windows, batches and streams: equal to plain loops, and to each other bit for bit.

use crate::plain_loops::{Kind, doubles, numbers, run};
use proptest::prelude::*;
use tidegate_recurrence::{
    Batch, Direction, Inference, LstmWeights, Outputs, QuantizedRows, QuantizedWeights, Recurrent, StackShape, States,
    Stream, Weights, Workspace, all_states, last_states,
};

/// A stack, its windows and where they start.
#[derive(Debug, Clone)]
struct Case {
    shape: StackShape,
    size: usize,
    steps: usize,
    direction: Direction,
    starts: Option<Vec<usize>>,
    windows: Vec<f32>,
    initial: Vec<f32>,
    initial_cells: Vec<f32>,
}

impl Case {
    fn new([inputs, hidden, layers]: [usize; 3], size: usize, steps: usize) -> Self {
        let shape = StackShape { inputs, hidden, layers };
        Self {
            shape,
            size,
            steps,
            direction: Direction::Forward,
            starts: None,
            windows: numbers(size * steps * inputs, 2, 1.5),
            initial: numbers(layers * size * hidden, 3, 0.8),
            initial_cells: numbers(layers * size * hidden, 4, 1.2),
        }
    }

    fn batch(&self, kind: Kind) -> Batch<'_> {
        Batch {
            initial_states: Some(&self.initial),
            initial_cells: (kind == Kind::Lstm).then_some(&self.initial_cells),
            starts: self.starts.as_deref(),
            direction: self.direction,
            ..Batch::new(&self.windows, self.size, self.steps)
        }
    }

    fn values(&self, kind: Kind) -> Vec<f32> {
        let count = if kind == Kind::Gru { self.shape.weight_count() } else { self.shape.lstm_weight_count() };
        numbers(count, 1, 1.5 / (self.shape.hidden as f32).sqrt())
    }

    fn gru(&self) -> Weights {
        Weights::new(self.shape, &self.values(Kind::Gru))
    }

    fn lstm(&self) -> LstmWeights {
        LstmWeights::new(self.shape, &self.values(Kind::Lstm))
    }

    fn quantized(&self) -> QuantizedWeights {
        QuantizedWeights::from_f32(self.shape, &self.values(Kind::Gru))
    }

    /// Returns the case of one window alone, without its padding.
    fn alone(&self, sample: usize) -> Self {
        let start = self.starts.as_ref().map_or(0, |starts| starts[sample]);
        let Self { shape: StackShape { inputs, hidden, layers }, size, steps, .. } = *self;
        let of_sample = |values: &[f32]| {
            (0..layers).flat_map(|layer| values[(layer * size + sample) * hidden..][..hidden].to_vec()).collect()
        };
        Self {
            size: 1,
            steps: steps - start,
            starts: None,
            windows: self.windows[(sample * steps + start) * inputs..(sample + 1) * steps * inputs].to_vec(),
            initial: of_sample(&self.initial),
            initial_cells: of_sample(&self.initial_cells),
            ..self.clone()
        }
    }
}

/// Sizes `[I, H, L]`, batch and steps.
const SIZES: [([usize; 3], usize, usize); 10] = [
    ([1, 1, 1], 1, 1),
    ([2, 3, 1], 5, 4),
    ([3, 1, 3], 1, 3),
    ([5, 17, 2], 6, 6),
    ([4, 33, 2], 1, 70),
    ([8, 16, 1], 9, 7),
    ([10, 64, 2], 2, 3),
    ([10, 64, 2], 1, 131),
    ([17, 3, 2], 70, 2),
    ([7, 40, 2], 65, 9),
];

fn cases() -> impl Iterator<Item = Case> {
    SIZES.into_iter().flat_map(|(sizes, size, steps)| {
        let whole = Case::new(sizes, size, steps);
        let starts = (0..size).map(|sample| (sample * 5 + 1) % steps).collect();
        let padded = Case { starts: Some(starts), ..whole.clone() };
        [whole, padded].into_iter().flat_map(|case| {
            [Direction::Forward, Direction::Backward].map(|direction| Case { direction, ..case.clone() })
        })
    })
}

/// Compares all states with those of plain loops.
fn check(kind: Kind, case: &Case, values: &[f32], found: &States, tolerance: f64) {
    let (hidden, weights) = (case.shape.hidden, doubles(values));
    let near = |found: &[f32], expected: &[f64]| {
        for (found, expected) in found.iter().zip(expected) {
            assert!((f64::from(*found) - expected).abs() < tolerance, "{case:?}: {found} is not {expected}");
        }
    };
    for sample in 0..case.size {
        let expected = run(kind, case.shape, &weights, &case.batch(kind), sample);
        for (step, expected) in expected.all.iter().enumerate() {
            let found = &found.all[(sample * case.steps + step) * hidden..][..hidden];
            if expected.is_empty() {
                assert!(found.iter().all(|state| *state == 0.0), "padding stays zero");
            }
            near(found, expected);
        }
        for layer in 0..case.shape.layers {
            let place = (layer * case.size + sample) * hidden;
            near(&found.last[place..][..hidden], &expected.last[layer]);
            if kind == Kind::Lstm {
                near(&found.last_cells[place..][..hidden], &expected.last_cells[layer]);
            }
        }
    }
}

#[test]
fn gru_states_of_every_step_equal_plain_loops() {
    for case in cases() {
        let found = all_states(&case.gru(), &case.batch(Kind::Gru));
        check(Kind::Gru, &case, &case.values(Kind::Gru), &found, 3e-6);
    }
}

#[test]
fn lstm_states_and_cells_of_every_step_equal_plain_loops() {
    for case in cases() {
        let found = all_states(&case.lstm(), &case.batch(Kind::Lstm));
        check(Kind::Lstm, &case, &case.values(Kind::Lstm), &found, 3e-6);
    }
}

/// Returns weights in which every matrix has been rounded to eight bits, the biases not.
fn rounded(shape: StackShape, values: &[f32]) -> Vec<f32> {
    let mut rest = values;
    let mut rounded = Vec::new();
    for layer in 0..shape.layers {
        let columns = if layer == 0 { shape.inputs } else { shape.hidden };
        for columns in [columns, shape.hidden] {
            let (matrix, others) = rest.split_at(3 * shape.hidden * columns);
            rounded.extend(QuantizedRows::new(matrix, columns).dequantized());
            rest = others;
        }
        let (biases, others) = rest.split_at(6 * shape.hidden);
        rounded.extend(biases);
        rest = others;
    }
    rounded
}

#[test]
fn quantized_states_equal_plain_loops_with_the_rounded_weights() {
    for case in cases() {
        let found = all_states(&case.quantized(), &case.batch(Kind::Gru));
        check(Kind::Gru, &case, &rounded(case.shape, &case.values(Kind::Gru)), &found, 3e-6);
    }
}

/// Steps a stream through a window and compares each state with the window's.
fn check_stream<W: Recurrent>(weights: &W, kind: Kind, case: &Case) {
    let (hidden, inputs) = (case.shape.hidden, case.shape.inputs);
    let states = all_states(weights, &case.batch(kind));
    let mut stream = Stream::new(weights);
    for layer in 0..case.shape.layers {
        stream.set_state(layer, &case.initial[layer * hidden..][..hidden]);
        if kind == Kind::Lstm {
            stream.set_cells(layer, &case.initial_cells[layer * hidden..][..hidden]);
        }
    }
    for (features, expected) in case.windows.chunks(inputs).zip(states.all.chunks(hidden)) {
        assert_eq!(stream.step(weights, features), expected);
    }
    for (layer, expected) in states.last.chunks(hidden).enumerate() {
        assert_eq!(stream.state(layer), expected);
    }
    assert_eq!(
        stream.cells(0).map(<[f32]>::to_vec),
        (kind == Kind::Lstm).then(|| states.last_cells[..hidden].to_vec())
    );
}

#[test]
fn a_stream_gives_the_bits_of_a_window() {
    for (sizes, _, steps) in SIZES {
        let case = Case::new(sizes, 1, steps);
        check_stream(&case.gru(), Kind::Gru, &case);
        check_stream(&case.lstm(), Kind::Lstm, &case);
        check_stream(&case.quantized(), Kind::Gru, &case);
    }
}

#[test]
fn a_stream_that_is_reset_starts_from_zero_and_one_that_is_cloned_goes_on_alone() {
    let case = Case::new([5, 17, 2], 1, 3);
    let weights = case.lstm();
    let mut stream = Stream::new(&weights);
    let first = stream.step(&weights, &case.windows[..5]).to_vec();
    let mut clone = stream.clone();
    stream.reset();
    assert_eq!(stream.step(&weights, &case.windows[..5]), first);
    let second = clone.step(&weights, &case.windows[5..10]).to_vec();
    assert_ne!(second, first);
    assert_eq!(stream.step(&weights, &case.windows[5..10]), second);
}

/// Compares each window of a batch with the same window alone and without its padding.
fn check_alone<W: Recurrent>(weights: &W, kind: Kind, case: &Case) {
    let hidden = case.shape.hidden;
    let together = all_states(weights, &case.batch(kind));
    for sample in 0..case.size {
        let own = case.alone(sample);
        let alone = all_states(weights, &own.batch(kind));
        let end = (sample + 1) * case.steps * hidden;
        assert_eq!(together.all[end - own.steps * hidden..end], alone.all);
        for layer in 0..case.shape.layers {
            let place = (layer * case.size + sample) * hidden;
            assert_eq!(together.last[place..][..hidden], alone.last[layer * hidden..][..hidden]);
            if kind == Kind::Lstm {
                assert_eq!(together.last_cells[place..][..hidden], alone.last_cells[layer * hidden..][..hidden]);
            }
        }
    }
}

fn any_case() -> impl Strategy<Value = Case> {
    let sizes = [1_usize..12, 1_usize..40, 1_usize..4];
    (sizes, 1_usize..12, 1_usize..9, any::<bool>()).prop_flat_map(|(sizes, size, steps, backward)| {
        proptest::option::of(proptest::collection::vec(0..steps, size)).prop_map(move |starts| {
            let direction = if backward { Direction::Backward } else { Direction::Forward };
            Case { direction, starts, ..Case::new(sizes, size, steps) }
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_window_gives_the_same_bits_whatever_its_padding_and_its_neighbors(case in any_case()) {
        check_alone(&case.gru(), Kind::Gru, &case);
        check_alone(&case.lstm(), Kind::Lstm, &case);
        check_alone(&case.quantized(), Kind::Gru, &case);
    }
}

#[test]
fn a_run_with_used_memory_gives_the_same_bits() {
    let mut used = Inference::default();
    let mut run_again = |case: &Case| {
        let mut last = vec![f32::NAN; case.shape.layers * case.size * case.shape.hidden];
        let mut all = vec![f32::NAN; case.size * case.steps * case.shape.hidden];
        let outputs = Outputs { last: Some(&mut last), all: Some(&mut all), last_cells: None };
        used.run(&case.gru(), &case.batch(Kind::Gru), outputs);
        (all, last)
    };
    for case in cases().chain(cases()) {
        let fresh = all_states(&case.gru(), &case.batch(Kind::Gru));
        assert_eq!(run_again(&case), (fresh.all, fresh.last));
    }
}

#[test]
fn training_and_inference_give_the_same_bits() {
    for (sizes, size, steps) in SIZES {
        let case = Case::new(sizes, size, steps);
        let (weights, batch) = (case.gru(), case.batch(Kind::Gru));
        let mut workspace = Workspace::default();
        workspace.forward(&weights, &batch);
        let states = last_states(&weights, &batch);
        assert_eq!(workspace.last_states(&weights), states[states.len() - size * case.shape.hidden..]);
    }
}

#[test]
fn what_is_not_a_number_reaches_the_states_of_its_own_window_alone() {
    let mut case = Case::new([5, 20, 2], 6, 4);
    // The third feature of the second step of the fourth window.
    case.windows[(3 * 4 + 1) * 5 + 2] = f32::NAN;
    let gru = all_states(&case.gru(), &case.batch(Kind::Gru)).all;
    let lstm = all_states(&case.lstm(), &case.batch(Kind::Lstm)).all;
    let quantized = all_states(&case.quantized(), &case.batch(Kind::Gru)).all;
    for all in [gru, lstm, quantized] {
        for (place, state) in all.chunks(20).enumerate() {
            let (sample, step) = (place / 4, place % 4);
            assert_eq!(state.iter().all(|value| value.is_nan()), sample == 3 && step >= 1);
            assert_eq!(state.iter().any(|value| value.is_nan()), sample == 3 && step >= 1);
        }
    }
}

#[test]
fn what_is_not_a_number_in_the_padding_is_not_read() {
    let mut case = Case::new([3, 5, 2], 5, 4);
    case.starts = Some(vec![2, 0, 3, 1, 2]);
    case.windows[..2 * 3].fill(f32::NAN);
    assert!(all_states(&case.gru(), &case.batch(Kind::Gru)).all.iter().all(|state| state.is_finite()));
}

#[test]
fn a_quantized_weight_that_is_not_finite_makes_its_unit_nan() {
    let case = Case::new([2, 3, 1], 1, 1);
    for bad in [f32::NAN, f32::INFINITY] {
        let mut values = case.values(Kind::Gru);
        // The update gate of the second unit.
        values[(3 + 1) * 2] = bad;
        let weights = QuantizedWeights::from_f32(case.shape, &values);
        let states = last_states(&weights, &Batch::new(&case.windows, 1, 1));
        assert_eq!(states.iter().map(|state| state.is_nan()).collect::<Vec<_>>(), [false, true, false]);
    }
}

#[test]
fn rows_are_rounded_to_the_nearest_of_255_multiples_of_their_scale() {
    // 2.54 / 127 = 0.02: 0.05 is 2.5 scales, which goes to the even neighbor, and -0.051 is -2.55.
    let rows = QuantizedRows::new(&[2.54, 0.05, -0.051, 0.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.5, 0.25, 0.003], 4);
    assert_eq!(rows.values, [127, 2, -3, 0, 0, 0, 0, 0, -127, 64, 32, 0]);
    assert!((rows.scales[0] - 0.02).abs() < 1e-9);
    assert_eq!(rows.scales[1..], [0.0, 1.0 / 127.0]);
    assert_eq!(rows.dequantized()[4..9], [0.0, 0.0, 0.0, 0.0, -1.0]);
}

#[test]
fn eight_bits_take_a_little_more_than_a_quarter_of_the_bytes() {
    // Layer 1: 192 rows of 10 + 64 weights, two scales and two biases each: 14208 + 3072. Layer 2: 192 * 128 + 3072.
    let case = Case::new([10, 64, 2], 1, 1);
    assert_eq!(case.quantized().byte_size(), 17_280 + 27_648);
    assert_eq!(case.shape.weight_count() * 4, 158_208);
}

#[test]
fn rounded_weights_move_the_states_of_an_untrained_network_by_less_than_a_hundredth() {
    // As PyTorch draws weights: uniform within 1 / sqrt(H), here by a fixed sequence.
    let case = Case::new([10, 64, 2], 8, 50);
    let values = numbers(case.shape.weight_count(), 9, 0.125);
    let exact = all_states(&Weights::new(case.shape, &values), &case.batch(Kind::Gru)).all;
    let rounded = all_states(&QuantizedWeights::from_f32(case.shape, &values), &case.batch(Kind::Gru)).all;
    let worst = exact.iter().zip(&rounded).map(|(exact, rounded)| (exact - rounded).abs()).fold(0.0, f32::max);
    assert!((1e-5..1e-2).contains(&worst), "{worst}");
}

#[test]
#[should_panic(expected = "only LSTM layers have cells")]
fn cells_for_a_gru_are_refused() {
    let case = Case::new([2, 3, 1], 4, 2);
    last_states(&case.gru(), &case.batch(Kind::Lstm));
}

#[test]
#[should_panic(expected = "a window has at least one step that counts")]
fn a_window_of_padding_alone_is_refused() {
    let case = Case { starts: Some(vec![0, 2]), ..Case::new([2, 3, 1], 2, 2) };
    last_states(&case.gru(), &case.batch(Kind::Gru));
}

#[test]
#[should_panic(expected = "a stream keeps to weights of one shape and kind")]
fn a_stream_refuses_weights_of_another_kind() {
    let case = Case::new([2, 3, 1], 1, 2);
    Stream::new(&case.gru()).step(&case.lstm(), &[0.0, 0.0]);
}
