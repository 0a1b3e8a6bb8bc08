//! What counts as a trial, and which result of it stays.

use tidegate_ledger::{LedgerError, Origin, Recorded, Source, TrialKey, TrialRecord};

use crate::fixture::{METRICS, failed, key, open, sweep, trial, trials};

#[test]
fn the_same_trial_counts_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (mut ledger, metrics) = open(folder.path());
    let twice = [trial(1), trial(2), trial(1)];
    let recorded = ledger.record(&sweep(metrics), &twice).expect("written");
    assert_eq!(recorded, Recorded { new: 2, known: 1, replaced: 0 });
    let recorded = ledger.record(&sweep(metrics), &[trial(2), trial(3)]).expect("written");
    assert_eq!(recorded, Recorded { new: 1, known: 1, replaced: 0 });
    assert_eq!(ledger.count().expect("readable"), 3);
}

#[test]
fn the_same_config_on_other_data_is_another_trial() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (mut ledger, metrics) = open(folder.path());
    let other = TrialRecord { key: TrialKey { data_hash: 1, ..key(1) }, ..trial(1) };
    assert_eq!(ledger.record(&sweep(metrics), &[trial(1), other]).expect("written").new, 2);
}

#[test]
fn a_second_evaluation_by_the_same_build_keeps_the_first_result_and_another_build_replaces_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (mut ledger, metrics) = open(folder.path());
    ledger.record(&sweep(metrics), &[trial(1)]).expect("written");
    let changed = TrialRecord { metrics: vec![9.0, 9.0, 9.0], ..trial(1) };
    let recorded = ledger.record(&sweep(metrics), std::slice::from_ref(&changed)).expect("written");
    assert_eq!(recorded, Recorded { new: 0, known: 1, replaced: 0 });
    assert_eq!(ledger.sharpe_ratios().expect("readable"), [0.1]);
    let other_build = Origin { build: "build b", ..sweep(metrics) };
    let recorded = ledger.record(&other_build, &[changed]).expect("written");
    assert_eq!(recorded, Recorded { new: 0, known: 1, replaced: 1 });
    assert_eq!(ledger.sharpe_ratios().expect("readable"), [9.0]);
    assert_eq!(ledger.count().expect("readable"), 1);
}

#[test]
fn a_failure_does_not_count_and_gives_way_to_a_result_but_never_the_other_way() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (mut ledger, metrics) = open(folder.path());
    ledger.record(&sweep(metrics), &[failed(1), trial(2)]).expect("written");
    assert_eq!((ledger.count().expect("readable"), ledger.failed().expect("readable")), (1, 1));
    assert_eq!(ledger.record(&sweep(metrics), &[trial(1)]).expect("written").replaced, 1);
    let other_build = Origin { build: "build b", ..sweep(metrics) };
    assert_eq!(ledger.record(&other_build, &[failed(2)]).expect("written").replaced, 0);
    assert_eq!((ledger.count().expect("readable"), ledger.failed().expect("readable")), (2, 0));
}

#[test]
fn the_result_with_more_metrics_stays() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (mut ledger, wide) = open(folder.path());
    let narrow = ledger.metric_set(&["cagr"]).expect("a name");
    let short = TrialRecord { metrics: vec![0.25], values: String::new(), ..trial(1) };
    ledger.record(&Origin { source: Source::Run, ..sweep(narrow) }, std::slice::from_ref(&short)).expect("written");
    assert_eq!(ledger.record(&sweep(wide), &[trial(1)]).expect("written").replaced, 1);
    assert_eq!(ledger.record(&sweep(narrow), &[short]).expect("written").replaced, 0);
    let found = ledger.find(&[key(1)], "build a", narrow).expect("readable").remove(0).expect("found");
    assert!(found.metrics[0].is_nan(), "the wide result has an undefined growth rate");
}

#[test]
fn a_batch_with_a_wrong_number_of_metrics_is_refused_whole() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (mut ledger, metrics) = open(folder.path());
    let short = TrialRecord { metrics: vec![1.0], ..trial(2) };
    let error = ledger.record(&sweep(metrics), &[trial(1), short]).expect_err("one of three").to_string();
    assert_eq!(error, "a trial must have the 3 metrics of its set, or none and a failure; had 1");
    assert_eq!(ledger.count().expect("readable"), 0);
}

#[test]
fn a_metric_set_keeps_its_number_and_names_that_cannot_be_columns_are_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (mut ledger, metrics) = open(folder.path());
    assert_eq!(ledger.metric_set(&METRICS).expect("known"), metrics);
    assert_ne!(ledger.metric_set(&["cagr", "sharpe_ratio", "max_drawdown"]).expect("another order"), metrics);
    for names in [&["a", "a"][..], &["Sharpe"], &[""], &["seed"], &["recorded_at"], &["x\"; DROP TABLE trial"]] {
        let error = ledger.metric_set(names).expect_err("not a column");
        assert!(matches!(error, LedgerError::MetricName { .. }), "{names:?}: {error}");
    }
    assert_eq!(ledger.metric_names().expect("readable"), METRICS);
}

#[test]
fn sharpe_ratios_come_in_an_order_that_does_not_depend_on_who_wrote_first() {
    let folders = [tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder")];
    let ratios = folders.each_ref().map(|folder| {
        let (mut ledger, metrics) = open(folder.path());
        let mut batch = trials(0..100);
        if folder.path() == folders[1].path() {
            batch.reverse();
        }
        ledger.record(&sweep(metrics), &batch).expect("written");
        ledger.sharpe_ratios().expect("readable")
    });
    assert_eq!(ratios[0], ratios[1]);
    assert_eq!(ratios[0].len(), 100);
}
