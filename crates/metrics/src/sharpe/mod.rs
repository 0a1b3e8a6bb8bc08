//! How much a Sharpe ratio can be trusted: its sampling error, its track record, the trials behind it.

mod average_linkage;
mod deflated_sharpe_ratio;
mod expected_maximum_sharpe_ratio;
mod jobson_korkie;
mod minimum_backtest_length;
mod minimum_track_record_length;
mod probabilistic_sharpe_ratio;
mod sharpe_statistics;
mod trial_clusters;

pub use deflated_sharpe_ratio::{Trials, deflated_sharpe_ratio};
pub use expected_maximum_sharpe_ratio::expected_maximum_sharpe_ratio;
pub use jobson_korkie::jobson_korkie;
pub use minimum_backtest_length::minimum_backtest_length;
pub use minimum_track_record_length::minimum_track_record_length;
pub use probabilistic_sharpe_ratio::probabilistic_sharpe_ratio;
pub use sharpe_statistics::SharpeStatistics;
pub use trial_clusters::{TrialClusters, trial_clusters};
