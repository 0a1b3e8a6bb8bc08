//! Whether stated probabilities are right: transforms, coverage, and tests of both.

mod christoffersen;
mod coverage;
mod kolmogorov_smirnov;
mod kupiec;
mod ljung_box;
mod probability_integral_transform;
mod report;

pub(super) use coverage::coverage;
pub use coverage::{CalibrationPoint, calibration_curve};
pub(super) use kolmogorov_smirnov::kolmogorov_smirnov;
pub use kolmogorov_smirnov::kolmogorov_smirnov_uniform;
pub use kupiec::kupiec;
pub use ljung_box::LjungBox;
pub(super) use probability_integral_transform::{histogram, transforms, values};
pub(super) use report::interval_tests;
pub use report::{Calibration, IntervalTests, calibration};
