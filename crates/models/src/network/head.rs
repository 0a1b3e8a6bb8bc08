//! Heads: from the encoder's vector to one distribution per horizon.
//!
//! A head's last linear layer puts out `P` raw values per horizon, those of one kind for all horizons side by side: `[B, P K]`
//! is `[B, P, K]`. Raw values start so that a fresh head states about the distribution of a standardised target.

use tch::Tensor;

use super::layout::Layout;
use super::linear::Linear;
use super::output::NetworkOutput;
use crate::dropout::DropoutMasks;
use crate::spec::{DEGREES_OF_FREEDOM_MIN, Head, NetworkSpec};

/// Learned degrees of freedom before any training.
const DEGREES_OF_FREEDOM_START: f64 = 6.0;

/// Where a head's weights lie among a network's, and what their outputs mean.
#[derive(Debug, Clone)]
pub(crate) struct HeadNetwork {
    kind: Head,
    horizons: i64,
    hidden: Option<Linear>,
    dropout: f64,
    output: Linear,
}

impl HeadNetwork {
    /// Appends the weights `head_hidden.*`, if there is such a layer, and `head.*`.
    pub(crate) fn build(spec: &NetworkSpec, inputs: usize, layout: &mut Layout) -> Self {
        let hidden = spec.head_hidden_size.map(|size| Linear::unbiased("head_hidden", inputs, size, layout));
        let inputs = spec.head_hidden_size.unwrap_or(inputs);
        let biases: Vec<f32> =
            initial_biases(&spec.head).into_iter().flat_map(|bias| std::iter::repeat_n(bias, spec.horizons)).collect();
        let output = Linear::build("head", inputs, &biases, layout);
        Self { kind: spec.head.clone(), horizons: spec.horizons as i64, hidden, dropout: spec.head_dropout, output }
    }

    /// Reads vectors `[B, V]`; `masks` are given in training only.
    pub(crate) fn forward(
        &self,
        weights: &[Tensor],
        vectors: &Tensor,
        masks: Option<&mut DropoutMasks>,
    ) -> NetworkOutput {
        let mut values = match &self.hidden {
            None => vectors.shallow_clone(),
            Some(hidden) => hidden.forward(weights, vectors).relu(),
        };
        if let Some(masks) = masks {
            values = masks.apply(values, self.dropout);
        }
        self.read(&self.output.forward(weights, &values))
    }

    /// Gives raw values `[B, P K]` their meaning.
    fn read(&self, raw: &Tensor) -> NetworkOutput {
        let raw = raw.view([raw.size()[0], -1, self.horizons]);
        let part = |place: i64| raw.select(1, place);
        match &self.kind {
            Head::Point => NetworkOutput::Point { mean: part(0) },
            Head::Gaussian { variance_floor } => {
                NetworkOutput::Gaussian { mean: part(0), variance: part(1).softplus() + *variance_floor }
            }
            Head::StudentT { variance_floor, degrees_of_freedom } => {
                let location = part(0);
                let degrees_of_freedom = match degrees_of_freedom {
                    Some(fixed) => location.full_like(*fixed),
                    None => part(2).softplus() + DEGREES_OF_FREEDOM_MIN,
                };
                let scale_squared = part(1).softplus() + *variance_floor;
                NetworkOutput::StudentT { location, scale_squared, degrees_of_freedom }
            }
            Head::Quantile { levels } => {
                let steps = raw.narrow(1, 1, levels.len() as i64 - 1).softplus();
                let values = Tensor::cat(&[raw.narrow(1, 0, 1), steps], 1).cumsum(1, None);
                NetworkOutput::Quantiles { levels: levels.clone(), values: values.transpose(1, 2) }
            }
        }
    }
}

/// Returns the biases of one horizon's raw values.
fn initial_biases(head: &Head) -> Vec<f32> {
    let biases = match head {
        Head::Point => vec![0.0],
        Head::Gaussian { .. } => vec![0.0, softplus_inverse(1.0)],
        Head::StudentT { degrees_of_freedom, .. } => {
            let degrees = degrees_of_freedom.unwrap_or(DEGREES_OF_FREEDOM_START);
            // The scale of a distribution of variance 1.
            let mut biases = vec![0.0, softplus_inverse((degrees - 2.0) / degrees)];
            if degrees_of_freedom.is_none() {
                biases.push(softplus_inverse(degrees - DEGREES_OF_FREEDOM_MIN));
            }
            biases
        }
        Head::Quantile { levels } => {
            let quantiles: Vec<f64> = levels.iter().map(|&level| standard_normal_quantile(level)).collect();
            let steps = quantiles.windows(2).map(|pair| softplus_inverse(pair[1] - pair[0]));
            quantiles[..1].iter().copied().chain(steps).collect()
        }
    };
    biases.into_iter().map(|bias| bias as f32).collect()
}

/// Returns the raw value at which softplus gives `value`, above 0.
fn softplus_inverse(value: f64) -> f64 {
    value.exp_m1().ln()
}

fn standard_normal_quantile(level: f64) -> f64 {
    Tensor::from_slice(&[level]).special_ndtri().double_value(&[0])
}
