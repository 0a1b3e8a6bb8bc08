//! Splits, dividends, ends of trading and changes of name.

mod events;
mod rename;

use std::fmt;

use serde::Serialize;
use tidegate_market::{BarLabel, CorporateAction, CorporateActionKind, Timestamp};

use crate::rows::SeriesRows;
use crate::{ReadOptions, SymbolBars};

pub use events::{EventSummary, Events, SymbolRename, read_events};
pub use rename::rename;

/// How many corporate actions there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ActionCounts {
    /// Splits, reverse splits and stock dividends.
    pub splits: usize,
    /// Cash dividends.
    pub dividends: usize,
    /// Ends of trading.
    pub delistings: usize,
}

impl ActionCounts {
    /// Counts the actions of all symbols.
    pub fn of(symbols: &[SymbolBars]) -> Self {
        let mut counts = Self::default();
        for action in symbols.iter().flat_map(|symbol| &symbol.actions) {
            match action.kind {
                CorporateActionKind::Split { .. } => counts.splits += 1,
                CorporateActionKind::Dividend { .. } => counts.dividends += 1,
                CorporateActionKind::Delisting { .. } => counts.delistings += 1,
            }
        }
        counts
    }
}

impl fmt::Display for ActionCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
        write!(f, "{}, ", counted(self.splits, "split", "splits"))?;
        write!(f, "{}, ", counted(self.dividends, "dividend", "dividends"))?;
        f.write_str(&counted(self.delistings, "delisting", "delistings"))
    }
}

/// Brings actions into the order in which they take effect: by time, and on one day the split before the dividend.
pub(crate) fn in_order(actions: &mut [CorporateAction]) {
    let rank = |action: &CorporateAction| match action.kind {
        CorporateActionKind::Split { .. } => 0,
        CorporateActionKind::Dividend { .. } => 1,
        CorporateActionKind::Delisting { .. } => 2,
    };
    actions.sort_by_key(|action| (action.time, rank(action)));
}

/// Returns the splits and dividends in the columns of one symbol's rows, each at the open of its row.
///
/// A ratio of 0 or 1 and a dividend of 0 are none. A row that makes no bar, since its prices break a rule, still has its action; of rows
/// with one time the first counts, as for bars.
pub(crate) fn file_actions(rows: &SeriesRows, options: &ReadOptions) -> Vec<CorporateAction> {
    let Some([ratios, dividends]) = &rows.actions else {
        return Vec::new();
    };
    let mut by_time: Vec<(i64, usize)> = (0..rows.time.len()).filter_map(|row| Some((rows.time[row]?, row))).collect();
    by_time.sort_unstable();
    by_time.dedup_by_key(|(time, _)| *time);
    let before_label = match options.label {
        BarLabel::Open => 0,
        BarLabel::Close => options.interval.nanos(),
    };
    let mut actions = Vec::new();
    for (time, row) in by_time {
        let time = Timestamp::from_nanos(time).plus_nanos(-before_label);
        let (ratio, amount) = (ratios[row], dividends[row]);
        if ratio.is_finite() && ratio > 0.0 && ratio != 1.0 {
            actions.push(CorporateAction { time, kind: CorporateActionKind::Split { ratio } });
        }
        if amount.is_finite() && amount > 0.0 {
            actions.push(CorporateAction { time, kind: CorporateActionKind::Dividend { amount } });
        }
    }
    actions
}
