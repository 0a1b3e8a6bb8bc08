//! One symbol's prices and volumes, bar by bar.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use tidegate_market::{BarColumns, Timestamp};

use super::SimulationSpec;

/// Volume of a bar without a shock.
const VOLUME_BASE: f64 = 1e6;

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(rng)
}

/// The shocks that all symbols share, from the seed's stream 0.
pub(super) struct FactorStream(ChaCha8Rng);

impl FactorStream {
    pub(super) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    pub(super) fn shocks(mut self, bars: usize) -> Vec<f64> {
        (0..bars).map(|_| normal(&mut self.0)).collect()
    }
}

/// One symbol's own randomness, from a stream of the seed that only it reads, and the state that its bars carry on.
pub(super) struct PathStream<'a> {
    spec: &'a SimulationSpec,
    rng: ChaCha8Rng,
    bars_per_year: f64,
    /// Unconditional variance of a bar's log return.
    variance_mean: f64,
    variance: f64,
    close: f64,
}

/// Prices and volume of one bar.
struct SimulatedBar {
    open: f64,
    high: f64,
    low: f64,
    close: f64,
    volume: f64,
}

impl<'a> PathStream<'a> {
    pub(super) fn new(spec: &'a SimulationSpec, place: usize) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(spec.seed);
        rng.set_stream(place as u64 + 1);
        let bars_per_year = spec.interval.periods_per_year(spec.calendar);
        let variance_mean = spec.annual_volatility.powi(2) / bars_per_year;
        Self { spec, rng, bars_per_year, variance_mean, variance: variance_mean, close: spec.start_price }
    }

    /// Simulates a bar for each shared shock.
    pub(super) fn columns(mut self, time: Vec<Timestamp>, shared: &[f64]) -> BarColumns {
        let mut columns = BarColumns { time, ..BarColumns::default() };
        for shock in shared {
            let bar = self.bar(*shock);
            columns.open.push(bar.open);
            columns.high.push(bar.high);
            columns.low.push(bar.low);
            columns.close.push(bar.close);
            columns.volume.push(bar.volume);
        }
        columns
    }

    /// The bar's diffusion is split between the gap at the open and the path inside; a jump falls inside.
    fn bar(&mut self, shared: f64) -> SimulatedBar {
        let spec = self.spec;
        let shock = spec.correlation.sqrt() * shared + (1.0 - spec.correlation).sqrt() * normal(&mut self.rng);
        let diffusion = self.variance.sqrt() * shock;
        let gap_noise = normal(&mut self.rng);
        // Given the sum of two independent normals, one of them is normal about its share of the sum.
        let share = spec.open_gap_share;
        let gap = share * diffusion + (share * (1.0 - share) * self.variance).sqrt() * gap_noise;
        let jump = self.jump();
        let inside = spec.annual_drift / self.bars_per_year + (diffusion - gap) + jump;
        let inside_variance = (1.0 - share) * self.variance;
        let open = self.close * gap.exp();
        let close = open * inside.exp();
        let above = bridge_extreme(inside, inside_variance, self.uniform());
        let below = -bridge_extreme(-inside, inside_variance, self.uniform());
        let activity = 0.5 * shock.abs() + 0.3 * normal(&mut self.rng);
        self.close = close;
        let garch = spec.garch;
        self.variance = (1.0 - garch.alpha - garch.beta) * self.variance_mean
            + garch.alpha * diffusion.powi(2)
            + garch.beta * self.variance;
        SimulatedBar {
            open,
            high: (open * above.exp()).max(open).max(close),
            low: (open * below.exp()).min(open).min(close),
            close,
            volume: (VOLUME_BASE * activity.exp()).round(),
        }
    }

    /// Draws the same numbers whether or not there is a jump, so that a rate of zero changes nothing else.
    fn jump(&mut self) -> f64 {
        let arrives = self.uniform() <= self.spec.jump.per_year / self.bars_per_year;
        let size = self.spec.jump.mean + self.spec.jump.sd * normal(&mut self.rng);
        if arrives { size } else { 0.0 }
    }

    /// Returns a number in (0, 1].
    fn uniform(&mut self) -> f64 {
        1.0 - self.rng.random::<f64>()
    }
}

/// Returns the highest point of a Brownian bridge from 0 to `end` of the given variance, by inverting its distribution
/// `P(M > m) = exp(-2 m (m - end) / variance)`; `uniform` is in (0, 1].
fn bridge_extreme(end: f64, variance: f64, uniform: f64) -> f64 {
    f64::midpoint(end, (end * end - 2.0 * variance * uniform.ln()).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extreme_of_a_bridge_is_at_or_above_both_ends() {
        // The median of the maximum of a bridge from 0 to 0 with variance 1 solves exp(-2 m^2) = 1/2: m = sqrt(ln 2 / 2).
        assert!((bridge_extreme(0.0, 1.0, 0.5) - (0.5_f64.ln() / -2.0).sqrt()).abs() < 1e-15);
        assert_eq!(bridge_extreme(0.3, 1.0, 1.0), 0.3);
        assert_eq!(bridge_extreme(-0.3, 1.0, 1.0), 0.0);
    }
}
