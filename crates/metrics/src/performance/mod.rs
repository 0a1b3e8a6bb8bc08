//! How a series of returns did: every metric, and all of them at once.

mod alpha;
mod best_period;
mod beta;
mod cagr;
mod calendar_returns;
mod calmar_ratio;
mod conditional_value_at_risk;
mod drawdown;
mod hit_rate;
mod information_ratio;
pub(crate) mod kurtosis;
mod max_drawdown;
mod max_drawdown_periods;
mod omega_ratio;
mod rolling_sharpe_ratio;
pub(crate) mod sharpe_ratio;
pub(crate) mod skewness;
mod sortino_ratio;
mod summary;
mod tail_ratio;
mod total_return;
mod value_at_risk;
mod volatility;
mod worst_period;

use serde::{Deserialize, Serialize};

pub use alpha::alpha;
pub use best_period::best_period;
pub use beta::beta;
pub use cagr::cagr;
pub use calendar_returns::{MonthlyReturn, YearlyReturn, monthly_returns, yearly_returns};
pub use calmar_ratio::calmar_ratio;
pub use conditional_value_at_risk::conditional_value_at_risk_95;
pub use drawdown::{Drawdown, deepest_drawdown, drawdown_series, drawdowns};
pub use hit_rate::hit_rate;
pub use information_ratio::{information_ratio, tracking_error};
pub use kurtosis::kurtosis;
pub use max_drawdown::max_drawdown;
pub use max_drawdown_periods::max_drawdown_periods;
pub use omega_ratio::omega_ratio;
pub use rolling_sharpe_ratio::rolling_sharpe_ratio;
pub use sharpe_ratio::sharpe_ratio;
pub use skewness::skewness;
pub use sortino_ratio::{downside_deviation, sortino_ratio};
pub use summary::{Summarizer, Summary};
pub use tail_ratio::tail_ratio;
pub use total_return::total_return;
pub use value_at_risk::value_at_risk_95;
pub use volatility::volatility;
pub use worst_period::worst_period;

use crate::{BenchmarkedReturns, MetricOptions, MetricsError, Returns, probabilistic_sharpe_ratio};

/// Every performance metric of one series; the function of the same name defines each. Undefined is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Performance {
    /// [`total_return()`].
    pub total_return: Option<f64>,
    /// [`cagr()`].
    pub cagr: Option<f64>,
    /// [`volatility()`].
    pub volatility: Option<f64>,
    /// [`sharpe_ratio()`].
    pub sharpe_ratio: Option<f64>,
    /// [`sortino_ratio()`].
    pub sortino_ratio: Option<f64>,
    /// [`calmar_ratio()`].
    pub calmar_ratio: Option<f64>,
    /// [`omega_ratio()`].
    pub omega_ratio: Option<f64>,
    /// [`tail_ratio()`].
    pub tail_ratio: Option<f64>,
    /// [`max_drawdown()`].
    pub max_drawdown: Option<f64>,
    /// [`max_drawdown_periods()`].
    pub max_drawdown_periods: Option<usize>,
    /// [`value_at_risk_95()`].
    pub value_at_risk_95: Option<f64>,
    /// [`conditional_value_at_risk_95()`].
    pub conditional_value_at_risk_95: Option<f64>,
    /// [`skewness()`].
    pub skewness: Option<f64>,
    /// [`kurtosis()`], the excess.
    pub kurtosis: Option<f64>,
    /// [`alpha()`]; `None` without a benchmark.
    pub alpha: Option<f64>,
    /// [`beta()`]; `None` without a benchmark.
    pub beta: Option<f64>,
    /// [`information_ratio()`]; `None` without a benchmark.
    pub information_ratio: Option<f64>,
    /// [`probabilistic_sharpe_ratio()`] against a Sharpe ratio of 0.
    pub probabilistic_sharpe_ratio: Option<f64>,
    /// [`best_period()`].
    pub best_period: Option<f64>,
    /// [`worst_period()`].
    pub worst_period: Option<f64>,
    /// [`hit_rate()`].
    pub hit_rate: Option<f64>,
}

impl Performance {
    /// Returns every metric with its name, in the order of the fields.
    pub fn entries(&self) -> [(&'static str, Option<f64>); 21] {
        [
            ("total_return", self.total_return),
            ("cagr", self.cagr),
            ("volatility", self.volatility),
            ("sharpe_ratio", self.sharpe_ratio),
            ("sortino_ratio", self.sortino_ratio),
            ("calmar_ratio", self.calmar_ratio),
            ("omega_ratio", self.omega_ratio),
            ("tail_ratio", self.tail_ratio),
            ("max_drawdown", self.max_drawdown),
            ("max_drawdown_periods", self.max_drawdown_periods.map(|periods| periods as f64)),
            ("value_at_risk_95", self.value_at_risk_95),
            ("conditional_value_at_risk_95", self.conditional_value_at_risk_95),
            ("skewness", self.skewness),
            ("kurtosis", self.kurtosis),
            ("alpha", self.alpha),
            ("beta", self.beta),
            ("information_ratio", self.information_ratio),
            ("probabilistic_sharpe_ratio", self.probabilistic_sharpe_ratio),
            ("best_period", self.best_period),
            ("worst_period", self.worst_period),
            ("hit_rate", self.hit_rate),
        ]
    }
}

/// Computes every performance metric.
///
/// # Errors
/// [`MetricsError::Setting`] for options that do not [validate](MetricOptions::validate), and the errors of
/// [`BenchmarkedReturns::new`] for a benchmark of other periods.
pub fn performance(
    returns: &Returns,
    benchmark: Option<&Returns>,
    options: &MetricOptions,
) -> Result<Performance, MetricsError> {
    options.validate()?;
    let pair = benchmark.map(|benchmark| BenchmarkedReturns::new(returns.clone(), benchmark.clone())).transpose()?;
    let pair = pair.as_ref();
    let convention = options.convention;
    Ok(Performance {
        total_return: total_return(returns),
        cagr: cagr(returns, convention),
        volatility: volatility(returns),
        sharpe_ratio: sharpe_ratio(returns, options),
        sortino_ratio: sortino_ratio(returns, options),
        calmar_ratio: calmar_ratio(returns, convention),
        omega_ratio: omega_ratio(returns, options),
        tail_ratio: tail_ratio(returns),
        max_drawdown: max_drawdown(returns),
        max_drawdown_periods: max_drawdown_periods(returns),
        value_at_risk_95: value_at_risk_95(returns, convention),
        conditional_value_at_risk_95: conditional_value_at_risk_95(returns, convention),
        skewness: skewness(returns, convention),
        kurtosis: kurtosis(returns, convention),
        alpha: pair.and_then(|pair| alpha(pair, options)),
        beta: pair.and_then(beta),
        information_ratio: pair.and_then(|pair| information_ratio(pair, convention)),
        probabilistic_sharpe_ratio: probabilistic_sharpe_ratio(returns, 0.0, options),
        best_period: best_period(returns),
        worst_period: worst_period(returns),
        hit_rate: hit_rate(returns),
    })
}

#[cfg(test)]
mod tests;
