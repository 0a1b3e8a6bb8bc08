//! The yardstick of every strategy.

use crate::{Context, Requests, Strategy};

/// Buys each instrument once, at its first bar, for an equal share of the equity of that moment, and holds.
#[derive(Debug, Clone)]
pub struct BuyAndHold {
    bought: Vec<bool>,
}

impl BuyAndHold {
    /// Creates the strategy for a number of instruments.
    pub fn new(instruments: usize) -> Self {
        Self { bought: vec![false; instruments] }
    }
}

impl Strategy for BuyAndHold {
    #[inline]
    fn on_bar(&mut self, context: &Context<'_>, requests: &mut Requests) {
        for (instrument, bought) in context.instruments().zip(&mut self.bought) {
            if !*bought && context.is_updated(instrument) {
                *bought = true;
                requests.target_weight(instrument, 1.0 / context.instrument_count() as f64);
            }
        }
    }

    /// Nothing is left to decide once every instrument is bought.
    #[inline]
    fn next_decision(&self, context: &Context<'_>) -> usize {
        if self.bought.iter().all(|&bought| bought) { usize::MAX } else { context.step() + 1 }
    }
}
