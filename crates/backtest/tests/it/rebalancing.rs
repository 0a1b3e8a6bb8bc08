//! Strategies that bring a portfolio back to its weights, on bars where the units are known.

use std::num::NonZeroUsize;

use tidegate_backtest::strategies::{
    EqualRiskContribution, EqualRiskContributionParams, FixedWeights, MomentumRotation, MomentumRotationParams,
};
use tidegate_backtest::{
    BacktestConfig, Commission, Journal, RebalanceSchedule, Rebalancing, RiskLimits, Slippage, Strategy,
};
use tidegate_market::{Bars, TradingCalendar};

use crate::support::{Ohlc, bars_with_gaps, base, close_to, market, run_ok};

fn free() -> BacktestConfig {
    BacktestConfig {
        commission: Commission::None,
        slippage: Slippage::None,
        limits: RiskLimits { gross_leverage_max: Some(1.0), ..RiskLimits::UNLIMITED },
        ..base()
    }
}

fn bars(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).expect("above zero")
}

fn every(count: usize, tolerance: f64) -> Rebalancing {
    Rebalancing { schedule: RebalanceSchedule::EveryBars(bars(count)), tolerance }
}

/// Daily bars from 1970-01-01 without a range; a price of zero is a day without a bar.
fn days(prices: &[f64]) -> Bars {
    let rows: Vec<Option<Ohlc>> = prices.iter().map(|&price| (price > 0.0).then_some([price; 4])).collect();
    bars_with_gaps(&rows, "1d")
}

/// Day, instrument and signed quantity of each fill.
fn fills(journal: &Journal) -> Vec<(i64, u32, f64)> {
    let day = |nanos: i64| nanos / tidegate_market::Timestamp::NANOS_PER_DAY;
    let fill = |fill: &tidegate_backtest::Fill| {
        (day(fill.time.nanos()), fill.instrument.0, fill.side.sign() * fill.quantity.0)
    };
    journal.fills.iter().map(fill).collect()
}

#[track_caller]
fn check(series: &[&[f64]], strategy: &mut impl Strategy, expected: &[(i64, u32, f64)]) {
    let journal = run_ok(&market(series.iter().map(|prices| days(prices)).collect()), &free(), strategy);
    let found = fills(&journal);
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!((found.0, found.1), (expected.0, expected.1));
        close_to(found.2, expected.2, 1e-9);
    }
}

fn halves(rebalancing: Rebalancing) -> FixedWeights {
    FixedWeights::new(vec![0.5, 0.5], rebalancing, 2).expect("valid")
}

#[test]
fn fixed_weights_sell_what_rose_to_buy_what_did_not() {
    // 500 units each; at 200 and 100 equity is 150,000: 375 and 750 units.
    let series: [&[f64]; 2] = [&[100.0, 100.0, 200.0, 200.0, 200.0], &[100.0; 5]];
    let bought = [(1, 0, 500.0), (1, 1, 500.0)];
    check(&series, &mut halves(every(1, 0.0)), &[bought[0], bought[1], (3, 0, -125.0), (3, 1, 250.0)]);
    // The weights 2/3 and 1/3 are 1/6 away.
    check(&series, &mut halves(every(1, 0.17)), &bought);
    // Due at the closes of days 0 and 3.
    check(&series, &mut halves(every(3, 0.16)), &[bought[0], bought[1], (4, 0, -125.0), (4, 1, 250.0)]);
}

#[test]
fn fixed_weights_on_a_month_end_act_on_its_last_day_only() {
    let mut rising = vec![100.0; 40];
    rising[10..].fill(200.0);
    // 1970-01-31, day 30, was a Saturday: the last weekday is day 29.
    let month_end = |calendar| halves(Rebalancing { schedule: RebalanceSchedule::MonthEnd(calendar), tolerance: 0.0 });
    let expected = |day| [(1, 0, 500.0), (1, 1, 500.0), (day, 0, -125.0), (day, 1, 250.0)];
    let series: [&[f64]; 2] = [&rising, &[100.0; 40]];
    check(&series, &mut month_end(TradingCalendar::Sessions), &expected(30));
    check(&series, &mut month_end(TradingCalendar::RoundTheClock), &expected(31));
}

#[test]
fn an_instrument_without_a_bar_is_brought_to_its_weight_at_its_first_close() {
    let series: [&[f64]; 2] = [&[100.0; 6], &[0.0, 0.0, 50.0, 50.0, 50.0, 50.0]];
    check(&series, &mut halves(every(100, 0.0)), &[(1, 0, 500.0), (3, 1, 1_000.0)]);
}

#[test]
fn an_instrument_on_holiday_is_corrected_the_day_after() {
    // Day 2 is due: the first is at 200, the second has no bar and is bought after its close of day 3.
    let series: [&[f64]; 2] = [&[100.0, 100.0, 200.0, 200.0, 200.0], &[100.0, 100.0, 0.0, 100.0, 100.0]];
    let expected = [(1, 0, 500.0), (1, 1, 500.0), (3, 0, -125.0), (4, 1, 250.0)];
    check(&series, &mut halves(every(2, 0.0)), &expected);
}

#[test]
fn weights_that_do_not_fit_the_instruments_are_refused() {
    let message = |weights| FixedWeights::new(weights, every(1, 0.0), 2).expect_err("bad").to_string();
    assert_eq!(message(vec![1.0]), "number of weights must be the number of instruments, was `1`");
    assert_eq!(message(vec![1.0, f64::NAN]), "weight must be finite, was `NaN`");
}

fn equal_risk(lookback: usize, rebalancing: Rebalancing) -> EqualRiskContribution {
    EqualRiskContribution::new(EqualRiskContributionParams { lookback_bars: bars(lookback), rebalancing })
        .expect("valid")
}

#[test]
fn two_instruments_share_the_risk_by_the_inverse_of_their_volatility() {
    // Returns of 10 %, -10 % and of 5 %, -5 %: the weights are 1/3 and 2/3.
    let series: [&[f64]; 2] = [&[100.0, 110.0, 99.0, 99.0], &[100.0, 105.0, 99.75, 99.75]];
    let thirds = 1e5 / 3.0;
    let expected = [(3, 0, thirds / 99.0), (3, 1, 2.0 * thirds / 99.75)];
    check(&series, &mut equal_risk(2, every(100, 0.0)), &expected);
}

#[test]
fn returns_are_measured_between_closes_that_all_have() {
    // The close of 500 on a day on which the second has none is not seen, and on day 3 two closes in common are too few.
    let series: [&[f64]; 2] = [&[0.0, 100.0, 500.0, 110.0, 99.0, 99.0], &[70.0, 100.0, 0.0, 105.0, 99.75, 99.75]];
    let thirds = 1e5 / 3.0;
    let expected = [(5, 0, thirds / 99.0), (5, 1, 2.0 * thirds / 99.75)];
    check(&series, &mut equal_risk(2, every(100, 0.0)), &expected);
}

#[test]
fn an_instrument_takes_part_once_it_has_enough_closes() {
    // Alone it has all the weight. After the close of day 4 the returns are 0, -10 % and 0, -5 %: the weights are 1/3 and 2/3.
    let series: [&[f64]; 2] = [&[100.0, 110.0, 100.0, 100.0, 90.0, 90.0], &[0.0, 0.0, 100.0, 100.0, 95.0, 95.0]];
    let expected = [(3, 0, 1_000.0), (5, 0, -2_000.0 / 3.0), (5, 1, 60_000.0 / 95.0)];
    check(&series, &mut equal_risk(2, every(2, 0.0)), &expected);
}

#[test]
fn what_does_not_move_or_is_hedged_perfectly_is_not_bought() {
    check(&[&[100.0; 6]], &mut equal_risk(2, every(1, 0.0)), &[]);
    let hedged: [&[f64]; 2] = [&[100.0, 110.0, 99.0, 99.0], &[100.0, 90.0, 99.0, 99.0]];
    check(&hedged, &mut equal_risk(2, every(100, 0.0)), &[]);
}

#[test]
fn one_return_has_no_covariance() {
    let params = EqualRiskContributionParams { lookback_bars: bars(1), rebalancing: every(1, 0.0) };
    let error = EqualRiskContribution::new(params).expect_err("too few");
    assert_eq!(error.to_string(), "lookback_bars must be at least 2, was `1`");
}

#[test]
fn momentum_ranks_on_its_schedule_and_lets_weights_drift_within_the_tolerance() {
    // The second is the stronger from day 2 on; ranked at the closes of days 1 and 4.
    let series: [&[f64]; 2] =
        [&[100.0, 110.0, 110.0, 110.0, 110.0, 110.0], &[100.0, 100.0, 120.0, 144.0, 172.8, 172.8]];
    let rotation = |rebalancing| {
        let params = MomentumRotationParams { lookback_bars: bars(1), top: bars(1), rebalancing };
        MomentumRotation::new(params, 2).expect("valid")
    };
    let units = 1e5 / 110.0;
    check(&series, &mut rotation(every(3, 0.0)), &[(2, 0, units), (5, 0, -units), (5, 1, 1e5 / 172.8)]);
    // Both are sized at the close of day 1; the second opens at 120 and gets what cash is left. By day 4 the weights are 0.41 and 0.59.
    let both = |rebalancing| {
        let params = MomentumRotationParams { lookback_bars: bars(1), top: bars(2), rebalancing };
        MomentumRotation::new(params, 2).expect("valid")
    };
    check(&series, &mut both(every(1, 0.2)), &[(2, 0, 5e4 / 110.0), (2, 1, 5e4 / 120.0)]);
}
