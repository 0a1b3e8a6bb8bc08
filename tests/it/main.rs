//! The integration tests: everything that is true of the whole, not of one crate.

mod bad_config;
mod bad_data;
mod causality;
mod contract;
mod damage;
mod determinism;
mod market_data;
mod outside;
mod returns;
mod strategies;
mod support;
mod sweeps;
mod tidy;
