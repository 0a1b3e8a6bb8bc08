//! The probability of backtest overfitting: does the trial that was best on one half of the sample stay good on the other?

mod block_sums;
mod cross_validation;
mod splits;
#[cfg(test)]
mod tests;

pub use cross_validation::{Degradation, Overfitting, overfitting, sharpe_overfitting};
