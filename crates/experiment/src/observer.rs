//! Progress out, cancellation in.

use std::sync::atomic::{AtomicBool, Ordering};

use tidegate_forecast::{EpochProgress, FitMonitor};

/// Something that happened while an experiment runs.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// A stage begins; `steps` is zero when it cannot be counted.
    Stage {
        /// What is done, as a verb phrase.
        name: &'static str,
        /// How many steps it has.
        steps: u64,
    },
    /// One step of the current stage is done.
    Step,
    /// So many steps of the current stage are done.
    Steps(u64),
    /// A fold's member finished an epoch of training.
    Epoch {
        /// The fold, from zero.
        fold: u32,
        /// The ensemble member, from zero.
        member: u32,
        /// The epoch's figures.
        progress: EpochProgress,
    },
    /// The current stage is done.
    StageDone,
    /// Something the user should know.
    Note(String),
}

/// Watches an experiment and may stop it.
pub trait Observer: Sync {
    /// Hears what happened.
    fn notify(&self, progress: Progress);

    /// Returns whether the user asked to stop.
    fn cancelled(&self) -> bool;
}

/// Hears nothing and stops nothing.
#[derive(Debug, Clone, Copy)]
pub struct SilentObserver;

impl Observer for SilentObserver {
    fn notify(&self, _: Progress) {}

    fn cancelled(&self) -> bool {
        false
    }
}

/// Passes one member's epochs and notices to an observer, and says when its training goes on where it was interrupted.
pub(crate) struct MemberMonitor<'a> {
    observer: &'a dyn Observer,
    fold: u32,
    member: u32,
    /// Whether an epoch was heard of.
    began: AtomicBool,
}

impl<'a> MemberMonitor<'a> {
    pub(crate) const fn new(observer: &'a dyn Observer, fold: u32, member: u32) -> Self {
        Self { observer, fold, member, began: AtomicBool::new(false) }
    }
}

impl FitMonitor for MemberMonitor<'_> {
    fn epoch(&self, progress: EpochProgress) {
        if !self.began.swap(true, Ordering::Relaxed) && progress.epoch > 1 {
            self.notice(&format!("training goes on after epoch {}, where it was interrupted", progress.epoch - 1));
        }
        self.observer.notify(Progress::Epoch { fold: self.fold, member: self.member, progress });
    }

    fn cancelled(&self) -> bool {
        self.observer.cancelled()
    }

    fn notice(&self, message: &str) {
        let Self { fold, member, .. } = self;
        self.observer.notify(Progress::Note(format!("fold {fold} member {member}: {message}")));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Notes(Mutex<Vec<String>>);

    impl Observer for Notes {
        fn notify(&self, progress: Progress) {
            if let Progress::Note(text) = progress {
                self.0.lock().expect("no panic while held").push(text);
            }
        }

        fn cancelled(&self) -> bool {
            false
        }
    }

    #[test]
    fn a_training_that_does_not_begin_with_its_first_epoch_was_interrupted_and_says_so_once() {
        let notes = Notes::default();
        let (fresh, resumed) = (MemberMonitor::new(&notes, 0, 0), MemberMonitor::new(&notes, 1, 2));
        let epoch = |epoch| EpochProgress { epoch, epochs: 9, train_loss: 1.0, valid_loss: None, learning_rate: 0.1 };
        for number in [1, 2] {
            fresh.epoch(epoch(number));
        }
        for number in [5, 6] {
            resumed.epoch(epoch(number));
        }
        resumed.notice("the disk is full");
        assert_eq!(
            notes.0.into_inner().expect("no panic while held"),
            [
                "fold 1 member 2: training goes on after epoch 4, where it was interrupted",
                "fold 1 member 2: the disk is full"
            ]
        );
    }
}
