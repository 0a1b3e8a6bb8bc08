//! The points of a sweep, batch after batch.

use tidegate_search::{Coordinate, Point, Sampler, SuccessiveHalving, Tpe};

use super::plan::{SweepPlan, Walk};
use crate::ExperimentError;

/// Hands out trials in the order of their numbers.
pub(super) struct Walker<'a> {
    next: u64,
    state: State<'a>,
}

enum State<'a> {
    Sampled(&'a dyn Sampler),
    Tpe { tpe: Tpe, trials: u64, batch: u64 },
    Halving(Halving<'a>),
}

/// A walk up the rungs.
struct Halving<'a> {
    sampler: &'a dyn Sampler,
    ladder: &'a SuccessiveHalving,
    rung: usize,
    /// The sampler's numbers of the rung's trials.
    members: Vec<u64>,
    /// How many of them were handed out.
    handed: usize,
    /// What came of them so far.
    results: Vec<(u64, Option<f64>)>,
}

/// A numbered point.
pub(super) struct Candidate {
    pub(super) number: u64,
    pub(super) point: Point,
}

impl<'a> Walker<'a> {
    pub(super) fn new(plan: &'a SweepPlan) -> Self {
        let state = match &plan.walk {
            Walk::Sampled(sampler) => State::Sampled(sampler.as_ref()),
            Walk::Tpe { tpe, trials, batch } => State::Tpe { tpe: tpe.clone(), trials: *trials, batch: *batch },
            Walk::Halving { sampler, halving } => State::Halving(Halving {
                sampler: sampler.as_ref(),
                ladder: halving,
                rung: 0,
                members: (0..sampler.trials()).collect(),
                handed: 0,
                results: Vec::new(),
            }),
        };
        Self { next: 0, state }
    }

    /// Returns the next trials, at most so many where their number changes no result; none at the end.
    ///
    /// # Errors
    /// When no point fulfils the constraints.
    pub(super) fn batch(&mut self, count_max: u64) -> Result<Vec<Candidate>, ExperimentError> {
        let first = self.next;
        let points = match &mut self.state {
            State::Sampled(sampler) => sampler.points(first..sampler.trials().min(first + count_max)),
            State::Tpe { tpe, trials, batch } => tpe.ask(first..(*trials).min(first + *batch)),
            State::Halving(halving) => return halving.batch(count_max, &mut self.next),
        };
        let points = points?;
        self.next += points.len() as u64;
        Ok((first..).zip(points).map(|(number, point)| Candidate { number, point }).collect())
    }

    /// Hears what came of trials, in the order in which they were handed out.
    pub(super) fn tell<'r>(&mut self, results: impl Iterator<Item = (u64, &'r Point, Option<f64>)>) {
        match &mut self.state {
            State::Sampled(_) => {}
            State::Tpe { tpe, .. } => {
                for (number, point, objective) in results {
                    tpe.tell(number, point.clone(), objective);
                }
            }
            State::Halving(halving) => {
                for (_, _, objective) in results {
                    let member = halving.members[halving.results.len()];
                    halving.results.push((member, objective));
                }
            }
        }
    }
}

impl Halving<'_> {
    fn batch(&mut self, count_max: u64, next: &mut u64) -> Result<Vec<Candidate>, ExperimentError> {
        if self.handed == self.members.len() {
            self.climb();
        }
        let Some(rung) = self.ladder.rungs().get(self.rung) else { return Ok(Vec::new()) };
        let end = self.members.len().min(self.handed + count_max as usize);
        let mut batch = Vec::with_capacity(end - self.handed);
        for &member in &self.members[self.handed..end] {
            let mut point = self.sampler.points(member..member + 1)?.pop().unwrap_or_default();
            point.push(Coordinate::Integer(rung.resource as i64));
            batch.push(Candidate { number: *next, point });
            *next += 1;
        }
        self.handed = end;
        Ok(batch)
    }

    /// Goes to the next rung with the best of this one.
    fn climb(&mut self) {
        let is_last = self.rung + 1 >= self.ladder.rungs().len();
        self.members = if is_last { Vec::new() } else { self.ladder.survivors(self.rung, &self.results) };
        self.rung += 1;
        self.handed = 0;
        self.results.clear();
    }
}
