//! Whether one forecaster is better than another, or whether it only looks so.

mod diebold_mariano;
mod loss;
mod mean_test;
mod skill_versus_yardsticks;

pub use diebold_mariano::{PairedLosses, diebold_mariano};
pub use loss::{Loss, losses, mean_by_time};
pub use mean_test::{LongRunVariance, MeanTest, mean_test};
pub use skill_versus_yardsticks::{
    NamedForecasts, SkillVersusYardsticks, YardstickComparison, YardstickSkill, skill_versus_yardsticks,
};
