//! A fit that is stopped anywhere and taken up again ends with the bytes of one that was not.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tidegate_forecast::{EpochStore, FitMonitor, FittedForecaster, NoMonitor, NoStore, Windows};

use super::*;
use crate::fixture::{full_training, gaussian, ragged, training, windows};

/// Keeps the last state in memory.
#[derive(Default)]
struct Memory {
    state: Mutex<Option<Vec<u8>>>,
}

impl Memory {
    fn holding(state: Vec<u8>) -> Self {
        Self { state: Mutex::new(Some(state)) }
    }

    fn state(&self) -> Option<Vec<u8>> {
        self.state.lock().expect("no panic while held").clone()
    }
}

impl EpochStore for Memory {
    fn load(&self) -> Option<Vec<u8>> {
        self.state()
    }

    fn save(&self, _: usize, state: &[u8]) -> Result<(), ForecastError> {
        *self.state.lock().expect("no panic while held") = Some(state.to_vec());
        Ok(())
    }
}

/// Allows some steps, counts them and the epochs, and keeps notices.
struct Allowance {
    steps_left: AtomicUsize,
    epochs: AtomicUsize,
    notices: Mutex<Vec<String>>,
}

impl Allowance {
    fn of(steps: usize) -> Self {
        Self { steps_left: AtomicUsize::new(steps), epochs: AtomicUsize::new(0), notices: Mutex::default() }
    }
}

impl FitMonitor for Allowance {
    fn epoch(&self, _: EpochProgress) {
        self.epochs.fetch_add(1, Ordering::Relaxed);
    }

    fn cancelled(&self) -> bool {
        self.steps_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err()
    }

    fn notice(&self, message: &str) {
        self.notices.lock().expect("no panic while held").push(message.to_owned());
    }
}

/// A training on two sets.
struct Problem {
    training: TrainingSpec,
    train: Windows,
    valid: Windows,
}

impl Problem {
    fn new(training: TrainingSpec) -> Self {
        Self { training, train: ragged(40, 1), valid: ragged(20, 2) }
    }

    fn fit(&self, monitor: &dyn FitMonitor, store: &dyn EpochStore) -> Result<Vec<u8>, ForecastError> {
        let task = FitTask { train: &self.train, valid: &self.valid, seed: 7, monitor, store };
        fit(&gaussian(), &self.training, Device::Cpu, &task)?.checkpoint()
    }

    /// Stops after every step that there is and goes on; returns how many stops there were.
    fn assert_resumes_anywhere(&self) -> usize {
        let whole = self.fit(&NoMonitor, &NoStore).expect("a sane task");
        for steps in 0.. {
            let store = Memory::default();
            if let Ok(bytes) = self.fit(&Allowance::of(steps), &store) {
                assert_eq!(bytes, whole);
                return steps;
            }
            let resumed = self.fit(&NoMonitor, &store).expect("a sane task");
            assert!(resumed == whole, "stopped after {steps} steps");
        }
        unreachable!("a fit ends")
    }

    /// Returns what was said when a fit found some state, and that it came to the same bytes all the same.
    fn notice_about(&self, state: Vec<u8>) -> String {
        let whole = self.fit(&NoMonitor, &NoStore).expect("a sane task");
        let monitor = Allowance::of(usize::MAX);
        assert!(self.fit(&monitor, &Memory::holding(state)).expect("a sane task") == whole);
        assert_eq!(monitor.epochs.into_inner(), self.training.epochs_max);
        monitor.notices.into_inner().expect("no panic while held").concat()
    }

    fn kept_state(&self) -> Vec<u8> {
        let store = Memory::default();
        self.fit(&NoMonitor, &store).expect("a sane task");
        store.state().expect("a state after each epoch")
    }
}

#[test]
fn a_fit_stopped_at_any_step_ends_with_the_bytes_of_one_that_was_not() {
    // 40 samples of at most 10 steps, 120 steps in a batch, two batches a step: two steps in each of three epochs.
    assert_eq!(Problem::new(full_training(3)).assert_resumes_anywhere(), 3 * 2);
}

#[test]
fn schedules_that_count_steps_or_losses_go_on_where_they_were() {
    let one_cycle = Schedule::OneCycle { rising_share: 0.4, start_factor: 0.1, end_factor: 0.0 };
    let cosine = Schedule::Cosine { epochs: 2, learning_rate_min: 0.0, restart_factor: Some(2) };
    let plateau = Schedule::Plateau { factor: 0.1, patience: 0, learning_rate_min: 0.0 };
    for schedule in [one_cycle, cosine, plateau] {
        assert_eq!(Problem::new(TrainingSpec { schedule, ..training(3) }).assert_resumes_anywhere(), 3 * 3);
    }
}

#[test]
fn a_fit_that_stops_early_resumes_with_its_best_weights() {
    // Labels without a rule: the validation loss soon rises.
    let noise = |count, seed| windows(count, 2, seed, |_, normal| 0.01 * normal);
    let training = TrainingSpec { early_stopping_patience: Some(2), ..training(60) };
    let problem = Problem { training, train: noise(30, 1), valid: noise(20, 2) };
    let steps = problem.assert_resumes_anywhere();
    assert!(steps < 2 * 60, "{steps}");
    // The fit is over in the state after its last epoch: no further epoch is run.
    let monitor = Allowance::of(0);
    let bytes = problem.fit(&monitor, &Memory::holding(problem.kept_state())).expect("nothing is left to do");
    assert_eq!(monitor.epochs.into_inner(), 0);
    assert!(bytes == problem.fit(&NoMonitor, &NoStore).expect("a sane task"));
}

#[test]
fn a_fit_stopped_again_and_again_gets_there_too() {
    let problem = Problem::new(full_training(4));
    let store = Memory::default();
    let bytes = (0..100)
        .find_map(|_| problem.fit(&Allowance::of(3), &store).ok())
        .expect("an epoch takes two steps, so every try gains one");
    assert!(bytes == problem.fit(&NoMonitor, &NoStore).expect("a sane task"));
}

#[test]
fn the_state_of_another_task_is_refused_by_its_difference() {
    let problem = Problem::new(training(2));
    let notice = problem.notice_about(Problem::new(training(3)).kept_state());
    assert!(
        notice.starts_with("a saved training state is of no use: training must be `{\"epochs_max\":2,"),
        "{notice}"
    );
    assert!(notice.ends_with("; the training starts anew"), "{notice}");
    let mut other = Problem::new(training(2));
    other.train.scales[0].values[17] += 1.0;
    let notice = problem.notice_about(other.kept_state());
    assert!(notice.contains("hash of the training set must be `"), "{notice}");
}

#[test]
fn a_damaged_state_is_refused_and_the_training_starts_anew() {
    let problem = Problem::new(training(1));
    let state = problem.kept_state();
    assert_eq!(
        problem.notice_about(state[..state.len() / 2].to_vec()).matches("not a whole safetensors file").count(),
        1
    );
    let mut changed = state.clone();
    *changed.last_mut().expect("not empty") ^= 1;
    assert!(problem.notice_about(changed).contains("does not match its hash"));
    let checkpoint = problem.fit(&NoMonitor, &NoStore).expect("a sane task");
    assert!(problem.notice_about(checkpoint).contains("its header `tidegate` cannot be read"));
}

#[test]
fn a_store_that_fails_is_noticed_and_changes_nothing() {
    struct Full;
    impl EpochStore for Full {
        fn load(&self) -> Option<Vec<u8>> {
            None
        }

        fn save(&self, _: usize, _: &[u8]) -> Result<(), ForecastError> {
            Err(ForecastError::Model("the disk is full".to_owned()))
        }
    }
    let problem = Problem::new(training(1));
    let monitor = Allowance::of(usize::MAX);
    let bytes = problem.fit(&monitor, &Full).expect("a sane task");
    assert!(bytes == problem.fit(&NoMonitor, &NoStore).expect("a sane task"));
    let notices = monitor.notices.into_inner().expect("no panic while held");
    assert_eq!(notices, ["the training state after epoch `1` is not kept: the disk is full"]);
}
