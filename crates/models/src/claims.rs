//! What practitioners say about recurrent networks, measured on the machine at hand.
//!
//! Sizes are counted. Speeds are races: both sides of a claim take turns for some rounds, each round gives one ratio, and the median
//! ratio counts; a busy machine slows both sides alike. All run on one thread. The network is the one of the benchmarks: 10
//! features, 2 layers of 64, windows of 50 steps.

mod races;
mod sizes;

use tidegate_forecast::ForecastError;
use tidegate_recurrence::StackShape;

use self::races::races;
use self::sizes::sizes;

/// The layers that are measured.
const SHAPE: StackShape = StackShape { inputs: 10, hidden: 64, layers: 2 };
/// Steps of a window.
const STEPS: usize = 50;

/// What the numbers of a claim count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimUnit {
    /// Hundredths that one has less of than the other.
    PercentLess,
    /// The other's time over the one's, less one, in hundredths.
    PercentFaster,
    /// The other's time over the one's.
    TimesFaster,
}

impl ClaimUnit {
    /// Returns the unit in words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PercentLess => "percent less",
            Self::PercentFaster => "percent faster",
            Self::TimesFaster => "times faster",
        }
    }

    /// Returns the number for a ratio of the other's time or size over the one's.
    fn of(self, ratio: f64) -> f64 {
        match self {
            Self::PercentLess => (1.0 - 1.0 / ratio) * 100.0,
            Self::PercentFaster => (ratio - 1.0) * 100.0,
            Self::TimesFaster => ratio,
        }
    }
}

/// One claim beside what was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// A short name, such as `int8_file_size`.
    pub name: &'static str,
    /// What is compared, and on what.
    pub what: &'static str,
    /// What the numbers count.
    pub unit: ClaimUnit,
    /// The least and the most that is claimed.
    pub claimed: [f64; 2],
    /// The median over rounds; a count is exact.
    pub measured: f64,
    /// The smallest value of a round.
    pub low: f64,
    /// The largest.
    pub high: f64,
    /// What decides about it.
    pub why: &'static str,
}

impl Claim {
    /// Returns whether at least the least of what is claimed was found.
    pub fn holds(&self) -> bool {
        self.measured >= self.claimed[0]
    }
}

/// Measures every claim; `seconds` reads a clock, `rounded` is told after each round.
///
/// # Errors
/// [`ForecastError::Range`] without a round, [`ForecastError::Model`] when libtorch refuses a network.
pub fn claims(
    rounds: usize,
    seconds: &mut dyn FnMut() -> f64,
    rounded: &mut dyn FnMut(),
) -> Result<Vec<Claim>, ForecastError> {
    if rounds == 0 {
        return Err(ForecastError::Range { name: "rounds", rule: "at least 1".to_owned(), value: "0".to_owned() });
    }
    let mut claims = sizes()?;
    let mut races = races()?;
    races.iter_mut().for_each(races::Race::warm_up);
    for round in 0..rounds {
        for race in &mut races {
            race.run(round, seconds);
        }
        rounded();
    }
    claims.extend(races.iter().map(races::Race::claim));
    Ok(claims)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_claim_is_measured_in_every_round() {
        let (mut now, mut rounds) = (0.0, 0);
        // A clock that is a second later at every look: both sides of every race take as long.
        let mut clock = || {
            now += 1.0;
            now
        };
        let found = claims(1, &mut clock, &mut || rounds += 1).expect("a round");
        assert_eq!(rounds, 1);
        let names: Vec<&str> = found.iter().map(|claim| claim.name).collect();
        let distinct: std::collections::BTreeSet<&str> = names.iter().copied().collect();
        assert_eq!(distinct.len(), names.len(), "{names:?}");
        for claim in &found {
            let even = match claim.unit {
                ClaimUnit::PercentFaster => Some(0.0),
                ClaimUnit::TimesFaster => Some(1.0),
                ClaimUnit::PercentLess => None,
            };
            assert!(even.is_none_or(|even| claim.measured == even), "{claim:?}");
            assert!(claim.low <= claim.measured && claim.measured <= claim.high, "{claim:?}");
        }
        // 3 gates in place of 4, of the same size.
        let parameters = found.iter().find(|claim| claim.name == "gru_lstm_parameters").expect("measured");
        assert_eq!((parameters.measured, parameters.holds()), (25.0, true));
    }

    #[test]
    fn no_rounds_are_refused() {
        let message = claims(0, &mut || 0.0, &mut || ()).expect_err("nothing to measure").to_string();
        assert_eq!(message, "rounds must be at least 1, was `0`");
    }
}
