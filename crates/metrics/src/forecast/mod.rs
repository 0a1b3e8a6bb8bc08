//! How good forecasts were: of the mean, of the whole distribution, against a yardstick.

mod coverage;
mod crps;
mod fold_scores;
mod forecast_scores;
mod hit_rate;
mod information_coefficient;
mod mean_squared_error;
mod negative_log_likelihood;
mod pinball_loss;
mod probability_integral_transform;
mod r2_out_of_sample;
mod rank_information_coefficient;
mod scored_forecast;
mod skill;

pub use coverage::{CalibrationPoint, calibration_curve};
pub use crps::{ensemble_crps, gaussian_crps};
pub use fold_scores::{FoldScores, forecast_scores_by_fold};
pub use forecast_scores::{ForecastScores, forecast_scores};
pub use negative_log_likelihood::gaussian_negative_log_likelihood;
pub use pinball_loss::pinball_loss;
pub use scored_forecast::ScoredForecast;
pub use skill::{Skill, skill};
