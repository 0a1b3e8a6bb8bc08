//! Successive halving: many trials with little resource, fewer with more.

use std::cmp::Ordering;

use crate::SearchError;

/// How many trials get how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rung {
    /// The number of trials.
    pub trials: u64,
    /// What each may use, such as epochs or bars.
    pub resource: u64,
}

/// A bracket of successive halving (Jamieson and Talwalkar, "Non-stochastic best arm identification and hyperparameter
/// optimization", 2016, in the form of Li et al., "Hyperband", 2018): rung `i` runs `floor(n / eta^i)` trials with resource
/// `r eta^i`, and the best of them go on, up to the rung with the largest resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuccessiveHalving {
    rungs: Vec<Rung>,
}

impl SuccessiveHalving {
    /// Plans a bracket that starts with `trials` trials of `resource_min` and multiplies the resource by `reduction` from rung to
    /// rung; the last rung has `resource_max`. Where trials run out first, one goes on to the end.
    ///
    /// # Errors
    /// When there is no trial, `reduction` is below 2, or not `1 <= resource_min <= resource_max`.
    pub fn new(trials: u64, resource_min: u64, resource_max: u64, reduction: u64) -> Result<Self, SearchError> {
        if trials == 0 {
            return Err(SearchError::NoTrials);
        }
        check_reduction(reduction)?;
        if resource_min == 0 {
            return Err(SearchError::Setting { name: "resource_min", rule: "at least 1", found: resource_min });
        }
        if resource_max < resource_min {
            return Err(SearchError::Setting {
                name: "resource_max",
                rule: "at least resource_min",
                found: resource_max,
            });
        }
        let mut rungs = vec![Rung { trials, resource: resource_min }];
        let mut last = rungs[0];
        while last.resource < resource_max {
            let resource = last.resource.saturating_mul(reduction).min(resource_max);
            last = Rung { trials: (last.trials / reduction).max(1), resource };
            rungs.push(last);
        }
        Ok(Self { rungs })
    }

    /// Plans the brackets of Hyperband: `s = s_max, ..., 0` with `s_max = floor(log_eta(R))`, each starting with
    /// `ceil((s_max + 1) eta^s / (s + 1))` trials of resource `R / eta^s`, rounded down.
    ///
    /// # Errors
    /// When `reduction` is below 2 or `resource_max` is zero.
    pub fn hyperband(resource_max: u64, reduction: u64) -> Result<Vec<Self>, SearchError> {
        check_reduction(reduction)?;
        if resource_max == 0 {
            return Err(SearchError::Setting { name: "resource_max", rule: "at least 1", found: resource_max });
        }
        let most = resource_max.ilog(reduction);
        let bracket = |s: u32| {
            let cut = reduction.pow(s);
            let trials = u128::from(most + 1) * u128::from(cut);
            let rungs = (0..=s).map(|rung| Rung {
                trials: trials.div_ceil(u128::from(s + 1)) as u64 / reduction.pow(rung),
                resource: resource_max / reduction.pow(s - rung),
            });
            Self { rungs: rungs.collect() }
        };
        Ok((0..=most).rev().map(bracket).collect())
    }

    /// Returns the rungs, the cheapest first.
    pub fn rungs(&self) -> &[Rung] {
        &self.rungs
    }

    /// Returns the numbers of the trials that go on from a rung to the next, ascending: as many as the next rung has, those with
    /// the largest objectives, of equal ones the lower numbers, and undefined ones (none or NaN) after all others. After the last
    /// rung none goes on.
    pub fn survivors(&self, rung: usize, results: &[(u64, Option<f64>)]) -> Vec<u64> {
        let Some(next) = self.rungs.get(rung + 1) else {
            return Vec::new();
        };
        let mut ranked = results.to_vec();
        ranked.sort_by(|left, right| best_first(left.1, right.1).then(left.0.cmp(&right.0)));
        let mut survivors: Vec<u64> = ranked.iter().take(next.trials as usize).map(|(number, _)| *number).collect();
        survivors.sort_unstable();
        survivors
    }
}

/// Orders objectives from the largest to the smallest, then undefined ones.
pub(crate) fn best_first(left: Option<f64>, right: Option<f64>) -> Ordering {
    match (left.filter(|value| !value.is_nan()), right.filter(|value| !value.is_nan())) {
        (Some(left), Some(right)) => right.partial_cmp(&left).expect("neither is NaN"),
        (left, right) => right.is_some().cmp(&left.is_some()),
    }
}

fn check_reduction(reduction: u64) -> Result<(), SearchError> {
    if reduction < 2 {
        return Err(SearchError::Setting { name: "reduction", rule: "at least 2", found: reduction });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pairs(halving: &SuccessiveHalving) -> Vec<(u64, u64)> {
        halving.rungs().iter().map(|rung| (rung.trials, rung.resource)).collect()
    }

    #[test]
    fn hyperband_plans_the_brackets_of_its_paper() {
        // Li et al. 2018, table 1: R = 81, eta = 3.
        let brackets: Vec<_> = SuccessiveHalving::hyperband(81, 3).expect("valid settings").iter().map(pairs).collect();
        assert_eq!(
            brackets,
            [
                vec![(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)],
                vec![(34, 3), (11, 9), (3, 27), (1, 81)],
                vec![(15, 9), (5, 27), (1, 81)],
                vec![(8, 27), (2, 81)],
                vec![(5, 81)],
            ]
        );
    }

    #[test]
    fn a_bracket_ends_with_the_whole_resource() {
        let bracket = |trials, low, high, reduction| {
            pairs(&SuccessiveHalving::new(trials, low, high, reduction).expect("valid settings"))
        };
        assert_eq!(bracket(20, 5, 60, 3), [(20, 5), (6, 15), (2, 45), (1, 60)]);
        assert_eq!(bracket(2, 1, 8, 2), [(2, 1), (1, 2), (1, 4), (1, 8)]);
        assert_eq!(bracket(7, 4, 4, 2), [(7, 4)]);
    }

    #[test]
    fn settings_that_make_no_sense_are_refused() {
        let refusal = |trials, low, high, reduction| {
            SuccessiveHalving::new(trials, low, high, reduction).expect_err("invalid").to_string()
        };
        assert_eq!(refusal(9, 1, 9, 1), "reduction must be at least 2, was `1`");
        assert_eq!(refusal(9, 0, 9, 3), "resource_min must be at least 1, was `0`");
        assert_eq!(refusal(9, 5, 4, 3), "resource_max must be at least resource_min, was `4`");
        assert_eq!(refusal(0, 1, 9, 3), "a search must have at least one trial, was `0`");
        assert!(SuccessiveHalving::hyperband(0, 3).is_err());
    }

    #[test]
    fn ties_go_to_the_lower_number_and_undefined_objectives_come_last() {
        let halving = SuccessiveHalving::new(6, 1, 2, 2).expect("valid settings");
        let results = [(9, Some(1.0)), (4, Some(1.0)), (2, None), (7, Some(1.0)), (5, Some(f64::NAN)), (1, Some(-3.0))];
        assert_eq!(halving.survivors(0, &results), [4, 7, 9]);
        assert_eq!(halving.survivors(1, &results), Vec::<u64>::new(), "the last rung");
        let undefined = [(3, None), (1, None), (2, Some(f64::NAN)), (8, Some(f64::NEG_INFINITY))];
        assert_eq!(halving.survivors(0, &undefined), [1, 2, 8]);
    }

    proptest! {
        #[test]
        fn survivors_are_those_that_few_others_beat(
            objectives in proptest::collection::vec(proptest::option::of(-4i32..4), 1..60), reduction in 2u64..5,
        ) {
            let results: Vec<(u64, Option<f64>)> = objectives.iter().enumerate()
                .map(|(number, value)| (number as u64 * 7 % 61, value.map(f64::from))).collect();
            let halving = SuccessiveHalving::new(results.len() as u64, 1, 2 * reduction, reduction).expect("valid settings");
            let goes_on = halving.rungs()[1].trials as usize;
            // The slow way: one goes on when fewer than `goes_on` others are better.
            let worth = |result: &(u64, Option<f64>)| (result.1.unwrap_or(f64::NEG_INFINITY), -(result.0 as f64));
            let mut expected: Vec<u64> = results.iter()
                .filter(|one| results.iter().filter(|other| worth(other) > worth(one)).count() < goes_on)
                .map(|one| one.0).collect();
            expected.sort_unstable();
            prop_assert_eq!(halving.survivors(0, &results), expected);
        }
    }
}
