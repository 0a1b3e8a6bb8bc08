//! As much risk from one instrument as from any other.

use std::num::NonZeroUsize;

use tidegate_market::InstrumentId;

use crate::error::require;
use crate::rebalance_schedule::RebalanceClock;
use crate::sizing::equal_risk_contribution;
use crate::strategies::needs_rebalance;
use crate::{BacktestError, Context, History, Rebalancing, Requests, Strategy};

/// Parameters of [`EqualRiskContribution`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EqualRiskContributionParams {
    /// The simple returns over which the covariance is measured, at least two.
    pub lookback_bars: NonZeroUsize,
    /// When to measure it, and how far weights may drift.
    pub rebalancing: Rebalancing,
}

/// Holds the weights of equal risk contribution ([`equal_risk_contribution`]) under the sample covariance (ddof 1) of simple
/// returns.
///
/// The returns are those between the last `lookback_bars + 1` closes that all instruments that take part have in common. An instrument
/// takes part once it has that many closes, at times at which its own bar closes, and when its returns are not all the same. One that does not keeps
/// the units that it has; those that do share the rest of equity. A rebalance is put off while no instrument takes part or common
/// closes are too few, and left out where no weights make the contributions equal.
#[derive(Debug, Clone)]
pub struct EqualRiskContribution {
    params: EqualRiskContributionParams,
    clock: RebalanceClock,
    members: Vec<InstrumentId>,
    /// For each member the number of its closes that have not been passed yet, walking back in time.
    cursors: Vec<usize>,
    /// Common closes, latest first, then their returns less the mean: a row of `lookback_bars + 1` per member.
    rows: Vec<f64>,
    covariance: Vec<f64>,
    weights: Vec<f64>,
}

impl EqualRiskContribution {
    /// Creates the strategy.
    ///
    /// # Errors
    /// [`BacktestError::Range`] for fewer than two returns or a tolerance below zero.
    pub fn new(params: EqualRiskContributionParams) -> Result<Self, BacktestError> {
        let returns = params.lookback_bars.get();
        require("lookback_bars", "at least 2", returns as f64, returns >= 2)?;
        params.rebalancing.validate()?;
        Ok(Self {
            params,
            clock: RebalanceClock::new(params.rebalancing.schedule),
            members: Vec::new(),
            cursors: Vec::new(),
            rows: Vec::new(),
            covariance: Vec::new(),
            weights: Vec::new(),
        })
    }

    /// Gathers the common closes of the instruments that take part; returns whether there are enough.
    fn gather(&mut self, context: &Context<'_>) -> bool {
        let lookback = self.params.lookback_bars.get();
        let takes_part =
            |instrument: &InstrumentId| context.is_updated(*instrument) && context.bar_count(*instrument) > lookback;
        self.members.clear();
        self.members.extend(context.instruments().filter(takes_part));
        if self.members.is_empty() {
            return false;
        }
        self.cursors.clear();
        self.cursors.extend(self.members.iter().map(|&instrument| context.bar_count(instrument)));
        self.rows.clear();
        self.rows.resize(self.members.len() * (lookback + 1), 0.0);
        (0..=lookback).all(|column| self.step_back(context, column))
    }

    /// Walks every member back to the latest close not passed yet that all have, and notes its prices; returns whether there is one.
    fn step_back(&mut self, context: &Context<'_>, column: usize) -> bool {
        let length = self.params.lookback_bars.get() + 1;
        let mut agree = 0;
        let mut place = 0;
        let mut common = None;
        while agree < self.members.len() {
            let History { time, .. } = context.history(self.members[place]);
            let cursor = &mut self.cursors[place];
            while *cursor > 0 && common.is_some_and(|common| time[*cursor - 1] > common) {
                *cursor -= 1;
            }
            let Some(&latest) = time[..*cursor].last() else { return false };
            agree = if common == Some(latest) { agree + 1 } else { 1 };
            common = Some(latest);
            place = (place + 1) % self.members.len();
        }
        for (place, (&member, cursor)) in self.members.iter().zip(&mut self.cursors).enumerate() {
            *cursor -= 1;
            self.rows[place * length + column] = context.history(member).close[*cursor];
        }
        true
    }

    /// Turns closes into returns less their mean, leaves out members whose returns are all the same, and fills the covariance.
    fn measure(&mut self) {
        let returns = self.params.lookback_bars.get();
        let length = returns + 1;
        let mut kept = 0;
        for place in 0..self.members.len() {
            let row = &mut self.rows[place * length..][..length];
            for column in 0..returns {
                row[column] = row[column] / row[column + 1] - 1.0;
            }
            let row = &mut row[..returns];
            if row.iter().all(|&value| value == row[0]) {
                continue;
            }
            let mean = row.iter().sum::<f64>() / returns as f64;
            for value in row {
                *value -= mean;
            }
            self.members[kept] = self.members[place];
            self.rows.copy_within(place * length..place * length + returns, kept * length);
            kept += 1;
        }
        self.members.truncate(kept);
        self.weights.resize(kept, 0.0);
        self.covariance.resize(kept * kept, 0.0);
        for first in 0..kept {
            for second in 0..=first {
                let [a, b] = [first, second].map(|place| &self.rows[place * length..][..returns]);
                let sum: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
                let covariance = sum / (returns - 1) as f64;
                self.covariance[first * kept + second] = covariance;
                self.covariance[second * kept + first] = covariance;
            }
        }
    }
}

impl Strategy for EqualRiskContribution {
    #[inline]
    fn on_bar(&mut self, context: &Context<'_>, requests: &mut Requests) {
        if !self.clock.is_due_at(context.now()) || !self.gather(context) {
            return;
        }
        self.clock.done();
        self.measure();
        if equal_risk_contribution(&self.covariance, &mut self.weights).is_err() {
            return;
        }
        let mut members = self.members.iter().peekable();
        let others = context.instruments().filter(|instrument| members.next_if_eq(&instrument).is_none());
        let held_by_others: f64 = others.map(|instrument| context.weight(instrument)).sum();
        let share = (1.0 - held_by_others).max(0.0);
        for (&instrument, weight) in self.members.iter().zip(&self.weights) {
            let weight = share * weight;
            if needs_rebalance(context, instrument, weight, self.params.rebalancing.tolerance) {
                requests.target_weight(instrument, weight);
            }
        }
    }
}
