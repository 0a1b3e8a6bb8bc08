//! Who decided on an order, and what there was to know then.

use tidegate_features::{FeatureSpec, compute_scaled};
use tidegate_report::{DecisionStory, FeatureStory, ForecastStory};

use super::known::Known;
use super::records::{OrderRow, Records};
use super::signal::{Question, signal};
use crate::resolve::ForecastSource;

pub(super) fn decision(records: &Records, known: &Known, order: &OrderRow) -> DecisionStory {
    let close = known.bar(&order.symbol, order.submitted_time).map(|(bars, row)| bars.close()[row]);
    let time = order.submitted_time;
    let silent =
        |because: String| DecisionStory { time, because, close, features: Vec::new(), forecast: None, signal: None };
    if let Some(because) = by_the_engine(&order.origin) {
        return silent(because.to_owned());
    }
    if let Some(parent) = order.parent {
        return silent(format!("placed together with order {parent}, to close what it opens"));
    }
    let forecast = forecast(records, known, order);
    let asks_weight = order.origin == "target_weight";
    let question = Question { symbol: &order.symbol, time, forecast: forecast.as_ref(), asks_weight };
    let (signal, because) = signal(known, &question);
    let asked = if asks_weight { "a weight of equity" } else { "this order in units" };
    let because = because.unwrap_or_else(|| format!("the strategy asked for {asked}"));
    DecisionStory { features: features(known, order), forecast, signal: Some(signal), ..silent(because) }
}

/// Says why the engine itself made an order; `None` for one that the strategy asked for.
fn by_the_engine(origin: &str) -> Option<&'static str> {
    Some(match origin {
        "strategy" | "target_weight" => return None,
        "drawdown_stop" => "the drawdown stop closed everything",
        "ruin" => "the account was ruined, and what was left was closed",
        "margin_call" => "a margin call reduced what was held",
        "session_end" => "the session ended, and the config closes positions then",
        "delisting" => "the instrument was delisted, and what was held was paid out",
        "daily_loss_stop" => "the daily loss stop closed everything for the day",
        "losing_trades_stop" => "too many trades in a row had lost, and everything was closed",
        "data_end" => "the data ended, and the config closes positions then",
        _ => "the engine made this order by itself",
    })
}

/// Returns the last forecast made by then, unless its horizon had passed.
fn forecast(records: &Records, known: &Known, order: &OrderRow) -> Option<ForecastStory> {
    let made = |row: &&super::records::ForecastRow| row.symbol == order.symbol && row.time <= order.submitted_time;
    let last = records.forecasts.iter().rev().find(made)?;
    let age = known
        .bar(&order.symbol, order.submitted_time)
        .and_then(|(_, row)| Some(row - known.bar(&order.symbol, last.time)?.1));
    let in_force = age.is_none_or(|bars| (bars as i64) < last.horizon_bars.max(1));
    in_force.then_some(ForecastStory {
        time: last.time,
        horizon_bars: last.horizon_bars,
        mean: last.mean,
        volatility: last.volatility,
        fold: last.fold,
    })
}

/// Computes the features of the decision's row, at every scale that the forecaster read.
fn features(known: &Known, order: &OrderRow) -> Vec<FeatureStory> {
    let (specs, multiples): (&[FeatureSpec], Vec<usize>) = match &known.experiment.forecasts {
        ForecastSource::WalkForward(plan) => {
            (&plan.features, plan.scales.iter().map(|scale| scale.bar_multiple).collect())
        }
        ForecastSource::None | ForecastSource::File(_) => match &known.experiment.config.features {
            Some(features) => (&features.columns, vec![1]),
            None => return Vec::new(),
        },
    };
    let Some(dataset) = known.seen.as_ref().map(|seen| &seen.dataset) else { return Vec::new() };
    let Some(place) = dataset.symbols.iter().position(|symbol| *symbol == order.symbol) else { return Vec::new() };
    let bars = &dataset.signal_bars[place];
    let Ok(row) = bars.time().binary_search(&order.submitted_time) else { return Vec::new() };
    let mut stories: Vec<FeatureStory> = Vec::new();
    for multiple in multiples {
        // The config was checked, so that a feature that cannot be computed is none that the run had.
        let Ok(matrix) = compute_scaled(specs, &bars.prefix(row + 1), multiple) else { continue };
        for (column, feature) in matrix.columns().iter().enumerate() {
            if stories.len() <= column {
                stories.push(FeatureStory { name: feature.name().to_owned(), values: Vec::new() });
            }
            stories[column].values.push((multiple, feature.value(row)));
        }
    }
    stories
}
