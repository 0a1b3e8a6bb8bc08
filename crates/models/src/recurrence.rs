//! Who runs the GRU layers: our own kernel on the main processor, libtorch elsewhere.
//!
//! Heads, fusion and losses run in libtorch either way. Both give the same loss and the same gradients to rounding, which a
//! test holds them to, and draw the same dropout masks.

use tch::Tensor;

use crate::device::Device;
use crate::dropout::DropoutMasks;
use crate::native::NativeStacks;
use crate::network::{Network, NetworkOutput, WindowTensors};
use crate::parameters::Parameters;
use crate::samples::Batch;
use crate::spec::Loss;

/// What computes states and gradients of GRU layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recurrence {
    /// The kernel of `tidegate-recurrence`, always on the main processor.
    Native,
    /// libtorch, on the network's device.
    Libtorch,
}

impl Recurrence {
    /// Returns what a device trains and forecasts with: the kernel on the main processor, libtorch on CUDA.
    pub const fn of(device: Device) -> Self {
        match device {
            Device::Cpu => Self::Native,
            Device::Cuda { .. } => Self::Libtorch,
        }
    }

    /// Gets ready to run a network: an encoder that is more than plain GRU layers runs in libtorch everywhere.
    pub(crate) fn runner(self, network: &Network) -> Runner {
        match (self, network.plain_stacks()) {
            (Self::Native, Some((shapes, dropout))) => Runner::Native(NativeStacks::new(&shapes, dropout)),
            _ => Runner::Libtorch,
        }
    }
}

/// A recurrence and its memory for one network.
#[derive(Debug)]
pub(crate) enum Runner {
    Native(NativeStacks),
    Libtorch,
}

impl Runner {
    /// Returns whether a sample's output has the same bits whatever the lengths of the windows around it.
    pub(crate) const fn mixes_lengths(&self) -> bool {
        matches!(self, Self::Native(_))
    }

    /// Returns the training loss of a batch and its gradient `[P]`.
    pub(crate) fn loss_and_gradient(
        &mut self,
        network: &Network,
        parameters: &Parameters,
        batch: &Batch,
        masks: &mut DropoutMasks,
        loss: &Loss,
    ) -> (Tensor, Tensor) {
        let weights = parameters.views();
        match self {
            Self::Native(stacks) => {
                let states = stacks.forward(parameters, batch.windows(), masks);
                let vectors = network.fuse(&weights, &states);
                let output = network.read(&weights, &vectors, &batch.symbols, Some(masks));
                let loss = loss.training(&output, batch);
                let gradient = stacks.backward(&loss, parameters, &states);
                (loss, gradient)
            }
            Self::Libtorch => {
                let vectors = network.encode(&weights, batch.windows(), Some(masks));
                let output = network.read(&weights, &vectors, &batch.symbols, Some(masks));
                let loss = loss.training(&output, batch);
                let gradient = gradients(&loss, &[parameters.flat()]).pop().expect("one gradient for one tensor");
                (loss, gradient)
            }
        }
    }

    /// Likewise with large products in half precision, in libtorch on CUDA; the loss is multiplied by `factor` on its way to the
    /// gradient, which is divided by it again. Outputs return to single precision before the loss.
    pub(crate) fn loss_and_gradient_in_half(
        network: &Network,
        parameters: &Parameters,
        batch: &Batch,
        masks: &mut DropoutMasks,
        loss: &Loss,
        factor: f64,
    ) -> (Tensor, Tensor) {
        let weights = parameters.views();
        let output = tch::autocast(true, || {
            let vectors = network.encode(&weights, batch.windows(), Some(masks));
            network.read(&weights, &vectors, &batch.symbols, Some(masks))
        });
        let loss = loss.training(&output.in_single_precision(), batch);
        let scaled = &loss * factor;
        let gradient = gradients(&scaled, &[parameters.flat()]).pop().expect("one gradient for one tensor");
        (loss, gradient / factor)
    }

    /// Gets ready to evaluate weights that have changed. The caller holds a no-grad guard.
    pub(crate) fn load(&mut self, parameters: &Parameters) {
        if let Self::Native(stacks) = self {
            stacks.load(parameters);
        }
    }

    /// Returns the output for a batch without dropout, computed as one of `size` samples, whatever the batch's own size.
    ///
    /// The weights are those of the last [`Runner::load`]. The caller holds a no-grad guard.
    pub(crate) fn evaluate(&self, network: &Network, weights: &[Tensor], batch: &Batch, size: usize) -> NetworkOutput {
        let filled = batch.symbols.size()[0];
        let missing = size as i64 - filled;
        let vectors = match self {
            Self::Native(stacks) => network.fuse(weights, &stacks.evaluate(batch.windows(), size)),
            Self::Libtorch => {
                let fill = |input: &Tensor| input.constant_pad_nd([0, 0, 0, 0, 0, missing]);
                let inputs: Vec<Tensor> = batch.inputs.iter().map(fill).collect();
                let fill_lengths = |(lengths, input): (&Option<Vec<u32>>, &Tensor)| {
                    let mut lengths = lengths.clone()?;
                    lengths.resize(size, input.size()[1] as u32);
                    Some(lengths)
                };
                let lengths: Vec<_> = batch.lengths.iter().zip(&inputs).map(fill_lengths).collect();
                network.encode(weights, WindowTensors { inputs: &inputs, lengths: &lengths }, None)
            }
        };
        network.read(weights, &vectors, &batch.symbols.constant_pad_nd([0, missing]), None).first(filled)
    }
}

/// Returns the gradients of a scalar, each as a tensor of its own.
pub(crate) fn gradients(loss: &Tensor, leaves: &[&Tensor]) -> Vec<Tensor> {
    let (keep_graph, create_graph) = (false, false);
    Tensor::run_backward(&[loss], leaves, keep_graph, create_graph)
}

#[cfg(test)]
mod tests {
    use tidegate_forecast::Windows;

    use super::*;
    use crate::fixture::{gaussian, learnable, point, ragged};
    use crate::parameters::to_vec;
    use crate::samples::SampleTensors;
    use crate::spec::{Encoder, GruSpec, Head, NetworkSpec, Position};
    use crate::target::TargetScale;
    use crate::threads::use_one_thread;

    fn with_gru(spec: NetworkSpec, hidden_size: usize, layers: usize, dropout: f64) -> NetworkSpec {
        let gru = GruSpec { dropout, update_gate_bias: Some(0.5), ..GruSpec::new(hidden_size, layers) };
        let encoder = match spec.encoder {
            Encoder::Gru(_) => Encoder::Gru(gru),
            _ => Encoder::MultiScaleGru(gru),
        };
        NetworkSpec { encoder, ..spec }
    }

    /// Loss and gradients of the first batches with both recurrences, to 1e-5 of the largest.
    fn assert_equal(spec: &NetworkSpec, batch_size: usize) {
        assert_equal_on(&learnable(2 * batch_size, spec.feature_counts.len(), 1), spec, batch_size);
    }

    fn assert_equal_on(windows: &Windows, spec: &NetworkSpec, batch_size: usize) {
        use_one_thread();
        let scales = TargetScale::of(windows).expect("labels");
        let samples = SampleTensors::new(windows, "training", &spec.feature_counts, Some(&scales), tch::Device::Cpu)
            .expect("finite windows");
        let (network, parameters) = Network::build(spec, 3, tch::Device::Cpu);
        let [native, libtorch] = [Recurrence::Native, Recurrence::Libtorch].map(|recurrence| {
            let mut runner = recurrence.runner(&network);
            let mut masks = DropoutMasks::new(5);
            [0, 1].map(|batch| {
                let places: Vec<i64> = (0..batch_size as i64).map(|place| 2 * place + batch).collect();
                let batch = samples.pick(&places);
                let (loss, gradient) = runner.loss_and_gradient(&network, &parameters, &batch, &mut masks, &spec.loss);
                (loss.double_value(&[]), to_vec(&gradient), masks.words_used())
            })
        });
        for ((loss, gradient, words), (expected_loss, expected, expected_words)) in native.iter().zip(&libtorch) {
            assert!((loss - expected_loss).abs() < 1e-5 * expected_loss.abs().max(1.0), "{loss} {expected_loss}");
            assert_eq!(words, expected_words);
            let largest = expected.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
            for (place, (found, expected)) in gradient.iter().zip(expected).enumerate() {
                assert!((found - expected).abs() < 1e-5 * largest.max(1.0), "weight {place}: {found} {expected}");
            }
        }
    }

    #[test]
    fn the_kernel_equals_libtorch_on_one_scale() {
        for (hidden_size, layers, dropout, batch) in
            [(12, 1, 0.0, 16), (17, 2, 0.0, 5), (33, 3, 0.3, 7), (1, 2, 0.5, 9)]
        {
            assert_equal(&with_gru(point(), hidden_size, layers, dropout), batch);
        }
    }

    #[test]
    fn the_kernel_equals_libtorch_on_two_scales() {
        for (hidden_size, layers, dropout, batch) in [(16, 1, 0.0, 64), (8, 2, 0.25, 16), (19, 3, 0.4, 5)] {
            assert_equal(&with_gru(gaussian(), hidden_size, layers, dropout), batch);
        }
    }

    #[test]
    fn the_kernel_equals_libtorch_on_windows_of_different_lengths() {
        for (hidden_size, layers, dropout, batch) in [(16, 1, 0.0, 64), (8, 3, 0.0, 5), (19, 2, 0.4, 16)] {
            assert_equal_on(&ragged(2 * batch, 7), &with_gru(gaussian(), hidden_size, layers, dropout), batch);
        }
    }

    #[test]
    fn the_kernel_equals_libtorch_under_every_head_and_loss() {
        let floor = 1e-4;
        let student = |degrees_of_freedom| Head::StudentT { variance_floor: floor, degrees_of_freedom };
        for (head, loss) in [
            (Head::Point, Loss::Huber { delta: 1.0 }),
            (Head::Point, Loss::Sharpe { cost_bps: 1.0, position: Position::Tanh }),
            (Head::Gaussian { variance_floor: floor }, Loss::Crps),
            (student(None), Loss::StudentTNll),
            (student(Some(4.0)), Loss::Crps),
            (Head::Quantile { levels: vec![0.1, 0.5, 0.9] }, Loss::Pinball),
        ] {
            let symbol_embedding = Some(2);
            let (head_hidden_size, head_dropout) = (Some(5), 0.2);
            let plain = NetworkSpec { head, loss, symbol_embedding, head_hidden_size, head_dropout, ..point() };
            assert_equal(&with_gru(plain, 9, 2, 0.25), 16);
        }
    }

    #[test]
    fn a_loss_that_was_scaled_leaves_its_own_gradient() {
        // Without CUDA nothing is rounded to half precision, so only the factor and the way back are seen.
        use_one_thread();
        let windows = learnable(16, 2, 1);
        let spec = gaussian();
        let scales = TargetScale::of(&windows).expect("labels");
        let samples = SampleTensors::new(&windows, "training", &spec.feature_counts, Some(&scales), tch::Device::Cpu)
            .expect("finite windows");
        let (network, parameters) = Network::build(&spec, 3, tch::Device::Cpu);
        let batch = samples.cut(0, 16);
        let (expected_loss, expected) =
            Runner::Libtorch.loss_and_gradient(&network, &parameters, &batch, &mut DropoutMasks::new(5), &spec.loss);
        let masks = &mut DropoutMasks::new(5);
        let (loss, gradient) =
            Runner::loss_and_gradient_in_half(&network, &parameters, &batch, masks, &spec.loss, 65_536.0);
        assert_eq!(loss.double_value(&[]), expected_loss.double_value(&[]));
        for (found, expected) in to_vec(&gradient).iter().zip(to_vec(&expected)) {
            assert!((found - expected).abs() < 1e-7, "{found} is not {expected}");
        }
    }

    #[test]
    fn an_evaluation_equals_libtorchs() {
        use_one_thread();
        let spec = gaussian();
        let (network, parameters) = Network::build(&spec, 3, tch::Device::Cpu);
        let _guard = tch::no_grad_guard();
        for windows in [learnable(40, 2, 1), ragged(40, 1)] {
            let samples = SampleTensors::new(&windows, "forecast", &spec.feature_counts, None, tch::Device::Cpu)
                .expect("finite windows");
            let batch = samples.cut(0, 128);
            let [native, libtorch] = [Recurrence::Native, Recurrence::Libtorch].map(|recurrence| {
                let mut runner = recurrence.runner(&network);
                runner.load(&parameters);
                to_vec(runner.evaluate(&network, &parameters.views(), &batch, 128).mean())
            });
            assert_eq!(native.len(), 40);
            assert!(native.iter().zip(&libtorch).all(|(found, expected)| (found - expected).abs() < 1e-6));
        }
    }

    #[test]
    fn a_window_among_others_of_any_length_gives_the_bits_it_gives_among_its_own() {
        use_one_thread();
        let spec = gaussian();
        let (network, parameters) = Network::build(&spec, 3, tch::Device::Cpu);
        let samples = SampleTensors::new(&ragged(40, 1), "forecast", &spec.feature_counts, None, tch::Device::Cpu)
            .expect("finite windows");
        let _guard = tch::no_grad_guard();
        let mut runner = Recurrence::Native.runner(&network);
        runner.load(&parameters);
        assert!(runner.mixes_lengths());
        let means = |places: &[i64]| {
            let batch = network.cut(samples.pick(places));
            to_vec(runner.evaluate(&network, &parameters.views(), &batch, 128).mean())
        };
        let mixed = means(&(0..40).collect::<Vec<_>>());
        let alone = samples.batches_of_one_length(128);
        // Four lengths of the one scale and three of the other, both in turns.
        assert_eq!(alone.len(), 12);
        for places in alone {
            let expected: Vec<f32> = places.iter().map(|&place| mixed[place as usize]).collect();
            assert_eq!(means(&places), expected);
        }
    }
}
