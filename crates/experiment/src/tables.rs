//! The columns of a run's Parquet files.

use tidegate_backtest::{CancelReason, DenialReason, Journal, Order, OrderKind, OrderStatus};
use tidegate_data::{Column, Table, TimeKind};
use tidegate_market::{Forecast, IntervalUnit, Side, Timestamp};

use crate::ExperimentError;
use crate::resolve::ResolvedData;

fn table(columns: Vec<(&str, Column)>) -> Result<Table, ExperimentError> {
    Ok(Table::new(columns.into_iter().map(|(name, column)| (name.to_owned(), column)).collect())?)
}

/// Times are dates where all of them are midnights of daily or longer bars, as in the features' tables.
fn time_kind(times: impl IntoIterator<Item = Timestamp>, data: &ResolvedData) -> TimeKind {
    let midnight = |time: Timestamp| time.nanos().rem_euclid(Timestamp::NANOS_PER_DAY) == 0;
    let daily = matches!(data.interval.unit(), IntervalUnit::Day | IntervalUnit::Week);
    if daily && times.into_iter().all(midnight) { TimeKind::Date } else { TimeKind::Instant }
}

fn time(values: Vec<Timestamp>, data: &ResolvedData) -> Column {
    let kind = time_kind(values.iter().copied(), data);
    Column::Time(values, kind)
}

fn optional_time(values: Vec<Option<Timestamp>>, data: &ResolvedData) -> Column {
    let kind = time_kind(values.iter().copied().flatten(), data);
    Column::OptionalTime(values, kind)
}

fn side(side: Side) -> String {
    match side {
        Side::Buy => "buy".to_owned(),
        Side::Sell => "sell".to_owned(),
    }
}

/// `equity.parquet`: one row per bar.
pub(crate) fn equity(journal: &Journal, data: &ResolvedData) -> Result<Table, ExperimentError> {
    let equity = &journal.equity;
    table(vec![
        ("time", time(equity.time().to_vec(), data)),
        ("equity", Column::Float(equity.equity().to_vec())),
        ("cash", Column::Float(equity.cash())),
        ("gross_exposure", Column::Float(equity.gross_exposure())),
        ("net_exposure", Column::Float(equity.net_exposure())),
    ])
}

/// `trades.parquet`: one row per round trip, in the order of exits.
pub(crate) fn trades(journal: &Journal, symbols: &[String], data: &ResolvedData) -> Result<Table, ExperimentError> {
    let trades = &journal.trades;
    let float = |value: fn(&tidegate_backtest::ClosedTrade) -> f64| Column::Float(trades.iter().map(value).collect());
    table(vec![
        ("symbol", Column::Text(trades.iter().map(|trade| symbols[trade.instrument.index()].clone()).collect())),
        ("side", Column::Text(trades.iter().map(|trade| side(trade.side)).collect())),
        ("quantity", float(|trade| trade.quantity.0)),
        ("entry_time", time(trades.iter().map(|trade| trade.entry_time).collect(), data)),
        ("entry_price", float(|trade| trade.entry_price.0)),
        ("exit_time", time(trades.iter().map(|trade| trade.exit_time).collect(), data)),
        ("exit_price", float(|trade| trade.exit_price.0)),
        ("bars_held", Column::Int(trades.iter().map(|trade| i64::from(trade.bars_held())).collect())),
        ("realized_pnl", float(|trade| trade.realized_pnl.0)),
        ("commission", float(|trade| trade.commission.0)),
        ("slippage", float(|trade| trade.slippage.0)),
        ("mae", float(|trade| trade.max_adverse_excursion)),
        ("mfe", float(|trade| trade.max_favorable_excursion)),
    ])
}

/// `orders.parquet`: every order with its life, in the order of submission.
pub(crate) fn orders(journal: &Journal, symbols: &[String], data: &ResolvedData) -> Result<Table, ExperimentError> {
    let orders = &journal.orders;
    let text = |value: &dyn Fn(&Order) -> String| Column::Text(orders.iter().map(value).collect());
    table(vec![
        ("order", Column::Int(orders.iter().map(|order| i64::from(order.id.0)).collect())),
        ("symbol", text(&|order| symbols[order.instrument.index()].clone())),
        ("side", text(&|order| side(order.side))),
        ("quantity", Column::OptionalFloat(orders.iter().map(|order| finite(order.quantity.0)).collect())),
        ("kind", text(&|order| kind(order.kind).to_owned())),
        ("price", Column::OptionalFloat(orders.iter().map(|order| price(order.kind)).collect())),
        ("submitted_time", time(orders.iter().map(|order| order.submitted_time).collect(), data)),
        ("status", text(&|order| status(order.status).to_owned())),
        ("reason", text(&|order| reason(order.status).to_owned())),
        ("clipped_by", text(&|order| order.clipped_by.map_or("", denial).to_owned())),
        ("ended_time", optional_time(orders.iter().map(|order| order.ended_time).collect(), data)),
        ("filled_quantity", Column::Float(orders.iter().map(|order| order.filled_quantity.0).collect())),
        (
            "fill_price",
            Column::OptionalFloat(orders.iter().map(|order| order.fill_price.map(|price| price.0)).collect()),
        ),
    ])
}

/// `forecasts.parquet`: one row per forecast, in the order in which they were known.
pub(crate) fn forecasts(
    forecasts: &[Forecast],
    symbols: &[String],
    data: &ResolvedData,
) -> Result<Table, ExperimentError> {
    table(vec![
        ("time", time(forecasts.iter().map(|forecast| forecast.time).collect(), data)),
        (
            "symbol",
            Column::Text(forecasts.iter().map(|forecast| symbols[forecast.instrument.index()].clone()).collect()),
        ),
        ("horizon_bars", Column::Int(forecasts.iter().map(|forecast| i64::from(forecast.horizon_bars)).collect())),
        ("mean", Column::Float(forecasts.iter().map(|forecast| forecast.mean).collect())),
        (
            "volatility",
            Column::OptionalFloat(forecasts.iter().map(|forecast| forecast.variance.map(f64::sqrt)).collect()),
        ),
        ("fold", Column::Int(forecasts.iter().map(|forecast| i64::from(forecast.fold)).collect())),
    ])
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

const fn kind(kind: OrderKind) -> &'static str {
    match kind {
        OrderKind::Market => "market",
        OrderKind::Limit(_) => "limit",
        OrderKind::Stop(_) => "stop",
    }
}

fn price(kind: OrderKind) -> Option<f64> {
    match kind {
        OrderKind::Market => None,
        OrderKind::Limit(price) | OrderKind::Stop(price) => finite(price.0),
    }
}

const fn status(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Working => "working",
        OrderStatus::Filled => "filled",
        OrderStatus::Cancelled(_) => "cancelled",
        OrderStatus::Denied(_) => "denied",
    }
}

/// Returns why an order ended without a fill; empty when it did not.
const fn reason(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Working | OrderStatus::Filled => "",
        OrderStatus::Cancelled(reason) => match reason {
            CancelReason::Requested => "requested",
            CancelReason::DayEnded => "day_ended",
            CancelReason::Halted => "halted",
            CancelReason::NothingToReduce => "nothing_to_reduce",
            CancelReason::NoRoomAtFill => "no_room_at_fill",
            CancelReason::DataEnded => "data_ended",
        },
        OrderStatus::Denied(reason) => denial(reason),
    }
}

/// Names a limit or a rule that an order broke.
const fn denial(reason: DenialReason) -> &'static str {
    match reason {
        DenialReason::Quantity => "quantity",
        DenialReason::Lot => "lot",
        DenialReason::Price => "price",
        DenialReason::Weight => "weight",
        DenialReason::NoPrice => "no_price",
        DenialReason::WeightLimit => "weight_limit",
        DenialReason::GrossLeverageLimit => "gross_leverage_limit",
        DenialReason::NetLeverageLimit => "net_leverage_limit",
        DenialReason::PositionsLimit => "positions_limit",
    }
}
