//! Trials by number, and a look at the file with another connection.

use std::path::Path;

use rusqlite::Connection;
use tidegate_ledger::{FILE_NAME, Ledger, MetricSetId, Origin, Source, TrialKey, TrialRecord};

pub(crate) const METRICS: [&str; 3] = ["sharpe_ratio", "cagr", "max_drawdown"];

/// Hashes in no order, as those of configs are.
pub(crate) fn key(number: u64) -> TrialKey {
    TrialKey { config_hash: (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15), data_hash: 0xfedc_ba98_7654_3210 }
}

pub(crate) fn trial(number: u64) -> TrialRecord {
    TrialRecord {
        key: key(number),
        seed: 7,
        values: format!("{{\"strategy.sma_cross.fast_bars\":{number}}}"),
        metrics: vec![number as f64 / 10.0, f64::NAN, -0.0],
        recorded_at_ns: 1_700_000_000_000_000_000 + number as i64,
        elapsed_ns: 12_000,
        failure: None,
    }
}

pub(crate) fn failed(number: u64) -> TrialRecord {
    TrialRecord {
        metrics: Vec::new(),
        failure: Some("`fast_bars` must be below `slow_bars`".to_owned()),
        ..trial(number)
    }
}

pub(crate) fn trials(numbers: std::ops::Range<u64>) -> Vec<TrialRecord> {
    numbers.map(trial).collect()
}

pub(crate) fn open(folder: &Path) -> (Ledger, MetricSetId) {
    let mut ledger = Ledger::open(folder).expect("a ledger");
    let metrics = ledger.metric_set(&METRICS).expect("three names");
    (ledger, metrics)
}

pub(crate) fn sweep(metrics: MetricSetId) -> Origin<'static> {
    Origin { source: Source::Sweep, build: "build a", metrics }
}

/// Returns one value of a query through a connection of its own.
pub(crate) fn query<T: rusqlite::types::FromSql>(folder: &Path, sql: &str) -> T {
    let connection = Connection::open(folder.join(FILE_NAME)).expect("a database");
    connection.query_row(sql, [], |row| row.get(0)).expect("one value")
}
