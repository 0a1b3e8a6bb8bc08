//! Strategies that come with the engine, one per file: parameters, and the state that they need between bars.
//!
//! Indicators are the kernels of `tidegate_indicators`, the same that make feature columns: there is no second definition here. A
//! strategy that looks at its schedule only reads the ratio of two closes, or a covariance, from the history instead.

mod buy_and_hold;
mod equal_risk_contribution;
mod fixed_weights;
mod forecast_threshold;
mod kelly;
mod momentum_rotation;
pub mod rules;
mod shared_averages;
mod sma_cross;
mod target_weights;
mod volatility_target;

use tidegate_market::InstrumentId;

pub use buy_and_hold::BuyAndHold;
pub use equal_risk_contribution::{EqualRiskContribution, EqualRiskContributionParams};
pub use fixed_weights::FixedWeights;
pub use forecast_threshold::{ForecastThreshold, ForecastThresholdParams};
pub use kelly::{Kelly, KellyParams};
pub use momentum_rotation::{MomentumRotation, MomentumRotationParams};
pub use rules::{Rules, RulesParams};
pub use shared_averages::SharedAverages;
pub use sma_cross::{SharedSmaCross, SmaCross, SmaCrossParams};
pub use target_weights::{ScheduledWeight, TargetWeights};
pub use volatility_target::{VolatilitySource, VolatilityTarget, VolatilityTargetParams};

use crate::Context;

/// Returns whether a weight is far enough from its target to trade: further than the tolerance, or the target is to be out.
#[inline]
fn needs_rebalance(context: &Context<'_>, instrument: InstrumentId, target: f64, tolerance: f64) -> bool {
    if target == 0.0 {
        context.position(instrument).quantity.0 != 0.0
    } else {
        (target - context.weight(instrument)).abs() > tolerance
    }
}
