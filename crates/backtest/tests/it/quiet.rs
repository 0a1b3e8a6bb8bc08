//! Quiet stretches walked down the columns against the ordinary path, to the bit: random markets, configs and lengths, and every
//! strategy that names its next decision.

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;

use tidegate_backtest::strategies::{BuyAndHold, SharedAverages, SharedSmaCross, SmaCross, SmaCrossParams};
use tidegate_backtest::{
    AccountKind, BacktestConfig, Commission, Context, DataEnd, FeeBasis, FillTiming, Financing, InstrumentData,
    Journal, Latency, Market, Requests, RiskLimits, Slippage, Strategy, TargetSizing, run_into,
};
use tidegate_market::{Bars, Bps, Cash, CorporateAction, CorporateActionKind, Instrument, Timestamp};

use crate::support::{Each, Generator, bars_with_gaps, base, daily, run_ok};

/// Asks a strategy at every bar: what the engine does with one that names no next decision.
struct EveryBar<S>(S);

impl<S: Strategy> Strategy for EveryBar<S> {
    fn on_bar(&mut self, context: &Context<'_>, requests: &mut Requests) {
        self.0.on_bar(context, requests);
    }
}

/// Changes its weight at given steps, short ones and beyond the account too.
#[derive(Clone)]
struct AtSteps(Vec<(usize, f64)>);

impl Strategy for AtSteps {
    fn on_bar(&mut self, context: &Context<'_>, requests: &mut Requests) {
        for &(_, weight) in self.0.iter().filter(|&&(step, _)| step == context.step()) {
            for instrument in context.instruments().filter(|&instrument| context.is_updated(instrument)) {
                requests.target_weight(instrument, weight);
            }
        }
    }

    fn next_decision(&self, context: &Context<'_>) -> usize {
        let steps = self.0.iter().map(|&(step, _)| step);
        steps.filter(|&step| step > context.step()).min().unwrap_or(usize::MAX)
    }
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[track_caller]
fn assert_same(quiet: &Journal, ordinary: &Journal) {
    assert_eq!(bits(quiet.equity.equity()), bits(ordinary.equity.equity()), "equity");
    assert_eq!(bits(&quiet.equity.cash()), bits(&ordinary.equity.cash()), "cash");
    assert_eq!(bits(&quiet.equity.gross_exposure()), bits(&ordinary.equity.gross_exposure()), "gross exposure");
    let exposed = quiet.equity.gross_exposure().iter().filter(|&&gross| gross != 0.0).count();
    assert_eq!((quiet.equity.bars_exposed(), ordinary.equity.bars_exposed()), (exposed, exposed));
    assert_eq!(quiet.equity.time(), ordinary.equity.time());
    assert_eq!((quiet.order_hash(), &quiet.orders), (ordinary.order_hash(), &ordinary.orders));
    assert_eq!(quiet.fills, ordinary.fills);
    assert_eq!(quiet.trades, ordinary.trades);
    assert_eq!((&quiet.cash_flows, &quiet.actions), (&ordinary.cash_flows, &ordinary.actions));
    assert_eq!((&quiet.positions, quiet.totals, quiet.halt), (&ordinary.positions, ordinary.totals, ordinary.halt));
    assert_eq!(
        (&quiet.daily_loss_stops, &quiet.margin_calls),
        (&ordinary.daily_loss_stops, &ordinary.margin_calls),
        "stops"
    );
}

/// Runs both ways into journals that were used before, and returns the ordinary one.
fn check<S: Strategy>(market: &Market, config: &BacktestConfig, make: impl Fn() -> S, used: &mut [Journal; 2]) {
    let [quiet, ordinary] = used;
    run_into(market, &[], config, &mut make(), quiet).expect("valid");
    run_into(market, &[], config, &mut EveryBar(make()), ordinary).expect("valid");
    assert_same(quiet, ordinary);
}

/// One instrument most often, with gaps, lots, a multiplier, actions and signal bars of its own now and then; several else.
fn market(generator: &mut Generator) -> Market {
    let instruments = if generator.chance(0.8) { 1 } else { 2 + generator.below(3) };
    let rows = 1 + generator.below(400);
    let series = (0..instruments).map(|place| {
        let gaps = if generator.chance(0.3) { 0.1 } else { 0.0 };
        let walk = generator.walk(rows);
        let mut walk: Vec<_> = walk.into_iter().map(|bar| (!generator.chance(gaps)).then_some(bar)).collect();
        walk[0] = walk[0].or(Some([50.0, 51.0, 49.0, 50.0]));
        let bars = Arc::new(bars_with_gaps(&walk, "1d"));
        let mut instrument = Instrument::fractional(format!("S{place}"));
        instrument.lot_size = generator.chance(0.3).then_some(1.0);
        instrument.multiplier = if generator.chance(0.2) { 5.0 } else { 1.0 };
        let mut data = InstrumentData::new(instrument, Arc::clone(&bars));
        if generator.chance(0.2) {
            data.signal_bars = Some(Arc::new(scaled(&bars, 0.5)));
        }
        if generator.chance(0.1) {
            data.actions.push(CorporateAction {
                time: Timestamp::from_nanos(generator.below(rows) as i64 * Timestamp::NANOS_PER_DAY),
                kind: CorporateActionKind::Dividend { amount: 0.1 },
            });
        }
        data
    });
    Market::build(series.collect(), None).expect("valid")
}

fn scaled(bars: &Bars, factor: f64) -> Bars {
    let mut columns = bars.columns().clone();
    for column in [&mut columns.open, &mut columns.high, &mut columns.low, &mut columns.close] {
        for price in column.iter_mut() {
            *price *= factor;
        }
    }
    Bars::new(columns, bars.label(), bars.interval()).expect("sane")
}

/// Costs and fill timings of every kind, and now and then a limit, a rate or an account that asks for every bar.
fn config(generator: &mut Generator) -> BacktestConfig {
    use FillTiming::{NextClose, NextOpen, SameClose, SameCloseBookedNext};
    let fill = [NextOpen, NextClose, SameClose, SameCloseBookedNext][generator.below(4)];
    let mut limits = RiskLimits::UNLIMITED;
    if generator.chance(0.5) {
        limits.gross_leverage_max = Some(0.5 + generator.uniform());
    }
    limits.drawdown_stop = generator.chance(0.15).then_some(0.1);
    limits.losing_trades_stop = generator.chance(0.1).then_some(3);
    limits.daily_loss_stop = generator.chance(0.1).then_some(0.02);
    let per_share = Commission::PerShare { per_share: 0.01, minimum: 1.0, maximum_fraction: None };
    BacktestConfig {
        fill,
        limits,
        commission: [Commission::Bps(Bps(5.0)), Commission::Bps(Bps(0.0)), per_share][generator.below(3)].clone(),
        slippage: [Slippage::None, Slippage::Bps(Bps(3.0))][generator.below(2)],
        financing: if generator.chance(0.15) {
            Financing { borrow_rate: 0.02, margin_rate: 0.03, cash_rate: 0.01 }
        } else {
            Financing::NONE
        },
        latency: if !matches!(fill, SameClose | SameCloseBookedNext) && generator.chance(0.2) {
            Latency::Bars(NonZeroU32::MIN)
        } else {
            Latency::None
        },
        sizing: if generator.chance(0.2) {
            TargetSizing::AtFill { budget_fraction: 1.0, fee_basis: FeeBasis::Fill }
        } else {
            TargetSizing::AtDecision { cash_buffer: 0.0, fees_included: generator.chance(0.5) }
        },
        account: match generator.below(8) {
            0 => AccountKind::Cash,
            1 => AccountKind::Margin { initial: 0.5, maintenance: 0.25 },
            2 => AccountKind::CashAndShorts,
            _ => AccountKind::Unrestricted,
        },
        data_end: if generator.chance(0.3) { DataEnd::Close } else { DataEnd::Keep },
        volume_share_max: generator.chance(0.1).then_some(0.01),
        ..base()
    }
}

#[test]
fn a_quiet_stretch_changes_no_bit_of_any_journal() {
    let mut used: [[Journal; 2]; 4] = Default::default();
    for seed in 0..1_500 {
        let mut generator = Generator(seed);
        for _ in 0..4 {
            generator.uniform();
        }
        let (market, config) = (market(&mut generator), config(&mut generator));
        let averages = SharedAverages::new(&market, 1 << 20);
        let fast = 1 + generator.below(12);
        let params = SmaCrossParams {
            fast_bars: NonZeroUsize::new(fast).expect("above zero"),
            slow_bars: NonZeroUsize::new(fast + 1 + generator.below(40)).expect("above zero"),
            weight: [1.0, 0.7, 2.0][generator.below(3)],
            allow_short: generator.chance(0.5),
        };
        let [first, second, third, fourth] = &mut used;
        let streaming = SmaCross::new(params, market.len()).expect("valid");
        if let Some(shared) = SharedSmaCross::new(params, &averages).expect("valid") {
            check(&market, &config, || shared, first);
            run_into(&market, &[], &config, &mut streaming.clone(), &mut second[0]).expect("valid");
            assert_same(&first[0], &second[0]);
        }
        check(&market, &config, || BuyAndHold::new(market.len()), third);
        let at = |generator: &mut Generator| (generator.below(400), 8.0 * generator.uniform() - 4.0);
        let steps = AtSteps((0..generator.below(8)).map(|_| at(&mut generator)).collect());
        check(&market, &config, || steps.clone(), fourth);
    }
}

#[test]
fn a_quiet_stretch_is_not_asked_and_one_with_a_stop_on_the_account_is() {
    struct Counting(AtSteps, usize);
    impl Strategy for Counting {
        fn on_bar(&mut self, context: &Context<'_>, requests: &mut Requests) {
            self.1 += 1;
            self.0.on_bar(context, requests);
        }
        fn next_decision(&self, context: &Context<'_>) -> usize {
            self.0.next_decision(context)
        }
    }
    let asked = |config: &BacktestConfig| {
        let market = crate::support::market(vec![daily(&[[50.0, 51.0, 49.0, 50.0]; 100])]);
        let mut strategy = Counting(AtSteps(vec![(10, 1.0), (60, 0.0)]), 0);
        assert_eq!(run_ok(&market, config, &mut strategy).fills.len(), 2);
        strategy.1
    };
    // The first bar, the two decisions, and the bar after each, in whose open the order fills.
    assert_eq!(asked(&base()), 5);
    let limits = RiskLimits { drawdown_stop: Some(0.9), ..RiskLimits::UNLIMITED };
    assert_eq!(asked(&BacktestConfig { limits, ..base() }), 100);
}

#[test]
fn ruin_within_a_quiet_stretch_ends_the_run_at_its_bar() {
    // Three times the account, long at 100; at 60 the loss of 40 % times three is more than everything.
    let mut rows = vec![[100.0, 100.0, 100.0, 100.0]; 10];
    rows[6] = [60.0; 4];
    let market = crate::support::market(vec![daily(&rows)]);
    let config = BacktestConfig::frictionless(Cash(1_000.0), FillTiming::NextOpen);
    let make = || AtSteps(vec![(1, 3.0)]);
    let mut used = <[Journal; 2]>::default();
    check(&market, &config, make, &mut used);
    assert_eq!(used[0].equity.len(), 7);
    assert_eq!(used[0].final_equity(), Cash(-200.0));
}

#[test]
#[should_panic(expected = "the averages are those of another market")]
fn averages_of_another_market_are_refused() {
    let rows = [[50.0, 51.0, 49.0, 50.0]; 100];
    let [one, other] = [0, 1].map(|_| crate::support::market(vec![daily(&rows)]));
    let averages = SharedAverages::new(&one, 1 << 20);
    let bars = |count| NonZeroUsize::new(count).expect("above zero");
    let params = SmaCrossParams { fast_bars: bars(2), slow_bars: bars(3), weight: 1.0, allow_short: false };
    let mut strategy = SharedSmaCross::new(params, &averages).expect("valid").expect("room");
    run_ok(&other, &base(), &mut strategy);
}

#[test]
fn a_strategy_without_a_word_on_its_next_decision_is_asked_at_every_bar() {
    let market = crate::support::market(vec![daily(&[[50.0, 51.0, 49.0, 50.0]; 30])]);
    let mut asked = 0;
    run_ok(&market, &base(), &mut Each(|_: &Context<'_>, _: &mut Requests| asked += 1));
    assert_eq!(asked, 30);
}
