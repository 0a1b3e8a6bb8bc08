//! Small panels for this crate's tests: the feature at row `i` is `i` itself, so a window shows which rows it read.

use tidegate_market::{FeatureColumn, FeatureMatrix, InstrumentId, TargetColumn, TargetLabel, Timestamp};

use crate::{Panel, PanelSeries, Windows};

/// The close of a day.
pub(crate) fn close(day: i64) -> Timestamp {
    Timestamp::from_nanos((day + 1) * Timestamp::NANOS_PER_DAY)
}

/// Labels that read rows `t + delay ..= t + delay + horizon`: delay 0 is close to close, delay 1 open to open from the next bar.
pub(crate) fn labels(rows: usize, delay: usize, horizon: usize) -> TargetColumn {
    let labels = (0..rows)
        .map(|row| {
            let [span_first_row, span_last_row] = [row + delay, row + delay + horizon];
            (span_last_row < rows).then(|| TargetLabel { value: row as f64 / 1000.0, span_first_row, span_last_row })
        })
        .collect();
    TargetColumn { name: "log_return".to_owned(), horizon_bars: horizon as u32, labels }
}

/// A series that closes on the given days, one scale with one feature, close-to-close labels.
pub(crate) fn series(instrument: u32, days: &[i64], horizon: usize) -> PanelSeries {
    let rows = days.len();
    let values = (0..rows).map(|row| row as f64).collect();
    let matrix = FeatureMatrix::new(rows, vec![FeatureColumn::new("row", values)]).expect("one length");
    PanelSeries {
        instrument: InstrumentId(instrument),
        time: days.iter().map(|&day| close(day - 1)).collect(),
        known_time: days.iter().map(|&day| close(day)).collect(),
        scales: vec![matrix],
        targets: vec![labels(rows, 0, horizon)],
        ewma_variance: vec![Some(1e-4); rows],
        one_bar_return: (0..rows).map(|row| (row > 0).then(|| row as f64 / 1000.0)).collect(),
    }
}

/// One instrument on consecutive days.
pub(crate) fn daily_panel(rows: usize, horizon: usize) -> Panel {
    let days: Vec<i64> = (0..rows as i64).collect();
    Panel::new(vec![series(0, &days, horizon)]).expect("sane")
}

/// Windows of one step over one scale, from rows of features and their targets.
pub(crate) fn tabular(rows: &[&[f32]], target: &[f64]) -> Windows {
    let features = rows.first().map_or(0, |row| row.len());
    let block = crate::WindowBlock { steps: 1, features, values: rows.concat(), lengths: vec![] };
    Windows {
        scales: vec![block],
        samples: (0..rows.len() as u32).map(|row| crate::Sample { series: 0, row }).collect(),
        target: target.iter().copied().map(Some).collect(),
        ewma_variance: vec![Some(2e-4); rows.len()],
        ..Windows::default()
    }
}

/// Independent standard normal numbers (Box and Muller, 1958), the same for the same seed.
pub(crate) fn normals(seed: u64, count: usize) -> Vec<f64> {
    let uniform = |place: usize, part: u32| {
        let bits = crate::derive_seed(seed, place as u32, part) >> 11;
        (bits as f64 + 0.5) / (1_u64 << 53) as f64
    };
    let normal = |place| (-2.0 * uniform(place, 0).ln()).sqrt() * (std::f64::consts::TAU * uniform(place, 1)).cos();
    (0..count).map(normal).collect()
}
