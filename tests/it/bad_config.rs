//! Mistakes in a strategy file: file, line, column, the excerpt, what would be valid; exit code 1.

use crate::support::{ACCOUNT, BY_SIGN, HEAD, LEARNING, Lab, NETWORK, RIDGE, network, ridge, sma_cross};

/// Returns the one-based line of a text in a strategy file, for the expected message.
fn line_of(strategy: &str, text: &str) -> usize {
    let place = strategy.lines().position(|line| line.contains(text));
    place.unwrap_or_else(|| panic!("{text} is not in the file")) + 1
}

/// Replaces a text and expects the message to point at the replacement's line and at a column.
pub(crate) fn check(strategy: &str, from: &str, to: &str, column: usize, parts: &[&str]) {
    assert!(strategy.contains(from), "{from} is not in the file");
    let changed = strategy.replacen(from, to, 1);
    let place = format!("s.toml:{}:{column}: ", line_of(&changed, to.lines().next().expect("a line")));
    let lab = Lab::with(&changed);
    lab.attempt("check", &[]).refused(&[&[place.as_str()], parts].concat());
}

#[test]
fn a_misspelled_key_is_pointed_at_with_the_valid_keys() {
    check(
        &ridge(),
        "long_weight = 1.0",
        "long_wieght = 1.0",
        1,
        &[
            "unknown field `long_wieght`, expected one of `entry_threshold`, `long_weight`, `short_weight`",
            " | long_wieght = 1.0\n",
            " | ^^^^^^^^^^^\n",
            "hint: did you mean `long_weight`?",
        ],
    );
}

#[test]
fn the_binary_shows_the_place_of_a_mistake_as_the_library_states_it() {
    let lab = Lab::with(&ridge().replace("long_weight", "long_wieght"));
    for command in ["check s.toml", "run s.toml", "train s.toml", "features s.toml --out f.csv", "sweep s.toml"] {
        let shown = lab.tidegate(command);
        assert_eq!(shown.stderr.trim_end(), lab.attempt("check", &[]).stderr, "{command}");
        shown.refused(&["s.toml:", "hint: did you mean `long_weight`?"]);
    }
    lab.write("s.toml", &ridge());
    lab.tidegate("check s.toml --set account.cash=-1").refused(&["(set by `account.cash=-1`)"]);
}

#[test]
fn a_misspelled_key_inside_a_list_is_pointed_at() {
    check(
        &ridge(),
        "columns = [{ log_return = { bars = 1 } }",
        "columns = [{ log_return = { brs = 1 } }",
        29,
        &["unknown field `brs`, expected `bars` or `as`"],
    );
}

#[test]
fn an_unknown_strategy_lists_the_strategies() {
    check(
        &sma_cross(),
        "[strategy.sma_cross]",
        "[strategy.sma_crosss]",
        11,
        &[
            "unknown variant `sma_crosss`, expected one of `buy_and_hold`, `sma_cross`, `forecast_threshold`, `kelly`",
            "hint: did you mean `sma_cross`?",
        ],
    );
}

#[test]
fn a_value_of_another_type_is_pointed_at() {
    check(
        &ridge(),
        "long_weight = 1.0",
        "long_weight = \"much\"",
        15,
        &["invalid type: string \"much\", expected f64"],
    );
}

#[test]
fn a_value_out_of_range_is_pointed_at_with_its_range() {
    let cases: [(&str, &str, usize, &str); 6] = [
        ("cash = 100000.0", "cash = -1.0", 8, "account.cash: must be finite and above 0, was `-1`"),
        (
            "commission.bps = 5.0",
            "commission.bps = -1.0",
            18,
            "execution.commission.bps: must be in [0, 9999], was `-1`",
        ),
        (
            "short_weight = -0.5",
            "short_weight = 0.5",
            16,
            "strategy.forecast_threshold.short_weight: must be finite and at most 0, was `0.5`",
        ),
        ("ensemble_size = 1", "ensemble_size = 0", 17, "model.ensemble_size: must be at least 1, was `0`"),
        ("horizon_bars = 1", "horizon_bars = 0", 16, "horizon_bars must be at least `1` and rise, were `[0]`"),
        ("window_bars = 1,", "window_bars = 0,", 27, "model.scales[0].window_bars: must be at least 1, was `0`"),
    ];
    for (from, to, column, message) in cases {
        check(&ridge(), from, to, column, &[message]);
    }
}

#[test]
fn rules_that_span_keys_are_checked() {
    check(
        &sma_cross(),
        "slow_bars = 20",
        "slow_bars = 5",
        13,
        &["strategy.sma_cross.slow_bars: must be above fast_bars, which is `5`, was `5`"],
    );
    let lab = Lab::with(&sma_cross().replace("symbols = [\"AAA\"]", "symbols = [\"AAA\", \"AAA\"]"));
    lab.attempt("check", &[]).refused(&["data.symbols[1]: must name a symbol once, was `AAA` again"]);
    let two_sources = format!("{}\n[forecasts]\npath = \"f.csv\"\n", ridge());
    Lab::with(&two_sources).attempt("check", &[]).refused(&["forecasts: must not stand beside `[model]`"]);
}

#[test]
fn a_loss_that_does_not_fit_the_head_is_refused_with_those_that_do() {
    let strategy = network().replace("head.gaussian = { variance_floor = 1e-4 }", "head = \"point\"");
    let lab = Lab::with(&strategy);
    lab.attempt("check", &[]).refused(&[
        "s.toml:",
        "loss `beta_nll` does not fit head `point`",
        "hint: use loss `mse`, `huber` or `sharpe`, or head `gaussian`",
    ]);
}

#[test]
fn a_missing_table_is_named() {
    let without_training = network().split("[training]").next().expect("the text before").to_owned()
        + crate::support::BY_SIGN
        + crate::support::ACCOUNT;
    Lab::with(&without_training).attempt("check", &[]).refused(&["[training]", "missing"]);
    let no_forecasts = [crate::support::HEAD, crate::support::BY_SIGN, crate::support::ACCOUNT].concat();
    Lab::with(&no_forecasts)
        .attempt("check", &[])
        .refused(&["strategy: trades on forecasts, which need `[model]` or `[forecasts]`"]);
}

#[test]
fn broken_toml_is_pointed_at() {
    check(&sma_cross(), "[account]", "[account", 9, &["unclosed table, expected `]`", " | [account\n"]);
}

#[test]
fn a_missing_strategy_file_lists_those_beside_it() {
    let lab = Lab::with(&sma_cross());
    lab.tidegate("run t.toml").refused(&["t.toml: strategy file cannot be read", "has `s.toml`"]);
}

#[test]
fn an_override_is_named_in_the_mistake_that_it_makes() {
    let lab = Lab::with(&ridge());
    lab.attempt("check", &["account.cash=-1"])
        .refused(&["s.toml: account.cash: must be finite and above 0, was `-1` (set by `account.cash=-1`)"]);
    lab.attempt("check", &["model.ensemble_sise=2"]).refused(&[
        "s.toml: after the overrides: unknown field `ensemble_sise`, expected one of `scales`, `ensemble_size`",
        "hint: did you mean `ensemble_size`?",
    ]);
    lab.attempt("check", &["account.cash=much"])
        .refused(&["s.toml: after the overrides: invalid type: string \"much\", expected f64, in `cash = \"much\"`"]);
    lab.attempt("check", &["account"]).refused(&["an override must be `key=value`, was `account`", "--set strategy"]);
}

#[test]
fn dates_need_no_quotes() {
    let lab = Lab::with(&sma_cross().replace("timestamp = \"open\"", "timestamp = \"open\"\nstart = 2000-02-01"));
    let shown = lab.tidegate("check s.toml --set data.end=2000-12-29").done().stdout;
    assert!(shown.contains("2000-02-01 to 2000-12-29"), "{shown}");
    lab.attempt("check", &["data.end=soon"]).refused(&["time must be `YYYY-MM-DD`", "was `soon`"]);
    lab.attempt("check", &["data.end=7"]).refused(&["must be a date or a time, was integer"]);
}

#[test]
fn only_finished_runs_have_a_report() {
    Lab::new()
        .tidegate("report nowhere")
        .refused(&["cannot read `nowhere/manifest.json`", "hint: name the run directory that `tidegate run` printed"]);
    let lab = Lab::with(&sma_cross());
    lab.tidegate("run s.toml --out run").done();
    lab.write("run/report.json", "{\"header\"");
    lab.tidegate("report run").refused(&["`run/report.json` is damaged", "hint: run the experiment again"]);
}

#[test]
fn nothing_to_train_or_compute_is_said() {
    let lab = Lab::with(&sma_cross());
    lab.tidegate("train s.toml").refused(&["there is nothing to train: the config has no `[model]`"]);
    lab.tidegate("features s.toml --out f.csv").refused(&["features: is missing: there is nothing to compute"]);
}

#[cfg(not(feature = "libtorch"))]
#[test]
fn training_a_network_without_libtorch_is_refused_with_a_way_out() {
    let lab = Lab::with(&network());
    lab.attempt("check", &[]).done();
    lab.tidegate("run s.toml").refused(&[
        "training encoder `multi_scale_gru` needs libtorch, which this build was made without",
        "hint: train with a build with default features and bring its cache along",
    ]);
}

#[test]
fn what_cannot_be_stepped_bar_by_bar_is_refused() {
    let rule = "model.inference: must be `window`: `stream` carries the state of one network from bar to bar, and ";
    let stream = |model: &str| model.replace("[model]\n", "[model]\ninference = \"stream\"\n");
    let coarse = crate::support::streaming().replace("bar_multiple = 1", "bar_multiple = 5");
    for (model, found) in [
        (stream(NETWORK), "the windows of `2` scales do not step together"),
        (stream(RIDGE), "yardstick `ridge` has none"),
        (coarse, "with bar_multiple `5` there is no step at most bars"),
    ] {
        let lab = Lab::with(&[HEAD, LEARNING, &model, BY_SIGN, ACCOUNT].concat());
        lab.attempt("check", &[]).refused(&[&format!("{rule}{found}"), " | inference = \"stream\""]);
    }
}

#[cfg(feature = "libtorch")]
#[test]
fn a_device_that_is_not_there_is_refused() {
    let lab = Lab::with(&network());
    lab.tidegate("run s.toml --device gpu").refused(&["device must be `cpu`, `cuda` or `cuda:N`, was `gpu`"]);
    lab.tidegate("run s.toml --device cuda:99").refused(&["device `cuda:99` must be one of the", "hint: "]);
}

#[test]
fn what_a_fill_costs_must_be_said() {
    for (line, key, choices) in [
        ("fill = \"next_open\"\n", "fill", "`next_open`, `next_close`, `same_close`"),
        ("commission.bps = 5.0\n", "commission", "`none`, `bps`, `fixed`"),
        ("slippage.bps = 1.0\n", "slippage", "`none`, `bps`, `half_spread`"),
    ] {
        let lab = Lab::with(&sma_cross().replace(line, ""));
        let missing = format!("execution.{key}: is missing: state {choices}");
        lab.attempt("check", &[]).refused(&[&missing, "or a `profile` that does", " | [execution]\n"]);
        lab.attempt("check", &["execution.profile=backtrader"]).done();
    }
}

#[test]
fn the_keys_of_execution_are_pointed_at() {
    let cases: [(&str, &str, usize, &[&str]); 6] = [
        (
            "fill = \"next_open\"",
            "fill = \"nextopen\"",
            8,
            &["unknown variant `nextopen`, expected one of `next_open`, `next_close`", "did you mean `next_open`?"],
        ),
        (
            "fill = \"next_open\"",
            "profile = \"zipline\"\npath = \"worst\"",
            8,
            &["unknown variant `worst`, expected one of `pessimistic`, `nearest_extreme`, `close_only`"],
        ),
        (
            "slippage.bps = 1.0",
            "slippage.volume_share = { impact = 0.1, share_max = 1.5 }",
            53,
            &["execution.slippage.volume_share.share_max: must be in (0, 1], was `1.5`"],
        ),
        (
            "commission.bps = 5.0",
            "commission.tiered = [{ from_value = 0.0, bps = 5.0 }, { from_value = -1.0, bps = 2.0 }]",
            70,
            &["execution.commission.tiered[1].from_value: must be finite and above that of the tier before"],
        ),
        ("cash = 100000.0", "cash = 100000.0\nkind.margin = { initial = 0.5 }", 15, &["missing field `maintenance`"]),
        (
            "slippage.bps = 1.0",
            "slippage.bps = 1.0\nlatency.time = \"5 parsecs\"",
            1,
            &["must be a time above zero such as `250ms`", "was `5 parsecs`"],
        ),
    ];
    for (from, to, column, parts) in cases {
        let changed = sma_cross().replacen(from, to, 1);
        let line = to.lines().last().expect("a line");
        let place = format!("s.toml:{}:{column}: ", line_of(&changed, line));
        Lab::with(&changed).attempt("check", &[]).refused(&[&[place.as_str()], parts].concat());
    }
}

#[test]
fn an_instrument_that_is_not_traded_is_refused() {
    let lab = Lab::with(&format!("{}\n[instruments.AAB]\nlot_size = 1.0\n", sma_cross()));
    lab.attempt("check", &[]).refused(&[
        "instruments.AAB: must be one of `data.symbols`, was `AAB`",
        " | [instruments.AAB]\n",
        "hint: did you mean `AAA`?",
    ]);
}
