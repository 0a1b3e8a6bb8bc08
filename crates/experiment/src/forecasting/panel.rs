//! Bars to the panel a forecaster learns from.

use tidegate_forecast::{Panel, PanelSeries, cross_sectional_rank, one_bar_returns};
use tidegate_indicators::{EwmaVariance, Indicator};
use tidegate_market::{Bars, InstrumentId};

use super::suspicions::check_labels;
use crate::ExperimentError;
use crate::dataset::Dataset;
use crate::resolve::ForecastPlan;

/// Computes features at every scale, the targets, the running variance and the one-bar returns of each instrument.
///
/// # Errors
/// When a feature's parameters are not valid, or a label is not finite.
pub(crate) fn build_panel(plan: &ForecastPlan, dataset: &Dataset) -> Result<Panel, ExperimentError> {
    let bars = &dataset.signal_bars;
    let mut by_scale = Vec::with_capacity(plan.scales.len());
    for scale in &plan.scales {
        by_scale.push(tidegate_features::compute_panel(&plan.features, bars, scale.bar_multiple)?.into_iter());
    }
    let series = bars.iter().enumerate().map(|(index, bars)| PanelSeries {
        instrument: InstrumentId(index as u32),
        time: bars.time().to_vec(),
        known_time: (0..bars.len()).map(|row| bars.close_time(row)).collect(),
        scales: by_scale.iter_mut().map(|matrices| matrices.next().expect("one matrix per instrument")).collect(),
        targets: tidegate_features::targets(&plan.target, bars),
        ewma_variance: ewma_variance(bars),
        one_bar_return: one_bar_returns(bars.close()),
    });
    let panel = Panel::new(series.collect())?;
    check_labels(&panel, &dataset.symbols)?;
    Ok(match &plan.rank {
        Some(rank) => cross_sectional_rank(panel, rank)?,
        None => panel,
    })
}

fn ewma_variance(bars: &Bars) -> Vec<Option<f64>> {
    let mut variance = EwmaVariance::new(EwmaVariance::DECAY_DAILY).expect("the decay is a constant inside its range");
    bars.close().iter().map(|&close| variance.update(close)).collect()
}
