//! What lies beside the bars of a symbol: corporate actions, finer bars, rates.

use std::sync::Arc;

use tidegate_data::ReadOptions;
use tidegate_market::{Bars, CorporateAction, CorporateActionKind, RateSeries, Sessions};

use super::{check_interval, in_hours, read_options};
use crate::ExperimentError;
use crate::rates::{RateKind, read_rates};
use crate::resolve::{RateFiles, ResolvedData};

/// What lies beside the bars of one symbol; nothing by default.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    /// Splits, dividends and delistings that positions go through.
    pub actions: Vec<CorporateAction>,
    /// Finer bars that say how prices moved inside each bar.
    pub detail: Option<Arc<Bars>>,
    /// Money of the account for one of the symbol's currency.
    pub fx: Option<Arc<RateSeries>>,
    /// Funding rates of a perpetual contract.
    pub funding: Option<Arc<RateSeries>>,
}

impl Beside {
    /// Reads the rates and keeps the finer bars; corporate actions come with the bars.
    pub(super) fn read(files: &RateFiles, detail: Option<Arc<Bars>>) -> Result<Self, ExperimentError> {
        let read = |path: &Option<_>, kind| path.as_deref().map(|path| read_rates(path, kind)).transpose();
        Ok(Self {
            actions: Vec::new(),
            detail,
            fx: read(&files.fx, RateKind::Exchange)?,
            funding: read(&files.funding, RateKind::Funding)?,
        })
    }

    /// Adds what is there to a hash; nothing adds nothing.
    pub(super) fn hash(&self, hasher: &mut blake3::Hasher) {
        for action in &self.actions {
            hasher.update(b"action").update(&action.time.nanos().to_le_bytes());
            let (kind, value) = match action.kind {
                CorporateActionKind::Split { ratio } => (b"s", Some(ratio)),
                CorporateActionKind::Dividend { amount } => (b"c", Some(amount)),
                CorporateActionKind::Delisting { price } => (b"d", price.map(|price| price.0)),
            };
            hasher.update(kind).update(&value.unwrap_or(-1.0).to_bits().to_le_bytes());
        }
        if let Some(detail) = &self.detail {
            hash_bars(hasher.update(b"detail"), detail);
        }
        for (name, series) in [("fx", &self.fx), ("funding", &self.funding)] {
            let Some(series) = series else { continue };
            hasher.update(name.as_bytes());
            for (time, value) in series.known_time().iter().zip(series.value()) {
                hasher.update(&time.nanos().to_le_bytes()).update(&value.to_bits().to_le_bytes());
            }
        }
    }
}

/// Adds bars to a hash.
pub(super) fn hash_bars(hasher: &mut blake3::Hasher, bars: &Bars) {
    hasher.update(&(bars.len() as u64).to_le_bytes());
    let times: Vec<u8> = bars.time().iter().flat_map(|time| time.nanos().to_le_bytes()).collect();
    hasher.update(&times);
    for column in [bars.open(), bars.high(), bars.low(), bars.close(), bars.volume()] {
        let bytes: Vec<u8> = column.iter().flat_map(|value| value.to_bits().to_le_bytes()).collect();
        hasher.update(&bytes);
    }
}

/// Reads the finer bars of every symbol; `None` for each without `[execution.detail]`.
pub(super) fn details(
    data: &ResolvedData,
    sessions: Option<&Sessions>,
) -> Result<Vec<Option<Arc<Bars>>>, ExperimentError> {
    let Some(plan) = &data.detail else { return Ok(vec![None; data.symbols.len()]) };
    let options = ReadOptions {
        columns: plan.columns.clone(),
        label: plan.label,
        interval: plan.interval,
        corporate_actions: false,
        ..read_options(data)
    };
    let mut found = Vec::new();
    for path in &plan.paths {
        found.extend(tidegate_data::read(path, &options)?);
    }
    let mut details = Vec::with_capacity(data.symbols.len());
    for symbol in tidegate_data::select(found, &data.symbols)? {
        check_interval(&symbol, plan.interval, "execution.detail.interval")?;
        details.push(Some(Arc::new(in_hours(symbol, sessions).bars)));
    }
    Ok(details)
}
