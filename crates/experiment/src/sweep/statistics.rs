//! How much of the best trial is luck: told with every sweep.
//!
//! The returns of a sample of the trials, and of the best of them, are made again for it; none are kept while a sweep runs.

use rayon::prelude::*;
use serde_json::{Value, json};
use tidegate_metrics::{
    BootstrapSettings, MetricOptions, Overfitting, Resamples, Returns, SharpeStatistics, Snooping, SnoopingMaxima,
    SnoopingTest, TrialClusters, Trials, benjamini_hochberg, common_block_length, expected_maximum_sharpe_ratio, holm,
    max_drawdown_interval, minimum_backtest_length, sharpe_overfitting, sharpe_ratio_interval, trial_clusters,
};
use tidegate_search::{Stability, neighbors, stability};

use super::outcome::Findings;
use super::plan::Walk;
use super::stages::Stages;
use super::trial::{Bench, ReadyTrial, TrialRow};
use crate::ExperimentError;

/// The confidence of intervals.
const CONFIDENCE: f64 = 0.95;
/// The resamples of a bootstrap, where memory allows.
const RESAMPLES: usize = 1_000;
/// The most numbers of a table of periods by trials or by resamples.
const NUMBERS_MAX: usize = 16_000_000;
/// The blocks of a cross-validation of the choice: 924 ways to halve them.
const BLOCKS: u32 = 12;
/// Trials that are compared with the resamples at a time.
const PART: usize = 32;
/// How far the neighbors of the best are, in values of one key.
const NEIGHBOR_STEPS: u64 = 1;
/// The most trials whose correlations are looked at.
const CLUSTERED_MAX: usize = 250;
/// p-values above this are no discovery.
const SIGNIFICANCE: f64 = 0.05;

/// What is said of the best trial and of the choice.
pub(super) struct Judged {
    /// `statistics` of `sweep.json`.
    pub(super) statistics: Value,
    /// `stability` of `sweep.json`.
    pub(super) stability: Value,
    /// A line each for the terminal.
    pub(super) lines: Vec<String>,
}

/// The returns that the choice is judged by.
struct Sample {
    /// The numbers of the trials, ascending.
    numbers: Vec<u64>,
    returns: Vec<Returns>,
    /// The best's place among them.
    best: usize,
}

/// Judges the best trial and the way it was chosen; nothing is said where no trial has the objective.
///
/// # Errors
/// When a trial does not run a second time, or the observer cancelled.
pub(super) fn judge(findings: &Findings<'_>, stages: &mut Stages<'_>) -> Result<Judged, ExperimentError> {
    let Some(best) = findings.best() else {
        return Ok(Judged { statistics: json!({}), stability: Value::Null, lines: Vec::new() });
    };
    let stage = stages.of(&best.point)?.map_err(ExperimentError::Internal)?;
    let options = stage.template.base().metrics;
    let sample = sample(findings, stages, best)?;
    let luck = Luck { findings, sample: &sample, options };
    let around = around(findings, stages, best)?;
    let mut judged = luck.judge()?;
    if let Some(around) = around {
        judged.lines.extend(around.median.map(|median| {
            format!(
                "{} of its {} neighbors: median {median:.4}, lowest {:.4}",
                findings.plan.objectives[0].name,
                around.neighbors,
                around.lowest.unwrap_or(f64::NAN)
            )
        }));
        judged.stability = json!({
            "steps": NEIGHBOR_STEPS, "value": around.value, "neighbors": around.neighbors,
            "undefined": around.undefined, "median": around.median, "lowest": around.lowest,
        });
    }
    Ok(judged)
}

/// Makes the returns of the sampled trials and of the best again, of those with as many periods as the best.
fn sample(findings: &Findings<'_>, stages: &mut Stages<'_>, best: &TrialRow) -> Result<Sample, ExperimentError> {
    let summary = findings.summary;
    let mut rows: Vec<&TrialRow> =
        summary.sample.iter().chain(&summary.best).filter(|row| row.ran().is_some()).collect();
    rows.sort_by_key(|row| row.number);
    rows.dedup_by_key(|row| row.number);
    let own = of_rows(findings, stages, &[best])?
        .pop()
        .ok_or_else(|| ExperimentError::Internal("the best ran".to_owned()))?;
    let most = (NUMBERS_MAX / own.len().max(1)).max(2);
    if rows.len() > most {
        let total = rows.len();
        let is_kept = |place: &usize| place * most / total != (place + 1) * most / total;
        rows = (0..total).filter(is_kept).map(|place| rows[place]).collect();
        if !rows.iter().any(|row| row.number == best.number) {
            rows.push(best);
            rows.sort_by_key(|row| row.number);
        }
    }
    let returns = of_rows(findings, stages, &rows)?;
    let same_length =
        |(row, returns): (&&TrialRow, Returns)| (returns.len() == own.len()).then_some((row.number, returns));
    let (numbers, returns): (Vec<u64>, Vec<Returns>) = rows.iter().zip(returns).filter_map(same_length).unzip();
    let place = numbers.iter().position(|number| *number == best.number);
    let best = place.ok_or_else(|| ExperimentError::Internal("the best is in its sample".to_owned()))?;
    Ok(Sample { numbers, returns, best })
}

fn of_rows(
    findings: &Findings<'_>,
    stages: &mut Stages<'_>,
    rows: &[&TrialRow],
) -> Result<Vec<Returns>, ExperimentError> {
    let ready = |row: &&TrialRow| {
        let stage = stages.of(&row.point)?;
        Ok(ReadyTrial { number: row.number, point: row.point.clone(), stage })
    };
    let ready = rows.iter().map(ready).collect::<Result<Vec<_>, ExperimentError>>()?;
    let part = |part: &[ReadyTrial]| {
        let mut bench = Bench::default();
        let returns = |ready: &ReadyTrial| {
            let stage = ready.stage.as_ref().map_err(|reason| ExperimentError::Internal(reason.clone()))?;
            bench.returns(findings.plan, stage, &ready.point)
        };
        part.iter().map(returns).collect::<Result<Vec<_>, ExperimentError>>()
    };
    let parts = ready.par_chunks(PART).map(part).collect::<Result<Vec<_>, ExperimentError>>()?;
    Ok(parts.into_iter().flatten().collect())
}

/// Runs the trials of a grid around its best again; `None` for other methods, whose neighbors were no trials.
fn around(
    findings: &Findings<'_>,
    stages: &mut Stages<'_>,
    best: &TrialRow,
) -> Result<Option<Stability>, ExperimentError> {
    let plan = findings.plan;
    if plan.method() != "grid" || matches!(plan.walk, Walk::Halving { .. }) {
        return Ok(None);
    }
    let mut points = neighbors(&plan.space, &best.point, NEIGHBOR_STEPS);
    points.push(best.point.clone());
    let mut bench = Bench::default();
    let mut tried = Vec::with_capacity(points.len());
    for point in points {
        if let Ok(stage) = stages.of(&point)? {
            let objective = bench.objective(plan, &stage, &point);
            tried.push((point, objective));
        }
    }
    Ok(stability(&plan.space, &best.point, NEIGHBOR_STEPS, tried))
}

/// The best of a sample and what it was chosen from.
struct Luck<'a> {
    findings: &'a Findings<'a>,
    sample: &'a Sample,
    options: MetricOptions,
}

impl Luck<'_> {
    fn judge(&self) -> Result<Judged, ExperimentError> {
        let best = &self.sample.returns[self.sample.best];
        let trials = self.findings.trials;
        let periods_per_year = best.periods_per_year();
        let annual = periods_per_year.sqrt();
        let sharpe = SharpeStatistics::of(best, &self.options);
        let variance = trials.sharpe_ratio_variance(periods_per_year);
        let counted = variance.map(|sharpe_ratio_variance| Trials { count: trials.trials, sharpe_ratio_variance });
        let deflated = sharpe.zip(counted).and_then(|(sharpe, trials)| sharpe.deflated(&trials));
        let clusters = self.clusters()?;
        let effective = clusters.as_ref().map(|clusters| clusters.trials(trials.trials));
        let effective_deflated =
            sharpe.zip(effective.as_ref()).and_then(|(sharpe, effective)| sharpe.deflated(effective));
        let expected = variance.and_then(|variance| expected_maximum_sharpe_ratio(trials.trials, variance));
        let overfitting = self.overfitting();
        let resamples = self.resamples()?;
        let snooping = resamples.as_ref().map(|resamples| self.snooping(resamples)).transpose()?.flatten();
        let sharpe_interval = match &resamples {
            Some(resamples) => sharpe_ratio_interval(best, resamples, CONFIDENCE, &self.options)?,
            None => None,
        };
        let drawdown_interval = match &resamples {
            Some(resamples) => max_drawdown_interval(best, resamples, CONFIDENCE)?,
            None => None,
        };
        let statistics = json!({
            "trials_judged": self.sample.returns.len(),
            "probabilistic_sharpe_ratio": sharpe.and_then(|sharpe| sharpe.probability_above(0.0)),
            "deflated_sharpe_ratio": deflated,
            "effective_trials": effective.as_ref().map(|effective| effective.count),
            "deflated_sharpe_ratio_effective": effective_deflated,
            "expected_maximum_sharpe_ratio": expected.map(|ratio| ratio * annual),
            "sharpe_ratio_standard_deviation": variance.map(|variance| variance.sqrt() * annual),
            "minimum_track_record_periods": sharpe.and_then(|sharpe| sharpe.track_record_length(0.0, CONFIDENCE)),
            "minimum_backtest_years": sharpe
                .and_then(|sharpe| minimum_backtest_length(trials.trials, sharpe.sharpe_ratio * annual)),
            "probability_of_overfitting": overfitting,
            "snooping": snooping,
            "sharpe_ratio_interval": sharpe_interval,
            "max_drawdown_interval": drawdown_interval,
            "discoveries": self.discoveries()?,
        });
        let lines = self.lines(deflated, expected.map(|ratio| ratio * annual), overfitting.as_ref(), snooping.as_ref());
        Ok(Judged { statistics, stability: Value::Null, lines })
    }

    fn lines(
        &self,
        deflated: Option<f64>,
        expected: Option<f64>,
        overfitting: Option<&Overfitting>,
        snooping: Option<&Snooping>,
    ) -> Vec<String> {
        let shown = |value: Option<f64>| value.map_or_else(|| "n/a".to_owned(), |value| format!("{value:.3}"));
        let count = self.findings.trials.trials;
        let mut lines = vec![
            format!(
                "deflated Sharpe ratio of the best: {} (the chance that it beats the best of as many worthless trials)",
                shown(deflated)
            ),
            format!("Sharpe ratio that the best of {count} worthless trials would show: {}", shown(expected)),
        ];
        if let Some(overfitting) = overfitting {
            lines.push(format!(
                "probability of overfitting: {:.3} (how often the best of one half of the time is below the median in the other)",
                overfitting.probability
            ));
        }
        if let Some(snooping) = snooping {
            lines.push(format!(
                "beats cash by more than the luck of trying: p = {:.3} by Hansen's test, {:.3} by White's reality check",
                snooping.superior_predictive_ability.p_value_consistent, snooping.reality_check.p_value
            ));
        }
        let judged = self.sample.returns.len() as u64;
        if judged < self.findings.summary.trials - self.findings.summary.skipped {
            lines.push(format!("the last two by {judged} of the trials, the best among them"));
        }
        lines
    }

    /// Groups an even choice of the sample by correlation; `None` for a sample too small for it.
    fn clusters(&self) -> Result<Option<TrialClusters>, ExperimentError> {
        let step = self.sample.returns.len().div_ceil(CLUSTERED_MAX).max(1);
        let trials: Vec<&[f64]> = self.sample.returns.iter().step_by(step).map(Returns::values).collect();
        if trials.len() < 3 { Ok(None) } else { Ok(trial_clusters(&trials)?) }
    }

    /// `None` for a sample too small for it.
    fn overfitting(&self) -> Option<Overfitting> {
        let trials: Vec<&[f64]> = self.sample.returns.iter().map(Returns::values).collect();
        // Two trials and two periods a block are what it needs; there is nothing else that these could lack.
        sharpe_overfitting(&trials, BLOCKS).ok().flatten()
    }

    /// `None` below eight periods, from which no block length is seen.
    fn resamples(&self) -> Result<Option<Resamples>, ExperimentError> {
        let length = self.sample.returns[self.sample.best].len();
        if length < 8 {
            return Ok(None);
        }
        let mean_block_length = common_block_length(self.sample.returns.iter().map(Returns::values));
        let resamples = (NUMBERS_MAX / length).clamp(99, RESAMPLES);
        let seed = self.findings.plan.base.seed;
        Ok(Some(Resamples::new(length, BootstrapSettings { resamples, mean_block_length, seed })?))
    }

    /// Tests the best against cash at the risk-free rate.
    fn snooping(&self, resamples: &Resamples) -> Result<Option<Snooping>, ExperimentError> {
        let test = SnoopingTest::new(resamples);
        let risk_free = self.options.risk_free_per_period(self.sample.returns[self.sample.best].periods_per_year());
        let excess = |returns: &Returns| returns.values().iter().map(|value| value - risk_free).collect();
        let of_part = |(part, returns): (usize, &[Returns])| {
            let differentials: Vec<Vec<f64>> = returns.iter().map(excess).collect();
            let differentials: Vec<&[f64]> = differentials.iter().map(Vec::as_slice).collect();
            test.maxima((part * PART) as u64, &differentials)
        };
        let parts = self.sample.returns.par_chunks(PART).enumerate();
        let parts = parts.map(of_part).collect::<Result<Vec<SnoopingMaxima>, _>>()?;
        let mut all: Option<SnoopingMaxima> = None;
        for part in parts {
            match &mut all {
                Some(all) => all.merge(&part)?,
                None => all = Some(part),
            }
        }
        // The parts count places in the sample, readers count trials.
        let number = |place: u64| self.sample.numbers[place as usize];
        Ok(all.and_then(|all| all.outcome()).map(|mut snooping| {
            snooping.reality_check_best_trial = number(snooping.reality_check_best_trial);
            let superior = &mut snooping.superior_predictive_ability;
            superior.best_trial = number(superior.best_trial);
            snooping
        }))
    }

    /// Counts the trials whose Sharpe ratio is above zero when all are tested at once.
    fn discoveries(&self) -> Result<Value, ExperimentError> {
        let above_zero = |returns: &Returns| SharpeStatistics::of(returns, &self.options)?.probability_above(0.0);
        let p_values: Vec<f64> =
            self.sample.returns.iter().filter_map(above_zero).map(|probability| 1.0 - probability).collect();
        let count = |adjusted: Vec<f64>| adjusted.iter().filter(|p| **p <= SIGNIFICANCE).count();
        Ok(json!({
            "significance": SIGNIFICANCE,
            "tested": p_values.len(),
            "false_discovery_rate": count(benjamini_hochberg(&p_values)?),
            "family_wise_error_rate": count(holm(&p_values)?),
        }))
    }
}
