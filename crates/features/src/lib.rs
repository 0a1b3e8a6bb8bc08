//! Features: numbers about one instrument's bars, each known at the close of its row; and the target, which is not.
//!
//! A [`FeatureSpec`] says which features, [`compute`] runs the kernels of `tidegate_indicators` down the columns of a
//! [`tidegate_market::Bars`], [`compute_scaled`] does so over coarser bars that end at every row, and [`compute_panel`] spreads
//! instruments over the cores. [`to_frame`], [`write()`] and [`cross_section`] are the border to polars: tables for people and
//! notebooks, and comparisons between instruments. There are no definitions of indicators here, no scaling, no windows and no
//! folds.
//!
//! Invariant: a row depends on the bars up to and including it, bit for bit, and on nothing else: not on what follows, the
//! number of threads or the other features asked for. Only [`targets()`] looks forward, and its type cannot become a feature.

mod compute;
mod error;
mod horizons;
mod kernels;
mod series;
mod spec;
mod target;

mod cross_section;
mod frame;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod laws;

pub use compute::{compute, compute_panel, compute_scaled};
pub use cross_section::{CrossSection, cross_section};
pub use error::FeatureError;
pub use frame::{to_frame, write};
pub use horizons::Horizons;
pub use spec::{BollingerOutput, BollingerSpec, FeatureSpec, MacdOutput, MacdSpec, PeriodSpec, validate};
pub use target::{ReturnTarget, TargetPrice, TargetSpec, start_prices, targets};
