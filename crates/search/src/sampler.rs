//! Points by trial number.

use std::ops::Range;

use crate::{Point, SearchError};

/// A numbered set of points, of which any part can be had at any time.
pub trait Sampler: Send + Sync {
    /// Returns the number of trials.
    fn trials(&self) -> u64;

    /// Returns the points of trials, a pure function of how the sampler was made and of the numbers.
    ///
    /// # Errors
    /// When constraints refuse every point that is tried.
    ///
    /// # Panics
    /// When a number is not below [`Sampler::trials`].
    fn points(&self, numbers: Range<u64>) -> Result<Vec<Point>, SearchError>;
}
