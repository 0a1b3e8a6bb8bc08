//! What a network is: encoder, head, loss. Plain values, read from a config and stored with the weights.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ModelError;

/// A network's shape and its loss.
///
/// Any encoder goes with any head; the loss must fit the head.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkSpec {
    /// What turns windows into one vector of hidden values.
    pub encoder: Encoder,
    /// What turns the hidden values into a forecast.
    pub head: Head,
    /// What the training minimises.
    pub loss: Loss,
    /// Features per time step, one entry per scale.
    pub feature_counts: Vec<usize>,
}

/// What turns windows `[B, T, F]` into one vector of hidden values `[B, H]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Encoder {
    /// One GRU over the only scale; its last state is the vector.
    Gru(GruSpec),
    /// One GRU per scale; the last states are joined and fused by a linear layer and a ReLU.
    MultiScaleGru(GruSpec),
}

/// The sizes of a stack of GRU layers.
///
/// Initial weights: input weights Xavier uniform and recurrent weights orthogonal, per gate; biases 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GruSpec {
    /// Hidden values per layer, `H`. Advice: 32-64 below 1,000 training samples, 64-128 up to 10,000.
    pub hidden_size: usize,
    /// Stacked layers.
    pub layers: usize,
    /// Fraction of a layer's outputs dropped on the way to the next layer while training; in [0, 1), 0 for one layer.
    pub dropout: f64,
    /// Initial bias of the update gate, rows `H..2H` of `bias_ih` (that of `bias_hh` stays 0). libtorch's update gate keeps
    /// the past, so a positive bias starts with a longer memory. Absent: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_gate_bias: Option<f64>,
}

/// What turns hidden values into a forecast.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Head {
    /// The mean alone.
    Point,
    /// A normal distribution: mean and `softplus(raw) + variance_floor`.
    Gaussian {
        /// The smallest variance, in units of the training targets' variance; in [1e-10, 1).
        variance_floor: f64,
    },
}

/// What the training minimises.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Loss {
    /// Mean squared error; fits the point head.
    Mse,
    /// Negative log-likelihood of a normal distribution; fits the Gaussian head.
    GaussianNll,
    /// Negative log-likelihood weighted by `variance^beta` (Seitzer et al. 2022); fits the Gaussian head.
    BetaNll {
        /// 0 is the plain likelihood, 1 gives the mean the gradients of the squared error; in [0, 1].
        beta: f64,
    },
}

impl NetworkSpec {
    /// Checks every number and that the parts fit each other.
    ///
    /// # Errors
    /// [`ModelError::Range`], [`ModelError::Scales`] or [`ModelError::LossDoesNotFitHead`].
    pub fn validate(&self) -> Result<(), ModelError> {
        self.encoder.gru().validate()?;
        self.head.validate()?;
        self.loss.validate()?;
        check("scales", "at least 1", self.feature_counts.len() as f64, |scales| scales >= 1.0)?;
        for features in &self.feature_counts {
            check("features of a scale", "at least 1", *features as f64, |features| features >= 1.0)?;
        }
        if matches!(self.encoder, Encoder::Gru(_)) && self.feature_counts.len() > 1 {
            return Err(ModelError::Scales { scales: self.feature_counts.len() });
        }
        let hint = match (&self.head, &self.loss) {
            (Head::Point, Loss::Mse) | (Head::Gaussian { .. }, Loss::GaussianNll | Loss::BetaNll { .. }) => {
                return Ok(());
            }
            (Head::Point, _) => "loss `mse`, or head `gaussian`",
            (Head::Gaussian { .. }, _) => "loss `gaussian_nll` or `beta_nll`, or head `point`",
        };
        Err(ModelError::LossDoesNotFitHead { loss: self.loss.name(), head: self.head.name(), hint })
    }
}

impl Encoder {
    /// Returns the sizes of the encoder's GRU layers.
    pub const fn gru(&self) -> &GruSpec {
        match self {
            Self::Gru(gru) | Self::MultiScaleGru(gru) => gru,
        }
    }

    /// Returns the name as it is written in a config.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Gru(_) => "gru",
            Self::MultiScaleGru(_) => "multi_scale_gru",
        }
    }
}

impl GruSpec {
    fn validate(&self) -> Result<(), ModelError> {
        check("hidden_size", "in [1, 4096]", self.hidden_size as f64, |size| (1.0..=4096.0).contains(&size))?;
        check("layers", "in [1, 16]", self.layers as f64, |layers| (1.0..=16.0).contains(&layers))?;
        check("dropout", "in [0, 1)", self.dropout, |dropout| (0.0..1.0).contains(&dropout))?;
        if self.layers == 1 {
            check("dropout", "0 when `layers` is 1 (it acts between layers)", self.dropout, |dropout| dropout == 0.0)?;
        }
        check("update_gate_bias", "finite", self.update_gate_bias.unwrap_or(0.0), f64::is_finite)
    }
}

impl Head {
    /// Returns the name as it is written in a config.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Point => "point",
            Self::Gaussian { .. } => "gaussian",
        }
    }

    fn validate(&self) -> Result<(), ModelError> {
        match self {
            Self::Point => Ok(()),
            Self::Gaussian { variance_floor } => {
                check("variance_floor", "in [1e-10, 1)", *variance_floor, |floor| (1e-10..1.0).contains(&floor))
            }
        }
    }
}

impl Loss {
    /// Returns the name as it is written in a config.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Mse => "mse",
            Self::GaussianNll => "gaussian_nll",
            Self::BetaNll { .. } => "beta_nll",
        }
    }

    fn validate(&self) -> Result<(), ModelError> {
        match self {
            Self::Mse | Self::GaussianNll => Ok(()),
            Self::BetaNll { beta } => check("beta", "in [0, 1]", *beta, |beta| (0.0..=1.0).contains(&beta)),
        }
    }
}

/// Refuses a value that breaks its rule.
pub(crate) fn check(
    key: &'static str,
    rule: &'static str,
    value: f64,
    holds: impl Fn(f64) -> bool,
) -> Result<(), ModelError> {
    if holds(value) { Ok(()) } else { Err(ModelError::Range { key, rule, value }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gru(layers: usize, dropout: f64) -> GruSpec {
        GruSpec { hidden_size: 8, layers, dropout, update_gate_bias: None }
    }

    fn refused(spec: &NetworkSpec) -> String {
        spec.validate().expect_err("the specification is wrong").to_string()
    }

    fn spec(head: Head, loss: Loss) -> NetworkSpec {
        NetworkSpec { encoder: Encoder::Gru(gru(2, 0.1)), head, loss, feature_counts: vec![3] }
    }

    #[test]
    fn every_loss_goes_with_its_head() {
        let gaussian = || Head::Gaussian { variance_floor: 1e-4 };
        assert_eq!(spec(Head::Point, Loss::Mse).validate(), Ok(()));
        assert_eq!(spec(gaussian(), Loss::GaussianNll).validate(), Ok(()));
        assert_eq!(spec(gaussian(), Loss::BetaNll { beta: 0.5 }).validate(), Ok(()));
    }

    #[test]
    fn a_loss_that_does_not_fit_its_head_is_refused_with_the_ones_that_do() {
        assert_eq!(
            refused(&spec(Head::Point, Loss::GaussianNll)),
            "loss `gaussian_nll` does not fit head `point`\nhint: use loss `mse`, or head `gaussian`"
        );
        assert_eq!(
            refused(&spec(Head::Gaussian { variance_floor: 1e-4 }, Loss::Mse)),
            "loss `mse` does not fit head `gaussian`\nhint: use loss `gaussian_nll` or `beta_nll`, or head `point`"
        );
    }

    #[test]
    fn a_single_gru_refuses_a_second_scale() {
        let mut two_scales = spec(Head::Point, Loss::Mse);
        two_scales.feature_counts = vec![3, 3];
        assert!(refused(&two_scales).contains("hint: use encoder `multi_scale_gru`"));
        two_scales.encoder = Encoder::MultiScaleGru(gru(1, 0.0));
        assert_eq!(two_scales.validate(), Ok(()));
    }

    #[test]
    fn numbers_out_of_range_are_refused_by_name() {
        let mut wrong = spec(Head::Point, Loss::Mse);
        wrong.encoder = Encoder::Gru(gru(2, 1.0));
        assert_eq!(refused(&wrong), "dropout must be in [0, 1), was `1`");
        wrong.encoder = Encoder::Gru(gru(1, 0.2));
        assert_eq!(refused(&wrong), "dropout must be 0 when `layers` is 1 (it acts between layers), was `0.2`");
        wrong.encoder = Encoder::Gru(gru(0, 0.0));
        assert_eq!(refused(&wrong), "layers must be in [1, 16], was `0`");
        assert!(refused(&spec(Head::Gaussian { variance_floor: 0.0 }, Loss::GaussianNll)).contains("variance_floor"));
        assert!(
            refused(&spec(Head::Gaussian { variance_floor: 1e-6 }, Loss::BetaNll { beta: f64::NAN })).contains("beta")
        );
    }

    #[test]
    fn a_config_names_variants_by_tables_and_refuses_other_keys() {
        let encoder: Encoder =
            serde_json::from_str(r#"{"multi_scale_gru": {"hidden_size": 32, "layers": 1, "dropout": 0.0}}"#)
                .expect("a valid encoder");
        assert_eq!(encoder.gru().hidden_size, 32);
        assert_eq!(encoder.name(), "multi_scale_gru");
        assert_eq!(serde_json::from_str::<Loss>(r#""mse""#).expect("a valid loss"), Loss::Mse);
        let message =
            serde_json::from_str::<Head>(r#"{"gaussian": {"floor": 1}}"#).expect_err("no such key").to_string();
        assert!(message.starts_with("unknown field `floor`, expected `variance_floor`"), "{message}");
    }
}
