//! The paths of a cross-validation: never a track record.

use serde::{Deserialize, Serialize};

use crate::number::{count, percent_short, ratio};

/// How the strategy did on every path of a cross-validation, whose models learned from later bars too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CrossValidationPanel {
    /// Path by path; everything else in the report is of the first.
    pub paths: Vec<PathRow>,
    /// The mean of the paths' annual Sharpe ratios; `None` where one is undefined.
    pub sharpe_ratio_mean: Option<f64>,
    /// Their standard deviation, divisor n - 1; `None` below two paths.
    pub sharpe_ratio_standard_deviation: Option<f64>,
    /// The smallest of them.
    pub sharpe_ratio_min: Option<f64>,
    /// The share of paths whose Sharpe ratio is not above 0.
    pub share_not_positive: Option<f64>,
}

/// How the strategy did on one path; undefined is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PathRow {
    /// Annual Sharpe ratio.
    pub sharpe_ratio: Option<f64>,
    /// Total return, as a fraction.
    pub total_return: Option<f64>,
    /// Largest drawdown, as a fraction.
    pub max_drawdown: Option<f64>,
}

impl CrossValidationPanel {
    /// Returns the warning that stands before every number of a cross-validated run.
    pub(crate) fn warning(&self) -> String {
        format!(
            "Cross-validated, not tradable: models learned from bars after those that they forecast. {}",
            self.distribution()
        )
    }

    /// Returns the distribution of the paths' Sharpe ratios in a sentence.
    pub(crate) fn distribution(&self) -> String {
        format!(
            "Sharpe ratio over {} paths: mean {}, deviation {}, smallest {}, not above 0 on {}.",
            count(self.paths.len() as u64),
            ratio(self.sharpe_ratio_mean),
            ratio(self.sharpe_ratio_standard_deviation),
            ratio(self.sharpe_ratio_min),
            percent_short(self.share_not_positive),
        )
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture;

    #[test]
    fn a_cross_validated_run_is_called_not_tradable_before_anything_else() {
        let report = fixture::cross_validated();
        let warnings = report.all_warnings();
        let start = "Cross-validated, not tradable: models learned from bars after those that they forecast.";
        let paths = "Sharpe ratio over 5 paths: mean 0.50, deviation 0.46, smallest -0.20, not above 0 on 20.0%.";
        assert_eq!(warnings[0], format!("{start} {paths}"));
        let facts = report.facts();
        assert!(facts.contains(&("Folds", "2 cross-validated, 3 ensemble members each".to_owned())));
        assert!(facts.iter().all(|(_, fact)| !fact.contains("out of sample only")), "{facts:?}");
    }
}
