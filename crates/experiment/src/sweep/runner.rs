//! The trials, batch after batch: evaluated in parallel, recorded, written and summed up in their order.
//!
//! Memory does not grow with their number, and no result depends on the number of threads, on the size of a batch, or on which trials
//! the ledger had before.

use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use rayon::ThreadPool;
use rayon::prelude::*;
use tidegate_ledger::{Ledger, MetricSetId, Origin, Source, TrialRecord};

use super::plan::SweepPlan;
use super::stages::Stages;
use super::summary::Summary;
use super::table::TrialTable;
use super::trial::{Bench, Outcome, RanTrial, ReadyTrial, TrialRow};
use super::walker::{Candidate, Walker};
use crate::ExperimentError;
use crate::ledger::{BUILD, now_ns};
use crate::observer::{Observer, Progress};

/// The most trials of a batch.
const BATCH_MAX: u64 = 4_096;
/// The trials of the first batch; later ones grow while they are quick.
const BATCH_FIRST: u64 = 256;
/// The fewest trials of a batch.
const BATCH_MIN: u64 = 16;
/// The most trials that a thread takes at a time.
const BLOCK_MAX: usize = 64;
/// Batches quicker than this grow.
const QUICK: Duration = Duration::from_millis(300);
/// Batches slower than this shrink, so that little is lost when the process is killed.
const SLOW: Duration = Duration::from_secs(2);

/// What the trials of a sweep run with.
pub(super) struct Runner<'a> {
    plan: &'a SweepPlan,
    observer: &'a dyn Observer,
    pool: &'a ThreadPool,
    ledger: &'a Mutex<Ledger>,
    metrics: MetricSetId,
    /// Whether the ledger may have trials of this sweep.
    looks_up: bool,
    benches: Mutex<Vec<Bench>>,
}

/// Where finished trials go, in their order.
struct Sink<'a> {
    runner: &'a Runner<'a>,
    table: TrialTable,
    summary: Summary,
}

impl<'a> Runner<'a> {
    /// Gets ready to run trials whose results the ledger takes.
    ///
    /// # Errors
    /// When the ledger cannot be read or written.
    pub(super) fn new(
        plan: &'a SweepPlan,
        observer: &'a dyn Observer,
        pool: &'a ThreadPool,
        ledger: &'a Mutex<Ledger>,
    ) -> Result<Self, ExperimentError> {
        let mut opened = ledger.lock().expect("no thread panics while it holds the ledger");
        let metrics = opened.metric_set(plan.metrics.names())?;
        let looks_up = opened.count()? > 0;
        drop(opened);
        Ok(Self { plan, observer, pool, ledger, metrics, looks_up, benches: Mutex::default() })
    }

    /// Runs every trial and writes the table of their rows.
    ///
    /// # Errors
    /// When the ledger or the table cannot be written, or the observer cancelled; what the ledger took before stays there.
    pub(super) fn run(&self, stages: &mut Stages<'_>, table: &Path) -> Result<Summary, ExperimentError> {
        let total = self.plan.trials();
        let mut sink = Sink {
            runner: self,
            table: TrialTable::create(table, self.plan)?,
            summary: Summary::new(&self.plan.objectives, total),
        };
        let sink = if self.pool.current_num_threads() == 1 {
            self.walk(stages, |rows| sink.take(&rows))?;
            sink
        } else {
            self.walk_beside(stages, sink)?
        };
        self.observer.notify(Progress::StageDone);
        sink.table.finish()?;
        Ok(sink.summary)
    }

    /// Writes one batch while the next one runs.
    fn walk_beside<'s>(&'s self, stages: &mut Stages<'_>, mut sink: Sink<'s>) -> Result<Sink<'s>, ExperimentError> {
        let (sender, receiver) = sync_channel::<Vec<TrialRow>>(1);
        std::thread::scope(|scope| {
            let writer = scope.spawn(move || -> Result<Sink<'s>, ExperimentError> {
                for rows in receiver {
                    sink.take(&rows)?;
                }
                Ok(sink)
            });
            // A writer that has failed hears nothing more; its error is the one that counts.
            let stopped = || ExperimentError::Internal("the writer of trials stopped".to_owned());
            let walked = self.walk(stages, |rows| sender.send(rows).map_err(|_| stopped()));
            drop(sender);
            let written = writer.join().map_err(|_| stopped())?;
            let sink = written?;
            walked.map(|()| sink)
        })
    }

    fn walk(
        &self,
        stages: &mut Stages<'_>,
        mut hand_over: impl FnMut(Vec<TrialRow>) -> Result<(), ExperimentError>,
    ) -> Result<(), ExperimentError> {
        let total = self.plan.trials();
        let mut walker = Walker::new(self.plan);
        let mut size = BATCH_FIRST;
        let mut done = 0;
        let mut stages_seen = None;
        loop {
            let candidates = walker.batch(size)?;
            if candidates.is_empty() {
                return Ok(());
            }
            let ready = self.pool.install(|| prepare(stages, candidates))?;
            if stages_seen != Some(stages.prepared()) {
                stages_seen = Some(stages.prepared());
                self.observer.notify(Progress::Stage { name: "running trials", steps: total });
                self.observer.notify(Progress::Steps(done));
            }
            let started = Instant::now();
            let rows = self.pool.install(|| self.evaluate(ready))?;
            size = next_size(size, started.elapsed());
            done += rows.len() as u64;
            let objective = self.plan.objectives[0];
            walker.tell(rows.iter().map(|row| {
                let value = row.ran().map(|ran| objective.of(&ran.metrics)).filter(|value| !value.is_nan());
                (row.number, &row.point, value)
            }));
            hand_over(rows)?;
        }
    }

    /// Evaluates a batch; the rows keep its order.
    fn evaluate(&self, ready: Vec<ReadyTrial>) -> Result<Vec<TrialRow>, ExperimentError> {
        let tasks = self.pool.current_num_threads() * 8;
        let block = ready.len().div_ceil(tasks).clamp(1, BLOCK_MAX);
        let blocks: Vec<Vec<TrialRow>> = ready
            .into_par_iter()
            .chunks(block)
            .map(|block| self.evaluate_block(block))
            .collect::<Result<_, ExperimentError>>()?;
        Ok(blocks.into_iter().flatten().collect())
    }

    fn evaluate_block(&self, block: Vec<ReadyTrial>) -> Result<Vec<TrialRow>, ExperimentError> {
        let mut bench = self.benches.lock().expect("no thread panics while it takes a bench").pop().unwrap_or_default();
        let known = if self.looks_up { self.known(&mut bench, &block)? } else { vec![None; block.len()] };
        let mut rows = Vec::with_capacity(block.len());
        for (ready, known) in block.into_iter().zip(known) {
            if self.observer.cancelled() {
                return Err(ExperimentError::Cancelled);
            }
            rows.push(match known {
                Some(outcome) => TrialRow { number: ready.number, point: ready.point, outcome },
                None => bench.run(self.plan, ready),
            });
        }
        self.benches.lock().expect("no thread panics while it gives a bench back").push(bench);
        Ok(rows)
    }

    /// Returns what the ledger or the rules say of trials without running them.
    fn known(&self, bench: &mut Bench, block: &[ReadyTrial]) -> Result<Vec<Option<Outcome>>, ExperimentError> {
        let identified: Vec<_> = block.iter().map(|ready| bench.identify(self.plan, ready)).collect();
        let keys: Vec<_> = identified.iter().flatten().map(|(key, _)| *key).collect();
        let mut ledger = self.ledger.lock().expect("no thread panics while it holds the ledger");
        let mut found = ledger.find(&keys, BUILD, self.metrics)?.into_iter();
        drop(ledger);
        let outcome = |identified| match identified {
            Err(reason) => Some(Outcome::Skipped(String::into_boxed_str(reason))),
            Ok((key, seed)) => {
                let stored = found.next().flatten().filter(|stored| stored.failure.is_none())?;
                let metrics = stored.metrics.into_boxed_slice();
                let ran = RanTrial { key, seed, metrics, values: String::new(), elapsed_ns: 0, is_known: true };
                Some(Outcome::Ran(ran))
            }
        };
        Ok(identified.into_iter().map(outcome).collect())
    }
}

/// Finds the stage of each trial, preparing those that are new.
fn prepare(stages: &mut Stages<'_>, candidates: Vec<Candidate>) -> Result<Vec<ReadyTrial>, ExperimentError> {
    let ready = |Candidate { number, point }| {
        let stage = stages.of(&point)?;
        Ok(ReadyTrial { number, point, stage })
    };
    candidates.into_iter().map(ready).collect()
}

fn next_size(size: u64, elapsed: Duration) -> u64 {
    let next = match elapsed {
        quick if quick < QUICK => size * 2,
        slow if slow > SLOW => size / 2,
        _ => size,
    };
    next.clamp(BATCH_MIN, BATCH_MAX)
}

impl Sink<'_> {
    /// Records a batch, then writes and sums up its rows: a trial is in the ledger before anything shows it.
    fn take(&mut self, rows: &[TrialRow]) -> Result<(), ExperimentError> {
        let runner = self.runner;
        let recorded_at_ns = now_ns();
        let fresh = rows.iter().filter_map(TrialRow::ran).filter(|ran| !ran.is_known);
        let record = |ran: &RanTrial| TrialRecord {
            key: ran.key,
            seed: ran.seed,
            values: ran.values.clone(),
            metrics: ran.metrics.to_vec(),
            recorded_at_ns,
            elapsed_ns: ran.elapsed_ns,
            failure: None,
        };
        let records: Vec<TrialRecord> = fresh.map(record).collect();
        if !records.is_empty() {
            let origin = Origin { source: Source::Sweep, build: BUILD, metrics: runner.metrics };
            runner.ledger.lock().expect("no thread panics while it holds the ledger").record(&origin, &records)?;
        }
        for row in rows {
            self.table.push(runner.plan, row)?;
        }
        self.summary.add(rows);
        runner.observer.notify(Progress::Steps(rows.len() as u64));
        Ok(())
    }
}

/// Shows why nothing ran.
pub(super) fn nothing_ran(summary: &Summary) -> Option<ExperimentError> {
    let (_, reason) = summary.first_skipped.as_ref().filter(|_| summary.skipped == summary.trials)?;
    let message = format!("no combination of the grid could run; the first says: {reason}");
    Some(ExperimentError::Sweep(message))
}
