//! The event-driven backtest: bars and forecasts in, orders, fills and money out.
//!
//! [`run`] walks a [`Market`] bar by bar and asks a [`Strategy`] after each close. It knows neither files nor models nor threads, is
//! deterministic, and allocates nothing per event once its buffers have grown.
//!
//! # Order of events
//! For every time at which some bar closes:
//! 1. **Open.** Market orders of [`FillTiming::NextOpen`] fill at the open with slippage and commission; stop and limit orders that the
//!    open gaps through fill there too, a limit order at the better of open and limit.
//! 2. **Inside the bar** stop and limit orders fill by the pessimistic path: stops first, then limit orders that may open a position, then
//!    limit orders that may only reduce, so that a stop and a target in one bar mean the stop. A touch fills. Stops have slippage, limit
//!    orders have none. Bars with more than one such fill are counted as ambiguous.
//! 3. **Close.** Market orders of [`FillTiming::NextClose`] fill. Day orders whose UTC day is over end. Positions are marked and equity is
//!    recorded. Equity of zero or less is ruin: positions are closed there and the run ends. A fall by the drawdown stop flattens and
//!    ends trading.
//! 4. **Forecasts** known by now are delivered.
//! 5. **The strategy** sees a read-only [`Context`] and hands back [`Requests`]. The risk check approves or denies each; a denial is an
//!    order with its reason in the journal. Approved orders work from the next bar of their instrument on;
//!    [`FillTiming::SameClose`] fills market orders at once, and the row of equity includes them; costs that leave no equity are ruin
//!    there and then.
//!
//! Fills of one moment come in this order: orders that only take away from a position, then all others; within each by instrument,
//! then by age. Target weights become orders in the same way: sells that pay for buys come first.
//!
//! # When limits do not suffice
//! An order request that would break one of the [`RiskLimits`] is denied whole: it names its units. A target weight says where to be, so
//! it is clipped: the part that takes away from a position, up to zero for one that changes sides, always goes through, and the part
//! that adds is cut to the room that `weight_max`, `gross_leverage_max` and `net_leverage_max` leave after it, counting what waits. The
//! order is for the clipped quantity and names the limit ([`Order::clipped_by`]). Targets take their room in turn, those that only take
//! away first. One that does nothing but add is denied when no room is left or when `positions_max` is reached.
//!
//! # When cash does not suffice
//! A target weight is sized at the close it was decided at. At its fill prices have moved and costs are due; a fill that opens or
//! adds is then cut to the largest quantity for which gross exposure stays within `gross_leverage_max` times equity after costs. With a
//! limit of one, a weight of one always gets what all cash pays for, never a denial and never a negative balance. After a gap down it keeps
//! the size it was decided at. Without a gross leverage limit nothing is trimmed and cash may be negative: money is then lent
//! without interest.
//!
//! # Money
//! `equity = cash + sum of quantity * multiplier * price` at every bar, and `equity - initial cash = realized + unrealized - commission`, which
//! [`run`] asserts at its end. Positions are kept at weighted average cost; round trips ([`ClosedTrade`]) are matched first in, first
//! out. Realized pnl is before commission everywhere; [`ClosedTrade::net_pnl`] is after it.
//!
//! What is not here: partial fills by volume, borrow fees and interest, margin calls, corporate actions, sessions and time zones.

mod error;

mod commission;
mod config;
mod slippage;

mod market;
mod timeline;

mod order;
mod requests;

mod account;
mod book;
mod delivery;
mod lots;
mod path;
mod position;
mod risk;

mod context;
mod engine;
mod hash;
mod journal;
mod state;
mod strategy;

pub mod strategies;

#[cfg(test)]
mod testing;

pub use account::Totals;
pub use commission::Commission;
pub use config::{BacktestConfig, FillTiming, RiskLimits};
pub use context::{Context, History};
pub use engine::{run, run_into};
pub use error::BacktestError;
pub use journal::{ClosedTrade, EquityColumns, Fill, FillMoment, Halt, HaltReason, Journal};
pub use market::Market;
pub use order::{
    CancelReason, DenialReason, Order, OrderId, OrderKind, OrderOrigin, OrderRequest, OrderStatus, PositionEffect,
    TimeInForce,
};
pub use position::Position;
pub use requests::Requests;
pub use slippage::Slippage;
pub use strategy::Strategy;
