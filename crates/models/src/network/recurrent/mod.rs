//! Stacks of recurrent layers, GRU or LSTM, in libtorch: where their weights lie, how they start, and their computation.
//!
//! Weights have PyTorch's names and shapes. Layers run one by one, so that dropout between them is ours. A direction without
//! zoneout and layer normalisation is one call of libtorch; otherwise its steps are ours too.

mod cell;
mod weights;

use tch::{Kind, Tensor};
use tidegate_recurrence::StackShape;

pub(crate) use self::cell::Cell;
pub(crate) use self::weights::CellSpec;
use self::weights::LayerWeights;
use super::layout::Layout;
use super::sequence::Sequence;
use crate::dropout::DropoutMasks;

/// Where a stack's weights lie among a network's, and its sizes.
#[derive(Debug, Clone)]
pub(crate) struct RecurrentStack {
    cell: Cell,
    features: usize,
    hidden_size: usize,
    dropout: f64,
    zoneout: f64,
    /// One entry per layer, with one entry per direction.
    layers: Vec<Vec<LayerWeights>>,
}

/// What a stack says about windows.
#[derive(Debug)]
pub(crate) struct States {
    /// The top layer's states at every step, `[T, B, H]`, of both directions side by side.
    pub(crate) steps: Sequence,
    /// States after the last step that was taken, `[B, H]` each: by layer, forward before backward.
    pub(crate) last: Vec<Tensor>,
}

impl States {
    /// Returns the top layer's states after the last step that each direction took, `[B, H]`, side by side.
    pub(crate) fn top(&self, directions: usize) -> Tensor {
        let top = &self.last[self.last.len() - directions..];
        if let [only] = top { only.shallow_clone() } else { Tensor::cat(top, 1) }
    }
}

impl RecurrentStack {
    /// Appends the stack's weights, named as in a PyTorch module called `module`, and their initial values.
    pub(crate) fn build(spec: &CellSpec, features: usize, module: &str, layout: &mut Layout) -> Self {
        let directions = if spec.bidirectional { 2 } else { 1 };
        let layers = (0..spec.layers)
            .map(|layer| {
                let inputs = if layer == 0 { features } else { directions * spec.hidden_size };
                let suffixes = [format!("l{layer}"), format!("l{layer}_reverse")];
                suffixes[..directions]
                    .iter()
                    .map(|suffix| LayerWeights::build(spec, inputs, module, suffix, layout))
                    .collect()
            })
            .collect();
        let CellSpec { cell, hidden_size, dropout, zoneout, .. } = *spec;
        Self { cell, features, hidden_size, dropout, zoneout, layers }
    }

    /// Returns the stack's sizes.
    pub(crate) const fn shape(&self) -> StackShape {
        StackShape { inputs: self.features, hidden: self.hidden_size, layers: self.layers.len() }
    }

    /// Returns the number of directions, 1 or 2.
    pub(crate) fn directions(&self) -> usize {
        self.layers[0].len()
    }

    /// Returns the values per step.
    pub(crate) fn width(&self) -> usize {
        self.directions() * self.hidden_size
    }

    /// Runs the stack over windows; `masks` are given in training only.
    ///
    /// # Shapes
    /// `input` holds `[T, B, F]`; `initial` is one list per state of the cell (a GRU has one, an LSTM two), with one `[B, H]` per
    /// layer and direction; zeros when absent.
    pub(crate) fn forward(
        &self,
        weights: &[Tensor],
        input: &Sequence,
        initial: Option<&[Vec<Tensor>]>,
        mut masks: Option<&mut DropoutMasks>,
    ) -> States {
        let [_, batch, _] = input.sizes();
        let zeros = || Tensor::zeros([batch, self.hidden_size as i64], (Kind::Float, input.values.device()));
        let mut steps = input.with(input.values.shallow_clone());
        let mut last = Vec::new();
        for (layer, directions) in self.layers.iter().enumerate() {
            if layer > 0
                && let Some(masks) = masks.as_deref_mut()
            {
                steps = steps.with(masks.apply(steps.values.shallow_clone(), self.dropout));
            }
            let mut outputs = Vec::with_capacity(directions.len());
            for (direction, own) in directions.iter().enumerate() {
                let place = layer * directions.len() + direction;
                let start: Vec<Tensor> = (0..self.cell.states())
                    .map(|state| initial.map_or_else(zeros, |initial| initial[state][place].shallow_clone()))
                    .collect();
                let taken = if direction == 0 { steps.with(steps.values.shallow_clone()) } else { steps.reversed() };
                let zoneout = masks.as_deref_mut().map(|masks| self.zoneout_masks(&taken, masks));
                let states = own.run(self, weights, &taken.values, &start, zoneout.as_deref());
                let states = taken.with(states);
                last.push(states.last());
                outputs.push(if direction == 0 { states.values } else { states.reversed().values });
            }
            steps = steps.with(if outputs.len() == 1 { outputs.remove(0) } else { Tensor::cat(&outputs, 2) });
        }
        States { steps, last }
    }

    /// Draws where states keep their last value, one `[T, B, H]` per state of the cell.
    fn zoneout_masks(&self, steps: &Sequence, masks: &mut DropoutMasks) -> Vec<Tensor> {
        if self.zoneout == 0.0 {
            return Vec::new();
        }
        let [steps_max, batch, _] = steps.sizes();
        let size = [steps_max, batch, self.hidden_size as i64];
        (0..self.cell.states()).map(|_| masks.dropped(&size, self.zoneout, steps.values.device())).collect()
    }
}
