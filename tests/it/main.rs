//! The integration tests: everything that is true of the whole, not of one crate.

mod audit;
mod bad_config;
mod bad_data;
mod bad_forecasts;
mod causality;
mod commands;
mod compare;
mod contract;
mod damage;
mod determinism;
mod examples;
mod execution;
mod explain;
#[cfg(feature = "libtorch")]
mod forecasters;
mod fuzz;
mod market_data;
#[cfg(feature = "libtorch")]
mod model_in_the_loop;
mod outside;
mod reference;
#[cfg(feature = "libtorch")]
mod resume;
mod returns;
mod robustness;
mod rules;
mod strategies;
mod studies;
mod support;
mod sweeps;
mod tidy;
mod trained;
