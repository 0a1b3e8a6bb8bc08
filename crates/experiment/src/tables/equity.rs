//! `equity.parquet`: the account after each bar.
//!
//! `equity` is `cash` plus `net_exposure`, and it is also the initial cash plus `realized_pnl`, `unrealized_pnl` and `cash_flows` less
//! `commission`, each a sum from the start: gains of closed and of held units against their average cost before commission, and money
//! that moved without a fill.

use tidegate_backtest::Journal;
use tidegate_data::{Column, Table};

use super::{Naming, positions, table};
use crate::ExperimentError;

pub(crate) fn equity(journal: &Journal, naming: Naming<'_>) -> Result<Table, ExperimentError> {
    let equity = &journal.equity;
    let parts = parts(journal, naming);
    table(vec![
        ("time", naming.time(equity.time().to_vec())),
        ("equity", Column::Float(equity.equity().to_vec())),
        ("cash", Column::Float(equity.cash())),
        ("gross_exposure", Column::Float(equity.gross_exposure())),
        ("net_exposure", Column::Float(equity.net_exposure())),
        ("realized_pnl", Column::Float(parts.realized_pnl)),
        ("unrealized_pnl", Column::Float(parts.unrealized_pnl)),
        ("commission", Column::Float(parts.commission)),
        ("cash_flows", Column::Float(parts.cash_flows)),
    ])
}

#[derive(Default)]
struct Parts {
    realized_pnl: Vec<f64>,
    unrealized_pnl: Vec<f64>,
    commission: Vec<f64>,
    cash_flows: Vec<f64>,
}

fn parts(journal: &Journal, naming: Naming<'_>) -> Parts {
    let mut changes = positions::changes(journal, naming).into_iter().peekable();
    let mut flows = journal.cash_flows.iter().peekable();
    let mut parts = Parts::default();
    let [mut realized_pnl, mut commission, mut cost, mut cash_flows] = [0.0; 4];
    for (&time, value) in journal.equity.time().iter().zip(journal.equity.net_exposure()) {
        while let Some(change) = changes.next_if(|change| change.time <= time) {
            realized_pnl += change.after.realized_pnl - change.before.realized_pnl;
            commission += change.after.commission - change.before.commission;
            cost += change.after.cost() - change.before.cost();
        }
        while let Some(flow) = flows.next_if(|flow| flow.time <= time) {
            cash_flows += flow.amount.0;
        }
        parts.realized_pnl.push(realized_pnl);
        parts.unrealized_pnl.push(value - cost);
        parts.commission.push(commission);
        parts.cash_flows.push(cash_flows);
    }
    parts
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tidegate_backtest::{BacktestConfig, FillTiming, InstrumentData, Market, OrderRequest};
    use tidegate_market::{CorporateAction, CorporateActionKind, Instrument, InstrumentId, Price, Quantity, Side};

    use crate::tables::fixture::{Day, bars, config, day, dividend, journal, journal_of, market, naming, split};

    use super::*;

    fn order(instrument: u32, side: Side, units: f64) -> OrderRequest {
        OrderRequest::market(InstrumentId(instrument), side, Quantity(units))
    }

    #[track_caller]
    fn parts_add_up(table: &Table) {
        let column = |name| table.floats(name).expect("numbers");
        let (equity, realized, unrealized) = (column("equity"), column("realized_pnl"), column("unrealized_pnl"));
        let (commission, flows) = (column("commission"), column("cash_flows"));
        for row in 0..table.rows() {
            let sum = 1_000.0 + realized[row] + unrealized[row] + flows[row] - commission[row];
            assert!((sum - equity[row]).abs() < 1e-9, "row {row}: {sum} and {}", equity[row]);
        }
    }

    #[test]
    fn the_parts_add_up_to_equity_in_every_row() {
        let days = [12.0, 12.0, 6.0, 7.0, 8.0, 9.0].map(Day::flat);
        let journal = journal(&days, vec![split(2, 2.0), dividend(3, 0.5)], |step, requests| match step {
            0 => drop(requests.submit(order(0, Side::Buy, 10.0))),
            3 => drop(requests.submit(order(0, Side::Sell, 25.0))),
            _ => {}
        });
        let table = equity(&journal, naming(&["A".to_owned()])).expect("columns of one length");
        parts_add_up(&table);
        let last = |name| *table.floats(name).expect("numbers").last().expect("rows");
        // 20 units bought at 6 are sold at 8, 5 more are sold short; the dividend of day 3 paid 20 times 0.5, the rest is interest.
        assert!((last("realized_pnl") - 40.0).abs() < 1e-12);
        assert!((last("unrealized_pnl") + 5.0).abs() < 1e-12, "5 units short from 8 to 9");
        assert!((last("commission") - 1.2 - 2.0).abs() < 1e-12, "one percent of 120 and of 200");
        let flows = table.floats("cash_flows").expect("numbers");
        assert!(flows[3] > 10.0 && flows[3] < 11.0, "{flows:?}");
    }

    #[test]
    fn they_add_up_where_a_delisting_pays_out_after_the_last_bar_of_one_of_two() {
        let data = |symbol: &str, days: &[f64], actions| InstrumentData {
            actions,
            ..InstrumentData::new(
                Instrument::fractional(symbol),
                Arc::new(bars(&days.iter().copied().map(Day::flat).collect::<Vec<_>>())),
            )
        };
        let end = CorporateAction { time: day(3), kind: CorporateActionKind::Delisting { price: Some(Price(4.0)) } };
        let series = vec![data("A", &[10.0, 11.0, 12.0, 13.0, 14.0], Vec::new()), data("B", &[5.0; 3], vec![end])];
        let market = Market::build(series, None).expect("a valid market");
        let journal = journal_of(&market, &config(), |step, requests| {
            if step == 0 {
                requests.submit(order(0, Side::Buy, 10.0));
                requests.submit(order(1, Side::Buy, 10.0));
            }
        });
        let table = equity(&journal, naming(&["A".to_owned(), "B".to_owned()])).expect("columns of one length");
        parts_add_up(&table);
        let realized = table.floats("realized_pnl").expect("numbers");
        assert!((realized[2] - 0.0).abs() < 1e-12 && (realized[3] + 10.0).abs() < 1e-12, "{realized:?}");
    }

    #[test]
    fn they_add_up_where_fills_at_a_close_are_booked_with_the_next_bar() {
        let days = [10.0, 11.0, 12.0, 13.0].map(Day::flat);
        let late = BacktestConfig { fill: FillTiming::SameCloseBookedNext, ..config() };
        let journal = journal_of(&market(&days, Vec::new()), &late, |step, requests| match step {
            0 => drop(requests.submit(order(0, Side::Buy, 10.0))),
            2 => drop(requests.submit(order(0, Side::Sell, 10.0))),
            _ => {}
        });
        let symbols = ["A".to_owned()];
        let naming = Naming { fill: late.fill, ..naming(&symbols) };
        let table = equity(&journal, naming).expect("columns of one length");
        parts_add_up(&table);
        assert_eq!(table.floats("commission").expect("numbers")[..2], [0.0, 1.0], "one percent of 100, a bar late");
    }
}
