//! How good forecasts were: of the mean, of the whole distribution, against a yardstick.

mod calibration;
mod comparison;
mod cross_sectional_information_coefficient;
mod crps;
mod distribution;
mod fold_scores;
mod forecast_scores;
mod hit_rate;
mod information_coefficient;
mod interval_score;
mod mean_absolute_error;
mod mean_squared_error;
mod negative_log_likelihood;
#[cfg(test)]
mod null_laws;
mod pinball_loss;
mod quantile_loss;
mod r2_out_of_sample;
mod rank_information_coefficient;
mod relative_squared_error;
mod scored_forecast;
mod skill;

pub use calibration::{
    Calibration, CalibrationPoint, IntervalTests, LjungBox, calibration, calibration_curve, kolmogorov_smirnov_uniform,
    kupiec,
};
pub use comparison::{
    LongRunVariance, Loss, MeanTest, NamedForecasts, PairedLosses, SkillVersusYardsticks, YardstickComparison,
    YardstickSkill, diebold_mariano, losses, mean_by_time, mean_test, skill_versus_yardsticks,
};
pub use cross_sectional_information_coefficient::{
    CrossSectionalIc, IcPoint, IcSummary, cross_sectional_information_coefficient,
};
pub use crps::{crps_skill, ensemble_crps, gaussian_crps};
pub use distribution::{Distribution, PredictionInterval};
pub use fold_scores::{FoldScores, forecast_scores_by_fold};
pub use forecast_scores::{ForecastScores, forecast_scores};
pub use interval_score::interval_score;
pub use negative_log_likelihood::gaussian_negative_log_likelihood;
pub use pinball_loss::pinball_loss;
pub use quantile_loss::{QuantileLoss, quantile_losses};
pub use scored_forecast::ScoredForecast;
pub use skill::{Skill, skill};
