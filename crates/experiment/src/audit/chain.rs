//! The stages from bars to a journal, as a run computes them.

use tidegate_backtest::{ForecastSource, Journal, Market};
use tidegate_forecast::{Panel, Split};
use tidegate_market::Forecast;

use crate::ExperimentError;
use crate::dataset::Dataset;
use crate::forecasting::{PreparedFold, build_panel, prepare_splits};
use crate::resolve::{ForecastPlan, ResolvedExperiment};
use crate::trading::{StrategyInputs, read_features, trade, trade_in_the_loop};

/// Where a backtest's forecasts come from.
pub(super) enum Feed<'a> {
    /// They are all there.
    Known(&'a [Forecast]),
    /// They are made while it runs.
    Made(&'a mut dyn ForecastSource),
}

/// What is audited. The stages are those of a run; a test replaces one by another that leaks.
pub(super) trait Chain: Sync {
    /// Makes the bars that are seen and traded.
    fn bars(&self, dataset: Dataset) -> Result<Dataset, ExperimentError> {
        Ok(dataset)
    }

    /// Computes the columns that a strategy by rules names.
    fn features(&self, experiment: &ResolvedExperiment, dataset: &Dataset) -> Result<StrategyInputs, ExperimentError> {
        read_features(experiment, dataset)
    }

    /// Computes features and labels.
    fn panel(&self, plan: &ForecastPlan, dataset: &Dataset) -> Result<Panel, ExperimentError> {
        build_panel(plan, dataset)
    }

    /// Picks the samples of each fold and fits its scaler.
    fn folds(
        &self,
        plan: &ForecastPlan,
        panel: &Panel,
        splits: Vec<Split>,
    ) -> Result<Vec<PreparedFold>, ExperimentError> {
        prepare_splits(plan, panel, splits)
    }

    /// Runs the strategy.
    fn trade(
        &self,
        experiment: &ResolvedExperiment,
        dataset: &Dataset,
        market: &Market,
        feed: Feed<'_>,
        inputs: &StrategyInputs,
    ) -> Result<Journal, ExperimentError> {
        match feed {
            Feed::Known(forecasts) => trade(experiment, dataset, market, forecasts, inputs),
            Feed::Made(source) => trade_in_the_loop(experiment, dataset, market, source, inputs),
        }
    }
}

/// The stages of a run.
pub(super) struct Product;

impl Chain for Product {}
