//! The rules of `[strategy]`, and the checks that all rules are made of.

use crate::config::{
    ConfigError, ConfigSource, EqualRiskContributionConfig, FixedWeightsConfig, MomentumRotationConfig,
    RebalanceConfig, StrategyConfig, WeightsConfig, key_part, nearest,
};

/// Checks the rules that span keys or that types cannot state.
pub(super) struct Rules<'a> {
    pub(super) source: &'a ConfigSource,
}

impl Rules<'_> {
    pub(super) fn fail<T>(&self, key: &str, message: impl Into<String>) -> Result<T, ConfigError> {
        Err(self.source.error_at(key, message))
    }

    pub(super) fn positive(&self, key: &str, value: f64) -> Result<(), ConfigError> {
        if value.is_finite() && value > 0.0 {
            return Ok(());
        }
        self.fail(key, format!("must be finite and above 0, was `{value}`"))
    }

    pub(super) fn within(&self, key: &str, value: f64, low: f64, high: f64) -> Result<(), ConfigError> {
        match (low..=high).contains(&value) {
            true => Ok(()),
            false if high == f64::MAX => self.fail(key, format!("must be finite and at least {low}, was `{value}`")),
            false if low == -f64::MAX => self.fail(key, format!("must be finite and at most {high}, was `{value}`")),
            false => self.fail(key, format!("must be in [{low}, {high}], was `{value}`")),
        }
    }

    pub(super) fn at_least(&self, key: &str, value: usize, least: usize) -> Result<(), ConfigError> {
        if value >= least {
            return Ok(());
        }
        self.fail(key, format!("must be at least {least}, was `{value}`"))
    }

    pub(super) fn strategy(&self, strategy: &StrategyConfig, symbols: &[String]) -> Result<(), ConfigError> {
        match strategy {
            StrategyConfig::BuyAndHold {} | StrategyConfig::TargetWeights(_) | StrategyConfig::Rules(_) => Ok(()),
            StrategyConfig::MomentumRotation(rotation) => self.momentum_rotation(rotation, symbols.len()),
            StrategyConfig::FixedWeights(fixed) => self.fixed_weights(fixed, symbols),
            StrategyConfig::EqualRiskContribution(equal) => self.equal_risk_contribution(equal),
            StrategyConfig::SmaCross(sma) => {
                if sma.fast_bars >= sma.slow_bars {
                    let message =
                        format!("must be above fast_bars, which is `{}`, was `{}`", sma.fast_bars, sma.slow_bars);
                    return self.fail("strategy.sma_cross.slow_bars", message);
                }
                self.positive("strategy.sma_cross.weight", sma.weight)
            }
            StrategyConfig::ForecastThreshold(threshold) => {
                self.within("strategy.forecast_threshold.entry_threshold", threshold.entry_threshold, 0.0, f64::MAX)?;
                self.within("strategy.forecast_threshold.long_weight", threshold.long_weight, 0.0, f64::MAX)?;
                self.within("strategy.forecast_threshold.short_weight", threshold.short_weight, -f64::MAX, 0.0)
            }
            StrategyConfig::Kelly(kelly) => {
                self.positive("strategy.kelly.fraction", kelly.fraction)?;
                self.positive("strategy.kelly.weight_max", kelly.weight_max)?;
                self.within("strategy.kelly.rebalance_tolerance", kelly.rebalance_tolerance, 0.0, f64::MAX)
            }
            StrategyConfig::VolatilityTarget(target) => {
                self.positive("strategy.volatility_target.annual_volatility", target.annual_volatility)?;
                self.positive("strategy.volatility_target.weight_max", target.weight_max)?;
                if let Some(bars) = target.lookback_bars {
                    self.at_least("strategy.volatility_target.lookback_bars", bars.get(), 2)?;
                }
                self.within("strategy.volatility_target.rebalance_tolerance", target.rebalance_tolerance, 0.0, f64::MAX)
            }
        }
    }

    fn momentum_rotation(&self, rotation: &MomentumRotationConfig, symbols: usize) -> Result<(), ConfigError> {
        if rotation.top.get() > symbols {
            let message = format!("must be at most the number of symbols, `{symbols}`, was `{}`", rotation.top);
            return self.fail("strategy.momentum_rotation.top", message);
        }
        self.rebalance("strategy.momentum_rotation", &rotation.rebalance)
    }

    fn fixed_weights(&self, fixed: &FixedWeightsConfig, symbols: &[String]) -> Result<(), ConfigError> {
        if let WeightsConfig::BySymbol(weights) = &fixed.weights {
            let key = "strategy.fixed_weights.weights.by_symbol";
            for (symbol, weight) in weights {
                let own = format!("{key}.{}", key_part(symbol));
                if !symbols.contains(symbol) {
                    let near = nearest(symbol, symbols.iter().map(String::as_str));
                    let hint = near.map(|name| format!("did you mean `{name}`?"));
                    let message = format!("must be one of `data.symbols`, was `{symbol}`");
                    return Err(ConfigError { hint, ..self.source.error_at(&own, message) });
                }
                if !weight.is_finite() {
                    return self.fail(&own, format!("must be finite, was `{weight}`"));
                }
            }
            if let Some(symbol) = symbols.iter().find(|symbol| !weights.contains_key(*symbol)) {
                return self.fail(key, format!("must have a weight for every symbol, `{symbol}` has none"));
            }
        }
        self.rebalance("strategy.fixed_weights", &fixed.rebalance)
    }

    fn equal_risk_contribution(&self, equal: &EqualRiskContributionConfig) -> Result<(), ConfigError> {
        self.at_least("strategy.equal_risk_contribution.lookback_bars", equal.lookback_bars.get(), 2)?;
        self.rebalance("strategy.equal_risk_contribution", &equal.rebalance)
    }

    fn rebalance(&self, strategy: &str, rebalance: &RebalanceConfig) -> Result<(), ConfigError> {
        self.within(&format!("{strategy}.rebalance.tolerance"), rebalance.tolerance, 0.0, f64::MAX)
    }
}
