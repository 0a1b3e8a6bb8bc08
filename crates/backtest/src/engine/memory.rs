//! What a run leaves behind in its journal besides results: memory that the next run uses again.

use std::fmt;

use super::{Candidates, Rebalances, VolumeTaken};
use crate::state::StateMemory;
use crate::{OrderId, Requests};

/// The buffers of a run. They hold nothing between two runs, so that a copy of a journal starts with none of its own.
#[derive(Default)]
pub(crate) struct Memory {
    pub(super) state: StateMemory,
    pub(super) requests: Requests,
    pub(super) opened: Vec<u32>,
    pub(super) candidates: Candidates,
    pub(super) acted: Vec<OrderId>,
    pub(super) rebalances: Rebalances,
    pub(super) seen: Vec<bool>,
    pub(super) fx: Vec<f64>,
    pub(super) next_funding: Vec<usize>,
    pub(super) delisted: Vec<bool>,
    pub(super) volume_taken: Vec<VolumeTaken>,
}

impl Clone for Memory {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}
