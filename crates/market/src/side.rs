//! Buy or sell.

use serde::{Deserialize, Serialize};

/// The direction of an order, a fill or a round trip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Adds units.
    Buy,
    /// Takes units away.
    Sell,
}

impl Side {
    /// Returns `+1.0` for a buy, `-1.0` for a sell.
    pub const fn sign(self) -> f64 {
        match self {
            Self::Buy => 1.0,
            Self::Sell => -1.0,
        }
    }

    /// Returns the other side.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }
}
