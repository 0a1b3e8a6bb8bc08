//! The rows of a run's tables.

use tidegate_data::Table;
use tidegate_market::Timestamp;
use tidegate_report::TradeFacts;

use crate::ExperimentError;

/// Everything that a run's tables say.
#[derive(Debug, Clone)]
pub(super) struct Records {
    pub(super) trades: Vec<TradeFacts>,
    pub(super) fills: Vec<FillRow>,
    pub(super) orders: Vec<OrderRow>,
    pub(super) positions: Vec<PositionRow>,
    pub(super) cash_flows: Vec<FlowRow>,
    pub(super) splits: Vec<SplitRow>,
    pub(super) forecasts: Vec<ForecastRow>,
    pub(super) equity: Vec<(Timestamp, f64)>,
}

#[derive(Debug, Clone)]
pub(super) struct FillRow {
    pub(super) order: usize,
    pub(super) symbol: String,
    pub(super) side: String,
    pub(super) quantity: f64,
    pub(super) price: f64,
    pub(super) commission: f64,
    pub(super) slippage: f64,
    pub(super) multiplier: f64,
    pub(super) fx_rate: f64,
    pub(super) liquidity: String,
    pub(super) time: Timestamp,
    pub(super) moment: String,
}

impl FillRow {
    pub(super) fn sign(&self) -> f64 {
        if self.side == "buy" { 1.0 } else { -1.0 }
    }
}

#[derive(Debug, Clone)]
pub(super) struct OrderRow {
    pub(super) order: usize,
    pub(super) symbol: String,
    pub(super) side: String,
    pub(super) quantity: Option<f64>,
    pub(super) kind: String,
    pub(super) submitted_time: Timestamp,
    pub(super) status: String,
    pub(super) reason: String,
    pub(super) clipped_by: String,
    pub(super) ended_time: Option<Timestamp>,
    pub(super) filled_quantity: f64,
    pub(super) limit_price: Option<f64>,
    pub(super) stop_price: Option<f64>,
    pub(super) trail_amount: Option<f64>,
    pub(super) trail_fraction: Option<f64>,
    pub(super) time_in_force: String,
    pub(super) good_till: Option<Timestamp>,
    pub(super) effect: String,
    pub(super) origin: String,
    pub(super) sized_at_fill: Option<f64>,
    pub(super) parent: Option<i64>,
    pub(super) group: Option<i64>,
    pub(super) replaces: Option<i64>,
}

#[derive(Debug, Clone)]
pub(super) struct PositionRow {
    pub(super) time: Timestamp,
    pub(super) symbol: String,
    /// The order that filled; none for a split.
    pub(super) order: Option<usize>,
    pub(super) quantity: f64,
}

#[derive(Debug, Clone)]
pub(super) struct FlowRow {
    pub(super) time: Timestamp,
    pub(super) symbol: Option<String>,
    pub(super) kind: String,
    pub(super) amount: f64,
}

#[derive(Debug, Clone)]
pub(super) struct SplitRow {
    pub(super) time: Timestamp,
    pub(super) symbol: String,
    pub(super) ratio: f64,
}

#[derive(Debug, Clone)]
pub(super) struct ForecastRow {
    pub(super) time: Timestamp,
    pub(super) symbol: String,
    pub(super) horizon_bars: i64,
    pub(super) mean: f64,
    pub(super) volatility: Option<f64>,
    pub(super) fold: i64,
}

impl Records {
    /// Reads every table by its file's name.
    ///
    /// # Errors
    /// Those of `table`, and a column that is missing or of another type.
    pub(super) fn read(table: impl Fn(&str) -> Result<Table, ExperimentError>) -> Result<Self, ExperimentError> {
        let equity = table("equity.parquet")?;
        Ok(Self {
            trades: trades(&table("trades.parquet")?)?,
            fills: fills(&table("fills.parquet")?)?,
            orders: orders(&table("orders.parquet")?)?,
            positions: positions(&table("positions.parquet")?)?,
            cash_flows: cash_flows(&table("cash_flows.parquet")?)?,
            splits: splits(&table("corporate_actions.parquet")?)?,
            forecasts: forecasts(&table("forecasts.parquet")?)?,
            equity: equity.times("time")?.into_iter().zip(equity.floats("equity")?).collect(),
        })
    }

    /// Returns the units of a symbol that were held at the close of a bar, before an order made then could fill.
    pub(super) fn held_at(&self, symbol: &str, time: Timestamp, order: usize) -> f64 {
        let known = |row: &&PositionRow| {
            row.symbol == symbol && row.time <= time && row.order.is_none_or(|filled| filled < order)
        };
        self.positions.iter().rev().find(known).map_or(0.0, |row| row.quantity)
    }

    /// Returns the units of a symbol that were held before anything happened in a bar.
    pub(super) fn held_before(&self, symbol: &str, time: Timestamp) -> f64 {
        let known = |row: &&PositionRow| row.symbol == symbol && row.time < time;
        self.positions.iter().rev().find(known).map_or(0.0, |row| row.quantity)
    }
}

fn trades(table: &Table) -> Result<Vec<TradeFacts>, ExperimentError> {
    let [symbols, sides] = [table.texts("symbol")?, table.texts("side")?];
    let [entry_times, exit_times] = [table.times("entry_time")?, table.times("exit_time")?];
    let bars_held = table.ints("bars_held")?;
    let numbers = ["quantity", "entry_price", "exit_price", "realized_pnl", "commission", "slippage", "mae", "mfe"];
    let numbers = columns(table, numbers)?;
    Ok((0..table.rows())
        .map(|row| {
            let [quantity, entry_price, exit_price, realized_pnl, commission, slippage, mae, mfe] =
                numbers.each_ref().map(|column| column[row]);
            TradeFacts {
                symbol: symbols[row].clone(),
                side: sides[row].clone(),
                quantity,
                entry_time: entry_times[row],
                entry_price,
                exit_time: exit_times[row],
                exit_price,
                bars_held: bars_held[row],
                realized_pnl,
                commission,
                slippage,
                mae,
                mfe,
            }
        })
        .collect())
}

fn fills(table: &Table) -> Result<Vec<FillRow>, ExperimentError> {
    let orders = table.ints("order")?;
    let texts = [table.texts("symbol")?, table.texts("side")?, table.texts("liquidity")?, table.texts("moment")?];
    let times = table.times("time")?;
    let numbers = columns(table, ["quantity", "price", "commission", "slippage", "multiplier", "fx_rate"])?;
    Ok((0..table.rows())
        .map(|row| {
            let [symbol, side, liquidity, moment] = texts.each_ref().map(|column| column[row].clone());
            let [quantity, price, commission, slippage, multiplier, fx_rate] =
                numbers.each_ref().map(|column| column[row]);
            let (order, time) = (orders[row] as usize, times[row]);
            FillRow {
                order,
                symbol,
                side,
                quantity,
                price,
                commission,
                slippage,
                multiplier,
                fx_rate,
                liquidity,
                time,
                moment,
            }
        })
        .collect())
}

fn orders(table: &Table) -> Result<Vec<OrderRow>, ExperimentError> {
    let names = ["symbol", "side", "kind", "status", "reason", "clipped_by", "time_in_force", "effect", "origin"];
    let texts = names.map(|name| table.texts(name));
    let mut columns = Vec::with_capacity(texts.len());
    for column in texts {
        columns.push(column?);
    }
    let names = ["quantity", "limit_price", "stop_price", "trail_amount", "trail_fraction", "sized_at_fill"];
    let mut prices = Vec::with_capacity(names.len());
    for name in names {
        prices.push(table.optional_floats(name)?);
    }
    let (submitted, ended) = (table.times("submitted_time")?, table.optional_times("ended_time")?);
    let (good_till, filled) = (table.optional_times("good_till")?, table.floats("filled_quantity")?);
    let links = [table.optional_ints("parent")?, table.optional_ints("group")?, table.optional_ints("replaces")?];
    Ok((0..table.rows())
        .map(|row| {
            let text = |column: usize| columns[column][row].clone();
            let price = |column: usize| prices[column][row];
            OrderRow {
                order: row,
                symbol: text(0),
                side: text(1),
                quantity: price(0),
                kind: text(2),
                submitted_time: submitted[row],
                status: text(3),
                reason: text(4),
                clipped_by: text(5),
                ended_time: ended[row],
                filled_quantity: filled[row],
                limit_price: price(1),
                stop_price: price(2),
                trail_amount: price(3),
                trail_fraction: price(4),
                time_in_force: text(6),
                good_till: good_till[row],
                effect: text(7),
                origin: text(8),
                sized_at_fill: price(5),
                parent: links[0][row],
                group: links[1][row],
                replaces: links[2][row],
            }
        })
        .collect())
}

fn positions(table: &Table) -> Result<Vec<PositionRow>, ExperimentError> {
    let (times, symbols) = (table.times("time")?, table.texts("symbol")?);
    let (orders, quantities) = (table.optional_ints("order")?, table.floats("quantity")?);
    let row = |row: usize| PositionRow {
        time: times[row],
        symbol: symbols[row].clone(),
        order: orders[row].map(|order| order as usize),
        quantity: quantities[row],
    };
    Ok((0..table.rows()).map(row).collect())
}

fn cash_flows(table: &Table) -> Result<Vec<FlowRow>, ExperimentError> {
    let (times, symbols) = (table.times("time")?, table.optional_texts("symbol")?);
    let (kinds, amounts) = (table.texts("kind")?, table.floats("amount")?);
    let row = |row: usize| FlowRow {
        time: times[row],
        symbol: symbols[row].clone(),
        kind: kinds[row].clone(),
        amount: amounts[row],
    };
    Ok((0..table.rows()).map(row).collect())
}

fn splits(table: &Table) -> Result<Vec<SplitRow>, ExperimentError> {
    let (times, symbols) = (table.times("time")?, table.texts("symbol")?);
    let (kinds, values) = (table.texts("kind")?, table.optional_floats("value")?);
    let rows = (0..table.rows()).filter(|&row| kinds[row] == "split");
    let split = |row: usize| Some(SplitRow { time: times[row], symbol: symbols[row].clone(), ratio: values[row]? });
    Ok(rows.filter_map(split).collect())
}

fn forecasts(table: &Table) -> Result<Vec<ForecastRow>, ExperimentError> {
    let (times, symbols, means) = (table.times("time")?, table.texts("symbol")?, table.floats("mean")?);
    let (horizons, folds) = (table.ints("horizon_bars")?, table.ints("fold")?);
    let volatilities = table.optional_floats("volatility")?;
    let row = |row: usize| ForecastRow {
        time: times[row],
        symbol: symbols[row].clone(),
        horizon_bars: horizons[row],
        mean: means[row],
        volatility: volatilities[row],
        fold: folds[row],
    };
    Ok((0..table.rows()).map(row).collect())
}

fn columns<const N: usize>(table: &Table, names: [&str; N]) -> Result<[Vec<f64>; N], ExperimentError> {
    let mut columns = std::array::from_fn(|_| Vec::new());
    for (column, name) in columns.iter_mut().zip(names) {
        *column = table.floats(name)?;
    }
    Ok(columns)
}
