//! A linear layer in double precision.

/// Weights and biases.
#[derive(Debug)]
pub(super) struct Dense {
    /// `[inputs, outputs]`: transposed, so that all outputs take one input at a time.
    weights: Vec<f64>,
    biases: Vec<f64>,
}

impl Dense {
    /// Takes a weight `[outputs, inputs]` and as many biases as outputs.
    pub(super) fn new(weights: &[f32], biases: &[f32]) -> Self {
        let (outputs, inputs) = (biases.len(), weights.len() / biases.len());
        let weight = |place: usize| f64::from(weights[place % outputs * inputs + place / outputs]);
        Self {
            weights: (0..weights.len()).map(weight).collect(),
            biases: biases.iter().copied().map(f64::from).collect(),
        }
    }

    /// Writes `W x + b`. Each sum starts with the bias and runs over the inputs in order.
    pub(super) fn run(&self, input: &[f64], output: &mut Vec<f64>) {
        output.clear();
        output.extend_from_slice(&self.biases);
        for (value, weights) in input.iter().zip(self.weights.chunks_exact(self.biases.len())) {
            output.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += value * weight);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_the_weight_make_outputs() {
        let dense = Dense::new(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[0.5, -0.5]);
        let mut output = vec![9.0; 7];
        dense.run(&[1.0, 10.0, 100.0], &mut output);
        // 1 + 20 + 300 + 0.5 and 4 + 50 + 600 - 0.5.
        assert_eq!(output, [321.5, 653.5]);
    }
}
