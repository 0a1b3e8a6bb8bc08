//! The ledger of earlier versions.

use std::fs;
use std::path::Path;

use tidegate_ledger::{Ledger, LedgerError, Source, TrialKey, TrialQuery};

use crate::fixture::{open, sweep, trial};

const LINES: &str = "{\"config_hash\":\"00000000000000aa\",\"data_hash\":\"00000000000000dd\",\"sharpe_ratio\":0.5}\n\
    {\"config_hash\":\"ffffffffffffffff\",\"data_hash\":\"00000000000000dd\",\"sharpe_ratio\":null}\n";

fn with_lines(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("trials.jsonl"), text).expect("writable");
    folder
}

fn count(folder: &Path) -> u64 {
    Ledger::open(folder).expect("a ledger").count().expect("readable")
}

#[test]
fn old_lines_are_taken_in_once_and_kept_beside() {
    let folder = with_lines(LINES);
    assert_eq!((count(folder.path()), count(folder.path())), (2, 2));
    assert!(!folder.path().join("trials.jsonl").exists());
    assert_eq!(fs::read_to_string(folder.path().join("trials.jsonl.imported")).expect("kept"), LINES);
    let ledger = Ledger::open(folder.path()).expect("a ledger");
    assert_eq!(ledger.sharpe_ratios().expect("readable"), [0.5]);
    let first = ledger.trials(&TrialQuery::default()).expect("readable").remove(0);
    assert_eq!((first.source, first.seed, first.recorded_at_ns), (Source::Imported, None, None));
    assert_eq!(first.key, TrialKey { config_hash: 0xaa, data_hash: 0xdd });
}

#[test]
fn lines_that_an_earlier_version_wrote_later_are_added() {
    let folder = with_lines(LINES);
    assert_eq!(count(folder.path()), 2);
    let more = LINES.replace("aa", "ab");
    fs::write(folder.path().join("trials.jsonl"), &more).expect("writable");
    assert_eq!(count(folder.path()), 3);
    assert_eq!(fs::read_to_string(folder.path().join("trials.jsonl.imported-2")).expect("kept"), more);
}

#[test]
fn a_torn_last_line_is_not_a_trial() {
    let folder = with_lines(&LINES[..LINES.len() - 9]);
    assert_eq!(count(folder.path()), 1);
}

#[test]
fn a_damaged_line_is_named_and_the_file_stays() {
    let folder = with_lines(&format!("{LINES}{{\"config_hash\"\n"));
    let error = Ledger::open(folder.path()).expect_err("damaged");
    assert!(matches!(error, LedgerError::Import { line: 3, .. }), "{error}");
    assert!(error.to_string().contains("trials.jsonl` is damaged: line 3"), "{error}");
    assert!(folder.path().join("trials.jsonl").exists());
}

#[test]
fn an_import_replaces_nothing_and_a_run_replaces_what_was_imported() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (mut ledger, metrics) = open(folder.path());
    let known = tidegate_ledger::TrialRecord {
        key: TrialKey { config_hash: 0xaa, data_hash: 0xdd },
        metrics: vec![2.0, 2.0, 2.0],
        ..trial(1)
    };
    ledger.record(&sweep(metrics), std::slice::from_ref(&known)).expect("written");
    fs::write(folder.path().join("trials.jsonl"), LINES).expect("writable");
    let mut ledger = Ledger::open(folder.path()).expect("a ledger");
    assert_eq!(ledger.sharpe_ratios().expect("readable"), [2.0]);
    let imported = TrialKey { config_hash: u64::MAX, data_hash: 0xdd };
    let again = tidegate_ledger::TrialRecord { key: imported, metrics: vec![3.0, 3.0, 3.0], ..trial(1) };
    let metrics = ledger.metric_set(&crate::fixture::METRICS).expect("three names");
    assert_eq!(ledger.record(&sweep(metrics), &[again]).expect("written").replaced, 1);
    assert_eq!(ledger.sharpe_ratios().expect("readable"), [2.0, 3.0]);
}
