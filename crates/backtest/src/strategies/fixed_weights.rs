//! The same weights again and again.

use crate::error::require;
use crate::rebalance_schedule::RebalanceClock;
use crate::strategies::needs_rebalance;
use crate::{BacktestError, Context, Rebalancing, Requests, Strategy};

/// Brings every instrument back to its weight on a schedule: the constantly rebalanced portfolio (Cover 1991, Universal Portfolios).
///
/// What is due at a close acts on each instrument at its own first close from then on. An instrument without a bar yet stays in cash
/// until its first close; a holiday puts an instrument off to the next day.
#[derive(Debug, Clone)]
pub struct FixedWeights {
    weights: Vec<f64>,
    rebalancing: Rebalancing,
    clock: RebalanceClock,
    waiting: Vec<bool>,
    any_waiting: bool,
}

impl FixedWeights {
    /// Creates the strategy from a weight per instrument, as fractions of equity, negative for short.
    ///
    /// # Errors
    /// [`BacktestError::Range`] for a weight that is not finite, weights that are not one per instrument, or a tolerance below zero.
    pub fn new(weights: Vec<f64>, rebalancing: Rebalancing, instruments: usize) -> Result<Self, BacktestError> {
        let count = weights.len();
        require("number of weights", "the number of instruments", count as f64, count == instruments)?;
        for &weight in &weights {
            require("weight", "finite", weight, weight.is_finite())?;
        }
        rebalancing.validate()?;
        let clock = RebalanceClock::new(rebalancing.schedule);
        Ok(Self { weights, rebalancing, clock, waiting: vec![false; instruments], any_waiting: false })
    }
}

impl Strategy for FixedWeights {
    #[inline]
    fn on_bar(&mut self, context: &Context<'_>, requests: &mut Requests) {
        if self.clock.is_due_at(context.now()) {
            self.clock.done();
            self.waiting.fill(true);
            self.any_waiting = true;
        }
        if !self.any_waiting {
            return;
        }
        self.any_waiting = false;
        for (instrument, waiting) in context.instruments().zip(&mut self.waiting) {
            if !*waiting {
                continue;
            }
            if !context.is_updated(instrument) {
                self.any_waiting = true;
                continue;
            }
            *waiting = false;
            let weight = self.weights[instrument.index()];
            if needs_rebalance(context, instrument, weight, self.rebalancing.tolerance) {
                requests.target_weight(instrument, weight);
            }
        }
    }
}
