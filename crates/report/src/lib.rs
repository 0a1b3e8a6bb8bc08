//! One run's result, rendered: terminal table, JSON, CSV and one self-contained HTML tear sheet.
//!
//! A [`RunReport`] is plain numbers and text that somebody else computed; this crate chooses words, digits, colors and
//! places. It computes nothing that a reader could trade on, except what a picture needs: the drawdown under the equity
//! curve, calendar-year returns, and fewer points where a curve is too long to draw. It reads no files, no clock and no
//! terminal.
//!
//! Invariant: the same [`RunReport`] gives the same bytes, undefined numbers are shown as `n/a` and stored as null, and
//! the HTML page asks the network for nothing.

#[cfg(test)]
extern crate self as tidegate_report;

mod comparison;
mod run_report;
mod trade_story;

mod cross_validation;
mod execution;
mod forecast_panel;
mod performance;

mod csv;
mod html;
mod json;
mod terminal;

mod curve;
mod downsample;
mod error;
mod number;
mod sparkline;
mod text_table;

#[cfg(test)]
mod fixture;

pub use comparison::{
    BetterWhen, ComparedMetric, ComparedRun, Comparison, ConfigDifference, EqualSharpeTest, PairedBootstrap,
    PairedEstimate, PairedPeriods, PairedTests, comparison,
};
pub use cross_validation::{CrossValidationPanel, PathRow};
pub use csv::csv;
pub use error::ReportError;
pub use execution::{ExecutionPanel, TradeRow};
pub use forecast_panel::{
    CalibrationPanel, CalibrationPoint, ComparisonRow, CrossSectionRow, FoldRow, ForecastPanel, ForecastRole,
    ForecastRow, GateHistogram, GradientNorms, HorizonRow, IntervalRow, LevelErrors, LossCurve, NetworkFacts,
    RecalibrationPanel, RecalibrationRow, SpreadRow, TrainingPanel,
};
pub use html::html;
pub use json::json;
pub use performance::{DrawdownRow, EquityPoint, MetricRow, MetricUnit, MonthlyReturn};
pub use run_report::{AuditStatus, Build, Costs, FillRule, RunHeader, RunReport, TimeSpan, WalkForwardSummary};
pub use terminal::{ColorChoice, terminal};
pub use trade_story::{
    BarStory, DecisionStory, Excursion, FeatureStory, FillStory, FlowStory, ForecastStory, HoldingStory, LegStory,
    NamedValue, OrderEvent, OrderStory, ResultStory, SignalStory, SizingStory, TouchedOrder, TradeFacts, TradeStory,
    ValueUnit, trade_story,
};
