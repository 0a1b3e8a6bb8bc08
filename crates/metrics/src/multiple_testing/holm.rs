//! Holm's adjustment.

use super::ascending;
use crate::MetricsError;

/// Computes p-values that control the family-wise error rate whatever the dependence, never above Bonferroni's:
/// `max_{j <= i} min(1, (m - j + 1) p_(j))`, `p_(j)` ascending.
///
/// Source: Holm (1979), "A Simple Sequentially Rejective Multiple Test Procedure".
///
/// # Errors
/// [`MetricsError::Row`] for a p-value outside [0, 1].
pub fn holm(p_values: &[f64]) -> Result<Vec<f64>, MetricsError> {
    let order = ascending(p_values)?;
    let (count, mut largest) = (p_values.len(), 0.0_f64);
    let mut adjusted = vec![0.0; count];
    for (place, test) in order.into_iter().enumerate() {
        largest = largest.max(((count - place) as f64 * p_values[test]).min(1.0));
        adjusted[test] = largest;
    }
    Ok(adjusted)
}
