//! Progress out, cancellation in.

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

/// Passes one member's epochs to an observer.
pub(crate) struct MemberMonitor<'a> {
    pub(crate) observer: &'a dyn Observer,
    pub(crate) fold: u32,
    pub(crate) member: u32,
}

impl FitMonitor for MemberMonitor<'_> {
    fn epoch(&self, progress: EpochProgress) {
        self.observer.notify(Progress::Epoch { fold: self.fold, member: self.member, progress });
    }

    fn cancelled(&self) -> bool {
        self.observer.cancelled()
    }
}
