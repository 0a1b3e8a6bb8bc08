//! The Huber loss.

use tch::{Reduction, Tensor};

/// Returns `0.5 e^2` for `|e| <= delta`, else `delta (|e| - 0.5 delta)`, where `e = y - mu` (Huber 1964).
pub(super) fn huber(mean: &Tensor, target: &Tensor, delta: f64) -> Tensor {
    mean.huber_loss(target, Reduction::None, delta)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::check::{assert_gradients, values};

    #[test]
    fn it_is_square_near_and_linear_far() {
        let at = |error: f64| values(|[mean, target]| huber(mean, target, 1.5), [0.0, error]);
        // 0.5 * 1^2; 1.5 * (3 - 0.75).
        assert_eq!([at(1.0), at(-1.0), at(3.0), at(-3.0)], [0.5, 0.5, 3.375, 3.375]);
        for mean in [0.3, 2.9] {
            assert_gradients(|[mean, target]| huber(mean, target, 1.5), [mean, -0.8]);
        }
    }
}
