//! Spaces of settings and how they are walked.
//!
//! A [`Space`] has one [`Axis`] per setting. A [`Sampler`] numbers points of it: [`Grid`], [`RandomSearch`] and
//! [`LatinHypercube`] give the point of any trial number without having given the others. [`Tpe`] learns from results, batch by
//! batch, and [`SuccessiveHalving`] says which trials are worth more resource. [`Constraints`] refuse points by expressions over
//! the axes' names. What came out is looked at by [`pareto_front`], [`stability`] and [`HeatMap`].
//!
//! Nothing here runs a backtest, reads a file, starts a thread or keeps the trials.
//!
//! Invariants:
//! - a point depends on the space, the constraints, the seed and its number (for [`Tpe`] also on what was told), never on the
//!   order of asking;
//! - larger objectives are better, and an undefined one is worse than every number;
//! - ties are broken by the lower trial number.

mod axis;
mod error;
mod ruler;
mod space;

mod permutation;
mod stream;

mod constraint;

mod admitted;
mod grid;
mod latin_hypercube;
mod random_search;
mod sampler;

mod halving;
mod tpe;

mod heat_map;
mod neighborhood;
mod pareto;

pub use axis::{Axis, Choice, Coordinate, Point, Scale};
pub use constraint::Constraints;
pub use error::SearchError;
pub use grid::Grid;
pub use halving::{Rung, SuccessiveHalving};
pub use heat_map::{Aggregate, Cell, HeatMap};
pub use latin_hypercube::LatinHypercube;
pub use neighborhood::{Stability, neighbors, stability};
pub use pareto::pareto_front;
pub use random_search::RandomSearch;
pub use sampler::Sampler;
pub use space::Space;
pub use tpe::{Tpe, TpeSettings};
