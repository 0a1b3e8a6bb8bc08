//! The event-driven backtest: bars and forecasts in, orders, fills and money out.
//!
//! [`run`] walks a [`Market`] bar by bar and asks a [`Strategy`] after each close. It knows neither files nor models nor threads, is
//! deterministic, and allocates nothing per event once its buffers have grown.
//!
//! # Order of events
//! For every time at which some bar closes:
//! 1. **The night.** [`Financing`] and funding for the time since the last close, on what was held and worth then. Then the corporate
//!    actions that take effect before the bars that open now: a split counts position, working orders and their prices in new units; a
//!    dividend is paid to who is long and by who is short, per new unit where a split falls on the same day; a delisting cancels the
//!    instrument's orders and pays the position out, after the instrument's last bar.
//! 2. **Open.** Day orders of another day and orders whose date has come end. Market orders that fill at opens do, with slippage and
//!    commission; stop and limit orders that the open has reached fill there too, at the open. A stop-limit order whose stop the open has
//!    reached fills there if the open is within its limit, and is a limit order from then on if not. What is left of immediate orders
//!    is cancelled.
//! 3. **Inside the bar** orders with a price of their own fill by the path model, see below, or by finer bars where the market has them.
//! 4. **Close.** Market orders that fill at closes do. Day orders whose day is over end, then positions of instruments whose session
//!    ends are closed if [`BacktestConfig::session_exit`] says so. Positions are marked and equity is recorded. Equity of zero or less
//!    is ruin: positions are closed there and the run ends. Then, in this order, the drawdown stop and the losing-trades stop flatten
//!    and end trading, the daily loss stop flattens for the day, and a margin call cuts positions.
//! 5. **Forecasts** known by now are delivered: from a list, or by a [`ForecastSource`] that makes them there and then.
//! 6. **The strategy** sees a read-only [`Context`] and hands back [`Requests`]. The risk check approves or denies each; a denial is an
//!    order with its reason in the journal. Approved orders work from the next bar of their instrument on, later by
//!    [`BacktestConfig::latency`]; [`FillTiming::SameClose`] fills market orders at once, and the row of equity includes them; costs
//!    that leave no equity are ruin there and then.
//!
//! Fills of one moment come in this order: orders that only take away from a position, then all others; within each by instrument,
//! then by age; or by age alone with [`FillOrder::OldestFirst`]. Target weights become orders in the same way: sells that pay for buys come first.
//!
//! # Inside a bar
//! [`PathModel::Pessimistic`]: of the orders that the range touches the first that can act fills, again and again: stops (stop-limit
//! orders that their stop triggers within their limit among them), then limit orders that may open a position, then limit orders that
//! may only reduce; of one kind the nearest to the open, then the oldest. So a stop and a target in one bar mean the stop. A limit order
//! that only reduces does not take profit on a position that this very range opened. A stop-limit order that would have to come back to
//! its limit waits for the next bar. A trailing stop stands where earlier bars put it; after all others it moves by the bar's best price,
//! and where the close is beyond it then it was hit for certain and fills at the close.
//!
//! [`PathModel::NearestExtreme`]: the price goes in straight lines from the open to the nearer of high and low, to the other, to the
//! close. An order acts where the line crosses its price; at one price stops go first, then the older order. Trailing stops follow the
//! line.
//!
//! [`PathModel::CloseOnly`]: neither the open nor the range is looked at. At the close a stop, a limit or a stop-limit order does what
//! it would do at an open of that price. Finer bars are not looked at either.
//!
//! Fills at a limit have no slippage; stops have ([`SlippageScope`]). A bar in which two orders or more were touched or filled inside is counted as
//! ambiguous. Finer bars are walked one after the other, each with its own open and its own path.
//!
//! # Orders that belong together
//! The legs of a bracket are held until their entry fills, then work for what has filled: at once, in the same bar, from the price of
//! the entry; a leg whose price an opening entry has gapped through fills at that open. [`BracketLegs`] can make them wait for
//! the next bar. An entry that ends without a fill ends them. The first leg to fill in full cancels the other; of two orders of which one
//! cancels the other the first fill does. Orders that may only reduce are cancelled when the position is closed.
//!
//! # Small print
//! The open moves a trailing stop before anything is compared with it; the leg of a bracket trails from the price of its entry. An order
//! with a date works in no bar that opens at or after it, and ends at a close at or after it. Fill or kill means the quantity asked for: one
//! that may only reduce and is larger than the position is cancelled. Where slippage moves a price it is rounded to the next tick against
//! the order. A bracket with a leg on the wrong side is denied whole. Orders of the broker, such as a margin call's, are not on their way:
//! latency is the strategy's. A delisting takes effect after the instrument's last bar, whatever its date.
//!
//! # Volume
//! With [`BacktestConfig::volume_share_max`] all fills of an instrument in one bar share that part of its volume; at the open it is
//! the volume of the bar before, because a fill there must not know the rest of its bar. What is not filled stays working, unless the order
//! must fill at once; of a stop that has filled in part the rest fills at the next open.
//!
//! # When limits do not suffice
//! An order request that would break one of the [`RiskLimits`], or need more than the [`AccountKind`] lends, is denied whole: it names
//! its units. A target weight says where to be, so it is clipped: the part that takes away from a position, up to zero for one that
//! changes sides, always goes through, and the part that adds is cut to the room that `weight_max`, leverage, `group_weight_max` and
//! `daily_turnover_max` leave after it, counting what waits. The order is for the clipped quantity and names the limit
//! ([`Order::clipped_by`]). Targets take their room in turn, those that only take away first. One that does nothing but add is denied
//! when no room is left or when `positions_max` is reached.
//!
//! # When cash does not suffice
//! A target weight is sized at the close it was decided at ([`TargetSizing::AtDecision`]). At its fill prices have moved and costs are
//! due; a fill that opens or adds is then cut to the largest quantity for which gross exposure stays within the bound times equity after
//! costs, the bound being the smaller of `gross_leverage_max` and what the account lends (1 for cash, the inverse of the initial margin).
//! With a bound of one, a weight of one always gets what all cash pays for, never a denial and never a negative balance. After a gap down
//! it keeps the size it was decided at. With [`Shortfall::Drop`] what opens or adds is not cut but left out. Without a bound nothing is trimmed and cash may be negative: money is then lent, at
//! [`Financing::margin_rate`].
//!
//! # Money
//! `equity = cash + sum of quantity * multiplier * price * exchange rate` at every bar, and `equity - initial cash = `[`Totals::earned`],
//! which [`run`] asserts at its end. Positions are kept at weighted average cost; round trips ([`ClosedTrade`]) are matched first in, first
//! out. Realized pnl is before commission everywhere; [`ClosedTrade::net_pnl`] is after it. Everything but prices is in the account's
//! currency.

mod error;

mod commission;
mod config;
mod slippage;

mod calendar;
mod detail;
mod market;
mod rebalance_schedule;
mod timeline;

mod order;
mod requests;

mod account;
mod book;
mod delivery;
mod instrument_set;
mod lots;
mod path;
mod position;
mod risk;

mod context;
mod engine;
mod forecast_source;
mod hash;
mod journal;
mod state;
mod strategy;

pub mod sizing;
pub mod strategies;

#[cfg(test)]
mod testing;

/// The blocks of the tutorial are tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/WRITE_A_STRATEGY.md")]
struct Tutorial;

pub use account::Totals;
pub use commission::{Commission, CommissionTerms, CommissionTier, Liquidity};
pub use config::{
    AccountKind, BacktestConfig, BracketLegs, DataEnd, FeeBasis, FillOrder, FillTiming, Financing, Latency, LimitFill,
    PathModel, RiskLimits, Shortfall, SlippageScope, TargetSizing,
};
pub use context::{Context, History};
pub use engine::{run, run_into, run_with, run_with_into};
pub use error::BacktestError;
pub use forecast_source::ForecastSource;
pub use journal::{
    AppliedAction, CashFlow, CashFlowKind, ClosedTrade, EquityColumns, Fill, FillMoment, Halt, HaltReason, Journal,
};
pub use market::{InstrumentData, Market};
pub use order::{
    CancelReason, DenialReason, Order, OrderId, OrderKind, OrderLinks, OrderOrigin, OrderRequest, OrderStatus,
    PositionEffect, TimeInForce, Trail,
};
pub use position::Position;
pub use rebalance_schedule::{RebalanceSchedule, Rebalancing};
pub use requests::{Bracket, Exits, Replacement, Requests};
pub use slippage::{Slippage, SlippageTerms};
pub use strategy::Strategy;
