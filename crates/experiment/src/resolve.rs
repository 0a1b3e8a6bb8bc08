//! What a user wrote becomes what runs: every optional key decided, every rule that spans keys checked.

mod forecast_rules;
mod rules;

use std::path::{Path, PathBuf};

use serde::Serialize;
use tidegate_backtest::{BacktestConfig, FillTiming};
use tidegate_data::{Adjustment, ColumnMapping, OffencePolicy};
use tidegate_features::{FeatureSpec, ReturnTarget, TargetPrice, TargetSpec};
use tidegate_forecast::{ScaleSpec, ScalerSpec, WalkForward};
use tidegate_market::{BarInterval, BarLabel, Timestamp};
use tidegate_models::{Encoder, Head, Loss, NetworkSpec, TrainingSpec};

use self::rules::Rules;
use crate::ExperimentError;
use crate::config::{ConfigSource, ExperimentConfig, ForecastsConfig, StrategyConfig, YardstickConfig};
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
    /// How many bars make a year.
    pub periods_per_year: f64,
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
            (TargetPrice::NextOpen, FillTiming::NextOpen)
                | (TargetPrice::NextClose, FillTiming::NextClose)
                | (TargetPrice::Close, FillTiming::SameClose)
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
    pub fn from_config(source: &ConfigSource, config: ExperimentConfig) -> Result<Self, ExperimentError> {
        let check = Rules { source };
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
