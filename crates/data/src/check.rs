//! One symbol's rows against the rules of bars.

use std::path::PathBuf;

use tidegate_market::{BarColumns, Timestamp};

use crate::adjust::adjust;
use crate::error::time_text;
use crate::rows::{Origin, SeriesRows};
use crate::{Adjustment, OffenceGroup, OffenceKind, OffencePolicy, OffenceRow, Policy};

/// The offences of all symbols so far, and what is needed to describe one.
pub(crate) struct Findings<'a> {
    files: &'a [PathBuf],
    policy: OffencePolicy,
    groups: [OffenceGroup; 7],
}

impl<'a> Findings<'a> {
    pub(crate) fn new(files: &'a [PathBuf], policy: OffencePolicy) -> Self {
        let groups =
            OffenceKind::ALL.map(|kind| OffenceGroup { kind, policy: policy.of(kind), count: 0, first: Vec::new() });
        Self { files, policy, groups }
    }

    /// Returns the groups that have a row.
    pub(crate) fn into_groups(self) -> Vec<OffenceGroup> {
        self.groups.into_iter().filter(|group| group.count > 0).collect()
    }

    /// Returns the file that a row stands in.
    pub(crate) fn file(&self, origin: Origin) -> PathBuf {
        self.files[origin.file as usize].clone()
    }

    fn add(
        &mut self,
        kind: OffenceKind,
        symbol: &str,
        origin: Origin,
        time: Option<i64>,
        value: impl FnOnce() -> String,
    ) {
        let file = self.file(origin);
        let group = &mut self.groups[kind as usize];
        group.count += 1;
        if group.first.len() < OffenceGroup::FIRST_ROWS {
            let time = time.map(Timestamp::from_nanos);
            let symbol = symbol.to_owned();
            group.first.push(OffenceRow { file, line: origin.line as usize, symbol, time, value: value() });
        }
    }
}

/// Returns the rows that break no rule as sorted, adjusted columns, and notes the others.
///
/// Rows that are out of order stay for the next check, sorted into place, unless the policy drops them.
pub(crate) fn check(symbol: &str, rows: SeriesRows, adjustment: Adjustment, findings: &mut Findings<'_>) -> BarColumns {
    let mut kept: Vec<usize> = Vec::with_capacity(rows.time.len());
    for row in 0..rows.time.len() {
        match broken_value(&rows, row, adjustment) {
            Some((kind, value)) => findings.add(kind, symbol, rows.origin[row], rows.time[row], || value),
            None => kept.push(row),
        }
    }
    sort(symbol, &rows, &mut kept, findings);
    drop_duplicates(symbol, &rows, &mut kept, findings);
    let whole = kept.len() == rows.time.len() && kept.iter().enumerate().all(|(place, row)| place == *row);
    let time = kept.iter().map(|row| Timestamp::from_nanos(time_of(&rows, *row))).collect();
    let gather = |column: Vec<f64>| if whole { column } else { kept.iter().map(|row| column[*row]).collect() };
    let adjuster = rows.adjuster.map(gather);
    let [open, high, low, close, volume] = rows.values.map(gather);
    let mut columns = BarColumns { time, open, high, low, close, volume };
    if let Some(adjuster) = adjuster {
        adjust(&mut columns, adjustment, &adjuster);
    }
    columns
}

fn time_of(rows: &SeriesRows, row: usize) -> i64 {
    rows.time[row].expect("rows without a time were left out")
}

/// Returns the first rule that a row's values break, and what was found.
fn broken_value(rows: &SeriesRows, row: usize, adjustment: Adjustment) -> Option<(OffenceKind, String)> {
    let values = [0, 1, 2, 3, 4].map(|column| rows.values[column][row]);
    let [open, high, low, close, volume] = values;
    let named = |column: usize| format!("{} = {}", SeriesRows::VALUES[column], values[column]);
    if rows.time[row].is_none() {
        return Some((OffenceKind::Missing, "time = missing".to_owned()));
    }
    if let Some(column) = values.iter().position(|value| !value.is_finite()) {
        return Some((OffenceKind::Missing, named(column)));
    }
    if let Some(column) = values[..4].iter().position(|price| *price <= 0.0) {
        return Some((OffenceKind::NonPositivePrice, named(column)));
    }
    if volume < 0.0 {
        return Some((OffenceKind::NegativeVolume, named(4)));
    }
    if low > open.min(close) || high < open.max(close) {
        let found = format!("open = {open}, high = {high}, low = {low}, close = {close}");
        return Some((OffenceKind::HighBelowLow, found));
    }
    if let Some([ratios, dividends]) = &rows.actions {
        let broken = |value: f64| !value.is_finite() || value < 0.0;
        let found = [("split_ratio", ratios[row]), ("dividend", dividends[row])];
        if let Some((name, value)) = found.into_iter().find(|(_, value)| broken(*value)) {
            return Some((OffenceKind::CorporateAction, format!("{name} = {value}")));
        }
    }
    let adjuster = rows.adjuster.as_ref()?[row];
    match adjustment {
        Adjustment::TotalReturn if !adjuster.is_finite() => {
            Some((OffenceKind::Missing, format!("adjusted_close = {adjuster}")))
        }
        Adjustment::TotalReturn if adjuster <= 0.0 => {
            Some((OffenceKind::NonPositivePrice, format!("adjusted_close = {adjuster}")))
        }
        Adjustment::Split if adjuster < 0.0 || adjuster.is_infinite() => {
            Some((OffenceKind::Missing, format!("split_ratio = {adjuster}")))
        }
        _ => None,
    }
}

/// Notes rows before the latest time above them; drops them or sorts them into place.
fn sort(symbol: &str, rows: &SeriesRows, kept: &mut Vec<usize>, findings: &mut Findings<'_>) {
    let mut latest = i64::MIN;
    let mut unsorted = Vec::new();
    for row in kept.iter().copied() {
        let time = time_of(rows, row);
        if time < latest {
            let value = || format!("{} after {}", Timestamp::from_nanos(time), Timestamp::from_nanos(latest));
            findings.add(OffenceKind::Unsorted, symbol, rows.origin[row], Some(time), value);
            unsorted.push(row);
        }
        latest = latest.max(time);
    }
    if unsorted.is_empty() {
        return;
    }
    if findings.policy.unsorted == Policy::Drop {
        kept.retain(|row| unsorted.binary_search(row).is_err());
    } else {
        kept.sort_by_key(|row| time_of(rows, *row));
    }
}

/// Notes and drops rows whose time the row before has; the first in the file stays.
fn drop_duplicates(symbol: &str, rows: &SeriesRows, kept: &mut Vec<usize>, findings: &mut Findings<'_>) {
    let mut before: Option<usize> = None;
    kept.retain(|row| {
        let time = rows.time[*row];
        let Some(first) = before.filter(|first| rows.time[*first] == time) else {
            before = Some(*row);
            return true;
        };
        let (origin, at) = (rows.origin[*row], rows.origin[first]);
        let file = if origin.file == at.file { String::new() } else { format!("`{}` ", findings.file(at).display()) };
        let shown = time_text(time.map(Timestamp::from_nanos));
        let value = format!("{shown} again, first in {file}line {}", at.line);
        findings.add(OffenceKind::Duplicate, symbol, origin, time, || value);
        false
    });
}
