//! One round trip, told from the decision to the money: plain numbers that somebody else gathered, and their text.
//!
//! Prices are per unit and in the instrument's currency, money is the account's, rates and weights are fractions. What cannot be told
//! is null, and [`TradeStory::notes`] says why.

mod text;

use serde::Serialize;
use tidegate_market::Timestamp;

pub use text::trade_story;

/// Everything about one round trip.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TradeStory {
    /// The run's title.
    pub name: String,
    /// The hash of the run's config.
    pub config_hash: String,
    /// The trade's number, from one, in the order of exits.
    pub number: usize,
    /// How many trades the run has.
    pub trades: usize,
    /// The row of `trades.parquet`.
    pub trade: TradeFacts,
    /// What could not be told, and why.
    pub notes: Vec<String>,
    /// How it was opened.
    pub entry: LegStory,
    /// What happened while it was held.
    pub holding: HoldingStory,
    /// How it was closed.
    pub exit: LegStory,
    /// The arithmetic of its gain.
    pub result: ResultStory,
}

/// The row of `trades.parquet`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TradeFacts {
    /// The symbol.
    pub symbol: String,
    /// `buy` for a long trade, `sell` for a short one.
    pub side: String,
    /// Units.
    pub quantity: f64,
    /// The label of the entry's bar.
    pub entry_time: Timestamp,
    /// The entry's price with slippage; a split since counts it in new units.
    pub entry_price: f64,
    /// The label of the exit's bar.
    pub exit_time: Timestamp,
    /// The exit's price with slippage.
    pub exit_price: f64,
    /// Bars from the entry's to the exit's.
    pub bars_held: i64,
    /// The gain from price to price, before commission.
    pub realized_pnl: f64,
    /// The trade's share of both fills' commission.
    pub commission: f64,
    /// The trade's share of both fills' slippage, contained in the prices.
    pub slippage: f64,
    /// The worst price seen, as a fraction of the entry's, at most zero.
    pub mae: f64,
    /// The best price seen, as a fraction of the entry's, at least zero.
    pub mfe: f64,
}

/// How a trade was opened or closed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LegStory {
    /// Who decided, when, and by what.
    pub decision: DecisionStory,
    /// How large the order was made.
    pub sizing: SizingStory,
    /// The order with its life.
    pub order: OrderStory,
    /// The bar of the fill; null without the run's bars.
    pub bar: Option<BarStory>,
    /// The fill.
    pub fill: FillStory,
}

/// Who decided, when, and by what.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DecisionStory {
    /// The label of the bar at whose close it was decided.
    pub time: Timestamp,
    /// What made the order, in a sentence.
    pub because: String,
    /// The close as traded.
    pub close: Option<f64>,
    /// The features of that row.
    pub features: Vec<FeatureStory>,
    /// The forecast in force.
    pub forecast: Option<ForecastStory>,
    /// What the strategy made of it; null for an order that the strategy did not decide on then.
    pub signal: Option<SignalStory>,
}

/// One feature as it was known, at every scale.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FeatureStory {
    /// The column.
    pub name: String,
    /// Rows per bar and the value at that scale.
    pub values: Vec<(usize, Option<f64>)>,
}

/// The forecast in force.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ForecastStory {
    /// The label of the bar it was made from.
    pub time: Timestamp,
    /// How far it reaches.
    pub horizon_bars: i64,
    /// The mean of the return.
    pub mean: f64,
    /// The standard deviation of the return; null for a point forecast.
    pub volatility: Option<f64>,
    /// The fold whose model made it.
    pub fold: i64,
}

/// What a strategy made of what it saw.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SignalStory {
    /// The strategy.
    pub strategy: String,
    /// Its parameters as written.
    pub parameters: Vec<(String, String)>,
    /// The numbers that it compared.
    pub values: Vec<NamedValue>,
    /// The weight of the instrument that follows, as a fraction of equity; null where the strategy asks for units or it cannot be told.
    pub weight: Option<f64>,
}

/// A number with its name and unit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NamedValue {
    /// What it is.
    pub name: String,
    /// The number; null when it is not defined.
    pub value: Option<f64>,
    /// In what it is measured.
    pub unit: ValueUnit,
}

/// In what a number is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueUnit {
    /// A price per unit.
    Price,
    /// A fraction, shown in percent.
    Fraction,
    /// A fraction of equity, shown in percent.
    Weight,
    /// A whole number.
    Count,
    /// A number without a unit.
    Number,
}

/// How large an order was made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SizingStory {
    /// Equity at the close of the decision.
    pub equity: Option<f64>,
    /// Units held then, negative for short.
    pub held_units: f64,
    /// Units that the weight is worth at that close; null where the order was not made from a weight.
    pub target_units: Option<f64>,
    /// Units that the order was for.
    pub order_units: Option<f64>,
    /// The limit that left less room than was asked for.
    pub clipped_by: Option<String>,
    /// Units that filled.
    pub filled_units: f64,
    /// Whether the order ended as filled with less than it was for: cut to what the account could bear after costs.
    pub trimmed_at_fill: bool,
    /// The fraction of free equity that it was sized by at its fill.
    pub sized_at_fill: Option<f64>,
}

/// An order with its life.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OrderStory {
    /// Its number in `orders.parquet`.
    pub order: i64,
    /// `buy` or `sell`.
    pub side: String,
    /// Its kind, such as `limit`.
    pub kind: String,
    /// The limit.
    pub limit_price: Option<f64>,
    /// The stop.
    pub stop_price: Option<f64>,
    /// How far a trailing stop follows, as an amount of price.
    pub trail_amount: Option<f64>,
    /// How far a trailing stop follows, as a fraction.
    pub trail_fraction: Option<f64>,
    /// How long it works.
    pub time_in_force: String,
    /// What it may do to the position.
    pub effect: String,
    /// Who asked.
    pub origin: String,
    /// The order that had to fill first.
    pub parent: Option<i64>,
    /// The first order of its group.
    pub group: Option<i64>,
    /// The order whose place it took.
    pub replaces: Option<i64>,
    /// What happened to it, in order.
    pub life: Vec<OrderEvent>,
}

/// Something that happened to an order.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OrderEvent {
    /// The label of the bar.
    pub time: Timestamp,
    /// Where in the bar.
    pub moment: String,
    /// What.
    pub event: String,
    /// Units, where some moved.
    pub quantity: Option<f64>,
    /// The price, where there was one.
    pub price: Option<f64>,
}

/// The bar of a fill.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BarStory {
    /// Its label.
    pub time: Timestamp,
    /// The open.
    pub open: f64,
    /// The high.
    pub high: f64,
    /// The low.
    pub low: f64,
    /// The close.
    pub close: f64,
    /// The close of the bar before.
    pub previous_close: Option<f64>,
    /// The open beyond the price of an order that filled there: above it for a stop that buys, below it for a limit that buys.
    pub gap: Option<f64>,
    /// The rule by which prices move inside the bar.
    pub path: String,
    /// The orders of the symbol whose price the bar reached, each with that price.
    pub touched: Vec<TouchedOrder>,
    /// Whether the range reached two orders or more, so that the path rule decided which came first.
    pub ambiguous: bool,
}

/// An order whose price a bar reached.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TouchedOrder {
    /// Its number.
    pub order: i64,
    /// Its kind.
    pub kind: String,
    /// Its price.
    pub price: f64,
    /// Whether the open had reached it.
    pub at_open: bool,
    /// Whether it filled in this bar.
    pub filled: bool,
}

/// An execution.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FillStory {
    /// The label of the bar.
    pub time: Timestamp,
    /// Where in the bar.
    pub moment: String,
    /// Units of the whole fill.
    pub quantity: f64,
    /// The price before slippage.
    pub quote: f64,
    /// The price with slippage.
    pub price: f64,
    /// Money per unit and point of price.
    pub multiplier: f64,
    /// Money of the account per money of the instrument.
    pub fx_rate: f64,
    /// Money that changed hands.
    pub value: f64,
    /// Money lost to slippage.
    pub slippage: f64,
    /// Money paid as commission.
    pub commission: f64,
    /// Whether it rested in the book or took what was there.
    pub liquidity: String,
    /// Units of it that are this trade's, counted as at the fill.
    pub trade_units: f64,
    /// This trade's share of the commission.
    pub trade_commission: f64,
    /// This trade's share of the slippage.
    pub trade_slippage: f64,
    /// The numbers of the other trades that it opened or closed units of.
    pub other_trades: Vec<usize>,
}

/// What happened while a trade was held.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HoldingStory {
    /// Bars from the entry's to the exit's.
    pub bars: i64,
    /// The worst price; null without the run's bars.
    pub worst: Option<Excursion>,
    /// The best price; null without the run's bars.
    pub best: Option<Excursion>,
    /// Splits: the label of the first bar in new units and the new units per old one.
    pub splits: Vec<(Timestamp, f64)>,
    /// Money that the position received or paid without a fill.
    pub cash_flows: Vec<FlowStory>,
}

/// The furthest that prices went.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Excursion {
    /// The label of the first bar that went there.
    pub time: Timestamp,
    /// The price, counted in the units of the exit.
    pub price: f64,
    /// The way there from the entry, as a fraction of its price, positive when it was a gain.
    pub fraction: f64,
}

/// Money that a position received or paid without a fill, summed over one kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FlowStory {
    /// The kind, such as `dividend`.
    pub kind: String,
    /// How many times.
    pub count: usize,
    /// The label of the first.
    pub first_time: Timestamp,
    /// The label of the last.
    pub last_time: Timestamp,
    /// Money of the whole position, positive when received.
    pub position_amount: f64,
    /// This trade's share by units held, positive when received.
    pub trade_amount: f64,
}

/// The arithmetic of a gain.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResultStory {
    /// What the units cost, or brought in a short sale, before commission.
    pub entry_value: f64,
    /// What the units brought, or cost to buy back, before commission.
    pub exit_value: f64,
    /// The gain from price to price.
    pub realized_pnl: f64,
    /// The entry's share of the commission.
    pub entry_commission: f64,
    /// The exit's share of the commission.
    pub exit_commission: f64,
    /// The gain after commission.
    pub net_pnl: f64,
    /// The gain after commission, as a fraction of the entry's value.
    pub net_return: Option<f64>,
    /// Dividends and financing that are this trade's.
    pub cash_flows: f64,
    /// The gain after commission, with dividends and financing.
    pub net_with_cash_flows: f64,
}
