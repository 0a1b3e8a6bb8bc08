//! P-values of many tests at once, adjusted so that a threshold means what it says for all of them together.
//!
//! The first two and Romano-Wolf control the family-wise error rate, the probability of a single false discovery; the others the
//! false discovery rate, the expected share of false ones among the discoveries.

mod benjamini_hochberg;
mod benjamini_yekutieli;
mod bonferroni;
mod holm;
mod romano_wolf;
#[cfg(test)]
mod tests;

pub use benjamini_hochberg::benjamini_hochberg;
pub use benjamini_yekutieli::benjamini_yekutieli;
pub use bonferroni::bonferroni;
pub use holm::holm;
pub use romano_wolf::romano_wolf;

use crate::MetricsError;

/// Returns the tests in ascending order of their p-values, equals in the order given.
fn ascending(p_values: &[f64]) -> Result<Vec<usize>, MetricsError> {
    if let Some(row) = p_values.iter().position(|value| !(0.0..=1.0).contains(value)) {
        return Err(MetricsError::Row { name: "a p-value", rule: "in [0, 1]", value: p_values[row], row });
    }
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    Ok(order)
}

/// Adjusts from the largest p-value down: each is `factor * m p / rank`, at most what the next larger one became, at most 1.
fn step_up(p_values: &[f64], factor: f64) -> Result<Vec<f64>, MetricsError> {
    let order = ascending(p_values)?;
    let (count, mut least) = (p_values.len() as f64, 1.0_f64);
    let mut adjusted = vec![0.0; p_values.len()];
    for (place, test) in order.into_iter().enumerate().rev() {
        least = least.min(factor * count * p_values[test] / (place + 1) as f64);
        adjusted[test] = least;
    }
    Ok(adjusted)
}
