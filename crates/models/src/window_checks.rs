//! What must be true of windows before a network reads them.

use tidegate_forecast::{ForecastError, WindowBlock, Windows};

use crate::spec::NetworkSpec;

/// Refuses another number of entries than in the fit.
pub(crate) fn check_count(what: &'static str, expected: usize, found: usize) -> Result<(), ForecastError> {
    if expected == found { Ok(()) } else { Err(ForecastError::Shape { what, expected, found }) }
}

/// Refuses windows of another shape than in the fit, and values that are not finite.
pub(crate) fn check_block(
    block: &WindowBlock,
    count: usize,
    features: usize,
    set: &str,
    scale: usize,
) -> Result<(), ForecastError> {
    check_count("features of a scale", features, block.features)?;
    check_count("values of a scale", count * block.steps * block.features, block.values.len())?;
    check_finite(block, set, scale)
}

/// Names the first value that is not finite: its feature column, scale, step and sample.
fn check_finite(block: &WindowBlock, set: &str, scale: usize) -> Result<(), ForecastError> {
    let Some(place) = block.values.iter().position(|value| !value.is_finite()) else { return Ok(()) };
    let (row, feature) = (place / block.features, place % block.features);
    let (sample, step) = (row / block.steps, row % block.steps);
    let what = format!("feature column `{feature}` of scale `{scale}` at step `{step}` of {set} sample `{sample}`");
    Err(ForecastError::NotFinite { what, value: f64::from(block.values[place]) })
}

/// Returns the windows' valid steps, `None` where all are full.
pub(crate) fn valid_steps(block: &WindowBlock, count: usize) -> Result<Option<Vec<u32>>, ForecastError> {
    let steps = block.steps as u32;
    if block.lengths.iter().all(|&length| length == steps) {
        return Ok(None);
    }
    check_count("lengths of a scale", count, block.lengths.len())?;
    match block.lengths.iter().find(|&&length| length == 0 || length > steps) {
        None => Ok(Some(block.lengths.clone())),
        Some(length) => Err(ForecastError::Range {
            name: "length of a window",
            rule: format!("in [1, {steps}]"),
            value: length.to_string(),
        }),
    }
}

impl NetworkSpec {
    /// Refuses windows that a network of this specification cannot read, as far as its scales do not show it.
    pub(crate) fn check_windows(&self, windows: &Windows) -> Result<(), ForecastError> {
        check_count("horizons", self.horizons, windows.horizons)?;
        if self.encoder.needs_window_bars() {
            for (block, &steps) in windows.scales.iter().zip(&self.window_bars) {
                check_count("steps of a window", steps, block.steps)?;
            }
        }
        let symbols = self.symbols as u64;
        let unknown = windows.samples.iter().find(|sample| u64::from(sample.series) >= symbols);
        match unknown.filter(|_| self.symbol_embedding.is_some()) {
            None => Ok(()),
            Some(sample) => Err(ForecastError::Range {
                name: "series of a sample",
                rule: format!("below `{symbols}`, the number of symbols that the network knows"),
                value: sample.series.to_string(),
            }),
        }
    }
}
