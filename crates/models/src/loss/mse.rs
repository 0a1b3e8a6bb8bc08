//! The squared error.

use tch::{Reduction, Tensor};

/// Returns `(y - mu)^2`.
pub(crate) fn squared_error(mean: &Tensor, target: &Tensor) -> Tensor {
    mean.mse_loss(target, Reduction::None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::check::{assert_gradients, values};

    #[test]
    fn it_is_the_square_of_the_difference() {
        assert_eq!(values(|[mean, target]| squared_error(mean, target), [1.0, 3.0]), 4.0);
        assert_gradients(|[mean, target]| squared_error(mean, target), [0.3, -0.8]);
    }
}
