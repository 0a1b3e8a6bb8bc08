//! Data snooping: is the best of many trials better than what the best of as many worthless ones would be?

mod maxima;
mod snooping_test;
#[cfg(test)]
mod tests;

pub use maxima::{Snooping, SnoopingMaxima, SuperiorPredictiveAbility};
pub use snooping_test::{SnoopingTest, StudentizedTrial};
