//! One trade of a finished run, told from the decision to the money.
//!
//! What happened is read from the run's own tables. What was seen, bars and features, is read from the strategy's data again and may
//! be missing; the story then says so and tells the rest. Nothing is run again.

mod bar;
mod decision;
mod holding;
mod known;
mod lots;
mod order;
mod records;
pub(crate) mod run_files;
mod signal;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use tidegate_report::{FillStory, LegStory, ResultStory, TradeStory};

use self::known::Known;
use self::lots::Link;
use self::records::{FillRow, Records};
use self::run_files::RunFiles;
use crate::ExperimentError;

/// Which trade to tell.
#[derive(Debug, Clone)]
pub struct ExplainRequest {
    /// The run directory.
    pub run_dir: PathBuf,
    /// The trade's row in `trades.parquet`, from one.
    pub trade: usize,
    /// The strategy file, where it is no longer in the folder that the run was started on.
    pub strategy: Option<PathBuf>,
}

/// Tells the whole story of one trade of a finished run.
///
/// # Errors
/// When the folder is not a finished run's, one of its files is missing or was changed, or there is no such trade.
pub fn explain(request: &ExplainRequest) -> Result<TradeStory, ExperimentError> {
    let files = RunFiles::open(&request.run_dir)?;
    let records = Records::read(|name| files.table(name))?;
    let links = links_of(&records, request)?;
    let known = known::load(&files, request.strategy.as_deref())?;
    let title = Title { name: files.name().to_owned(), config_hash: files.config_hash().to_owned() };
    Ok(story(&records, &links, &known, request.trade - 1, title))
}

struct Title {
    name: String,
    config_hash: String,
}

/// Matches trades with fills, once it is clear that there is such a trade.
fn links_of(records: &Records, request: &ExplainRequest) -> Result<Vec<Link>, ExperimentError> {
    let count = records.trades.len();
    if count == 0 {
        let message = "the run has no trade to explain: nothing that it bought was sold again\nhint: its orders are in `orders.parquet`";
        return Err(ExperimentError::Sample(message.to_owned()));
    }
    if !(1..=count).contains(&request.trade) {
        return Err(ExperimentError::Sample(format!(
            "trade must be in [1, {count}], was `{}`\nhint: it is the row in `trades.parquet`, from one",
            request.trade
        )));
    }
    lots::links(records).map_err(|reason| damaged(&request.run_dir.join("trades.parquet"), reason))
}

pub(crate) fn damaged(path: &Path, reason: String) -> ExperimentError {
    ExperimentError::Damaged { path: path.to_owned(), reason, hint: "run the experiment again" }
}

/// One side of a trade: its fill, and what of it is the trade's.
#[derive(Clone, Copy)]
struct Leg<'a> {
    fill: &'a FillRow,
    /// The place of the fill in `fills.parquet`.
    place: usize,
    /// Units of the fill that are the trade's, counted as at the fill.
    units: f64,
}

fn story(records: &Records, links: &[Link], known: &Known, index: usize, title: Title) -> TradeStory {
    let link = links[index];
    let trade = records.trades[index].clone();
    let leg = |place: usize, units: f64| Leg { fill: &records.fills[place], place, units };
    let entry = leg(link.entry_fill, link.entry_units);
    let exit = leg(link.exit_fill, trade.quantity);
    let mut notes = known.notes.clone();
    let holding = holding::holding(records, known, &trade, &entry, &exit, &mut notes);
    let others = |leg: &Leg<'_>| other_trades(links, index, leg.place);
    let (entry, exit) =
        (leg_story(records, known, &entry, others(&entry)), leg_story(records, known, &exit, others(&exit)));
    let cash_flows = holding.cash_flows.iter().map(|flow| flow.trade_amount).sum();
    let result = result(&trade, &entry.fill, &exit.fill, cash_flows);
    TradeStory {
        name: title.name,
        config_hash: title.config_hash,
        number: index + 1,
        trades: records.trades.len(),
        trade,
        notes,
        entry,
        holding,
        exit,
        result,
    }
}

/// Returns the numbers of the other trades that a fill opened or closed units of.
fn other_trades(links: &[Link], index: usize, fill: usize) -> Vec<usize> {
    let touches = |link: &Link| link.entry_fill == fill || link.exit_fill == fill;
    let others = links.iter().enumerate().filter(|&(place, link)| place != index && touches(link));
    others.map(|(place, _)| place + 1).collect()
}

fn leg_story(records: &Records, known: &Known, leg: &Leg<'_>, other_trades: Vec<usize>) -> LegStory {
    let order = &records.orders[leg.fill.order];
    let decision = decision::decision(records, known, order);
    let weight = decision.signal.as_ref().and_then(|signal| signal.weight);
    LegStory {
        sizing: order::sizing(records, known, order, leg.fill, weight, decision.close),
        order: order::story(records, order),
        bar: bar::story(records, known, leg.fill),
        fill: fill_story(leg, other_trades),
        decision,
    }
}

fn fill_story(leg: &Leg<'_>, other_trades: Vec<usize>) -> FillStory {
    let FillRow { quantity, price, commission, slippage, multiplier, fx_rate, .. } = *leg.fill;
    let share = leg.units / quantity;
    FillStory {
        time: leg.fill.time,
        moment: leg.fill.moment.clone(),
        quantity,
        quote: price - leg.fill.sign() * slippage / (quantity * multiplier * fx_rate),
        price,
        multiplier,
        fx_rate,
        value: quantity * price * multiplier * fx_rate,
        slippage,
        commission,
        liquidity: leg.fill.liquidity.clone(),
        trade_units: leg.units,
        trade_commission: commission * share,
        trade_slippage: slippage * share,
        other_trades,
    }
}

fn result(trade: &tidegate_report::TradeFacts, entry: &FillStory, exit: &FillStory, cash_flows: f64) -> ResultStory {
    let value = |fill: &FillStory, price: f64| trade.quantity * price * fill.multiplier * fill.fx_rate;
    let entry_value = value(entry, trade.entry_price);
    let net_pnl = trade.realized_pnl - trade.commission;
    ResultStory {
        entry_value,
        exit_value: value(exit, trade.exit_price),
        realized_pnl: trade.realized_pnl,
        entry_commission: entry.trade_commission,
        exit_commission: exit.trade_commission,
        net_pnl,
        net_return: (entry_value > 0.0).then(|| net_pnl / entry_value),
        cash_flows,
        net_with_cash_flows: net_pnl + cash_flows,
    }
}
