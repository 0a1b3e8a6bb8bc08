//! What a network is: encoder, head, loss. Plain values, read from a config and stored with the weights.

mod cnn_gru;
mod encoder;
mod gru;
mod gru_transformer;
mod head;
mod init;
mod linear;
mod loss;
mod lstm;
mod mlp;
mod pooling;
mod transformer;

use serde::{Deserialize, Serialize};

pub use self::cnn_gru::CnnGruSpec;
pub use self::encoder::Encoder;
pub use self::gru::GruSpec;
pub use self::gru_transformer::GruTransformerSpec;
pub(crate) use self::head::DEGREES_OF_FREEDOM_MIN;
pub use self::head::Head;
pub use self::init::Init;
pub use self::linear::LinearSpec;
pub use self::loss::{Loss, Position};
pub use self::lstm::LstmSpec;
pub use self::mlp::MlpSpec;
pub use self::pooling::Pooling;
pub use self::transformer::TransformerSpec;
use crate::ModelError;

/// A network's shape and its loss.
///
/// Any encoder goes with any head; the loss must fit the head. [`NetworkSpec::new`] gives the values that most networks share:
/// one horizon, one symbol, no embedding, a head of one linear layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkSpec {
    /// What turns windows into one vector of values.
    pub encoder: Encoder,
    /// What turns the vector into a forecast.
    pub head: Head,
    /// What the training minimises.
    pub loss: Loss,
    /// Features per time step, one entry per scale.
    pub feature_counts: Vec<usize>,
    /// Steps per window, one entry per scale. Only encoders `linear` and `mlp` need them; empty elsewhere is fine.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub window_bars: Vec<usize>,
    /// Forecast horizons, `K`: one forecast each from one pass.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub horizons: usize,
    /// Series in the panel, `S`; an embedding has a row for each.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub symbols: usize,
    /// Learned values per symbol, `E`, appended to the encoder's vector before the head. Absent: the network does not know
    /// which symbol it reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symbol_embedding: Option<usize>,
    /// Values of a linear layer with ReLU before the head's own linear layer. Absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_hidden_size: Option<usize>,
    /// Fraction of the values dropped on the way into the head's last linear layer while training; in [0, 1).
    #[serde(default, skip_serializing_if = "is_default")]
    pub head_dropout: f64,
}

impl NetworkSpec {
    /// Takes the parts of a network of one horizon without an embedding, whose head is one linear layer.
    pub const fn new(encoder: Encoder, head: Head, loss: Loss, feature_counts: Vec<usize>) -> Self {
        Self {
            encoder,
            head,
            loss,
            feature_counts,
            window_bars: Vec::new(),
            horizons: 1,
            symbols: 1,
            symbol_embedding: None,
            head_hidden_size: None,
            head_dropout: 0.0,
        }
    }

    /// Checks every number and that the parts fit each other.
    ///
    /// # Errors
    /// [`ModelError::Range`], [`ModelError::Scales`], [`ModelError::WindowBars`] or [`ModelError::LossDoesNotFitHead`].
    pub fn validate(&self) -> Result<(), ModelError> {
        self.encoder.validate()?;
        self.head.validate()?;
        self.loss.validate()?;
        check("scales", "at least 1", self.feature_counts.len() as f64, |scales| scales >= 1.0)?;
        for features in &self.feature_counts {
            check("features of a scale", "at least 1", *features as f64, |features| features >= 1.0)?;
        }
        for steps in &self.window_bars {
            check("window_bars", "at least 1", *steps as f64, |steps| steps >= 1.0)?;
        }
        check("horizons", "in [1, 1024]", self.horizons as f64, |horizons| (1.0..=1024.0).contains(&horizons))?;
        check("symbols", "at least 1", self.symbols as f64, |symbols| symbols >= 1.0)?;
        check_size("symbol_embedding", self.symbol_embedding.unwrap_or(1))?;
        check_size("head_hidden_size", self.head_hidden_size.unwrap_or(1))?;
        check_fraction("head_dropout", self.head_dropout)?;
        self.check_scales()?;
        self.loss.check_head(&self.head)
    }

    /// Refuses scales that the encoder does not read, and windows of unknown length where it needs to know.
    fn check_scales(&self) -> Result<(), ModelError> {
        let (encoder, scales, lengths) = (self.encoder.name(), self.feature_counts.len(), self.window_bars.len());
        if scales > 1 && !self.encoder.reads_scales() {
            return Err(ModelError::Scales { encoder, scales });
        }
        if lengths != scales && (lengths > 0 || self.encoder.needs_window_bars()) {
            return Err(ModelError::WindowBars { encoder, scales, lengths });
        }
        Ok(())
    }
}

const fn one() -> usize {
    1
}

/// Leaves keys out of a file that say nothing new.
#[allow(clippy::trivially_copy_pass_by_ref)]
const fn is_one(value: &usize) -> bool {
    *value == 1
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
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

/// Refuses a width of a layer that no network has.
fn check_size(key: &'static str, size: usize) -> Result<(), ModelError> {
    check(key, "in [1, 4096]", size as f64, |size| (1.0..=4096.0).contains(&size))
}

/// Refuses a number of layers that no network has.
fn check_layers(key: &'static str, layers: usize) -> Result<(), ModelError> {
    check(key, "in [1, 16]", layers as f64, |layers| (1.0..=16.0).contains(&layers))
}

/// Refuses a fraction that leaves nothing.
fn check_fraction(key: &'static str, fraction: f64) -> Result<(), ModelError> {
    check(key, "in [0, 1)", fraction, |fraction| (0.0..1.0).contains(&fraction))
}

#[cfg(test)]
mod tests;
