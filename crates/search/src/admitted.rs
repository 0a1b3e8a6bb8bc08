//! The points of a numbered source that constraints admit, numbered anew without holes.

use std::ops::Range;

use crate::{Constraints, Point, SearchError};

/// Source numbers per block: between two blocks it is known how many points were admitted before.
const BLOCK: u64 = 4_096;

/// Points by a number of their own.
pub(crate) trait Source {
    fn count(&self) -> u64;
    fn write(&self, number: u64, point: &mut Point);
}

/// A source without what constraints refuse. It keeps eight bytes per 4,096 points.
#[derive(Debug, Clone)]
pub(crate) struct Admitted<S> {
    source: S,
    constraints: Constraints,
    /// Points admitted before each block, and at the end all; none where everything is admitted.
    before: Option<Vec<u64>>,
}

impl<S: Source> Admitted<S> {
    /// Looks at every point once where there are constraints.
    pub(crate) fn new(source: S, constraints: &Constraints) -> Result<Self, SearchError> {
        let constraints = constraints.clone();
        if constraints.is_empty() {
            return Ok(Self { source, constraints, before: None });
        }
        let count = source.count();
        let mut before = Vec::with_capacity((count / BLOCK + 2) as usize);
        let mut point = Point::new();
        let mut admitted = 0;
        for number in 0..count {
            if number % BLOCK == 0 {
                before.push(admitted);
            }
            source.write(number, &mut point);
            admitted += u64::from(constraints.admits(&point));
        }
        before.push(admitted);
        if admitted == 0 {
            return Err(SearchError::NothingAdmitted { constraints: constraints.to_string(), tried: count });
        }
        Ok(Self { source, constraints, before: Some(before) })
    }

    /// Returns how many points are admitted.
    pub(crate) fn trials(&self) -> u64 {
        let all = || self.source.count();
        self.before.as_ref().map_or_else(all, |before| *before.last().expect("the count of all stands last"))
    }

    /// Returns the admitted points with these numbers.
    pub(crate) fn points(&self, numbers: Range<u64>) -> Vec<Point> {
        assert!(
            numbers.end <= self.trials(),
            "a search of `{}` trials has none below `{}`",
            self.trials(),
            numbers.end
        );
        if numbers.is_empty() {
            return Vec::new();
        }
        let mut point = Point::new();
        let Some(before) = &self.before else {
            let read = |number| {
                self.source.write(number, &mut point);
                point.clone()
            };
            return numbers.map(read).collect();
        };
        let block = before.partition_point(|admitted| *admitted <= numbers.start) - 1;
        let mut points = Vec::with_capacity((numbers.end - numbers.start) as usize);
        let mut admitted = before[block];
        let mut number = block as u64 * BLOCK;
        while admitted < numbers.end {
            self.source.write(number, &mut point);
            if self.constraints.admits(&point) {
                if admitted >= numbers.start {
                    points.push(point.clone());
                }
                admitted += 1;
            }
            number += 1;
        }
        points
    }
}
