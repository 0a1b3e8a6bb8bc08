//! How much a Sharpe ratio can be trusted: its sampling error, its track record, the trials behind it.

mod deflated_sharpe_ratio;
mod expected_maximum_sharpe_ratio;
mod minimum_track_record_length;
mod probabilistic_sharpe_ratio;
mod sharpe_statistics;

pub use deflated_sharpe_ratio::{Trials, deflated_sharpe_ratio};
pub use expected_maximum_sharpe_ratio::expected_maximum_sharpe_ratio;
pub use minimum_track_record_length::minimum_track_record_length;
pub use probabilistic_sharpe_ratio::probabilistic_sharpe_ratio;
pub use sharpe_statistics::SharpeStatistics;
