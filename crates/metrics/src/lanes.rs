//! Sums of columns in four lanes, so that the processor adds several values at once.
//!
//! Value `i` goes to lane `i % 4`, and the lanes are added as `(0 + 2) + (1 + 3)`: one order of additions on every machine, whatever it
//! can do at once. A sum in lanes has a smaller bound on its rounding error than one after the other.

use std::ops::{Add, Div, Mul, Sub};

/// How many sums run side by side.
pub(crate) const LANES: usize = 4;

/// A value in each lane; arithmetic goes lane by lane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Lanes(pub(crate) [f64; LANES]);

impl Lanes {
    /// Returns the same value in every lane.
    #[inline]
    pub(crate) const fn all(value: f64) -> Self {
        Self([value; LANES])
    }

    /// Returns what a function makes of each lane.
    #[inline]
    pub(crate) fn map(self, function: impl Fn(f64) -> f64) -> Self {
        Self(self.0.map(function))
    }

    #[inline]
    fn zip(self, other: Self, function: impl Fn(f64, f64) -> f64) -> Self {
        Self(std::array::from_fn(|lane| function(self.0[lane], other.0[lane])))
    }

    /// Returns the lesser of both in each lane; of a NaN and a number the number where it is in `other`.
    #[inline]
    pub(crate) fn least(self, other: Self) -> Self {
        self.zip(other, |a, b| if a < b { a } else { b })
    }

    /// Returns the greater of both in each lane; of a NaN and a number the number where it is in `other`.
    #[inline]
    pub(crate) fn greatest(self, other: Self) -> Self {
        self.zip(other, |a, b| if a > b { a } else { b })
    }

    /// Returns the sum of the lanes.
    #[inline]
    pub(crate) fn total(self) -> f64 {
        total(self.0)
    }
}

impl Add for Lanes {
    type Output = Self;

    #[inline]
    fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }
}

impl Sub for Lanes {
    type Output = Self;

    #[inline]
    fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }
}

impl Mul for Lanes {
    type Output = Self;

    #[inline]
    fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }
}

impl Div for Lanes {
    type Output = Self;

    #[inline]
    fn div(self, other: Self) -> Self {
        self.zip(other, |a, b| a / b)
    }
}

/// Returns the sum of what a function makes of the values.
#[inline]
pub(crate) fn sum_of(values: &[f64], term: impl Fn(Lanes) -> Lanes) -> f64 {
    let [sum] = sums_of(values, |values| [term(values)]);
    sum
}

/// Returns the sums of several numbers made of each value, each the one of [`sum_of`].
#[inline]
pub(crate) fn sums_of<const N: usize>(values: &[f64], terms: impl Fn(Lanes) -> [Lanes; N]) -> [f64; N] {
    let mut sums = [Lanes::all(0.0); N];
    let (chunks, rest) = values.as_chunks::<LANES>();
    for &chunk in chunks {
        for (sum, term) in sums.iter_mut().zip(terms(Lanes(chunk))) {
            *sum = *sum + term;
        }
    }
    let mut last = [0.0; LANES];
    last[..rest.len()].copy_from_slice(rest);
    for (sum, term) in sums.iter_mut().zip(terms(Lanes(last))) {
        for (sum, term) in sum.0.iter_mut().zip(term.0).take(rest.len()) {
            *sum += term;
        }
    }
    sums.map(Lanes::total)
}

/// Returns the sum of the lanes.
#[inline]
fn total(lanes: [f64; LANES]) -> f64 {
    (lanes[0] + lanes[2]) + (lanes[1] + lanes[3])
}

/// The sum of values that come one at a time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RunningSum {
    lanes: [f64; LANES],
    count: usize,
}

impl RunningSum {
    #[inline]
    pub(crate) fn push(&mut self, value: f64) {
        self.lanes[self.count % LANES] += value;
        self.count += 1;
    }

    /// Returns the mean; `None` of nothing or when it is not finite.
    pub(crate) fn mean(&self) -> Option<f64> {
        if self.count == 0 { None } else { crate::sample::finite(total(self.lanes) / self.count as f64) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_are_added_in_the_documented_order() {
        // Lanes 1e16 + 1, 1, -1e16, 0: the fifth value joins the first lane, where it is lost: (1e16 - 1e16) + (1 + 0) = 1.
        let values = [1e16, 1.0, -1e16, 0.0, 1.0];
        assert_eq!(sum_of(&values, |value| value), 1.0);
        assert_eq!(values.iter().sum::<f64>(), 1.0 + 0.0);
        // One after the other the second is lost and the fifth is not; doubled, lanes keep 2 of the second.
        assert_eq!(sums_of(&values, |value| [value + value, Lanes::all(0.0)]), [2.0, 0.0]);
    }

    #[test]
    fn a_running_sum_has_the_bits_of_the_sum_at_once() {
        let values: Vec<f64> = (0..103).map(|n| (f64::from(n) * 0.7).sin() / 3.0).collect();
        for count in 1..values.len() {
            let mut running = RunningSum::default();
            values[..count].iter().for_each(|&value| running.push(value));
            let mean = sum_of(&values[..count], |value| value) / count as f64;
            assert_eq!(running.mean().map(f64::to_bits), Some(mean.to_bits()));
        }
        assert_eq!(RunningSum::default().mean(), None);
    }
}
