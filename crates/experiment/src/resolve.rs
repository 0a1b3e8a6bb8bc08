//! What a user wrote becomes what runs: every optional key decided, every rule that spans keys checked.

mod costs;
mod data;
mod execution;
mod expressions;
mod forecast_rules;
mod instruments;
mod profiles;
mod rules;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use serde::Serialize;
use tidegate_backtest::strategies::RulesParams;
use tidegate_backtest::{BacktestConfig, FillTiming};
use tidegate_features::{FeatureSpec, TargetPrice, TargetSpec};
use tidegate_forecast::{FoldScheme, RankSpec, Recalibration, ScaleSpec, ScalerSpec, WeightSpec};
use tidegate_market::Instrument;
use tidegate_metrics::{Convention, MetricOptions};
use tidegate_models::{Encoder, Head, Loss, NetworkSpec, TrainingSpec};

pub(crate) use self::data::counts_units;
pub use self::data::{ActionsPlan, DetailPlan, ResolvedData};
pub use self::instruments::RateFiles;
use self::rules::Rules;
use crate::ExperimentError;
use crate::config::{ConfigError, ConfigSource, ExperimentConfig, ForecastsConfig, StrategyConfig, YardstickConfig};
use crate::error::cannot_read;

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
    /// The conditions of a strategy by rules; `None` for any other.
    pub rules: Option<RulesPlan>,
    /// The folder that the strategy's own paths start from.
    pub folder: PathBuf,
    /// Money, fills, costs, limits.
    pub backtest: BacktestConfig,
    /// What is traded, in the order of the symbols.
    pub instruments: Vec<Instrument>,
    /// How returns are measured.
    pub metrics: MetricOptions,
    /// The hash of the config, without the sweep.
    pub config_hash: String,
    /// The written config after overrides and with what its profile fills in.
    pub config: ExperimentConfig,
}
/// The conditions of a strategy by rules, and the columns that they name by place.
#[derive(Debug, Clone)]
pub struct RulesPlan {
    /// What makes the columns.
    pub features: Vec<FeatureSpec>,
    /// The conditions and the size.
    pub params: RulesParams,
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
    pub scheme: FoldScheme,
    /// What is done to the forecasts of a fold once its validation set is known.
    pub recalibration: Recalibration,
    /// How labels become ranks across the symbols; `None` leaves them.
    pub rank: Option<RankSpec>,
    /// How much each training sample counts; `None` counts all the same.
    pub sample_weights: Option<WeightSpec>,
    /// The windows.
    pub scales: Vec<ScaleSpec>,
    /// Members per fold.
    pub ensemble_size: u32,
    /// The forecaster.
    pub forecaster: ForecasterPlan,
    /// How the trained members read the test bars.
    pub inference: Inference,
}

/// How trained members read the test bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inference {
    /// One window per forecast, all before the backtest.
    Window,
    /// Step by step inside the backtest, with a state that is carried on.
    Stream,
}

impl ForecastPlan {
    /// Returns how many bars ahead the target's nearest horizon reaches.
    pub fn horizon_bars(&self) -> u32 {
        self.target.parameters().horizon_bars.nearest()
    }

    /// Returns whether the target runs between prices at which the strategy's orders fill.
    pub fn target_is_traded(&self, fill: FillTiming) -> bool {
        let price = self.target.parameters().price;
        matches!(
            (price, fill),
            (TargetPrice::NextOpen, FillTiming::NextOpen)
                | (TargetPrice::NextClose, FillTiming::NextClose)
                | (TargetPrice::Close, FillTiming::SameClose | FillTiming::SameCloseBookedNext)
        )
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
    /// Bars in the windows of each scale.
    pub window_bars: Vec<usize>,
    /// Forecast horizons.
    pub horizons: usize,
    /// Learned values per symbol.
    pub symbol_embedding: Option<usize>,
    /// Hidden values before the head.
    pub head_hidden_size: Option<usize>,
    /// Dropout before the head.
    pub head_dropout: f64,
}

impl NetworkPlan {
    /// Returns the network for windows with the stated features, one count per scale, of so many symbols.
    pub fn spec(&self, feature_counts: Vec<usize>, symbols: usize) -> NetworkSpec {
        NetworkSpec {
            window_bars: self.window_bars.clone(),
            horizons: self.horizons,
            symbols: if self.symbol_embedding.is_some() { symbols } else { 1 },
            symbol_embedding: self.symbol_embedding,
            head_hidden_size: self.head_hidden_size,
            head_dropout: self.head_dropout,
            ..NetworkSpec::new(self.encoder.clone(), self.head.clone(), self.loss.clone(), feature_counts)
        }
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
            Self::Yardstick(YardstickConfig::Garch {}) => "garch".to_owned(),
            Self::Yardstick(YardstickConfig::BoostedTrees(_)) => "boosted_trees".to_owned(),
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
        let absolute = std::path::absolute(forecasts).map_err(cannot_read(forecasts))?;
        let written = source.parse()?;
        if !written.strategy.needs_forecasts() {
            return Err(source
                .error_at("strategy", "trades on prices alone, so there is nothing to do with forecasts")
                .into());
        }
        let config = ExperimentConfig {
            model: None,
            target: None,
            walk_forward: None,
            cross_validation: None,
            training: None,
            forecasts: Some(ForecastsConfig { path: forecasts.to_owned() }),
            ..written
        };
        Ok(Self { forecasts: ForecastSource::File(absolute), ..Self::from_config(source, config)? })
    }

    /// Reads, overrides and resolves a strategy file.
    ///
    /// # Errors
    /// The first mistake, with its file, line and column.
    pub fn from_source(source: &ConfigSource) -> Result<Self, ExperimentError> {
        let config = source.parse()?;
        Self::from_config(source, config)
    }

    /// Returns the files besides the bars that a result depends on: forecasts or weights made elsewhere.
    pub fn input_files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        if let ForecastSource::File(path) = &self.forecasts {
            files.push(path.clone());
        }
        if let StrategyConfig::TargetWeights(weights) = &self.strategy {
            files.push(self.folder.join(&weights.path));
        }
        files
    }

    /// Resolves a parsed config; `source` is where mistakes are pointed at.
    ///
    /// # Errors
    /// The first rule that is broken, with the key's place.
    pub fn from_config(source: &ConfigSource, mut config: ExperimentConfig) -> Result<Self, ExperimentError> {
        profiles::fill_in(&mut config);
        let check = Rules { source };
        check.strategy(&config.strategy, &config.data.symbols)?;
        let instruments = check.instruments(&config)?;
        let data = check.data(&config)?;
        let rules = check.rules(&config, &data)?;
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
            rules,
            folder: source.folder().to_owned(),
            backtest,
            instruments,
            metrics: check.metrics(&config)?,
            config_hash: config_hash(&config)?,
            config,
        })
    }
}

/// Which tables of a config were changed since it was resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Changed {
    /// `[strategy]` alone.
    Strategy,
    /// `[strategy]`, `[account]`, `[execution]` and `[risk]`.
    Trading,
}

impl ResolvedExperiment {
    /// Resolves its own config again after a change that leaves data and forecasts as they are, checking every rule that
    /// [`ResolvedExperiment::from_config`] checks. The config's hash is left to the caller.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub(crate) fn resolve_changed(&mut self, changed: Changed, source: &ConfigSource) -> Result<(), ExperimentError> {
        profiles::fill_in(&mut self.config);
        let (config, check) = (&self.config, Rules { source });
        check.strategy(&config.strategy, &config.data.symbols)?;
        if changed == Changed::Trading {
            self.instruments = check.instruments(config)?;
            check.data(config)?;
        }
        self.rules = check.rules(config, &self.data)?;
        if changed == Changed::Trading {
            self.backtest = check.backtest(config)?;
        }
        if config.model.is_some() || config.strategy.needs_forecasts() {
            check.forecasts(config)?;
        }
        self.strategy.clone_from(&config.strategy);
        Ok(())
    }
}

impl Rules<'_> {
    fn metrics(&self, config: &ExperimentConfig) -> Result<MetricOptions, ConfigError> {
        let risk_free_annual = config.metrics.map_or(0.0, |metrics| metrics.risk_free_rate);
        if !(risk_free_annual.is_finite() && risk_free_annual > -1.0) {
            let message = format!("must be finite and above -1, was `{risk_free_annual}`");
            return self.fail("metrics.risk_free_rate", message);
        }
        Ok(MetricOptions { risk_free_annual, ..MetricOptions::new(Convention::Tidegate) })
    }
}

/// Hashes the config, without the title and the sweep, which change no number of a run.
fn config_hash(config: &ExperimentConfig) -> Result<String, ExperimentError> {
    Ok(blake3::hash(hashed_text(config)?.as_bytes()).to_hex()[..16].to_owned())
}

/// Returns the text that a config's hash is of.
pub(crate) fn hashed_text(config: &ExperimentConfig) -> Result<String, ExperimentError> {
    let bare = ExperimentConfig { name: String::new(), description: None, sweep: None, ..config.clone() };
    serde_json::to_string(&bare).map_err(|error| ExperimentError::Internal(error.to_string()))
}
