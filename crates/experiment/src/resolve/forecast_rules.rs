//! The rules of the tables that make forecasts: features, target, folds, model, training.

use tidegate_backtest::FillTiming;
use tidegate_features::{FeatureSpec, ReturnTarget, TargetPrice, TargetSpec};
use tidegate_forecast::{FoldScheme, RankSpec, Recalibration, ScaleSpec};

use super::rules::Rules;
use super::{ForecastPlan, ForecastSource, ForecasterPlan, Inference, NetworkPlan};
use crate::ExperimentError;
use crate::config::{
    ConfigError, ExperimentConfig, InferenceConfig, ModelConfig, RidgeConfig, ScaleConfig, TargetConfig,
    TargetPriceConfig, YardstickConfig,
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
        let (Some(features), Some(target)) = (&config.features, &config.target) else {
            let missing = if config.features.is_none() { "[features]" } else { "[target]" };
            return Ok(self.fail("model", format!("needs `{missing}`, which is missing"))?);
        };
        let scheme = self.scheme(config)?;
        self.features(&features.columns)?;
        let Some(scaler) = &features.scaler else {
            return Ok(self.fail("features.scaler", "is missing: state `none`, `standard`, `robust` or `min_max`")?);
        };
        if let Err(error) = scaler.validate() {
            return Ok(self.fail("features.scaler", error.to_string())?);
        }
        if model.ensemble_size == 0 {
            return Ok(self.fail("model.ensemble_size", "must be at least 1, was `0`")?);
        }
        if let Some(Err(error)) = model.sample_weights.map(|weights| weights.validate()) {
            return Ok(self.fail("model.sample_weights", error.to_string())?);
        }
        let scales = self.scales(model)?;
        let feature_count = features.columns.iter().map(|spec| spec.column_names().len()).sum();
        let forecaster = self.forecaster(config, model, feature_count)?;
        Ok(ForecastPlan {
            features: features.columns.clone(),
            scaler: *scaler,
            target: target_spec(target, self.fill(config)?),
            scheme,
            sample_weights: model.sample_weights,
            recalibration: self.recalibration(model)?,
            rank: self.rank(target, config.data.symbols.len())?,
            scales,
            ensemble_size: model.ensemble_size,
            inference: self.inference(model, &forecaster, feature_count)?,
            forecaster,
        })
    }

    fn scheme(&self, config: &ExperimentConfig) -> Result<FoldScheme, ConfigError> {
        let (key, scheme) = match (config.walk_forward, config.cross_validation) {
            (Some(scheme), None) => ("walk_forward", FoldScheme::WalkForward(scheme)),
            (None, Some(scheme)) => ("cross_validation", FoldScheme::CrossValidation(scheme)),
            (None, None) => {
                return self.fail("model", "needs `[walk_forward]` or `[cross_validation]`; neither is given");
            }
            (Some(_), Some(_)) => {
                return self.fail("cross_validation", "must not stand beside `[walk_forward]`: time is cut one way");
            }
        };
        match scheme.validate() {
            Ok(()) => Ok(scheme),
            Err(error) => self.fail(key, error.to_string()),
        }
    }

    fn recalibration(&self, model: &ModelConfig) -> Result<Recalibration, ConfigError> {
        let recalibration = model.recalibration.unwrap_or(Recalibration::None {});
        if let Err(error) = recalibration.validate() {
            return self.fail("model.recalibration", error.to_string());
        }
        let is_none = matches!(recalibration, Recalibration::None {});
        if !is_none && matches!(model.inference, InferenceConfig::Stream) {
            return self
                .fail("model.recalibration", "must not stand beside `inference = \"stream\"`: it needs whole blocks");
        }
        Ok(recalibration)
    }

    fn rank(&self, target: &TargetConfig, symbols: usize) -> Result<Option<RankSpec>, ConfigError> {
        let Some(rank) = target.horizon().cross_sectional_rank else { return Ok(None) };
        let key = format!("target.{}.cross_sectional_rank", target.name());
        if let Err(error) = rank.validate() {
            return self.fail(&key, error.to_string());
        }
        if rank.symbols_min > symbols {
            let found = rank.symbols_min;
            return self
                .fail(&key, format!("symbols_min must be at most the `{symbols}` symbols of data, was `{found}`"));
        }
        Ok(Some(rank))
    }

    /// Refuses to step what has no state, or what reads bars of several lengths.
    fn inference(
        &self,
        model: &ModelConfig,
        forecaster: &ForecasterPlan,
        feature_count: usize,
    ) -> Result<Inference, ConfigError> {
        let refuse = |found: String| {
            let rule = "must be `window`: `stream` carries the state of one network from bar to bar";
            self.fail("model.inference", format!("{rule}, {found}"))
        };
        let network = match (model.inference, forecaster) {
            (InferenceConfig::Window, _) => return Ok(Inference::Window),
            (InferenceConfig::Stream, ForecasterPlan::Network(network, _)) => network,
            (InferenceConfig::Stream, ForecasterPlan::Yardstick(_)) => {
                return refuse(format!("and yardstick `{}` has none", forecaster.name()));
            }
        };
        if model.scales.len() > 1 {
            return refuse(format!("and the windows of `{}` scales do not step together", model.scales.len()));
        }
        if model.scales[0].bar_multiple > 1 {
            let multiple = model.scales[0].bar_multiple;
            return refuse(format!("and with bar_multiple `{multiple}` there is no step at most bars"));
        }
        if !tidegate_models::can_stream(&network.spec(vec![feature_count], 1)) {
            return refuse(format!("and encoder `{}` reads whole windows", network.encoder.name()));
        }
        Ok(Inference::Stream)
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
        let mut scales = Vec::with_capacity(model.scales.len());
        for (index, &ScaleConfig { window_bars, bar_multiple, window_bars_min }) in model.scales.iter().enumerate() {
            self.at_least(&format!("model.scales[{index}].window_bars"), window_bars, 1)?;
            self.at_least(&format!("model.scales[{index}].bar_multiple"), bar_multiple, 1)?;
            let scale = ScaleSpec { window_bars, bar_multiple, window_bars_min };
            if let Err(error) = scale.validate() {
                return self.fail(&format!("model.scales[{index}].window_bars_min"), error.to_string());
            }
            scales.push(scale);
        }
        Ok(scales)
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
                let target = config.target.as_ref().expect("a plan has a target");
                let network = NetworkPlan {
                    encoder: encoder.clone(),
                    head: head.clone(),
                    loss: loss.clone(),
                    window_bars: model.scales.iter().map(|scale| scale.window_bars).collect(),
                    horizons: target.horizon().horizon_bars.len(),
                    symbol_embedding: model.symbol_embedding,
                    head_hidden_size: model.head_hidden_size,
                    head_dropout: model.head_dropout.unwrap_or(0.0),
                };
                if let Err(error) = network.spec(vec![feature_count; model.scales.len()], 1).validate() {
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
        if let YardstickConfig::BoostedTrees(trees) = yardstick
            && let Err(error) = trees.validate()
        {
            return self.fail("model.yardstick.boosted_trees", error.to_string());
        }
        Ok(ForecasterPlan::Yardstick(yardstick.clone()))
    }
}

/// Returns the target, between the prices at which orders fill where the config states none.
fn target_spec(target: &TargetConfig, fill: FillTiming) -> TargetSpec {
    let horizon = target.horizon();
    let price = match (horizon.price, fill) {
        (Some(TargetPriceConfig::NextOpen), _) | (None, FillTiming::NextOpen) => TargetPrice::NextOpen,
        (Some(TargetPriceConfig::NextClose), _) | (None, FillTiming::NextClose) => TargetPrice::NextClose,
        (Some(TargetPriceConfig::Close), _) | (None, FillTiming::SameClose | FillTiming::SameCloseBookedNext) => {
            TargetPrice::Close
        }
    };
    let parameters = ReturnTarget { horizon_bars: horizon.horizon_bars.clone(), price };
    match target {
        TargetConfig::LogReturn(_) => TargetSpec::LogReturn(parameters),
        TargetConfig::SimpleReturn(_) => TargetSpec::SimpleReturn(parameters),
        TargetConfig::Difference(_) => TargetSpec::Difference(parameters),
        TargetConfig::RealizedVariance(_) => TargetSpec::RealizedVariance(parameters),
        TargetConfig::LogVolatility(_) => TargetSpec::LogVolatility(parameters),
    }
}
