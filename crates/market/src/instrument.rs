//! What is traded.

use serde::{Deserialize, Serialize};

/// The place of an instrument in the experiment's list; ties between instruments are broken by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InstrumentId(pub u32);

impl InstrumentId {
    /// Returns the place as an index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What is traded, and in which steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Instrument {
    /// The ticker, as in the data.
    pub symbol: String,
    /// The smallest tradable step in units; `None` trades fractions.
    pub lot_size: Option<f64>,
    /// The smallest step of a price; `None` takes any price.
    pub tick_size: Option<f64>,
    /// Money per unit and point of price: 1 for stocks.
    pub multiplier: f64,
    /// The group whose exposure may be limited together, such as a sector.
    pub group: Option<String>,
}

impl Instrument {
    /// Returns an instrument that trades in fractions at any price, with a multiplier of one and in no group.
    pub fn fractional(symbol: impl Into<String>) -> Self {
        Self { symbol: symbol.into(), lot_size: None, tick_size: None, multiplier: 1.0, group: None }
    }
}
