//! The rules that span keys or that types cannot state, for everything but forecasts.

use tidegate_backtest::{BacktestConfig, Commission, FillTiming, RiskLimits, Slippage};
use tidegate_data::Adjustment;
use tidegate_market::{Bps, Cash, Timestamp};

use super::ResolvedData;
use crate::config::{
    CommissionConfig, ConfigError, ConfigSource, ExperimentConfig, FillConfig, SlippageConfig, StrategyConfig,
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

    pub(super) fn data(&self, config: &ExperimentConfig) -> Result<ResolvedData, ConfigError> {
        let data = &config.data;
        if data.symbols.is_empty() {
            return self.fail("data.symbols", "must name at least one symbol, was empty");
        }
        for (index, symbol) in data.symbols.iter().enumerate() {
            if data.symbols[..index].contains(symbol) {
                return self
                    .fail(&format!("data.symbols[{index}]"), format!("must name a symbol once, was `{symbol}` again"));
            }
        }
        let start = data.start.unwrap_or(Timestamp::from_nanos(i64::MIN));
        let end = data.end.map_or(Timestamp::from_nanos(i64::MAX), whole_day);
        let periods_per_year = data.periods_per_year.unwrap_or_else(|| data.interval.periods_per_year(data.calendar));
        self.positive("data.periods_per_year", periods_per_year)?;
        self.adjusted(config)?;
        if start > end {
            return self
                .fail("data.end", format!("must not come before `data.start`, which is `{start}`, was `{end}`"));
        }
        Ok(ResolvedData {
            paths: data.path.0.iter().map(|path| self.source.folder().join(path)).collect(),
            symbols: data.symbols.clone(),
            interval: data.interval,
            label: data.timestamp,
            periods_per_year,
            start,
            end,
            columns: data.columns.clone(),
            policy: data.policy,
            adjustment: data.adjustment,
        })
    }

    /// Adjusted prices are not those that were traded, so nothing may be counted in units of the instrument.
    fn adjusted(&self, config: &ExperimentConfig) -> Result<(), ConfigError> {
        let by_unit = matches!(config.execution.commission, CommissionConfig::PerShare(_));
        if config.data.adjustment != Adjustment::Raw && (by_unit || config.account.lot_size.is_some()) {
            return self.fail(
                "data.adjustment",
                "must be `raw` for a commission per share or a lot size: adjusted prices have other units",
            );
        }
        Ok(())
    }

    pub(super) fn backtest(&self, config: &ExperimentConfig) -> Result<BacktestConfig, ConfigError> {
        self.positive("account.cash", config.account.cash)?;
        self.within("account.cash", config.account.cash, 0.0, 1e15)?;
        if let Some(lot_size) = config.account.lot_size {
            self.positive("account.lot_size", lot_size)?;
        }
        let commission = match config.execution.commission {
            CommissionConfig::None => Commission::None,
            CommissionConfig::Bps(bps) => {
                self.within("execution.commission.bps", bps, 0.0, 9_999.0)?;
                Commission::Bps(Bps(bps))
            }
            CommissionConfig::PerShare(cost) => {
                self.within("execution.commission.per_share.rate", cost.rate, 0.0, f64::MAX)?;
                self.within("execution.commission.per_share.minimum", cost.minimum, 0.0, f64::MAX)?;
                Commission::PerShare { per_share: cost.rate, minimum: cost.minimum }
            }
        };
        let slippage = match config.execution.slippage {
            SlippageConfig::None => Slippage::None,
            SlippageConfig::Bps(bps) => {
                self.within("execution.slippage.bps", bps, 0.0, 9_999.0)?;
                Slippage::Bps(Bps(bps))
            }
        };
        let fill = match config.execution.fill {
            FillConfig::NextOpen => FillTiming::NextOpen,
            FillConfig::NextClose => FillTiming::NextClose,
            FillConfig::SameClose => FillTiming::SameClose,
        };
        Ok(BacktestConfig {
            initial_cash: Cash(config.account.cash),
            fill,
            commission,
            slippage,
            limits: self.limits(config)?,
        })
    }

    fn limits(&self, config: &ExperimentConfig) -> Result<RiskLimits, ConfigError> {
        let risk = &config.risk;
        if let Some(leverage) = risk.gross_leverage_max {
            self.positive("risk.gross_leverage_max", leverage)?;
        }
        if let Some(weight) = risk.weight_max {
            self.positive("risk.weight_max", weight)?;
        }
        if risk.positions_max == Some(0) {
            return self.fail("risk.positions_max", "must be at least 1, was `0`");
        }
        if let Some(stop) = risk.drawdown_stop
            && !(stop > 0.0 && stop < 1.0)
        {
            return self.fail("risk.drawdown_stop", format!("must be in (0, 1), was `{stop}`"));
        }
        Ok(RiskLimits {
            gross_leverage_max: risk.gross_leverage_max,
            weight_max: risk.weight_max,
            positions_max: risk.positions_max,
            drawdown_stop: risk.drawdown_stop,
            ..RiskLimits::UNLIMITED
        })
    }

    pub(super) fn strategy(&self, strategy: &StrategyConfig, instruments: usize) -> Result<(), ConfigError> {
        match strategy {
            StrategyConfig::MomentumRotation(rotation) if rotation.top.get() > instruments => {
                let message = format!("must be at most the number of symbols, `{instruments}`, was `{}`", rotation.top);
                self.fail("strategy.momentum_rotation.top", message)
            }
            StrategyConfig::BuyAndHold {} | StrategyConfig::TargetWeights(_) | StrategyConfig::MomentumRotation(_) => {
                Ok(())
            }
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
}

/// A date means its whole day.
fn whole_day(end: Timestamp) -> Timestamp {
    if end.nanos().rem_euclid(Timestamp::NANOS_PER_DAY) == 0 {
        end.plus_nanos(Timestamp::NANOS_PER_DAY - 1)
    } else {
        end
    }
}
