//! The tree-structured Parzen estimator: where good points lie denser than the rest.

mod density;
mod kernel;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::halving::best_first;
use crate::random_search::draw;
use crate::stream::{Purpose, Stream};
use crate::{Constraints, Coordinate, Point, SearchError, Space};
use density::Density;

/// The most points that count as good.
const GOOD_MAX: usize = 25;

/// The most of the rest that are looked at, evenly spaced by rank, so that a batch takes no longer the more was told.
const REST_MAX: usize = 1_000;

/// How many draws a candidate may take until constraints admit it.
const DRAWS_MAX: usize = 50;

/// How TPE searches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TpeSettings {
    /// Trials with numbers below this are drawn at random, the same points as [`RandomSearch`](crate::RandomSearch) gives for
    /// the seed; at least one.
    pub startup: u64,
    /// Candidates drawn per trial, of which the most promising is taken; at least one, usually 24.
    pub candidates: u32,
    /// The seed.
    pub seed: u64,
}

/// The tree-structured Parzen estimator (Bergstra et al., "Algorithms for hyper-parameter optimization", 2011), all axes together
/// (Falkner et al., "BOHB", 2018).
///
/// Of `n` told trials the best `min(ceil(n / 10), 25)` are good. The density `l` of the good and `g` of the rest are mixtures of
/// one kernel per point and a uniform one; candidates are drawn from `l`, and the one with the largest `l / g` is taken. A kernel
/// is a product over axes: a truncated normal on the axis's scale, its mass in the cell of the value on stepped axes, with the
/// width `n^(-1 / (4 + d)) / 5` of the axis and at least `1 / min(100, n + 1)`, where `d` is the number of axes; on listed values
/// it is one count on top of `1 / n` for each value. Trials of a batch that were already asked for count among the rest, so that a
/// batch spreads; on stepped axes a point is not proposed twice while others are found.
///
/// What is proposed depends on what was told, not on the order of telling, and on nothing else.
#[derive(Debug, Clone)]
pub struct Tpe {
    space: Space,
    constraints: Constraints,
    settings: TpeSettings,
    told: BTreeMap<u64, (Point, Option<f64>)>,
}

impl Tpe {
    /// Starts a search that knows nothing.
    ///
    /// # Errors
    /// When there are no startup trials or no candidates.
    pub fn new(space: &Space, constraints: &Constraints, settings: TpeSettings) -> Result<Self, SearchError> {
        let at_least_one = |name, found| {
            if found == 0 { Err(SearchError::Setting { name, rule: "at least 1", found }) } else { Ok(()) }
        };
        at_least_one("startup", settings.startup)?;
        at_least_one("candidates", u64::from(settings.candidates))?;
        Ok(Self { space: space.clone(), constraints: constraints.clone(), settings, told: BTreeMap::new() })
    }

    /// Takes over the objective of a trial, larger is better; none and NaN rank last. A trial that is told again is replaced.
    pub fn tell(&mut self, number: u64, point: Point, objective: Option<f64>) {
        assert_eq!(point.len(), self.space.axes().len(), "a point has a coordinate per axis");
        self.told.insert(number, (point, objective.filter(|value| !value.is_nan())));
    }

    /// Proposes the points of a batch from what was told of trials outside it.
    ///
    /// # Errors
    /// When constraints refuse every point that is tried.
    pub fn ask(&self, numbers: Range<u64>) -> Result<Vec<Point>, SearchError> {
        let mut points = Vec::new();
        let first_informed = self.settings.startup.clamp(numbers.start, numbers.end.max(numbers.start));
        for number in numbers.start..first_informed {
            points.push(draw(&self.space, &self.constraints, self.settings.seed, number)?);
        }
        if first_informed >= numbers.end {
            return Ok(points);
        }
        let mut model = self.model(&numbers);
        for point in &points {
            model.pending(point);
        }
        for number in first_informed..numbers.end {
            let point = self.propose(&model, number)?;
            model.pending(&point);
            points.push(point);
        }
        Ok(points)
    }

    fn model(&self, batch: &Range<u64>) -> Model<'_> {
        let mut ranked: Vec<(&Point, Option<f64>)> = self
            .told
            .iter()
            .filter(|(number, _)| !batch.contains(number))
            .map(|(_, (point, objective))| (point, *objective))
            .collect();
        // Stable: of equal objectives the lower number is the better.
        ranked.sort_by(|left, right| best_first(left.1, right.1));
        let n_good = ranked.len().div_ceil(10).min(GOOD_MAX);
        let (good, rest) = ranked.split_at(n_good);
        let every = rest.len().div_ceil(REST_MAX).max(1);
        Model {
            good: Density::new(&self.space, good.iter().map(|(point, _)| point.as_slice())),
            rest: Density::new(&self.space, rest.iter().step_by(every).map(|(point, _)| point.as_slice())),
            known: ranked.iter().map(|(point, _)| key(point)).collect(),
        }
    }

    fn propose(&self, model: &Model, number: u64) -> Result<Point, SearchError> {
        let mut stream = Stream::new(self.settings.seed, Purpose::Candidates, number);
        let mut best: Option<(f64, Point)> = None;
        for _ in 0..self.settings.candidates {
            let Some(candidate) = self.candidate(model, &mut stream) else { continue };
            if model.known.contains(&key(&candidate)) {
                continue;
            }
            let promise = model.good.log_density(&candidate) - model.rest.log_density(&candidate);
            if best.as_ref().is_none_or(|(most, _)| promise > *most) {
                best = Some((promise, candidate));
            }
        }
        best.map_or_else(|| self.fallback(model, number), |(_, point)| Ok(point))
    }

    fn candidate(&self, model: &Model, stream: &mut Stream) -> Option<Point> {
        (0..DRAWS_MAX).map(|_| model.good.sample(stream)).find(|point| self.constraints.admits(point))
    }

    /// Returns a random point, a new one where a few draws find it.
    fn fallback(&self, model: &Model, number: u64) -> Result<Point, SearchError> {
        let mut stream = Stream::new(self.settings.seed, Purpose::Fallback, number);
        let mut point = crate::random_search::draw_from(&mut stream, &self.space, &self.constraints)?;
        for _ in 0..DRAWS_MAX {
            if !model.known.contains(&key(&point)) {
                break;
            }
            point = crate::random_search::draw_from(&mut stream, &self.space, &self.constraints)?;
        }
        Ok(point)
    }
}

/// What was learned, and which points are taken.
struct Model<'a> {
    good: Density<'a>,
    rest: Density<'a>,
    known: BTreeSet<Vec<u64>>,
}

impl Model<'_> {
    /// Counts a point without a result among the rest.
    fn pending(&mut self, point: &Point) {
        self.rest.add(point);
        self.known.insert(key(point));
    }
}

/// A point as bits, which can be compared.
fn key(point: &[Coordinate]) -> Vec<u64> {
    let bits = |coordinate: &Coordinate| match *coordinate {
        Coordinate::Choice(place) => place as u64,
        Coordinate::Integer(value) => value as u64,
        Coordinate::Float(value) => value.to_bits(),
    };
    point.iter().map(bits).collect()
}
