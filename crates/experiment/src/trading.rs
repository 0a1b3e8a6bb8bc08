//! From forecasts and bars to a journal: the strategy of the config, run by the engine.

use std::path::Path;
use std::sync::Arc;

use tidegate_backtest::strategies::{
    BuyAndHold, ForecastThreshold, ForecastThresholdParams, Kelly, KellyParams, MomentumRotation,
    MomentumRotationParams, ScheduledWeight, SmaCross, SmaCrossParams, TargetWeights, VolatilitySource,
    VolatilityTarget, VolatilityTargetParams,
};
use tidegate_backtest::{BacktestConfig, Journal, Market, RiskLimits, Strategy, run};
use tidegate_data::Table;
use tidegate_market::{BarLabel, Bars, Forecast, InstrumentId, Timestamp};

use crate::ExperimentError;
use crate::config::{StrategyConfig, TargetWeightsConfig};
use crate::dataset::Dataset;
use crate::resolve::ResolvedExperiment;

/// The bars that are traded: all of them, or those from the first forecast on.
///
/// # Errors
/// When no bar is left.
pub fn traded_market(
    dataset: &Dataset,
    forecasts: Option<&[Forecast]>,
    lot_size: Option<f64>,
) -> Result<Market, ExperimentError> {
    let bars: Vec<Arc<Bars>> = match forecasts {
        None => dataset.bars.clone(),
        Some(forecasts) => {
            let Some(first) = forecasts.iter().map(|forecast| forecast.time).min() else {
                return Err(ExperimentError::Sample("there are no forecasts to trade on".to_owned()));
            };
            dataset.bars.iter().map(|bars| from_time(bars, first)).collect()
        }
    };
    Ok(Market::new(dataset.instruments(lot_size).into_iter().zip(bars).collect())?)
}

fn from_time(bars: &Arc<Bars>, first: Timestamp) -> Arc<Bars> {
    let row = bars.time().partition_point(|&time| time < first);
    if row == 0 { Arc::clone(bars) } else { Arc::new(bars.slice(row..bars.len())) }
}

/// Runs the experiment's strategy; `schedule` is what [`read_schedule`] returned.
///
/// # Errors
/// When the engine refuses its input or a weights file is wrong.
pub fn trade(
    experiment: &ResolvedExperiment,
    dataset: &Dataset,
    market: &Market,
    forecasts: &[Forecast],
    schedule: &[ScheduledWeight],
) -> Result<Journal, ExperimentError> {
    let run = StrategyRun { market, forecasts, config: &experiment.backtest };
    let instruments = dataset.symbols.len();
    match &experiment.strategy {
        StrategyConfig::BuyAndHold {} => run.with(&mut BuyAndHold::new(instruments)),
        StrategyConfig::SmaCross(sma) => run.with(&mut SmaCross::new(
            SmaCrossParams {
                fast_bars: sma.fast_bars,
                slow_bars: sma.slow_bars,
                weight: sma.weight,
                allow_short: sma.allow_short,
            },
            instruments,
        )?),
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
                rebalance_bars: rotation.rebalance_bars,
            },
            instruments,
        )?),
        StrategyConfig::TargetWeights(_) => run.with(&mut TargetWeights::new(schedule.to_vec(), instruments)?),
    }
}

/// Runs buy-and-hold over the same bars with the same costs and no borrowed money.
///
/// # Errors
/// When the engine refuses its input.
pub fn trade_benchmark(market: &Market, config: &BacktestConfig) -> Result<Journal, ExperimentError> {
    let limits = RiskLimits { gross_leverage_max: Some(1.0), ..RiskLimits::UNLIMITED };
    let unborrowed = BacktestConfig { limits, ..*config };
    let strategy = &mut BuyAndHold::new(market.instruments().len());
    StrategyRun { market, forecasts: &[], config: &unborrowed }.with(strategy)
}

struct StrategyRun<'a> {
    market: &'a Market,
    forecasts: &'a [Forecast],
    config: &'a BacktestConfig,
}

impl StrategyRun<'_> {
    fn with<S: Strategy>(&self, strategy: &mut S) -> Result<Journal, ExperimentError> {
        Ok(run(self.market, self.forecasts, self.config, strategy)?)
    }
}

/// Reads weights made elsewhere. A time that labels a bar of its symbol is known when that bar closes, as a forecast's is; any
/// other is known at that very moment.
/// Reads the weights that the strategy follows; none for a strategy that makes its own.
///
/// # Errors
/// When the file or a column is missing, or a row names an unknown symbol.
pub fn read_schedule(
    experiment: &ResolvedExperiment,
    dataset: &Dataset,
) -> Result<Vec<ScheduledWeight>, ExperimentError> {
    match &experiment.strategy {
        StrategyConfig::TargetWeights(weights) => read_weights(&experiment.folder, weights, dataset),
        _ => Ok(Vec::new()),
    }
}

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

/// Reads forecasts made elsewhere, or by an earlier run.
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
    forecasts.sort_by_key(|forecast| (forecast.known_time, forecast.instrument));
    let twice =
        |pair: &&[Forecast]| (pair[0].known_time, pair[0].instrument) == (pair[1].known_time, pair[1].instrument);
    if let Some(pair) = forecasts.windows(2).find(twice) {
        let symbol = &dataset.symbols[pair[0].instrument.index()];
        return Err(ExperimentError::Damaged {
            path: path.to_owned(),
            reason: format!("symbol `{symbol}` has two forecasts from the bar `{}`", pair[0].time),
            hint: "leave one of them out",
        });
    }
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
