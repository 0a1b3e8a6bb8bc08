//! Bonferroni's adjustment.

use super::ascending;
use crate::MetricsError;

/// Computes p-values that control the family-wise error rate whatever the dependence: `min(1, m p)`, `m` the number of tests.
///
/// Source: Dunn (1961), "Multiple Comparisons Among Means".
///
/// # Errors
/// [`MetricsError::Row`] for a p-value outside [0, 1].
pub fn bonferroni(p_values: &[f64]) -> Result<Vec<f64>, MetricsError> {
    ascending(p_values)?;
    let count = p_values.len() as f64;
    Ok(p_values.iter().map(|value| (value * count).min(1.0)).collect())
}
