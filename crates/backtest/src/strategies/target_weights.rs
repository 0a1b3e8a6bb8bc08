//! Weights that somebody else decided: a file, a notebook.

use tidegate_market::{InstrumentId, Timestamp};

use crate::{BacktestError, Context, Requests, Strategy};

/// A weight and the moment from which it was known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScheduledWeight {
    /// The moment from which a decision may use it.
    pub known_time: Timestamp,
    /// The instrument.
    pub instrument: InstrumentId,
    /// The weight as a fraction of equity, negative for short.
    pub weight: f64,
}

/// Follows a schedule: a weight acts at the first close of its instrument at or after the moment from which it was known.
///
/// Of several weights for one instrument that act at one close the last counts. An instrument keeps its units until its next entry:
/// the drift of its weight is not corrected.
#[derive(Debug, Clone)]
pub struct TargetWeights {
    schedule: Vec<ScheduledWeight>,
    next: usize,
    waiting: Vec<Option<f64>>,
    any_waiting: bool,
}

impl TargetWeights {
    /// Creates the strategy for a number of instruments from a schedule sorted by `known_time`.
    ///
    /// # Errors
    /// [`BacktestError::UnsortedSchedule`], [`BacktestError::UnknownInstrument`], and [`BacktestError::Range`] for a weight that is not
    /// finite.
    pub fn new(schedule: Vec<ScheduledWeight>, instruments: usize) -> Result<Self, BacktestError> {
        for (index, entry) in schedule.iter().enumerate() {
            if entry.instrument.index() >= instruments {
                let instrument = entry.instrument;
                return Err(BacktestError::UnknownInstrument {
                    source_name: "a target weight",
                    instrument,
                    instruments,
                });
            }
            crate::error::require("target weight", "finite", entry.weight, entry.weight.is_finite())?;
            if index > 0 && entry.known_time < schedule[index - 1].known_time {
                let previous = schedule[index - 1].known_time;
                return Err(BacktestError::UnsortedSchedule { index, time: entry.known_time, previous });
            }
        }
        Ok(Self { schedule, next: 0, waiting: vec![None; instruments], any_waiting: false })
    }
}

impl Strategy for TargetWeights {
    #[inline]
    fn on_bar(&mut self, context: &Context<'_>, requests: &mut Requests) {
        while let Some(entry) = self.schedule.get(self.next).filter(|entry| entry.known_time <= context.now()) {
            self.waiting[entry.instrument.index()] = Some(entry.weight);
            self.any_waiting = true;
            self.next += 1;
        }
        if !self.any_waiting {
            return;
        }
        self.any_waiting = false;
        for (instrument, waiting) in context.instruments().zip(&mut self.waiting) {
            if waiting.is_none() {
                continue;
            }
            if context.is_updated(instrument) {
                if let Some(weight) = waiting.take() {
                    requests.target_weight(instrument, weight);
                }
            } else {
                self.any_waiting = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_schedule_is_refused_with_what_was_found() {
        let entry = |day: i64, instrument, weight| ScheduledWeight {
            known_time: Timestamp::from_nanos(day * Timestamp::NANOS_PER_DAY),
            instrument: InstrumentId(instrument),
            weight,
        };
        let message = |schedule| TargetWeights::new(schedule, 2).expect_err("bad").to_string();
        let unsorted = message(vec![entry(2, 0, 1.0), entry(1, 1, 1.0)]);
        assert!(unsorted.contains("entry `1` at `1970-01-02` comes after one at `1970-01-03`"), "{unsorted}");
        assert!(message(vec![entry(2, 2, 1.0)]).contains("`2` instruments, was number `2`"));
        assert_eq!(message(vec![entry(2, 1, f64::NAN)]), "target weight must be finite, was `NaN`");
    }
}
