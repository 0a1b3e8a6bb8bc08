//! What happened while a trade was held: how far prices went, splits, and money that came or went without a fill.

use tidegate_market::Timestamp;
use tidegate_report::{Excursion, FlowStory, HoldingStory, TradeFacts};

use super::Leg;
use super::known::Known;
use super::records::Records;

pub(super) fn holding(
    records: &Records,
    known: &Known,
    trade: &TradeFacts,
    entry: &Leg<'_>,
    exit: &Leg<'_>,
    notes: &mut Vec<String>,
) -> HoldingStory {
    let splits = splits(records, trade);
    let excursions = excursions(known, trade, entry, exit, &splits);
    let agrees = |found: &Excursion, told: f64| (found.fraction - told).abs() <= 1e-9;
    if let Some([worst, best]) = &excursions
        && !(agrees(worst, trade.mae) && agrees(best, trade.mfe))
    {
        notes.push("the bars do not give the excursions that the run recorded in `trades.parquet`".to_owned());
    }
    let [worst, best] = excursions.map_or([None, None], |found| found.map(Some));
    HoldingStory { bars: trade.bars_held, worst, best, cash_flows: flows(records, trade, entry, &splits), splits }
}

fn splits(records: &Records, trade: &TradeFacts) -> Vec<(Timestamp, f64)> {
    let during = |time: Timestamp| time > trade.entry_time && time <= trade.exit_time;
    let splits = records.splits.iter().filter(|split| split.symbol == trade.symbol && during(split.time));
    splits.map(|split| (split.time, split.ratio)).collect()
}

/// Returns the new units, as at the exit, per unit at a bar.
fn ratio_since(splits: &[(Timestamp, f64)], time: Timestamp) -> f64 {
    splits.iter().filter(|(split, _)| *split > time).map(|(_, ratio)| ratio).product()
}

/// Returns the worst and the best price, over the bars that the engine counts: those between whole, the entry's unless it was at the
/// close, the exit's only if it was at the close; and the two fills themselves.
fn excursions(
    known: &Known,
    trade: &TradeFacts,
    entry: &Leg<'_>,
    exit: &Leg<'_>,
    splits: &[(Timestamp, f64)],
) -> Option<[Excursion; 2]> {
    let (bars, entry_row) = known.bar(&trade.symbol, trade.entry_time)?;
    let (_, exit_row) = known.bar(&trade.symbol, trade.exit_time)?;
    let first = entry_row + usize::from(entry.fill.moment == "close");
    let end = exit_row + usize::from(exit.fill.moment == "close");
    let fills = [(trade.entry_time, trade.entry_price), (trade.exit_time, trade.exit_price)];
    let mut low = fills[usize::from(fills[1].1 < fills[0].1)];
    let mut high = fills[usize::from(fills[1].1 > fills[0].1)];
    for row in first..end {
        let time = bars.time()[row];
        let ratio = ratio_since(splits, time);
        let (top, bottom) = (bars.high()[row] / ratio, bars.low()[row] / ratio);
        low = if bottom < low.1 { (time, bottom) } else { low };
        high = if top > high.1 { (time, top) } else { high };
    }
    let at = |(time, price): (Timestamp, f64)| {
        let way = price / trade.entry_price - 1.0;
        Excursion { time, price, fraction: if trade.side == "buy" { way } else { -way } }
    };
    Some(if trade.side == "buy" { [at(low), at(high)] } else { [at(high), at(low)] })
}

/// Sums by kind what the position received or paid, and the trade's share of it by units.
fn flows(records: &Records, trade: &TradeFacts, entry: &Leg<'_>, splits: &[(Timestamp, f64)]) -> Vec<FlowStory> {
    let mut sums: Vec<FlowStory> = Vec::new();
    let during = |time: Timestamp| time > trade.entry_time && time <= trade.exit_time;
    let of_symbol = records.cash_flows.iter().filter(|flow| flow.symbol.as_ref() == Some(&trade.symbol));
    for flow in of_symbol.filter(|flow| during(flow.time)) {
        // Both counted as before this bar, so that a split in it changes nothing.
        let held = records.held_before(&trade.symbol, flow.time).abs();
        let ratio: f64 = splits.iter().filter(|(time, _)| *time < flow.time).map(|(_, ratio)| ratio).product();
        let share = if held > 0.0 { entry.units * ratio / held } else { 0.0 };
        let place = sums.iter().position(|sum| sum.kind == flow.kind).unwrap_or_else(|| {
            sums.push(FlowStory {
                kind: flow.kind.clone(),
                count: 0,
                first_time: flow.time,
                last_time: flow.time,
                position_amount: 0.0,
                trade_amount: 0.0,
            });
            sums.len() - 1
        });
        let sum = &mut sums[place];
        sum.count += 1;
        sum.last_time = flow.time;
        sum.position_amount += flow.amount;
        sum.trade_amount += flow.amount * share;
    }
    sums
}
