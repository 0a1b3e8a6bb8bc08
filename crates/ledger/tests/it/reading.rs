//! What comes out again, through the interface and through plain SQL.

use tidegate_ledger::{FILE_NAME, Ledger, LedgerError, Order, Origin, Source, StoredTrial, TrialQuery, TrialRecord};

use crate::fixture::{METRICS, failed, key, open, query, sweep, trial, trials};

#[test]
fn a_result_is_found_with_the_same_bits_and_only_for_its_build() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (mut ledger, metrics) = open(folder.path());
    ledger.record(&sweep(metrics), &[trial(1), failed(2)]).expect("written");
    let found = ledger.find(&[key(1), key(2), key(3)], "build a", metrics).expect("readable");
    let result = found[0].as_ref().expect("recorded");
    assert_eq!(result.metrics[0].to_bits(), 0.1_f64.to_bits());
    assert!(result.metrics[1].is_nan());
    assert_eq!(result.metrics[2].to_bits(), (-0.0_f64).to_bits());
    let failure = found[1].as_ref().expect("recorded");
    assert_eq!(failure.failure.as_deref(), Some("`fast_bars` must be below `slow_bars`"));
    assert_eq!(found[2], None);
    assert_eq!(ledger.find(&[key(1)], "build b", metrics).expect("readable"), [None]);
}

#[test]
fn a_result_without_all_metrics_asked_for_is_not_found() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (mut ledger, metrics) = open(folder.path());
    ledger.record(&sweep(metrics), &[trial(1)]).expect("written");
    let more = ledger.metric_set(&["sharpe_ratio", "sortino_ratio"]).expect("two names");
    assert_eq!(ledger.find(&[key(1)], "build a", more).expect("readable"), [None]);
}

#[test]
fn trials_are_ordered_by_a_metric_with_undefined_ones_last() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (mut ledger, metrics) = open(folder.path());
    ledger.record(&sweep(metrics), &[trial(3), failed(9), trial(5), trial(4)]).expect("written");
    let numbers = |order: Order, limit| {
        let query = TrialQuery { metrics: vec!["sharpe_ratio".to_owned()], order, limit };
        let trials = ledger.trials(&query).expect("readable");
        trials.into_iter().map(|trial| trial.metrics[0]).collect::<Vec<_>>()
    };
    let ratio = "sharpe_ratio".to_owned();
    assert_eq!(numbers(Order::Largest(ratio.clone()), None), [Some(0.5), Some(0.4), Some(0.3), None]);
    assert_eq!(numbers(Order::Smallest(ratio), Some(2)), [Some(0.3), Some(0.4)]);
    assert_eq!(numbers(Order::Number, None), [Some(0.3), None, Some(0.5), Some(0.4)]);
}

#[test]
fn a_trial_comes_back_with_everything_that_was_recorded() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (mut ledger, metrics) = open(folder.path());
    ledger.record(&sweep(metrics), &[trial(3)]).expect("written");
    let wanted = TrialQuery { metrics: METRICS.map(str::to_owned).to_vec(), ..TrialQuery::default() };
    let expected = StoredTrial {
        number: 1,
        key: key(3),
        seed: Some(7),
        source: Source::Sweep,
        build: "build a".to_owned(),
        recorded_at_ns: Some(1_700_000_000_000_000_003),
        elapsed_ns: Some(12_000),
        failure: None,
        values: "{\"strategy.sma_cross.fast_bars\":3}".to_owned(),
        metrics: vec![Some(0.3), None, Some(-0.0)],
    };
    drop(ledger);
    let ledger = Ledger::open_read_only(&folder.path().join(FILE_NAME)).expect("a ledger");
    assert_eq!(ledger.trials(&wanted).expect("readable"), [expected]);
    assert_eq!(ledger.last_recorded_at_ns().expect("readable"), Some(1_700_000_000_000_000_003));
}

#[test]
fn an_unknown_metric_is_answered_with_the_known_ones() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (ledger, _) = open(folder.path());
    let query = TrialQuery { order: Order::Largest("sharp_ratio".to_owned()), ..TrialQuery::default() };
    let error = ledger.trials(&query).expect_err("unknown").to_string();
    assert!(error.ends_with("hint: it has sharpe_ratio, cagr, max_drawdown"), "{error}");
}

#[test]
fn the_view_is_read_with_plain_sql() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (mut ledger, metrics) = open(folder.path());
    ledger.record(&sweep(metrics), &trials(0..3)).expect("written");
    ledger.metric_set(&["forecast.crps"]).expect("a name");
    let text: String = query(
        folder.path(),
        "SELECT config_hash || ' ' || data_hash || ' ' || build || ' ' || recorded_at || ' ' || sharpe_ratio || ' '
         || json_extract(swept, '$.\"strategy.sma_cross.fast_bars\"') || ' ' || ifnull(\"forecast.crps\", 'none')
         FROM trials ORDER BY sharpe_ratio DESC",
    );
    // 3 times 0x9e3779b97f4a7c15, modulo 2^64; 1,700,000,000 s after 1970 is 2023-11-14T22:13:20Z.
    assert_eq!(text, "daa66d2c7ddf743f fedcba9876543210 build a 2023-11-14T22:13:20Z 0.2 2 none");
}

#[test]
fn a_ledger_that_is_not_there_is_not_made_by_a_reader() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join(FILE_NAME);
    let error = Ledger::open_read_only(&path).expect_err("nothing there");
    assert!(matches!(error, LedgerError::Missing { .. }), "{error}");
    assert!(!path.exists());
}

#[test]
fn rows_of_sets_in_any_order_and_of_later_columns_are_whole_when_the_ledger_is_opened_again() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let sets: [&[&str]; 4] =
        [&["cagr"], &["sharpe_ratio", "cagr"], &["cagr", "sharpe_ratio"], &["trades", "cagr", "beta"]];
    for (round, names) in (0_u64..).zip(sets) {
        let mut ledger = Ledger::open(folder.path()).expect("whole rows");
        let metrics = ledger.metric_set(names).expect("names");
        let values: Vec<f64> = (0..names.len()).map(|place| place as f64 + 0.25).collect();
        // A new trial, and the first one again, of which a wider set replaces the result.
        let batch = [10 + round, 1].map(|number| TrialRecord { metrics: values.clone(), ..trial(number) });
        ledger.record(&sweep(metrics), &batch).expect("written");
        let found = ledger.find(&[key(10 + round)], "build a", metrics).expect("readable").remove(0).expect("recorded");
        assert_eq!(found.metrics, values);
        let build = Origin { build: "build b", source: Source::Run, metrics };
        let unswept = TrialRecord { values: String::new(), metrics: values, ..trial(10 + round) };
        assert_eq!(ledger.record(&build, &[unswept]).expect("written").replaced, 1);
    }
    let ledger = Ledger::open(folder.path()).expect("whole rows");
    let trials = ledger.trials(&TrialQuery::default()).expect("readable");
    assert_eq!(trials.len(), 5);
    assert!(trials.iter().all(|trial| trial.values.starts_with("{\"strategy")), "the values of swept keys stay");
}
