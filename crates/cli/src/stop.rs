//! Ctrl-C: the first asks for a clean stop, the second ends the process at once.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;

static STOP: AtomicBool = AtomicBool::new(false);

/// Starts to listen for Ctrl-C and for the termination signal.
pub(crate) fn listen() -> anyhow::Result<()> {
    ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
    })
    .context("cannot listen for Ctrl-C")
}

/// Returns whether the user asked to stop.
pub(crate) fn requested() -> bool {
    STOP.load(Ordering::SeqCst)
}
