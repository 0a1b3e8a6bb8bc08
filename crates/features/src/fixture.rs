//! Bars and features for this crate's tests.

use tidegate_market::{BarColumns, BarLabel, Bars, FeatureMatrix, Timestamp};

use crate::{BollingerSpec, FeatureSpec, MacdSpec, PeriodSpec};

/// Returns every feature once, with short periods: 19 columns.
pub(crate) fn all_features() -> Vec<FeatureSpec> {
    let period = PeriodSpec::new;
    vec![
        FeatureSpec::SimpleReturn(period(3)),
        FeatureSpec::LogReturn(period(1)),
        FeatureSpec::Volatility(period(4)),
        FeatureSpec::Sma(period(5)),
        FeatureSpec::SmaRatio(period(3)),
        FeatureSpec::Ema(period(4)),
        FeatureSpec::Rsi(period(3)),
        FeatureSpec::RsiCutler(period(4)),
        FeatureSpec::Macd(MacdSpec { fast: 2, slow: 5, signal: 3, outputs: None, name: None }),
        FeatureSpec::Bollinger(BollingerSpec { bars: 4, width: 2.5, outputs: None, name: None }),
        FeatureSpec::Atr(period(3)),
        FeatureSpec::VolumeRatio(period(4)),
        FeatureSpec::ZScore(period(5)),
    ]
}

/// Returns daily bars that wander around 100, from a linear congruence (Knuth's MMIX constants).
pub(crate) fn bars(rows: usize, seed: u64) -> Bars {
    let mut state = seed;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let mut columns = BarColumns::default();
    let mut close = 100.0;
    for row in 0..rows {
        let open = close * (0.995 + 0.01 * uniform());
        close = open * (0.98 + 0.0402 * uniform());
        columns.time.push(Timestamp::from_nanos(row as i64 * Timestamp::NANOS_PER_DAY));
        columns.open.push(open);
        columns.high.push(f64::max(open, close) * (1.0 + 0.01 * uniform()));
        columns.low.push(f64::min(open, close) * (1.0 - 0.01 * uniform()));
        columns.close.push(close);
        columns.volume.push((1e4 * uniform()).floor());
    }
    from_columns(columns)
}

/// Returns sane columns as daily bars.
pub(crate) fn from_columns(columns: BarColumns) -> Bars {
    Bars::new(columns, BarLabel::Open, "1d".parse().expect("valid interval")).expect("sane bars")
}

/// Returns every column bit by bit, all missing values alike.
pub(crate) fn bits(matrix: &FeatureMatrix) -> Vec<Vec<Option<u64>>> {
    let column = |values: &[f64]| values.iter().map(|value| (!value.is_nan()).then_some(value.to_bits())).collect();
    matrix.columns().iter().map(|values| column(values.values())).collect()
}
