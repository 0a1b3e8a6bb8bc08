//! Indicators as incremental kernels: each takes one bar's value and returns the indicator known at that bar's close.
//!
//! A kernel is the only definition of its indicator. A streaming strategy feeds it bar by bar, a feature column is the same
//! kernel run down a column, so the two cannot differ by a bit, and a value can depend on nothing after its bar. There are no
//! columns, names, files or threads here, and no dependencies.
//!
//! Invariant: a kernel returns `None` for its first [`Indicator::lookback_bars`] inputs, never a value of a partial window, and
//! later only where the indicator is undefined (a ratio over zero). Its memory grows with the bars of its first window and never
//! after, so that a window of any size may be asked for. Its rounding error does not grow with the number of bars: windows are
//! re-summed as they turn over, exponential means forget.
//!
//! Inputs are finite, prices are above zero, volumes at least zero: what `tidegate_market::Bars` promises.

mod delay;
#[cfg(test)]
mod drift;
mod growth;
mod indicator;
mod moments;
mod rolling;
#[cfg(test)]
mod vectors;
mod wilder;

mod atr;
mod bollinger;
mod ema;
mod ewma_variance;
mod log_return;
mod macd;
mod rsi;
mod rsi_cutler;
mod simple_return;
mod sma;
mod sma_ratio;
mod volatility;
mod volume_ratio;
mod z_score;

pub use atr::{Atr, HighLowClose};
pub use bollinger::{Bollinger, BollingerBands};
pub use ema::Ema;
pub use ewma_variance::EwmaVariance;
pub use indicator::Indicator;
pub use log_return::LogReturn;
pub use macd::{Macd, MacdBars, MacdValue};
pub use rsi::Rsi;
pub use rsi_cutler::RsiCutler;
pub use simple_return::SimpleReturn;
pub use sma::Sma;
pub use sma_ratio::SmaRatio;
pub use volatility::Volatility;
pub use volume_ratio::VolumeRatio;
pub use z_score::ZScore;
