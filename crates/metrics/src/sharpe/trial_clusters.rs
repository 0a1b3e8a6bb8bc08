//! How many different strategies a set of trials really holds.

use serde::{Deserialize, Serialize};

use super::average_linkage::{Cut, best_cut};
use crate::matrix_product::Columns;
use crate::normal::standard_quantile;
use crate::performance::sharpe_ratio::sharpe_ratio_per_period;
use crate::sample::{ROUNDING, mean, sample_variance};
use crate::{MetricsError, Trials};

/// Two trials closer than this, a correlation above 1 - 2e-12, are one.
const SAME: f64 = 1e-6;

/// Groups of trials that move together: the effective number of trials.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrialClusters {
    /// How many groups there are: the effective number of trials.
    pub count: usize,
    /// The group of each trial, numbered from 0 in the order of their first trials; `None` for one whose returns do not vary.
    pub labels: Vec<Option<usize>>,
    /// The mean silhouette of the trials that vary, in [-1, 1]: near 1 the groups are clear, near 0 there are none.
    pub silhouette: f64,
    /// The mean correlation of two trials that vary; `None` below two.
    pub mean_correlation: Option<f64>,
    /// The variance of the Sharpe ratios of the groups, *per period*, each group a portfolio with weights that are the inverse of the
    /// variance; `None` below two groups.
    pub sharpe_ratio_variance: Option<f64>,
}

impl TrialClusters {
    /// Returns the trials to deflate by, when the study evaluated `evaluated` configurations of which these are a sample: as many groups
    /// to a trial, rounded up, and the variance between groups; 0 variance with a single group.
    pub fn trials(&self, evaluated: u64) -> Trials {
        let sampled = self.labels.iter().flatten().count().max(1) as f64;
        let scaled = (self.count as f64 * evaluated as f64 / sampled).ceil() as u64;
        Trials {
            count: scaled.max(self.count as u64),
            sharpe_ratio_variance: self.sharpe_ratio_variance.unwrap_or(0.0),
        }
    }
}

/// Groups trials by the correlation of their returns; `None` when none varies.
///
/// Correlations that noise alone makes are taken for 0: those below `Phi^-1(1 - 0.025 / pairs) / sqrt(n)`, so that independent trials
/// remain as many as they are. Trials at a distance `sqrt((1 - rho) / 2)` are joined by average linkage (Sokal and Michener 1958), and
/// the number of groups is that with the largest mean silhouette (Rousseeuw 1987), the larger of equals; trials that are the same count
/// once. Source of the use: Lopez de Prado and Lewis (2019), "Detection of False Investment Strategies Using Unsupervised Learning
/// Methods", who start k-means at random; average linkage gives the same groups every time.
///
/// # Errors
/// [`MetricsError::Length`] for trials of different length, [`MetricsError::Row`] for a return that is not finite.
pub fn trial_clusters(trials: &[&[f64]]) -> Result<Option<TrialClusters>, MetricsError> {
    let Some(length) = trials.first().map(|trial| trial.len()) else { return Ok(None) };
    for trial in trials {
        if trial.len() != length {
            return Err(MetricsError::Length { name: "a trial", expected: length, found: trial.len() });
        }
        if let Some(row) = trial.iter().position(|value| !value.is_finite()) {
            return Err(MetricsError::Row { name: "a return", rule: "finite", value: trial[row], row });
        }
    }
    let standardized: Vec<Option<Vec<f64>>> = trials.iter().map(|trial| standardize(trial)).collect();
    let varying: Vec<usize> = (0..trials.len()).filter(|&trial| standardized[trial].is_some()).collect();
    let rows: Vec<&[f64]> = standardized.iter().flatten().map(Vec::as_slice).collect();
    if rows.is_empty() {
        return Ok(None);
    }
    let correlations = correlations(&rows);
    let cut = best_cut(&distances(&correlations, rows.len(), length), rows.len(), SAME);
    let mut labels = vec![None; trials.len()];
    varying.iter().zip(&cut.labels).for_each(|(&trial, &label)| labels[trial] = Some(label));
    let members: Vec<&[f64]> = varying.iter().map(|&trial| trials[trial]).collect();
    Ok(Some(TrialClusters {
        count: cut.count,
        labels,
        silhouette: cut.silhouette,
        mean_correlation: mean_correlation(&correlations, rows.len()),
        sharpe_ratio_variance: variance_of_groups(&members, &cut),
    }))
}

/// Returns the values with a mean of 0 and a sum of squares of 1; `None` when they do not vary.
fn standardize(values: &[f64]) -> Option<Vec<f64>> {
    let variance = sample_variance(values).filter(|variance| variance.sqrt() >= ROUNDING)?;
    let (center, size) = (mean(values)?, (variance * (values.len() - 1) as f64).sqrt());
    Some(values.iter().map(|value| (value - center) / size).collect())
}

/// Returns the correlations of all pairs.
fn correlations(rows: &[&[f64]]) -> Vec<f64> {
    let mut columns = Columns::zeros(rows[0].len(), rows.len());
    for (column, values) in rows.iter().enumerate() {
        values.iter().enumerate().for_each(|(row, &value)| *columns.element(row, column) = value);
    }
    let mut products = Vec::new();
    columns.products(rows, &mut products);
    products
}

/// Returns the distances of all pairs.
fn distances(correlations: &[f64], count: usize, length: usize) -> Vec<f64> {
    let pairs = (count * (count - 1) / 2).max(1) as f64;
    let bound = standard_quantile(1.0 - 0.025 / pairs).unwrap_or(0.0) / (length as f64).sqrt();
    let distance = |&rho: &f64| if rho.abs() < bound { 0.5_f64.sqrt() } else { (0.5 - 0.5 * rho.min(1.0)).sqrt() };
    let mut distances: Vec<f64> = correlations.iter().map(distance).collect();
    (0..count).for_each(|trial| distances[trial * count + trial] = 0.0);
    distances
}

fn mean_correlation(correlations: &[f64], count: usize) -> Option<f64> {
    if count < 2 {
        return None;
    }
    let above = (0..count).flat_map(|row| &correlations[row * count + row + 1..(row + 1) * count]);
    Some(above.sum::<f64>() / (count * (count - 1) / 2) as f64)
}

/// Returns the variance of the groups' Sharpe ratios; a group that does not vary, one trial and its mirror image, has none.
fn variance_of_groups(trials: &[&[f64]], cut: &Cut) -> Option<f64> {
    let mut portfolios = vec![vec![0.0; trials[0].len()]; cut.count];
    let mut weights = vec![0.0; cut.count];
    for (trial, &label) in trials.iter().zip(&cut.labels) {
        let weight = sample_variance(trial)?.recip();
        weights[label] += weight;
        portfolios[label].iter_mut().zip(*trial).for_each(|(sum, value)| *sum += weight * value);
    }
    let ratio = |(portfolio, weight): (&mut Vec<f64>, &f64)| {
        for value in portfolio.iter_mut() {
            *value /= weight;
        }
        sharpe_ratio_per_period(portfolio)
    };
    let ratios: Vec<f64> = portfolios.iter_mut().zip(&weights).filter_map(ratio).collect();
    sample_variance(&ratios)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bootstrap::SplitMix64;
    use crate::vectors::{LUCK, assert_close, floats};

    fn rows(trials: &[Vec<f64>]) -> Vec<&[f64]> {
        trials.iter().map(Vec::as_slice).collect()
    }

    fn noise(periods: usize, trials: usize) -> Vec<Vec<f64>> {
        let mut generator = SplitMix64::new(17);
        (0..trials).map(|_| (0..periods).map(|_| generator.unit() - 0.5).collect()).collect()
    }

    fn of(trials: &[Vec<f64>]) -> TrialClusters {
        trial_clusters(&rows(trials)).expect("valid").expect("varies")
    }

    #[test]
    fn they_equal_the_reference_programs() {
        let case = &LUCK["clusters"];
        let trials: Vec<Vec<f64>> = case["trials"].as_array().expect("a list").iter().map(floats).collect();
        let found = of(&trials);
        let labels: Vec<f64> = found.labels.iter().map(|label| label.expect("varies") as f64).collect();
        assert_eq!(labels, floats(&case["labels"]));
        assert_eq!(found.count as u64, case["count"].as_u64().expect("a count"));
        assert_close(Some(found.silhouette), case["silhouette"].as_f64().expect("a number"));
        let variance = case["sharpe_ratio_variance"].as_f64().expect("a number");
        assert_close(found.sharpe_ratio_variance.map(|found| found / variance), 1.0);
    }

    #[test]
    fn independent_trials_are_as_many_as_they_are() {
        let found = of(&noise(500, 60));
        assert_eq!((found.count, found.silhouette), (60, 0.0));
        assert!(found.mean_correlation.expect("pairs").abs() < 0.01);
    }

    #[test]
    fn copies_count_once_and_idle_trials_not_at_all() {
        let one = noise(100, 1).remove(0);
        let doubled = one.iter().map(|value| 2.0 * value).collect();
        let found = of(&[one.clone(), vec![0.0; 100], one, doubled]);
        assert_eq!((found.count, found.labels), (1, vec![Some(0), None, Some(0), Some(0)]));
        assert_eq!(found.sharpe_ratio_variance, None);
        assert_eq!(trial_clusters(&[&[0.0; 10][..]]), Ok(None));
        assert_eq!(trial_clusters(&[]), Ok(None));
        assert!(trial_clusters(&[&[0.0; 10][..], &[0.0; 9][..]]).is_err());
    }

    #[test]
    fn five_strategies_in_many_variants_are_five() {
        // Each variant is its strategy plus a third of its size in noise of its own: correlations of 0.9 within, 0 between.
        let (strategies, own) = (noise(400, 5), noise(400, 60));
        let variants: Vec<Vec<f64>> = (0..50)
            .map(|trial| strategies[trial / 10].iter().zip(&own[trial + 10]).map(|(s, n)| s + n / 3.0).collect())
            .collect();
        let found = of(&variants);
        assert_eq!(found.count, 5);
        assert!(found.labels.iter().enumerate().all(|(trial, &label)| label == Some(trial / 10)));
        assert!(found.silhouette > 0.6, "{found:?}");
        // Fifty of a thousand evaluated: five of fifty is a hundred of a thousand.
        let trials = found.trials(1000);
        assert_eq!((trials.count, Some(trials.sharpe_ratio_variance)), (100, found.sharpe_ratio_variance));
        assert_eq!(found.trials(3).count, 5);
    }
}
