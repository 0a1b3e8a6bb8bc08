//! Kernels run down columns: one loop per feature, NaN where there is no value.

use std::num::NonZeroUsize;

use tidegate_indicators::{
    Atr, Bollinger, Ema, HighLowClose, Indicator, LogReturn, Macd, MacdBars, Rsi, RsiCutler, SimpleReturn, Sma,
    SmaRatio, Volatility, VolumeRatio, ZScore,
};

use crate::series::Series;
use crate::spec::{BollingerOutput, BollingerSpec, FeatureSpec, MacdOutput, MacdSpec};

/// Returns whether a feature is made of one-bar log returns, which are then computed once for all such features.
pub(crate) fn needs_log_returns(spec: &FeatureSpec) -> bool {
    match spec {
        FeatureSpec::LogReturn(period) => period.bars == 1,
        FeatureSpec::Volatility(_) => true,
        _ => false,
    }
}

/// Returns the one-bar log returns of a series; the first is missing.
pub(crate) fn log_returns(series: &Series<'_>) -> Vec<f64> {
    run(LogReturn::new(NonZeroUsize::MIN), series.close.iter().copied())
}

/// Returns a validated feature's columns, one per output in the spec's order.
///
/// `log_returns` is read only where [`needs_log_returns`] says so.
pub(crate) fn columns(spec: &FeatureSpec, series: &Series<'_>, log_returns: &[f64]) -> Vec<Vec<f64>> {
    if spec.lookback_bars() >= series.len() {
        return vec![missing(series.len()); spec.column_names().len()];
    }
    let close = series.close.iter().copied();
    let column = match spec {
        FeatureSpec::Macd(spec) => return macd(spec, &series.close),
        FeatureSpec::Bollinger(spec) => return bollinger(spec, &series.close),
        FeatureSpec::LogReturn(period) if period.bars == 1 => log_returns.to_vec(),
        FeatureSpec::Volatility(period) => volatility(period.bars, log_returns),
        FeatureSpec::SimpleReturn(period) => run(SimpleReturn::new(positive(period.bars)), close),
        FeatureSpec::LogReturn(period) => run(LogReturn::new(positive(period.bars)), close),
        FeatureSpec::Sma(period) => run(Sma::new(positive(period.bars)), close),
        FeatureSpec::SmaRatio(period) => run(SmaRatio::new(positive(period.bars)), close),
        FeatureSpec::Ema(period) => run(Ema::new(positive(period.bars)), close),
        FeatureSpec::Rsi(period) => run(Rsi::new(positive(period.bars)), close),
        FeatureSpec::RsiCutler(period) => run(RsiCutler::new(positive(period.bars)), close),
        FeatureSpec::ZScore(period) => run(ZScore::new(positive(period.bars)), close),
        FeatureSpec::VolumeRatio(period) => run(VolumeRatio::new(positive(period.bars)), series.volume.iter().copied()),
        FeatureSpec::Atr(period) => {
            let bars = series.high.iter().zip(&*series.low).zip(&*series.close);
            let bars = bars.map(|((&high, &low), &close)| HighLowClose { high, low, close });
            run(Atr::new(positive(period.bars)), bars)
        }
    };
    vec![column]
}

/// Feeds a kernel and collects what it says.
fn run<K: Indicator<Output = f64>>(mut kernel: K, inputs: impl Iterator<Item = K::Input>) -> Vec<f64> {
    inputs.map(|input| kernel.update(input).unwrap_or(f64::NAN)).collect()
}

fn volatility(bars: usize, log_returns: &[f64]) -> Vec<f64> {
    let mut kernel = Volatility::new(positive(bars));
    let mut column = missing(log_returns.len());
    for (slot, &log_return) in column.iter_mut().zip(log_returns).skip(1) {
        *slot = kernel.update_return(log_return).unwrap_or(f64::NAN);
    }
    column
}

fn macd(spec: &MacdSpec, close: &[f64]) -> Vec<Vec<f64>> {
    let bars = MacdBars { fast: positive(spec.fast), slow: positive(spec.slow), signal: positive(spec.signal) };
    let mut kernel = Macd::new(bars).expect("a validated MACD has fast below slow");
    let outputs = spec.outputs();
    let column = |output| missing(if outputs.contains(&output) { close.len() } else { 0 });
    let [mut macd, mut signal, mut histogram] = MacdOutput::ALL.map(column);
    for (row, &close) in close.iter().enumerate() {
        if let Some(value) = kernel.update(close) {
            set(&mut macd, row, value.macd);
            set(&mut signal, row, value.signal);
            set(&mut histogram, row, value.histogram);
        }
    }
    let take = |output: &MacdOutput| match output {
        MacdOutput::Macd => std::mem::take(&mut macd),
        MacdOutput::Signal => std::mem::take(&mut signal),
        MacdOutput::Histogram => std::mem::take(&mut histogram),
    };
    outputs.iter().map(take).collect()
}

fn bollinger(spec: &BollingerSpec, close: &[f64]) -> Vec<Vec<f64>> {
    let mut kernel = Bollinger::new(positive(spec.bars), spec.width);
    let outputs = spec.outputs();
    let column = |output| missing(if outputs.contains(&output) { close.len() } else { 0 });
    let [mut upper, mut middle, mut lower, mut percent_b, mut bandwidth] = BollingerOutput::ALL.map(column);
    for (row, &close) in close.iter().enumerate() {
        if let Some(bands) = kernel.update(close) {
            set(&mut upper, row, bands.upper);
            set(&mut middle, row, bands.middle);
            set(&mut lower, row, bands.lower);
            set(&mut percent_b, row, bands.percent_b.unwrap_or(f64::NAN));
            set(&mut bandwidth, row, bands.bandwidth);
        }
    }
    let take = |output: &BollingerOutput| match output {
        BollingerOutput::Upper => std::mem::take(&mut upper),
        BollingerOutput::Middle => std::mem::take(&mut middle),
        BollingerOutput::Lower => std::mem::take(&mut lower),
        BollingerOutput::PercentB => std::mem::take(&mut percent_b),
        BollingerOutput::Bandwidth => std::mem::take(&mut bandwidth),
    };
    outputs.iter().map(take).collect()
}

/// Returns a column without values.
fn missing(rows: usize) -> Vec<f64> {
    vec![f64::NAN; rows]
}

/// Sets a value of a column that is wanted; one that is not has no rows.
#[inline]
fn set(column: &mut [f64], row: usize, value: f64) {
    if let Some(slot) = column.get_mut(row) {
        *slot = value;
    }
}

fn positive(bars: usize) -> NonZeroUsize {
    NonZeroUsize::new(bars).expect("a validated feature has no period of zero bars")
}
