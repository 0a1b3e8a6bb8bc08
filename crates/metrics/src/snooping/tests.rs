//! The reality check and Hansen's test against a reference program, a planted winner, and themselves in parts.

use super::*;
use crate::bootstrap::SplitMix64;
use crate::vectors::{LUCK, assert_close, floats};
use crate::{BootstrapSettings, Resamples};

/// Trials of uniform noise of a standard deviation of 0.01, each with its mean.
fn noise(periods: usize, means: &[f64]) -> Vec<Vec<f64>> {
    let mut generator = SplitMix64::new(99);
    let mut draw = |mean: f64| mean + (generator.unit() - 0.5) * 0.01 * 12.0_f64.sqrt();
    means.iter().map(|&mean| (0..periods).map(|_| draw(mean)).collect()).collect()
}

fn rows(trials: &[Vec<f64>]) -> Vec<&[f64]> {
    trials.iter().map(Vec::as_slice).collect()
}

fn test(periods: usize) -> SnoopingTest {
    let settings = BootstrapSettings { resamples: 999, mean_block_length: 3.0, seed: 4 };
    SnoopingTest::new(&Resamples::new(periods, settings).expect("valid settings"))
}

#[test]
fn both_tests_equal_the_reference_program_on_its_resamples() {
    let case = &LUCK["snooping"];
    let number = |key: &str| case[key].as_f64().expect("a number");
    let trials: Vec<Vec<f64>> = case["differentials"].as_array().expect("a list").iter().map(floats).collect();
    let periods = floats(&case["periods"]).iter().map(|&period| period as u32).collect();
    let resamples = Resamples::from_periods(trials[0].len(), number("mean_block_length"), periods);
    let found = SnoopingTest::new(&resamples).maxima(0, &rows(&trials)).expect("valid").outcome().expect("trials");
    let superior = found.superior_predictive_ability;
    // The program gives the share c / B of resamples that reach the statistic.
    let reached = |p_value: f64| (p_value * (resamples.count() + 1) as f64 - 1.0) / resamples.count() as f64;
    assert_close(Some(found.reality_check.statistic), number("reality_check_statistic"));
    assert_close(Some(reached(found.reality_check.p_value)), number("reality_check"));
    assert_close(Some(superior.statistic), number("spa_statistic"));
    assert_close(Some(reached(superior.p_value_lower)), number("spa_lower"));
    assert_close(Some(reached(superior.p_value_consistent)), number("spa_consistent"));
    assert_close(Some(reached(superior.p_value_upper)), number("spa_upper"));
    assert_eq!(superior.best_trial, number("spa_best") as u64);
}

#[test]
fn a_winner_of_thirteen_standard_errors_is_found_among_noisy_losers() {
    // A quiet trial with a mean of 13.6 standard errors beside trials of a hundred times its spread: only what is studentized can
    // tell. 0.0136 / (0.01 / sqrt(100)) = 13.6.
    let mut trials = noise(100, &[0.0; 20]);
    trials.iter_mut().flatten().for_each(|value| *value *= 100.0);
    trials.push(noise(100, &[0.0136]).remove(0));
    let found = test(100).maxima(0, &rows(&trials)).expect("valid").outcome().expect("trials");
    let superior = found.superior_predictive_ability;
    assert_eq!(superior.best_trial, 20);
    assert!(superior.statistic > 10.0, "{superior:?}");
    // None of 999 resamples.
    assert_eq!((superior.p_value_consistent, superior.p_value_upper), (0.001, 0.001));
    assert!(found.reality_check.p_value > 0.05, "{found:?}");
}

#[test]
fn poor_trials_weaken_the_reality_check_but_not_the_consistent_p_value() {
    let mut means = vec![-0.01; 200];
    means[7] = 0.003;
    let found = test(100).maxima(0, &rows(&noise(100, &means))).expect("valid").outcome().expect("trials");
    let superior = found.superior_predictive_ability;
    assert!(superior.p_value_consistent < 0.01 && superior.p_value_upper > 0.05, "{superior:?}");
    assert!(superior.p_value_lower <= superior.p_value_consistent);
    assert_eq!((superior.best_trial, found.reality_check_best_trial), (7, 7));
}

#[test]
fn parts_in_any_order_give_the_same_bits() {
    let trials = noise(60, &[0.0; 150]);
    let (test, rows) = (test(60), rows(&trials));
    let whole = test.maxima(0, &rows).expect("valid");
    let mut parts = test.maxima(83, &rows[83..]).expect("valid");
    parts.merge(&test.maxima(1, &rows[1..83]).expect("valid")).expect("the same resamples");
    parts.merge(&test.maxima(0, &rows[..1]).expect("valid")).expect("the same resamples");
    assert_eq!(parts, whole);
}

#[test]
fn trials_that_never_differ_are_counted_and_left_out() {
    let mut trials = noise(60, &[0.0; 3]);
    trials.push(vec![0.0; 60]);
    let found = test(60).maxima(0, &rows(&trials)).expect("valid").outcome().expect("trials");
    assert_eq!((found.trials, found.constant_trials), (3, 1));
    assert_eq!(test(60).maxima(0, &[&[0.0; 60][..]]).expect("valid").outcome(), None);
    assert_eq!(test(60).studentized(&[&[0.0; 60][..]]), Ok(vec![None]));
}

#[test]
fn other_lengths_values_and_resamples_are_refused() {
    let error = test(60).maxima(0, &[&[0.0; 59][..]]).expect_err("short").to_string();
    assert_eq!(error, "a trial must have `60` rows, has `59`");
    assert!(test(60).maxima(0, &[&[f64::NAN; 60][..]]).is_err());
    let mut maxima = test(60).maxima(0, &[]).expect("valid");
    let error = maxima.merge(&test(61).maxima(0, &[]).expect("valid")).expect_err("other periods").to_string();
    assert_eq!(error, "maxima can be merged only when they come from the same resamples");
}
