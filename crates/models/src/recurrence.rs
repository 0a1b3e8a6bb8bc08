//! Who runs the GRU layers: our own kernel on the main processor, libtorch elsewhere.
//!
//! Heads, fusion and losses run in libtorch either way. Both give the same loss and the same gradients to rounding, which a
//! test holds them to, and draw the same dropout masks.

use tch::Tensor;

use crate::device::Device;
use crate::dropout::DropoutMasks;
use crate::native::NativeStacks;
use crate::network::Network;
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

    /// Gets ready to run a network.
    pub(crate) fn runner(self, network: &Network) -> Runner {
        match self {
            Self::Native => Runner::Native(NativeStacks::new(network)),
            Self::Libtorch => Runner::Libtorch,
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
    /// Returns the training loss of a batch and its gradient `[P]`.
    pub(crate) fn loss_and_gradient(
        &mut self,
        network: &Network,
        parameters: &Parameters,
        batch: &Batch,
        masks: &mut DropoutMasks,
        loss: &Loss,
    ) -> (Tensor, Tensor) {
        let targets = batch.targets.as_ref().expect("samples of a training have targets");
        let weights = parameters.views();
        match self {
            Self::Native(stacks) => {
                let states = stacks.forward(parameters, &batch.inputs, masks);
                let loss = loss.training(&network.read_states(&weights, &states), targets);
                let gradient = stacks.backward(&loss, parameters, &states);
                (loss, gradient)
            }
            Self::Libtorch => {
                let inputs: Vec<Tensor> = batch.inputs.iter().map(time_major).collect();
                let states = network.last_states(&weights, &inputs, Some(masks));
                let loss = loss.training(&network.read_states(&weights, &states), targets);
                let gradient = gradients(&loss, &[parameters.flat()]).pop().expect("one gradient for one tensor");
                (loss, gradient)
            }
        }
    }

    /// Gets ready to evaluate weights that have changed. The caller holds a no-grad guard.
    pub(crate) fn load(&mut self, parameters: &Parameters) {
        if let Self::Native(stacks) = self {
            stacks.load(parameters);
        }
    }

    /// Returns the last states of at most `size` windows without dropout, one `[size, H]` per scale; rows beyond the windows
    /// mean nothing.
    ///
    /// The weights are those of the last [`Runner::load`]. The caller holds a no-grad guard.
    pub(crate) fn evaluate(
        &self,
        network: &Network,
        weights: &[Tensor],
        inputs: &[Tensor],
        size: usize,
    ) -> Vec<Tensor> {
        match self {
            Self::Native(stacks) => stacks.evaluate(inputs, size),
            Self::Libtorch => {
                let fill = |input: &Tensor| {
                    let missing = size as i64 - input.size()[0];
                    time_major(&input.constant_pad_nd([0, 0, 0, 0, 0, missing]))
                };
                network.last_states(weights, &inputs.iter().map(fill).collect::<Vec<_>>(), None)
            }
        }
    }
}

/// Returns the gradients of a scalar, each as a tensor of its own.
pub(crate) fn gradients(loss: &Tensor, leaves: &[&Tensor]) -> Vec<Tensor> {
    let (keep_graph, create_graph) = (false, false);
    Tensor::run_backward(&[loss], leaves, keep_graph, create_graph)
}

/// Turns `[B, T, F]` into `[T, B, F]`, laid out so that a step's rows are neighbours.
fn time_major(input: &Tensor) -> Tensor {
    input.transpose(0, 1).contiguous()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{gaussian, learnable, point};
    use crate::parameters::to_vec;
    use crate::samples::SampleTensors;
    use crate::spec::{Encoder, GruSpec, NetworkSpec};
    use crate::target::TargetScale;
    use crate::threads::use_one_thread;

    fn with_gru(spec: NetworkSpec, hidden_size: usize, layers: usize, dropout: f64) -> NetworkSpec {
        let gru = GruSpec { hidden_size, layers, dropout, update_gate_bias: Some(0.5) };
        let encoder = match spec.encoder {
            Encoder::Gru(_) => Encoder::Gru(gru),
            Encoder::MultiScaleGru(_) => Encoder::MultiScaleGru(gru),
        };
        NetworkSpec { encoder, ..spec }
    }

    /// Loss and gradients of the first batches with both recurrences, to 1e-5 of the largest.
    fn assert_equal(spec: &NetworkSpec, batch_size: usize) {
        use_one_thread();
        let windows = learnable(2 * batch_size, spec.feature_counts.len(), 1);
        let scale = TargetScale::of(&windows.target).expect("labels");
        let samples = SampleTensors::new(&windows, "training", &spec.feature_counts, Some(scale), tch::Device::Cpu)
            .expect("finite windows");
        let (network, parameters) = Network::build(spec, 3, tch::Device::Cpu);
        let [native, libtorch] = [Recurrence::Native, Recurrence::Libtorch].map(|recurrence| {
            let mut runner = recurrence.runner(&network);
            let mut masks = DropoutMasks::new(spec.encoder.gru().dropout, 5);
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
    fn an_evaluation_equals_libtorchs() {
        use_one_thread();
        let spec = gaussian();
        let windows = learnable(40, 2, 1);
        let samples = SampleTensors::new(&windows, "forecast", &spec.feature_counts, None, tch::Device::Cpu)
            .expect("finite windows");
        let (network, parameters) = Network::build(&spec, 3, tch::Device::Cpu);
        let _guard = tch::no_grad_guard();
        let batch = samples.cut(0, 128);
        let [native, libtorch] = [Recurrence::Native, Recurrence::Libtorch].map(|recurrence| {
            let mut runner = recurrence.runner(&network);
            runner.load(&parameters);
            let states = runner.evaluate(&network, &parameters.views(), &batch.inputs, 128);
            states.iter().flat_map(|states| to_vec(&states.narrow(0, 0, 40))).collect::<Vec<f32>>()
        });
        assert!(native.iter().zip(&libtorch).all(|(found, expected)| (found - expected).abs() < 1e-6));
    }
}
