//! How many numbers a network learns.

use crate::spec::NetworkSpec;

/// Returns how many numbers a network learns; `None` for one that a build without libtorch cannot lay out.
///
/// # Panics
/// When the specification is not valid.
#[cfg(feature = "libtorch")]
pub fn parameter_count(spec: &NetworkSpec) -> Option<usize> {
    let (_, parameters) = crate::network::Network::build(spec, 0, tch::Device::Cpu);
    Some(parameters.shapes().iter().map(crate::parameter_shape::ParameterShape::len).sum())
}

/// Returns how many numbers a network learns; `None` for one that a build without libtorch cannot lay out.
#[cfg(not(feature = "libtorch"))]
pub fn parameter_count(spec: &NetworkSpec) -> Option<usize> {
    crate::inference::runs(spec).then(|| crate::inference::stored_count(spec))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Encoder, GruSpec, Head, Loss};

    #[test]
    fn a_gru_has_three_gates_of_two_matrices_and_two_biases() {
        let encoder = Encoder::Gru(GruSpec::new(64, 2));
        let spec = NetworkSpec::new(encoder, Head::Gaussian { variance_floor: 1e-4 }, Loss::GaussianNll, vec![10]);
        // 3 * 64 * (10 + 64 + 2) + 3 * 64 * (64 + 64 + 2) = 39,552, and a head of 2 * 64 + 2.
        assert_eq!(parameter_count(&spec), Some(39_682));
    }
}
