//! Bars to the panel a forecaster learns from.

use std::sync::Arc;

use tidegate_forecast::{Panel, PanelSeries};
use tidegate_indicators::{EwmaVariance, Indicator};
use tidegate_market::{Bars, InstrumentId};

use crate::ExperimentError;
use crate::resolve::ForecastPlan;

/// Computes features at every scale, the target and the running variance of each instrument.
///
/// # Errors
/// When a feature's parameters are not valid.
pub(crate) fn build_panel(plan: &ForecastPlan, bars: &[Arc<Bars>]) -> Result<Panel, ExperimentError> {
    let mut by_scale = Vec::with_capacity(plan.scales.len());
    for scale in &plan.scales {
        by_scale.push(tidegate_features::compute_panel(&plan.features, bars, scale.bar_multiple)?.into_iter());
    }
    let series = bars.iter().enumerate().map(|(index, bars)| PanelSeries {
        instrument: InstrumentId(index as u32),
        time: bars.time().to_vec(),
        known_time: (0..bars.len()).map(|row| bars.close_time(row)).collect(),
        scales: by_scale.iter_mut().map(|matrices| matrices.next().expect("one matrix per instrument")).collect(),
        target: tidegate_features::target(&plan.target, bars),
        ewma_variance: ewma_variance(bars),
    });
    Ok(Panel::new(series.collect())?)
}

fn ewma_variance(bars: &Bars) -> Vec<Option<f64>> {
    let mut variance = EwmaVariance::new(EwmaVariance::DECAY_DAILY).expect("the decay is a constant inside its range");
    bars.close().iter().map(|&close| variance.update(close)).collect()
}
