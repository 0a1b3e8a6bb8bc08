//! What can be wrong with a space, a constraint or a plan of trials.

/// A space, constraint or plan that cannot be walked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SearchError {
    /// A space without an axis.
    #[error("a search must have at least one axis, has none; hint: name a key and its values")]
    NoAxes,
    /// Two axes of one name.
    #[error("an axis must be named once, `{axis}` stands twice")]
    SameName {
        /// The name.
        axis: String,
    },
    /// An axis without a value.
    #[error("`{axis}` must list at least one value, was empty; hint: list values, or leave the key out")]
    NoValues {
        /// The axis.
        axis: String,
    },
    /// A range whose ends are the wrong way around.
    #[error("`{axis}` must have low <= high, was `{low}` to `{high}`")]
    LowAboveHigh {
        /// The axis.
        axis: String,
        /// The low end.
        low: String,
        /// The high end.
        high: String,
    },
    /// A step that does not lead from low to high.
    #[error("the step of `{axis}` must be above 0, was `{step}`")]
    Step {
        /// The axis.
        axis: String,
        /// The step found.
        step: String,
    },
    /// An end that is not a number, or too large to be told from its neighbor.
    #[error("`{axis}` must stay between `{low}` and `{high}`, was `{found}`")]
    End {
        /// The axis.
        axis: String,
        /// The lowest end allowed.
        low: f64,
        /// The highest end allowed.
        high: f64,
        /// The end found.
        found: f64,
    },
    /// More values on one axis than can be told apart.
    #[error("`{axis}` must have at most `9007199254740992` values, has `{found}`; hint: take a longer step, or none")]
    TooManyValues {
        /// The axis.
        axis: String,
        /// About how many it has.
        found: f64,
    },
    /// A logarithm of zero or less.
    #[error("`{axis}` on a log scale must start above 0, was `{low}`")]
    LogLow {
        /// The axis.
        axis: String,
        /// The low end.
        low: String,
    },
    /// Equal steps where ratios are equal.
    #[error("`{axis}` on a log scale must have no step, was `{step}`; hint: leave the step out, or list the values")]
    LogStep {
        /// The axis.
        axis: String,
        /// The step found.
        step: String,
    },
    /// A grid over a continuous axis.
    #[error("a grid must have a step on every axis, `{axis}` has none; hint: give it a step, or draw points at random")]
    Continuous {
        /// The axis.
        axis: String,
    },
    /// A grid that nobody waits for.
    #[error(
        "a grid must have at most `{most}` combinations, has `{combinations}`; hint: take longer steps, or draw points at random"
    )]
    TooManyCombinations {
        /// How many it has, before constraints.
        combinations: u128,
        /// The most that are allowed.
        most: u64,
    },
    /// A plan without a trial.
    #[error("a search must have at least one trial, was `0`")]
    NoTrials,
    /// A constraint that cannot be read.
    #[error("constraint `{text}`: {message}{}", .hint.as_ref().map_or_else(String::new, |hint| format!("; hint: {hint}")))]
    Constraint {
        /// The constraint.
        text: String,
        /// The rule, then what was found.
        message: String,
        /// The next step.
        hint: Option<String>,
    },
    /// Constraints that leave nothing.
    #[error("constraints must admit some point, `{constraints}` refused all `{tried}` that were tried")]
    NothingAdmitted {
        /// The constraints, joined by `and`.
        constraints: String,
        /// How many points were tried.
        tried: u64,
    },
    /// Settings of successive halving or TPE that make no sense.
    #[error("{name} must be {rule}, was `{found}`")]
    Setting {
        /// What the number is.
        name: &'static str,
        /// The rule in words.
        rule: &'static str,
        /// The number found.
        found: u64,
    },
}
