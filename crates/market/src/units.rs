//! Numbers with a unit: prices, quantities, cash, basis points.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! unit {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub f64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

unit! {
    /// Money per unit of an instrument, in the instrument's currency.
    Price
}
unit! {
    /// Units of an instrument; negative is short.
    Quantity
}
unit! {
    /// Money in the account's currency; negative is owed.
    Cash
}
unit! {
    /// Hundredths of a percent.
    Bps
}

impl Bps {
    /// Returns the fraction: 1 bps is 0.0001.
    pub const fn fraction(self) -> f64 {
        self.0 * 1e-4
    }
}
