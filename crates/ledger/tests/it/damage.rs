//! Files that are not as they were left: each is refused by name with the next step, and stays as it is.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use tidegate_ledger::{FILE_NAME, Ledger, LedgerError};

use crate::fixture::{open, sweep, trials};

/// A folder with a ledger of 2,000 trials, closed.
fn study() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (mut ledger, metrics) = open(folder.path());
    ledger.record(&sweep(metrics), &trials(0..2_000)).expect("written");
    folder
}

/// Opens a file with this content and expects it to be refused and untouched.
fn refused(folder: &Path, bytes: &[u8]) -> LedgerError {
    let path = folder.join(FILE_NAME);
    fs::write(&path, bytes).expect("writable");
    let error = Ledger::open(folder).expect_err("refused");
    let text = error.to_string();
    assert!(text.contains(&format!("`{}`", path.display())) && text.contains("\nhint: "), "{text}");
    assert!(text.contains("nothing was written to it"), "{text}");
    assert!(Ledger::open_read_only(&path).is_err());
    assert_eq!(fs::read(&path).expect("readable"), bytes, "the file was changed");
    error
}

#[test]
fn overwritten_bytes_are_found_before_anything_is_written() {
    let folder = study();
    let whole = fs::read(folder.path().join(FILE_NAME)).expect("readable");
    let pages = whole.len() / 16_384;
    assert!(pages > 15, "only {pages} pages");
    for page in [4, 10, pages / 2, pages - 1] {
        let mut bytes = whole.clone();
        bytes[page * 16_384..page * 16_384 + 512].fill(0x5a);
        let error = refused(folder.path(), &bytes);
        assert!(matches!(error, LedgerError::Damaged { .. }), "page {page}: {error}");
    }
}

#[test]
fn a_single_changed_number_is_found() {
    let folder = study();
    let whole = fs::read(folder.path().join(FILE_NAME)).expect("readable");
    // The Sharpe ratio of the row 1,235.
    let number = 123.4_f64.to_be_bytes();
    let places: Vec<usize> = (0..whole.len() - 8).filter(|&place| whole[place..place + 8] == number).collect();
    let [place] = places[..] else { panic!("{} places", places.len()) };
    let mut bytes = whole;
    bytes[place + 7] ^= 1;
    let error = refused(folder.path(), &bytes).to_string();
    assert!(error.contains("is damaged: trial 1235 is not as it was written"), "{error}");
}

#[test]
fn a_truncated_file_is_damaged() {
    let folder = study();
    let whole = fs::read(folder.path().join(FILE_NAME)).expect("readable");
    for length in [100, 5_000, whole.len() / 2, whole.len() - 1] {
        let error = refused(folder.path(), &whole[..length]);
        assert!(matches!(error, LedgerError::Damaged { .. } | LedgerError::NotALedger { .. }), "{length}: {error}");
    }
}

#[test]
fn an_overwritten_start_and_a_file_of_another_kind_are_not_a_ledger() {
    let folder = study();
    let mut bytes = fs::read(folder.path().join(FILE_NAME)).expect("readable");
    bytes[..64].fill(0);
    for bytes in [&bytes[..], b"config_hash,sharpe_ratio\n", b"SQL"] {
        let error = refused(folder.path(), bytes);
        assert!(matches!(error, LedgerError::NotALedger { .. }), "{error}");
    }
}

#[test]
fn a_database_of_another_program_and_a_newer_ledger_are_left_alone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join(FILE_NAME);
    Connection::open(&path).and_then(|other| other.execute_batch("CREATE TABLE notes (text)")).expect("a database");
    let error = refused(folder.path(), &fs::read(&path).expect("readable"));
    assert!(matches!(error, LedgerError::NotALedger { .. }), "{error}");
    let folder = study();
    let path = folder.path().join(FILE_NAME);
    Connection::open(&path).and_then(|newer| newer.pragma_update(None, "user_version", 2)).expect("a database");
    let error = refused(folder.path(), &fs::read(&path).expect("readable"));
    assert!(matches!(error, LedgerError::Newer { found: 2, known: 1, .. }), "{error}");
}

#[test]
fn a_folder_in_the_place_of_the_file_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir(folder.path().join(FILE_NAME)).expect("writable");
    let error = Ledger::open(folder.path()).expect_err("a folder").to_string();
    assert!(error.contains("is not a trial ledger: it is a folder"), "{error}");
}

#[test]
fn an_empty_file_beside_a_log_with_trials_is_not_started_anew() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (mut ledger, metrics) = open(folder.path());
    ledger.record(&sweep(metrics), &trials(0..10)).expect("written");
    let log = fs::read(folder.path().join("trials.sqlite-wal")).expect("the log of an open ledger");
    let copy = tempfile::tempdir().expect("a temporary folder");
    fs::write(copy.path().join("trials.sqlite-wal"), &log).expect("writable");
    for empty_file in [false, true] {
        if empty_file {
            fs::write(copy.path().join(FILE_NAME), b"").expect("writable");
        }
        let error = Ledger::open(copy.path()).expect_err("half a ledger");
        assert!(matches!(error, LedgerError::Damaged { .. }), "{error}");
        assert_eq!(fs::read(copy.path().join("trials.sqlite-wal")).expect("kept"), log);
    }
}

#[test]
fn an_empty_file_alone_becomes_a_ledger() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join(FILE_NAME), b"").expect("writable");
    let (mut ledger, metrics) = open(folder.path());
    assert_eq!(ledger.record(&sweep(metrics), &trials(0..3)).expect("written").new, 3);
}
