//! Walk-forward folds: ranges of the time axis, always train before validation before test.

use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ForecastError;

/// How the time axis is cut into folds. All lengths are bars on the axis, at least 1.
///
/// The first fold must fit whole. Each further fold starts `step_bars` later, as long as at least one bar is left to test on:
/// the last test block may be shorter than `test_bars`, and is kept, so that no bar at the end goes untested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum WalkForward {
    /// The training range keeps its length and moves forward.
    Rolling {
        /// Bars to train on.
        train_bars: usize,
        /// Bars to validate on: early stopping and choices are made here.
        valid_bars: usize,
        /// Bars to forecast out of sample.
        test_bars: usize,
        /// Bars from one fold to the next; the length of the test block when not given, and never less than it, so that no bar
        /// is forecast twice.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step_bars: Option<usize>,
    },
    /// The training range starts at the first bar and grows.
    Expanding {
        /// Bars to train on in the first fold.
        train_bars: usize,
        /// Bars to validate on: early stopping and choices are made here.
        valid_bars: usize,
        /// Bars to forecast out of sample.
        test_bars: usize,
        /// Bars from one fold to the next; the length of the test block when not given, and never less than it, so that no bar
        /// is forecast twice.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step_bars: Option<usize>,
    },
}

/// The lengths of a scheme, with the step resolved.
struct Lengths {
    train: usize,
    valid: usize,
    test: usize,
    step: usize,
}

impl WalkForward {
    /// Checks the lengths.
    ///
    /// # Errors
    /// [`ForecastError::Range`] for a length of 0, or a step shorter than the test block.
    pub fn validate(&self) -> Result<(), ForecastError> {
        let Lengths { train, valid, test, step } = self.lengths();
        for (name, bars) in [("train_bars", train), ("valid_bars", valid), ("test_bars", test)] {
            if bars == 0 {
                return Err(range(name, "at least 1".to_owned(), bars));
            }
        }
        if step < test {
            return Err(range(
                "step_bars",
                format!("at least test_bars, `{test}`, so that no bar is forecast twice"),
                step,
            ));
        }
        Ok(())
    }

    const fn lengths(&self) -> Lengths {
        match *self {
            Self::Rolling { train_bars, valid_bars, test_bars, step_bars }
            | Self::Expanding { train_bars, valid_bars, test_bars, step_bars } => Lengths {
                train: train_bars,
                valid: valid_bars,
                test: test_bars,
                step: match step_bars {
                    Some(step_bars) => step_bars,
                    None => test_bars,
                },
            },
        }
    }
}

fn range(name: &'static str, rule: String, value: usize) -> ForecastError {
    ForecastError::Range { name, rule, value: value.to_string() }
}

/// One fold: three ranges of the axis, in this order and without gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    /// The fold's number, from 0.
    pub index: u32,
    /// Bars to train on.
    pub train: Range<usize>,
    /// Bars to validate on.
    pub valid: Range<usize>,
    /// Bars to forecast.
    pub test: Range<usize>,
}

/// Cuts an axis of `axis_len` bars into folds, first to last.
///
/// # Errors
/// [`ForecastError::FoldTooLong`] when not even one whole fold fits; those of [`WalkForward::validate`].
pub fn folds(axis_len: usize, scheme: &WalkForward) -> Result<Vec<Fold>, ForecastError> {
    scheme.validate()?;
    let Lengths { train, valid, test, step } = scheme.lengths();
    let needed = train.saturating_add(valid).saturating_add(test);
    if needed > axis_len {
        return Err(ForecastError::FoldTooLong {
            needed,
            available: axis_len,
            train_bars: train,
            valid_bars: valid,
            test_bars: test,
        });
    }
    let first_test = train + valid;
    let folds = (first_test..axis_len).step_by(step).enumerate().map(|(index, test_start)| {
        let valid_start = test_start - valid;
        let train_start = match scheme {
            WalkForward::Rolling { .. } => valid_start - train,
            WalkForward::Expanding { .. } => 0,
        };
        Fold {
            index: index as u32,
            train: train_start..valid_start,
            valid: valid_start..test_start,
            test: test_start..axis_len.min(test_start + test),
        }
    });
    Ok(folds.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rolling(train_bars: usize, valid_bars: usize, test_bars: usize, step_bars: Option<usize>) -> WalkForward {
        WalkForward::Rolling { train_bars, valid_bars, test_bars, step_bars }
    }

    fn expanding(train_bars: usize, valid_bars: usize, test_bars: usize, step_bars: Option<usize>) -> WalkForward {
        WalkForward::Expanding { train_bars, valid_bars, test_bars, step_bars }
    }

    fn check(axis_len: usize, scheme: WalkForward, expected: &[(Range<usize>, Range<usize>, Range<usize>)]) {
        let folds = folds(axis_len, &scheme).expect("fits");
        let expected: Vec<Fold> = expected
            .iter()
            .enumerate()
            .map(|(index, (train, valid, test))| Fold {
                index: index as u32,
                train: train.clone(),
                valid: valid.clone(),
                test: test.clone(),
            })
            .collect();
        assert_eq!(folds, expected);
    }

    #[test]
    fn a_rolling_training_range_moves() {
        check(12, rolling(4, 2, 3, None), &[(0..4, 4..6, 6..9), (3..7, 7..9, 9..12)]);
    }

    #[test]
    fn an_expanding_training_range_grows_from_the_first_bar() {
        check(12, expanding(4, 2, 3, None), &[(0..4, 4..6, 6..9), (0..7, 7..9, 9..12)]);
    }

    #[test]
    fn a_last_shorter_test_block_is_kept() {
        check(13, rolling(4, 2, 3, None), &[(0..4, 4..6, 6..9), (3..7, 7..9, 9..12), (6..10, 10..12, 12..13)]);
    }

    #[test]
    fn a_longer_step_leaves_bars_untested() {
        check(13, expanding(4, 2, 3, Some(5)), &[(0..4, 4..6, 6..9), (0..9, 9..11, 11..13)]);
    }

    #[test]
    fn exactly_one_fold_fits() {
        check(9, expanding(4, 2, 3, None), &[(0..4, 4..6, 6..9)]);
    }

    #[test]
    fn a_fold_longer_than_the_data_says_how_many_bars_it_needs() {
        let error = folds(8, &expanding(4, 2, 3, None)).expect_err("too long").to_string();
        assert!(
            error.contains("needs `9` bars") && error.contains("have `8`") && error.contains("\nhint: "),
            "{error}"
        );
        assert!(folds(8, &rolling(usize::MAX, 2, 3, None)).is_err());
    }

    #[test]
    fn empty_parts_and_overlapping_test_blocks_are_refused() {
        for (scheme, message) in [
            (rolling(0, 2, 3, None), "train_bars must be at least 1, was `0`"),
            (rolling(4, 0, 3, None), "valid_bars must be at least 1, was `0`"),
            (expanding(4, 2, 0, None), "test_bars must be at least 1, was `0`"),
            (
                expanding(4, 2, 3, Some(2)),
                "step_bars must be at least test_bars, `3`, so that no bar is forecast twice, was `2`",
            ),
        ] {
            assert_eq!(folds(100, &scheme).expect_err(message).to_string(), message);
        }
    }

    #[test]
    fn a_scheme_is_tagged_by_its_name_and_the_step_is_optional() {
        let text = r#"{"expanding": {"train_bars": 4, "valid_bars": 2, "test_bars": 3}}"#;
        assert_eq!(serde_json::from_str::<WalkForward>(text).expect("valid"), expanding(4, 2, 3, None));
        let text = r#"{"rolling": {"train_bars": 4, "valid_bars": 2, "test_bars": 3, "step_bars": 5}}"#;
        assert_eq!(serde_json::from_str::<WalkForward>(text).expect("valid"), rolling(4, 2, 3, Some(5)));
        let text = r#"{"rolling": {"train_bars": 4, "valid_bars": 2, "test_bars": 3, "purge": false}}"#;
        let error = serde_json::from_str::<WalkForward>(text).expect_err("unknown key").to_string();
        assert!(error.contains("`purge`"), "{error}");
    }
}
