//! The rules of the tables that make forecasts: features, target, folds, model, training.

use tidegate_backtest::FillTiming;
use tidegate_features::{FeatureSpec, ReturnTarget, TargetPrice, TargetSpec};
use tidegate_forecast::ScaleSpec;

use super::rules::Rules;
use super::{ForecastPlan, ForecastSource, ForecasterPlan, NetworkPlan};
use crate::ExperimentError;
use crate::config::{
    ConfigError, ExperimentConfig, HorizonConfig, ModelConfig, RidgeConfig, TargetConfig, TargetPriceConfig,
    YardstickConfig,
};

impl Rules<'_> {
    pub(super) fn forecasts(&self, config: &ExperimentConfig) -> Result<ForecastSource, ExperimentError> {
        if let Some(forecasts) = &config.forecasts {
            if config.model.is_some() {
                return Ok(self.fail("forecasts", "must not stand beside `[model]`: forecasts come from one of them")?);
            }
            return Ok(ForecastSource::File(self.source.folder().join(&forecasts.path)));
        }
        match &config.model {
            Some(model) => Ok(ForecastSource::WalkForward(Box::new(self.plan(config, model)?))),
            None if config.strategy.needs_forecasts() => {
                Ok(self
                    .fail("strategy", "trades on forecasts, which need `[model]` or `[forecasts]`; neither is given")?)
            }
            None => Ok(ForecastSource::None),
        }
    }

    fn plan(&self, config: &ExperimentConfig, model: &ModelConfig) -> Result<ForecastPlan, ExperimentError> {
        let (Some(features), Some(target), Some(walk_forward)) =
            (&config.features, &config.target, &config.walk_forward)
        else {
            let missing = match (&config.features, &config.target) {
                (None, _) => "[features]",
                (_, None) => "[target]",
                _ => "[walk_forward]",
            };
            return Ok(self.fail("model", format!("needs `{missing}`, which is missing"))?);
        };
        self.features(&features.columns)?;
        let Some(scaler) = &features.scaler else {
            return Ok(self.fail("features.scaler", "is missing: state `none`, `standard`, `robust` or `min_max`")?);
        };
        if let Err(error) = walk_forward.validate() {
            return Ok(self.fail("walk_forward", error.to_string())?);
        }
        if let Err(error) = scaler.validate() {
            return Ok(self.fail("features.scaler", error.to_string())?);
        }
        if model.ensemble_size == 0 {
            return Ok(self.fail("model.ensemble_size", "must be at least 1, was `0`")?);
        }
        let scales = self.scales(model)?;
        let feature_count = features.columns.iter().map(|spec| spec.column_names().len()).sum();
        let forecaster = self.forecaster(config, model, feature_count)?;
        Ok(ForecastPlan {
            features: features.columns.clone(),
            scaler: *scaler,
            target: self.target(*target, self.fill(config)?)?,
            walk_forward: *walk_forward,
            scales,
            ensemble_size: model.ensemble_size,
            forecaster,
        })
    }

    pub(super) fn features(&self, columns: &[FeatureSpec]) -> Result<(), ConfigError> {
        self.at_least("features.columns", columns.len(), 1)?;
        let mut names: Vec<String> = Vec::new();
        for (index, spec) in columns.iter().enumerate() {
            let key = format!("features.columns[{index}]");
            if let Err(error) = spec.validate() {
                return self.fail(&key, error.to_string());
            }
            for name in spec.column_names() {
                if names.contains(&name) {
                    return self.fail(&key, format!("makes the column `{name}` a second time; rename one with `as`"));
                }
                names.push(name);
            }
        }
        Ok(())
    }

    fn scales(&self, model: &ModelConfig) -> Result<Vec<ScaleSpec>, ConfigError> {
        self.at_least("model.scales", model.scales.len(), 1)?;
        for (index, scale) in model.scales.iter().enumerate() {
            self.at_least(&format!("model.scales[{index}].window_bars"), scale.window_bars, 1)?;
            self.at_least(&format!("model.scales[{index}].bar_multiple"), scale.bar_multiple, 1)?;
        }
        Ok(model
            .scales
            .iter()
            .map(|scale| ScaleSpec { window_bars: scale.window_bars, bar_multiple: scale.bar_multiple })
            .collect())
    }

    fn target(&self, target: TargetConfig, fill: FillTiming) -> Result<TargetSpec, ConfigError> {
        let price = |horizon: HorizonConfig| match (horizon.price, fill) {
            (Some(TargetPriceConfig::NextOpen), _) | (None, FillTiming::NextOpen) => TargetPrice::NextOpen,
            (Some(TargetPriceConfig::NextClose), _) | (None, FillTiming::NextClose) => TargetPrice::NextClose,
            (Some(TargetPriceConfig::Close), _) | (None, FillTiming::SameClose | FillTiming::SameCloseBookedNext) => {
                TargetPrice::Close
            }
        };
        let (key, horizon) = match target {
            TargetConfig::LogReturn(horizon) => ("target.log_return.horizon_bars", horizon),
            TargetConfig::SimpleReturn(horizon) => ("target.simple_return.horizon_bars", horizon),
        };
        self.at_least(key, horizon.horizon_bars as usize, 1)?;
        let parameters = ReturnTarget { horizon_bars: horizon.horizon_bars, price: price(horizon) };
        Ok(match target {
            TargetConfig::LogReturn(_) => TargetSpec::LogReturn(parameters),
            TargetConfig::SimpleReturn(_) => TargetSpec::SimpleReturn(parameters),
        })
    }

    fn forecaster(
        &self,
        config: &ExperimentConfig,
        model: &ModelConfig,
        feature_count: usize,
    ) -> Result<ForecasterPlan, ConfigError> {
        match (&model.yardstick, &model.encoder, &model.head, &model.loss) {
            (Some(yardstick), None, None, None) => self.yardstick(yardstick),
            (Some(_), ..) => self.fail("model.yardstick", "must not stand beside `encoder`, `head` or `loss`"),
            (None, Some(encoder), Some(head), Some(loss)) => {
                let Some(training) = &config.training else {
                    return self.fail("model.encoder", "needs `[training]`, which is missing");
                };
                let network = NetworkPlan { encoder: encoder.clone(), head: head.clone(), loss: loss.clone() };
                if let Err(error) = network.spec(vec![feature_count; model.scales.len()]).validate() {
                    return self.fail("model", error.to_string());
                }
                if let Err(error) = training.validate() {
                    return self.fail("training", error.to_string());
                }
                Ok(ForecasterPlan::Network(Box::new(network), Box::new(training.clone())))
            }
            (None, encoder, head, _) => {
                let missing = match (encoder, head) {
                    (None, _) => "encoder",
                    (_, None) => "head",
                    _ => "loss",
                };
                self.fail("model", format!("needs `[model.{missing}]`, or `[model.yardstick]` in place of a network"))
            }
        }
    }

    fn yardstick(&self, yardstick: &YardstickConfig) -> Result<ForecasterPlan, ConfigError> {
        if let YardstickConfig::Ridge(RidgeConfig { lambda: Some(lambda) }) = yardstick {
            self.positive("model.yardstick.ridge.lambda", *lambda)?;
        }
        Ok(ForecasterPlan::Yardstick(yardstick.clone()))
    }
}
