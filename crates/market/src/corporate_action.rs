//! What happens to a holding without a trade.

use crate::{Price, Timestamp};

/// What a corporate action does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CorporateActionKind {
    /// `ratio` new units for each old one: 2 for two for one, 0.1 for a reverse split of one for ten.
    Split {
        /// New units per old unit, above zero.
        ratio: f64,
    },
    /// Cash per unit, in the instrument's currency, for who held it before the ex-date.
    Dividend {
        /// Money per unit; of a split on the same day, per new unit.
        amount: f64,
    },
    /// The end of trading: holdings are paid out.
    Delisting {
        /// Money per unit; `None` pays the last close.
        price: Option<Price>,
    },
}

/// A corporate action of one instrument.
///
/// It takes effect before the open of the instrument's first bar that opens at or after `time`; a delisting after the close of the
/// instrument's last bar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CorporateAction {
    /// When it takes effect: the ex-date.
    pub time: Timestamp,
    /// What it does.
    pub kind: CorporateActionKind,
}
