//! Networks as TorchScript, which PyTorch loads with `torch.jit.load`.
//!
//! libtorch records what it computes on an example. Nothing in the record may depend on the example's sizes, so initial states
//! are inputs, not zeros made inside, and dimensions are only ever counted from their ends. A recorded method returns one
//! tensor, so outputs lie side by side in it.

use std::path::Path;

use tch::{CModule, Kind, Tensor};
use tidegate_onnx::{
    CellKind, DegreesOfFreedom, EncoderGraph, HeadGraph, HeadKind, LinearLayer, NetworkGraph, Pooling, RecurrentStack,
};

use crate::ModelError;

/// Writes a stack of recurrent layers: `forward(input [B, T, I], h0 [L D, B, H])`, for an LSTM with `c0` behind `h0`.
///
/// It returns `[B, T D H + L D H]`, for an LSTM with another `L D H` behind that: each sample's outputs step by step, then its last
/// states layer by layer, then its last cells.
///
/// # Errors
/// [`ModelError::NotWritten`] when libtorch cannot record or write it.
pub fn stack_torchscript(stack: &RecurrentStack, path: &Path) -> Result<(), ModelError> {
    let sizes = stack.sizes();
    let layers = TracedStack::new(stack);
    let mut example = vec![example(&[2, 3, sizes.inputs])];
    example.extend(layers.example_states());
    trace("stack", &example, path, |inputs| {
        let values = layers.run(&inputs[0], &inputs[1..]);
        let by_sample = |(place, value): (usize, &Tensor)| {
            if place == 0 { value.flatten(1, -1) } else { value.transpose(0, 1).flatten(1, -1) }
        };
        Tensor::cat(&values.iter().enumerate().map(by_sample).collect::<Vec<_>>(), 1)
    })
}

/// Writes a network: `forward` takes windows `[B, T, F]` of every scale, then `h0 [L D, B, H]`, for an LSTM `h0` and `c0`, of every
/// scale, then `symbol [B]` of integers where there is an embedding.
///
/// It returns `[B, K, P]`: mean, variance and degrees of freedom, as far as the head has them, or the quantiles. Forecasts start
/// from states of zeros, so `h0` and `c0` are `torch.zeros`.
///
/// # Errors
/// [`ModelError::NotWritten`] when libtorch cannot record or write it.
pub fn network_torchscript(network: &NetworkGraph, path: &Path) -> Result<(), ModelError> {
    let (encoder, head) = (TracedEncoder::new(network.encoder()), TracedHead::new(network.head()));
    trace("network", &encoder.example(network.encoder()), path, |inputs| head.run(&encoder.run(inputs)))
}

/// Records a computation on an example and writes the record.
fn trace(
    name: &str,
    example: &[Tensor],
    path: &Path,
    mut run: impl FnMut(&[Tensor]) -> Tensor,
) -> Result<(), ModelError> {
    let _guard = tch::no_grad_guard();
    let failed = |error: tch::TchError| ModelError::NotWritten { reason: error.to_string() };
    let module = CModule::create_by_tracing(name, "forward", example, &mut |inputs: &[Tensor]| vec![run(inputs)])
        .map_err(failed)?;
    module.save(path).map_err(failed)
}

fn example(shape: &[usize]) -> Tensor {
    let shape: Vec<i64> = shape.iter().map(|&size| size as i64).collect();
    Tensor::zeros(shape.as_slice(), (Kind::Float, tch::Device::Cpu))
}

fn tensor(values: &[f32], shape: &[usize]) -> Tensor {
    let shape: Vec<i64> = shape.iter().map(|&size| size as i64).collect();
    Tensor::from_slice(values).view(shape.as_slice())
}

/// A stack's weights as libtorch reads them.
struct TracedStack {
    kind: CellKind,
    layers: i64,
    bidirectional: bool,
    weights: Vec<Tensor>,
    state_shape: [usize; 3],
}

impl TracedStack {
    fn new(stack: &RecurrentStack) -> Self {
        let sizes = stack.sizes();
        let rows = sizes.kind.gates() * sizes.hidden;
        let places =
            (0..sizes.layers).flat_map(|layer| (0..sizes.directions()).map(move |direction| (layer, direction)));
        let weights = places.flat_map(|(layer, direction)| {
            let own = stack.layer(layer, direction);
            [
                tensor(&own.weight_ih, &[rows, sizes.layer_inputs(layer)]),
                tensor(&own.weight_hh, &[rows, sizes.hidden]),
                tensor(&own.bias_ih, &[rows]),
                tensor(&own.bias_hh, &[rows]),
            ]
        });
        Self {
            kind: sizes.kind,
            layers: sizes.layers as i64,
            bidirectional: sizes.bidirectional,
            weights: weights.collect(),
            state_shape: [sizes.layers * sizes.directions(), 2, sizes.hidden],
        }
    }

    /// Returns `h0` and, for an LSTM, `c0` of a batch of two.
    fn example_states(&self) -> Vec<Tensor> {
        (0..self.states()).map(|_| example(&self.state_shape)).collect()
    }

    const fn states(&self) -> usize {
        match self.kind {
            CellKind::Gru => 1,
            CellKind::Lstm => 2,
        }
    }

    /// Returns the states of all steps `[B, T, D H]`, then the last ones.
    fn run(&self, input: &Tensor, initial: &[Tensor]) -> Vec<Tensor> {
        let (has_biases, dropout, train, batch_first) = (true, 0.0, false, true);
        let (weights, layers, both) = (&self.weights, self.layers, self.bidirectional);
        match self.kind {
            CellKind::Gru => {
                let (output, last) =
                    input.gru(&initial[0], weights, has_biases, layers, dropout, train, both, batch_first);
                vec![output, last]
            }
            CellKind::Lstm => {
                let (output, last, cells) =
                    input.lstm(initial, weights, has_biases, layers, dropout, train, both, batch_first);
                vec![output, last, cells]
            }
        }
    }
}

/// A linear layer's weights.
struct TracedLinear {
    weight: Tensor,
    bias: Tensor,
}

impl TracedLinear {
    fn new(layer: &LinearLayer) -> Self {
        let weight = tensor(layer.weight(), &[layer.outputs(), layer.inputs()]);
        Self { weight, bias: tensor(layer.bias(), &[layer.outputs()]) }
    }

    fn run(&self, input: &Tensor) -> Tensor {
        input.linear(&self.weight, Some(&self.bias))
    }
}

/// How states become one vector.
enum TracedPooling {
    LastStep,
    LastStates,
    Mean,
    Attention { projection: Option<TracedLinear>, score: TracedLinear },
}

impl TracedPooling {
    fn new(pooling: &Pooling) -> Self {
        match pooling {
            Pooling::LastStep => Self::LastStep,
            Pooling::LastStates => Self::LastStates,
            Pooling::Mean => Self::Mean,
            Pooling::Attention { projection, score } => Self::Attention {
                projection: projection.as_ref().map(TracedLinear::new),
                score: TracedLinear::new(score),
            },
        }
    }

    /// Pools states `[B, T, D H]` and last states `[L D, B, H]`.
    fn run(&self, output: &Tensor, last: &Tensor, bidirectional: bool) -> Tensor {
        let mean = |values: &Tensor| values.mean_dim(1, false, Kind::Float);
        match self {
            Self::LastStep => output.select(1, -1),
            Self::LastStates if bidirectional => Tensor::cat(&[last.select(0, -2), last.select(0, -1)], 1),
            Self::LastStates => last.select(0, -1),
            Self::Mean => mean(output),
            Self::Attention { projection, score } => {
                let read = projection.as_ref().map(|projection| projection.run(output).tanh());
                let shares = score.run(read.as_ref().unwrap_or(output)).softmax(1, None);
                (output * shares).sum_dim_intlist(1, false, None)
            }
        }
    }
}

struct TracedEncoder {
    scales: Vec<(TracedStack, TracedPooling)>,
    fusion: Option<TracedLinear>,
    embedding: Option<Tensor>,
}

impl TracedEncoder {
    fn new(encoder: &EncoderGraph) -> Self {
        let scales = encoder.scales().iter();
        Self {
            scales: scales.map(|scale| (TracedStack::new(&scale.stack), TracedPooling::new(&scale.pooling))).collect(),
            fusion: encoder.fusion().map(TracedLinear::new),
            embedding: encoder.embedding().map(|table| tensor(table.table(), &[table.symbols(), table.size()])),
        }
    }

    fn example(&self, encoder: &EncoderGraph) -> Vec<Tensor> {
        let windows = encoder.scales().iter().map(|scale| example(&[2, 3, scale.stack.sizes().inputs]));
        let states = self.scales.iter().flat_map(|(stack, _)| stack.example_states());
        let symbol = self.embedding.iter().map(|_| Tensor::zeros([2], (Kind::Int64, tch::Device::Cpu)));
        windows.chain(states).chain(symbol).collect()
    }

    fn run(&self, inputs: &[Tensor]) -> Tensor {
        let (windows, mut rest) = inputs.split_at(self.scales.len());
        let mut vectors = Vec::with_capacity(windows.len() + 1);
        for ((stack, pooling), window) in self.scales.iter().zip(windows) {
            let (initial, others) = rest.split_at(stack.states());
            rest = others;
            let values = stack.run(window, initial);
            vectors.push(pooling.run(&values[0], &values[1], stack.bidirectional));
        }
        if let Some(fusion) = &self.fusion {
            vectors = vec![fusion.run(&Tensor::cat(&vectors, 1)).relu()];
        }
        if let Some(table) = &self.embedding {
            vectors.push(table.index_select(0, &rest[0]));
        }
        Tensor::cat(&vectors, 1)
    }
}

struct TracedHead {
    kind: HeadKind,
    horizons: i64,
    hidden: Option<TracedLinear>,
    output: TracedLinear,
    /// Means, deviations of the targets, `[K]` each.
    targets: Option<[Tensor; 2]>,
}

impl TracedHead {
    fn new(head: &HeadGraph) -> Self {
        let targets = head.targets().map(|targets| {
            let column = |value: fn(&tidegate_onnx::TargetScale) -> f64| {
                Tensor::from_slice(&targets.iter().map(|target| value(target) as f32).collect::<Vec<_>>())
            };
            [column(|target| target.mean), column(|target| target.standard_deviation)]
        });
        Self {
            kind: head.kind().clone(),
            horizons: head.horizons() as i64,
            hidden: head.hidden().map(TracedLinear::new),
            output: TracedLinear::new(head.output()),
            targets,
        }
    }

    /// Returns `[B, K, P]`.
    fn run(&self, vector: &Tensor) -> Tensor {
        let hidden = self.hidden.as_ref().map(|hidden| hidden.run(vector).relu());
        let raw = self.output.run(hidden.as_ref().unwrap_or(vector));
        let part = |place: i64| raw.narrow(1, place * self.horizons, self.horizons);
        let outputs = match &self.kind {
            HeadKind::Point => vec![self.scaled(part(0))],
            HeadKind::Gaussian { variance_floor } => {
                vec![self.scaled(part(0)), self.scaled_square(part(1).softplus() + *variance_floor)]
            }
            HeadKind::StudentT { variance_floor, degrees_of_freedom } => {
                let degrees = match degrees_of_freedom {
                    DegreesOfFreedom::Fixed(fixed) => part(0).full_like(*fixed),
                    DegreesOfFreedom::Learned { floor } => part(2).softplus() + *floor,
                };
                let variance = (part(1).softplus() + *variance_floor) * &degrees / (&degrees - 2.0);
                vec![self.scaled(part(0)), self.scaled_square(variance), degrees]
            }
            HeadKind::Quantile { levels } => {
                let raw = raw.unflatten(1, [levels.len() as i64, self.horizons]);
                let steps = raw.narrow(1, 1, levels.len() as i64 - 1).softplus();
                let rising = Tensor::cat(&[raw.narrow(1, 0, 1), steps], 1).cumsum(1, None);
                return self.scaled(rising).transpose(1, 2);
            }
        };
        Tensor::stack(&outputs, 2)
    }

    /// Turns standardised values, horizons last, into the target's units.
    fn scaled(&self, values: Tensor) -> Tensor {
        match &self.targets {
            None => values,
            Some([means, deviations]) => values * deviations + means,
        }
    }

    fn scaled_square(&self, values: Tensor) -> Tensor {
        match &self.targets {
            None => values,
            Some([_, deviations]) => values * deviations.square(),
        }
    }
}

#[cfg(test)]
mod tests;
