//! From forecasts and bars to a journal: the strategy of the config, run by the engine.

use std::path::Path;
use std::sync::Arc;

use tidegate_backtest::strategies::rules::RulesFeatures;
use tidegate_backtest::strategies::{
    BuyAndHold, EqualRiskContribution, EqualRiskContributionParams, FixedWeights, ForecastThreshold,
    ForecastThresholdParams, Kelly, KellyParams, MomentumRotation, MomentumRotationParams, Rules, ScheduledWeight,
    SharedAverages, SharedSmaCross, SmaCross, SmaCrossParams, TargetWeights, VolatilitySource, VolatilityTarget,
    VolatilityTargetParams,
};
use tidegate_backtest::{
    AccountKind, BacktestConfig, ForecastSource, Journal, Market, RebalanceSchedule, Rebalancing, RiskLimits,
    Shortfall, Strategy, TargetSizing, run_into, run_with_into,
};
use tidegate_data::Table;
use tidegate_market::{BarLabel, Bars, FeatureMatrix, Forecast, InstrumentId, Timestamp, TradingCalendar};

use crate::ExperimentError;
use crate::config::{
    RebalanceConfig, ScheduleConfig, SmaCrossConfig, StrategyConfig, TargetWeightsConfig, WeightsConfig,
};
use crate::dataset::Dataset;
use crate::resolve::ResolvedExperiment;

/// What a strategy needs besides bars and forecasts; empty for one that needs nothing.
#[derive(Debug, Clone, Default)]
pub struct StrategyInputs {
    /// Weights made elsewhere.
    pub schedule: Vec<ScheduledWeight>,
    /// The columns of `[features]` on the bars of each symbol.
    pub features: Vec<Arc<FeatureMatrix>>,
}

/// Runs the experiment's strategy; `inputs` are what [`read_inputs`] returned.
///
/// # Errors
/// When the engine refuses its input or a weights file is wrong.
pub fn trade(
    experiment: &ResolvedExperiment,
    dataset: &Dataset,
    market: &Market,
    forecasts: &[Forecast],
    inputs: &StrategyInputs,
) -> Result<Journal, ExperimentError> {
    let mut journal = Journal::default();
    trade_into(experiment, dataset, market, forecasts, inputs, None, &mut journal)?;
    Ok(journal)
}

/// Does what [`trade`] does and writes into a journal whose memory is used again; `averages` are those of this very market.
///
/// # Errors
/// As [`trade`]; the journal's content is then undefined.
pub(crate) fn trade_into(
    experiment: &ResolvedExperiment,
    dataset: &Dataset,
    market: &Market,
    forecasts: &[Forecast],
    inputs: &StrategyInputs,
    averages: Option<&SharedAverages>,
    journal: &mut Journal,
) -> Result<(), ExperimentError> {
    let run = StrategyRun { market, forecasts: Feed::Known(forecasts), config: &experiment.backtest, journal };
    if let (StrategyConfig::SmaCross(sma), Some(averages)) = (&experiment.strategy, averages)
        && let Some(mut shared) = SharedSmaCross::new(sma_cross(sma), averages)?
    {
        return run.with(&mut shared);
    }
    trade_as(experiment, dataset, run, inputs)
}

/// Runs the experiment's strategy on forecasts that are made while it runs; `inputs` are what [`read_inputs`] returned.
///
/// # Errors
/// As [`trade`].
pub fn trade_in_the_loop(
    experiment: &ResolvedExperiment,
    dataset: &Dataset,
    market: &Market,
    source: &mut dyn ForecastSource,
    inputs: &StrategyInputs,
) -> Result<Journal, ExperimentError> {
    let mut journal = Journal::default();
    let run =
        StrategyRun { market, forecasts: Feed::Made(source), config: &experiment.backtest, journal: &mut journal };
    trade_as(experiment, dataset, run, inputs)?;
    Ok(journal)
}

fn trade_as(
    experiment: &ResolvedExperiment,
    dataset: &Dataset,
    run: StrategyRun<'_>,
    inputs: &StrategyInputs,
) -> Result<(), ExperimentError> {
    let market = run.market;
    let instruments = dataset.symbols.len();
    let calendar = experiment.config.data.calendar;
    match &experiment.strategy {
        StrategyConfig::BuyAndHold {} => run.with(&mut BuyAndHold::new(instruments)),
        StrategyConfig::SmaCross(sma) => run.with(&mut SmaCross::new(sma_cross(sma), instruments)?),
        StrategyConfig::ForecastThreshold(threshold) => run.with(&mut ForecastThreshold::new(
            ForecastThresholdParams {
                entry_threshold: threshold.entry_threshold,
                long_weight: threshold.long_weight,
                short_weight: threshold.short_weight,
            },
            instruments,
        )?),
        StrategyConfig::Kelly(kelly) => run.with(&mut Kelly::new(KellyParams {
            fraction: kelly.fraction,
            weight_max: kelly.weight_max,
            allow_short: kelly.allow_short,
            rebalance_tolerance: kelly.rebalance_tolerance,
        })?),
        StrategyConfig::VolatilityTarget(target) => run.with(&mut VolatilityTarget::new(
            VolatilityTargetParams {
                annual_volatility: target.annual_volatility,
                source: target
                    .lookback_bars
                    .map_or(VolatilitySource::Forecast, |bars| VolatilitySource::Rolling { bars }),
                periods_per_year: experiment.data.periods_per_year,
                weight_max: target.weight_max,
                rebalance_tolerance: target.rebalance_tolerance,
            },
            instruments,
        )?),
        StrategyConfig::MomentumRotation(rotation) => run.with(&mut MomentumRotation::new(
            MomentumRotationParams {
                lookback_bars: rotation.lookback_bars,
                top: rotation.top,
                rebalancing: rebalancing(&rotation.rebalance, calendar),
            },
            instruments,
        )?),
        StrategyConfig::FixedWeights(fixed) => run.with(&mut FixedWeights::new(
            weights(&fixed.weights, &dataset.symbols),
            rebalancing(&fixed.rebalance, calendar),
            instruments,
        )?),
        StrategyConfig::EqualRiskContribution(equal) => {
            run.with(&mut EqualRiskContribution::new(EqualRiskContributionParams {
                lookback_bars: equal.lookback_bars,
                rebalancing: rebalancing(&equal.rebalance, calendar),
            })?)
        }
        StrategyConfig::TargetWeights(_) => run.with(&mut TargetWeights::new(inputs.schedule.clone(), instruments)?),
        StrategyConfig::Rules(_) => {
            let plan = experiment.rules.as_ref().expect("a strategy by rules was resolved to its plan");
            let features = rules_features(dataset, market, &inputs.features);
            run.with(&mut Rules::new(plan.params.clone(), features)?)
        }
    }
}

const fn sma_cross(config: &SmaCrossConfig) -> SmaCrossParams {
    SmaCrossParams {
        fast_bars: config.fast_bars,
        slow_bars: config.slow_bars,
        weight: config.weight,
        allow_short: config.allow_short,
    }
}

/// Returns the schedule of a strategy by the days on which its market trades.
fn rebalancing(config: &RebalanceConfig, calendar: TradingCalendar) -> Rebalancing {
    let schedule = match config.schedule {
        ScheduleConfig::EveryBars(bars) => RebalanceSchedule::EveryBars(bars),
        ScheduleConfig::Daily => RebalanceSchedule::Daily,
        ScheduleConfig::Weekly => RebalanceSchedule::Weekly(calendar),
        ScheduleConfig::MonthEnd => RebalanceSchedule::MonthEnd(calendar),
        ScheduleConfig::QuarterEnd => RebalanceSchedule::QuarterEnd(calendar),
        ScheduleConfig::YearEnd => RebalanceSchedule::YearEnd(calendar),
    };
    Rebalancing { schedule, tolerance: config.tolerance }
}

/// Returns the weights in the order of the symbols, each of which was checked to have one.
fn weights(config: &WeightsConfig, symbols: &[String]) -> Vec<f64> {
    match config {
        WeightsConfig::Equal => vec![1.0 / symbols.len() as f64; symbols.len()],
        WeightsConfig::BySymbol(weights) => symbols.iter().map(|symbol| weights[symbol]).collect(),
    }
}

/// Returns the columns of each symbol with the row of its first traded bar.
fn rules_features(dataset: &Dataset, market: &Market, matrices: &[Arc<FeatureMatrix>]) -> Vec<RulesFeatures> {
    let first_row = |place: usize| {
        let traded = market.bars(InstrumentId(place as u32)).time();
        traded.first().map_or(0, |&first| dataset.bars[place].time().partition_point(|&time| time < first))
    };
    let features = |(place, matrix)| RulesFeatures { matrix: Arc::clone(matrix), first_row: first_row(place) };
    matrices.iter().enumerate().map(features).collect()
}

/// Runs buy-and-hold over the same bars with the same costs and no borrowed money.
///
/// # Errors
/// When the engine refuses its input.
pub fn trade_benchmark(market: &Market, config: &BacktestConfig) -> Result<Journal, ExperimentError> {
    let limits = RiskLimits { gross_leverage_max: Some(1.0), ..RiskLimits::UNLIMITED };
    let unborrowed = BacktestConfig {
        limits,
        account: AccountKind::Unrestricted,
        shortfall: Shortfall::Trim,
        sizing: TargetSizing::AtDecision { cash_buffer: 0.0, fees_included: false },
        session_exit: false,
        ..config.clone()
    };
    let strategy = &mut BuyAndHold::new(market.instruments().len());
    let mut journal = Journal::default();
    let run = StrategyRun { market, forecasts: Feed::Known(&[]), config: &unborrowed, journal: &mut journal };
    run.with(strategy)?;
    Ok(journal)
}

struct StrategyRun<'a> {
    market: &'a Market,
    forecasts: Feed<'a>,
    config: &'a BacktestConfig,
    journal: &'a mut Journal,
}

/// Where a backtest's forecasts come from.
enum Feed<'a> {
    Known(&'a [Forecast]),
    Made(&'a mut dyn ForecastSource),
}

impl StrategyRun<'_> {
    fn with<S: Strategy>(self, strategy: &mut S) -> Result<(), ExperimentError> {
        match self.forecasts {
            Feed::Known(forecasts) => run_into(self.market, forecasts, self.config, strategy, self.journal)?,
            Feed::Made(source) => run_with_into(self.market, source, self.config, strategy, self.journal)?,
        }
        Ok(())
    }
}

/// Reads the weights or computes the columns that the strategy follows; nothing for a strategy that needs neither.
///
/// # Errors
/// When a file or a column is missing, or a row names an unknown symbol.
pub fn read_inputs(experiment: &ResolvedExperiment, dataset: &Dataset) -> Result<StrategyInputs, ExperimentError> {
    let schedule = read_schedule(experiment, dataset)?;
    Ok(StrategyInputs { schedule, ..read_features(experiment, dataset)? })
}

/// Reads the weights that the strategy follows; none for one that follows none.
pub(crate) fn read_schedule(
    experiment: &ResolvedExperiment,
    dataset: &Dataset,
) -> Result<Vec<ScheduledWeight>, ExperimentError> {
    match &experiment.strategy {
        StrategyConfig::TargetWeights(weights) => read_weights(&experiment.folder, weights, dataset),
        _ => Ok(Vec::new()),
    }
}

/// Computes the columns that a strategy by rules names, without weights.
pub(crate) fn read_features(
    experiment: &ResolvedExperiment,
    dataset: &Dataset,
) -> Result<StrategyInputs, ExperimentError> {
    let features = match &experiment.rules {
        Some(plan) => tidegate_features::compute_panel(&plan.features, &dataset.signal_bars, 1)?,
        None => Vec::new(),
    };
    Ok(StrategyInputs { schedule: Vec::new(), features: features.into_iter().map(Arc::new).collect() })
}

/// Reads weights made elsewhere. A time that labels a bar of its symbol is known when that bar closes, as a forecast's is; any
/// other when its bar would have closed.
fn read_weights(
    folder: &Path,
    weights: &TargetWeightsConfig,
    dataset: &Dataset,
) -> Result<Vec<ScheduledWeight>, ExperimentError> {
    let path = folder.join(&weights.path);
    let table = Table::read(&path)?;
    let (times, symbols, values) = (table.times("time")?, table.texts("symbol")?, table.floats("weight")?);
    let mut schedule = Vec::with_capacity(times.len());
    for row in 0..times.len() {
        let instrument = instrument(dataset, &symbols[row], &path, row)?;
        let bars = &dataset.bars[instrument.index()];
        let bar = bars.time().binary_search(&times[row]);
        // A time that labels no bar, such as a holiday's date, is known when its bar would have closed.
        let known_time = bar.map_or_else(|_| close_of_label(bars, times[row]), |bar| bars.close_time(bar));
        schedule.push(ScheduledWeight { known_time, instrument, weight: values[row] });
    }
    schedule.sort_by_key(|entry| (entry.known_time, entry.instrument));
    if let Some(pair) = schedule.windows(2).find(|pair| same_moment(&pair[0], &pair[1])) {
        let symbol = &dataset.symbols[pair[0].instrument.index()];
        return Err(ExperimentError::Damaged {
            path,
            reason: format!("symbol `{symbol}` has two weights that are known at `{}`", pair[0].known_time),
            hint: "leave one of them out",
        });
    }
    Ok(schedule)
}

fn same_moment(a: &ScheduledWeight, b: &ScheduledWeight) -> bool {
    (a.known_time, a.instrument) == (b.known_time, b.instrument)
}

fn close_of_label(bars: &Bars, label: Timestamp) -> Timestamp {
    match bars.label() {
        BarLabel::Open => label.plus_nanos(bars.interval().nanos()),
        BarLabel::Close => label,
    }
}

/// Reads forecasts made elsewhere, or by an earlier run: of every bar the one of the nearest horizon.
///
/// # Errors
/// When the file or a column is missing, or a row names an unknown symbol or time.
pub fn read_forecasts(path: &Path, dataset: &Dataset) -> Result<Vec<Forecast>, ExperimentError> {
    let table = Table::read(path)?;
    let (times, symbols, means) = (table.times("time")?, table.texts("symbol")?, table.floats("mean")?);
    let horizons = if table.has("horizon_bars") { table.ints("horizon_bars")? } else { vec![1; times.len()] };
    let folds = if table.has("fold") { table.ints("fold")? } else { vec![0; times.len()] };
    let volatilities =
        if table.has("volatility") { table.optional_floats("volatility")? } else { vec![None; times.len()] };
    let mut forecasts = Vec::with_capacity(times.len());
    for row in 0..times.len() {
        let instrument = instrument(dataset, &symbols[row], path, row)?;
        let bars = &dataset.bars[instrument.index()];
        let damaged = |reason: String, hint| ExperimentError::Damaged { path: path.to_owned(), reason, hint };
        let bar = bars.time().binary_search(&times[row]).map_err(|_| {
            let reason = format!("time `{}` of data row `{}` is not a bar of `{}`", times[row], row + 1, symbols[row]);
            damaged(reason, "a forecast's time is the label of the bar it was made from")
        })?;
        let counts = (u32::try_from(horizons[row]), u32::try_from(folds[row]));
        let (Ok(horizon_bars @ 1..), Ok(fold)) = counts else {
            let reason = format!(
                "horizon_bars must be at least 1 and fold at least 0, were `{}` and `{}` in data row `{}`",
                horizons[row],
                folds[row],
                row + 1
            );
            return Err(damaged(reason, "leave a column out to use 1 and 0"));
        };
        if let Some(volatility) = volatilities[row].filter(|volatility| *volatility <= 0.0) {
            let reason = format!("volatility must be above 0, was `{volatility}` in data row `{}`", row + 1);
            return Err(damaged(reason, "leave it empty where it is not known"));
        }
        forecasts.push(Forecast {
            instrument,
            time: times[row],
            known_time: bars.close_time(bar),
            horizon_bars,
            mean: means[row],
            variance: volatilities[row].map(|volatility| volatility * volatility),
            fold,
        });
    }
    forecasts.sort_by_key(|forecast| (forecast.known_time, forecast.instrument, forecast.horizon_bars));
    let same_bar = |a: &Forecast, b: &Forecast| (a.known_time, a.instrument) == (b.known_time, b.instrument);
    let twice = |pair: &&[Forecast]| same_bar(&pair[0], &pair[1]) && pair[0].horizon_bars == pair[1].horizon_bars;
    if let Some(pair) = forecasts.windows(2).find(twice) {
        let symbol = &dataset.symbols[pair[0].instrument.index()];
        return Err(ExperimentError::Damaged {
            path: path.to_owned(),
            reason: format!(
                "symbol `{symbol}` has two forecasts over `{}` bars from the bar `{}`",
                pair[0].horizon_bars, pair[0].time
            ),
            hint: "leave one of them out",
        });
    }
    // The nearest horizon is the one that is traded.
    forecasts.dedup_by(|later, kept| same_bar(later, kept));
    Ok(forecasts)
}

fn instrument(dataset: &Dataset, symbol: &str, path: &Path, row: usize) -> Result<InstrumentId, ExperimentError> {
    let place = dataset.symbols.iter().position(|known| known == symbol);
    place.map(|index| InstrumentId(index as u32)).ok_or_else(|| ExperimentError::Damaged {
        path: path.to_owned(),
        reason: format!("symbol `{symbol}` of data row `{}` is not one of {}", row + 1, list(&dataset.symbols)),
        hint: "name it in `data.symbols`, or leave the row out",
    })
}

pub(crate) fn list(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
