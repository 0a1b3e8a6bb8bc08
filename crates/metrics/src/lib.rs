//! Performance, trade and forecast metrics, one per file.
//!
//! Numbers in, numbers out: there is no file format, no engine and no model here, and nothing is guessed. [`Returns`] say how
//! many periods make a year; an [`EquityCurve`] has an explicit initial point; [`MetricOptions`] names the convention.
//!
//! Invariant: what is undefined is `None`. No function returns a NaN, an infinity, or a 0 that stands for either. Returns,
//! drawdowns and values at risk are fractions, and losses are negative.

mod benchmarked_returns;
mod bootstrap;
mod chi_squared;
mod convention;
mod equity_curve;
mod error;
mod forecast;
mod lanes;
mod matrix_product;
mod multiple_testing;
mod normal;
#[cfg(test)]
mod null_laws;
mod options;
mod overfitting;
mod performance;
mod returns;
mod sample;
mod sharpe;
mod snooping;
mod student_t;
mod test_outcome;
mod trading;
#[cfg(test)]
mod vectors;

pub use benchmarked_returns::BenchmarkedReturns;
pub use bootstrap::{
    BootstrapEstimate, BootstrapSettings, Interval, MaxDrawdownInterval, OrderSpread, PairedDifference, Resamples,
    TradeOrder, TradeOrderSettings, TradeOrders, automatic_block_length, common_block_length, max_drawdown_interval,
    paired_difference, sharpe_ratio_interval, trade_orders,
};
pub use convention::Convention;
pub use equity_curve::EquityCurve;
pub use error::MetricsError;
pub use forecast::{
    Calibration, CalibrationPoint, CrossSectionalIc, Distribution, FoldScores, ForecastScores, IcPoint, IcSummary,
    IntervalTests, LjungBox, LongRunVariance, Loss, MeanTest, NamedForecasts, PairedLosses, PredictionInterval,
    QuantileLoss, ScoredForecast, Skill, SkillVersusYardsticks, YardstickComparison, YardstickSkill, calibration,
    calibration_curve, cross_sectional_information_coefficient, crps_skill, diebold_mariano, ensemble_crps,
    forecast_scores, forecast_scores_by_fold, gaussian_crps, gaussian_negative_log_likelihood, interval_score,
    kolmogorov_smirnov_uniform, kupiec, losses, mean_by_time, mean_test, pinball_loss, quantile_losses, skill,
    skill_versus_yardsticks,
};
pub use multiple_testing::{benjamini_hochberg, benjamini_yekutieli, bonferroni, holm, romano_wolf};
pub use options::MetricOptions;
pub use overfitting::{Degradation, Overfitting, overfitting, sharpe_overfitting};
pub use performance::{
    Drawdown, MonthlyReturn, Performance, Summarizer, Summary, YearlyReturn, alpha, best_period, beta, cagr,
    calmar_ratio, conditional_value_at_risk_95, deepest_drawdown, downside_deviation, drawdown_series, drawdowns,
    hit_rate, information_ratio, kurtosis, max_drawdown, max_drawdown_periods, monthly_returns, omega_ratio,
    performance, rolling_sharpe_ratio, sharpe_ratio, skewness, sortino_ratio, tail_ratio, total_return, tracking_error,
    value_at_risk_95, volatility, worst_period, yearly_returns,
};
pub use returns::{Elapsed, Returns};
pub use sample::sample_variance;
pub use sharpe::{
    SharpeStatistics, TrialClusters, Trials, deflated_sharpe_ratio, expected_maximum_sharpe_ratio, jobson_korkie,
    minimum_backtest_length, minimum_track_record_length, probabilistic_sharpe_ratio, trial_clusters,
};
pub use snooping::{Snooping, SnoopingMaxima, SnoopingTest, StudentizedTrial, SuperiorPredictiveAbility};
pub use test_outcome::TestOutcome;
pub use trading::{
    TradeStatistics, average_bars_held, average_loss, average_win, expectancy, exposure, profit_factor,
    trade_statistics, turnover, win_rate,
};
