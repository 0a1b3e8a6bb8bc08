//! Whose definitions to use where tools differ.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::MetricsError;

/// Whose definitions to use where tools differ; `docs/METRICS.md` holds the table of differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Convention {
    /// This project's definitions.
    Tidegate,
    /// The definitions of empyrical (empyrical-reloaded 0.7.1).
    Empyrical,
    /// The definitions of `QuantStats` (0.0.86).
    Quantstats,
}

impl Convention {
    /// Every convention, the default first.
    pub const ALL: [Self; 3] = [Self::Tidegate, Self::Empyrical, Self::Quantstats];

    /// Returns the name that selects the convention.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tidegate => "tidegate",
            Self::Empyrical => "empyrical",
            Self::Quantstats => "quantstats",
        }
    }
}

impl fmt::Display for Convention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Convention {
    type Err = MetricsError;

    fn from_str(text: &str) -> Result<Self, MetricsError> {
        Self::ALL.into_iter().find(|convention| convention.name() == text).ok_or_else(|| {
            let valid: Vec<String> = Self::ALL.iter().map(|convention| format!("`{convention}`")).collect();
            MetricsError::Convention { text: text.to_owned(), valid: valid.join(", ") }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_convention_parses_from_its_own_name() {
        for convention in Convention::ALL {
            assert_eq!(convention.to_string().parse(), Ok(convention));
        }
    }

    #[test]
    fn an_unknown_name_lists_the_valid_ones() {
        let error = "pyfolio".parse::<Convention>().expect_err("not a convention").to_string();
        assert_eq!(error, "convention must be one of `tidegate`, `empyrical`, `quantstats`, was `pyfolio`");
    }
}
