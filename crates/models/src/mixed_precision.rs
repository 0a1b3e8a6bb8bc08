//! Training in half precision on CUDA: how losses are scaled so that small gradients survive.

use serde::{Deserialize, Serialize};

/// Steps without an overflow after which the factor doubles.
const STEPS_TO_GROW: u32 = 2000;

/// The factor of a loss, with the rule and the numbers of PyTorch's `GradScaler`: it starts at 65536, doubles after 2000 steps
/// without an overflow and halves at each one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LossScale {
    /// What losses are multiplied by before the gradient is taken, and gradients divided by after.
    pub factor: f64,
    /// Steps since the factor last changed.
    pub steps: u32,
}

impl LossScale {
    /// Starts where PyTorch does.
    pub(crate) const fn new() -> Self {
        Self { factor: 65_536.0, steps: 0 }
    }

    /// Takes a step whose gradient was finite.
    pub(crate) fn succeeded(&mut self) {
        self.steps += 1;
        if self.steps == STEPS_TO_GROW {
            *self = Self { factor: 2.0 * self.factor, steps: 0 };
        }
    }

    /// Takes a gradient that was not finite; returns whether a smaller factor is worth another try.
    pub(crate) fn overflowed(&mut self) -> bool {
        *self = Self { factor: 0.5 * self.factor, steps: 0 };
        self.factor >= 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Device;
    use crate::fixture::{point, training};
    use crate::forecaster::NeuralForecaster;
    use crate::trainer::Trainer;
    use crate::training_spec::{MixedPrecision, TrainingSpec};

    #[test]
    fn the_main_processor_refuses_half_precision() {
        let training = TrainingSpec { mixed_precision: Some(MixedPrecision::Float16), ..training(1) };
        let expected =
            "mixed_precision must be absent on device `cpu`, was `float16`\nhint: remove it, or train on device `cuda`";
        let message = Trainer::new(&point(), &training, Device::Cpu, 7).expect_err("no CUDA").to_string();
        assert_eq!(message, expected);
        let message = NeuralForecaster::new(point(), training, Device::Cpu).expect_err("no CUDA").to_string();
        assert_eq!(message, expected);
    }

    #[test]
    fn the_factor_halves_at_an_overflow_and_doubles_after_two_thousand_steps() {
        let mut scale = LossScale::new();
        assert!(scale.overflowed() && scale.overflowed());
        assert_eq!(scale.factor, 16_384.0);
        (0..1999).for_each(|_| scale.succeeded());
        assert_eq!(scale.factor, 16_384.0);
        scale.succeeded();
        assert_eq!((scale.factor, scale.steps), (32_768.0, 0));
        let tries = std::iter::repeat_with(|| scale.overflowed()).take_while(|again| *again).count();
        assert_eq!(tries, 15);
    }
}
