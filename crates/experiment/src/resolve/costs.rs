//! The rules of `[execution.commission]` and `[execution.slippage]`.

use tidegate_backtest::{Commission, CommissionTier, Slippage};
use tidegate_market::{Bps, Cash, Price};

use super::rules::Rules;
use crate::config::{
    CommissionConfig, ConfigError, ExecutionConfig, ExperimentConfig, SlippageConfig, TierConfig, key_part,
};

/// The highest rate in basis points.
const BPS_MAX: f64 = 9_999.0;

/// The most money, units or ticks that the engine reckons with.
const AMOUNT_MAX: f64 = 1e15;

impl Rules<'_> {
    pub(super) fn commission(&self, execution: &ExecutionConfig) -> Result<Commission, ConfigError> {
        let amount = |key: &str, value| self.within(&format!("execution.commission.{key}"), value, 0.0, AMOUNT_MAX);
        let bps = |key: &str, value| self.within(&format!("execution.commission.{key}"), value, 0.0, BPS_MAX);
        match &execution.commission {
            None => self.unstated(
                "commission",
                "`none`, `bps`, `fixed`, `fixed_plus_bps`, `per_share`, `tiered` or `maker_taker`",
            ),
            Some(CommissionConfig::None) => Ok(Commission::None),
            Some(CommissionConfig::Bps(rate)) => {
                bps("bps", *rate)?;
                Ok(Commission::Bps(Bps(*rate)))
            }
            Some(CommissionConfig::Fixed(fee)) => {
                amount("fixed", *fee)?;
                Ok(Commission::Fixed(Cash(*fee)))
            }
            Some(CommissionConfig::FixedPlusBps(cost)) => {
                amount("fixed_plus_bps.fixed", cost.fixed)?;
                bps("fixed_plus_bps.bps", cost.bps)?;
                Ok(Commission::FixedPlusBps { fixed: Cash(cost.fixed), bps: Bps(cost.bps) })
            }
            Some(CommissionConfig::PerShare(cost)) => {
                amount("per_share.rate", cost.rate)?;
                amount("per_share.minimum", cost.minimum)?;
                self.share("execution.commission.per_share.maximum_fraction", cost.maximum_fraction)?;
                let (per_share, minimum, maximum_fraction) = (cost.rate, cost.minimum, cost.maximum_fraction);
                Ok(Commission::PerShare { per_share, minimum, maximum_fraction })
            }
            Some(CommissionConfig::Tiered(tiers)) => {
                self.tiers(tiers)?;
                let tier = |tier: &TierConfig| CommissionTier { from_value: tier.from_value, bps: Bps(tier.bps) };
                Ok(Commission::Tiered(tiers.iter().map(tier).collect()))
            }
            Some(CommissionConfig::MakerTaker(rates)) => {
                self.within("execution.commission.maker_taker.maker_bps", rates.maker_bps, -BPS_MAX, BPS_MAX)?;
                bps("maker_taker.taker_bps", rates.taker_bps)?;
                Ok(Commission::MakerTaker { maker: Bps(rates.maker_bps), taker: Bps(rates.taker_bps) })
            }
        }
    }

    fn tiers(&self, tiers: &[TierConfig]) -> Result<(), ConfigError> {
        self.at_least("execution.commission.tiered", tiers.len(), 1)?;
        for (index, tier) in tiers.iter().enumerate() {
            let key = |field: &str| format!("execution.commission.tiered[{index}].{field}");
            self.within(&key("bps"), tier.bps, 0.0, BPS_MAX)?;
            let from_value = tier.from_value;
            let rule = match index.checked_sub(1).map(|before| tiers[before].from_value) {
                None if from_value != 0.0 => "must be 0 in the first tier".to_owned(),
                Some(before) if !(from_value.is_finite() && from_value > before) => {
                    format!("must be finite and above that of the tier before, which is `{before}`")
                }
                _ => continue,
            };
            return self.fail(&key("from_value"), format!("{rule}, was `{from_value}`"));
        }
        Ok(())
    }

    pub(super) fn slippage(&self, config: &ExperimentConfig) -> Result<Slippage, ConfigError> {
        let amount = |key: &str, value| self.within(&format!("execution.slippage.{key}"), value, 0.0, AMOUNT_MAX);
        match config.execution.slippage {
            None => self
                .unstated("slippage", "`none`, `bps`, `half_spread`, `ticks`, `volume_share` or `square_root_impact`"),
            Some(SlippageConfig::None) => Ok(Slippage::None),
            Some(SlippageConfig::Bps(bps)) => {
                self.within("execution.slippage.bps", bps, 0.0, BPS_MAX)?;
                Ok(Slippage::Bps(Bps(bps)))
            }
            Some(SlippageConfig::HalfSpread(half)) => {
                amount("half_spread", half)?;
                Ok(Slippage::HalfSpread(Price(half)))
            }
            Some(SlippageConfig::Ticks(ticks)) => {
                amount("ticks", ticks)?;
                self.every_tick_size(config)?;
                Ok(Slippage::Ticks(ticks))
            }
            Some(SlippageConfig::VolumeShare(share)) => {
                amount("volume_share.impact", share.impact)?;
                self.share("execution.slippage.volume_share.share_max", Some(share.share_max))?;
                Ok(Slippage::VolumeShare { impact: share.impact, share_max: share.share_max })
            }
            Some(SlippageConfig::SquareRootImpact(impact)) => {
                amount("square_root_impact.coefficient", impact.coefficient)?;
                let bars = impact.lookback_bars;
                self.at_least("execution.slippage.square_root_impact.lookback_bars", bars.get(), 2)?;
                Ok(Slippage::SquareRootImpact { coefficient: impact.coefficient, lookback_bars: bars })
            }
        }
    }

    fn every_tick_size(&self, config: &ExperimentConfig) -> Result<(), ConfigError> {
        let has_tick_size =
            |symbol: &&String| config.instruments.get(*symbol).is_some_and(|instrument| instrument.tick_size.is_some());
        match config.data.symbols.iter().find(|symbol| !has_tick_size(symbol)) {
            None => Ok(()),
            Some(symbol) => {
                let message = format!("needs the tick size of every symbol, `{symbol}` has none");
                let hint = format!("state `tick_size` in `[instruments.{}]`", key_part(symbol));
                Err(ConfigError { hint: Some(hint), ..self.source.error_at("execution.slippage.ticks", message) })
            }
        }
    }
}
