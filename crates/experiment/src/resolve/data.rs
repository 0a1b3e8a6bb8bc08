//! Where bars, corporate actions, sessions and rates come from: `[data]` and `[execution.detail]`, checked and anchored.

use std::path::PathBuf;

use tidegate_data::{Adjustment, ColumnMapping, OffencePolicy, SessionSpec, SignalAdjustment, TimeZone};
use tidegate_market::{BarInterval, BarLabel, Timestamp};

use super::instruments::RateFiles;
use super::rules::Rules;
use crate::config::{
    CommissionConfig, ConfigError, DataConfig, ExperimentConfig, OneOrMany, SignalsConfig, SlippageConfig,
};

/// Where the bars come from.
#[derive(Debug, Clone)]
pub struct ResolvedData {
    /// Files, folders or globs, anchored at the strategy file's folder.
    pub paths: Vec<PathBuf>,
    /// The symbols, in order.
    pub symbols: Vec<String>,
    /// The length of a bar.
    pub interval: BarInterval,
    /// Which end of the bar a time names.
    pub label: BarLabel,
    /// How many bars make a year.
    pub periods_per_year: f64,
    /// The first time label to use.
    pub start: Timestamp,
    /// The last time label to use.
    pub end: Timestamp,
    /// The file's own column names.
    pub columns: ColumnMapping,
    /// What to do with offences.
    pub policy: OffencePolicy,
    /// Which corporate actions prices are adjusted for.
    pub adjustment: Adjustment,
    /// Lean's factor files, in place of the file's columns.
    pub factor_files: Option<PathBuf>,
    /// Corporate actions as events; `None` reads none.
    pub corporate_actions: Option<ActionsPlan>,
    /// The zone of times without an offset; `None` is UTC.
    pub time_zone: Option<TimeZone>,
    /// The opening hours of the market; `None` keeps every bar.
    pub session: Option<SessionSpec>,
    /// Finer bars; `None` has none.
    pub detail: Option<DetailPlan>,
    /// Files of exchange and funding rates, one entry per symbol.
    pub rates: Vec<RateFiles>,
}

/// Corporate actions as events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionsPlan {
    /// The file that lists them; `None` reads them from the columns of the bars' own files.
    pub path: Option<PathBuf>,
    /// What the prices that signals see make up for; `None` shows raw prices.
    pub signals: Option<SignalAdjustment>,
}

/// Finer bars of the same symbols.
#[derive(Debug, Clone)]
pub struct DetailPlan {
    /// Files, folders or globs, anchored at the strategy file's folder.
    pub paths: Vec<PathBuf>,
    /// The length of a fine bar.
    pub interval: BarInterval,
    /// Which end of the fine bar a time names.
    pub label: BarLabel,
    /// The files' own column names.
    pub columns: ColumnMapping,
}

impl Rules<'_> {
    pub(super) fn data(&self, config: &ExperimentConfig) -> Result<ResolvedData, ConfigError> {
        let data = &config.data;
        self.symbols(data)?;
        let start = data.start.unwrap_or(Timestamp::from_nanos(i64::MIN));
        let end = data.end.map_or(Timestamp::from_nanos(i64::MAX), whole_day);
        let periods_per_year = data.periods_per_year.unwrap_or_else(|| data.interval.periods_per_year(data.calendar));
        self.positive("data.periods_per_year", periods_per_year)?;
        self.adjusted(config)?;
        if start > end {
            return self
                .fail("data.end", format!("must not come before `data.start`, which is `{start}`, was `{end}`"));
        }
        if let Some(Err(error)) = data.session.as_ref().map(SessionSpec::validate) {
            return self.fail("data.session", error.to_string());
        }
        Ok(ResolvedData {
            paths: self.anchored(&data.path),
            symbols: data.symbols.clone(),
            interval: data.interval,
            label: data.timestamp,
            periods_per_year,
            start,
            end,
            columns: data.columns.clone(),
            policy: data.policy,
            adjustment: data.adjustment,
            factor_files: self.factor_files(data)?,
            corporate_actions: self.corporate_actions(data)?,
            time_zone: data.time_zone,
            session: data.session.clone(),
            detail: self.detail(config)?,
            rates: self.rate_files(config)?,
        })
    }

    fn symbols(&self, data: &DataConfig) -> Result<(), ConfigError> {
        if data.symbols.is_empty() {
            return self.fail("data.symbols", "must name at least one symbol, was empty");
        }
        for (index, symbol) in data.symbols.iter().enumerate() {
            if data.symbols[..index].contains(symbol) {
                return self
                    .fail(&format!("data.symbols[{index}]"), format!("must name a symbol once, was `{symbol}` again"));
            }
        }
        Ok(())
    }

    fn anchored(&self, paths: &OneOrMany) -> Vec<PathBuf> {
        paths.0.iter().map(|path| self.source.folder().join(path)).collect()
    }

    fn factor_files(&self, data: &DataConfig) -> Result<Option<PathBuf>, ConfigError> {
        let Some(path) = &data.factor_files else { return Ok(None) };
        if data.adjustment == Adjustment::Raw {
            return self
                .fail("data.factor_files", "needs `adjustment` to be `split` or `total_return`, which is `raw`");
        }
        Ok(Some(self.source.folder().join(path)))
    }

    fn corporate_actions(&self, data: &DataConfig) -> Result<Option<ActionsPlan>, ConfigError> {
        let Some(actions) = &data.corporate_actions else { return Ok(None) };
        if data.adjustment != Adjustment::Raw {
            let message = "must be `raw` beside `[data.corporate_actions]`: adjusted prices have made up for them";
            return self.fail("data.adjustment", message);
        }
        Ok(Some(ActionsPlan {
            path: actions.path.as_ref().map(|path| self.source.folder().join(path)),
            signals: match actions.signals {
                SignalsConfig::Raw => None,
                SignalsConfig::Split => Some(SignalAdjustment::Split),
                SignalsConfig::TotalReturn => Some(SignalAdjustment::TotalReturn),
            },
        }))
    }

    fn detail(&self, config: &ExperimentConfig) -> Result<Option<DetailPlan>, ConfigError> {
        let Some(detail) = &config.execution.detail else { return Ok(None) };
        let (fine, coarse) = (detail.interval, config.data.interval);
        if fine.nanos() >= coarse.nanos() {
            let message = format!("must be shorter than `data.interval`, which is `{coarse}`, was `{fine}`");
            return self.fail("execution.detail.interval", message);
        }
        Ok(Some(DetailPlan {
            paths: self.anchored(&detail.path),
            interval: fine,
            label: detail.timestamp.unwrap_or(config.data.timestamp),
            columns: detail.columns.clone(),
        }))
    }

    /// Adjusted prices are not those that were traded, so nothing may be counted in units of the instrument, unless a profile says that
    /// another engine does so.
    fn adjusted(&self, config: &ExperimentConfig) -> Result<(), ConfigError> {
        let is_parity = config.execution.profile.is_some();
        if config.data.adjustment != Adjustment::Raw && counts_units(config) && !is_parity {
            return self.fail(
                "data.adjustment",
                "must be `raw` for costs per unit or tick, a lot size or a tick size: adjusted prices have other units",
            );
        }
        Ok(())
    }
}

/// Returns whether anything depends on the level of prices or the size of a unit.
pub(crate) fn counts_units(config: &ExperimentConfig) -> bool {
    let execution = &config.execution;
    matches!(execution.commission, Some(CommissionConfig::PerShare(_)))
        || matches!(execution.slippage, Some(SlippageConfig::HalfSpread(_) | SlippageConfig::Ticks(_)))
        || config.account.lot_size.is_some()
        || config.instruments.values().any(|own| own.lot_size.is_some() || own.tick_size.is_some())
}

/// A date means its whole day.
fn whole_day(end: Timestamp) -> Timestamp {
    if end.nanos().rem_euclid(Timestamp::NANOS_PER_DAY) == 0 {
        end.plus_nanos(Timestamp::NANOS_PER_DAY - 1)
    } else {
        end
    }
}
