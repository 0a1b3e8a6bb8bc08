//! The integration tests: everything that is true of the whole, not of one crate.

mod bad_config;
mod bad_data;
mod causality;
mod contract;
mod damage;
mod determinism;
mod examples;
mod execution;
mod explain;
mod fuzz;
mod market_data;
mod outside;
mod reference;
mod returns;
mod rules;
mod strategies;
mod support;
mod sweeps;
mod tidy;
