//! Benjamini and Yekutieli's adjustment.

use super::step_up;
use crate::MetricsError;

/// Computes p-values that control the false discovery rate whatever the dependence: those of
/// [`benjamini_hochberg`](crate::benjamini_hochberg()) with each p-value times `1 + 1/2 + ... + 1/m`.
///
/// Source: Benjamini and Yekutieli (2001), "The Control of the False Discovery Rate in Multiple Testing under Dependency".
///
/// # Errors
/// [`MetricsError::Row`] for a p-value outside [0, 1].
pub fn benjamini_yekutieli(p_values: &[f64]) -> Result<Vec<f64>, MetricsError> {
    step_up(p_values, (1..=p_values.len()).map(|rank| (rank as f64).recip()).sum())
}
