//! Target weights that ask for more than the limits leave.

use proptest::prelude::*;
use tidegate_backtest::strategies::BuyAndHold;
use tidegate_backtest::{
    BacktestConfig, Commission, Context, DenialReason, FillTiming, Journal, Order, OrderRequest, OrderStatus, Requests,
    RiskLimits, Slippage, Strategy,
};
use tidegate_market::{Bps, Cash, InstrumentId, Quantity, Side, Timestamp};

use crate::support::{Audited, Each, Generator, Ohlc, bars_with_gaps, base, close_to, daily, market, run_ok};

const A: InstrumentId = InstrumentId(0);
const B: InstrumentId = InstrumentId(1);
const CASH_ONLY: RiskLimits = RiskLimits { gross_leverage_max: Some(1.0), ..RiskLimits::UNLIMITED };

fn free(limits: RiskLimits) -> BacktestConfig {
    let initial_cash = Cash(1_000.0);
    BacktestConfig { initial_cash, commission: Commission::None, slippage: Slippage::None, limits, ..base() }
}

fn flat(price: f64) -> Ohlc {
    [price; 4]
}

/// Row, signed quantity.
fn fills(journal: &Journal, instrument: InstrumentId) -> Vec<(u32, f64)> {
    let mine = journal.fills.iter().filter(|fill| fill.instrument == instrument);
    mine.map(|fill| (fill.row, fill.side.sign() * fill.quantity.0)).collect()
}

#[test]
fn buy_and_hold_buys_a_late_instrument_with_the_cash_that_is_left() {
    // A: 5 units at 100, then worth 600 of equity 1,100. Half of that for B would be 550; the cash left is 500: 10 units at 50.
    let late: Vec<Option<Ohlc>> = (0..4).map(|row| (row >= 2).then_some(flat(50.0))).collect();
    let series = vec![daily(&[flat(100.0), flat(100.0), flat(120.0), flat(120.0)]), bars_with_gaps(&late, "1d")];
    let journal = run_ok(&market(series), &free(CASH_ONLY), &mut BuyAndHold::new(2));
    assert_eq!((fills(&journal, A), fills(&journal, B)), (vec![(1, 5.0)], vec![(1, 10.0)]));
    assert_eq!(journal.orders[1].clipped_by, Some(DenialReason::GrossLeverageLimit));
    assert_eq!((journal.denials().count(), journal.equity.cash()[3]), (0, 0.0));
}

/// Half long from the open of bar 1, then asked to be one short at the close of bar 1.
fn flip(limits: RiskLimits) -> Journal {
    let mut strategy = Each(|context: &Context<'_>, requests: &mut Requests| match context.step() {
        0 => requests.target_weight(A, 0.5),
        1 => requests.target_weight(A, -1.0),
        _ => {}
    });
    run_ok(&market(vec![daily(&[flat(100.0); 4])]), &free(limits), &mut strategy)
}

#[test]
fn a_flip_beyond_the_weight_limit_is_a_flip_to_the_limit() {
    let journal = flip(RiskLimits { weight_max: Some(0.6), ..RiskLimits::UNLIMITED });
    assert_eq!(fills(&journal, A), [(1, 5.0), (2, -11.0)]);
    assert_eq!(journal.orders[1].quantity, Quantity(11.0));
    assert_eq!(
        journal.orders.iter().map(|order| order.clipped_by).collect::<Vec<_>>(),
        [None, Some(DenialReason::WeightLimit)]
    );
    assert_eq!(journal.positions[0].quantity, Quantity(-6.0));
}

#[test]
fn a_flip_without_room_closes() {
    // 6 of B short and 5 of A long at 100 each: closing A leaves 600 of gross exposure, no less than the limit.
    let limits = RiskLimits { net_leverage_max: Some(0.6), ..RiskLimits::UNLIMITED };
    let mut strategy = Each(|context: &Context<'_>, requests: &mut Requests| match context.step() {
        0 => {
            requests.target_weight(B, -0.6);
            requests.target_weight(A, 0.5);
        }
        1 => requests.target_weight(A, -0.3),
        _ => {}
    });
    let journal =
        run_ok(&market(vec![daily(&[flat(100.0); 4]), daily(&[flat(100.0); 4])]), &free(limits), &mut strategy);
    assert_eq!((fills(&journal, A), fills(&journal, B)), (vec![(1, 5.0), (2, -5.0)], vec![(1, -6.0)]));
    assert_eq!(journal.orders[2].clipped_by, Some(DenialReason::NetLeverageLimit));
}

#[test]
fn a_target_that_only_adds_is_denied_once_no_room_is_left_and_an_order_always() {
    let limits = RiskLimits { positions_max: Some(2), ..CASH_ONLY };
    let mut strategy = Each(|context: &Context<'_>, requests: &mut Requests| {
        if context.step() == 0 {
            requests.submit(OrderRequest::market(A, Side::Buy, Quantity(10.1)));
            requests.target_weight(A, 0.8);
            requests.target_weight(B, 0.8);
            requests.target_weight(InstrumentId(2), 0.8);
        } else if context.step() == 1 {
            requests.target_weight(A, 0.7);
            requests.target_weight(InstrumentId(2), 0.8);
        }
    });
    let journal = run_ok(&market((0..3).map(|_| daily(&[flat(100.0); 3])).collect()), &free(limits), &mut strategy);
    let seen: Vec<_> = journal.orders.iter().map(|order| (order.status, order.clipped_by)).collect();
    assert_eq!(
        seen,
        [
            (OrderStatus::Denied(DenialReason::GrossLeverageLimit), None),
            (OrderStatus::Filled, None),
            (OrderStatus::Filled, Some(DenialReason::GrossLeverageLimit)),
            (OrderStatus::Denied(DenialReason::GrossLeverageLimit), None),
            (OrderStatus::Filled, None),
            (OrderStatus::Denied(DenialReason::PositionsLimit), None),
        ]
    );
    let wanted: Vec<f64> = journal.orders.iter().map(|order| order.quantity.0).collect();
    for (found, expected) in wanted.iter().zip([10.1, 8.0, 2.0, 8.0, 1.0, 8.0]) {
        close_to(*found, expected, 1e-9);
    }
}

#[test]
fn a_clipped_target_is_whole_lots() {
    use std::sync::Arc;
    let instrument =
        tidegate_market::Instrument { lot_size: Some(3.0), ..tidegate_market::Instrument::fractional("A") };
    let market = tidegate_backtest::Market::new(vec![(instrument, Arc::new(daily(&[flat(100.0); 4])))]).expect("valid");
    let limits = RiskLimits { weight_max: Some(0.5), ..RiskLimits::UNLIMITED };
    let mut strategy = Each(|context: &Context<'_>, requests: &mut Requests| match context.step() {
        0 | 1 => requests.target_weight(A, 1.0),
        2 => requests.target_weight(A, -1.0),
        _ => {}
    });
    // Room for 5 units is one lot of 3; the next 3 do not fit; to the other side it is 3 again.
    let journal = run_ok(&market, &free(limits), &mut strategy);
    assert_eq!(fills(&journal, A), [(1, 3.0), (3, -6.0)]);
    assert_eq!(journal.orders[1].status, OrderStatus::Denied(DenialReason::WeightLimit));
}

/// Asks for random weights far beyond the limits.
struct RandomTargets(Generator);

impl Strategy for RandomTargets {
    fn on_bar(&mut self, context: &Context<'_>, requests: &mut Requests) {
        for instrument in context.instruments().filter(|&instrument| context.is_updated(instrument)) {
            if self.0.chance(0.3) {
                requests.target_weight(instrument, 4.0 * self.0.uniform() - 2.0);
            }
        }
    }
}

const SHORT_OF_ROOM: RiskLimits = RiskLimits {
    gross_leverage_max: Some(1.5),
    net_leverage_max: Some(0.9),
    weight_max: Some(0.7),
    positions_max: Some(3),
    ..RiskLimits::UNLIMITED
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn with_clipped_targets_the_books_balance_and_fills_add_up(seed: u64, choice in 0_usize..3) {
        let mut generator = Generator(seed);
        let series = (0..4).map(|_| daily(&generator.walk(80))).collect();
        let fill = [FillTiming::NextOpen, FillTiming::NextClose, FillTiming::SameClose][choice];
        let config = BacktestConfig { fill, limits: SHORT_OF_ROOM, commission: Commission::Bps(Bps(5.0)), ..base() };
        let journal = run_ok(&market(series), &config, &mut Audited(RandomTargets(generator)));
        let clipped = |order: &&Order| order.clipped_by.is_some();
        prop_assert!(journal.orders.iter().filter(clipped).count() > 10);
        for order in journal.orders.iter().filter(clipped) {
            prop_assert!(!matches!(order.status, OrderStatus::Denied(_)) && order.quantity.0 > 0.0);
        }
        for (place, position) in journal.positions.iter().enumerate() {
            let sum: f64 = fills(&journal, InstrumentId(place as u32)).iter().map(|fill| fill.1).sum();
            prop_assert!((sum - position.quantity.0).abs() < 1e-9);
        }
    }

    #[test]
    fn at_the_same_close_without_costs_every_clipped_order_ends_at_a_limit(seed: u64) {
        let mut generator = Generator(seed);
        let series = (0..4).map(|_| daily(&generator.walk(80))).collect();
        let config = BacktestConfig { fill: FillTiming::SameClose, ..free(SHORT_OF_ROOM) };
        let journal = run_ok(&market(series), &config, &mut RandomTargets(generator));
        let (equity, gross, net) = (journal.equity.equity(), journal.equity.gross_exposure(), journal.equity.net_exposure());
        // The last order of a close decides what is held after it. Closing may leave more than the limit, never less.
        let last_of_their_close = journal.orders.chunk_by(|a, b| a.submitted_time == b.submitted_time);
        for order in last_of_their_close.filter_map(|orders| orders.last()) {
            let row = (order.submitted_time.nanos() / Timestamp::NANOS_PER_DAY) as usize;
            let (measured, limit) = match order.clipped_by {
                Some(DenialReason::GrossLeverageLimit) => (gross[row], 1.5),
                Some(DenialReason::NetLeverageLimit) => (net[row].abs(), 0.9),
                _ => continue,
            };
            prop_assert!(measured >= limit * equity[row] * (1.0 - 1e-9));
        }
    }
}
