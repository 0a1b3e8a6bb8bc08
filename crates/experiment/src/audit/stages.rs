//! What each stage before the backtest computed, as columns.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use tidegate_forecast::{Panel, PanelSeries, SampleSet, Split};
use tidegate_market::{Bars, FeatureMatrix, Timestamp};

use super::column::{AuditStage, Column, Values};
use crate::dataset::Dataset;
use crate::forecasting::{ForecastOutcome, PreparedFold, Statement};

/// Returns the prices and volumes of every symbol, as signals see them and, where those differ, as they are traded.
pub(super) fn bars(dataset: &Dataset) -> Vec<Column<'_>> {
    let mut columns = Vec::new();
    for (place, symbol) in dataset.symbols.iter().enumerate() {
        let (traded, signals) = (&dataset.bars[place], &dataset.signal_bars[place]);
        columns.extend(of_bars(signals, symbol, ""));
        if !Arc::ptr_eq(traded, signals) {
            columns.extend(of_bars(traded, symbol, "traded "));
        }
    }
    columns
}

fn of_bars<'a>(bars: &'a Bars, symbol: &str, prefix: &str) -> Vec<Column<'a>> {
    let closes: Vec<Timestamp> = (0..bars.len()).map(|row| bars.close_time(row)).collect();
    let named = [
        ("open", bars.open()),
        ("high", bars.high()),
        ("low", bars.low()),
        ("close", bars.close()),
        ("volume", bars.volume()),
    ];
    let column = |(name, values): (&str, &'a [f64])| Column {
        stage: AuditStage::Bars,
        name: format!("{prefix}{name}"),
        symbol: Some(symbol.to_owned()),
        label: Cow::Borrowed(bars.time()),
        known: Cow::Owned(closes.clone()),
        values: Values::Numbers(Cow::Borrowed(values)),
    };
    named.into_iter().map(column).collect()
}

/// Returns the columns that a strategy by rules names.
pub(super) fn rules_features<'a>(dataset: &'a Dataset, matrices: &'a [Arc<FeatureMatrix>]) -> Vec<Column<'a>> {
    let of_symbol = |(place, matrix): (usize, &'a Arc<FeatureMatrix>)| {
        let bars = &dataset.signal_bars[place];
        let closes: Vec<Timestamp> = (0..bars.len()).map(|row| bars.close_time(row)).collect();
        let columns = matrix.columns().iter().map(move |column| Column {
            stage: AuditStage::Features,
            name: column.name().to_owned(),
            symbol: Some(dataset.symbols[place].clone()),
            label: Cow::Borrowed(bars.time()),
            known: Cow::Owned(closes.clone()),
            values: Values::Numbers(Cow::Borrowed(column.values())),
        });
        columns.collect::<Vec<_>>()
    };
    matrices.iter().enumerate().flat_map(of_symbol).collect()
}

/// Returns the features at every scale, and what else of a row a forecaster may read.
pub(super) fn features<'a>(panel: &'a Panel, symbols: &[String]) -> Vec<Column<'a>> {
    let mut columns = Vec::new();
    for (series, symbol) in panel.series.iter().zip(symbols) {
        for (scale, matrix) in series.scales.iter().enumerate() {
            let scale = if series.scales.len() > 1 { format!("scale {scale} ") } else { String::new() };
            for column in matrix.columns() {
                let values = Values::Numbers(Cow::Borrowed(column.values()));
                columns.push(by_row(series, symbol, format!("{scale}{}", column.name()), values));
            }
        }
        columns.push(by_row(series, symbol, "running variance".to_owned(), optional(&series.ewma_variance)));
        columns.push(by_row(series, symbol, "one-bar return".to_owned(), optional(&series.one_bar_return)));
    }
    columns
}

fn by_row<'a>(series: &'a PanelSeries, symbol: &str, name: String, values: Values<'a>) -> Column<'a> {
    Column {
        stage: AuditStage::Features,
        name,
        symbol: Some(symbol.to_owned()),
        label: Cow::Borrowed(&series.time),
        known: Cow::Borrowed(&series.known_time),
        values,
    }
}

fn optional(values: &[Option<f64>]) -> Values<'static> {
    Values::Numbers(values.iter().map(|value| value.unwrap_or(f64::NAN)).collect())
}

/// Returns the labels, each known at the close of the last bar that it says it reads.
pub(super) fn labels<'a>(panel: &'a Panel, symbols: &[String]) -> Vec<Column<'a>> {
    let never = Timestamp::from_nanos(i64::MAX);
    let mut columns = Vec::new();
    for (series, symbol) in panel.series.iter().zip(symbols) {
        for target in &series.targets {
            let labels = || target.labels.iter();
            columns.push(Column {
                stage: AuditStage::Labels,
                name: target.name.clone(),
                symbol: Some(symbol.clone()),
                label: Cow::Borrowed(&series.time),
                known: labels().map(|label| label.map_or(never, |l| series.known_time[l.span_last_row])).collect(),
                values: Values::Numbers(labels().map(|label| label.map_or(f64::NAN, |l| l.value)).collect()),
            });
        }
    }
    columns
}

/// Returns when everything that a fold's members may learn from is known: the last close before its test block.
pub(super) fn decided(panel: &Panel, split: &Split) -> Timestamp {
    panel.axis[split.valid.end - 1]
}

/// Returns the scaler and the samples of each fold.
pub(super) fn folds(panel: &Panel, folds: &[PreparedFold], symbols: &[String]) -> Vec<Column<'static>> {
    folds.iter().flat_map(|fold| of_fold(panel, fold, symbols)).collect()
}

fn of_fold(panel: &Panel, fold: &PreparedFold, symbols: &[String]) -> Vec<Column<'static>> {
    let (index, known) = (fold.fold.index, decided(panel, &fold.fold));
    let mut columns = Vec::new();
    for (scale, scalings) in fold.scaler.scales.iter().enumerate() {
        for scaling in scalings {
            let missing = f64::NAN;
            let numbers = [
                ("lower clip", scaling.lower.unwrap_or(missing)),
                ("upper clip", scaling.upper.unwrap_or(missing)),
                ("center", scaling.center),
                ("spread", scaling.spread),
            ];
            columns.extend(numbers.map(|(what, value)| Column {
                stage: AuditStage::Scaler,
                name: format!("fold {index} scale {scale} {} {what}", scaling.name),
                symbol: None,
                label: Cow::Owned(vec![known]),
                known: Cow::Owned(vec![known]),
                values: Values::Numbers(Cow::Owned(vec![value])),
            }));
        }
    }
    for (part, set) in [("training", &fold.samples.train), ("validation", &fold.samples.valid)] {
        columns.extend(of_samples(panel, set, &format!("fold {index} {part}"), known, symbols));
    }
    columns
}

fn of_samples(
    panel: &Panel,
    set: &SampleSet,
    name: &str,
    known: Timestamp,
    symbols: &[String],
) -> Vec<Column<'static>> {
    let mut columns = Vec::new();
    for (place, symbol) in symbols.iter().enumerate() {
        let series = &panel.series[place];
        let own: Vec<usize> = (0..set.len()).filter(|&sample| set[sample].series as usize == place).collect();
        let label: Vec<Timestamp> = own.iter().map(|&sample| series.time[set[sample].row as usize]).collect();
        let column = |what: &str, values: Vec<f64>| Column {
            stage: AuditStage::TrainingSets,
            name: format!("{name} {what}"),
            symbol: Some(symbol.clone()),
            label: Cow::Owned(label.clone()),
            known: Cow::Owned(vec![known; own.len()]),
            values: Values::Numbers(Cow::Owned(values)),
        };
        for (horizon, target) in series.targets.iter().enumerate() {
            let values = own.iter().map(|&sample| set.labels(sample)[horizon].unwrap_or(f64::NAN)).collect();
            columns.push(column(&format!("label {}", target.name), values));
        }
        if !set.weight.is_empty() {
            columns.push(column("weight", own.iter().map(|&sample| set.weight[sample]).collect()));
        }
    }
    columns
}

/// Returns the hash of what each member learned from, and that of the member itself.
pub(super) fn models(panel: &Panel, outcome: &ForecastOutcome) -> Vec<Column<'static>> {
    let mut columns = Vec::new();
    for fold in &outcome.folds {
        let known = decided(panel, &fold.fold);
        for (number, member) in fold.members.iter().enumerate() {
            let hash = blake3::hash(&member.checkpoint).to_hex().to_string();
            columns.extend([("inputs", member.key.clone()), ("parameters", hash)].map(|(what, text)| Column {
                stage: AuditStage::Models,
                name: format!("fold {} member {number} {what}", fold.fold.index),
                symbol: None,
                label: Cow::Owned(vec![known]),
                known: Cow::Owned(vec![known]),
                values: Values::Texts(vec![text]),
            }));
        }
    }
    columns
}

/// Returns everything that forecasts state.
pub(super) fn forecasts(statements: &[Statement], symbols: &[String]) -> Vec<Column<'static>> {
    let mut groups: BTreeMap<(usize, u32), Vec<&Statement>> = BTreeMap::new();
    for statement in statements {
        let forecast = &statement.forecast;
        groups.entry((forecast.instrument.index(), forecast.horizon_bars)).or_default().push(statement);
    }
    let mut columns = Vec::new();
    for ((instrument, horizon), group) in groups {
        let all = |value: fn(&Statement) -> Option<f64>| {
            Values::Numbers(group.iter().map(|statement| value(statement).unwrap_or(f64::NAN)).collect())
        };
        let named = [
            ("mean", all(|statement| Some(statement.forecast.mean))),
            ("variance", all(|statement| statement.forecast.variance)),
            ("variance between members", all(|statement| statement.epistemic_variance)),
            ("interval's lower end", all(|statement| statement.interval.map(|interval| interval.lower))),
            ("interval's upper end", all(|statement| statement.interval.map(|interval| interval.upper))),
            ("fold", all(|statement| Some(f64::from(statement.forecast.fold)))),
            ("form", Values::Texts(group.iter().map(|statement| format!("{:?}", statement.shape)).collect())),
        ];
        columns.extend(named.map(|(what, values)| Column {
            stage: AuditStage::Forecasts,
            name: format!("{what} over {horizon} bars"),
            symbol: Some(symbols[instrument].clone()),
            label: group.iter().map(|statement| statement.forecast.time).collect(),
            known: group.iter().map(|statement| statement.forecast.known_time).collect(),
            values,
        }));
    }
    columns
}
