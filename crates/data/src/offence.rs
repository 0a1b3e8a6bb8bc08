//! Rules that a row can break, and what happens then.

use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_market::Timestamp;

use crate::DataError;

/// A rule that a row can break. A row counts under the first that it breaks, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OffenceKind {
    /// A time, price or volume that is absent, not a number or infinite.
    Missing,
    /// A price at or below zero.
    NonPositivePrice,
    /// A volume below zero.
    NegativeVolume,
    /// A low above, or a high below, the open or the close.
    HighBelowLow,
    /// A split ratio or a dividend that is absent, not a number, infinite or below zero.
    CorporateAction,
    /// A time before the latest time above it in the file.
    Unsorted,
    /// A time that the symbol has already.
    Duplicate,
}

impl OffenceKind {
    /// All kinds, in the order of the report.
    pub const ALL: [Self; 7] = [
        Self::Missing,
        Self::NonPositivePrice,
        Self::NegativeVolume,
        Self::HighBelowLow,
        Self::CorporateAction,
        Self::Unsorted,
        Self::Duplicate,
    ];

    /// Returns the rule in words.
    pub(crate) const fn rule(self) -> &'static str {
        match self {
            Self::Missing => "every time, price and volume must be there and finite",
            Self::NonPositivePrice => "prices must be above 0",
            Self::NegativeVolume => "volume must be at least 0",
            Self::HighBelowLow => "low must not be above, nor high below, open and close",
            Self::CorporateAction => "split ratio and dividend must be there, finite and at least 0",
            Self::Unsorted => "rows must be in time order",
            Self::Duplicate => "a symbol must have one row per time",
        }
    }

    /// Returns the policies that read on.
    pub(crate) const fn ways_out(self) -> &'static str {
        match self {
            Self::Unsorted => "`keep` (sorts them into place) or `drop`",
            Self::Duplicate => "`drop` (keeps the first)",
            _ => "`drop`",
        }
    }
}

impl fmt::Display for OffenceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "missing",
            Self::NonPositivePrice => "non_positive_price",
            Self::NegativeVolume => "negative_volume",
            Self::HighBelowLow => "high_below_low",
            Self::CorporateAction => "corporate_action",
            Self::Unsorted => "unsorted",
            Self::Duplicate => "duplicate",
        })
    }
}

/// What happens to a row that breaks a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Reading stops with an error that names the row.
    #[default]
    Error,
    /// The row is left out and counted in the report.
    Drop,
    /// The row stays. Only unsorted rows can stay: they are sorted into place.
    Keep,
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Drop => "drop",
            Self::Keep => "keep",
        })
    }
}

/// One policy per kind of offence; an absent one is `error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OffencePolicy {
    /// For values that are absent, not numbers or infinite.
    pub missing: Policy,
    /// For prices at or below zero.
    pub non_positive_price: Policy,
    /// For volumes below zero.
    pub negative_volume: Policy,
    /// For opens or closes outside low and high.
    pub high_below_low: Policy,
    /// For split ratios and dividends that are absent or below zero.
    pub corporate_action: Policy,
    /// For rows out of time order; `keep` sorts them into place.
    pub unsorted: Policy,
    /// For a time that the symbol has already; `drop` keeps the first row of each time.
    pub duplicate: Policy,
}

impl OffencePolicy {
    /// Returns the policy for one kind.
    pub const fn of(&self, kind: OffenceKind) -> Policy {
        match kind {
            OffenceKind::Missing => self.missing,
            OffenceKind::NonPositivePrice => self.non_positive_price,
            OffenceKind::NegativeVolume => self.negative_volume,
            OffenceKind::HighBelowLow => self.high_below_low,
            OffenceKind::CorporateAction => self.corporate_action,
            OffenceKind::Unsorted => self.unsorted,
            OffenceKind::Duplicate => self.duplicate,
        }
    }

    /// Checks that nothing is kept that bars cannot hold.
    ///
    /// # Errors
    /// [`DataError::Policy`] for `keep` on anything but unsorted rows.
    pub fn validate(&self) -> Result<(), DataError> {
        let kept = |kind: &OffenceKind| *kind != OffenceKind::Unsorted && self.of(*kind) == Policy::Keep;
        match OffenceKind::ALL.into_iter().find(kept) {
            Some(kind) => Err(DataError::Policy { kind, policy: Policy::Keep }),
            None => Ok(()),
        }
    }
}

/// One row that breaks a rule.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OffenceRow {
    /// The file.
    pub file: PathBuf,
    /// One-based line of a text file, one-based row of a Parquet file.
    pub line: usize,
    /// The symbol.
    pub symbol: String,
    /// The row's time label, where it has one.
    pub time: Option<Timestamp>,
    /// What was found.
    pub value: String,
}

/// All rows that break one rule.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OffenceGroup {
    /// The rule.
    pub kind: OffenceKind,
    /// What happens to these rows.
    pub policy: Policy,
    /// How many there are.
    pub count: usize,
    /// The first [`OffenceGroup::FIRST_ROWS`] of them.
    pub first: Vec<OffenceRow>,
}

impl OffenceGroup {
    /// How many rows a report shows.
    pub const FIRST_ROWS: usize = 5;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unsorted_rows_can_be_kept() {
        assert!(OffencePolicy { unsorted: Policy::Keep, ..OffencePolicy::default() }.validate().is_ok());
        let error = OffencePolicy { duplicate: Policy::Keep, ..OffencePolicy::default() }.validate().expect_err("kept");
        assert_eq!(
            error.to_string(),
            "policy for `duplicate` must be `error` or `drop`, was `keep`; only `unsorted` rows can be kept"
        );
    }

    #[test]
    fn every_policy_is_an_error_until_it_is_set() {
        let policy: OffencePolicy = serde_json::from_str(r#"{"missing": "drop"}"#).expect("valid");
        let found = OffenceKind::ALL.map(|kind| policy.of(kind));
        assert_eq!(found[0], Policy::Drop);
        assert_eq!(found[1..], [Policy::Error; 6]);
        assert!(serde_json::from_str::<OffencePolicy>(r#"{"mising": "drop"}"#).is_err());
    }
}
