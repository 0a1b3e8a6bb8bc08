//! Everything that a report shows of one run.

use std::fmt;

use serde::{Deserialize, Serialize};
use tidegate_market::Timestamp;

use crate::{
    CrossValidationPanel, DrawdownRow, EquityPoint, ExecutionPanel, ForecastPanel, MetricRow, MonthlyReturn, TradeRow,
};

/// Symbols listed before the rest is only counted.
const SYMBOLS_MAX: usize = 8;

/// One run, ready to be rendered.
///
/// Returns, weights and drawdowns are fractions everywhere (`0.1` is ten percent), money is in the account's currency,
/// and what is undefined is `None`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    /// What was run.
    pub header: RunHeader,
    /// Performance metrics in the order in which they are shown.
    pub performance: Vec<MetricRow>,
    /// Equity at every bar in time order, starting with an explicit initial point; empty when nothing was traded.
    pub equity: Vec<EquityPoint>,
    /// Returns of calendar months, in time order.
    pub monthly_returns: Vec<MonthlyReturn>,
    /// The deepest drawdowns, deepest first.
    pub drawdowns: Vec<DrawdownRow>,
    /// Closed round trips in order of exit.
    pub trades: Vec<TradeRow>,
    /// Orders, costs and exposure.
    pub execution: ExecutionPanel,
    /// How good the forecasts were; `None` for a strategy without a model.
    pub forecast: Option<ForecastPanel>,
    /// The paths of a cross-validation; `None` for forecasts that could have been traded.
    pub cross_validation: Option<CrossValidationPanel>,
    /// What makes these results less trustworthy, shown first.
    pub warnings: Vec<String>,
    /// Remarks and conventions, shown last.
    pub notes: Vec<String>,
}

/// What was run, on which data, under which assumptions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunHeader {
    /// The strategy's name.
    pub name: String,
    /// A sentence about the strategy; may be empty.
    pub description: String,
    /// The hash of the resolved config, in hexadecimal.
    pub config_hash: String,
    /// First and last bar of the data that was loaded.
    pub data_span: TimeSpan,
    /// The instruments' symbols in the order of the config.
    pub symbols: Vec<String>,
    /// The bar interval, such as `1d`.
    pub interval: String,
    /// Bars in a year, as used to annualize.
    pub periods_per_year: f64,
    /// What the benchmark is, such as `SPY buy and hold`; `None` without a benchmark.
    pub benchmark: Option<String>,
    /// The price at which market orders fill.
    pub fill_rule: FillRule,
    /// The cost models in words.
    pub costs: Costs,
    /// The run's seed.
    pub seed: u64,
    /// How the model was walked forward; `None` for a strategy without a model.
    pub walk_forward: Option<WalkForwardSummary>,
    /// Configurations evaluated so far in this study, counted by the trial ledger; `None` without a ledger.
    pub n_trials: Option<u64>,
    /// Whether the causality audit was run on this config.
    pub audit: AuditStatus,
    /// The version of Tidegate that ran this.
    pub tidegate_version: String,
    /// What the binary was built with.
    pub build: Build,
}

/// A closed interval of time labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeSpan {
    /// The first label.
    pub first: Timestamp,
    /// The last label.
    pub last: Timestamp,
}

impl fmt::Display for TimeSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.first, self.last)
    }
}

/// How many models stand behind the forecasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalkForwardSummary {
    /// Folds that were fitted.
    pub n_folds: u32,
    /// Members fitted per fold, each from its own seed.
    pub ensemble_size: u32,
}

/// The cost models in words, such as `1 bps of notional`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Costs {
    /// The commission model.
    pub commission: String,
    /// The slippage model.
    pub slippage: String,
}

/// The price at which a market order fills after the bar on which it was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FillRule {
    /// The next bar's open.
    NextOpen,
    /// The next bar's close.
    NextClose,
    /// The close of the very bar on which the decision was made: a price that could not be traded.
    SameClose,
}

impl FillRule {
    /// Returns the rule in words.
    pub const fn label(self) -> &'static str {
        match self {
            Self::NextOpen => "next bar's open",
            Self::NextClose => "next bar's close",
            Self::SameClose => "same bar's close",
        }
    }

    /// Returns whether the rule fills at a price that was already gone when the decision was made.
    pub const fn is_optimistic(self) -> bool {
        matches!(self, Self::SameClose)
    }

    /// Returns the warning that belongs to an optimistic rule.
    pub const fn warning(self) -> Option<&'static str> {
        match self {
            Self::NextOpen | Self::NextClose => None,
            Self::SameClose => {
                Some("Optimistic fills: orders fill at the close from which they were decided, which cannot be traded.")
            }
        }
    }
}

/// Whether the causality audit was run on this config.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditStatus {
    /// The audit ran and found no look-ahead.
    Passed {
        /// At how many moments the data were cut.
        cuts: u64,
    },
    /// The audit ran and found look-ahead.
    Failed,
    /// The audit was not run.
    NotRun,
}

impl AuditStatus {
    /// Returns the status in words.
    pub fn label(self) -> String {
        match self {
            Self::Passed { cuts } => format!("audited: {cuts} cuts, no leak"),
            Self::Failed => "failed".to_owned(),
            Self::NotRun => "not run".to_owned(),
        }
    }
}

/// What the binary was built with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Build {
    /// Neural models are available.
    WithLibtorch,
    /// Built with `--no-default-features`: everything but neural models.
    WithoutLibtorch,
}

impl Build {
    /// Returns the build in words.
    pub const fn label(self) -> &'static str {
        match self {
            Self::WithLibtorch => "with libtorch",
            Self::WithoutLibtorch => "without libtorch",
        }
    }
}

impl RunHeader {
    /// Returns the symbols, the first few of a long list, and the bar interval.
    pub(crate) fn instruments(&self) -> String {
        let n_shown = self.symbols.len().min(SYMBOLS_MAX);
        let more = match self.symbols.len() - n_shown {
            0 => String::new(),
            n_more => format!(" and {n_more} more"),
        };
        format!("{}{more}, {} bars", self.symbols[..n_shown].join(", "), self.interval)
    }
}

impl RunReport {
    /// Returns first and last time of the equity curve; `None` when nothing was traded.
    pub(crate) fn traded_span(&self) -> Option<TimeSpan> {
        Some(TimeSpan { first: self.equity.first()?.time, last: self.equity.last()?.time })
    }

    /// Returns every warning: the cross-validation's, the fill rule's, the audit's, then the run's own.
    pub(crate) fn all_warnings(&self) -> Vec<String> {
        let audit = match self.header.audit {
            AuditStatus::Failed => Some("The causality audit failed: these results use information from the future."),
            AuditStatus::Passed { .. } | AuditStatus::NotRun => None,
        };
        let own = self.warnings.iter().map(String::as_str);
        let assumed = self.header.fill_rule.warning().into_iter().chain(audit);
        let paths = self.cross_validation.as_ref().map(CrossValidationPanel::warning);
        paths.into_iter().chain(assumed.chain(own).map(str::to_owned)).collect()
    }

    /// Returns what was run as label and text, in the order in which it is shown.
    pub(crate) fn facts(&self) -> Vec<(&'static str, String)> {
        let header = &self.header;
        let optimistic = if header.fill_rule.is_optimistic() { " (optimistic)" } else { "" };
        let is_cross_validated = self.cross_validation.is_some();
        let sample = if header.walk_forward.is_some() && !is_cross_validated { ", out of sample only" } else { "" };
        let mut facts = vec![("Instruments", header.instruments()), ("Data", header.data_span.to_string())];
        facts.extend(self.traded_span().map(|span| ("Traded", format!("{span}{sample}"))));
        facts.extend(header.benchmark.iter().map(|benchmark| ("Benchmark", benchmark.clone())));
        facts.push(("Fill rule", format!("{}{optimistic}", header.fill_rule.label())));
        facts.push(("Commission", header.costs.commission.clone()));
        facts.push(("Slippage", header.costs.slippage.clone()));
        facts.extend(header.walk_forward.map(|walk| {
            let members = if walk.ensemble_size == 1 { "model each" } else { "ensemble members each" };
            let scheme = if is_cross_validated { "cross-validated" } else { "walk-forward" };
            ("Folds", format!("{} {scheme}, {} {members}", walk.n_folds, walk.ensemble_size))
        }));
        facts.extend(header.n_trials.map(|trials| ("Trials", format!("{trials} in this study"))));
        facts.push(("Audit", header.audit.label()));
        facts.push(("Annualized", format!("{} bars a year", header.periods_per_year)));
        facts.push(("Seed", header.seed.to_string()));
        facts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn a_fill_at_the_deciding_close_is_called_optimistic_first() {
        let mut report = fixture::small();
        report.header.fill_rule = FillRule::SameClose;
        assert!(report.all_warnings()[0].starts_with("Optimistic fills"), "{:?}", report.all_warnings());
        assert!(report.facts().contains(&("Fill rule", "same bar's close (optimistic)".to_owned())));
    }

    #[test]
    fn a_failed_audit_is_a_warning_and_one_that_was_not_run_is_a_fact() {
        let mut report = fixture::small();
        report.warnings.clear();
        assert_eq!(report.all_warnings(), Vec::<String>::new());
        assert!(report.facts().contains(&("Audit", "not run".to_owned())));
        report.header.audit = AuditStatus::Passed { cuts: 14 };
        assert_eq!(report.all_warnings(), Vec::<&str>::new());
        assert!(report.facts().contains(&("Audit", "audited: 14 cuts, no leak".to_owned())));
        report.header.audit = AuditStatus::Failed;
        assert_eq!(report.all_warnings().len(), 1);
    }

    #[test]
    fn a_long_list_of_symbols_is_counted() {
        let mut header = fixture::small().header;
        assert_eq!(header.instruments(), "SPY, 1d bars");
        header.symbols = (0..500).map(|row| format!("S{row}")).collect();
        assert_eq!(header.instruments(), "S0, S1, S2, S3, S4, S5, S6, S7 and 492 more, 1d bars");
    }

    #[test]
    fn only_a_walked_forward_run_claims_to_be_out_of_sample() {
        let mut report = fixture::small();
        assert!(report.facts().contains(&("Traded", "2020-01-31 to 2020-06-30, out of sample only".to_owned())));
        report.header.walk_forward = None;
        assert!(report.facts().contains(&("Traded", "2020-01-31 to 2020-06-30".to_owned())));
    }
}
