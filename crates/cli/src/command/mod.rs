//! One file per command.

pub(crate) mod audit;
pub(crate) mod backtest;
pub(crate) mod bench;
pub(crate) mod check;
pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod compress;
pub(crate) mod data;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod features;
pub(crate) mod metrics;
pub(crate) mod predict;
pub(crate) mod report;
pub(crate) mod robustness;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod study;
pub(crate) mod sweep;
pub(crate) mod train;
