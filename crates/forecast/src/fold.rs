//! Walk-forward folds: ranges of the time axis, always train before validation before test.

use std::fmt::Display;
use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ForecastError;

/// How the time axis is cut into folds. All lengths are bars on the axis, at least 1.
///
/// The first fold must fit whole. Each further fold starts `step_bars` later, as long as at least one bar is left to test on:
/// the last test block may be shorter than `test_bars`, and is kept, so that no bar at the end goes untested.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    /// One fold: the first bars train, the next validate, the rest is tested.
    ///
    /// Of `n` bars those before `floor(train_fraction n)` train and those before `floor((train_fraction + valid_fraction) n)`
    /// validate, as in the usual published splits (Lai et al. 2018). A sample belongs to the part in which its own bar
    /// closes; where a publication counts it by the bar that its label ends at, it tests up to a horizon more samples.
    Holdout {
        /// The share of the bars to train on; above 0.
        train_fraction: f64,
        /// The share of the bars to validate on; above 0, and with `train_fraction` below 1.
        valid_fraction: f64,
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
    /// [`ForecastError::Range`] for a length of 0, a step shorter than the test block, or fractions that leave a part empty.
    pub fn validate(&self) -> Result<(), ForecastError> {
        match *self {
            Self::Rolling { train_bars, valid_bars, test_bars, step_bars }
            | Self::Expanding { train_bars, valid_bars, test_bars, step_bars } => {
                for (name, bars) in [("train_bars", train_bars), ("valid_bars", valid_bars), ("test_bars", test_bars)] {
                    if bars == 0 {
                        return Err(range(name, "at least 1".to_owned(), bars));
                    }
                }
                match step_bars {
                    Some(step_bars) if step_bars < test_bars => {
                        let rule = format!("at least test_bars, `{test_bars}`, so that no bar is forecast twice");
                        Err(range("step_bars", rule, step_bars))
                    }
                    _ => Ok(()),
                }
            }
            Self::Holdout { train_fraction, valid_fraction } => {
                for (name, fraction) in [("train_fraction", train_fraction), ("valid_fraction", valid_fraction)] {
                    if !(fraction > 0.0 && fraction < 1.0) {
                        return Err(range(name, "above 0 and below 1".to_owned(), fraction));
                    }
                }
                if train_fraction + valid_fraction >= 1.0 {
                    let rule =
                        format!("below 1 with train_fraction, `{train_fraction}`, so that there are bars to test");
                    return Err(range("valid_fraction", rule, valid_fraction));
                }
                Ok(())
            }
        }
    }

    /// Returns the lengths on an axis.
    fn lengths(&self, axis_len: usize) -> Lengths {
        match *self {
            Self::Rolling { train_bars, valid_bars, test_bars, step_bars }
            | Self::Expanding { train_bars, valid_bars, test_bars, step_bars } => {
                let step = step_bars.unwrap_or(test_bars);
                Lengths { train: train_bars, valid: valid_bars, test: test_bars, step }
            }
            Self::Holdout { train_fraction, valid_fraction } => {
                let place = |fraction: f64| (fraction * axis_len as f64) as usize;
                let [train_end, valid_end] = [place(train_fraction), place(train_fraction + valid_fraction)];
                let test = axis_len - valid_end;
                Lengths { train: train_end, valid: valid_end - train_end, test, step: test }
            }
        }
    }
}

pub(crate) fn range(name: &'static str, rule: String, value: impl Display) -> ForecastError {
    ForecastError::Range { name, rule, value: format!("{value}") }
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
/// [`ForecastError::FoldTooLong`] when not even one whole fold fits, [`ForecastError::HoldoutTooShort`] when a part of a holdout
/// gets no bar; those of [`WalkForward::validate`].
pub fn folds(axis_len: usize, scheme: &WalkForward) -> Result<Vec<Fold>, ForecastError> {
    scheme.validate()?;
    let Lengths { train, valid, test, step } = scheme.lengths(axis_len);
    if train == 0 || valid == 0 || test == 0 {
        return Err(ForecastError::HoldoutTooShort { available: axis_len, parts: [train, valid, test] });
    }
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
            WalkForward::Expanding { .. } | WalkForward::Holdout { .. } => 0,
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
    fn a_holdout_cuts_at_whole_bars_below_its_fractions() {
        // As numpy's `int(0.6 * n)` and `int((0.6 + 0.2) * n)`: 7588 bars are cut at 4552 and 6070.
        let standard = WalkForward::Holdout { train_fraction: 0.6, valid_fraction: 0.2 };
        check(7588, standard, &[(0..4552, 4552..6070, 6070..7588)]);
        check(11, standard, &[(0..6, 6..8, 8..11)]);
        check(4, standard, &[(0..2, 2..3, 3..4)]);
        // 1.8 and 2.4 bars are 1 and 2, 1.2 and 1.6 are both 1, which leaves none to validate on.
        check(3, standard, &[(0..1, 1..2, 2..3)]);
        let error = folds(2, &standard).expect_err("no bar to validate on").to_string();
        assert!(error.starts_with("a holdout must train, validate and test on at least `1` bar each"), "{error}");
        assert!(error.contains("the `2` bars of the data give `1`, `0` and `1`\nhint: "), "{error}");
    }

    #[test]
    fn fractions_that_leave_a_part_empty_are_refused() {
        let holdout = |train_fraction, valid_fraction| WalkForward::Holdout { train_fraction, valid_fraction };
        let both =
            "valid_fraction must be below 1 with train_fraction, `0.8`, so that there are bars to test, was `0.2`";
        for (scheme, message) in [
            (holdout(0.0, 0.2), "train_fraction must be above 0 and below 1, was `0`"),
            (holdout(0.6, f64::NAN), "valid_fraction must be above 0 and below 1, was `NaN`"),
            (holdout(0.8, 0.2), both),
        ] {
            assert_eq!(folds(100, &scheme).expect_err(message).to_string(), message);
        }
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
