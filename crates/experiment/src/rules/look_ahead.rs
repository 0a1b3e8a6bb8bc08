//! Functions that read later bars, and what to write in place of them.

/// A family of functions that are not causal.
pub(super) struct LookAhead {
    names: &'static [&'static str],
    /// What such a function does, after its name.
    pub(super) does: &'static str,
    /// What to write instead.
    pub(super) instead: &'static str,
}

const WHOLE_COLUMN: &str = "is over the whole column, later bars included";

const FAMILIES: [LookAhead; 9] = [
    LookAhead {
        names: &["lead", "next", "next_value"],
        does: "is the value of a later bar",
        instead: "write `lag(x, n)` for the value `n` bars ago",
    },
    LookAhead {
        names: &["mean", "avg", "average"],
        does: WHOLE_COLUMN,
        instead: "add a trailing average such as `{ sma = { bars = 20 } }` to `features.columns` and write `sma_20`",
    },
    LookAhead {
        names: &["std", "stddev", "stddev_pop", "stddev_samp", "stdev", "var", "variance", "var_pop", "var_samp"],
        does: WHOLE_COLUMN,
        instead: "add `{ volatility = { bars = 20 } }` to `features.columns` and write `volatility_20`",
    },
    LookAhead {
        names: &["zscore", "z_score", "standardize", "normalize", "scale", "minmax"],
        does: WHOLE_COLUMN,
        instead: "add `{ z_score = { bars = 20 } }` to `features.columns` and write `z_score_20`",
    },
    LookAhead {
        names: &[
            "sum",
            "count",
            "product",
            "median",
            "mode",
            "quantile",
            "percentile",
            "percentile_cont",
            "percentile_disc",
        ],
        does: WHOLE_COLUMN,
        instead: "name the bars that are meant, such as `close + lag(close, 1)`, or use a feature with a look-back",
    },
    LookAhead {
        names: &["min", "max"],
        does: WHOLE_COLUMN,
        instead: "name what is compared: `max(close, open)` of one bar, or `max(high, lag(high, 1), lag(high, 2))` of three",
    },
    LookAhead {
        names: &[
            "rank",
            "percent_rank",
            "dense_rank",
            "row_number",
            "ntile",
            "cume_dist",
            "argmax",
            "argmin",
            "idxmax",
            "idxmin",
        ],
        does: "ranks a bar among all bars, later ones included",
        instead: "compare with a trailing feature such as `z_score_20` or `rsi_14`",
    },
    LookAhead {
        names: &[
            "first",
            "last",
            "first_value",
            "last_value",
            "nth_value",
            "corr",
            "covar_pop",
            "covar_samp",
            "regr_slope",
        ],
        does: WHOLE_COLUMN,
        instead: "write `lag(x, n)` for the value `n` bars ago",
    },
    LookAhead {
        names: &["bfill", "backfill", "interpolate", "fillna", "fill_null", "reverse", "detrend", "filtfilt"],
        does: "fills or changes a bar by later ones",
        instead: "leave the value missing: a condition that needs it is not met",
    },
];

/// Returns the family that a function belongs to, whatever its arguments.
pub(super) fn family(function: &str) -> Option<&'static LookAhead> {
    FAMILIES.iter().find(|family| family.names.contains(&function))
}

impl LookAhead {
    /// Returns whether a call with so many arguments reads later bars: a column alone is read as a whole.
    pub(super) fn reads_later_bars(&self, arguments: usize) -> bool {
        self.does != WHOLE_COLUMN || arguments <= 1
    }
}

/// Returns whether an argument's name asks for a window around the bar.
pub(super) fn is_centering(argument: &str) -> bool {
    ["center", "centre", "centered", "centred"].contains(&argument)
}
