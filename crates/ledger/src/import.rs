//! The ledger of earlier versions, a file of JSON lines, taken in once.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::{Ledger, LedgerError, Origin, Source, TrialKey, TrialRecord};

/// The name of the file of lines.
const LINES: &str = "trials.jsonl";

/// Trials in one transaction, so that a long file is not held twice in memory.
const BATCH: usize = 4_096;

#[derive(Deserialize)]
struct Line {
    config_hash: String,
    data_hash: String,
    sharpe_ratio: Option<f64>,
}

/// Records what the file of lines holds, and renames it. Killed in between, it is read again and counts nothing twice.
///
/// A last line without its end was torn by a crash and is not a trial.
pub(crate) fn old_lines(ledger: &mut Ledger, folder: &Path) -> Result<(), LedgerError> {
    let path = folder.join(LINES);
    let failed = |action: &'static str| {
        let path = path.clone();
        move |source| LedgerError::File { action, path, source }
    };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed("read the older trial ledger")(error)),
    };
    let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
    let trials = whole
        .lines()
        .enumerate()
        .map(|(index, line)| {
            record(line).map_err(|reason| LedgerError::Import { path: path.clone(), line: index + 1, reason })
        })
        .collect::<Result<Vec<TrialRecord>, LedgerError>>()?;
    let metrics = ledger.metric_set(&["sharpe_ratio"])?;
    for batch in trials.chunks(BATCH) {
        ledger.record(&Origin { source: Source::Imported, build: "", metrics }, batch)?;
    }
    match std::fs::rename(&path, free_name(folder)) {
        // Another process that imported the same lines was faster.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        renamed => renamed.map_err(failed("rename the imported")),
    }
}

fn record(line: &str) -> Result<TrialRecord, String> {
    let Line { config_hash, data_hash, sharpe_ratio } =
        serde_json::from_str(line).map_err(|error| error.to_string())?;
    let key = TrialKey::from_hex(&config_hash, &data_hash)
        .ok_or_else(|| format!("hashes must be 16 hexadecimal digits, were `{config_hash}` and `{data_hash}`"))?;
    Ok(TrialRecord {
        key,
        seed: 0,
        values: String::new(),
        metrics: vec![sharpe_ratio.unwrap_or(f64::NAN)],
        recorded_at_ns: 0,
        elapsed_ns: 0,
        failure: None,
    })
}

/// A name beside the file that nothing has, since an earlier version may go on writing the old one.
fn free_name(folder: &Path) -> PathBuf {
    let names = (1..).map(|round| match round {
        1 => folder.join(format!("{LINES}.imported")),
        round => folder.join(format!("{LINES}.imported-{round}")),
    });
    names.into_iter().find(|path| !path.exists()).expect("numbers do not end")
}
