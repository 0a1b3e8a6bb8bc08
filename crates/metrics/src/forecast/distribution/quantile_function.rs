//! A distribution given by quantiles: linear between the levels, exponential beyond the outer ones.

use crate::{MetricsError, pinball_loss};

/// The levels and values of a quantile forecast.
#[derive(Debug, Clone, Copy)]
pub(super) struct QuantileFunction<'a> {
    pub(super) levels: &'a [f64],
    pub(super) values: &'a [f64],
}

impl QuantileFunction<'_> {
    pub(super) fn validate(self) -> Result<(), MetricsError> {
        let (levels, values) = (self.levels, self.values);
        if levels.len() != values.len() {
            let (expected, found) = (levels.len(), values.len());
            return Err(MetricsError::Length { name: "the values of a quantile forecast", expected, found });
        }
        if levels.len() < 2 {
            return Err(MetricsError::FewQuantiles { found: levels.len() });
        }
        check(levels, "a quantile level", "in (0, 1)", |_, level| level > 0.0 && level < 1.0)?;
        check(levels, "a quantile level", "above the one before", |before, level| before.is_none_or(|it| level > it))?;
        check(values, "a quantile", "finite", |_, value| value.is_finite())?;
        check(values, "a quantile", "at least the one before", |before, value| before.is_none_or(|it| value >= it))
    }

    /// Returns the value at a level in (0, 1).
    pub(super) fn quantile(self, p: f64) -> f64 {
        let last = self.levels.len() - 1;
        if p < self.levels[0] {
            return self.values[0] + self.lower_scale() * (p / self.levels[0]).ln();
        }
        if p > self.levels[last] {
            return self.values[last] - self.upper_scale() * ((1.0 - p) / (1.0 - self.levels[last])).ln();
        }
        let above = self.levels.partition_point(|&level| level < p);
        if self.levels[above] == p { self.values[above] } else { interpolate(p, self.levels, self.values, above) }
    }

    /// Returns the probability of a value at most `y`.
    pub(super) fn cumulative(self, y: f64) -> f64 {
        self.cumulative_past(self.values.partition_point(|&value| value <= y), y)
    }

    /// Returns the probability of a value below `y`, which differs where quantiles coincide.
    pub(super) fn cumulative_below(self, y: f64) -> f64 {
        self.cumulative_past(self.values.partition_point(|&value| value < y), y)
    }

    /// Returns the probability up to `y`, before which lie the first `past` quantiles.
    fn cumulative_past(self, past: usize, y: f64) -> f64 {
        let last = self.levels.len() - 1;
        if past == 0 {
            return self.levels[0] * decay(self.values[0] - y, self.lower_scale());
        }
        if past > last {
            return 1.0 - (1.0 - self.levels[last]) * decay(y - self.values[last], self.upper_scale());
        }
        interpolate(y, self.values, self.levels, past)
    }

    /// Returns the mean and the variance: integrals of the quantile function and its square over (0, 1).
    pub(super) fn moments(self) -> (f64, f64) {
        let last = self.levels.len() - 1;
        // Around the middle value, so that the square of a large location does not swallow the spread.
        let center = self.values[last / 2];
        let (mut first, mut second) = (0.0, 0.0);
        let tails = [
            (self.levels[0], self.values[0] - center, -self.lower_scale()),
            (1.0 - self.levels[last], self.values[last] - center, self.upper_scale()),
        ];
        for (probability, value, scale) in tails {
            // An exponential variable of mean b has second moment 2 b^2.
            first += probability * (value + scale);
            second += probability * (value * value + 2.0 * value * scale + 2.0 * scale * scale);
        }
        for (levels, values) in self.levels.windows(2).zip(self.values.windows(2)) {
            let (probability, a, b) = (levels[1] - levels[0], values[0] - center, values[1] - center);
            first += probability * f64::midpoint(a, b);
            second += probability * (a * a + a * b + b * b) / 3.0;
        }
        (center + first, (second - first * first).max(0.0))
    }

    /// Computes twice the mean pinball loss over the levels.
    pub(super) fn crps(self, y: f64) -> f64 {
        let losses = self.levels.iter().zip(self.values).map(|(&level, &value)| pinball_loss(value, level, y));
        2.0 * losses.sum::<f64>() / self.levels.len() as f64
    }

    fn lower_scale(self) -> f64 {
        let (levels, values) = (self.levels, self.values);
        levels[0] * (values[1] - values[0]) / (levels[1] - levels[0])
    }

    fn upper_scale(self) -> f64 {
        let (levels, values, last) = (self.levels, self.values, self.levels.len() - 1);
        (1.0 - levels[last]) * (values[last] - values[last - 1]) / (levels[last] - levels[last - 1])
    }
}

/// Returns the share of a tail beyond a distance; a tail without width has nothing beyond its beginning.
fn decay(distance: f64, scale: f64) -> f64 {
    if scale > 0.0 { (-distance / scale).exp() } else { 0.0 }
}

/// Returns the value at `x` of the line from point `above - 1` to point `above`.
fn interpolate(x: f64, xs: &[f64], ys: &[f64], above: usize) -> f64 {
    let share = (x - xs[above - 1]) / (xs[above] - xs[above - 1]);
    ys[above - 1] + share * (ys[above] - ys[above - 1])
}

fn check(
    column: &[f64],
    name: &'static str,
    rule: &'static str,
    holds: impl Fn(Option<f64>, f64) -> bool,
) -> Result<(), MetricsError> {
    for (row, &value) in column.iter().enumerate() {
        if !holds(row.checked_sub(1).map(|before| column[before]), value) {
            return Err(MetricsError::Row { name, rule, value, row });
        }
    }
    Ok(())
}
