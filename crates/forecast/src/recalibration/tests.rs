use proptest::prelude::*;

use super::*;
use crate::PredictiveShape;
use crate::fixture::{close, normals, series};

fn normal(mean: f64, variance: f64) -> Predictive {
    Predictive { mean, variance: Some(variance), epistemic_variance: None, shape: PredictiveShape::Normal }
}

/// Daily forecasts of 0 with variance 1, and labels that are known some days later.
struct Daily {
    made_at: Vec<Timestamp>,
    forecasts: Vec<Predictive>,
    labels: Vec<Option<KnownLabel>>,
}

impl Daily {
    fn new(labels: &[f64], days_until_known: i64) -> Self {
        let label =
            |(day, &value): (usize, &f64)| Some(KnownLabel { value, known_at: close(day as i64 + days_until_known) });
        Self {
            made_at: (0..labels.len() as i64).map(close).collect(),
            forecasts: vec![normal(0.0, 1.0); labels.len()],
            labels: labels.iter().enumerate().map(label).collect(),
        }
    }

    fn outcomes(&self) -> Outcomes<'_> {
        Outcomes { horizons: 1, made_at: &self.made_at, forecasts: &self.forecasts, labels: &self.labels }
    }
}

const ADAPTIVE: Recalibration =
    Recalibration::AdaptiveConformal { coverage: 0.75, score: ConformalScore::Absolute, step: 0.1, window: None };

fn uppers(found: &Recalibrated) -> Vec<f64> {
    found.intervals.iter().map(|interval| interval.expect("stated").upper).collect()
}

#[test]
fn every_horizon_has_a_factor_of_its_own() {
    // Two horizons: residuals 1 and 3 near, 2 and 4 far, of variance 1: factors (1 + 9) / 2 and (4 + 16) / 2.
    let day = close(0);
    let label = |value| Some(KnownLabel { value, known_at: day });
    let valid = Outcomes {
        horizons: 2,
        made_at: &[day, day],
        forecasts: &[normal(0.0, 1.0), normal(0.0, 1.0), normal(0.0, 1.0), normal(0.0, 1.0)],
        labels: &[label(1.0), label(2.0), label(-3.0), label(-4.0)],
    };
    let test = Outcomes {
        horizons: 2,
        made_at: &[close(5)],
        forecasts: &[normal(7.0, 2.0), normal(8.0, 3.0)],
        labels: &[None, None],
    };
    let found = Recalibration::VarianceScaling {}.apply(&valid, &test).expect("applies");
    assert_eq!(found.forecasts, [normal(7.0, 10.0), normal(8.0, 30.0)]);
    assert_eq!((found.variance_factors, found.intervals), (vec![5.0, 10.0], vec![]));
    let split = Recalibration::SplitConformal { coverage: 0.6, score: ConformalScore::Absolute };
    let found = split.apply(&valid, &test).expect("applies");
    // Rank ceil(3 * 0.6) = 2: the larger residual of each horizon.
    let interval = |lower, upper| Some(Interval { lower, upper });
    assert_eq!(found.intervals, [interval(4.0, 10.0), interval(4.0, 12.0)]);
    assert_eq!((&found.forecasts[..], found.variance_factors.len()), (test.forecasts, 0));
    assert_eq!(Recalibration::None {}.apply(&valid, &test).expect("applies").forecasts, test.forecasts);
}

#[test]
fn a_label_is_learned_when_it_is_known_and_not_before() {
    // Scores 1, 2, 3 at coverage 0.75: the upper end is 3 until the label 4 of day 0 is learned, then infinite (rank
    // ceil(5 * 0.825) = 5 of 4). It is known on day 1 or on day 3.
    let valid = Daily::new(&[1.0, 2.0, 3.0], 1);
    for (days_until_known, learned) in [(1, 1), (3, 3)] {
        let test = Daily::new(&[4.0, 0.0, 0.0, 0.0, 0.0], days_until_known);
        let found = uppers(&ADAPTIVE.apply(&valid.outcomes(), &test.outcomes()).expect("applies"));
        assert!(found[..learned].iter().all(|&upper| upper == 3.0), "{found:?}");
        assert_eq!(found[learned], f64::INFINITY);
    }
}

#[test]
fn forecasts_out_of_order_are_taken_in_the_order_of_time() {
    let valid = Daily::new(&[1.0, 2.0, 3.0], 1);
    let mut test = Daily::new(&[4.0, 0.5, 0.2, 5.0, 0.1, 2.2], 2);
    let forward = ADAPTIVE.apply(&valid.outcomes(), &test.outcomes()).expect("applies").intervals;
    test.made_at.reverse();
    test.labels.reverse();
    let mut backward = ADAPTIVE.apply(&valid.outcomes(), &test.outcomes()).expect("applies").intervals;
    backward.reverse();
    assert_eq!(backward, forward);
}

#[test]
fn a_label_is_known_at_the_close_of_the_last_bar_it_reads() {
    let one = series(0, &[0, 1, 5, 9], 1);
    let label = TargetLabel { value: 0.5, span_first_row: 1, span_last_row: 2 };
    assert_eq!(KnownLabel::new(&one, label), KnownLabel { value: 0.5, known_at: close(5) });
}

#[test]
fn a_forecaster_that_is_wrong_by_a_factor_is_set_right() {
    // Labels of deviation 3 under a stated variance of 1: the factor is 9 within its error 9 sqrt(2 / 2000) = 0.28.
    let labels: Vec<f64> = normals(31, 2000).iter().map(|normal| 3.0 * normal).collect();
    let valid = Daily::new(&labels, 1);
    let found = Recalibration::VarianceScaling {}.apply(&valid.outcomes(), &valid.outcomes()).expect("applies");
    assert!((found.variance_factors[0] - 9.0).abs() < 3.0 * 0.28, "{:?}", found.variance_factors);
}

#[test]
fn settings_are_read_by_name_and_checked() {
    let read = |text: &str| serde_json::from_str::<Recalibration>(text);
    assert_eq!(read(r#"{"variance_scaling": {}}"#).expect("valid"), Recalibration::VarianceScaling {});
    let adaptive = r#"{"adaptive_conformal": {"coverage": 0.75, "score": "absolute", "step": 0.1}}"#;
    assert_eq!(read(adaptive).expect("valid"), ADAPTIVE);
    assert!(read(r#"{"split_conformal": {"coverage": 0.9}}"#).is_err(), "the score has no default");
    assert!(read(r#"{"split_conformal": {"coverage": 0.9, "score": "absolute", "step": 1}}"#).is_err());
    let wide = Recalibration::SplitConformal { coverage: 1.5, score: ConformalScore::Standardised };
    assert_eq!(wide.validate().expect_err("refused").to_string(), "coverage must be in (0, 1), was `1.5`");
    assert_eq!(ADAPTIVE.validate(), Ok(()));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

    #[test]
    fn overwriting_labels_not_yet_known_changes_no_interval(
        labels in prop::collection::vec(-5.0..5.0_f64, 2..60),
        cut in 0_usize..60,
        days_until_known in 1_i64..6,
        noise in -100.0..100.0_f64,
    ) {
        let cut = cut.min(labels.len() - 1);
        let valid = Daily::new(&[1.0, 2.0, 3.0], 1);
        let before = Daily::new(&labels, days_until_known);
        let mut after = Daily::new(&labels, days_until_known);
        let now = after.made_at[cut];
        for label in after.labels.iter_mut().flatten().filter(|label| label.known_at > now) {
            label.value = noise;
        }
        let split = Recalibration::SplitConformal { coverage: 0.75, score: ConformalScore::Absolute };
        for recalibration in [ADAPTIVE, split, Recalibration::VarianceScaling {}] {
            let [before, after] = [&before, &after]
                .map(|test| recalibration.apply(&valid.outcomes(), &test.outcomes()).expect("applies"));
            let known = (cut + 1).min(before.intervals.len());
            prop_assert_eq!(&before.intervals[..known], &after.intervals[..known]);
            prop_assert_eq!(before.forecasts, after.forecasts);
        }
    }
}
