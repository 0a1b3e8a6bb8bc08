//! `[model.encoder.linear]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The windows of all scales, joined into one vector; a short window's missing steps are 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinearSpec {}
