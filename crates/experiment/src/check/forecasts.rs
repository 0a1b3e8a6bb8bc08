//! What forecasts in a run, and whether its strategy reads it as what it is.

use serde::Serialize;
use tidegate_features::TargetSpec;
use tidegate_forecast::{CrossValidation, FoldScheme, WalkForward};
use tidegate_models::{Head, Loss, parameter_count};

use super::CheckedFold;
use crate::config::StrategyConfig;
use crate::dataset::Dataset;
use crate::resolve::{ForecastPlan, ForecasterPlan, NetworkPlan};

/// Numbers learned for each label above which a check warns.
const PARAMETERS_PER_LABEL_MAX: usize = 10;

/// What forecasts in a run.
#[derive(Debug, Clone, Serialize)]
pub struct CheckedForecaster {
    /// The forecaster's name.
    pub name: String,
    /// What it forecasts.
    pub target: String,
    /// How many bars ahead, the nearest first.
    pub horizon_bars: Vec<u32>,
    /// How time is cut, and whether the forecasts could have been traded.
    pub scheme: String,
    /// Whether every model learns from bars before those that it forecasts alone.
    pub is_causal: bool,
    /// Numbers that one member learns; null for a yardstick, and for a network that a build without libtorch cannot lay out.
    pub parameters: Option<usize>,
    /// Width of the encoder's hidden layers; null without any.
    pub hidden_size: Option<usize>,
    /// What width is usual for the smallest fold's training samples; null for a yardstick.
    pub hidden_size_advice: Option<String>,
}

impl CheckedForecaster {
    pub(super) fn new(plan: &ForecastPlan, dataset: &Dataset, folds: &[CheckedFold]) -> Self {
        let features: usize = plan.features.iter().map(|spec| spec.column_names().len()).sum();
        let network = match &plan.forecaster {
            ForecasterPlan::Network(network, _) => Some(network),
            ForecasterPlan::Yardstick(_) => None,
        };
        let samples = folds.iter().map(|fold| fold.train_samples).min().unwrap_or(0);
        let (least, most) = hidden_sizes_advised(samples);
        let spec =
            |network: &NetworkPlan| network.spec(vec![features; plan.scales.len()], dataset.symbols.len().max(1));
        Self {
            name: plan.forecaster.name(),
            target: plan.target.name(),
            horizon_bars: plan.target.parameters().horizon_bars.bars().collect(),
            scheme: scheme(&plan.scheme),
            is_causal: matches!(plan.scheme, FoldScheme::WalkForward(_)),
            parameters: network.and_then(|network| parameter_count(&spec(network))),
            hidden_size: network.and_then(|network| network.encoder.hidden_size()),
            hidden_size_advice: network
                .map(|_| format!("`{least}` to `{most}` is usual for `{samples}` training samples")),
        }
    }
}

fn scheme(scheme: &FoldScheme) -> String {
    let walk = |name: &str| format!("{name}: every model learns from earlier bars alone");
    match scheme {
        FoldScheme::WalkForward(WalkForward::Rolling { .. }) => walk("rolling walk-forward"),
        FoldScheme::WalkForward(WalkForward::Expanding { .. }) => walk("expanding walk-forward"),
        FoldScheme::WalkForward(WalkForward::Holdout { .. }) => walk("holdout"),
        FoldScheme::CrossValidation(validation) => {
            let name = match validation {
                CrossValidation::PurgedKFold { .. } => "purged k-fold",
                CrossValidation::Combinatorial { .. } => "combinatorial purged cross-validation",
            };
            let paths = validation.path_count().unwrap_or(0);
            format!(
                "{name} with `{paths}` paths: models learn from later bars too, so nothing of it could have been traded"
            )
        }
    }
}

/// Returns the least and the largest hidden size that practitioners advise: 32 to 64 below 1,000 samples, 64 to 128 below 10,000,
/// 128 to 256 above.
pub(super) const fn hidden_sizes_advised(samples: usize) -> (usize, usize) {
    match samples {
        0..1_000 => (32, 64),
        1_000..10_000 => (64, 128),
        _ => (128, 256),
    }
}

/// Warns of a scheme whose forecasts nobody could have traded; the report says so in its own words.
pub(super) fn scheme_warning(plan: &ForecastPlan) -> Option<String> {
    matches!(plan.scheme, FoldScheme::CrossValidation(_)).then(|| {
        "cross-validation is not causal: its models learned from bars after those that they forecast".to_owned()
    })
}

/// Returns what an expert would warn of where a strategy takes a forecast for what it is not.
pub(super) fn strategy_warnings(strategy: &StrategyConfig, plan: &ForecastPlan) -> Vec<String> {
    let mut warnings = Vec::new();
    if let ForecasterPlan::Network(_, training) = &plan.forecaster
        && training.mixed_precision.is_some()
    {
        warnings.push("`mixed_precision` needs device `cuda` and gives other weights than single precision".to_owned());
    }
    let Some(reader) = Reader::of(strategy) else { return warnings };
    let name = reader.name;
    if let Some(found) = not_a_return(plan) {
        warnings.push(format!("`{name}` takes forecasts for returns, and the target is {found}"));
    } else if reader.reads_mean && nearest_horizon(plan) > 1 {
        let bars = nearest_horizon(plan);
        warnings.push(format!(
            "forecasts look `{bars}` bars ahead, and `{name}` follows the newest at every bar: a position may be gone long before the \
             return that it was taken for is over, so the scores are not of what is traded"
        ));
    }
    let ForecasterPlan::Network(network, _) = &plan.forecaster else { return warnings };
    if reader.reads_variance && matches!(network.head, Head::Point) {
        warnings
            .push(format!("`{name}` sizes by the forecast variance, and head `point` states none: nothing is traded"));
    }
    if reader.reads_size && matches!(network.loss, Loss::Sharpe { .. }) {
        warnings.push(format!(
            "`{name}` reads the size of a forecast, and with loss `sharpe` that is a position, not an expected return"
        ));
    }
    warnings
}

/// Warns of a network that learns far more numbers than it has labels to learn them from.
pub(super) fn size_warning(plan: &ForecastPlan, forecaster: &CheckedForecaster, samples: usize) -> Option<String> {
    let labels = samples * plan.target.parameters().horizon_bars.bars().count();
    let parameters = forecaster.parameters?;
    (parameters > PARAMETERS_PER_LABEL_MAX * labels).then(|| {
        format!(
            "a member learns `{parameters}` numbers from `{labels}` labels, more than `{PARAMETERS_PER_LABEL_MAX}` from each: it can \
             learn them by heart"
        )
    })
}

/// How many bars ahead the forecast reaches that is traded.
fn nearest_horizon(plan: &ForecastPlan) -> u32 {
    plan.target.parameters().horizon_bars.bars().min().unwrap_or(1)
}

/// Returns what the target is, in words, unless it is a return.
fn not_a_return(plan: &ForecastPlan) -> Option<&'static str> {
    if plan.rank.is_some() {
        return Some("a rank across symbols");
    }
    match plan.target {
        TargetSpec::LogReturn(_) | TargetSpec::SimpleReturn(_) => None,
        TargetSpec::Difference(_) => Some("a difference of prices"),
        TargetSpec::RealizedVariance(_) => Some("a variance"),
        TargetSpec::LogVolatility(_) => Some("the logarithm of a volatility"),
    }
}

/// What a strategy reads of a forecast.
struct Reader {
    name: &'static str,
    reads_mean: bool,
    reads_variance: bool,
    /// Whether more than the sign of the mean matters.
    reads_size: bool,
}

impl Reader {
    /// Returns what a strategy reads; `None` for one that takes no forecast for a return.
    fn of(strategy: &StrategyConfig) -> Option<Self> {
        match strategy {
            StrategyConfig::Kelly(_) => {
                Some(Self { name: "kelly", reads_mean: true, reads_variance: true, reads_size: true })
            }
            StrategyConfig::VolatilityTarget(target) if target.lookback_bars.is_none() => {
                Some(Self { name: "volatility_target", reads_mean: false, reads_variance: true, reads_size: false })
            }
            StrategyConfig::ForecastThreshold(threshold) => Some(Self {
                name: "forecast_threshold",
                reads_mean: true,
                reads_variance: false,
                reads_size: threshold.entry_threshold != 0.0,
            }),
            _ => None,
        }
    }
}

/// Returns what an expert would try.
pub(super) fn hints(plan: &ForecastPlan) -> Vec<String> {
    let farthest = plan.target.parameters().horizon_bars.bars().max().unwrap_or(1);
    let overlaps = farthest > 1 && plan.sample_weights.is_none();
    let weights = overlaps.then(|| {
        format!(
            "labels over `{farthest}` bars overlap, so that a bar counts up to `{farthest}` times; `model.sample_weights` weighs \
             samples by how much of their label is their own"
        )
    });
    weights.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::ConfigSource;
    use crate::resolve::{ForecastSource, ResolvedExperiment};

    const KELLY: &str = "kelly = { fraction = 0.5, weight_max = 1.0, allow_short = true, rebalance_tolerance = 0.1 }";
    const TARGET_VOLATILITY: &str =
        "volatility_target = { annual_volatility = 0.1, weight_max = 1.0, rebalance_tolerance = 0.1 }";
    const THRESHOLD: &str = "forecast_threshold = { entry_threshold = 0.001, long_weight = 1.0, short_weight = 0.0 }";
    const SIGN: &str = "forecast_threshold = { entry_threshold = 0.0, long_weight = 1.0, short_weight = 0.0 }";
    const WALK: &str = "walk_forward.rolling = { train_bars = 500, valid_bars = 100, test_bars = 100 }";
    const GAUSSIAN: &str = "loss = \"gaussian_nll\"\nhead.gaussian = { variance_floor = 1e-4 }";
    const POINT: &str = "loss = \"mse\"\nhead = \"point\"";
    const SHARPE: &str = "loss.sharpe = { cost_bps = 1.0 }\nhead = \"point\"";

    fn resolved(strategy: &str, target: &str, scheme: &str, model: &str, training: &str) -> ResolvedExperiment {
        let text = format!(
            "name = \"Fixture\"\nseed = 7\nstrategy.{strategy}\naccount.cash = 1.0\n{scheme}\n{target}\n\
             [data]\npath = \"b.csv\"\nsymbols = [\"AAA\", \"BBB\"]\ninterval = \"1d\"\ntimestamp = \"open\"\n\
             calendar = \"sessions\"\nadjustment = \"raw\"\n[features]\ncolumns = [{{ simple_return = {{ bars = 1 }} }}]\n\
             scaler.none = {{}}\n[model]\nscales = [{{ window_bars = 10, bar_multiple = 1 }}]\nensemble_size = 1\n\
             encoder.gru = {{ hidden_size = 8, layers = 1, dropout = 0.0 }}\n{model}\n\
             [training]\nepochs_max = 1\nbatch_size = 8\noptimizer.adam = {{ learning_rate = 1e-3, weight_decay = 0.0 }}\n\
             schedule = \"constant\"\n{training}\n\
             [execution]\nfill = \"next_open\"\ncommission.bps = 1.0\nslippage.bps = 1.0\n"
        );
        let source = ConfigSource::from_text(Path::new("s.toml"), text);
        ResolvedExperiment::from_source(&source).unwrap_or_else(|error| panic!("{error}"))
    }

    fn warned(experiment: &ResolvedExperiment) -> Vec<String> {
        let ForecastSource::WalkForward(plan) = &experiment.forecasts else { panic!("a model") };
        strategy_warnings(&experiment.config.strategy, plan)
    }

    fn check(strategy: &str, target: &str, model: &str, expected: &[&str]) {
        let found = warned(&resolved(strategy, target, WALK, model, ""));
        assert_eq!(found.len(), expected.len(), "{strategy}, {target}: {found:?}");
        for (warning, part) in found.iter().zip(expected) {
            assert!(warning.contains(part), "{part}: {warning}");
        }
    }

    #[test]
    fn the_advised_size_grows_with_the_samples() {
        let advised = [999, 1_000, 9_999, 10_000].map(hidden_sizes_advised);
        assert_eq!(advised, [(32, 64), (64, 128), (64, 128), (128, 256)]);
    }

    #[test]
    fn a_strategy_that_takes_something_else_for_a_return_is_warned_of() {
        let simple = "target.simple_return = { horizon_bars = 1 }";
        for strategy in [KELLY, TARGET_VOLATILITY, THRESHOLD] {
            check(strategy, simple, GAUSSIAN, &[]);
            check(strategy, "target.realized_variance = { horizon_bars = 5 }", GAUSSIAN, &["the target is a variance"]);
            check(strategy, "target.log_volatility = { horizon_bars = 5 }", GAUSSIAN, &["logarithm of a volatility"]);
            check(strategy, "target.difference = { horizon_bars = 1 }", GAUSSIAN, &["a difference of prices"]);
        }
        let ranks = "target.simple_return = { horizon_bars = 1, cross_sectional_rank = { symbols_min = 2, score = \"uniform\" } }";
        check(KELLY, ranks, GAUSSIAN, &["a rank across symbols"]);
    }

    #[test]
    fn a_forecast_that_reaches_farther_than_the_next_decision_is_warned_of() {
        let week = "target.simple_return = { horizon_bars = 5 }";
        for strategy in [KELLY, THRESHOLD, SIGN] {
            check(strategy, week, GAUSSIAN, &["forecasts look `5` bars ahead"]);
            check(strategy, "target.simple_return = { horizon_bars = [1, 5] }", GAUSSIAN, &[]);
        }
        // A variance is divided by its bars, so that its horizon does not matter.
        check(TARGET_VOLATILITY, week, GAUSSIAN, &[]);
    }

    #[test]
    fn ten_numbers_for_a_label_are_too_many() {
        let warned = |horizons: &str, parameters, samples| {
            let target = format!("target.simple_return = {{ horizon_bars = {horizons} }}");
            let experiment = resolved(SIGN, &target, WALK, GAUSSIAN, "");
            let ForecastSource::WalkForward(plan) = &experiment.forecasts else { panic!("a model") };
            let forecaster = CheckedForecaster {
                name: "gru".to_owned(),
                target: "return".to_owned(),
                horizon_bars: vec![1],
                scheme: String::new(),
                is_causal: true,
                parameters,
                hidden_size: None,
                hidden_size_advice: None,
            };
            size_warning(plan, &forecaster, samples)
        };
        assert_eq!(warned("1", Some(4_000), 400), None);
        let warning = warned("1", Some(4_001), 400).expect("too many");
        assert!(warning.starts_with("a member learns `4001` numbers from `400` labels"), "{warning}");
        assert_eq!(warned("[1, 5]", Some(8_000), 400), None);
        assert_eq!(warned("1", None, 400), None);
    }

    #[test]
    fn a_head_without_a_variance_sizes_nothing() {
        let simple = "target.simple_return = { horizon_bars = 1 }";
        check(KELLY, simple, POINT, &["head `point` states none"]);
        check(TARGET_VOLATILITY, simple, POINT, &["head `point` states none"]);
        check(THRESHOLD, simple, POINT, &[]);
    }

    #[test]
    fn the_sharpe_loss_states_positions_whose_sign_alone_is_a_forecast() {
        let simple = "target.simple_return = { horizon_bars = 1 }";
        check(THRESHOLD, simple, SHARPE, &["a position, not an expected return"]);
        check(SIGN, simple, SHARPE, &[]);
        check(KELLY, simple, SHARPE, &["head `point` states none", "a position, not an expected return"]);
    }

    #[test]
    fn cross_validation_and_mixed_precision_are_named() {
        let simple = "target.simple_return = { horizon_bars = 1 }";
        let folds = "cross_validation.purged_k_fold = { folds = 5, valid_bars = 50, embargo_bars = 10 }";
        let experiment = resolved(KELLY, simple, folds, GAUSSIAN, "mixed_precision = \"float16\"");
        let ForecastSource::WalkForward(plan) = &experiment.forecasts else { panic!("a model") };
        let warning = scheme_warning(plan).expect("not causal");
        assert!(warning.starts_with("cross-validation is not causal"), "{warning}");
        let found = warned(&experiment);
        assert!(found[0].starts_with("`mixed_precision` needs device `cuda`"), "{found:?}");
        assert!(scheme(&plan.scheme).starts_with("purged k-fold with `1` paths"), "{}", scheme(&plan.scheme));
    }

    #[test]
    fn overlapping_labels_without_weights_are_hinted_at() {
        let hinted = |target: &str, model: &str| {
            let experiment = resolved(SIGN, target, WALK, &format!("{GAUSSIAN}\n{model}"), "");
            let ForecastSource::WalkForward(plan) = &experiment.forecasts else { panic!("a model") };
            hints(plan).len()
        };
        assert_eq!(hinted("target.simple_return = { horizon_bars = 1 }", ""), 0);
        assert_eq!(hinted("target.simple_return = { horizon_bars = [1, 5] }", ""), 1);
        let weights = "sample_weights.label = \"uniqueness\"";
        assert_eq!(hinted("target.simple_return = { horizon_bars = [1, 5] }", weights), 0);
    }
}
