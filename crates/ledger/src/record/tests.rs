//! A disk that is full at any moment, by a limit on the file's pages.

use crate::{Ledger, LedgerError, Origin, Source, TrialKey, TrialRecord};

fn trials(numbers: std::ops::Range<u64>) -> Vec<TrialRecord> {
    let trial = |number: u64| TrialRecord {
        key: TrialKey { config_hash: number.wrapping_mul(0x9e37_79b9_7f4a_7c15), data_hash: 1 },
        seed: 7,
        values: String::new(),
        metrics: vec![number as f64, 0.5],
        recorded_at_ns: 1,
        elapsed_ns: 2,
        failure: None,
    };
    numbers.map(trial).collect()
}

#[test]
fn a_full_disk_keeps_every_batch_before_and_takes_the_same_batch_once_there_is_room() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut ledger = Ledger::open(folder.path()).expect("a new ledger");
    let metrics = ledger.metric_set(&["sharpe_ratio", "cagr"]).expect("two names");
    let origin = Origin { source: Source::Sweep, build: "a", metrics };
    ledger.record(&origin, &trials(0..1_000)).expect("room");
    let pages: i64 = ledger.connection.query_row("PRAGMA page_count", [], |row| row.get(0)).expect("a number");
    for room in 0..4 {
        ledger.connection.pragma_update(None, "max_page_count", pages + room).expect("a limit");
        let error = ledger.record(&origin, &trials(900..3_000)).expect_err("no room");
        assert!(matches!(error, LedgerError::Full { .. }), "{error}");
        let text = error.to_string();
        assert!(
            text.contains("trials.sqlite`: the disk is full; every trial recorded before is kept\nhint: free"),
            "{text}"
        );
        assert_eq!(ledger.count().expect("readable"), 1_000);
    }
    ledger.connection.pragma_update(None, "max_page_count", 1_000_000).expect("a limit");
    let recorded = ledger.record(&origin, &trials(900..3_000)).expect("room");
    assert_eq!((recorded.new, recorded.known, recorded.replaced), (2_000, 100, 0));
    assert_eq!(ledger.count().expect("readable"), 3_000);
}
