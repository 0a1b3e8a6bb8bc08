//! Intervals and differences against known standard errors, coverage, and by hand.

use super::*;
use crate::vectors::{METRICS, assert_close, dates, floats, periods, returns};
use crate::{Convention, MetricOptions, Returns, max_drawdown, sharpe_ratio};

const OPTIONS: MetricOptions = MetricOptions::new(Convention::Tidegate);

fn resamples(length: usize, count: usize, mean_block_length: f64, seed: u64) -> Resamples {
    Resamples::new(length, BootstrapSettings { resamples: count, mean_block_length, seed }).expect("valid settings")
}

/// Noise of a mean and a standard deviation of 0.01, as sums of twelve uniform values.
fn noise(generator: &mut SplitMix64, length: usize, mean: f64) -> Vec<f64> {
    let normal = |generator: &mut SplitMix64| (0..12).map(|_| generator.unit()).sum::<f64>() - 6.0;
    (0..length).map(|_| mean + 0.01 * normal(generator)).collect()
}

#[test]
fn the_error_of_a_sharpe_ratio_is_that_of_the_formula_when_periods_are_independent() {
    let returns = returns();
    let found = sharpe_ratio_interval(&returns, &resamples(750, 2000, 1.0, 1), 0.95, &OPTIONS);
    let found = found.expect("valid").expect("varies");
    assert_eq!(Some(found.estimate), sharpe_ratio(&returns, &OPTIONS));
    // Mertens (2002): sqrt((1 - g3 s + (g4 - 1) / 4 s^2) / n) with s = 0.42147 / sqrt(252), g3 = -0.03369, g4 = 4.13063; annualized
    // 0.5801. The resamples' own spread is known to 0.3 / sqrt(2000) of it or so.
    let s = 0.421_469_618_3 / 252.0_f64.sqrt();
    let expected = ((1.0 + 0.033_691_010_7 * s + 3.130_633_798_4 / 4.0 * s * s) / 750.0 * 252.0).sqrt();
    assert!((found.standard_error / expected - 1.0).abs() < 2e-3, "{found:?}");
    let width = |interval: Interval| (interval.high - interval.low) / (2.0 * 1.959_964);
    assert!((width(found.percentile) / expected - 1.0).abs() < 0.06, "{found:?}");
    assert!((width(found.studentized) / expected - 1.0).abs() < 0.06, "{found:?}");
    // z = 0.42147 / 0.5801 = 0.7265: two-sided 0.4675.
    assert!((found.p_value - 0.4675).abs() < 0.04, "{found:?}");
}

#[test]
fn ninety_percent_intervals_hold_the_truth_nine_times_in_ten() {
    let (trials, length, mean) = (400, 150, 0.001);
    let resamples = resamples(length, 200, 2.0, 7);
    let truth = 0.1 * 252.0_f64.sqrt();
    let mut generator = SplitMix64::new(11);
    let mut inside = [0, 0];
    for _ in 0..trials {
        let returns = periods(&noise(&mut generator, length, mean));
        let found = sharpe_ratio_interval(&returns, &resamples, 0.9, &OPTIONS).expect("valid").expect("varies");
        for (count, interval) in inside.iter_mut().zip([found.percentile, found.studentized]) {
            *count += u32::from(interval.low <= truth && truth <= interval.high);
        }
    }
    // 360 of 400 with a standard deviation of 6.
    assert!(inside.iter().all(|count| count.abs_diff(360) <= 20), "{inside:?}");
}

#[test]
fn a_small_steady_advantage_is_found_only_by_pairs() {
    let mut generator = SplitMix64::new(21);
    let market = noise(&mut generator, 500, 0.0004);
    let better: Vec<f64> =
        market.iter().zip(noise(&mut generator, 500, 0.0)).map(|(m, n)| m + 0.0004 + 0.1 * n).collect();
    let (first, second) = (periods(&better), periods(&market));
    let found = paired_difference(&first, &second, &resamples(500, 999, 2.0, 3), 0.95, &OPTIONS).expect("valid");
    let (sharpe, mean) = (found.sharpe_ratio.expect("differs"), found.mean_return_annual.expect("differs"));
    assert!(sharpe.p_value <= 0.002 && sharpe.studentized.low > 0.0, "{sharpe:?}");
    assert!(mean.p_value <= 0.002 && (mean.percentile.low..mean.percentile.high).contains(&0.1008), "{mean:?}");
    // Alone, its Sharpe ratio is uncertain by sqrt(252 / 500) = 0.71.
    let alone = sharpe_ratio_interval(&first, &resamples(500, 999, 2.0, 3), 0.95, &OPTIONS).expect("valid");
    assert!(alone.expect("varies").standard_error > 8.0 * sharpe.standard_error);
}

#[test]
fn equal_strategies_have_no_difference_and_swapped_ones_the_opposite() {
    let resamples = resamples(750, 50, 3.0, 2);
    let same = paired_difference(&returns(), &returns(), &resamples, 0.95, &OPTIONS).expect("valid");
    assert_eq!((same.sharpe_ratio, same.mean_return_annual), (None, None));
    let benchmark = Returns::from_times(dates(), floats(&METRICS["benchmark"]), 252.0).expect("valid returns");
    let difference = |first, second| {
        let found = paired_difference(first, second, &resamples, 0.95, &OPTIONS).expect("valid");
        found.sharpe_ratio.expect("differs")
    };
    let (found, swapped) = (difference(&returns(), &benchmark), difference(&benchmark, &returns()));
    assert_close(Some(found.estimate), -swapped.estimate);
    assert_close(Some(found.percentile.low), -swapped.percentile.high);
    assert_close(Some(found.p_value), swapped.p_value);
}

#[test]
fn the_drawdown_is_that_of_the_data_and_of_every_resample() {
    let returns = periods(&[-0.5, 1.0]);
    // Four equally likely resamples: -50 %, then +100 %: -0.5; the other way round: -0.5; twice -50 %: -0.75; twice +100 %: 0.
    let found = max_drawdown_interval(&returns, &resamples(2, 4000, 1.0, 9), 0.6).expect("valid").expect("periods");
    assert_eq!(Some(found.estimate), max_drawdown(&returns));
    assert_eq!((found.median, found.percentile), (-0.5, Interval { low: -0.75, high: 0.0 }));
    // 3/4 are as deep, with a standard deviation of 0.007.
    assert!((found.deeper_share - 0.75).abs() < 0.03, "{found:?}");
}

#[test]
fn ruined_strategies_and_wrong_settings_are_told() {
    let ruined = periods(&[0.1, -1.0, 0.0]);
    let resamples = resamples(3, 10, 1.0, 1);
    assert_eq!(sharpe_ratio_interval(&ruined, &resamples, 0.95, &OPTIONS), Ok(None));
    let lost = max_drawdown_interval(&ruined, &resamples, 0.95).expect("valid").expect("periods");
    assert_eq!(lost.estimate, -1.0);
    let error = sharpe_ratio_interval(&ruined, &resamples, 1.0, &OPTIONS).expect_err("sure").to_string();
    assert_eq!(error, "confidence must be in (0, 1), was `1`");
    let error = sharpe_ratio_interval(&periods(&[0.1]), &resamples, 0.9, &OPTIONS).expect_err("short").to_string();
    assert_eq!(error, "returns must have `3` rows, has `1`");
}

fn orders(order: TradeOrder, returns: &[f64]) -> TradeOrders {
    let settings = TradeOrderSettings { order, orders: 3000, confidence: 0.9, seed: 6 };
    trade_orders(returns, settings).expect("valid").expect("trades")
}

#[test]
fn shuffled_trades_end_alike_but_not_by_the_same_way() {
    // Two losses of 10 % among four trades: three of the six equally likely places have them in a row, 0.9 * 0.9 - 1 = -19 %; in the
    // other three a gain of 20 % between them makes a new peak, and the drawdown is -10 %.
    let found = orders(TradeOrder::Shuffled, &[0.2, -0.1, 0.2, -0.1]);
    let (drawdown, total) = (found.max_drawdown, found.total_return);
    assert_close(Some(total.actual), 1.2 * 1.2 * 0.9 * 0.9 - 1.0);
    assert!((total.percentile.high - total.percentile.low).abs() < 1e-12);
    assert_eq!(total.as_bad_share, 1.0);
    assert!((drawdown.actual + 0.1).abs() < 1e-12 && (drawdown.percentile.low + 0.19).abs() < 1e-12);
    // Every order loses at least 10 % somewhere.
    assert!((drawdown.percentile.high + 0.1).abs() < 1e-12, "{drawdown:?}");
    let bad = orders(TradeOrder::Shuffled, &[0.2, 0.2, -0.1, -0.1]).max_drawdown.as_bad_share;
    // 1/2, with a standard deviation of 0.009.
    assert!((bad - 0.5).abs() < 0.04, "{bad}");
}

#[test]
fn drawn_trades_end_differently_and_a_loss_of_all_is_the_end() {
    let found = orders(TradeOrder::Drawn, &[0.2, -0.1, 0.2, -0.1]);
    // The best draw is 1.2^4 with probability 1/16, the worst 0.9^4.
    assert_close(Some(found.total_return.percentile.high), 1.2_f64.powi(4) - 1.0);
    assert_close(Some(found.total_return.percentile.low), 0.9_f64.powi(4) - 1.0);
    let ruined = orders(TradeOrder::Shuffled, &[0.5, -1.2, 0.5]);
    assert_eq!((ruined.max_drawdown.median, ruined.total_return.percentile.high), (-1.0, -1.0));
    let settings = TradeOrderSettings { order: TradeOrder::Drawn, orders: 2, confidence: 0.9, seed: 6 };
    assert_eq!(trade_orders(&[], settings), Ok(None));
    assert!(trade_orders(&[f64::NAN], settings).is_err());
    let error = trade_orders(&[0.1], TradeOrderSettings { orders: 0, ..settings }).expect_err("none").to_string();
    assert_eq!(error, "orders must be at least 1, was `0`");
}
