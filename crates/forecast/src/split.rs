//! Splits: what is trained, validated and tested together, whichever way time is cut.

use std::collections::BTreeMap;
use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cross_validation::cross_validation_splits;
use crate::{CrossValidation, Fold, ForecastError, WalkForward, folds};

/// How forecasts out of sample are made.
///
/// In a config `[walk_forward.rolling]`, `[walk_forward.expanding]`, `[walk_forward.holdout]`,
/// `[cross_validation.purged_k_fold]` or `[cross_validation.combinatorial]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FoldScheme {
    /// Training always lies before the bars that are tested: these forecasts could have been traded.
    WalkForward(WalkForward),
    /// Training lies on both sides: these forecasts measure a recipe and could not have been traded.
    CrossValidation(CrossValidation),
}

impl FoldScheme {
    /// Checks the numbers.
    ///
    /// # Errors
    /// Those of [`WalkForward::validate`] and [`CrossValidation::validate`].
    pub fn validate(&self) -> Result<(), ForecastError> {
        match self {
            Self::WalkForward(scheme) => scheme.validate(),
            Self::CrossValidation(scheme) => scheme.validate(),
        }
    }
}

/// One training and what it is tested on: ranges of the axis that do not overlap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// The split's number, from 0.
    pub index: u32,
    /// Bars to train on: runs in order, never empty, that do not touch.
    pub train: Vec<Range<usize>>,
    /// Bars to validate on.
    pub valid: Range<usize>,
    /// Blocks of bars to forecast, in order, never empty; two may touch.
    pub test: Vec<Range<usize>>,
    /// Bars after the last one that a test block's labels read, on which nothing is trained or validated.
    pub embargo_bars: usize,
}

impl From<&Fold> for Split {
    /// Takes a fold, whose test block nothing follows that could need an embargo.
    fn from(fold: &Fold) -> Self {
        let runs = |range: &Range<usize>| if range.is_empty() { vec![] } else { vec![range.clone()] };
        Self {
            index: fold.index,
            train: runs(&fold.train),
            valid: fold.valid.clone(),
            test: runs(&fold.test),
            embargo_bars: 0,
        }
    }
}

/// Cuts an axis of `axis_len` bars into splits, first to last.
///
/// # Errors
/// Those of [`folds`]; [`ForecastError::Range`] for a cross-validation with more groups than bars, or with as many validation
/// bars as the longest run of training bars in some split.
pub fn splits(axis_len: usize, scheme: &FoldScheme) -> Result<Vec<Split>, ForecastError> {
    match scheme {
        FoldScheme::WalkForward(scheme) => Ok(folds(axis_len, scheme)?.iter().map(Split::from).collect()),
        FoldScheme::CrossValidation(scheme) => cross_validation_splits(axis_len, scheme),
    }
}

/// A test block of a path, and the split whose forecasts stand for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPart {
    /// The split's number.
    pub split: u32,
    /// The block, one of the split's `test`.
    pub test: Range<usize>,
}

/// Strings test blocks together to paths: each path forecasts every tested bar once, in order.
///
/// Path `p` takes each block from the `p`-th split that tests it (López de Prado 2018, section 12.3). Walk-forward folds and
/// k-fold make one path, a combinatorial cross-validation several, which share training bars: they are not independent.
pub fn paths(splits: &[Split]) -> Vec<Vec<PathPart>> {
    let mut blocks: BTreeMap<usize, Vec<PathPart>> = BTreeMap::new();
    for split in splits {
        for test in &split.test {
            blocks.entry(test.start).or_default().push(PathPart { split: split.index, test: test.clone() });
        }
    }
    // All schemes test each block equally often.
    let count = blocks.values().map(Vec::len).min().unwrap_or(0);
    (0..count).map(|path| blocks.values().map(|parts| parts[path].clone()).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn combinatorial(groups: usize, test_groups: usize) -> FoldScheme {
        let scheme = CrossValidation::Combinatorial { groups, test_groups, valid_bars: 1, embargo_bars: 0 };
        FoldScheme::CrossValidation(scheme)
    }

    #[test]
    fn walk_forward_folds_are_splits_of_one_path() {
        let scheme = WalkForward::Rolling { train_bars: 4, valid_bars: 2, test_bars: 3, step_bars: None };
        let splits = splits(12, &FoldScheme::WalkForward(scheme)).expect("fits");
        let expected =
            |index, train, valid, test| Split { index, train: vec![train], valid, test: vec![test], embargo_bars: 0 };
        assert_eq!(splits, [expected(0, 0..4, 4..6, 6..9), expected(1, 3..7, 7..9, 9..12)]);
        let part = |split, test| PathPart { split, test };
        assert_eq!(paths(&splits), [[part(0, 6..9), part(1, 9..12)]]);
    }

    #[test]
    fn the_paths_of_six_groups_taken_by_two_are_the_published_ones() {
        // López de Prado 2018, figure 12.2: the split (column of the figure, from 0) that gives each group in paths 1 to 5.
        let splits = splits(60, &combinatorial(6, 2)).expect("fits");
        let by_group: Vec<Vec<u32>> =
            paths(&splits).iter().map(|path| path.iter().map(|part| part.split).collect()).collect();
        assert_eq!(
            by_group,
            [
                [0, 0, 1, 2, 3, 4],
                [1, 5, 5, 6, 7, 8],
                [2, 6, 9, 9, 10, 11],
                [3, 7, 10, 12, 12, 13],
                [4, 8, 11, 13, 14, 14],
            ]
        );
    }

    #[test]
    fn no_splits_make_no_path() {
        assert!(paths(&[]).is_empty());
    }

    #[test]
    fn a_scheme_reads_as_in_the_config() {
        let text = r#"{"cross_validation": {"combinatorial": {"groups": 6, "test_groups": 2, "valid_bars": 1, "embargo_bars": 0}}}"#;
        assert_eq!(serde_json::from_str::<FoldScheme>(text).expect("valid"), combinatorial(6, 2));
        let text = r#"{"walk_forward": {"holdout": {"train_fraction": 0.6, "valid_fraction": 0.2}}}"#;
        let scheme = WalkForward::Holdout { train_fraction: 0.6, valid_fraction: 0.2 };
        assert_eq!(serde_json::from_str::<FoldScheme>(text).expect("valid"), FoldScheme::WalkForward(scheme));
    }

    #[test]
    fn a_scheme_of_either_kind_is_checked() {
        assert!(combinatorial(6, 2).validate().is_ok());
        assert!(combinatorial(6, 6).validate().is_err());
        let scheme = WalkForward::Holdout { train_fraction: 0.9, valid_fraction: 0.2 };
        assert!(FoldScheme::WalkForward(scheme).validate().is_err());
    }
}
