//! One trial after another on one thread, with memory that is used again.

use std::sync::Arc;
use std::time::Instant;

use tidegate_backtest::{Journal, Market};
use tidegate_ledger::TrialKey;
use tidegate_market::Instrument;
use tidegate_metrics::{Returns, Summarizer};
use tidegate_search::{Coordinate, Point};

use super::metrics::MetricSet;
use super::plan::SweepPlan;
use super::stages::{Shared, Stage, reason};
use super::template::TrialExperiment;
use crate::ExperimentError;
use crate::measure::{Measured, equity_curve, initial_point, measure};
use crate::pipeline::market;
use crate::trading::{trade_benchmark, trade_into};

/// One trial and what came of it.
#[derive(Debug, Clone)]
pub(super) struct TrialRow {
    /// Its number.
    pub(super) number: u64,
    /// Where it lies.
    pub(super) point: Point,
    /// What came of it.
    pub(super) outcome: Outcome,
}

/// What came of a trial.
#[derive(Debug, Clone)]
pub(super) enum Outcome {
    /// It ran, now or earlier.
    Ran(RanTrial),
    /// Its values do not go together, or it failed.
    Skipped(Box<str>),
}

/// A trial that ran.
#[derive(Debug, Clone)]
pub(super) struct RanTrial {
    pub(super) key: TrialKey,
    pub(super) seed: u64,
    /// In the order of the columns; NaN where undefined.
    pub(super) metrics: Box<[f64]>,
    /// The values of the swept keys as a JSON object; empty for one that the ledger had.
    pub(super) values: String,
    /// How long it took; zero for one that the ledger had.
    pub(super) elapsed_ns: u64,
    /// Whether the ledger had it.
    pub(super) is_known: bool,
}

impl TrialRow {
    /// Returns what ran.
    pub(super) const fn ran(&self) -> Option<&RanTrial> {
        match &self.outcome {
            Outcome::Ran(ran) => Some(ran),
            Outcome::Skipped(_) => None,
        }
    }
}

/// A trial on its way: its stage, or why there is none.
pub(super) struct ReadyTrial {
    pub(super) number: u64,
    pub(super) point: Point,
    pub(super) stage: Result<Arc<Stage>, String>,
}

/// What one thread works with.
#[derive(Default)]
pub(super) struct Bench {
    journal: Journal,
    /// The experiment of the stage at hand.
    current: Option<Current>,
}

struct Current {
    stage: Arc<Stage>,
    trial: TrialExperiment,
    /// A market of other instruments than the stage's.
    market: Option<(Vec<Instrument>, Market)>,
    /// Sums up equities over the labels of the stage's market, which other instruments do not change.
    summarizer: Option<Summarizer>,
    /// The labels that it knows.
    points: usize,
}

impl Current {
    /// Returns what sums up equities, made from the first whole one.
    fn summarizer(&mut self, journal: &Journal) -> Result<&mut Summarizer, ExperimentError> {
        let experiment = &self.trial.experiment;
        // A run that was ruined ends early, and its labels are the first of all.
        let is_long_enough = self.points >= journal.equity.len();
        let made = if let Some(made) = self.summarizer.take().filter(|_| is_long_enough) {
            made
        } else {
            self.points = journal.equity.len();
            Summarizer::new(journal.equity.time(), experiment.data.periods_per_year, &experiment.metrics)?
        };
        Ok(self.summarizer.insert(made))
    }
}

impl Bench {
    /// Finds out what identifies a trial, and its seed, without running it.
    ///
    /// # Errors
    /// Why it cannot run.
    pub(super) fn identify(&mut self, plan: &SweepPlan, ready: &ReadyTrial) -> Result<(TrialKey, u64), String> {
        let stage = ready.stage.as_ref().map_err(Clone::clone)?;
        let key = self.apply(plan, stage, &ready.point).map_err(|error| reason(&error))?;
        Ok((key, self.current().trial.experiment.seed))
    }

    /// Runs a trial.
    pub(super) fn run(&mut self, plan: &SweepPlan, ready: ReadyTrial) -> TrialRow {
        let outcome = match &ready.stage {
            Ok(stage) => self.outcome(plan, stage, &ready.point),
            Err(reason) => Outcome::Skipped(reason.as_str().into()),
        };
        TrialRow { number: ready.number, point: ready.point, outcome }
    }

    fn outcome(&mut self, plan: &SweepPlan, stage: &Arc<Stage>, point: &[Coordinate]) -> Outcome {
        let started = Instant::now();
        let result = self.apply(plan, stage, point).and_then(|key| Ok((key, self.metrics(&plan.metrics)?)));
        match result {
            Err(error) => Outcome::Skipped(reason(&error).into()),
            Ok((key, metrics)) => Outcome::Ran(RanTrial {
                key,
                seed: self.current().trial.experiment.seed,
                metrics,
                values: plan.values_json(point),
                elapsed_ns: started.elapsed().as_nanos() as u64,
                is_known: false,
            }),
        }
    }

    /// Makes the experiment at hand that of a point, and returns what identifies it.
    fn apply(
        &mut self,
        plan: &SweepPlan,
        stage: &Arc<Stage>,
        point: &[Coordinate],
    ) -> Result<TrialKey, ExperimentError> {
        if !self.current.as_ref().is_some_and(|current| Arc::ptr_eq(&current.stage, stage)) {
            let trial = stage.template.trial();
            self.current = Some(Current { stage: Arc::clone(stage), trial, market: None, summarizer: None, points: 0 });
        }
        let current = self.current.as_mut().expect("set above");
        let config_hash = stage.template.apply(&mut current.trial, &plan.keys, point)?;
        Ok(TrialKey { config_hash, data_hash: stage.shared.input_hash })
    }

    fn current(&self) -> &Current {
        self.current.as_ref().expect("a trial is applied before it is run")
    }

    fn metrics(&mut self, set: &MetricSet) -> Result<Box<[f64]>, ExperimentError> {
        self.trade()?;
        if set.is_full() {
            return Ok(set.measured(&self.measure()?));
        }
        let Self { journal, current } = self;
        let current = current.as_mut().expect("a trial is applied before it is measured");
        let (experiment, time) = (&current.trial.experiment, journal.equity.time());
        let initial = time.first().and_then(|first| initial_point(experiment, journal, *first));
        let summary = current.summarizer(journal)?.summarize(initial, journal.equity.equity())?;
        let bars = journal.equity.len() as f64;
        let counts = [
            Some(journal.final_equity().0),
            Some(journal.trades.len() as f64),
            Some(journal.totals.commission.0),
            Some(journal.totals.slippage.0),
            summary.turnover(journal.totals.turnover),
            Some(journal.equity.bars_exposed() as f64 / bars).filter(|share| share.is_finite()),
        ];
        Ok(set.row(&summary.performance, counts))
    }

    /// Runs a trial and returns its returns per bar.
    ///
    /// # Errors
    /// When it breaks a rule or fails.
    pub(super) fn returns(
        &mut self,
        plan: &SweepPlan,
        stage: &Arc<Stage>,
        point: &[Coordinate],
    ) -> Result<Returns, ExperimentError> {
        self.apply(plan, stage, point)?;
        self.trade()?;
        let experiment = &self.current().trial.experiment;
        let curve = equity_curve(experiment, &self.journal, self.journal.equity.len())?;
        Ok(curve.returns(experiment.data.periods_per_year)?)
    }

    /// Runs a trial and returns what ranks it; `None` where it is undefined or does not run.
    pub(super) fn objective(&mut self, plan: &SweepPlan, stage: &Arc<Stage>, point: &[Coordinate]) -> Option<f64> {
        self.apply(plan, stage, point).ok()?;
        let metrics = self.metrics(&plan.metrics).ok()?;
        Some(plan.objectives[0].of(&metrics)).filter(|value| !value.is_nan())
    }

    /// Trades the experiment at hand into the journal.
    fn trade(&mut self) -> Result<(), ExperimentError> {
        let current = self.current.as_mut().expect("a trial is applied before it is traded");
        let Current { stage, trial, market: other, .. } = current;
        let (experiment, shared) = (&trial.experiment, &stage.shared);
        let (market, averages) = if experiment.instruments == stage.template.base().instruments {
            (&stage.market, Some(&stage.averages))
        } else {
            if other.as_ref().is_none_or(|(instruments, _)| *instruments != experiment.instruments) {
                let built = market(experiment, &shared.dataset, &shared.forecasts)?;
                *other = Some((experiment.instruments.clone(), built));
            }
            (&other.as_ref().expect("set above").1, None)
        };
        let Shared { dataset, forecasts, inputs, .. } = shared.as_ref();
        trade_into(experiment, dataset, market, forecasts, inputs, averages, &mut self.journal)
    }

    fn measure(&self) -> Result<Measured, ExperimentError> {
        let Current { stage, trial, market, .. } = self.current();
        let experiment = &trial.experiment;
        let base = stage.template.base();
        if experiment.backtest == base.backtest && experiment.instruments == base.instruments {
            return measure(experiment, &self.journal, &stage.benchmark);
        }
        let market = match market {
            Some((instruments, market)) if *instruments == experiment.instruments => market,
            _ => &stage.market,
        };
        measure(experiment, &self.journal, &trade_benchmark(market, &experiment.backtest)?)
    }
}
