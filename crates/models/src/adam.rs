//! Adam and AdamW on one flat tensor, with a state that can be saved and restored exactly.
//!
//! Kingma and Ba 2015, with the bias corrections as PyTorch applies them; `m` and `v` are the moments of the gradient:
//!
//! ```text
//! m <- m + (1 - b1) (g - m)        v <- v + (1 - b2) (g^2 - v)
//! w <- w - rate / (1 - b1^t) * m / (sqrt(v) / sqrt(1 - b2^t) + eps)
//! ```
//!
//! Weight decay is `g <- g + decay * w` before the moments for Adam, `w <- w - rate * decay * w` for AdamW.

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use crate::ModelError;
use crate::parameters::to_vec;
use crate::spec::check;
use crate::training_spec::Optimizer;

const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// An optimizer in the middle of a training.
#[derive(Debug)]
pub(crate) struct Adam {
    rule: Optimizer,
    learning_rate: f64,
    steps: i32,
    first_moment: Tensor,
    second_moment: Tensor,
}

/// Everything that an optimizer remembers, as plain numbers: with it and the weights, a training goes on bit for bit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdamState {
    /// Steps taken.
    pub steps: u32,
    /// The learning rate of the next step.
    pub learning_rate: f64,
    /// Moving mean of the gradient, one value per weight.
    pub first_moment: Vec<f32>,
    /// Moving mean of the squared gradient, one value per weight.
    pub second_moment: Vec<f32>,
}

impl Adam {
    /// Starts at rest for weights `[P]`.
    pub(crate) fn new(rule: Optimizer, weights: &Tensor) -> Self {
        let zeros = || Tensor::zeros(weights.size(), (Kind::Float, weights.device()));
        let learning_rate = rule.learning_rate();
        Self { rule, learning_rate, steps: 0, first_moment: zeros(), second_moment: zeros() }
    }

    /// Changes the learning rate of the following steps.
    pub(crate) const fn set_learning_rate(&mut self, learning_rate: f64) {
        self.learning_rate = learning_rate;
    }

    /// Returns the steps taken.
    pub(crate) const fn steps(&self) -> usize {
        self.steps as usize
    }

    /// Moves the weights by one step; the gradient is used up. The caller holds a no-grad guard.
    pub(crate) fn step(&mut self, weights: &mut Tensor, gradient: &mut Tensor) {
        self.steps += 1;
        match self.rule {
            Optimizer::Adam { weight_decay, .. } if weight_decay != 0.0 => *gradient += &*weights * weight_decay,
            Optimizer::AdamW { weight_decay, .. } if weight_decay != 0.0 => {
                let _ = weights.g_mul_scalar_(1.0 - self.learning_rate * weight_decay);
            }
            _ => {}
        }
        let _ = self.first_moment.lerp_(gradient, 1.0 - BETA_1);
        let _ = self.second_moment.lerp_(&gradient.square_(), 1.0 - BETA_2);
        let [correction_1, correction_2] = [BETA_1, BETA_2].map(|beta| 1.0 - beta.powi(self.steps));
        let mut divisor = self.second_moment.sqrt();
        let _ = divisor.g_mul_scalar_(1.0 / correction_2.sqrt()).g_add_scalar_(EPSILON);
        let mut change = &self.first_moment / divisor;
        let _ = change.g_mul_scalar_(self.learning_rate / correction_1);
        *weights -= change;
    }

    /// Copies the state out.
    pub(crate) fn state(&self) -> AdamState {
        AdamState {
            steps: self.steps as u32,
            learning_rate: self.learning_rate,
            first_moment: to_vec(&self.first_moment),
            second_moment: to_vec(&self.second_moment),
        }
    }

    /// Goes on from a saved state.
    pub(crate) fn restore(&mut self, state: &AdamState) -> Result<(), ModelError> {
        let weights = self.first_moment.numel() as f64;
        for moment in [&state.first_moment, &state.second_moment] {
            check("optimizer state", "as long as the weights", moment.len() as f64, |length| length == weights)?;
        }
        self.steps = state.steps as i32;
        self.learning_rate = state.learning_rate;
        self.first_moment.copy_(&Tensor::from_slice(&state.first_moment));
        self.second_moment.copy_(&Tensor::from_slice(&state.second_moment));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weight_after(rule: Optimizer, gradients: &[f32]) -> f64 {
        let mut weight = Tensor::from_slice(&[2.0_f32]);
        let mut adam = Adam::new(rule, &weight);
        for gradient in gradients {
            adam.step(&mut weight, &mut Tensor::from_slice(&[*gradient]));
        }
        weight.double_value(&[0])
    }

    #[test]
    fn the_first_step_is_the_learning_rate_whatever_the_gradient() {
        // m / (1 - b1) = g and sqrt(v / (1 - b2)) = |g|: the step is rate * sign(g).
        let rule = Optimizer::Adam { learning_rate: 0.1, weight_decay: 0.0 };
        assert!((weight_after(rule.clone(), &[5.0]) - 1.9).abs() < 1e-6);
        assert!((weight_after(rule, &[-0.01]) - 2.1).abs() < 1e-6);
    }

    #[test]
    fn adam_adds_its_decay_to_the_gradient_and_adamw_shrinks_the_weight() {
        let adam = || Optimizer::Adam { learning_rate: 0.1, weight_decay: 0.25 };
        let adamw = || Optimizer::AdamW { learning_rate: 0.1, weight_decay: 0.25 };
        // Without a gradient, Adam sees g = 0.25 * 2 and steps by the rate; AdamW multiplies by 1 - 0.1 * 0.25 = 0.975.
        assert!((weight_after(adam(), &[0.0]) - 1.9).abs() < 1e-6);
        assert!((weight_after(adamw(), &[0.0]) - 1.95).abs() < 1e-6);
        // With g = -3, Adam sees -2.5 and steps by 0.1 upwards; AdamW shrinks to 1.95 and steps by 0.1 upwards.
        assert!((weight_after(adam(), &[-3.0]) - 2.1).abs() < 1e-6);
        assert!((weight_after(adamw(), &[-3.0]) - 2.05).abs() < 1e-6);
    }

    #[test]
    fn a_second_step_follows_the_moments_on_paper() {
        // g = 1 then -1, rate 0.1. m = 0.1 then 0.9 * 0.1 - 0.1 = -0.01; v = 0.001 then 0.999 * 0.001 + 0.001 = 0.001999.
        // Second step: m / (1 - 0.81) = -0.0526316; v / (1 - 0.998001) = 1; change 0.1 * 0.0526316 upwards from 1.9.
        let rule = Optimizer::Adam { learning_rate: 0.1, weight_decay: 0.0 };
        assert!((weight_after(rule, &[1.0, -1.0]) - 1.905_263).abs() < 1e-6);
    }

    #[test]
    fn a_state_of_another_network_is_refused() {
        let mut adam =
            Adam::new(Optimizer::Adam { learning_rate: 0.1, weight_decay: 0.0 }, &Tensor::from_slice(&[1.0_f32]));
        let mut state = adam.state();
        assert_eq!(adam.restore(&state), Ok(()));
        state.second_moment.push(0.0);
        let message = adam.restore(&state).expect_err("two moments for one weight").to_string();
        assert_eq!(message, "optimizer state must be as long as the weights, was `2`");
    }
}
