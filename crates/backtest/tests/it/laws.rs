//! What must hold whatever the bars and the orders.

use proptest::prelude::*;
use tidegate_backtest::{BacktestConfig, FillMoment, FillTiming, Journal, Market, OrderKind};
use tidegate_market::{Bars, Cash};

use crate::support::{Audited, Generator, Ohlc, RandomTrader, bars_with_gaps, base, close_to, daily, market, run_ok};

const ROWS: usize = 80;

fn walks(seed: u64, instruments: usize) -> Vec<Vec<Option<Ohlc>>> {
    let mut generator = Generator(seed);
    let mut walk = || {
        let rows = generator.walk(ROWS);
        rows.into_iter().map(|row| (!generator.chance(0.1)).then_some(row)).collect()
    };
    (0..instruments).map(|_| walk()).collect()
}

fn to_market(walks: &[Vec<Option<Ohlc>>]) -> Market {
    market(walks.iter().map(|rows| bars_with_gaps(rows, "1d")).collect())
}

fn timing(choice: usize) -> BacktestConfig {
    BacktestConfig { fill: [FillTiming::NextOpen, FillTiming::NextClose, FillTiming::SameClose][choice], ..base() }
}

/// A fill without the number of its order.
type Fill = (u32, u64, u64, u64, u32);

fn fills(journal: &Journal) -> Vec<Fill> {
    let fill = |fill: &tidegate_backtest::Fill| {
        let units = fill.side.sign() * fill.quantity.0;
        (fill.instrument.0, units.to_bits(), fill.price.0.to_bits(), fill.commission.0.to_bits(), fill.row)
    };
    journal.fills.iter().map(fill).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_books_balance_at_every_bar(seed: u64, choice in 0_usize..3) {
        let market = to_market(&walks(seed, 3));
        let journal = run_ok(&market, &timing(choice), &mut Audited(RandomTrader::new(seed, 3)));
        prop_assert!(!journal.fills.is_empty());
    }

    #[test]
    fn the_sum_of_fills_is_the_position(seed: u64, choice in 0_usize..3) {
        let market = to_market(&walks(seed, 2));
        let journal = run_ok(&market, &timing(choice), &mut RandomTrader::new(seed, 2));
        for (place, position) in journal.positions.iter().enumerate() {
            let mine = journal.fills.iter().filter(|fill| fill.instrument.index() == place);
            let sum: f64 = mine.map(|fill| fill.side.sign() * fill.quantity.0).sum();
            prop_assert!((sum - position.quantity.0).abs() < 1e-9);
        }
        let closed: f64 = journal.trades.iter().map(|trade| 2.0 * trade.quantity.0).sum();
        let open: f64 = journal.positions.iter().map(|position| position.quantity.0.abs()).sum();
        let filled: f64 = journal.fills.iter().map(|fill| fill.quantity.0).sum();
        prop_assert!((closed + open - filled).abs() < 1e-8, "round trips and open lots use up every fill");
    }

    #[test]
    fn four_times_the_prices_and_cash_is_four_times_the_equity_to_the_bit(seed: u64, choice in 0_usize..3) {
        let once = walks(seed, 2);
        let four_times: Vec<Vec<_>> = once
            .iter()
            .map(|rows| rows.iter().map(|row| row.map(|prices| prices.map(|price| 4.0 * price))).collect())
            .collect();
        let mut config = timing(choice);
        let small = run_ok(&to_market(&once), &config, &mut RandomTrader::new(seed, 2));
        config.initial_cash = Cash(4.0 * config.initial_cash.0);
        let mut trader = RandomTrader::new(seed, 2);
        trader.unit_value *= 4.0;
        let large = run_ok(&to_market(&four_times), &config, &mut trader);
        prop_assert_eq!(small.fills.len(), large.fills.len());
        for (small, large) in small.equity.equity().iter().zip(large.equity.equity()) {
            prop_assert_eq!(4.0 * small, *large);
        }
    }

    #[test]
    fn without_shared_limits_the_order_of_instruments_changes_nothing(seed: u64, choice in 0_usize..3) {
        let mut walks = walks(seed, 3);
        let forward = run_ok(&to_market(&walks), &timing(choice), &mut RandomTrader::new(seed, 3));
        walks.reverse();
        let mut trader = RandomTrader::new(seed, 3);
        trader.keys.reverse();
        let backward = run_ok(&to_market(&walks), &timing(choice), &mut trader);
        let mut expected = fills(&forward);
        let mut found: Vec<Fill> = fills(&backward).into_iter().map(|fill| (2 - fill.0, fill.1, fill.2, fill.3, fill.4)).collect();
        expected.sort_unstable();
        found.sort_unstable();
        prop_assert_eq!(found, expected);
        for (found, expected) in backward.equity.equity().iter().zip(forward.equity.equity()) {
            close_to(*found, *expected, 1e-12);
        }
    }

    #[test]
    fn the_first_rows_do_not_know_how_many_follow(seed: u64, choice in 0_usize..3, rows in 1_usize..ROWS) {
        let walks = walks(seed, 2);
        let cut: Vec<Vec<_>> = walks.iter().map(|all| all[..rows].to_vec()).collect();
        prop_assume!(cut.iter().all(|rows| rows.iter().any(Option::is_some)));
        let whole = run_ok(&to_market(&walks), &timing(choice), &mut RandomTrader::new(seed, 2));
        let part = run_ok(&to_market(&cut), &timing(choice), &mut RandomTrader::new(seed, 2));
        let length = part.equity.len();
        prop_assert_eq!(part.equity.equity(), &whole.equity.equity()[..length]);
        prop_assert_eq!(&part.equity.cash()[..], &whole.equity.cash()[..length]);
        prop_assert_eq!(part.equity.time(), &whole.equity.time()[..length]);
        prop_assert_eq!(&part.fills[..], &whole.fills[..part.fills.len()]);
        prop_assert_eq!(&part.trades[..], &whole.trades[..part.trades.len()]);
        let last = part.equity.time()[length - 1];
        prop_assert_eq!(part.fills.len(), whole.fills.iter().filter(|fill| fill.time <= last).count());
        for (part, whole) in part.orders.iter().zip(&whole.orders) {
            prop_assert_eq!((part.quantity, part.kind, part.submitted_time), (whole.quantity, whole.kind, whole.submitted_time));
        }
    }

    #[test]
    fn a_fill_at_the_open_is_blind_to_the_rest_of_its_bar(seed: u64, row in 1_usize..ROWS - 1) {
        let rows = Generator(seed).walk(ROWS);
        let mut other = rows.clone();
        let open = rows[row][0];
        other[row] = [open, open * 1.5, open * 0.5, open * 1.3];
        let at_open = |rows: &[Ohlc]| {
            let mut trader = RandomTrader::new(seed, 1);
            trader.unit_value = 2_000.0;
            let journal = run_ok(&market(vec![daily(rows)]), &base(), &mut trader);
            let until = |fill: &&tidegate_backtest::Fill| {
                let is_market = journal.orders[fill.order.index()].kind == OrderKind::Market;
                (fill.row as usize) < row || (fill.row as usize == row && fill.moment == FillMoment::Open && is_market)
            };
            journal.fills.iter().filter(until).copied().collect::<Vec<_>>()
        };
        prop_assert_eq!(at_open(&rows), at_open(&other));
    }
}

#[test]
fn a_decision_inside_a_long_bar_cannot_fill_at_the_open_of_that_bar() {
    // Two-hour bars of B against hours of A. The order for B is made at 01:00, inside B's first bar... which has no price yet, so it
    // is made at 03:00, inside B's second bar (02:00 to 04:00): it fills at 04:00, B's next open.
    let flat = |price: f64| [price; 4];
    let hours: Vec<Bars> = vec![
        bars_with_gaps(&[Some(flat(1.0)); 8], "1h"),
        bars_with_gaps(&[Some(flat(10.0)), Some(flat(20.0)), Some(flat(30.0)), Some(flat(40.0))], "2h"),
    ];
    let market = market(hours);
    let mut strategy =
        crate::support::Each(|context: &tidegate_backtest::Context<'_>, requests: &mut tidegate_backtest::Requests| {
            if context.now().nanos() == 3 * 3_600_000_000_000 {
                requests.target_weight(tidegate_market::InstrumentId(1), 0.5);
            }
        });
    let config = BacktestConfig {
        commission: tidegate_backtest::Commission::None,
        slippage: tidegate_backtest::Slippage::None,
        ..base()
    };
    let journal = run_ok(&market, &config, &mut strategy);
    assert_eq!(journal.fills.len(), 1);
    // Sized at B's last close of 10, filled at the open of its third bar.
    assert_eq!((journal.fills[0].row, journal.fills[0].price.0, journal.fills[0].quantity.0), (2, 30.0, 5_000.0));
}
