//! A long run at a high price level: rounding must not grow with the number of bars.

use crate::vectors::bars;
use crate::{Bollinger, Indicator, RsiCutler, Sma, Volatility, VolumeRatio, ZScore};

const ROWS: usize = 1_000_000;
const BARS: usize = 20;
const TOLERANCE: f64 = 1e-9;

/// Returns pseudo-random numbers in [0, 1) from a linear congruence (Knuth's MMIX constants).
fn uniforms() -> impl Iterator<Item = f64> {
    let step =
        |state: &u64| Some(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407));
    std::iter::successors(Some(7_u64), step).map(|state| (state >> 11) as f64 / (1_u64 << 53) as f64)
}

/// Returns closes that wander within a few units of 1e5, in ticks of a hundredth.
fn closes() -> Vec<f64> {
    let mut ticks = 0.0;
    let mut step = |uniform: f64| {
        ticks += (uniform * 21.0).floor() - 10.0 - (ticks / 100.0_f64).trunc();
        1e5 + ticks * 0.01
    };
    uniforms().map(&mut step).take(ROWS).collect()
}

/// Returns the mean and the sum of squared deviations in two passes.
fn two_pass(window: &[f64]) -> (f64, f64) {
    let mean = window[0] + window.iter().map(|value| value - window[0]).sum::<f64>() / window.len() as f64;
    (mean, window.iter().map(|value| (value - mean).powi(2)).sum())
}

/// Asserts that a kernel equals a function of its last `BARS` inputs everywhere.
fn check<K: Indicator<Input = f64>>(
    mut kernel: K,
    output: impl Fn(K::Output) -> f64,
    inputs: &[f64],
    naive: impl Fn(&[f64]) -> f64,
) {
    let mut worst = 0.0_f64;
    for (row, &input) in inputs.iter().enumerate() {
        if let Some(value) = kernel.update(input).map(&output) {
            let expected = naive(&inputs[..=row]);
            worst = worst.max((value - expected).abs() / expected.abs().max(f64::MIN_POSITIVE));
        }
    }
    assert!(worst <= TOLERANCE, "worst relative error {worst:e}");
}

fn last<T>(values: &[T], count: usize) -> &[T] {
    &values[values.len() - count..]
}

#[test]
fn a_mean_does_not_drift() {
    check(Sma::new(bars(BARS)), |value| value, &closes(), |closes| two_pass(last(closes, BARS)).0);
}

#[test]
fn bands_do_not_drift() {
    let deviation = |closes: &[f64]| (two_pass(last(closes, BARS)).1 / BARS as f64).sqrt();
    let kernel = || Bollinger::new(bars(BARS), 2.0);
    check(kernel(), |bands| bands.upper, &closes(), |closes| two_pass(last(closes, BARS)).0 + 2.0 * deviation(closes));
    check(
        kernel(),
        |bands| bands.bandwidth,
        &closes(),
        |closes| 4.0 * deviation(closes) / two_pass(last(closes, BARS)).0,
    );
}

#[test]
fn volatility_does_not_drift() {
    let closes = closes();
    check(
        Volatility::new(bars(BARS)),
        |value| value,
        &closes,
        |closes| {
            let log_returns: Vec<_> = last(closes, BARS + 1).windows(2).map(|pair| (pair[1] / pair[0]).ln()).collect();
            (two_pass(&log_returns).1 / (BARS - 1) as f64).sqrt()
        },
    );
}

#[test]
fn a_z_score_does_not_drift() {
    // The score itself passes through zero, so it is compared as a distance from a score of 10.
    check(
        ZScore::new(bars(BARS)),
        |score| 10.0 + score,
        &closes(),
        |closes| {
            let (mean, squared_deviations) = two_pass(last(closes, BARS));
            10.0 + (closes[closes.len() - 1] - mean) / (squared_deviations / (BARS - 1) as f64).sqrt()
        },
    );
}

#[test]
fn a_simple_mean_rsi_does_not_drift() {
    check(
        RsiCutler::new(bars(BARS)),
        |value| value,
        &closes(),
        |closes| {
            let changes = last(closes, BARS + 1).windows(2).map(|pair| pair[1] - pair[0]);
            let (gains, losses) = changes.fold((0.0, 0.0), |(gains, losses), change| {
                (gains + f64::max(change, 0.0), losses + f64::max(-change, 0.0))
            });
            100.0 - 100.0 / (1.0 + gains / losses)
        },
    );
}

#[test]
fn volume_a_trillion_times_the_usual_is_forgotten() {
    let volumes: Vec<_> = uniforms()
        .take(ROWS)
        .map(|uniform| if uniform < 0.001 { 1e15 } else { 1.0 + (uniform * 1000.0).floor() })
        .collect();
    check(
        VolumeRatio::new(bars(BARS)),
        |value| value,
        &volumes,
        |volumes| volumes[volumes.len() - 1] / (last(volumes, BARS).iter().sum::<f64>() / BARS as f64),
    );
}
