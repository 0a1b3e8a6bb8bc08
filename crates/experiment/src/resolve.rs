//! What a user wrote becomes what runs: every optional key decided, every rule that spans keys checked.

use std::path::{Path, PathBuf};

use serde::Serialize;
use tidegate_backtest::{BacktestConfig, Commission, FillTiming, RiskLimits, Slippage};
use tidegate_features::{FeatureSpec, ReturnTarget, TargetPrice, TargetSpec};
use tidegate_forecast::{ScaleSpec, ScalerSpec, WalkForward};
use tidegate_market::{BarInterval, BarLabel, Bps, Cash, Timestamp, TradingCalendar};
use tidegate_models::{Encoder, Head, Loss, NetworkSpec, TrainingSpec};

use crate::ExperimentError;
use crate::config::{
    CommissionConfig, ConfigError, ConfigSource, ExperimentConfig, FillConfig, ForecastsConfig, HorizonConfig,
    ModelConfig, RidgeConfig, SlippageConfig, StrategyConfig, TargetConfig, TargetPriceConfig, YardstickConfig,
};
use crate::error::cannot_read;
use tidegate_data::{Adjustment, ColumnMapping, OffencePolicy};

/// An experiment in which nothing is left to decide.
#[derive(Debug, Clone)]
pub struct ResolvedExperiment {
    /// The report's title.
    pub name: String,
    /// The report's text; may be empty.
    pub description: String,
    /// The strategy file's stem: the study's name.
    pub stem: String,
    /// The seed.
    pub seed: u64,
    /// Where the bars come from.
    pub data: ResolvedData,
    /// Where forecasts come from.
    pub forecasts: ForecastSource,
    /// What is traded.
    pub strategy: StrategyConfig,
    /// The folder that the strategy's own paths start from.
    pub folder: PathBuf,
    /// Money, fills, costs, limits.
    pub backtest: BacktestConfig,
    /// The smallest tradable step; `None` trades fractions.
    pub lot_size: Option<f64>,
    /// The hash of the written config after overrides, without the sweep.
    pub config_hash: String,
    /// The written config after overrides.
    pub config: ExperimentConfig,
}

/// Where the bars come from.
#[derive(Debug, Clone)]
pub struct ResolvedData {
    /// Files, folders or globs, anchored at the strategy file's folder.
    pub paths: Vec<PathBuf>,
    /// The symbols, in order.
    pub symbols: Vec<String>,
    /// The length of a bar.
    pub interval: BarInterval,
    /// Which end of the bar a time names.
    pub label: BarLabel,
    /// When the market trades.
    pub calendar: TradingCalendar,
    /// The first time label to use.
    pub start: Timestamp,
    /// The last time label to use.
    pub end: Timestamp,
    /// The file's own column names.
    pub columns: ColumnMapping,
    /// What to do with offences.
    pub policy: OffencePolicy,
    /// Which corporate actions prices are adjusted for.
    pub adjustment: Adjustment,
}

impl ResolvedData {
    /// Returns how many bars make a year.
    pub fn periods_per_year(&self) -> f64 {
        self.interval.periods_per_year(self.calendar)
    }
}

/// Where forecasts come from.
#[derive(Debug, Clone)]
pub enum ForecastSource {
    /// The strategy uses none.
    None,
    /// A file.
    File(PathBuf),
    /// A walk-forward of the experiment's own.
    WalkForward(Box<ForecastPlan>),
}

/// A walk-forward of the experiment's own.
#[derive(Debug, Clone)]
pub struct ForecastPlan {
    /// What a forecaster sees.
    pub features: Vec<FeatureSpec>,
    /// How columns are scaled.
    pub scaler: ScalerSpec,
    /// What a forecaster learns.
    pub target: TargetSpec,
    /// How time is cut.
    pub walk_forward: WalkForward,
    /// The windows.
    pub scales: Vec<ScaleSpec>,
    /// Members per fold.
    pub ensemble_size: u32,
    /// The forecaster.
    pub forecaster: ForecasterPlan,
}

impl ForecastPlan {
    /// Returns how many bars ahead the target reaches.
    pub const fn horizon_bars(&self) -> u32 {
        self.target_parameters().horizon_bars
    }

    /// Returns whether the target runs between prices at which the strategy's orders fill.
    pub fn target_is_traded(&self, fill: FillTiming) -> bool {
        let price = self.target_parameters().price;
        matches!(
            (price, fill),
            (TargetPrice::NextOpen, FillTiming::NextOpen) | (TargetPrice::Close, FillTiming::SameClose)
        )
    }

    const fn target_parameters(&self) -> &ReturnTarget {
        match &self.target {
            TargetSpec::LogReturn(parameters) | TargetSpec::SimpleReturn(parameters) => parameters,
        }
    }
}

/// The forecaster of a plan.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ForecasterPlan {
    /// A network and its training.
    Network(Box<NetworkPlan>, Box<TrainingSpec>),
    /// A yardstick.
    Yardstick(YardstickConfig),
}

/// A network before the number of its inputs is known.
#[derive(Debug, Clone, Serialize)]
pub struct NetworkPlan {
    /// The part that reads windows.
    pub encoder: Encoder,
    /// The part that states the forecast.
    pub head: Head,
    /// What training minimises.
    pub loss: Loss,
}

impl NetworkPlan {
    /// Returns the network for windows with the stated features, one count per scale.
    pub fn spec(&self, feature_counts: Vec<usize>) -> NetworkSpec {
        NetworkSpec { encoder: self.encoder.clone(), head: self.head.clone(), loss: self.loss.clone(), feature_counts }
    }
}

impl ForecasterPlan {
    /// Returns the name shown beside its scores.
    pub fn name(&self) -> String {
        match self {
            Self::Network(network, _) => network.encoder.name().to_owned(),
            Self::Yardstick(YardstickConfig::Zero {}) => "zero".to_owned(),
            Self::Yardstick(YardstickConfig::HistoricalMean {}) => "historical_mean".to_owned(),
            Self::Yardstick(YardstickConfig::EwmaVolatility {}) => "ewma_volatility".to_owned(),
            Self::Yardstick(YardstickConfig::Ridge(_)) => "ridge".to_owned(),
        }
    }
}

impl ResolvedExperiment {
    /// Reads, overrides and resolves a strategy file whose forecasts come from another file, in place of its own `[model]`.
    ///
    /// # Errors
    /// The first mistake, with its file, line and column.
    pub fn with_forecasts_from(source: &ConfigSource, forecasts: &Path) -> Result<Self, ExperimentError> {
        let path = std::path::absolute(forecasts).map_err(cannot_read(forecasts))?;
        let config = ExperimentConfig {
            model: None,
            training: None,
            forecasts: Some(ForecastsConfig { path }),
            ..source.parse()?
        };
        Self::from_config(source, config)
    }

    /// Reads, overrides and resolves a strategy file.
    ///
    /// # Errors
    /// The first mistake, with its file, line and column.
    pub fn from_source(source: &ConfigSource) -> Result<Self, ExperimentError> {
        let config = source.parse()?;
        Self::from_config(source, config)
    }

    /// Resolves a parsed config; `source` is where mistakes are pointed at.
    ///
    /// # Errors
    /// The first rule that is broken, with the key's place.
    pub fn from_config(source: &ConfigSource, config: ExperimentConfig) -> Result<Self, ExperimentError> {
        let check = Check { source };
        check.strategy(&config.strategy, config.data.symbols.len())?;
        let data = check.data(&config)?;
        let backtest = check.backtest(&config)?;
        let forecasts = check.forecasts(&config)?;
        let stem =
            source.path().file_stem().map_or_else(|| "experiment".to_owned(), |s| s.to_string_lossy().into_owned());
        Ok(Self {
            name: config.name.clone(),
            description: config.description.clone().unwrap_or_default(),
            stem,
            seed: config.seed,
            data,
            forecasts,
            strategy: config.strategy.clone(),
            folder: source.folder().to_owned(),
            backtest,
            lot_size: config.account.lot_size,
            config_hash: config_hash(&config)?,
            config,
        })
    }
}

/// Hashes what was written, without the title and the sweep, which change no number of a run.
fn config_hash(config: &ExperimentConfig) -> Result<String, ExperimentError> {
    let bare = ExperimentConfig { name: String::new(), description: None, sweep: None, ..config.clone() };
    let text = serde_json::to_string(&bare).map_err(|error| ExperimentError::Internal(error.to_string()))?;
    Ok(blake3::hash(text.as_bytes()).to_hex()[..16].to_owned())
}

/// Checks the rules that span keys or that types cannot state.
struct Check<'a> {
    source: &'a ConfigSource,
}

impl Check<'_> {
    fn fail<T>(&self, key: &str, message: impl Into<String>) -> Result<T, ConfigError> {
        Err(self.source.error_at(key, message))
    }

    fn positive(&self, key: &str, value: f64) -> Result<(), ConfigError> {
        match value.is_finite() && value > 0.0 {
            true => Ok(()),
            false => self.fail(key, format!("must be finite and above 0, was `{value}`")),
        }
    }

    fn within(&self, key: &str, value: f64, low: f64, high: f64) -> Result<(), ConfigError> {
        match (low..=high).contains(&value) {
            true => Ok(()),
            false => self.fail(key, format!("must be in [{low}, {high}], was `{value}`")),
        }
    }

    fn at_least(&self, key: &str, value: usize, least: usize) -> Result<(), ConfigError> {
        match value >= least {
            true => Ok(()),
            false => self.fail(key, format!("must be at least {least}, was `{value}`")),
        }
    }

    fn data(&self, config: &ExperimentConfig) -> Result<ResolvedData, ConfigError> {
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
        let end = data.end.unwrap_or(Timestamp::from_nanos(i64::MAX));
        if start > end {
            return self
                .fail("data.end", format!("must not come before `data.start`, which is `{start}`, was `{end}`"));
        }
        Ok(ResolvedData {
            paths: data.path.0.iter().map(|path| self.source.folder().join(path)).collect(),
            symbols: data.symbols.clone(),
            interval: data.interval,
            label: data.timestamp,
            calendar: data.calendar,
            start,
            end,
            columns: data.columns.clone(),
            policy: data.policy,
            adjustment: data.adjustment,
        })
    }

    fn backtest(&self, config: &ExperimentConfig) -> Result<BacktestConfig, ConfigError> {
        self.positive("account.cash", config.account.cash)?;
        if let Some(lot_size) = config.account.lot_size {
            self.positive("account.lot_size", lot_size)?;
        }
        let commission = match config.execution.commission {
            CommissionConfig::None => Commission::None,
            CommissionConfig::Bps(bps) => {
                self.within("execution.commission.bps", bps, 0.0, 10_000.0)?;
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

    fn strategy(&self, strategy: &StrategyConfig, instruments: usize) -> Result<(), ConfigError> {
        match strategy {
            StrategyConfig::BuyAndHold {} | StrategyConfig::TargetWeights(_) => Ok(()),
            StrategyConfig::MomentumRotation(rotation) => match rotation.top.get() > instruments {
                true => self.fail(
                    "strategy.momentum_rotation.top",
                    format!("must be at most the number of symbols, `{instruments}`, was `{}`", rotation.top),
                ),
                false => Ok(()),
            },
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

    fn forecasts(&self, config: &ExperimentConfig) -> Result<ForecastSource, ExperimentError> {
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
            target: self.target(*target, config.execution.fill)?,
            walk_forward: *walk_forward,
            scales,
            ensemble_size: model.ensemble_size,
            forecaster,
        })
    }

    fn features(&self, columns: &[FeatureSpec]) -> Result<(), ConfigError> {
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

    fn target(&self, target: TargetConfig, fill: FillConfig) -> Result<TargetSpec, ConfigError> {
        let price = |horizon: HorizonConfig| match (horizon.price, fill) {
            (Some(TargetPriceConfig::NextOpen), _) | (None, FillConfig::NextOpen) => TargetPrice::NextOpen,
            (Some(TargetPriceConfig::Close), _) | (None, _) => TargetPrice::Close,
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
