//! Trained recurrent networks in plain Rust: from checkpoint bytes to forecasts, over windows or step by step.
//!
//! It runs stacks of plain GRU or LSTM layers that read one scale each and hand on their last state, fusion, embeddings of symbols
//! and every head. The layers run in `tidegate-recurrence`, in single precision; what comes after them runs here, in double
//! precision, since it costs little. Nothing here needs libtorch, and on the main processor no forecast of these networks is made
//! by it, so that every build gives the same bits.
//!
//! Invariants:
//! - a forecast does not depend, by a single bit, on the windows beside it;
//! - the steps of a window, read one by one from a fresh start, give the forecast of the window bit for bit;
//! - a step allocates nothing.

mod dense;
mod head;
mod layout;
mod network;
mod stack;
mod stream;
mod trained;

#[cfg(test)]
mod tests;

use crate::spec::{Encoder, NetworkSpec};

#[cfg(feature = "libtorch")]
pub(crate) use network::check_finite;
pub(crate) use trained::TrainedNetwork;

/// Returns whether plain Rust runs such a network.
pub(crate) fn runs(spec: &NetworkSpec) -> bool {
    match &spec.encoder {
        Encoder::Lstm(lstm) => lstm.is_plain(),
        encoder => encoder.is_plain_gru(),
    }
}

/// Returns how many numbers a network that plain Rust runs is stored as.
#[cfg(not(feature = "libtorch"))]
pub(crate) fn stored_count(spec: &NetworkSpec) -> usize {
    layout::shapes(spec).iter().map(crate::parameter_shape::ParameterShape::len).sum()
}

/// Returns whether such a network, once trained, is stepped bar by bar: it runs in plain Rust and reads one scale.
///
/// Its [`tidegate_forecast::FittedForecaster::stream`] is then there, on whatever device it was trained.
pub fn can_stream(spec: &NetworkSpec) -> bool {
    runs(spec) && spec.feature_counts.len() == 1
}
