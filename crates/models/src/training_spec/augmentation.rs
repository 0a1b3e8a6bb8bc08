//! How training windows are disturbed. Plain values, read from a config.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ModelError;
use crate::spec::check;

/// How the windows of a training step are disturbed, each scale by itself: warped first, then noise, then masks. Labels,
/// validation and forecasts never are.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Augmentation {
    /// Standard deviation of the normal noise on every value, in units of the scaled features; 0 for none.
    pub noise: f64,
    /// Probability that a feature is 0 in a whole window; in [0, 1).
    pub feature_mask: f64,
    /// Probability that a step is 0 in all features; in [0, 1). A window's last step never is.
    pub time_mask: f64,
    /// Standard deviation of the logarithm of the speed at which a window's steps are read; 0 for none. The first and the
    /// last step stay where they are and no two steps change places. It bends how long ago things happened, so it is for
    /// patterns whose duration does not matter.
    pub time_warp: f64,
}

impl Augmentation {
    /// Checks every number.
    pub(crate) fn validate(&self) -> Result<(), ModelError> {
        let size = |value: f64| value.is_finite() && value >= 0.0;
        check("noise", "at least 0 and finite", self.noise, size)?;
        check("feature_mask", "in [0, 1)", self.feature_mask, |share| (0.0..1.0).contains(&share))?;
        check("time_mask", "in [0, 1)", self.time_mask, |share| (0.0..1.0).contains(&share))?;
        check("time_warp", "in [0, 2]", self.time_warp, |strength| (0.0..=2.0).contains(&strength))
    }
}
