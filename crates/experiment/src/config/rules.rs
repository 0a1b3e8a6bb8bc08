//! `[strategy.rules]`: conditions in place of code.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[strategy.rules]`: enters and leaves by expressions over columns of `[features]`, the closed bar, the forecast and the position.
///
/// The language is described in `docs/RULES.md`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RulesConfig {
    /// The condition to buy: `rsi_14 < 30 and close > sma_200`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// The condition to sell what was bought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<String>,
    /// The price of a stop order below what was bought, fixed at the decision to enter: `close - 2 * atr_14`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<String>,
    /// The price of a limit order above what was bought, fixed at the decision to enter: `close * 1.1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The condition to sell short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short_entry: Option<String>,
    /// The condition to buy back what was sold short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short_exit: Option<String>,
    /// The price of a stop order above what was sold short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short_stop: Option<String>,
    /// The price of a limit order below what was sold short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short_target: Option<String>,
    /// How much is bought or sold short.
    pub size: RulesSizeConfig,
}

/// `[strategy.rules.size]`: how much is bought or sold short, of each instrument on its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RulesSizeConfig {
    /// A share of equity.
    Weight(f64),
    /// The units that lose a share of equity when the price goes from the close to the stop.
    Risk(RulesRiskConfig),
    /// The units that have a stated volatility.
    VolatilityTarget(RulesVolatilityConfig),
}

/// `[strategy.rules.size.risk]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RulesRiskConfig {
    /// The share of equity that is lost at the stop.
    pub fraction: f64,
    /// The largest weight of one instrument.
    pub weight_max: f64,
}

/// `[strategy.rules.size.volatility_target]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RulesVolatilityConfig {
    /// The volatility to reach, per year, as a fraction.
    pub annual_volatility: f64,
    /// The instrument's volatility per bar: `volatility_20`.
    pub volatility: String,
    /// The largest weight of one instrument.
    pub weight_max: f64,
}

impl RulesConfig {
    /// Returns every expression with its key below `strategy.rules`.
    pub(crate) fn expressions(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let volatility = match &self.size {
            RulesSizeConfig::VolatilityTarget(target) => Some(&target.volatility),
            RulesSizeConfig::Weight(_) | RulesSizeConfig::Risk(_) => None,
        };
        let keyed = [
            ("entry", self.entry.as_ref()),
            ("exit", self.exit.as_ref()),
            ("stop", self.stop.as_ref()),
            ("target", self.target.as_ref()),
            ("short_entry", self.short_entry.as_ref()),
            ("short_exit", self.short_exit.as_ref()),
            ("short_stop", self.short_stop.as_ref()),
            ("short_target", self.short_target.as_ref()),
            ("size.volatility_target.volatility", volatility),
        ];
        keyed.into_iter().filter_map(|(key, text)| Some((key, text?.as_str())))
    }

    /// Returns whether an expression names the forecast.
    pub(crate) fn names_forecasts(&self) -> bool {
        let is_word = |character: char| character.is_alphanumeric() || character == '_';
        let mut words = self.expressions().flat_map(|(_, text)| text.split(move |character| !is_word(character)));
        words.any(|word| ["forecast_mean", "forecast_volatility"].contains(&word))
    }
}
