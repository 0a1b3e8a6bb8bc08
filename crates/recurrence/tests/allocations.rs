//! Counts allocations: a step of a stream makes none, and a run with used memory none.
//!
//! A binary of its own, because the counting allocator replaces the global one.

use allocation_counter::measure;
use tidegate_recurrence::{
    Batch, Inference, LstmWeights, Outputs, QuantizedWeights, Recurrent, StackShape, Stream, Weights,
};

const SHAPE: StackShape = StackShape { inputs: 10, hidden: 40, layers: 2 };

fn check<W: Recurrent>(weights: &W) {
    let windows = vec![0.5; 70 * 9 * 10];
    let mut stream = Stream::new(weights);
    let steps = measure(|| {
        for features in windows.chunks(10) {
            stream.step(weights, features);
        }
    });
    assert_eq!(steps.count_total, 0);
    let starts: Vec<usize> = (0..70).map(|sample| sample % 9).collect();
    let (mut inference, mut last) = (Inference::default(), vec![0.0; 2 * 70 * 40]);
    let mut run = || {
        for (size, starts) in [(1, None), (70, None), (70, Some(starts.as_slice()))] {
            let batch = Batch { starts, ..Batch::new(&windows[..size * 9 * 10], size, 9) };
            let outputs = Outputs { last: Some(&mut last[..2 * size * 40]), ..Outputs::default() };
            inference.run(weights, &batch, outputs);
        }
    };
    run();
    assert_eq!(measure(run).count_total, 0);
}

#[test]
fn a_step_of_a_stream_and_a_run_with_used_memory_allocate_nothing() {
    let numbers = |len: usize| (0..len).map(|i| ((i + 1) as f32 * 12.9898).sin() * 0.2).collect::<Vec<f32>>();
    let gru = numbers(SHAPE.weight_count());
    check(&Weights::new(SHAPE, &gru));
    check(&QuantizedWeights::from_f32(SHAPE, &gru));
    check(&LstmWeights::new(SHAPE, &numbers(SHAPE.lstm_weight_count())));
}
