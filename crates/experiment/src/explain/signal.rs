//! What a strategy made of what it saw, computed again from the same numbers.

use std::num::NonZeroUsize;

use tidegate_backtest::sizing::{AnnualVolatility, Edge, kelly, volatility_target};
use tidegate_backtest::strategies::{Kelly, KellyParams};
use tidegate_indicators::{Indicator, Sma, Volatility};
use tidegate_market::{InstrumentId, Timestamp};
use tidegate_report::{ForecastStory, NamedValue, SignalStory, ValueUnit};

use super::known::Known;
use crate::config::{
    FixedWeightsConfig, ForecastThresholdConfig, KellyConfig, MomentumRotationConfig, SmaCrossConfig, StrategyConfig,
    VolatilityTargetConfig, WeightsConfig,
};

/// Which decision is asked about.
pub(super) struct Question<'a> {
    pub(super) symbol: &'a str,
    /// The label of the bar at whose close it was made.
    pub(super) time: Timestamp,
    pub(super) forecast: Option<&'a ForecastStory>,
    /// Whether the order was made from a weight, as these strategies ask, not from units.
    pub(super) asks_weight: bool,
}

/// What a strategy compared and what followed.
#[derive(Default)]
struct Answer {
    values: Vec<NamedValue>,
    weight: Option<f64>,
    because: Option<String>,
}

/// Returns the signal, and a sentence that says what it was where there is one.
pub(super) fn signal(known: &Known, question: &Question<'_>) -> (SignalStory, Option<String>) {
    let (strategy, parameters) = described(&known.experiment.strategy);
    let answer = answer(known, question).filter(|_| question.asks_weight).unwrap_or_default();
    (SignalStory { strategy, parameters, values: answer.values, weight: answer.weight }, answer.because)
}

/// Returns a strategy's name and its parameters as written.
fn described(strategy: &StrategyConfig) -> (String, Vec<(String, String)>) {
    let value = serde_json::to_value(strategy).unwrap_or_default();
    let Some((name, parameters)) = value.as_object().and_then(|variants| variants.iter().next()) else {
        return (String::new(), Vec::new());
    };
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let parameters = parameters.as_object().into_iter().flatten();
    (name.clone(), parameters.map(|(key, value)| (key.clone(), text(value))).collect())
}

/// Answers for the strategies whose numbers can be had again; of others the parameters have to do.
fn answer(known: &Known, question: &Question<'_>) -> Option<Answer> {
    let parts = known.experiment.data.symbols.len() as f64;
    let closes = || closes(known, question);
    match &known.experiment.strategy {
        StrategyConfig::BuyAndHold {} => Some(buy_and_hold(parts)),
        StrategyConfig::SmaCross(config) => sma_cross(config, closes()?, parts),
        StrategyConfig::ForecastThreshold(config) => Some(forecast_threshold(config, question.forecast, parts)),
        StrategyConfig::Kelly(config) => Some(kelly_bet(config, question.forecast)),
        StrategyConfig::VolatilityTarget(config) => {
            let periods_per_year = known.experiment.data.periods_per_year;
            let volatility = match config.lookback_bars {
                Some(bars) => rolling_volatility(bars, closes()?),
                None => question.forecast.and_then(forecast_volatility),
            };
            Some(volatility_target_of(config, periods_per_year, volatility, parts))
        }
        StrategyConfig::MomentumRotation(config) => rotation(config, known, question),
        StrategyConfig::TargetWeights(_) => scheduled(known, question),
        StrategyConfig::FixedWeights(config) => fixed_weight(config, question.symbol, parts),
        StrategyConfig::EqualRiskContribution(_) => Some(Answer {
            because: Some("the weights give every instrument the same part of the variance".to_owned()),
            ..Answer::default()
        }),
        StrategyConfig::Rules(_) => Some(Answer {
            because: Some("a condition of the rules held at this close".to_owned()),
            ..Answer::default()
        }),
    }
}

/// Returns the closes that the strategy had seen.
fn closes<'a>(known: &'a Known, question: &Question<'_>) -> Option<&'a [f64]> {
    let (seen, instrument) = known.instrument(question.symbol)?;
    let bars = seen.market.signal_bars(instrument);
    let row = bars.time().binary_search(&question.time).ok()?;
    Some(&bars.close()[..=row])
}

fn named(name: impl Into<String>, value: Option<f64>, unit: ValueUnit) -> NamedValue {
    NamedValue { name: name.into(), value, unit }
}

fn buy_and_hold(parts: f64) -> Answer {
    let because = Some("every instrument is bought once, in equal parts".to_owned());
    Answer { weight: Some(1.0 / parts), because, ..Answer::default() }
}

fn fixed_weight(config: &FixedWeightsConfig, symbol: &str, parts: f64) -> Option<Answer> {
    let weight = match &config.weights {
        WeightsConfig::Equal => 1.0 / parts,
        WeightsConfig::BySymbol(weights) => *weights.get(symbol)?,
    };
    let because = Some("the schedule was due".to_owned());
    Some(Answer { weight: Some(weight), because, ..Answer::default() })
}

fn sma_cross(config: &SmaCrossConfig, closes: &[f64], parts: f64) -> Option<Answer> {
    let (mut fast, mut slow) = (Sma::new(config.fast_bars), Sma::new(config.slow_bars));
    // From the first bar on, as the strategy did: a running sum depends on where it began.
    let pairs: Vec<_> = closes.iter().map(|&close| (fast.update(close), slow.update(close))).collect();
    let spread = |row: usize| Some(pairs[row].0? - pairs[row].1?);
    let last = closes.len().checked_sub(1)?;
    let before = last.checked_sub(1).and_then(spread);
    let now = spread(last);
    let up = before.is_some_and(|spread| spread <= 0.0) && now.is_some_and(|spread| spread > 0.0);
    let down = before.is_some_and(|spread| spread >= 0.0) && now.is_some_and(|spread| spread < 0.0);
    let (weight, because) = match () {
        () if up => (Some(config.weight / parts), Some("the fast average crossed above the slow one")),
        () if down && config.allow_short => {
            (Some(-config.weight / parts), Some("the fast average crossed below the slow one"))
        }
        () if down => (Some(0.0), Some("the fast average crossed below the slow one")),
        () => (None, None),
    };
    let values = vec![
        named(format!("fast average, {} bars", config.fast_bars), pairs[last].0, ValueUnit::Price),
        named(format!("slow average, {} bars", config.slow_bars), pairs[last].1, ValueUnit::Price),
        named("fast less slow", now, ValueUnit::Price),
        named("fast less slow, a bar before", before, ValueUnit::Price),
    ];
    Some(Answer { values, weight, because: because.map(str::to_owned) })
}

fn forecast_threshold(config: &ForecastThresholdConfig, forecast: Option<&ForecastStory>, parts: f64) -> Answer {
    let threshold = config.entry_threshold;
    let (weight, because) = match forecast.map(|forecast| forecast.mean) {
        None => (0.0, "no forecast was in force"),
        Some(mean) if mean > threshold => (config.long_weight, "the forecast was above the threshold"),
        Some(mean) if mean < -threshold => (config.short_weight, "the forecast was below minus the threshold"),
        Some(_) => (0.0, "the forecast was within the threshold"),
    };
    let values = vec![
        named("forecast", forecast.map(|forecast| forecast.mean), ValueUnit::Fraction),
        named("threshold", Some(threshold), ValueUnit::Fraction),
    ];
    Answer { values, weight: Some(weight / parts), because: Some(because.to_owned()) }
}

fn kelly_bet(config: &KellyConfig, forecast: Option<&ForecastStory>) -> Answer {
    let strategy = Kelly::new(KellyParams {
        fraction: config.fraction,
        weight_max: config.weight_max,
        allow_short: config.allow_short,
        rebalance_tolerance: config.rebalance_tolerance,
    });
    let variance = forecast.and_then(|forecast| forecast.volatility).map(|volatility| volatility * volatility);
    let edge = forecast.zip(variance).map(|(forecast, variance)| Edge { mean: forecast.mean, variance });
    let bet = |forecast: &ForecastStory| strategy.ok().map(|strategy| strategy.weight(forecast.mean, variance));
    let (weight, because) = match forecast {
        None => (Some(0.0), "no forecast was in force"),
        Some(forecast) => (bet(forecast), "the weight is the fraction of mean over variance, within its bounds"),
    };
    let values = vec![
        named("mean over variance", edge.and_then(|edge| kelly(1.0, edge)), ValueUnit::Number),
        named("times the fraction", edge.and_then(|edge| kelly(config.fraction, edge)), ValueUnit::Weight),
    ];
    Answer { values, weight, because: Some(because.to_owned()) }
}

fn rolling_volatility(bars: NonZeroUsize, closes: &[f64]) -> Option<f64> {
    let mut rolling = Volatility::new(bars);
    closes.iter().map(|&close| rolling.update(close)).last().flatten()
}

fn forecast_volatility(forecast: &ForecastStory) -> Option<f64> {
    let variance = forecast.volatility? * forecast.volatility?;
    Some((variance / (forecast.horizon_bars.max(1) as f64)).sqrt())
}

fn volatility_target_of(
    config: &VolatilityTargetConfig,
    periods_per_year: f64,
    bar_volatility: Option<f64>,
    parts: f64,
) -> Answer {
    let wanted = AnnualVolatility { volatility: config.annual_volatility, periods_per_year };
    let full = bar_volatility.and_then(|volatility| volatility_target(wanted, volatility));
    let values = vec![
        named("volatility per bar", bar_volatility, ValueUnit::Fraction),
        named("volatility per year", bar_volatility.map(|v| v * periods_per_year.sqrt()), ValueUnit::Fraction),
        named("weight for the wanted one", full, ValueUnit::Weight),
    ];
    let weight = full.map_or(0.0, |weight| weight.min(config.weight_max)) / parts;
    let because = "the weight brings the account to the wanted volatility".to_owned();
    Answer { values, weight: Some(weight), because: Some(because) }
}

fn rotation(config: &MomentumRotationConfig, known: &Known, question: &Question<'_>) -> Option<Answer> {
    let (seen, asked) = known.instrument(question.symbol)?;
    let rise = |instrument: InstrumentId| {
        let bars = seen.market.signal_bars(instrument);
        let row = bars.time().binary_search(&question.time).ok()?;
        let earlier = row.checked_sub(config.lookback_bars.get())?;
        Some(bars.close()[row] / bars.close()[earlier] - 1.0)
    };
    let own = rise(asked)?;
    let others = (0..seen.market.len() as u32).map(InstrumentId).filter(|instrument| *instrument != asked);
    let better = others
        .filter_map(|other| rise(other).map(|rise| (rise, other)))
        .filter(|&(rise, other)| rise > own || (rise == own && other < asked))
        .count();
    let chosen = better < config.top.get();
    let values = vec![
        named(format!("return over {} bars", config.lookback_bars), Some(own), ValueUnit::Fraction),
        named(format!("rank among {}", seen.market.len()), Some(better as f64 + 1.0), ValueUnit::Count),
    ];
    let because =
        if chosen { "it is among those that rose most" } else { "it is no longer among those that rose most" };
    let weight = if chosen { 1.0 / config.top.get() as f64 } else { 0.0 };
    Some(Answer { values, weight: Some(weight), because: Some(because.to_owned()) })
}

fn scheduled(known: &Known, question: &Question<'_>) -> Option<Answer> {
    let (seen, instrument) = known.instrument(question.symbol)?;
    let bars = seen.market.signal_bars(instrument);
    let now = bars.close_time(bars.time().binary_search(&question.time).ok()?);
    let entries = seen.schedule.as_ref()?.iter().rev();
    let entry = entries.filter(|entry| entry.instrument == instrument).find(|entry| entry.known_time <= now)?;
    let because = Some(format!("the file of weights says so from {} on", entry.known_time));
    Some(Answer { weight: Some(entry.weight), because, ..Answer::default() })
}
