//! Cross-validation in time: every bar is tested, and training lies before and after the bars that are.
//!
//! It answers how a recipe does on more pasts than the one that happened to come last. What a fold forecasts was not known in
//! its time, since later bars train too: only walk-forward forecasts could have been traded.

use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fold::range;
use crate::{ForecastError, Split};

/// The most splits that a scheme may make: each is a training of its own.
const SPLITS_MAX: usize = 10_000;

/// How the time axis is cut for cross-validation.
///
/// The axis is cut into groups of contiguous bars whose lengths differ by at most one, the longer ones first. Each split tests
/// some groups and trains on the rest, less the labels that [`crate::split_samples`] purges and the bars under embargo.
///
/// Validation, on which training stops early and choices are made, is taken out of the training bars: the last `valid_bars`
/// of the longest run of training bars that lie together, the latest of equally long ones. It is purged from both sides like
/// a test block, and a test block follows it or the data end, so no embargo is needed behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CrossValidation {
    /// Each of `folds` groups is tested once (López de Prado 2018, ch. 7).
    PurgedKFold {
        /// Groups of bars, hence splits; at least 2.
        folds: usize,
        /// Bars to validate on; at least 1.
        valid_bars: usize,
        /// Bars after the last one that a test block's labels read, on which nothing is trained or validated. With at least
        /// the reach of the windows, no window that is trained on reads a bar of the test block, unless its series has holes.
        embargo_bars: usize,
    },
    /// Every choice of `test_groups` groups is tested together: `C(N, k)` splits, whose forecasts make `C(N, k) k / N` whole
    /// paths (López de Prado 2018, ch. 12).
    Combinatorial {
        /// Groups of bars, `N`; at least 2.
        groups: usize,
        /// Groups tested at a time, `k`; at least 1 and below `groups`.
        test_groups: usize,
        /// Bars to validate on; at least 1.
        valid_bars: usize,
        /// Bars after the last one that a test block's labels read, on which nothing is trained or validated. With at least
        /// the reach of the windows, no window that is trained on reads a bar of the test block, unless its series has holes.
        embargo_bars: usize,
    },
}

/// A scheme's numbers: k-fold is the combinatorial scheme that tests one group at a time.
struct Numbers {
    groups: usize,
    test_groups: usize,
    valid_bars: usize,
    embargo_bars: usize,
}

impl CrossValidation {
    /// Checks the numbers.
    ///
    /// # Errors
    /// [`ForecastError::Range`] for fewer than two groups, none or all of them tested, no validation bars, or more than 10,000
    /// splits.
    pub fn validate(&self) -> Result<(), ForecastError> {
        let Numbers { groups, test_groups, valid_bars, .. } = self.numbers();
        if groups < 2 {
            return Err(range(self.groups_name(), "at least 2".to_owned(), groups));
        }
        if test_groups == 0 || test_groups >= groups {
            return Err(range("test_groups", format!("at least 1 and below groups, `{groups}`"), test_groups));
        }
        if valid_bars == 0 {
            return Err(range("valid_bars", "at least 1".to_owned(), valid_bars));
        }
        match choices(groups, test_groups) {
            Some(splits) if splits <= SPLITS_MAX => Ok(()),
            _ => Err(range(self.groups_name(), format!("few enough for at most `{SPLITS_MAX}` splits"), groups)),
        }
    }

    /// Returns the number of splits, `C(N, k)`; that of folds for k-fold.
    ///
    /// # Errors
    /// Those of [`Self::validate`].
    pub fn split_count(&self) -> Result<usize, ForecastError> {
        self.validate()?;
        let Numbers { groups, test_groups, .. } = self.numbers();
        Ok(choices(groups, test_groups).expect("a valid scheme has a limited number of splits"))
    }

    /// Returns the number of paths that the splits' forecasts make, `C(N, k) k / N`; 1 for k-fold.
    ///
    /// # Errors
    /// Those of [`Self::validate`].
    pub fn path_count(&self) -> Result<usize, ForecastError> {
        let Numbers { groups, test_groups, .. } = self.numbers();
        Ok(self.split_count()? * test_groups / groups)
    }

    /// The key that the number of groups has in the config.
    const fn groups_name(&self) -> &'static str {
        match self {
            Self::PurgedKFold { .. } => "folds",
            Self::Combinatorial { .. } => "groups",
        }
    }

    const fn numbers(&self) -> Numbers {
        match *self {
            Self::PurgedKFold { folds, valid_bars, embargo_bars } => {
                Numbers { groups: folds, test_groups: 1, valid_bars, embargo_bars }
            }
            Self::Combinatorial { groups, test_groups, valid_bars, embargo_bars } => {
                Numbers { groups, test_groups, valid_bars, embargo_bars }
            }
        }
    }
}

/// Cuts an axis of `axis_len` bars into splits, by the first tested group, then the second, and so on.
pub(crate) fn cross_validation_splits(axis_len: usize, scheme: &CrossValidation) -> Result<Vec<Split>, ForecastError> {
    scheme.validate()?;
    let Numbers { groups, test_groups, valid_bars, embargo_bars } = scheme.numbers();
    if groups > axis_len {
        return Err(range(scheme.groups_name(), format!("at most the number of bars, `{axis_len}`"), groups));
    }
    let blocks = cut(axis_len, groups);
    let choices = combinations(groups, test_groups);
    let training: Vec<Vec<Range<usize>>> = choices.iter().map(|tested| runs(&blocks, tested)).collect();
    let spare = training.iter().filter_map(|runs| runs.iter().map(Range::len).max()).min().unwrap_or(0);
    if valid_bars >= spare {
        let rule = format!("below `{spare}`, the longest run of training bars in the split where it is shortest");
        return Err(range("valid_bars", rule, valid_bars));
    }
    let splits = choices.into_iter().zip(training).zip(0..).map(|((tested, mut train), index)| {
        let valid = take_validation(&mut train, valid_bars);
        let test = tested.into_iter().map(|group| blocks[group].clone()).collect();
        Split { index, train, valid, test, embargo_bars }
    });
    Ok(splits.collect())
}

/// Cuts `0..len` into ranges whose lengths differ by at most one, the longer ones first.
fn cut(len: usize, parts: usize) -> Vec<Range<usize>> {
    let start = |part: usize| part * (len / parts) + part.min(len % parts);
    (0..parts).map(|part| start(part)..start(part + 1)).collect()
}

/// Returns the bars of the groups that are not tested, neighbors joined.
fn runs(blocks: &[Range<usize>], tested: &[usize]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for block in (0..blocks.len()).filter(|group| !tested.contains(group)).map(|group| &blocks[group]) {
        match runs.last_mut() {
            Some(run) if run.end == block.start => run.end = block.end,
            _ => runs.push(block.clone()),
        }
    }
    runs
}

/// Takes the last bars off the longest run, which has more of them; of equally long ones off the latest.
fn take_validation(runs: &mut [Range<usize>], bars: usize) -> Range<usize> {
    let longest = runs.iter_mut().max_by_key(ExactSizeIterator::len).expect("some group is not tested");
    let valid = longest.end - bars..longest.end;
    longest.end = valid.start;
    valid
}

/// Returns the number of ways to choose `k` of `n`; `None` when it is far beyond any limit.
fn choices(n: usize, k: usize) -> Option<usize> {
    // The running product of i + 1 factors is a whole binomial coefficient, so each division is exact.
    (0..k.min(n - k)).try_fold(1_usize, |product, i| Some(product.checked_mul(n - i)? / (i + 1)))
}

/// Returns every choice of `k` of `0..n`, in lexicographic order.
fn combinations(n: usize, k: usize) -> Vec<Vec<usize>> {
    let mut all = Vec::new();
    let mut chosen: Vec<usize> = (0..k).collect();
    loop {
        all.push(chosen.clone());
        let Some(place) = (0..k).rfind(|&place| chosen[place] < n - k + place) else { return all };
        chosen[place] += 1;
        for later in place + 1..k {
            chosen[later] = chosen[later - 1] + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn k_fold(folds: usize, valid_bars: usize) -> CrossValidation {
        CrossValidation::PurgedKFold { folds, valid_bars, embargo_bars: 0 }
    }

    fn combinatorial(groups: usize, test_groups: usize) -> CrossValidation {
        CrossValidation::Combinatorial { groups, test_groups, valid_bars: 1, embargo_bars: 3 }
    }

    /// Training runs, validation bars and test blocks.
    type Parts<'a> = (&'a [Range<usize>], Range<usize>, &'a [Range<usize>]);

    fn check(axis_len: usize, scheme: CrossValidation, expected: &[Parts<'_>]) {
        let splits = cross_validation_splits(axis_len, &scheme).expect("fits");
        assert_eq!(splits.len(), expected.len());
        for (split, (train, valid, test)) in splits.iter().zip(expected) {
            assert_eq!((split.train.as_slice(), &split.valid, split.test.as_slice()), (*train, valid, *test));
        }
    }

    #[test]
    fn splits_and_paths_are_as_many_as_published() {
        // López de Prado 2018, section 12.4: (6, 2) gives 15 splits and 5 paths. C(10, 8) = 45, and 45 * 8 / 10 = 36.
        for (groups, test_groups, splits, paths) in [(6, 2, 15, 5), (10, 8, 45, 36), (10, 2, 45, 9), (2, 1, 2, 1)] {
            let scheme = combinatorial(groups, test_groups);
            assert_eq!((scheme.split_count(), scheme.path_count()), (Ok(splits), Ok(paths)));
            assert_eq!(cross_validation_splits(1000, &scheme).expect("fits").len(), splits);
        }
        assert_eq!((k_fold(5, 1).split_count(), k_fold(5, 1).path_count()), (Ok(5), Ok(1)));
    }

    #[test]
    fn each_fold_is_tested_once_with_training_on_both_sides() {
        // Eleven bars in three: 4, 4, 3. The middle split trains on runs of 4 and 3, so validation ends the first.
        check(
            11,
            k_fold(3, 2),
            &[(&[4..9], 9..11, &[0..4]), (&[0..2, 8..11], 2..4, &[4..8]), (&[0..6], 6..8, &[8..11])],
        );
    }

    #[test]
    fn every_pair_of_groups_is_tested_together() {
        // Of equally long runs the latest gives the validation bars.
        check(
            8,
            combinatorial(4, 2),
            &[
                (&[4..7], 7..8, &[0..2, 2..4]),
                (&[2..4, 6..7], 7..8, &[0..2, 4..6]),
                (&[2..5], 5..6, &[0..2, 6..8]),
                (&[0..2, 6..7], 7..8, &[2..4, 4..6]),
                (&[0..2, 4..5], 5..6, &[2..4, 6..8]),
                (&[0..3], 3..4, &[4..6, 6..8]),
            ],
        );
        let splits = cross_validation_splits(8, &combinatorial(4, 2)).expect("fits");
        assert!(splits.iter().all(|split| split.embargo_bars == 3));
        assert_eq!(splits.iter().map(|split| split.index).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn numbers_that_make_no_scheme_are_refused() {
        // 100 bars in 10 folds: the longer runs of the middle splits have 50 bars.
        let run = "valid_bars must be below `50`, the longest run of training bars in the split where it is shortest, was `50`";
        let limit = "groups must be few enough for at most `10000` splits, was `30`";
        for (scheme, message) in [
            (k_fold(1, 1), "folds must be at least 2, was `1`"),
            (k_fold(3, 0), "valid_bars must be at least 1, was `0`"),
            (combinatorial(0, 0), "groups must be at least 2, was `0`"),
            (combinatorial(4, 0), "test_groups must be at least 1 and below groups, `4`, was `0`"),
            (combinatorial(4, 4), "test_groups must be at least 1 and below groups, `4`, was `4`"),
            (combinatorial(30, 15), limit),
            (k_fold(20_000, 1), "folds must be few enough for at most `10000` splits, was `20000`"),
            (k_fold(10, 50), run),
        ] {
            assert_eq!(cross_validation_splits(100, &scheme).expect_err(message).to_string(), message);
        }
        assert!(combinatorial(usize::MAX, usize::MAX / 2).validate().is_err());
    }

    #[test]
    fn an_axis_too_short_for_its_groups_is_refused() {
        let error = cross_validation_splits(2, &k_fold(5, 1)).expect_err("two bars in five folds").to_string();
        assert_eq!(error, "folds must be at most the number of bars, `2`, was `5`");
    }

    #[test]
    fn a_scheme_reads_as_in_the_config() {
        let text = r#"{"purged_k_fold": {"folds": 5, "valid_bars": 40, "embargo_bars": 0}}"#;
        assert_eq!(serde_json::from_str::<CrossValidation>(text).expect("valid"), k_fold(5, 40));
        let text = r#"{"combinatorial": {"groups": 6, "test_groups": 2, "valid_bars": 1, "embargo_bars": 3}}"#;
        assert_eq!(serde_json::from_str::<CrossValidation>(text).expect("valid"), combinatorial(6, 2));
        let text = r#"{"purged_k_fold": {"folds": 5, "valid_bars": 40}}"#;
        let error = serde_json::from_str::<CrossValidation>(text).expect_err("no default").to_string();
        assert!(error.contains("embargo_bars"), "{error}");
    }
}
