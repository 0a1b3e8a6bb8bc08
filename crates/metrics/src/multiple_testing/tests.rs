//! Adjusted p-values against reference programs, and by hand.

use super::*;
use crate::vectors::{LUCK, assert_close, floats};
use crate::{Resamples, SnoopingTest, StudentizedTrial};

type Adjustment = fn(&[f64]) -> Result<Vec<f64>, MetricsError>;

const ADJUSTMENTS: [(&str, Adjustment); 4] = [
    ("bonferroni", bonferroni),
    ("holm", holm),
    ("benjamini_hochberg", benjamini_hochberg),
    ("benjamini_yekutieli", benjamini_yekutieli),
];

#[test]
fn they_equal_the_reference_program() {
    let case = &LUCK["multiple_testing"];
    for (name, adjust) in ADJUSTMENTS {
        let found = adjust(&floats(&case["p_values"])).expect("p-values");
        for (found, expected) in found.into_iter().zip(floats(&case[name])) {
            assert_close(Some(found), expected);
        }
    }
}

#[test]
fn three_tests_by_hand() {
    // 0.01, 0.02, 0.2. Holm: 3 * 0.01, 2 * 0.02, 0.2. Benjamini-Hochberg: 3 * 0.01, 3 * 0.02 / 2, 0.2; Yekutieli times 11/6.
    let check = |adjust: Adjustment, expected: [f64; 3]| {
        let found = adjust(&[0.2, 0.01, 0.02]).expect("p-values");
        found.into_iter().zip(expected).for_each(|(found, expected)| assert_close(Some(found), expected));
    };
    check(bonferroni, [0.6, 0.03, 0.06]);
    check(holm, [0.2, 0.03, 0.04]);
    check(benjamini_hochberg, [0.2, 0.03, 0.03]);
    check(benjamini_yekutieli, [0.2 * 11.0 / 6.0, 0.055, 0.055]);
}

#[test]
fn what_is_no_p_value_is_refused_and_no_tests_have_none() {
    for (_, adjust) in ADJUSTMENTS {
        let error = adjust(&[0.5, 1.5]).expect_err("above 1").to_string();
        assert_eq!(error, "a p-value must be in [0, 1], was `1.5` at row `1`");
        assert!(adjust(&[f64::NAN]).is_err());
        assert_eq!(adjust(&[]), Ok(Vec::new()));
    }
}

#[test]
fn romano_and_wolf_equal_the_reference_program_on_its_resamples() {
    let case = &LUCK["snooping"];
    let trials: Vec<Vec<f64>> = case["differentials"].as_array().expect("a list").iter().map(floats).collect();
    let periods = floats(&case["periods"]).iter().map(|&period| period as u32).collect();
    let length = case["mean_block_length"].as_f64().expect("a number");
    let test = SnoopingTest::new(&Resamples::from_periods(trials[0].len(), length, periods));
    let rows: Vec<&[f64]> = trials.iter().map(Vec::as_slice).collect();
    let studentized = test.studentized(&rows).expect("valid");
    let studentized: Vec<&StudentizedTrial> = studentized.iter().flatten().collect();
    let found = romano_wolf(&studentized).expect("as many resamples each");
    for (found, expected) in found.into_iter().zip(floats(&case["romano_wolf"])) {
        assert_close(Some(found), expected);
    }
}

#[test]
fn romano_and_wolf_know_that_a_copy_is_no_second_test() {
    let trial = StudentizedTrial { statistic: 2.0, under_null: vec![-1.0, 0.5, 1.0, 3.0] };
    // One of four resamples reaches 2: (1 + 1) / (1 + 4), for one trial and for three copies.
    assert_eq!(romano_wolf(&[&trial]), Ok(vec![0.4]));
    assert_eq!(romano_wolf(&[&trial, &trial, &trial]), Ok(vec![0.4; 3]));
    let short = StudentizedTrial { statistic: 2.0, under_null: vec![0.0] };
    let error = romano_wolf(&[&trial, &short]).expect_err("fewer").to_string();
    assert_eq!(error, "the resamples of a trial must have `4` rows, has `1`");
}
