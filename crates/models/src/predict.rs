//! Recurrent layers from a file on inputs from a file, without libtorch.

use std::collections::BTreeMap;

use safetensors::SafeTensors;
use tidegate_onnx::{CellKind, RecurrentStack, StackSizes};
use tidegate_recurrence::{Batch, Direction, LstmWeights, StackShape, States, Weights, all_states};

use crate::ModelError;
use crate::state_dict::{FloatTensor, floats, open, read_stack, write_tensors};

/// Runs the recurrent layers of one safetensors file on the inputs of another, as PyTorch does with `batch_first=True`.
///
/// `weights` holds a stack under PyTorch's names (see [`read_stack`]). `input` holds `input [B, T, I]` and, if the states do not
/// start from zero, `h0` and, for an LSTM, `c0` `[L D, B, H]`. The result holds `output [B, T, D H]`, `h_n` and, for an LSTM,
/// `c_n` `[L D, B, H]`. One file may be both.
///
/// # Errors
/// Whatever [`read_stack`] refuses; [`ModelError::NotSafetensors`], [`ModelError::TensorMissing`], [`ModelError::TensorShape`],
/// [`ModelError::TensorType`], [`ModelError::TensorUnsupported`] or [`ModelError::TensorNotFinite`] for the inputs.
pub fn predict(weights: &[u8], input: &[u8]) -> Result<Vec<u8>, ModelError> {
    predict_stack(&read_stack(weights, None)?, input)
}

/// Likewise with a stack that was read before.
///
/// # Errors
/// As [`predict`] for the inputs.
pub fn predict_stack(stack: &RecurrentStack, input: &[u8]) -> Result<Vec<u8>, ModelError> {
    let file = open(input, "input")?;
    let batch = InputBatch::read(&file, stack)?;
    write_tensors(&batch.run(stack))
}

/// Windows, and where their states start.
struct InputBatch {
    size: usize,
    steps: usize,
    /// `[B, T, I]`.
    windows: Vec<f32>,
    /// `[L D, B, H]`; zeros when the file has none.
    initial_states: Vec<f32>,
    /// Likewise; unused in a GRU.
    initial_cells: Vec<f32>,
}

impl InputBatch {
    fn read(file: &SafeTensors<'_>, stack: &RecurrentStack) -> Result<Self, ModelError> {
        let sizes = stack.sizes();
        let view = file.tensor("input").map_err(|_| ModelError::TensorMissing { name: "input".to_owned() })?;
        let (size, steps) = match *view.shape() {
            [size, steps, features] if size > 0 && steps > 0 && features == sizes.inputs => (size, steps),
            ref found => {
                let expected = format!("[B, T, {}] with B and T at least 1", sizes.inputs);
                return Err(ModelError::TensorShape { name: "input".to_owned(), expected, found: found.to_vec() });
            }
        };
        let windows = floats("input", &view)?;
        check_finite("input", &windows)?;
        let [initial_states, initial_cells] = read_initial(file, &sizes, size)?;
        Ok(Self { size, steps, windows, initial_states, initial_cells })
    }

    /// Runs the layers one after another, each in its directions.
    fn run(&self, stack: &RecurrentStack) -> BTreeMap<String, FloatTensor> {
        let sizes = stack.sizes();
        let (mut last_states, mut last_cells) = (Vec::new(), Vec::new());
        let mut sequence = self.windows.clone();
        for layer in 0..sizes.layers {
            let run = |direction| self.run_layer(stack, layer, direction, &sequence);
            let states: Vec<States> = (0..sizes.directions()).map(run).collect();
            for own in &states {
                last_states.extend(&own.last);
                last_cells.extend(&own.last_cells);
            }
            sequence = join(&states, sizes.hidden);
        }
        let of_states = vec![sizes.layers * sizes.directions(), self.size, sizes.hidden];
        let of_output = vec![self.size, self.steps, sizes.outputs()];
        let mut tensors = BTreeMap::from([
            ("output".to_owned(), FloatTensor::new(of_output, &sequence)),
            ("h_n".to_owned(), FloatTensor::new(of_states.clone(), &last_states)),
        ]);
        if sizes.kind == CellKind::Lstm {
            tensors.insert("c_n".to_owned(), FloatTensor::new(of_states, &last_cells));
        }
        tensors
    }

    /// Runs one layer in one direction, 0 forward and 1 reverse, over `[B, T, I]`.
    fn run_layer(&self, stack: &RecurrentStack, layer: usize, direction: usize, sequence: &[f32]) -> States {
        let sizes = stack.sizes();
        let shape = StackShape { inputs: sizes.layer_inputs(layer), hidden: sizes.hidden, layers: 1 };
        let states = self.size * sizes.hidden;
        let place = (layer * sizes.directions() + direction) * states;
        let [initial_states, initial_cells] =
            [&self.initial_states, &self.initial_cells].map(|values| &values[place..place + states]);
        let batch = Batch {
            initial_states: Some(initial_states),
            direction: if direction == 0 { Direction::Forward } else { Direction::Backward },
            ..Batch::new(sequence, self.size, self.steps)
        };
        let own = stack.layer(layer, direction);
        let values = [own.weight_ih.as_slice(), &own.weight_hh, &own.bias_ih, &own.bias_hh].concat();
        match sizes.kind {
            CellKind::Gru => all_states(&Weights::new(shape, &values), &batch),
            CellKind::Lstm => {
                let batch = Batch { initial_cells: Some(initial_cells), ..batch };
                all_states(&LstmWeights::new(shape, &values), &batch)
            }
        }
    }
}

/// Joins the states of the directions step by step: `[B, T, H]` each become `[B, T, D H]`.
fn join(states: &[States], hidden: usize) -> Vec<f32> {
    let steps = states[0].all.len() / hidden;
    (0..steps)
        .flat_map(|step| states.iter().flat_map(move |own| &own.all[step * hidden..][..hidden]))
        .copied()
        .collect()
}

/// Reads `h0` and `c0`, or zeros where a file has neither.
fn read_initial(file: &SafeTensors<'_>, sizes: &StackSizes, size: usize) -> Result<[Vec<f32>; 2], ModelError> {
    let shape = [sizes.layers * sizes.directions(), size, sizes.hidden];
    let read = |name: &str| {
        let Ok(view) = file.tensor(name) else { return Ok(None) };
        if view.shape() != shape {
            let (expected, found) = (format!("{shape:?}"), view.shape().to_vec());
            return Err(ModelError::TensorShape { name: name.to_owned(), expected, found });
        }
        let values = floats(name, &view)?;
        check_finite(name, &values)?;
        Ok(Some(values))
    };
    let zeros = || vec![0.0; shape.iter().product()];
    match (sizes.kind, read("h0")?, read("c0")?) {
        (_, None, None) => Ok([zeros(), zeros()]),
        (CellKind::Gru, Some(states), None) => Ok([states, zeros()]),
        (CellKind::Lstm, Some(states), Some(cells)) => Ok([states, cells]),
        (CellKind::Gru, _, Some(_)) => Err(ModelError::TensorUnsupported {
            name: "c0".to_owned(),
            why: "belongs to an LSTM, the weights are a GRU's",
        }),
        (CellKind::Lstm, None, Some(_)) => Err(ModelError::TensorMissing { name: "h0".to_owned() }),
        (CellKind::Lstm, Some(_), None) => Err(ModelError::TensorMissing { name: "c0".to_owned() }),
    }
}

fn check_finite(name: &str, values: &[f32]) -> Result<(), ModelError> {
    let Some(place) = values.iter().position(|value| !value.is_finite()) else { return Ok(()) };
    Err(ModelError::TensorNotFinite { name: name.to_owned(), place, value: values[place].to_string() })
}

#[cfg(test)]
mod tests;
