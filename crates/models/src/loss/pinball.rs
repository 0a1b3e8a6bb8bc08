//! The pinball loss of quantiles.

use tch::Tensor;

/// Returns the mean over the levels of `max(level e, (level - 1) e)` with `e = y - q` (Koenker and Bassett 1978).
///
/// # Shapes
/// `values` is `[B, K, Q]`, `target` `[B, K]`.
pub(super) fn pinball(values: &Tensor, levels: &[f64], target: &Tensor) -> Tensor {
    let levels: Vec<f32> = levels.iter().map(|&level| level as f32).collect();
    let levels = Tensor::from_slice(&levels).to_device(values.device());
    let errors = target.unsqueeze(2) - values;
    let losses = (&errors * &levels).maximum(&(&errors * (levels - 1.0)));
    losses.mean_dim(-1, false, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::check::{assert_close, assert_gradients, values};

    fn loss([low, high, target]: [&Tensor; 3]) -> Tensor {
        pinball(&Tensor::stack(&[low, high], 1).unsqueeze(0), &[0.1, 0.75], &target.view([1, -1])).squeeze_dim(0)
    }

    #[test]
    fn a_target_above_a_quantile_costs_its_level_and_below_the_rest() {
        // y = 2: below 1 by 1 of level 0.1, 0.1; beneath 3 by 1 of level 0.75, 0.25; their mean.
        assert_close(values(loss, [1.0, 3.0, 2.0]), 0.175);
        assert_gradients(loss, [-1.0, 0.3, 2.0]);
    }
}
