//! What trading did: closed trades, time in the market, turnover.

mod average_bars_held;
mod average_loss;
mod average_win;
mod expectancy;
mod exposure;
mod profit_factor;
mod trade_statistics;
mod turnover;
mod win_rate;

pub use average_bars_held::average_bars_held;
pub use average_loss::average_loss;
pub use average_win::average_win;
pub use expectancy::expectancy;
pub use exposure::exposure;
pub use profit_factor::profit_factor;
pub use trade_statistics::{TradeStatistics, trade_statistics};
pub use turnover::turnover;
pub use win_rate::win_rate;
