//! What the training minimises.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Head, check};
use crate::ModelError;

/// What the training minimises: the mean over all labels that are there, weighted by sample.
///
/// Targets are standardised by the mean and deviation of the training targets, per horizon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Loss {
    /// Mean squared error; fits the point head.
    Mse,
    /// Squared error up to `delta`, linear beyond (Huber 1964); fits the point head.
    Huber {
        /// Where it becomes linear, in standard deviations of the training targets; above 0.
        delta: f64,
    },
    /// Negative log-likelihood of a normal distribution; fits the Gaussian head.
    GaussianNll,
    /// Negative log-likelihood weighted by `variance^beta` (Seitzer et al. 2022); fits the Gaussian head.
    BetaNll {
        /// 0 is the plain likelihood, 1 gives the mean the gradients of the squared error; in [0, 1].
        beta: f64,
    },
    /// Negative log-likelihood of Student's t; fits the Student-t head.
    StudentTNll,
    /// Continuous ranked probability score in closed form (Gneiting and Raftery 2007); fits the Gaussian and the Student-t head.
    Crps,
    /// Pinball loss, averaged over the levels (Koenker and Bassett 1978); fits the quantile head.
    Pinball,
    /// Minus the Sharpe ratio, per period and net of costs, of trading the forecasts of a batch in its order; fits the point head.
    ///
    /// With `m` the forecast in the target's units and `s` the training targets' deviation, the position is `p = tanh(m / s)` or
    /// `p = m / s`. A sample earns `p y - cost |p - p_before|`, where `y` is its label and `p_before` the position of the last
    /// sample of its symbol in the batch that has a label, 0 at first. The loss is minus the mean of that over its sample standard
    /// deviation, averaged over the horizons. The forecast that such a network states is a position in disguise: its sign and order
    /// mean something, its size is not an expected return.
    Sharpe {
        /// Cost of a change of position by 1, in basis points of the notional; at least 0.
        cost_bps: f64,
        /// How a forecast becomes a position.
        #[serde(default)]
        position: Position,
    },
}

/// How the Sharpe loss makes a position of a forecast.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// Between -1 and 1: `tanh` of the forecast in standard deviations.
    #[default]
    Tanh,
    /// The forecast in standard deviations, without a bound. The loss does not change when all positions double.
    Scaled,
}

impl Loss {
    /// Returns the name as it is written in a config.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Mse => "mse",
            Self::Huber { .. } => "huber",
            Self::GaussianNll => "gaussian_nll",
            Self::BetaNll { .. } => "beta_nll",
            Self::StudentTNll => "student_t_nll",
            Self::Crps => "crps",
            Self::Pinball => "pinball",
            Self::Sharpe { .. } => "sharpe",
        }
    }

    /// Returns whether the loss reads a batch as a stretch of time: such batches are runs of samples in their own order.
    pub const fn needs_order(&self) -> bool {
        matches!(self, Self::Sharpe { .. })
    }

    pub(super) fn validate(&self) -> Result<(), ModelError> {
        match self {
            Self::Huber { delta } => {
                check("delta", "above 0 and finite", *delta, |delta| delta > 0.0 && delta.is_finite())
            }
            Self::BetaNll { beta } => check("beta", "in [0, 1]", *beta, |beta| (0.0..=1.0).contains(&beta)),
            Self::Sharpe { cost_bps, .. } => {
                check("cost_bps", "in [0, 10000)", *cost_bps, |cost| (0.0..10_000.0).contains(&cost))
            }
            Self::Mse | Self::GaussianNll | Self::StudentTNll | Self::Crps | Self::Pinball => Ok(()),
        }
    }

    /// Refuses a loss that does not train what the head puts out.
    pub(super) fn check_head(&self, head: &Head) -> Result<(), ModelError> {
        let hint = match (head, self) {
            (Head::Point, Self::Mse | Self::Huber { .. } | Self::Sharpe { .. })
            | (Head::Gaussian { .. }, Self::GaussianNll | Self::BetaNll { .. } | Self::Crps)
            | (Head::StudentT { .. }, Self::StudentTNll | Self::Crps)
            | (Head::Quantile { .. }, Self::Pinball) => return Ok(()),
            (Head::Point, _) => "loss `mse`, `huber` or `sharpe`",
            (Head::Gaussian { .. }, _) => "loss `gaussian_nll`, `beta_nll` or `crps`",
            (Head::StudentT { .. }, _) => "loss `student_t_nll` or `crps`",
            (Head::Quantile { .. }, _) => "loss `pinball`",
        };
        let fitting_head = match self {
            Self::Mse | Self::Huber { .. } | Self::Sharpe { .. } => "head `point`",
            Self::GaussianNll | Self::BetaNll { .. } => "head `gaussian`",
            Self::StudentTNll => "head `student_t`",
            Self::Crps => "head `gaussian` or `student_t`",
            Self::Pinball => "head `quantile`",
        };
        Err(ModelError::LossDoesNotFitHead { loss: self.name(), head: head.name(), losses: hint, heads: fitting_head })
    }
}
