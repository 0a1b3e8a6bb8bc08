//! `tidegate check`: what a run will do, and what an expert would warn of, without running it.

mod forecasts;

use serde::Serialize;
use tidegate_backtest::{BacktestConfig, Commission, DataEnd, FillTiming, Slippage};
use tidegate_data::{Adjustment, ReadOptions};
use tidegate_features::TargetSpec;
use tidegate_forecast::{split_samples, splits};
use tidegate_market::Timestamp;

pub use self::forecasts::CheckedForecaster;
use crate::ExperimentError;
use crate::config::{ExperimentConfig, SignalsConfig, StrategyConfig};
use crate::dataset::{Dataset, read_options};
use crate::forecasting::{build_panel, check_samples, constant_features};
use crate::measure::fill_name;
use crate::resolve::{ForecastPlan, ForecastSource, ForecasterPlan, ResolvedExperiment, counts_units};

/// What a run will do.
#[derive(Debug, Clone, Serialize)]
pub struct CheckedRun {
    /// The experiment's title.
    pub name: String,
    /// The hash that names its run directory.
    pub config_hash: String,
    /// Each symbol, its bars, its first and last time label.
    pub symbols: Vec<(String, usize, Timestamp, Timestamp)>,
    /// What forecasts; null when nothing is trained.
    pub forecaster: Option<CheckedForecaster>,
    /// The folds; empty when nothing is trained.
    pub folds: Vec<CheckedFold>,
    /// How many models a run trains.
    pub models: usize,
    /// What an expert would warn of.
    pub warnings: Vec<String>,
    /// What an expert would try.
    pub hints: Vec<String>,
}

/// One fold of a run.
#[derive(Debug, Clone, Serialize)]
pub struct CheckedFold {
    /// The fold, from zero.
    pub fold: u32,
    /// Training samples after the purge.
    pub train_samples: usize,
    /// Validation samples after the purge.
    pub valid_samples: usize,
    /// Test samples.
    pub test_samples: usize,
    /// Samples that the purge drops.
    pub purged: usize,
    /// The close of the first test bar.
    pub test_first: Timestamp,
    /// The close of the last test bar.
    pub test_last: Timestamp,
}

/// Loads the data, lays out the folds, and looks for what an expert would warn of.
///
/// # Errors
/// Whatever would end a run before training starts.
pub fn check(experiment: &ResolvedExperiment) -> Result<CheckedRun, ExperimentError> {
    let dataset = Dataset::load(&experiment.data)?;
    let mut checked = CheckedRun {
        name: experiment.name.clone(),
        config_hash: experiment.config_hash.clone(),
        symbols: symbols(&dataset),
        forecaster: None,
        folds: Vec::new(),
        models: 0,
        warnings: warnings(experiment),
        hints: Vec::new(),
    };
    let fill = experiment.backtest.fill;
    if matches!(fill, FillTiming::SameClose | FillTiming::SameCloseBookedNext) {
        // The report says so in its own words.
        checked.warnings.push(format!(
            "`{}` fills at the price the decision was made from, which nobody can: results are optimistic",
            fill_name(fill)
        ));
    }
    checked.warnings.extend(ignored_actions(experiment));
    if let ForecastSource::WalkForward(plan) = &experiment.forecasts {
        let (folds, constant) = lay_out_folds(plan, &dataset)?;
        checked.folds = folds;
        checked.warnings.extend(constant);
        for fold in &checked.folds {
            check_samples(plan, fold.fold, [fold.train_samples, fold.valid_samples])?;
        }
        checked.models = checked.folds.len() * plan.ensemble_size as usize;
        checked.warnings.extend(forecasts::scheme_warning(plan));
        checked.warnings.extend(training_warnings(plan, &checked.folds));
        checked.hints.extend(forecasts::hints(plan));
        let forecaster = CheckedForecaster::new(plan, &dataset, &checked.folds);
        let samples = checked.folds.iter().map(|fold| fold.train_samples).min().unwrap_or(0);
        checked.warnings.extend(forecasts::size_warning(plan, &forecaster, samples));
        checked.forecaster = Some(forecaster);
        if !experiment.strategy.needs_forecasts() {
            checked.warnings.push("the strategy uses no forecasts, yet `[model]` is trained".to_owned());
        }
    }
    Ok(checked)
}

/// Warns of splits and dividends in files of raw prices that nothing applies.
fn ignored_actions(experiment: &ResolvedExperiment) -> Option<String> {
    let data = &experiment.data;
    if data.adjustment != Adjustment::Raw || data.corporate_actions.is_some() {
        return None;
    }
    let options = ReadOptions { corporate_actions: true, ..read_options(data) };
    let reports = data.paths.iter().filter_map(|path| tidegate_data::inspect(path, &options).ok());
    let (splits, dividends) = reports.fold((0, 0), |(splits, dividends), report| {
        (splits + report.corporate_actions.splits, dividends + report.corporate_actions.dividends)
    });
    (splits + dividends > 0).then(|| {
        format!(
            "the files hold {splits} splits and {dividends} dividends that are ignored: state `[data.corporate_actions]`, or an \
             `adjustment` other than `raw`"
        )
    })
}

fn symbols(dataset: &Dataset) -> Vec<(String, usize, Timestamp, Timestamp)> {
    let span = |(symbol, bars): (&String, &std::sync::Arc<tidegate_market::Bars>)| {
        Some((symbol.clone(), bars.len(), *bars.time().first()?, *bars.time().last()?))
    };
    dataset.symbols.iter().zip(&dataset.bars).filter_map(span).collect()
}

/// Returns the folds and what looks wrong with the features.
fn lay_out_folds(plan: &ForecastPlan, dataset: &Dataset) -> Result<(Vec<CheckedFold>, Vec<String>), ExperimentError> {
    let panel = build_panel(plan, dataset)?;
    let splits = splits(panel.axis.len(), &plan.scheme)?;
    let samples: Vec<_> = splits.iter().map(|fold| split_samples(&panel, fold, &plan.scales)).collect();
    let checked = splits.iter().zip(&samples).filter_map(|(fold, samples)| {
        Some(CheckedFold {
            fold: fold.index,
            train_samples: samples.train.len(),
            valid_samples: samples.valid.len(),
            test_samples: samples.test.len(),
            purged: samples.purged,
            test_first: panel.axis[fold.test.first()?.start],
            test_last: panel.axis[fold.test.last()?.end - 1],
        })
    });
    let train_bars: Vec<_> = samples.iter().map(|samples| samples.train_bars.as_slice()).collect();
    Ok((checked.collect(), constant_features(&panel, &train_bars)))
}

/// What an expert would warn of in any run of this config.
pub(crate) fn warnings(experiment: &ResolvedExperiment) -> Vec<String> {
    let config = &experiment.config;
    let mut warnings = Vec::new();
    if config.data.adjustment != Adjustment::Raw {
        warnings.push(
            "orders fill at adjusted prices, whose level contains later splits and dividends; use features of returns, not of levels"
                .to_owned(),
        );
    }
    let ignored = ignored_tables(config);
    if !ignored.is_empty() {
        warnings.push(format!("nothing is trained: {ignored} have no effect without `[model]`"));
    }
    if let ForecastSource::WalkForward(plan) = &experiment.forecasts {
        if !plan.target_is_traded(experiment.backtest.fill) {
            warnings.push("the target is measured between prices at which the strategy does not trade".to_owned());
        }
        warnings.extend(forecasts::strategy_warnings(&config.strategy, plan));
        if matches!(config.strategy, StrategyConfig::Kelly(_)) && matches!(plan.target, TargetSpec::LogReturn(_)) {
            warnings.push(
                "Kelly's weight is mean over variance of the simple return; for `[target.log_return]` it is half a unit too low"
                    .to_owned(),
            );
        }
    }
    warnings.extend(execution_warnings(experiment));
    warnings
}

/// What an expert would warn of in how orders fill.
fn execution_warnings(experiment: &ResolvedExperiment) -> Vec<String> {
    let (config, backtest) = (&experiment.config, &experiment.backtest);
    let mut warnings = Vec::new();
    if is_free(backtest) {
        warnings.push("trading is free: no commission and no slippage".to_owned());
    }
    if config.data.adjustment != Adjustment::Raw && counts_units(config) {
        warnings.push("lots, ticks and costs per unit are counted in adjusted units, which nobody traded".to_owned());
    }
    if backtest.data_end == DataEnd::Close {
        warnings.push("`data_end` closes positions in the last bar, which nobody knew to be the last".to_owned());
    }
    if config.data.corporate_actions.as_ref().is_some_and(|actions| actions.signals == SignalsConfig::Raw) {
        warnings.push("signals see raw prices, which jump at every split".to_owned());
    }
    for currency in config.data.fx.keys() {
        if config.instruments.values().all(|own| own.currency.as_ref() != Some(currency)) {
            warnings.push(format!("`[data.fx.{currency}]` has no effect: no instrument is in that currency"));
        }
    }
    warnings
}

/// Returns whether no fill ever costs anything.
fn is_free(backtest: &BacktestConfig) -> bool {
    let free_commission = match &backtest.commission {
        Commission::None => true,
        Commission::Bps(bps) => bps.0 == 0.0,
        Commission::Fixed(fee) => fee.0 == 0.0,
        Commission::FixedPlusBps { fixed, bps } => fixed.0 == 0.0 && bps.0 == 0.0,
        Commission::PerShare { per_share, minimum, .. } => *per_share == 0.0 && *minimum == 0.0,
        Commission::Tiered(tiers) => tiers.iter().all(|tier| tier.bps.0 == 0.0),
        Commission::MakerTaker { maker, taker } => maker.0 <= 0.0 && taker.0 == 0.0,
    };
    let free_slippage = match backtest.slippage {
        Slippage::None => true,
        Slippage::Bps(bps) => bps.0 == 0.0,
        Slippage::HalfSpread(half) => half.0 == 0.0,
        Slippage::Ticks(ticks) => ticks == 0.0,
        Slippage::VolumeShare { impact, .. } => impact == 0.0,
        Slippage::SquareRootImpact { coefficient, .. } => coefficient == 0.0,
    };
    free_commission && free_slippage
}

/// Names the tables that only a model reads, where there is none.
fn ignored_tables(config: &ExperimentConfig) -> String {
    if config.model.is_some() {
        return String::new();
    }
    let tables = [
        ("[target]", config.target.is_some()),
        ("[walk_forward]", config.walk_forward.is_some()),
        ("[cross_validation]", config.cross_validation.is_some()),
        ("[training]", config.training.is_some()),
    ];
    tables.iter().filter(|(_, written)| *written).map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn training_warnings(plan: &ForecastPlan, folds: &[CheckedFold]) -> Vec<String> {
    let mut warnings = Vec::new();
    let smallest = folds.iter().map(|fold| fold.train_samples).min().unwrap_or(0);
    if let ForecasterPlan::Network(network, _) = &plan.forecaster {
        let (_, advised) = forecasts::hidden_sizes_advised(smallest);
        if let Some(hidden) = network.encoder.hidden_size().filter(|hidden| *hidden > advised) {
            warnings.push(format!(
                "hidden_size `{hidden}` is large for `{smallest}` training samples; up to `{advised}` is usual"
            ));
        }
    }
    let thin = folds.iter().filter(|fold| fold.valid_samples < 50).count();
    if thin > 0 {
        warnings.push(format!("{thin} folds have fewer than 50 validation samples: early stopping is a coin toss"));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    const FREE: &str = "commission = \"none\"\nslippage = \"none\"\n";
    const COSTLY: &str = "commission.bps = 1.0\nslippage = \"none\"\n";

    /// Returns what an expert would warn of in an `[execution]` with these keys and the tables after it.
    fn warned(adjustment: &str, tables: &str) -> Vec<String> {
        let text = format!(
            "name = \"Fixture\"\nseed = 7\nstrategy.buy_and_hold = {{}}\naccount.cash = 1.0\n[data]\npath = \"b.csv\"\n\
             symbols = [\"AAA\"]\ninterval = \"1d\"\ntimestamp = \"open\"\ncalendar = \"sessions\"\nadjustment = \"{adjustment}\"\n\
             [execution]\nfill = \"next_open\"\n{tables}"
        );
        let source = crate::ConfigSource::from_text(std::path::Path::new("s.toml"), text);
        warnings(&ResolvedExperiment::from_source(&source).unwrap_or_else(|error| panic!("{error}")))
    }

    #[test]
    fn an_expert_warns_of_what_makes_results_look_better_than_they_are() {
        assert_eq!(warned("raw", COSTLY), Vec::<String>::new());
        let cases = [
            (FREE.to_owned(), "trading is free: no commission and no slippage"),
            ("commission.fixed = 0.0\nslippage.half_spread = 0.0\n".to_owned(), "trading is free"),
            (format!("{COSTLY}data_end = \"close\"\n"), "`data_end` closes positions in the last bar"),
            (format!("{COSTLY}[data.corporate_actions]\nsignals = \"raw\"\n"), "signals see raw prices"),
            (format!("{COSTLY}[data.fx.EUR]\npath = \"f.csv\"\n"), "`[data.fx.EUR]` has no effect"),
        ];
        for (tables, expected) in cases {
            let found = warned("raw", &tables);
            assert!(found.len() == 1 && found[0].starts_with(expected), "{expected}: {found:?}");
        }
    }

    #[test]
    fn adjusted_units_under_a_profile_are_warned_of() {
        let found = warned("total_return", "profile = \"lean\"\n");
        assert!(found.iter().any(|warning| warning.starts_with("lots, ticks and costs per unit")), "{found:?}");
    }
}
