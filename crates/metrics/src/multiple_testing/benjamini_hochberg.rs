//! Benjamini and Hochberg's adjustment.

use super::step_up;
use crate::MetricsError;

/// Computes p-values that control the false discovery rate of tests that are independent or depend on each other positively:
/// `min_{j >= i} min(1, m p_(j) / j)`, `p_(j)` ascending.
///
/// Source: Benjamini and Hochberg (1995), "Controlling the False Discovery Rate".
///
/// # Errors
/// [`MetricsError::Row`] for a p-value outside [0, 1].
pub fn benjamini_hochberg(p_values: &[f64]) -> Result<Vec<f64>, MetricsError> {
    step_up(p_values, 1.0)
}
