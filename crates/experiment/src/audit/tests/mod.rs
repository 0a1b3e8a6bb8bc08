//! Planted leaks are found and named; chains without one pass.

mod clean;
mod leaks;
pub(super) mod support;
