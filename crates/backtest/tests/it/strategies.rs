//! The strategies that come with the engine, on bars where their decisions are known.

use std::num::NonZeroUsize;

use tidegate_backtest::strategies::{
    BuyAndHold, ForecastThreshold, ForecastThresholdParams, Kelly, KellyParams, MomentumRotation,
    MomentumRotationParams, ScheduledWeight, SmaCross, SmaCrossParams, TargetWeights, VolatilitySource,
    VolatilityTarget, VolatilityTargetParams,
};
use tidegate_backtest::{
    BacktestConfig, Commission, ForecastSource, Journal, RebalanceSchedule, Rebalancing, RiskLimits, Slippage,
    Strategy, run, run_with,
};
use tidegate_market::{Forecast, InstrumentId, Timestamp};

use crate::support::{Ohlc, bars_with_gaps, base, close_to, daily, market, run_ok};

fn free() -> BacktestConfig {
    BacktestConfig {
        commission: Commission::None,
        slippage: Slippage::None,
        limits: RiskLimits { gross_leverage_max: Some(1.0), ..RiskLimits::UNLIMITED },
        ..base()
    }
}

fn flat(price: f64) -> Ohlc {
    [price; 4]
}

fn bars(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).expect("above zero")
}

/// Every so many bars, however small the drift.
fn every(count: usize) -> Rebalancing {
    Rebalancing { schedule: RebalanceSchedule::EveryBars(bars(count)), tolerance: 0.0 }
}

fn day(days: i64) -> Timestamp {
    Timestamp::from_nanos(days * Timestamp::NANOS_PER_DAY)
}

/// A forecast from the bar of a day, known at its close.
fn forecast(bar_day: i64, mean: f64, variance: Option<f64>) -> Forecast {
    Forecast {
        instrument: InstrumentId(0),
        time: day(bar_day),
        known_time: day(bar_day + 1),
        horizon_bars: 1,
        mean,
        variance,
        fold: 0,
    }
}

/// Row, signed quantity.
fn fills(journal: &Journal) -> Vec<(u32, f64)> {
    journal.fills.iter().map(|fill| (fill.row, fill.side.sign() * fill.quantity.0)).collect()
}

fn with_forecasts(forecasts: &[Forecast], strategy: &mut impl Strategy) -> Journal {
    run(&market(vec![daily(&[flat(100.0); 6])]), forecasts, &free(), strategy).expect("valid run")
}

#[test]
fn buy_and_hold_buys_each_instrument_once_when_its_history_begins() {
    let late: Vec<Option<Ohlc>> = (0..5).map(|row| (row >= 2).then_some(flat(50.0))).collect();
    let series = vec![daily(&[flat(100.0); 5]), bars_with_gaps(&late, "1d")];
    let journal = run_ok(&market(series), &free(), &mut BuyAndHold::new(2));
    assert_eq!(fills(&journal), [(1, 500.0), (1, 1_000.0)]);
    assert_eq!(journal.fills[1].time, day(3));
}

#[test]
fn a_forecast_above_the_threshold_is_long_below_its_negative_short_and_stale_flat() {
    let params = ForecastThresholdParams { entry_threshold: 0.01, long_weight: 1.0, short_weight: -0.5 };
    let mut strategy = ForecastThreshold::new(params, 1).expect("valid");
    let forecasts = [forecast(0, 0.02, None), forecast(1, 0.011, None), forecast(2, -0.02, None)];
    let journal = with_forecasts(&forecasts, &mut strategy);
    // Long after bar 0, no trade after bar 1, short after bar 2, flat after bar 3 which brought no forecast.
    assert_eq!(fills(&journal), [(1, 1_000.0), (3, -1_500.0), (4, 500.0)]);
}

#[test]
fn a_forecast_that_is_known_late_acts_late() {
    let params = ForecastThresholdParams { entry_threshold: 0.01, long_weight: 1.0, short_weight: 0.0 };
    let mut strategy = ForecastThreshold::new(params, 1).expect("valid");
    let late = Forecast { known_time: day(1).plus_nanos(1), ..forecast(0, 0.02, None) };
    let journal = with_forecasts(&[late], &mut strategy);
    assert_eq!(fills(&journal)[0].0, 2);
}

#[test]
fn kelly_holds_the_fraction_of_mean_over_variance_and_tolerates_small_drift() {
    let params = KellyParams { fraction: 0.5, weight_max: 1.0, allow_short: true, rebalance_tolerance: 0.05 };
    let mut strategy = Kelly::new(params).expect("valid");
    let variance = Some(0.0004);
    // Weights 0.5 * m / v: 0.5, 0.52 (within the tolerance), -0.25, then none.
    let forecasts = [forecast(0, 0.0004, variance), forecast(1, 0.000_416, variance), forecast(2, -0.0002, variance)];
    let journal = with_forecasts(&forecasts, &mut strategy);
    assert_eq!(fills(&journal), [(1, 500.0), (3, -750.0), (4, 250.0)]);
}

#[test]
fn the_volatility_target_divides_by_the_forecast_volatility() {
    let params = VolatilityTargetParams {
        annual_volatility: 0.1,
        source: VolatilitySource::Forecast,
        periods_per_year: 256.0,
        weight_max: 1.0,
        rebalance_tolerance: 0.0,
    };
    let mut strategy = VolatilityTarget::new(params, 1).expect("valid");
    // 0.1 / (0.0125 * 16) = 0.5; with half the volatility 1.0.
    let forecasts = [forecast(0, 0.0, Some(0.0125 * 0.0125)), forecast(1, 0.0, Some(0.00625 * 0.00625))];
    let journal = with_forecasts(&forecasts, &mut strategy);
    let found = fills(&journal);
    assert_eq!(found.iter().map(|fill| fill.0).collect::<Vec<_>>(), [1, 2, 3]);
    close_to(found[0].1, 500.0, 1e-12);
    close_to(found[1].1, 500.0, 1e-12);
}

#[test]
fn the_volatility_target_measures_volatility_itself() {
    // Log returns of the closes: ln 1.1, ln (1 / 1.1): their sample deviation is ln(1.1) * sqrt(2) = 0.134789...
    let rows = [flat(100.0), flat(110.0), flat(100.0), flat(100.0)];
    let params = VolatilityTargetParams {
        annual_volatility: 0.5,
        source: VolatilitySource::Rolling { bars: bars(2) },
        periods_per_year: 25.0,
        weight_max: 2.0,
        rebalance_tolerance: 0.0,
    };
    let mut strategy = VolatilityTarget::new(params, 1).expect("valid");
    let journal = run_ok(&market(vec![daily(&rows)]), &free(), &mut strategy);
    close_to(fills(&journal)[0].1, 1_000.0 * 0.1 / (1.1_f64.ln() * 2.0_f64.sqrt()), 1e-9);
}

#[test]
fn a_scheduled_weight_acts_at_the_first_close_at_or_after_its_time() {
    let entry =
        |known_time, instrument, weight| ScheduledWeight { known_time, instrument: InstrumentId(instrument), weight };
    // Known at the very close of bar 0, one nanosecond after the close of bar 1, and before the second instrument has a bar.
    let schedule = vec![entry(day(1), 0, 0.5), entry(day(1), 1, 0.3), entry(day(2).plus_nanos(1), 0, 0.0)];
    let late: Vec<Option<Ohlc>> = (0..6).map(|row| (row >= 3).then_some(flat(50.0))).collect();
    let series = vec![daily(&[flat(100.0); 6]), bars_with_gaps(&late, "1d")];
    let mut strategy = TargetWeights::new(schedule, 2).expect("valid");
    let journal = run_ok(&market(series), &free(), &mut strategy);
    let found: Vec<_> = journal.fills.iter().map(|fill| (fill.instrument.0, fill.time, fill.quantity.0)).collect();
    assert_eq!(found, [(0, day(1), 500.0), (0, day(3), 500.0), (1, day(4), 600.0)]);
}

#[test]
fn momentum_rotates_into_the_strongest_with_ties_to_the_first() {
    // One-bar returns. Bar 1: A +10 %, B +10 %, C 0: the tie goes to A. Bar 2: C +20 %.
    let series = vec![
        daily(&[flat(100.0), flat(110.0), flat(110.0), flat(110.0)]),
        daily(&[flat(100.0), flat(110.0), flat(110.0), flat(110.0)]),
        daily(&[flat(100.0), flat(100.0), flat(120.0), flat(120.0)]),
    ];
    let params = MomentumRotationParams { lookback_bars: bars(1), top: bars(1), rebalancing: every(1) };
    let mut strategy = MomentumRotation::new(params, 3).expect("valid");
    let journal = run_ok(&market(series), &free(), &mut strategy);
    let found: Vec<_> = journal.fills.iter().map(|fill| (fill.instrument.0, fill.row, fill.side.sign())).collect();
    assert_eq!(found, [(0, 2, 1.0), (0, 3, -1.0), (2, 3, 1.0)]);
}

#[test]
fn more_places_than_instruments_are_refused() {
    let params = MomentumRotationParams { lookback_bars: bars(1), top: bars(3), rebalancing: every(1) };
    let error = MomentumRotation::new(params, 2).expect_err("too many");
    assert_eq!(error.to_string(), "top must be at most the number of instruments, was `3`");
}

#[test]
fn a_window_longer_than_any_data_never_trades() {
    fn check(mut strategy: impl Strategy) {
        let journal = run_ok(&market(vec![daily(&[flat(100.0); 6]); 2]), &free(), &mut strategy);
        assert!(journal.orders.is_empty());
    }
    let endless = bars(1_000_000_000_000_000_000);
    let cross = SmaCrossParams { fast_bars: bars(2), slow_bars: endless, weight: 1.0, allow_short: true };
    check(SmaCross::new(cross, 2).expect("valid"));
    let rotation = MomentumRotationParams { lookback_bars: endless, top: bars(1), rebalancing: every(endless.get()) };
    check(MomentumRotation::new(rotation, 2).expect("valid"));
    let target = VolatilityTargetParams {
        annual_volatility: 0.1,
        source: VolatilitySource::Rolling { bars: endless },
        periods_per_year: 256.0,
        weight_max: 1.0,
        rebalance_tolerance: 0.0,
    };
    check(VolatilityTarget::new(target, 2).expect("valid"));
}

/// Forecasts of two instruments, each made when it is asked for from the number of the day alone.
struct DayByDay {
    next: [i64; 2],
    days: i64,
}

impl ForecastSource for DayByDay {
    fn next(&mut self, now: Timestamp) -> Option<Forecast> {
        let place = (0..2).find(|&place| self.next[place] < self.days && day(self.next[place] + 1) <= now)?;
        let made = self.next[place];
        self.next[place] += 1 + place as i64;
        let mean = ((made * 7 + place as i64 * 3) % 11 - 5) as f64 / 100.0;
        Some(Forecast { instrument: InstrumentId(place as u32), horizon_bars: 2, ..forecast(made, mean, Some(1e-4)) })
    }
}

#[test]
fn forecasts_made_in_the_loop_give_the_journal_of_the_same_forecasts_in_a_list() {
    let rows = |missing: usize| -> Vec<Option<Ohlc>> {
        let price = |row: usize| 50.0 + ((row * 5) % 13) as f64;
        (0..60).map(|row| (row % missing != 3).then(|| flat(price(row)))).collect()
    };
    let market = market(vec![bars_with_gaps(&rows(7), "1d"), bars_with_gaps(&rows(9), "1d")]);
    let mut source = DayByDay { next: [0, 0], days: 60 };
    let mut list = Vec::new();
    (1..=60).for_each(|now| list.extend(std::iter::from_fn(|| source.next(day(now)))));
    let params = ForecastThresholdParams { entry_threshold: 0.01, long_weight: 0.9, short_weight: -0.9 };
    let strategy = || ForecastThreshold::new(params, 2).expect("valid");
    let listed = run(&market, &list, &free(), &mut strategy()).expect("valid");
    let mut source = DayByDay { next: [0, 0], days: 60 };
    let made = run_with(&market, &mut source, &free(), &mut strategy()).expect("valid");
    assert!(listed.orders.len() > 40, "{}", listed.orders.len());
    assert_eq!((&made.orders, &made.fills, &made.totals), (&listed.orders, &listed.fills, &listed.totals));
    assert_eq!(made.equity.equity(), listed.equity.equity());
}
