//! What the whole computation shows by itself: labels that reach into what judges them, and fills before their orders.

use tidegate_backtest::{FillMoment, Journal};
use tidegate_forecast::{Panel, SampleSet};
use tidegate_market::Timestamp;

use super::column::{AuditStage, Difference};
use super::journal::BarClock;
use crate::dataset::Dataset;
use crate::forecasting::PreparedFold;

/// Finds the first training or validation label that is known only when the bars that judge it have begun to close; also says
/// how many labels were looked at.
pub(super) fn late_label(panel: &Panel, folds: &[PreparedFold], symbols: &[String]) -> (u64, Option<Difference>) {
    let mut looked_at = 0;
    for fold in folds {
        let Some(test) = fold.fold.test.first() else { continue };
        let first_tested = panel.axis[test.start];
        let first_validated = panel.axis[fold.fold.valid.start];
        let parts =
            [("training", &fold.samples.train, first_validated), ("validation", &fold.samples.valid, first_tested)];
        for (part, set, first_judging) in parts {
            let found = late_in(panel, set, first_judging, &mut looked_at);
            if let Some((series, bar, name, ends)) = found {
                return (
                    looked_at,
                    Some(Difference {
                        stage: AuditStage::TrainingSets,
                        column: format!("fold {} {part} label {name}", fold.fold.index),
                        symbol: Some(symbols[series].clone()),
                        bar,
                        whole: format!("a label that reads up to the close at {ends}"),
                        again: format!(
                            "labels that end before the close at {first_judging}, the first of the bars that judge"
                        ),
                    }),
                );
            }
        }
    }
    (looked_at, None)
}

fn late_in<'a>(
    panel: &'a Panel,
    set: &SampleSet,
    first_judging: Timestamp,
    looked_at: &mut u64,
) -> Option<(usize, Timestamp, &'a str, Timestamp)> {
    for (place, sample) in set.iter().enumerate() {
        let series = &panel.series[sample.series as usize];
        for (target, kept) in series.targets.iter().zip(set.labels(place)) {
            let Some(label) = kept.and(target.labels[sample.row as usize]) else { continue };
            *looked_at += 1;
            let ends = series.known_time[label.span_last_row];
            if ends >= first_judging {
                return Some((sample.series as usize, series.time[sample.row as usize], &target.name, ends));
            }
        }
    }
    None
}

/// Finds the first fill that came before its order was decided; also says how many fills were looked at.
///
/// A fill at an open came then, one inside a bar after its open, one at a close then. A fill at the very close at which its
/// order was decided is what `same_close` says it is, and the report calls it optimistic.
pub(super) fn early_fill(dataset: &Dataset, journal: &Journal) -> (u64, Option<Difference>) {
    let clock = BarClock::of(dataset);
    let mut looked_at = 0;
    for fill in &journal.fills {
        looked_at += 1;
        let decided = clock.close(journal.orders[fill.order.index()].submitted_time);
        let (happened, is_early) = match fill.moment {
            FillMoment::Open => (clock.open(fill.time), clock.open(fill.time) < decided),
            FillMoment::Inside => (clock.close(fill.time), clock.close(fill.time) <= decided),
            FillMoment::Close => (clock.close(fill.time), clock.close(fill.time) < decided),
        };
        if is_early {
            let difference = Difference {
                stage: AuditStage::Fills,
                column: "time".to_owned(),
                symbol: Some(dataset.symbols[fill.instrument.index()].clone()),
                bar: fill.time,
                whole: format!("a fill at {happened} of order {}", fill.order.0),
                again: format!("no fill before {decided}, when that order was decided"),
            };
            return (looked_at, Some(difference));
        }
    }
    (looked_at, None)
}
