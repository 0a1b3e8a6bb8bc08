//! The stationary bootstrap: what else could have happened, by resampling what did.

mod block_length;
mod interval;
mod long_run_variance;
mod max_drawdown_interval;
mod paired_difference;
mod resamples;
mod sharpe_ratio_interval;
mod split_mix;
mod studentized;
#[cfg(test)]
mod tests;
mod trade_order;

pub use block_length::{automatic_block_length, common_block_length};
pub use interval::{BootstrapEstimate, Interval};
pub use max_drawdown_interval::{MaxDrawdownInterval, max_drawdown_interval};
pub use paired_difference::{PairedDifference, paired_difference};
pub use resamples::{BootstrapSettings, Resamples};
pub use sharpe_ratio_interval::sharpe_ratio_interval;
pub use trade_order::{OrderSpread, TradeOrder, TradeOrderSettings, TradeOrders, trade_orders};

pub(crate) use long_run_variance::stationary_variance;
#[cfg(test)]
pub(crate) use split_mix::SplitMix64;
