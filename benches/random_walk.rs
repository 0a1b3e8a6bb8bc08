//! The seeded random walk of the benchmarks, like that of the peers'.

use tidegate_market::{BarColumns, BarLabel, Bars, Timestamp};

/// Knuth's 64-bit linear congruential generator; the high bits are used.
pub(crate) struct Generator(pub(crate) u64);

impl Generator {
    pub(crate) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// A standard normal number by Box and Muller.
    pub(crate) fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// Bars of a random walk: normal shocks of standard deviation `sd`, small gaps, wicks on both sides.
pub(crate) fn random_walk(rows: usize, interval: &str, drift: f64, sd: f64, generator: &mut Generator) -> Bars {
    let interval: tidegate_market::BarInterval = interval.parse().expect("valid");
    let start: Timestamp = "2020-01-01".parse().expect("valid");
    let mut columns = BarColumns::default();
    let mut last: f64 = 100.0;
    for row in 0..rows as i64 {
        let open = if row == 0 { last } else { last * (0.1 * sd * generator.normal()).exp() };
        let close = last * (drift + sd * generator.normal()).exp();
        columns.time.push(start.plus_nanos(row * interval.nanos()));
        columns.open.push(open);
        columns.high.push(open.max(close) * (0.5 * sd * generator.normal().abs()).exp());
        columns.low.push(open.min(close) * (-0.5 * sd * generator.normal().abs()).exp());
        columns.close.push(close);
        columns.volume.push((10.0 + 0.5 * generator.normal()).exp().floor());
        last = close;
    }
    Bars::new(columns, BarLabel::Open, interval).expect("sane by construction")
}
