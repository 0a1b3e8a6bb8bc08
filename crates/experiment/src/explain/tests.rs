//! Stories of trades whose bars and orders are written out: brackets, several lots, splits, dividends.

use std::path::Path;
use std::sync::Arc;

use tidegate_backtest::{Exits, Journal, OrderKind, OrderRequest};
use tidegate_market::{CorporateAction, InstrumentId, Price, Quantity, Side};
use tidegate_report::{TradeStory, trade_story};

use super::known::{Known, Seen};
use super::records::Records;
use super::{Title, lots, story};
use crate::config::ConfigSource;
use crate::dataset::Dataset;
use crate::resolve::ResolvedExperiment;
use crate::tables;
use crate::tables::fixture::{Day, bars, day, dividend, journal, market, naming, split};

const CONFIG: &str = r#"
name = "Written out"
seed = 1
[data]
path = "none.csv"
symbols = ["A"]
interval = "1d"
timestamp = "open"
calendar = "sessions"
adjustment = "raw"
[strategy.buy_and_hold]
[account]
cash = 1000.0
[execution]
fill = "next_open"
commission.bps = 100.0
slippage = "none"
"#;

fn records(journal: &Journal) -> Records {
    let symbols = ["A".to_owned()];
    let naming = naming(&symbols);
    let read = |name: &str| match name {
        "trades.parquet" => tables::trades(journal, naming),
        "fills.parquet" => tables::fills(journal, naming),
        "orders.parquet" => tables::orders(journal, naming),
        "positions.parquet" => tables::positions(journal, naming),
        "cash_flows.parquet" => tables::cash_flows(journal, naming),
        "corporate_actions.parquet" => tables::corporate_actions(journal, naming),
        "forecasts.parquet" => tables::forecasts(&[], naming),
        _ => tables::equity(journal, naming),
    };
    Records::read(read).expect("tables as written")
}

/// Tells every trade of a journal.
fn tell(days: &[Day], actions: Vec<CorporateAction>, journal: &Journal) -> Vec<TradeStory> {
    let source = ConfigSource::from_text(Path::new("s.toml"), CONFIG.to_owned());
    let dataset = Dataset::new(vec!["A".to_owned()], vec![Arc::new(bars(days))]);
    let known = Known {
        experiment: ResolvedExperiment::from_source(&source).expect("a valid config"),
        seen: Some(Seen { dataset, market: market(days, actions), schedule: None }),
        notes: Vec::new(),
    };
    let records = records(journal);
    let links = lots::links(&records).expect("fills and trades of one run");
    let title = || Title { name: "Written out".to_owned(), config_hash: "none".to_owned() };
    let stories: Vec<_> = (0..links.len()).map(|index| story(&records, &links, &known, index, title())).collect();
    for story in &stories {
        assert_eq!(story.notes, [""; 0], "bars and tables agree");
        for line in trade_story(story).lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
    stories
}

fn order(side: Side, units: f64) -> OrderRequest {
    OrderRequest::market(InstrumentId(0), side, Quantity(units))
}

#[test]
fn a_bracket_in_one_bar_is_ambiguous_and_the_stop_comes_first() {
    // A limit of 9 is touched on day 1; on day 2 the range of 7 to 12 holds both the stop of 8 and the target of 11.
    let days = [
        Day::flat(10.0),
        Day { open: 10.0, high: 10.5, low: 9.0, close: 9.5 },
        Day { open: 9.5, high: 12.0, low: 7.0, close: 10.0 },
    ];
    let journal = journal(&days, Vec::new(), |step, requests| {
        if step == 0 {
            let exits = Exits { take_profit: Some(Price(11.0)), stop_loss: Some(OrderKind::Stop(Price(8.0))) };
            requests.bracket(order(Side::Buy, 10.0).with_kind(OrderKind::Limit(Price(9.0))), exits);
        }
    });
    let stories = tell(&days, Vec::new(), &journal);
    let [story] = stories.as_slice() else { panic!("one trade, were {}", stories.len()) };
    let entry = story.entry.bar.as_ref().expect("bars");
    assert_eq!((story.entry.order.limit_price, story.entry.fill.moment.as_str()), (Some(9.0), "inside"));
    assert_eq!(story.entry.decision.because, "the strategy asked for this order in units");
    assert!(!entry.ambiguous && entry.gap.is_none());
    assert_eq!(entry.touched.iter().map(|o| (o.order, o.price, o.filled)).collect::<Vec<_>>(), [(0, 9.0, true)]);

    let exit = story.exit.bar.as_ref().expect("bars");
    assert!(exit.ambiguous);
    let touched: Vec<_> = exit.touched.iter().map(|o| (o.order, o.kind.as_str(), o.price, o.filled)).collect();
    assert_eq!(touched, [(1, "stop", 8.0, true), (2, "limit", 11.0, false)]);
    assert_eq!((story.exit.fill.quote, story.exit.order.parent), (8.0, Some(0)));
    assert_eq!(story.exit.decision.because, "placed together with order 0, to close what it opens");
    // 10 * (8 - 9), less one percent of 90 and of 80.
    assert!((story.result.net_pnl - (-10.0 - 0.9 - 0.8)).abs() < 1e-12);
    // The entry's bar counts whole: its high of 10.5, and the exit at 8.
    let (worst, best) = (story.holding.worst.as_ref().expect("bars"), story.holding.best.as_ref().expect("bars"));
    assert_eq!((worst.price, worst.time, best.price, best.time), (8.0, day(2), 10.5, day(1)));
    let text = trade_story(story);
    assert!(text.contains("ambiguous: which came first is by the rule `pessimistic`"), "{text}");
    assert!(text.contains("order 1: sell stop, stop 8.0000, good till cancelled"), "{text}");
    assert!(text.contains("submitted, held until its parent fills"), "{text}");
}

#[test]
fn a_stop_that_the_open_gapped_through_tells_the_gap() {
    let days = [Day::flat(10.0), Day::flat(10.0), Day { open: 7.5, high: 8.5, low: 7.0, close: 8.0 }];
    let journal = journal(&days, Vec::new(), |step, requests| {
        if step == 0 {
            let exits = Exits { take_profit: None, stop_loss: Some(OrderKind::Stop(Price(8.0))) };
            requests.bracket(order(Side::Buy, 10.0), exits);
        }
    });
    let stories = tell(&days, Vec::new(), &journal);
    let exit = stories[0].exit.bar.as_ref().expect("bars");
    assert_eq!((stories[0].exit.fill.moment.as_str(), stories[0].exit.fill.quote), ("open", 7.5));
    assert_eq!((exit.gap, exit.ambiguous), (Some(-0.5), false));
    assert!(exit.touched[0].at_open && exit.touched[0].filled);
}

#[test]
fn an_exit_that_closes_two_lots_is_two_trades_first_in_first_out() {
    // 10 at 10 and 20 at 11; 25 sold at 12 close the first lot and 15 of the second; 5 sold at 13 close the rest.
    let days = [10.0, 10.0, 11.0, 12.0, 13.0].map(Day::flat);
    let journal = journal(&days, Vec::new(), |step, requests| match step {
        0 => drop(requests.submit(order(Side::Buy, 10.0))),
        1 => drop(requests.submit(order(Side::Buy, 20.0))),
        2 => drop(requests.submit(order(Side::Sell, 25.0))),
        3 => drop(requests.submit(order(Side::Sell, 5.0))),
        _ => {}
    });
    let stories = tell(&days, Vec::new(), &journal);
    let units: Vec<_> = stories.iter().map(|s| (s.trade.quantity, s.entry.order.order, s.exit.order.order)).collect();
    assert_eq!(units, [(10.0, 0, 2), (15.0, 1, 2), (5.0, 1, 3)]);
    assert_eq!(stories[0].exit.fill.other_trades, [2]);
    assert_eq!(stories[1].entry.fill.other_trades, [3]);
    assert_eq!(stories[1].exit.fill.other_trades, [1]);
    let second = &stories[1];
    // One percent of 20 * 11, three quarters of it; one percent of 25 * 12, three fifths of it.
    assert!((second.result.entry_commission - 1.65).abs() < 1e-12);
    assert!((second.result.exit_commission - 1.8).abs() < 1e-12);
    assert!((second.result.net_pnl - (15.0 - 1.65 - 1.8)).abs() < 1e-12);
    assert!((second.trade.commission - 3.45).abs() < 1e-12);
}

#[test]
fn a_split_and_a_dividend_while_held_are_told_with_the_trades_share() {
    // 10 at 12 and 10 at 12; three for two on day 3; 0.5 per new unit on day 4; half is sold at 8, then the rest.
    let days = [
        Day::flat(12.0),
        Day::flat(12.0),
        Day { open: 12.0, high: 15.0, low: 11.1, close: 12.0 },
        Day::flat(8.0),
        Day::flat(8.0),
        Day::flat(8.0),
        Day::flat(8.0),
    ];
    let actions = vec![split(3, 1.5), dividend(4, 0.5)];
    let journal = journal(&days, actions.clone(), |step, requests| match step {
        0 | 1 => drop(requests.submit(order(Side::Buy, 10.0))),
        4 | 5 => drop(requests.submit(order(Side::Sell, 15.0))),
        _ => {}
    });
    let stories = tell(&days, actions, &journal);
    assert_eq!(stories.len(), 2);
    for story in &stories {
        assert_eq!((story.trade.quantity, story.entry.fill.trade_units), (15.0, 10.0));
        assert_eq!(story.holding.splits, [(day(3), 1.5)]);
        let [paid] = story.holding.cash_flows.as_slice() else { panic!("{:?}", story.holding.cash_flows) };
        assert_eq!((paid.kind.as_str(), paid.count, paid.first_time), ("dividend", 1, day(4)));
        assert!((paid.position_amount - 15.0).abs() < 1e-12, "30 units at 0.5");
        assert!((paid.trade_amount - 7.5).abs() < 1e-12, "15 of them");
        // The high of 15 before the split is 10 in new units, against an entry of 8.
        let best = story.holding.best.as_ref().expect("bars");
        assert_eq!((best.price, best.time), (10.0, day(2)));
        assert!((best.fraction - 0.25).abs() < 1e-12);
        // Bought and sold at 8: one percent of 120 each way, and the dividend.
        assert!((story.result.net_with_cash_flows - (7.5 - 2.4)).abs() < 1e-9);
    }
}
