//! Combinatorially symmetric cross-validation.

use serde::{Deserialize, Serialize};

use super::block_sums::BlockSums;
use super::splits::halves;
use crate::MetricsError;
use crate::sample::is_constant;

/// The most blocks: 184,756 splits.
const BLOCKS_MAX: u32 = 20;

/// How choosing the best trial on one half of the sample fares on the other half, over all ways to halve it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overfitting {
    /// How many trials were ranked.
    pub trials: usize,
    /// How many blocks the sample was cut into.
    pub blocks: u32,
    /// How many periods a block has; the oldest periods that fill no block are left out.
    pub block_length: usize,
    /// How many splits had a best trial in their first half.
    pub splits: usize,
    /// The probability of backtest overfitting: the share of splits whose best trial is in the lower half of the ranks out of
    /// sample.
    pub probability: f64,
    /// The share of splits whose best trial has a statistic below 0 out of sample.
    pub probability_of_loss: f64,
    /// What the statistic out of sample makes of that in sample, over the splits; `None` where it does not vary.
    pub degradation: Option<Degradation>,
    /// The logit of the best trial's relative rank out of sample, for each split; above 0 is the upper half.
    pub logits: Vec<f64>,
    /// The best trial of each split, the first of equals.
    pub selected: Vec<u32>,
    /// Its statistic in sample; for the Sharpe ratio that of one period.
    pub in_sample: Vec<f64>,
    /// Its statistic out of sample, `None` where it is undefined.
    pub out_of_sample: Vec<Option<f64>>,
}

/// The line through the best trials' statistics out of sample over those in sample.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Degradation {
    /// The statistic out of sample of one of 0 in sample.
    pub intercept: f64,
    /// How much of a better statistic in sample is kept; below 0, the better it looked the worse it was.
    pub slope: f64,
}

/// Computes the probability of backtest overfitting of trials chosen by their Sharpe ratio; `None` when no split has a trial whose
/// returns vary.
///
/// The sample is cut into `blocks` equal blocks; for each of the `C(S, S / 2)` choices of half of them, the trial with the highest
/// Sharpe ratio there is ranked among all trials in the other half, equals by their average rank `r` (1 is the worst), and
/// `logit = ln(w / (1 - w))`, `w = r / (N + 1)`; the probability is the share of logits at most 0. Returns are those of
/// consecutive periods, an even number of trials has 1/2 under noise. Trials that do not vary in a half are ranked last there.
/// Source: Bailey, Borwein, Lopez de Prado and Zhu (2017), "The Probability of Backtest Overfitting".
///
/// # Errors
/// [`MetricsError::Setting`] unless blocks are even and between 2 and 20, there are two trials or more, and a block has two periods
/// or more; [`MetricsError::Length`] for trials of different length; [`MetricsError::Row`] for a return that is not finite.
pub fn sharpe_overfitting(trials: &[&[f64]], blocks: u32) -> Result<Option<Overfitting>, MetricsError> {
    let block_length = check(trials, blocks)?;
    let recent = most_recent(trials, blocks, block_length);
    let sums = BlockSums::new(&recent, blocks, block_length);
    Ok(validate(trials.len(), blocks, block_length, |mask, ratios| sums.sharpe_ratios(mask, ratios)))
}

/// Computes the probability of backtest overfitting of trials chosen by any statistic of their returns, `None` from which is ranked
/// last; otherwise as [`sharpe_overfitting`], which is a thousand times faster for the Sharpe ratio.
///
/// # Errors
/// As [`sharpe_overfitting`].
pub fn overfitting(
    trials: &[&[f64]],
    blocks: u32,
    statistic: impl Fn(&[f64]) -> Option<f64>,
) -> Result<Option<Overfitting>, MetricsError> {
    let block_length = check(trials, blocks)?;
    let recent = most_recent(trials, blocks, block_length);
    let mut half = Vec::with_capacity(blocks as usize * block_length / 2);
    Ok(validate(trials.len(), blocks, block_length, |mask, values| {
        for (value, trial) in values.iter_mut().zip(&recent) {
            half.clear();
            let chosen = trial.chunks_exact(block_length).enumerate().filter(|(block, _)| mask >> block & 1 == 1);
            chosen.for_each(|(_, rows)| half.extend_from_slice(rows));
            *value = statistic(&half).filter(|value| value.is_finite()).unwrap_or(f64::NEG_INFINITY);
        }
    }))
}

/// Returns the length of a block.
fn check(trials: &[&[f64]], blocks: u32) -> Result<usize, MetricsError> {
    let setting = |name, rule, value: f64| Err(MetricsError::Setting { name, rule, value });
    if !blocks.is_multiple_of(2) || !(2..=BLOCKS_MAX).contains(&blocks) {
        return setting("blocks", "even and between 2 and 20", f64::from(blocks));
    }
    if trials.len() < 2 {
        return setting("the trials of a cross-validation", "at least 2", trials.len() as f64);
    }
    let expected = trials[0].len();
    for trial in trials {
        if trial.len() != expected {
            return Err(MetricsError::Length { name: "a trial", expected, found: trial.len() });
        }
        if let Some(row) = trial.iter().position(|value| !value.is_finite()) {
            return Err(MetricsError::Row { name: "a return", rule: "finite", value: trial[row], row });
        }
    }
    let block_length = expected / blocks as usize;
    if block_length < 2 {
        return setting("the periods of a cross-validation", "at least 2 for each block", expected as f64);
    }
    Ok(block_length)
}

/// Leaves out the oldest periods that fill no block.
fn most_recent<'a>(trials: &[&'a [f64]], blocks: u32, block_length: usize) -> Vec<&'a [f64]> {
    trials.iter().map(|trial| &trial[trial.len() - blocks as usize * block_length..]).collect()
}

/// Runs through all splits; `measure` writes the statistic of every trial over the blocks of a mask.
fn validate(
    trials: usize,
    blocks: u32,
    block_length: usize,
    mut measure: impl FnMut(u32, &mut [f64]),
) -> Option<Overfitting> {
    let masks = halves(blocks);
    let all = (1 << blocks) - 1;
    let mut found = Overfitting {
        trials,
        blocks,
        block_length,
        splits: 0,
        probability: 0.0,
        probability_of_loss: 0.0,
        degradation: None,
        logits: Vec::with_capacity(masks.len()),
        selected: Vec::with_capacity(masks.len()),
        in_sample: Vec::with_capacity(masks.len()),
        out_of_sample: Vec::with_capacity(masks.len()),
    };
    let (mut inside, mut outside) = (vec![0.0; trials], vec![0.0; trials]);
    for mask in masks {
        measure(mask, &mut inside);
        let Some(best) = best_of(&inside) else { continue };
        measure(all & !mask, &mut outside);
        let value = outside[best];
        let share = rank(&outside, value) / (trials + 1) as f64;
        found.logits.push((share / (1.0 - share)).ln());
        found.selected.push(best as u32);
        found.in_sample.push(inside[best]);
        found.out_of_sample.push(value.is_finite().then_some(value));
    }
    summarize(found)
}

/// Returns the first of the largest values; `None` when all are negative infinity.
fn best_of(values: &[f64]) -> Option<usize> {
    let largest =
        values.iter().fold(f64::NEG_INFINITY, |largest, &value| if value > largest { value } else { largest });
    values.iter().position(|&value| value == largest && value > f64::NEG_INFINITY)
}

/// Returns the average rank of a value among all, 1 the lowest.
fn rank(values: &[f64], value: f64) -> f64 {
    let below: u32 = values.iter().map(|&other| u32::from(other < value)).sum();
    let equal: u32 = values.iter().map(|&other| u32::from(other == value)).sum();
    f64::from(below) + f64::midpoint(f64::from(equal), 1.0)
}

fn summarize(found: Overfitting) -> Option<Overfitting> {
    let splits = found.logits.len();
    if splits == 0 {
        return None;
    }
    let share = |count: usize| count as f64 / splits as f64;
    let probability = share(found.logits.iter().filter(|&&logit| logit <= 0.0).count());
    let losses = found.out_of_sample.iter().filter(|value| value.is_some_and(|value| value < 0.0)).count();
    let degradation = degradation(&found.in_sample, &found.out_of_sample);
    Some(Overfitting { splits, probability, probability_of_loss: share(losses), degradation, ..found })
}

/// Fits a line by least squares over the splits in which both statistics are defined.
fn degradation(inside: &[f64], outside: &[Option<f64>]) -> Option<Degradation> {
    let (x, y): (Vec<f64>, Vec<f64>) =
        inside.iter().zip(outside).filter_map(|(&inside, outside)| outside.map(|outside| (inside, outside))).unzip();
    if x.len() < 2 || is_constant(&x) {
        return None;
    }
    let count = x.len() as f64;
    let (center_x, center_y) = (x.iter().sum::<f64>() / count, y.iter().sum::<f64>() / count);
    let crossed: f64 = x.iter().zip(&y).map(|(x, y)| (x - center_x) * (y - center_y)).sum();
    let squares: f64 = x.iter().map(|x| (x - center_x).powi(2)).sum();
    let slope = crossed / squares;
    Some(Degradation { intercept: center_y - slope * center_x, slope })
}
