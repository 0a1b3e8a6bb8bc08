//! What must hold for every case that the oracle sees too: all orders, costs, accounts and corporate actions.

use proptest::prelude::*;
use tidegate_backtest::{
    AccountKind, Commission, CommissionTier, Context, Fill, FillMoment, FillTiming, Financing, Journal, OrderKind,
    OrderRequest, Requests, RiskLimits, Slippage, Strategy, TimeInForce, Trail, run,
};
use tidegate_market::{Bps, Cash, CorporateActionKind, InstrumentId, Price, Quantity, Side};

use crate::oracle::{Ask, Case, HOUR, Listed, Row};
use crate::oracle_cases::{Script, run_engine, to_market};
use crate::oracle_random::random_case;
use crate::support::{Generator, close_to};

/// Checks the books before handing each bar on.
struct Books<S> {
    inner: S,
    initial: f64,
}

impl<S: Strategy> Strategy for Books<S> {
    fn on_bar(&mut self, context: &Context<'_>, requests: &mut Requests) {
        let [cash, equity] = [context.cash().0, context.equity().0];
        let held: f64 = context.instruments().map(|instrument| context.position(instrument).value().0).sum();
        let scale = self.initial.max(equity.abs()).max(context.gross_exposure().0);
        assert!((equity - cash - held).abs() <= 1e-9 * scale, "equity `{equity}`, cash `{cash}`, held `{held}`");
        let earned = context.totals().earned().0;
        assert!((equity - self.initial - earned).abs() <= 1e-9 * scale, "equity `{equity}`, earned `{earned}`");
        self.inner.on_bar(context, requests);
    }
}

fn without_delisting(mut case: Case) -> Case {
    for listed in &mut case.listed {
        listed.actions.retain(|(_, kind)| !matches!(kind, CorporateActionKind::Delisting { .. }));
    }
    case
}

fn step_of(case: &Case, fill: &Fill) -> usize {
    (fill.time.nanos() / (case.hours * HOUR)) as usize
}

/// Fills of steps before one, in the order of events.
fn fills_before(case: &Case, journal: &Journal, step: usize) -> Vec<Fill> {
    journal.fills.iter().filter(|fill| step_of(case, fill) < step).copied().collect()
}

/// Rows of equity before a step; steps without a bar have none.
fn rows_before(case: &Case, step: usize) -> usize {
    (0..step).filter(|&step| case.listed.iter().any(|listed| listed.rows[step].is_some())).count()
}

/// Overwrites bars from a step on with others.
fn overwrite(case: &Case, step: usize, seed: u64) -> Case {
    let mut g = Generator(seed);
    let mut other = case.clone();
    for listed in &mut other.listed {
        for row in step..listed.rows.len() {
            if listed.rows[row].is_some() {
                let factor = 0.5 + g.uniform();
                scale_row(listed, row, factor, 0.1 + g.uniform());
            }
        }
    }
    other
}

fn scale_row(listed: &mut Listed, row: usize, price: f64, volume: f64) {
    let scale = |value: f64| listed.tick.map_or(value * price, |tick| (value * price / tick).round().max(1.0) * tick);
    if let Some([open, high, low, close, traded]) = listed.rows[row] {
        listed.rows[row] = Some([scale(open), scale(high), scale(low), scale(close), traded * volume]);
    }
    if let Some(fine) = &mut listed.fine {
        fine[row] = fine[row].map(|bar| bar.map(scale));
    }
}

fn map_orders(case: &mut Case, change: impl Fn(usize, &mut OrderRequest)) {
    map_prices(case, change, |_, _, price| price);
}

/// Changes every order and every price of a bracket's legs, with the step at which it is asked for.
fn map_prices(
    case: &mut Case,
    change: impl Fn(usize, &mut OrderRequest),
    price_of: impl Fn(usize, InstrumentId, f64) -> f64,
) {
    for (step, asks) in case.script.iter_mut().enumerate() {
        for ask in asks {
            match ask {
                Ask::Order(order) => change(step, order),
                Ask::Pair(first, second) => {
                    change(step, first);
                    change(step, second);
                }
                Ask::Bracket(entry, exits) => {
                    change(step, entry);
                    let price = |value: f64| price_of(step, entry.instrument, value);
                    exits.take_profit = exits.take_profit.map(|limit| Price(price(limit.0)));
                    exits.stop_loss = exits.stop_loss.map(|kind| with_prices(kind, &price));
                }
                Ask::Cancel(_) | Ask::Replace(..) => {}
            }
        }
    }
}

fn with_prices(kind: OrderKind, price: &impl Fn(f64) -> f64) -> OrderKind {
    match kind {
        OrderKind::Limit(limit) => OrderKind::Limit(Price(price(limit.0))),
        OrderKind::Stop(stop) => OrderKind::Stop(Price(price(stop.0))),
        OrderKind::StopLimit { stop, limit } => {
            OrderKind::StopLimit { stop: Price(price(stop.0)), limit: Price(price(limit.0)) }
        }
        OrderKind::TrailingStop(Trail::Absolute(distance)) => OrderKind::TrailingStop(Trail::Absolute(price(distance))),
        kind => kind,
    }
}

/// Drops requests that name others by their number or change units: they do not scale.
fn without_references(case: &mut Case) {
    for asks in &mut case.script {
        asks.retain(|ask| !matches!(ask, Ask::Cancel(_) | Ask::Replace(..)));
    }
}

fn near(found: &[f64], expected: impl Iterator<Item = f64>, scale: f64) {
    for (row, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= 1e-9 * scale.max(expected.abs()), "row {row}: {found} and {expected}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_books_balance_at_every_bar_with_everything_switched_on(seed in 0_u64..1_000_000) {
        let case = random_case(seed);
        let initial = case.config.initial_cash.0;
        let mut strategy = Books { inner: Script::of(&case), initial };
        let journal = run(&to_market(&case), &[], &case.config, &mut strategy).expect("valid run");
        let earned = journal.final_equity().0 - initial;
        prop_assert!((earned - journal.totals.earned().0).abs() <= 1e-9 * initial.max(journal.final_equity().0.abs()));
        let flows: f64 = journal.cash_flows.iter().map(|flow| flow.amount.0).sum();
        let t = journal.totals;
        let kinds = t.dividends.0 + t.cash_interest.0 - t.borrow_fees.0 - t.margin_interest.0 - t.funding.0;
        prop_assert!((flows - kinds).abs() <= 1e-9 * initial);
    }

    #[test]
    fn the_sum_of_fills_in_todays_units_is_the_position(seed in 0_u64..1_000_000) {
        let case = random_case(seed);
        let journal = run_engine(&case);
        for (place, position) in journal.positions.iter().enumerate() {
            let listed = &case.listed[place];
            // The splits that came after a fill: those of the bars after its own.
            let later = |step: usize| -> f64 {
                let splits = listed.actions.iter().filter_map(|&(at, kind)| match kind {
                    CorporateActionKind::Split { ratio } => {
                        let bar = (at..listed.rows.len()).find(|&row| listed.rows[row].is_some())?;
                        (bar > step).then_some(ratio)
                    }
                    _ => None,
                });
                splits.product()
            };
            let mine = journal.fills.iter().filter(|fill| fill.instrument.index() == place);
            let sum: f64 = mine.map(|fill| fill.side.sign() * fill.quantity.0 * later(step_of(&case, fill))).sum();
            // A run that ends early meets no later splits.
            prop_assume!(journal.halt.is_none());
            prop_assert!((sum - position.quantity.0).abs() < 1e-6, "{} and {}", sum, position.quantity.0);
        }
    }

    #[test]
    fn the_first_bars_do_not_know_what_follows(seed in 0_u64..1_000_000, share in 0.1_f64..0.9) {
        let case = without_delisting(random_case(seed));
        let step = (case.script.len() as f64 * share) as usize;
        let whole = run_engine(&case);
        // The law of the prefix: no later bar at all.
        let mut cut = case.clone();
        for listed in &mut cut.listed {
            listed.rows[step..].fill(None);
        }
        let rows = rows_before(&case, step);
        let is_traded = cut.listed.iter().all(|listed| listed.rows.iter().any(Option::is_some));
        let perturbed = run_engine(&overwrite(&case, step, seed));
        let others = if is_traded { vec![run_engine(&cut), perturbed] } else { vec![perturbed] };
        for other in others {
            // Ruin closes a position in the last bar of its instrument, which may lie long before.
            prop_assume!(whole.halt.is_none() && other.halt.is_none());
            // A fill at the last close that the next bar books is not there before that bar.
            if case.config.fill != FillTiming::SameCloseBookedNext {
                prop_assert_eq!(fills_before(&case, &other, step), fills_before(&case, &whole, step));
            }
            let rows = rows.min(whole.equity.len());
            prop_assert_eq!(&other.equity.equity()[..rows], &whole.equity.equity()[..rows]);
        }
    }

    #[test]
    fn a_fill_at_the_open_is_blind_to_the_rest_of_its_bar_whatever_costs_and_volume(
        seed in 0_u64..1_000_000, share in 0.1_f64..0.9, impact: bool,
    ) {
        let mut case = without_delisting(random_case(seed));
        // What the close of a bar fills and the next open books carries the label of that bar.
        prop_assume!(case.config.fill != FillTiming::SameCloseBookedNext);
        if impact {
            let lookback_bars = std::num::NonZeroUsize::new(5).expect("above zero");
            case.config.slippage = Slippage::SquareRootImpact { coefficient: 0.5, lookback_bars };
        }
        let step = (case.script.len() as f64 * share) as usize;
        let mut other = case.clone();
        for listed in &mut other.listed {
            if let Some([open, high, low, close, volume]) = listed.rows[step] {
                let close = if close > open { low } else { high };
                let bar: Row = [open, high * 1.5, low * 0.5, close, volume * 3.0 + 7.0];
                listed.rows[step] = Some(bar);
                if let Some(fine) = &mut listed.fine {
                    fine[step] = [[open, bar[1], bar[2], close], [close, bar[1], bar[2], close]];
                }
            }
        }
        let until_open = |case: &Case| -> Vec<Fill> {
            let journal = run_engine(case);
            let known = |fill: &&Fill| {
                let at = step_of(case, fill);
                at < step || (at == step && fill.moment == FillMoment::Open)
            };
            journal.fills.iter().filter(known).copied().collect()
        };
        let [found, expected] = [until_open(&other), until_open(&case)];
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn four_times_prices_and_cash_is_four_times_the_equity(seed in 0_u64..1_000_000) {
        let case = random_case(seed);
        let mut large = case.clone();
        let four = |value: f64| 4.0 * value;
        for listed in &mut large.listed {
            for row in listed.rows.iter_mut().flatten() {
                for price in &mut row[..4] {
                    *price *= 4.0;
                }
            }
            for bar in listed.fine.iter_mut().flatten().flatten() {
                *bar = bar.map(four);
            }
            listed.tick = listed.tick.map(four);
            for (_, kind) in &mut listed.actions {
                *kind = match *kind {
                    CorporateActionKind::Dividend { amount } => CorporateActionKind::Dividend { amount: 4.0 * amount },
                    CorporateActionKind::Delisting { price } => {
                        CorporateActionKind::Delisting { price: price.map(|price| Price(4.0 * price.0)) }
                    }
                    kind @ CorporateActionKind::Split { .. } => kind,
                };
            }
        }
        map_prices(&mut large, |_, order| order.kind = with_prices(order.kind, &four), |_, _, price| 4.0 * price);
        large.config.initial_cash = Cash(4.0 * case.config.initial_cash.0);
        large.config.commission = match case.config.commission.clone() {
            Commission::Fixed(fee) => Commission::Fixed(Cash(4.0 * fee.0)),
            Commission::PerShare { per_share, minimum, maximum_fraction } => {
                Commission::PerShare { per_share: 4.0 * per_share, minimum: 4.0 * minimum, maximum_fraction }
            }
            Commission::Tiered(tiers) => Commission::Tiered(
                tiers.iter().map(|tier| CommissionTier { from_value: 4.0 * tier.from_value, ..*tier }).collect(),
            ),
            commission => commission,
        };
        if let Slippage::HalfSpread(half) = case.config.slippage {
            large.config.slippage = Slippage::HalfSpread(Price(4.0 * half.0));
        }
        let [small, large] = [run_engine(&case), run_engine(&large)];
        prop_assert_eq!(small.fills.len(), large.fills.len());
        near(large.equity.equity(), small.equity.equity().iter().map(|equity| 4.0 * equity), 40_000.0);
    }

    #[test]
    fn the_order_of_instruments_changes_nothing_without_shared_limits(seed in 0_u64..1_000_000) {
        let mut case = without_delisting(random_case(seed));
        case.config.account = AccountKind::Unrestricted;
        case.config.limits = RiskLimits::UNLIMITED;
        if matches!(case.config.commission, Commission::Tiered(_)) {
            case.config.commission = Commission::Bps(Bps(3.0));
        }
        let mut backward = case.clone();
        backward.listed.reverse();
        let last = case.listed.len() as u32 - 1;
        map_orders(&mut backward, |_, order| order.instrument = InstrumentId(last - order.instrument.0));
        let [forward, backward] = [run_engine(&case), run_engine(&backward)];
        let key = |fill: &Fill, place: u32| {
            (place, fill.order.0, fill.quantity.0.to_bits(), fill.price.0.to_bits(), fill.commission.0.to_bits(), fill.row)
        };
        let mut expected: Vec<_> = forward.fills.iter().map(|fill| key(fill, fill.instrument.0)).collect();
        let mut found: Vec<_> = backward.fills.iter().map(|fill| key(fill, last - fill.instrument.0)).collect();
        prop_assume!(forward.halt.is_none());
        expected.sort_unstable();
        found.sort_unstable();
        prop_assert_eq!(found, expected);
        near(backward.equity.equity(), forward.equity.equity().iter().copied(), 10_000.0);
    }

    #[test]
    fn a_split_changes_nothing_but_units(seed in 0_u64..1_000_000, share in 0.1_f64..0.9) {
        let mut case = random_case(seed);
        without_references(&mut case);
        case.config.commission = Commission::Bps(Bps(5.0));
        case.config.slippage = Slippage::Bps(Bps(3.0));
        // The volume of the bar before is counted in old units at the open after a split.
        case.config.volume_share_max = None;
        if case.config.fill == FillTiming::SameCloseBookedNext {
            case.config.fill = FillTiming::NextOpen;
        }
        for listed in &mut case.listed {
            listed.actions.clear();
            listed.tick = None;
            listed.lot = None;
        }
        let step = (case.script.len() as f64 * share) as usize;
        let mut split = case.clone();
        let listed = &mut split.listed[0];
        listed.actions.push((step, CorporateActionKind::Split { ratio: 2.0 }));
        for row in step..listed.rows.len() {
            scale_row(listed, row, 0.5, 2.0);
        }
        // An action takes effect before the first bar that opens at or after it.
        let bar = (step..listed.rows.len()).find(|&row| listed.rows[row].is_some()).unwrap_or(usize::MAX);
        let is_new = |at: usize, instrument: InstrumentId| instrument.0 == 0 && at >= bar;
        let change = |at: usize, order: &mut OrderRequest| {
            if is_new(at, order.instrument) {
                order.quantity.0 *= 2.0;
                order.kind = with_prices(order.kind, &|price| price / 2.0);
            }
        };
        map_prices(&mut split, change, |at, instrument, price| if is_new(at, instrument) { price / 2.0 } else { price });
        let [plain, split] = [run_engine(&case), run_engine(&split)];
        prop_assert_eq!(plain.fills.len(), split.fills.len());
        near(split.equity.equity(), plain.equity.equity().iter().copied(), 10_000.0);
        for (found, expected) in split.fills.iter().zip(&plain.fills) {
            prop_assert_eq!((found.order, found.row, found.moment), (expected.order, expected.row, expected.moment));
            close_to(found.quantity.0 * found.price.0, expected.quantity.0 * expected.price.0, 1e-9);
        }
    }

    #[test]
    fn two_orders_of_half_the_units_cost_what_one_costs_under_proportional_fees(seed in 0_u64..1_000_000, timing in 0_usize..3) {
        let mut case = without_delisting(random_case(seed));
        case.config.fill = [FillTiming::NextOpen, FillTiming::NextClose, FillTiming::SameClose][timing];
        case.config.commission = Commission::Bps(Bps(5.0));
        case.config.slippage = Slippage::Bps(Bps(3.0));
        case.config.volume_share_max = None;
        case.config.latency = tidegate_backtest::Latency::None;
        case.config.account = AccountKind::Unrestricted;
        case.config.limits = RiskLimits::UNLIMITED;
        case.config.financing = Financing { borrow_rate: 0.1, margin_rate: 0.1, cash_rate: 0.1 };
        let mut g = Generator(seed);
        let count = case.listed.len();
        for (step, asks) in case.script.iter_mut().enumerate() {
            asks.clear();
            let place = g.below(count);
            if case.listed[place].rows[step].is_some() && g.chance(0.4) {
                let side = if g.chance(0.5) { Side::Buy } else { Side::Sell };
                let order = OrderRequest::market(InstrumentId(place as u32), side, Quantity(10.0 * (1 + g.below(4)) as f64));
                asks.push(Ask::Order(order.with_time_in_force(TimeInForce::Gtc)));
            }
        }
        let mut halves = case.clone();
        map_orders(&mut halves, |_, order| order.quantity.0 /= 2.0);
        for asks in &mut halves.script {
            *asks = asks.iter().flat_map(|ask| [ask.clone(), ask.clone()]).collect();
        }
        for listed in &mut halves.listed {
            listed.lot = None;
        }
        let [whole, halves] = [run_engine(&case), run_engine(&halves)];
        prop_assume!(whole.halt.is_none());
        prop_assert_eq!(2 * whole.fills.len(), halves.fills.len());
        near(halves.equity.equity(), whole.equity.equity().iter().copied(), 10_000.0);
    }
}
