//! How the vectors of a window's steps become one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the vectors of a window's steps become one. Steps before a short window's start count nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// The last step's; of a bidirectional layer, each direction's state after its own last step.
    #[default]
    Last,
    /// The mean over the steps.
    Mean,
    /// The mean weighted by `softmax_t(v . tanh(W h_t + b))` (Bahdanau et al. 2015), with `W` square.
    Attention,
}
