//! Resampled orders of the periods of a series.

use serde::{Deserialize, Serialize};

use super::split_mix::SplitMix64;
use crate::MetricsError;

/// How resamples are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BootstrapSettings {
    /// How many resamples, at least 1.
    pub resamples: usize,
    /// The mean length of the blocks in periods, at least 1; 1 draws every period on its own.
    pub mean_block_length: f64,
    /// The seed: equal settings give equal resamples.
    pub seed: u64,
}

/// Resamples of a series by the stationary bootstrap: rows of zero-based period numbers, as many to a row as the series has
/// periods.
///
/// Blocks start anywhere with equal probability, have a geometric length and wrap around the end. Row `b` is a pure function of
/// seed and `b`. Source: Politis and Romano (1994), "The Stationary Bootstrap".
#[derive(Debug, Clone, PartialEq)]
pub struct Resamples {
    settings: BootstrapSettings,
    length: usize,
    periods: Vec<u32>,
}

impl Resamples {
    /// Draws resamples of a series of `length` periods.
    ///
    /// # Errors
    /// [`MetricsError::Setting`] for a length below 2, no resamples, or a mean block length that is not in [1, length].
    pub fn new(length: usize, settings: BootstrapSettings) -> Result<Self, MetricsError> {
        check(length, &settings)?;
        let end_of_block = settings.mean_block_length.recip();
        let mut periods = Vec::with_capacity(length * settings.resamples);
        for number in 0..settings.resamples {
            let mut generator = SplitMix64::stream(settings.seed, number as u64);
            let mut period = generator.below(length);
            periods.push(period as u32);
            for _ in 1..length {
                let next = if period + 1 == length { 0 } else { period + 1 };
                period = if generator.unit() < end_of_block { generator.below(length) } else { next };
                periods.push(period as u32);
            }
        }
        Ok(Self { settings, length, periods })
    }

    /// Returns how they were drawn.
    pub const fn settings(&self) -> &BootstrapSettings {
        &self.settings
    }

    /// Returns how many periods the series has.
    pub const fn length(&self) -> usize {
        self.length
    }

    /// Returns how many resamples there are.
    pub const fn count(&self) -> usize {
        self.settings.resamples
    }

    /// Returns the resamples one after another.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[u32]> {
        self.periods.chunks_exact(self.length)
    }

    /// Checks that a series has as many periods as the resamples.
    ///
    /// # Errors
    /// [`MetricsError::Length`] when it has not.
    pub(crate) const fn check_length(&self, name: &'static str, found: usize) -> Result<(), MetricsError> {
        if found == self.length { Ok(()) } else { Err(MetricsError::Length { name, expected: self.length, found }) }
    }

    #[cfg(test)]
    pub(crate) fn from_periods(length: usize, mean_block_length: f64, periods: Vec<u32>) -> Self {
        let settings = BootstrapSettings { resamples: periods.len() / length, mean_block_length, seed: 0 };
        Self { settings, length, periods }
    }
}

fn check(length: usize, settings: &BootstrapSettings) -> Result<(), MetricsError> {
    if !(2..=u32::MAX as usize).contains(&length) {
        let (name, rule) = ("the periods of a resampled series", "at least 2 and below 2^32");
        return Err(MetricsError::Setting { name, rule, value: length as f64 });
    }
    if settings.resamples == 0 {
        return Err(MetricsError::Setting { name: "resamples", rule: "at least 1", value: 0.0 });
    }
    let value = settings.mean_block_length;
    if !(1.0..=length as f64).contains(&value) {
        let (name, rule) = ("mean_block_length", "between 1 and the number of periods");
        return Err(MetricsError::Setting { name, rule, value });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(length: usize, resamples: usize, mean_block_length: f64) -> Resamples {
        Resamples::new(length, BootstrapSettings { resamples, mean_block_length, seed: 5 }).expect("valid settings")
    }

    #[test]
    fn every_period_is_drawn_equally_often() {
        let resamples = drawn(20, 2000, 4.0);
        let mut counts = [0_u32; 20];
        resamples.rows().flatten().for_each(|&period| counts[period as usize] += 1);
        // Blocks make the counts spread about 2.6 times as wide as sqrt(2000): 120.
        assert!(counts.iter().all(|&count| count.abs_diff(2000) < 480), "{counts:?}");
    }

    #[test]
    fn blocks_are_as_long_as_asked_on_average() {
        let resamples = drawn(1000, 100, 8.0);
        let follows = |pair: &&[u32]| pair[1] == (pair[0] + 1) % 1000;
        let kept: usize = resamples.rows().map(|row| row.windows(2).filter(follows).count()).sum();
        // A block goes on with probability 7/8, and by chance after its end: 1/8 * 1/1000.
        let share = kept as f64 / (999.0 * 100.0);
        assert!((share - (0.875 + 0.125 / 1000.0)).abs() < 0.005, "{share}");
    }

    #[test]
    fn a_resample_does_not_depend_on_how_many_there_are() {
        let (few, many) = (drawn(50, 3, 5.0), drawn(50, 10, 5.0));
        assert!(few.rows().eq(many.rows().take(3)));
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let check = |length, resamples, mean_block_length, message: &str| {
            let settings = BootstrapSettings { resamples, mean_block_length, seed: 0 };
            let error = Resamples::new(length, settings).expect_err(message).to_string();
            assert!(error.contains(message), "{error}");
        };
        check(1, 10, 1.0, "the periods of a resampled series must be at least 2");
        check(10, 0, 1.0, "resamples must be at least 1, was `0`");
        check(10, 10, 0.5, "mean_block_length must be between 1 and the number of periods, was `0.5`");
        check(10, 10, f64::NAN, "was `NaN`");
    }
}
