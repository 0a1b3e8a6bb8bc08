//! Claims about sizes, which are counted.

use tidegate_forecast::ForecastError;

use super::{Claim, ClaimUnit, SHAPE};
use crate::checkpoint::CheckpointParts;
use crate::compress::{WeightBytes, quantize, weight_bytes};
use crate::fit::model_error;
use crate::spec::{Encoder, GruSpec, Head, Loss, NetworkSpec};
use crate::target::TargetScale;

pub(super) fn sizes() -> Result<Vec<Claim>, ForecastError> {
    let exact = |name, what, claimed: f64, ratio: f64, why| {
        let measured = ClaimUnit::PercentLess.of(ratio);
        let unit = ClaimUnit::PercentLess;
        Claim { name, what, unit, claimed: [claimed; 2], measured, low: measured, high: measured, why }
    };
    let network = NetworkSpec::new(
        Encoder::Gru(GruSpec::new(SHAPE.hidden, SHAPE.layers)),
        Head::Point,
        Loss::Mse,
        vec![SHAPE.inputs],
    );
    let targets = vec![TargetScale { mean: 0.0, standard_deviation: 1.0 }];
    let checkpoint = CheckpointParts::fresh(&network, targets, 7).write().map_err(|error| model_error(&error))?;
    let quantized = quantize(&checkpoint).map_err(|error| model_error(&error))?;
    let WeightBytes { single, int8 } = weight_bytes(&checkpoint).map_err(|error| model_error(&error))?;
    Ok(vec![
        exact(
            "gru_lstm_parameters",
            "weights of a GRU against an LSTM of the same size",
            25.0,
            SHAPE.lstm_weight_count() as f64 / SHAPE.weight_count() as f64,
            "a GRU has three gates where an LSTM has four, each with the same weights: exactly a quarter less",
        ),
        exact(
            "int8_file_size",
            "a file with weights of eight bits against one in single precision",
            75.0,
            checkpoint.len() as f64 / quantized.len() as f64,
            "three quarters go from the matrices alone: biases, a scale for each row and the header stay as they are",
        ),
        exact(
            "int8_weights_size",
            "the same without the files' headers",
            75.0,
            single as f64 / int8 as f64,
            "biases keep single precision and every row has a scale; the wider the matrices, the nearer to 75",
        ),
    ])
}
