//! Romano and Wolf's adjustment.

use crate::{MetricsError, StudentizedTrial};

/// Computes p-values that control the family-wise error rate and know from the bootstrap how the trials depend on each other.
///
/// Trials in descending order of their statistic `t`: `max_{j <= i} (1 + #{b: max_{k >= j} null_k,b >= t_j}) / (1 + B)`, one-sided: small
/// where a trial is better than the benchmark. Read [`SnoopingTest::studentized`](crate::SnoopingTest::studentized) for the trials.
/// Source: Romano and Wolf (2016), "Efficient computation of adjusted p-values for resampling-based stepdown multiple testing".
///
/// # Errors
/// [`MetricsError::Length`] for trials with different numbers of resamples.
pub fn romano_wolf(trials: &[&StudentizedTrial]) -> Result<Vec<f64>, MetricsError> {
    let resamples = trials.first().map_or(0, |trial| trial.under_null.len());
    if let Some(trial) = trials.iter().find(|trial| trial.under_null.len() != resamples) {
        let (name, expected, found) = ("the resamples of a trial", resamples, trial.under_null.len());
        return Err(MetricsError::Length { name, expected, found });
    }
    let mut order: Vec<usize> = (0..trials.len()).collect();
    order.sort_by(|&a, &b| trials[b].statistic.total_cmp(&trials[a].statistic));
    // From the worst trial up, each resample's maximum over the trials not yet rejected.
    let mut maxima = vec![f64::NEG_INFINITY; resamples];
    let mut adjusted = vec![0.0; trials.len()];
    for &trial in order.iter().rev() {
        let StudentizedTrial { statistic, under_null } = trials[trial];
        maxima.iter_mut().zip(under_null).for_each(|(largest, &value)| *largest = largest.max(value));
        let reached = maxima.iter().filter(|&largest| largest >= statistic).count();
        adjusted[trial] = (1 + reached) as f64 / (1 + resamples) as f64;
    }
    let mut largest = 0.0_f64;
    for trial in order {
        largest = largest.max(adjusted[trial]);
        adjusted[trial] = largest;
    }
    Ok(adjusted)
}
