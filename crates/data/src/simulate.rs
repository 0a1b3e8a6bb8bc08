//! Artificial bars: GARCH(1,1) volatility, jumps, several correlated symbols.
//!
//! These are for tests of speed and of machinery. They say nothing about how a strategy would do on a market.

mod axis;
mod path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_market::{BarInterval, BarLabel, Bars, Timestamp, TradingCalendar};

use crate::{DataError, SymbolBars};
use path::{FactorStream, PathStream};

/// What to simulate. All rates are per year of the calendar; returns are log returns.
#[derive(Debug, Clone, PartialEq)]
pub struct SimulationSpec {
    /// The tickers.
    pub symbols: Vec<String>,
    /// Bars per symbol.
    pub bars: usize,
    /// The length of a bar.
    pub interval: BarInterval,
    /// When the market is open.
    pub calendar: TradingCalendar,
    /// The first bar opens at this time, or at the first open of the calendar after it.
    pub start: Timestamp,
    /// The seed. One seed gives the same bars on every machine with the same build, and more bars or symbols never change the earlier ones.
    pub seed: u64,
    /// The first open.
    pub start_price: f64,
    /// Mean of a year's log return, without jumps.
    pub annual_drift: f64,
    /// Unconditional standard deviation of a year's log return, without jumps.
    pub annual_volatility: f64,
    /// Correlation of the shocks of any two symbols, in [0, 1).
    pub correlation: f64,
    /// The part of a bar's variance that falls between the close before and the open, in [0, 1).
    pub open_gap_share: f64,
    /// How volatility clusters.
    pub garch: Garch,
    /// Rare large moves.
    pub jump: Jumps,
}

/// GARCH(1,1): `v' = (1 - alpha - beta) v0 + alpha e^2 + beta v` (Bollerslev 1986); zeros give constant volatility.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Garch {
    /// Weight of the last squared shock.
    pub alpha: f64,
    /// Weight of the last variance.
    pub beta: f64,
}

/// Jumps added to the log return of a bar: at most one a bar, of normally distributed size (Merton 1976).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Jumps {
    /// Expected number a year for each symbol.
    pub per_year: f64,
    /// Mean size.
    pub mean: f64,
    /// Standard deviation of the size.
    pub sd: f64,
}

impl SimulationSpec {
    /// Checks every parameter.
    ///
    /// # Errors
    /// [`DataError::Simulation`] for the first that is outside its range.
    pub fn validate(&self) -> Result<(), DataError> {
        let duplicate = self.symbols.iter().enumerate().find(|(place, name)| self.symbols[..*place].contains(name));
        if let Some((_, name)) = duplicate {
            return Err(DataError::Simulation { name: "symbols", rule: "different", value: name.clone() });
        }
        let periods = self.interval.periods_per_year(self.calendar);
        let memory = self.garch.alpha + self.garch.beta;
        let rules = [
            ("start_price", self.start_price, self.start_price > 0.0, "above 0"),
            ("annual_drift", self.annual_drift, true, "finite"),
            ("annual_volatility", self.annual_volatility, self.annual_volatility >= 0.0, "at least 0"),
            ("correlation", self.correlation, (0.0..1.0).contains(&self.correlation), "in [0, 1)"),
            ("open_gap_share", self.open_gap_share, (0.0..1.0).contains(&self.open_gap_share), "in [0, 1)"),
            ("garch.alpha", self.garch.alpha, self.garch.alpha >= 0.0, "at least 0"),
            ("garch.beta", self.garch.beta, self.garch.beta >= 0.0, "at least 0"),
            ("garch.alpha + garch.beta", memory, memory < 1.0, "below 1"),
            (
                "jump.per_year",
                self.jump.per_year,
                (0.0..=periods).contains(&self.jump.per_year),
                "at least 0 and at most one a bar",
            ),
            ("jump.mean", self.jump.mean, true, "finite"),
            ("jump.sd", self.jump.sd, self.jump.sd >= 0.0, "at least 0"),
        ];
        for (name, value, holds, rule) in rules {
            if !value.is_finite() || !holds {
                return Err(DataError::Simulation { name, rule, value: value.to_string() });
            }
        }
        Ok(())
    }
}

/// Simulates bars, labelled by their open.
///
/// # Errors
/// [`DataError::Simulation`] for a parameter outside its range, or when prices leave the range of numbers.
pub fn simulate(spec: &SimulationSpec) -> Result<Vec<SymbolBars>, DataError> {
    spec.validate()?;
    let time = axis::axis(spec.start, spec.interval, spec.calendar, spec.bars)?;
    let shocks = FactorStream::new(spec.seed).shocks(spec.bars);
    let mut symbols = Vec::with_capacity(spec.symbols.len());
    for (place, symbol) in spec.symbols.iter().enumerate() {
        let columns = PathStream::new(spec, place).columns(time.clone(), &shocks);
        let bars = Bars::new(columns, BarLabel::Open, spec.interval).map_err(|error| DataError::Simulation {
            name: "prices",
            rule: "within the range of numbers",
            value: format!("{symbol}, {error}"),
        })?;
        symbols.push(SymbolBars::new(symbol.clone(), bars));
    }
    Ok(symbols)
}

#[cfg(test)]
mod tests;
