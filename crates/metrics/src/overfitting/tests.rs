//! Cross-validation against reference programs, and at its ends.

use super::*;
use crate::bootstrap::SplitMix64;
use crate::sample::{mean, ratio, standard_deviation};
use crate::vectors::{LUCK, OVERFITTING, assert_close, floats};

fn rows(trials: &[Vec<f64>]) -> Vec<&[f64]> {
    trials.iter().map(Vec::as_slice).collect()
}

fn sharpe_ratio(values: &[f64]) -> Option<f64> {
    ratio(mean(values)?, standard_deviation(values)?)
}

fn noise(periods: usize, trials: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut generator = SplitMix64::new(seed);
    (0..trials).map(|_| (0..periods).map(|_| (generator.unit() - 0.5) * 0.03).collect()).collect()
}

#[track_caller]
fn assert_all_close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).for_each(|(&found, &expected)| assert_close(Some(found), expected));
}

#[test]
fn every_split_equals_the_reference_program_ties_included() {
    let case = &LUCK["overfitting"];
    let trials: Vec<Vec<f64>> = case["trials"].as_array().expect("a list").iter().map(floats).collect();
    let number = |key: &str| case[key].as_f64().expect("a number");
    let fast = sharpe_overfitting(&rows(&trials), 8).expect("valid").expect("varies");
    let general = overfitting(&rows(&trials), 8, sharpe_ratio).expect("valid").expect("varies");
    for found in [fast, general] {
        assert_all_close(&found.logits, &floats(&case["logits"]));
        assert_all_close(&found.in_sample, &floats(&case["in_sample"]));
        let outside: Vec<f64> = found.out_of_sample.iter().map(|value| value.expect("varies")).collect();
        assert_all_close(&outside, &floats(&case["out_of_sample"]));
        let selected: Vec<f64> = found.selected.iter().map(|&trial| f64::from(trial)).collect();
        assert_eq!(selected, floats(&case["selected"]));
        assert_close(Some(found.probability), number("probability"));
        assert_close(Some(found.probability_of_loss), number("probability_of_loss"));
        let line = found.degradation.expect("varies");
        assert!((line.slope - number("slope")).abs() < 1e-8 && (line.intercept - number("intercept")).abs() < 1e-8);
        assert_eq!((found.splits, found.block_length), (70, 20));
    }
}

#[test]
fn a_case_of_twenty_trials_is_reproduced() {
    let case = &*OVERFITTING;
    let periods: Vec<Vec<f64>> = case["returns_rows"].as_array().expect("a list").iter().map(floats).collect();
    let trials: Vec<Vec<f64>> = (0..20).map(|trial| periods.iter().map(|returns| returns[trial]).collect()).collect();
    let found = sharpe_overfitting(&rows(&trials), 8).expect("valid").expect("varies");
    assert_all_close(&found.logits, &floats(&case["logits"]));
    assert_all_close(&found.in_sample, &floats(&case["is_sharpe"]));
    assert_close(Some(found.probability), 27.0 / 70.0);
    assert_close(Some(found.probability_of_loss), 26.0 / 70.0);
}

#[test]
fn a_trial_that_is_always_best_is_not_overfitted() {
    let mut trials = noise(160, 9, 3);
    trials[4].iter_mut().for_each(|value| *value += 0.02);
    let found = sharpe_overfitting(&rows(&trials), 16).expect("valid").expect("varies");
    assert_eq!((found.splits, found.probability, found.probability_of_loss), (12_870, 0.0, 0.0));
    assert!(found.selected.iter().all(|&trial| trial == 4));
    // Rank 9 of 9: w = 9 / 10.
    assert!(found.logits.iter().all(|&logit| (logit - 9.0_f64.ln()).abs() < 1e-12));
}

#[test]
fn trials_that_never_trade_are_ranked_last() {
    let mut trials = noise(40, 3, 8);
    trials.extend([vec![0.0; 40], vec![0.0; 40]]);
    let found = sharpe_overfitting(&rows(&trials), 4).expect("valid").expect("varies");
    assert!(found.selected.iter().all(|&trial| trial < 3));
    // The worst of the three that trade has rank 3 of 5.
    assert!(found.logits.iter().all(|&logit| logit >= 0.0));
    let idle = vec![vec![0.0; 40]; 3];
    assert_eq!(sharpe_overfitting(&rows(&idle), 4), Ok(None));
}

#[test]
fn the_oldest_periods_that_fill_no_block_are_left_out() {
    let trials = noise(43, 4, 5);
    let recent: Vec<Vec<f64>> = trials.iter().map(|trial| trial[3..].to_vec()).collect();
    let found = sharpe_overfitting(&rows(&trials), 4).expect("valid").expect("varies");
    assert_eq!(found, sharpe_overfitting(&rows(&recent), 4).expect("valid").expect("varies"));
    assert_eq!(found.block_length, 10);
}

#[test]
fn inputs_that_cannot_be_split_are_refused() {
    let check = |trials: &[Vec<f64>], blocks, message: &str| {
        let error = sharpe_overfitting(&rows(trials), blocks).expect_err(message).to_string();
        assert!(error.contains(message), "{error}");
    };
    check(&noise(40, 3, 1), 5, "blocks must be even and between 2 and 20, was `5`");
    check(&noise(40, 3, 1), 22, "was `22`");
    check(&noise(40, 1, 1), 4, "the trials of a cross-validation must be at least 2, was `1`");
    check(&noise(7, 3, 1), 4, "at least 2 for each block, was `7`");
    check(&[vec![0.0; 8], vec![0.0; 9]], 4, "a trial must have `8` rows, has `9`");
    check(&[vec![0.0; 8], vec![f64::NAN; 8]], 4, "a return must be finite");
}
