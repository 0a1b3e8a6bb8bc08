//! What is kept of the trials while they run: counts, the best, a sample, the front. Its size does not depend on their number.

use std::cmp::Ordering;

use super::metrics::Objective;
use super::trial::{Outcome, TrialRow};

/// The best trials that are kept.
const BEST_MAX: usize = 100;

/// The trials of the sample, beside the best.
pub(super) const SAMPLE_MAX: u64 = 500;

/// What is kept of a sweep.
pub(super) struct Summary {
    objectives: Vec<Objective>,
    total: u64,
    pub(super) trials: u64,
    pub(super) skipped: u64,
    /// The first that was skipped, and why.
    pub(super) first_skipped: Option<(u64, String)>,
    /// Trials that ran and have no objective.
    pub(super) undefined: u64,
    /// Trials that the ledger had.
    pub(super) known: u64,
    /// The best by the first objective, the best first; those without it last.
    pub(super) best: Vec<TrialRow>,
    /// Trials that ran, evenly spaced by their numbers.
    pub(super) sample: Vec<TrialRow>,
    /// With several objectives, the trials that no other beats in all of them.
    pub(super) front: Vec<TrialRow>,
}

impl Summary {
    /// Starts a summary of so many trials.
    pub(super) fn new(objectives: &[Objective], total: u64) -> Self {
        Self {
            objectives: objectives.to_vec(),
            total,
            trials: 0,
            skipped: 0,
            first_skipped: None,
            undefined: 0,
            known: 0,
            best: Vec::new(),
            sample: Vec::new(),
            front: Vec::new(),
        }
    }

    /// Adds the next trials.
    pub(super) fn add(&mut self, rows: &[TrialRow]) {
        for row in rows {
            self.trials += 1;
            match &row.outcome {
                Outcome::Skipped(reason) => {
                    self.skipped += 1;
                    self.first_skipped.get_or_insert_with(|| (row.number, reason.to_string()));
                }
                Outcome::Ran(ran) => {
                    self.known += u64::from(ran.is_known);
                    self.undefined += u64::from(self.objectives[0].of(&ran.metrics).is_nan());
                    self.rank(row);
                    if is_sampled(row.number, self.total) {
                        self.sample.push(row.clone());
                    }
                }
            }
        }
        if self.objectives.len() > 1 {
            self.widen(rows);
        }
    }

    fn rank(&mut self, row: &TrialRow) {
        let objective = self.objectives[0];
        if self.best.len() == BEST_MAX && self.best.last().is_some_and(|last| by_rank(objective, last, row).is_lt()) {
            return;
        }
        let place = self.best.partition_point(|kept| by_rank(objective, kept, row).is_lt());
        self.best.insert(place, row.clone());
        self.best.truncate(BEST_MAX);
    }

    /// Takes into the front what belongs there now, and out of it what does not any more.
    fn widen(&mut self, rows: &[TrialRow]) {
        let ran = rows.iter().filter(|row| row.ran().is_some()).cloned();
        let candidates: Vec<TrialRow> = std::mem::take(&mut self.front).into_iter().chain(ran).collect();
        let values: Vec<Vec<f64>> = candidates.iter().map(|row| self.values(row)).collect();
        let on_front = tidegate_search::pareto_front(&values);
        let mut kept = on_front.into_iter().peekable();
        let is_kept = |(place, row)| kept.next_if_eq(&place).map(|_| row);
        self.front = candidates.into_iter().enumerate().filter_map(is_kept).collect();
    }

    fn values(&self, row: &TrialRow) -> Vec<f64> {
        let metrics = row.ran().map_or(&[][..], |ran| &ran.metrics);
        self.objectives.iter().map(|objective| objective.of(metrics)).collect()
    }
}

/// The better trial comes first; of equal ones the earlier.
fn by_rank(objective: Objective, a: &TrialRow, b: &TrialRow) -> Ordering {
    let key = |row: &TrialRow| {
        let value = row.ran().map_or(f64::NAN, |ran| objective.of(&ran.metrics));
        if value.is_nan() { f64::NEG_INFINITY } else { value }
    };
    key(b).total_cmp(&key(a)).then(a.number.cmp(&b.number))
}

/// Returns whether a trial is one of [`SAMPLE_MAX`] evenly spaced ones.
fn is_sampled(number: u64, total: u64) -> bool {
    if total <= SAMPLE_MAX {
        return true;
    }
    // The places are `place * total / SAMPLE_MAX`, rounded down.
    let place = (u128::from(number) * u128::from(SAMPLE_MAX)).div_ceil(u128::from(total));
    place < u128::from(SAMPLE_MAX) && place * u128::from(total) / u128::from(SAMPLE_MAX) == u128::from(number)
}

#[cfg(test)]
mod tests {
    use tidegate_ledger::TrialKey;

    use super::super::trial::RanTrial;
    use super::*;

    fn row(number: u64, metrics: &[f64]) -> TrialRow {
        let ran = RanTrial {
            key: TrialKey { config_hash: number, data_hash: 0 },
            seed: 0,
            metrics: metrics.into(),
            values: String::new(),
            elapsed_ns: 1,
            is_known: false,
        };
        TrialRow { number, point: Vec::new(), outcome: Outcome::Ran(ran) }
    }

    fn objective(name: &'static str, place: usize, sign: f64) -> Objective {
        Objective { name, place, sign }
    }

    #[test]
    fn of_many_trials_as_many_as_a_sample_has_are_taken_evenly() {
        for total in [1, 499, 500, 501, 999, 65_537, 1_000_000] {
            let taken: Vec<u64> = (0..total).filter(|number| is_sampled(*number, total)).collect();
            assert_eq!(taken.len() as u64, total.min(SAMPLE_MAX), "{total}");
            assert_eq!(taken[0], 0, "{total}");
            let steps = taken.windows(2).map(|pair| pair[1] - pair[0]);
            let step = total.div_ceil(SAMPLE_MAX);
            assert!(steps.into_iter().all(|found| found <= step && found + 1 >= step), "{total}");
        }
    }

    #[test]
    fn an_undefined_objective_ranks_last_and_is_counted() {
        let mut summary = Summary::new(&[objective("commission", 0, -1.0)], 4);
        summary.add(&[row(0, &[f64::NAN]), row(1, &[5.0]), row(2, &[3.0]), row(3, &[5.0])]);
        let order: Vec<u64> = summary.best.iter().map(|row| row.number).collect();
        assert_eq!(order, [2, 1, 3, 0], "least first, of equal ones the earlier, undefined last");
        assert_eq!(summary.undefined, 1);
    }

    #[test]
    fn the_front_keeps_what_no_other_beats_over_all_batches() {
        let mut summary = Summary::new(&[objective("a", 0, 1.0), objective("b", 1, 1.0)], 5);
        summary.add(&[row(0, &[1.0, 5.0]), row(1, &[1.0, 4.0]), row(2, &[3.0, 3.0])]);
        summary.add(&[row(3, &[4.0, 3.5]), row(4, &[f64::NAN, 9.0])]);
        let front: Vec<u64> = summary.front.iter().map(|row| row.number).collect();
        assert_eq!(front, [0, 3], "1 is beaten by 0, 2 by 3, 4 is not defined");
    }
}
