//! Laws that every feature obeys at every scale, to the bit.

use proptest::prelude::*;
use tidegate_indicators::{
    Atr, Bollinger, Ema, HighLowClose, Indicator, LogReturn, Macd, MacdBars, Rsi, RsiCutler, SimpleReturn, Sma,
    SmaRatio, Volatility, VolumeRatio, ZScore,
};
use tidegate_market::{BarColumns, Bars, Timestamp};

use crate::fixture::{all_features, bits, from_columns};
use crate::{FeatureSpec, Horizons, ReturnTarget, TargetPrice, TargetSpec, compute, compute_scaled, targets};

/// One bar's open, close, wick lengths and volume; flat stretches and silent bars are likely.
type RawBar = (f64, f64, f64, f64, f64);

fn raw_bar() -> impl Strategy<Value = RawBar> {
    let price = || prop_oneof![3 => 1.0..1e5_f64, 1 => Just(50.0)];
    let wick = || prop_oneof![1.0..1.5_f64, Just(1.0)];
    let volume = prop_oneof![3 => 0.0..1e12_f64, 1 => Just(0.0)];
    (price(), price(), wick(), wick(), volume)
}

fn raw_bars() -> impl Strategy<Value = Vec<RawBar>> {
    prop::collection::vec(raw_bar(), 1..80)
}

fn bars(raw: &[RawBar]) -> Bars {
    let mut columns = BarColumns::default();
    for (row, &(open, close, up, down, volume)) in raw.iter().enumerate() {
        columns.time.push(Timestamp::from_nanos(row as i64 * Timestamp::NANOS_PER_DAY));
        columns.open.push(open);
        columns.high.push(open.max(close) * up);
        columns.low.push(open.min(close) / down);
        columns.close.push(close);
        columns.volume.push(volume);
    }
    from_columns(columns)
}

/// Returns the first `rows` rows of each feature's columns, one feature at a time.
fn first_rows(bars: &Bars, bar_multiple: usize, rows: usize) -> Vec<Vec<Vec<Option<u64>>>> {
    let rows_of = |spec: &FeatureSpec| {
        let matrix = compute_scaled(std::slice::from_ref(spec), bars, bar_multiple).expect("valid");
        bits(&matrix).into_iter().map(|column| column[..rows].to_vec()).collect()
    };
    all_features().iter().map(rows_of).collect()
}

/// Returns a feature's columns by feeding its kernel bar by bar.
fn streamed(spec: &FeatureSpec, bars: &Bars) -> Vec<Vec<Option<f64>>> {
    let n = |bars: usize| bars.try_into().expect("above zero");
    match spec {
        FeatureSpec::SimpleReturn(p) => stream(SimpleReturn::new(n(p.bars)), bars.close(), |v| [Some(v)]),
        FeatureSpec::LogReturn(p) => stream(LogReturn::new(n(p.bars)), bars.close(), |v| [Some(v)]),
        FeatureSpec::Volatility(p) => stream(Volatility::new(n(p.bars)), bars.close(), |v| [Some(v)]),
        FeatureSpec::Sma(p) => stream(Sma::new(n(p.bars)), bars.close(), |v| [Some(v)]),
        FeatureSpec::SmaRatio(p) => stream(SmaRatio::new(n(p.bars)), bars.close(), |v| [Some(v)]),
        FeatureSpec::Ema(p) => stream(Ema::new(n(p.bars)), bars.close(), |v| [Some(v)]),
        FeatureSpec::Rsi(p) => stream(Rsi::new(n(p.bars)), bars.close(), |v| [Some(v)]),
        FeatureSpec::RsiCutler(p) => stream(RsiCutler::new(n(p.bars)), bars.close(), |v| [Some(v)]),
        FeatureSpec::ZScore(p) => stream(ZScore::new(n(p.bars)), bars.close(), |v| [Some(v)]),
        FeatureSpec::VolumeRatio(p) => stream(VolumeRatio::new(n(p.bars)), bars.volume(), |v| [Some(v)]),
        FeatureSpec::Macd(p) => {
            let kernel = Macd::new(MacdBars { fast: n(p.fast), slow: n(p.slow), signal: n(p.signal) });
            let values = |v: <Macd as Indicator>::Output| [Some(v.macd), Some(v.signal), Some(v.histogram)];
            stream(kernel.expect("fast below slow"), bars.close(), values)
        }
        FeatureSpec::Bollinger(p) => stream(Bollinger::new(n(p.bars), p.width), bars.close(), |v| {
            [Some(v.upper), Some(v.middle), Some(v.lower), v.percent_b, Some(v.bandwidth)]
        }),
        FeatureSpec::Atr(p) => {
            let bar = |row| HighLowClose { high: bars.high()[row], low: bars.low()[row], close: bars.close()[row] };
            stream(Atr::new(n(p.bars)), &(0..bars.len()).map(bar).collect::<Vec<_>>(), |v| [Some(v)])
        }
    }
}

fn stream<K: Indicator<Input: Copy>, const OUTPUTS: usize>(
    mut kernel: K,
    inputs: &[K::Input],
    outputs: impl Fn(K::Output) -> [Option<f64>; OUTPUTS],
) -> Vec<Vec<Option<f64>>> {
    let mut columns = vec![Vec::new(); OUTPUTS];
    for &input in inputs {
        let values = kernel.update(input).map_or([None; OUTPUTS], &outputs);
        for (column, value) in columns.iter_mut().zip(values) {
            column.push(value);
        }
    }
    columns
}

proptest! {
    #[test]
    fn the_first_rows_are_the_features_of_the_first_bars(raw in raw_bars(), cut in 0_usize..80, bar_multiple in 1_usize..8) {
        let bars = bars(&raw);
        let rows = cut.min(bars.len());
        prop_assert_eq!(first_rows(&bars.prefix(rows), bar_multiple, rows), first_rows(&bars, bar_multiple, rows));
    }

    #[test]
    fn what_comes_after_a_row_changes_nothing_up_to_it(
        raw in raw_bars(),
        other in raw_bars(),
        cut in 1_usize..80,
        bar_multiple in 1_usize..8,
    ) {
        let rows = cut.min(raw.len());
        let overwritten: Vec<_> = raw[..rows].iter().chain(&other).copied().collect();
        let expected = first_rows(&bars(&raw), bar_multiple, rows);
        prop_assert_eq!(first_rows(&bars(&overwritten), bar_multiple, rows), expected);
    }

    #[test]
    fn a_feature_does_not_depend_on_the_others_asked_for(raw in raw_bars(), bar_multiple in 1_usize..8) {
        let bars = bars(&raw);
        let together = bits(&compute_scaled(&all_features(), &bars, bar_multiple).expect("valid"));
        let alone: Vec<_> = first_rows(&bars, bar_multiple, bars.len()).into_iter().flatten().collect();
        prop_assert_eq!(together, alone);
    }

    #[test]
    fn a_column_is_the_kernel_fed_bar_by_bar(raw in raw_bars()) {
        let bars = bars(&raw);
        for spec in all_features() {
            let batch = bits(&compute(std::slice::from_ref(&spec), &bars).expect("valid"));
            let streaming: Vec<Vec<_>> = streamed(&spec, &bars)
                .into_iter()
                .map(|column| column.into_iter().map(|value| value.map(f64::to_bits)).collect())
                .collect();
            prop_assert_eq!(batch, streaming);
        }
    }
    #[test]
    fn a_label_depends_on_the_bars_of_its_span_and_on_no_other(
        raw in raw_bars(),
        other in raw_bars(),
        horizons in prop::collection::btree_set(1_u32..20, 1..4),
        kind in 0_usize..5,
        price in prop_oneof![Just(TargetPrice::NextOpen), Just(TargetPrice::NextClose), Just(TargetPrice::Close)],
    ) {
        let horizons: Vec<u32> = horizons.into_iter().collect();
        let parameters = ReturnTarget { horizon_bars: Horizons::new(&horizons).expect("rising"), price };
        let spec = [
            TargetSpec::LogReturn,
            TargetSpec::SimpleReturn,
            TargetSpec::Difference,
            TargetSpec::RealizedVariance,
            TargetSpec::LogVolatility,
        ][kind](parameters);
        let columns = targets(&spec, &bars(&raw));
        prop_assert_eq!(columns.iter().map(|column| column.horizon_bars).collect::<Vec<_>>(), horizons);
        for (horizon, column) in columns.iter().enumerate() {
            for (row, label) in column.labels.iter().enumerate() {
                let Some(label) = label else { continue };
                let span = label.span_first_row..=label.span_last_row;
                prop_assert_eq!(span.clone().count(), column.horizon_bars as usize + 1);
                prop_assert!(*span.start() >= row);
                let mut overwritten: Vec<_> = other.iter().copied().cycle().take(raw.len() + 7).collect();
                overwritten[span.clone()].copy_from_slice(&raw[span.clone()]);
                prop_assert_eq!(targets(&spec, &bars(&overwritten))[horizon].labels[row], Some(*label));
                overwritten.truncate(span.end() + 1);
                prop_assert_eq!(targets(&spec, &bars(&overwritten))[horizon].labels[row], Some(*label));
                overwritten.truncate(*span.end());
                prop_assert_eq!(targets(&spec, &bars(&overwritten))[horizon].labels[row], None);
            }
        }
    }
}
