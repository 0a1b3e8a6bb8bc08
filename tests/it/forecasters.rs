//! Every kind of forecaster that a strategy file can state, from the file to the forecasts, on the bars that are checked in.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;
use tidegate_market::Timestamp;

use crate::support::{Finished, Lab};

/// Bars of `SPX`, a small network with a normal distribution, and one holdout.
const STRATEGY: &str = r#"
name = "Forecasters"
seed = 7

[data]
path = ["DATA/sp500_daily.csv", "DATA/nasdaq_daily.csv"]
symbols = ["SPX"]
interval = "1d"
timestamp = "open"
calendar = "sessions"
adjustment = "raw"
start = 2015-01-01
end = 2017-12-31

[features]
columns = [{ log_return = { bars = 1 } }, { volatility = { bars = 10 } }, { rsi = { bars = 7 } }]
scaler.standard = { winsorize_iqr = 3.0 }

[target.log_return]
horizon_bars = 1

[walk_forward.holdout]
train_fraction = 0.6
valid_fraction = 0.2

[model]
scales = [{ window_bars = 10, bar_multiple = 1 }]
ensemble_size = 1
encoder.gru = { hidden_size = 6, layers = 1, dropout = 0.0 }
head.gaussian = { variance_floor = 1e-4 }
loss = "gaussian_nll"

[training]
epochs_max = 3
batch_size = 32
gradient_clip_norm = 1.0
optimizer.adam = { learning_rate = 5e-3, weight_decay = 0.0 }
schedule.constant = {}

[strategy.forecast_threshold]
entry_threshold = 0.0
long_weight = 1.0
short_weight = -0.5

[account]
cash = 100000.0

[execution]
fill = "next_open"
commission.bps = 1.0
slippage.bps = 1.0
"#;

const BOTH: &str = r#"data.symbols=["SPX", "IXIC"]"#;

fn lab() -> Lab {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data");
    Lab::with(&STRATEGY.replace("DATA", data))
}

/// Runs a command on the strategy with some keys set, into the folder `out`.
fn tidegate(lab: &Lab, verb: &str, out: &str, overrides: &[&str]) -> Finished {
    let mut arguments = vec![verb, "s.toml", "--json", "--cache", "cache", "--out", out];
    for assignment in overrides {
        arguments.extend(["--set", assignment]);
    }
    Finished::from(lab.command(&arguments).output().expect("the binary runs"))
}

/// Trains and returns the scores.
#[track_caller]
fn trained(lab: &Lab, out: &str, overrides: &[&str]) -> Value {
    tidegate(lab, "train", out, overrides).json()["forecast"].take()
}

/// Reads a column of the forecasts; what is missing is not a number.
fn column(lab: &Lab, out: &str, name: &str) -> Vec<f64> {
    let values = lab.table(&format!("{out}/forecasts.parquet")).optional_floats(name);
    values.expect("a column of numbers").into_iter().map(|value| value.unwrap_or(f64::NAN)).collect()
}

fn ints(lab: &Lab, out: &str, name: &str) -> Vec<i64> {
    lab.table(&format!("{out}/forecasts.parquet")).ints(name).expect("a column of whole numbers")
}

fn texts(lab: &Lab, out: &str, name: &str) -> Vec<String> {
    lab.table(&format!("{out}/forecasts.parquet")).texts(name).expect("a column of texts")
}

fn times(lab: &Lab, out: &str) -> Vec<Timestamp> {
    lab.table(&format!("{out}/forecasts.parquet")).times("time").expect("a column of times")
}

fn number(value: &Value, place: &str) -> f64 {
    value.pointer(place).and_then(Value::as_f64).unwrap_or_else(|| panic!("{place} is no number in {value}"))
}

/// Returns the training losses of the only member, epoch by epoch.
fn losses(lab: &Lab, out: &str) -> Vec<f64> {
    let members = lab.json(&format!("{out}/models/members.json"));
    let member = members.as_object().and_then(|members| members.values().next()).expect("one member").clone();
    let epochs = member["report"]["epochs"].as_array().expect("a list").clone();
    epochs.iter().map(|epoch| number(epoch, "/train_loss")).collect()
}

#[test]
fn every_encoder_learns_and_forecasts_every_test_bar() {
    let gru = "hidden_size = 6, layers = 1, dropout = 0.0";
    let inner = format!("gru = {{ {gru} }}");
    let encoders = [
        ("gru", format!("{{ gru = {{ {gru}, bidirectional = true }} }}")),
        ("gru", format!("{{ gru = {{ {gru}, pooling = \"attention\" }} }}")),
        ("gru", format!("{{ gru = {{ {gru}, zoneout = 0.1, layer_norm = true, init = \"pytorch\" }} }}")),
        ("multi_scale_gru", format!("{{ multi_scale_gru = {{ {gru} }} }}")),
        ("lstm", format!("{{ lstm = {{ {gru} }} }}")),
        ("cnn_gru", format!("{{ cnn_gru = {{ channels = 4, kernel_size = 3, {inner} }} }}")),
        (
            "gru_transformer",
            format!(
                "{{ gru_transformer = {{ {inner}, heads = 2, layers = 1, feedforward_size = 8, dropout = 0.0 }} }}"
            ),
        ),
        (
            "transformer",
            "{ transformer = { model_size = 8, heads = 2, layers = 1, feedforward_size = 8, dropout = 0.0 } }"
                .to_owned(),
        ),
        ("linear", "{ linear = {} }".to_owned()),
        ("mlp", "{ mlp = { hidden_sizes = [8] } }".to_owned()),
    ];
    let lab = lab();
    for (name, encoder) in encoders {
        let scores = trained(&lab, "run", &[&format!("model.encoder={encoder}")]);
        assert_eq!(scores["pooled"]["name"], name);
        // 755 bars from 2015 to 2017, of which 604 train and validate; the last two have no label, but a forecast.
        let means = column(&lab, "run", "mean");
        assert_eq!(means.len(), 151, "{encoder}");
        assert!(means.iter().all(|mean| mean.is_finite() && mean.abs() < 0.1), "{encoder}");
        assert!(means.windows(2).any(|pair| pair[0] != pair[1]), "{encoder} says the same of every bar");
        let losses = losses(&lab, "run");
        assert!(losses.len() == 3 && losses[2] < losses[0], "{encoder} learns nothing: {losses:?}");
    }
}

#[test]
fn every_head_states_its_distribution() {
    let lab = lab();
    let heads = [
        ("point", "\"point\"", "\"mse\""),
        ("point", "\"point\"", "{ huber = { delta = 1.0 } }"),
        ("point", "\"point\"", "{ sharpe = { cost_bps = 1.0 } }"),
        ("normal", "{ gaussian = { variance_floor = 1e-4 } }", "\"crps\""),
        ("normal", "{ gaussian = { variance_floor = 1e-4 } }", "{ beta_nll = { beta = 0.5 } }"),
        ("student_t", "{ student_t = { variance_floor = 1e-4 } }", "\"student_t_nll\""),
        ("student_t", "{ student_t = { variance_floor = 1e-4, degrees_of_freedom = 5.0 } }", "\"crps\""),
        ("quantiles", "{ quantile = { levels = [0.025, 0.25, 0.5, 0.75, 0.975] } }", "\"pinball\""),
    ];
    for (distribution, head, loss) in heads {
        trained(&lab, "run", &[&format!("model.head={head}"), &format!("model.loss={loss}")]);
        assert!(texts(&lab, "run", "distribution").iter().all(|found| found == distribution), "{head}");
        let read = |name| column(&lab, "run", name);
        let (mean, volatility, lower, upper) = (read("mean"), read("volatility"), read("lower_95"), read("upper_95"));
        if distribution == "point" {
            assert!(
                [volatility, lower, upper].iter().flatten().all(|value| value.is_nan()),
                "{head} states a mean alone"
            );
        } else {
            assert!(volatility.iter().all(|volatility| *volatility > 0.0), "{head}");
            let inside = |row: usize| lower[row] < mean[row] && mean[row] < upper[row];
            assert!((0..mean.len()).all(inside), "{head}");
        }
        let freedom = read("degrees_of_freedom");
        if head.contains("degrees_of_freedom") {
            assert!(freedom.iter().all(|degrees| *degrees == 5.0));
        } else {
            assert!(freedom.iter().all(|degrees| degrees.is_nan() == (distribution != "student_t")));
        }
    }
}

#[test]
fn several_horizons_are_forecast_and_scored_one_by_one() {
    let lab = lab();
    let scores = trained(&lab, "run", &["target.log_return.horizon_bars=[1, 5, 20]"]);
    let (times, horizons) = (times(&lab, "run"), ints(&lab, "run", "horizon_bars"));
    assert_eq!(horizons.len(), 3 * 151);
    assert!(horizons.chunks(3).all(|of_bar| of_bar == [1, 5, 20]));
    assert!(times.chunks(3).all(|of_bar| of_bar[0] == of_bar[1] && of_bar[1] == of_bar[2]));
    let by_horizon = scores["by_horizon"].as_array().expect("a list");
    assert_eq!(by_horizon.iter().map(|scores| number(scores, "/horizon_bars")).collect::<Vec<_>>(), [1.0, 5.0, 20.0]);
    assert_eq!(by_horizon[0]["model"], scores["pooled"]["model"], "the nearest is the one that is traded");
    // From the next open: the last 1 + h bars have no label.
    let counts: Vec<f64> = by_horizon.iter().map(|scores| number(scores, "/model/count")).collect();
    assert_eq!(counts, [149.0, 145.0, 130.0]);
    let mse: Vec<f64> = by_horizon.iter().map(|scores| number(scores, "/model/mse")).collect();
    assert!(mse[0] < mse[1] && mse[1] < mse[2], "variance grows with the horizon: {mse:?}");
}

#[test]
fn a_change_of_the_price_is_scored_as_a_price_and_shown() {
    let lab = lab();
    let target = r#"target={ difference = { horizon_bars = [1, 5], price = "close" } }"#;
    let keys = [target, "model.head=\"point\"", "model.loss=\"mse\"", "training.epochs_max=1"];
    let scores = trained(&lab, "run", &keys);
    let mut shown = "horizon  relative squared error  last value\n".to_owned();
    for horizon in scores["by_horizon"].as_array().expect("a list") {
        let (own, last) = (number(horizon, "/level/relative_squared_error"), number(horizon, "/level/last_value"));
        // An index that rises by a tenth within the test set, against daily changes of half a percent.
        assert!(own > 0.01 && own < 0.5 && last > 0.01 && last < 0.5, "{own} and {last}");
        writeln!(shown, "{:>7}  {own:>22.4}  {last:>10.4}", horizon["horizon_bars"].as_u64().expect("bars"))
            .expect("text");
    }
    let mut arguments = vec!["train", "s.toml", "--cache", "cache", "--out", "run"];
    for assignment in keys {
        arguments.extend(["--set", assignment]);
    }
    let plain = Finished::from(lab.command(&arguments).output().expect("the binary runs")).done();
    assert!(plain.stdout.starts_with(&shown), "{}", plain.stdout);
}

#[test]
fn cross_validation_reports_every_path() {
    let lab = lab();
    let text = String::from_utf8(lab.read("s.toml")).expect("text");
    let holdout = "[walk_forward.holdout]\ntrain_fraction = 0.6\nvalid_fraction = 0.2\n";
    for (scheme, splits, paths) in [
        // C(4, 2) splits, each group tested in C(3, 1) of them.
        ("combinatorial]\ngroups = 4\ntest_groups = 2", 6, 3),
        ("purged_k_fold]\nfolds = 4", 4, 1),
    ] {
        let cut = format!("[cross_validation.{scheme}\nvalid_bars = 60\nembargo_bars = 20\n");
        lab.write("s.toml", &text.replace(holdout, &cut));
        let metrics = tidegate(&lab, "run", "run", &["training.epochs_max=1"]).json()["metrics"].take();
        let cross_validation = &metrics["cross_validation"];
        let found = cross_validation["paths"].as_array().expect("a list");
        assert_eq!(found.len(), paths, "{scheme}");
        assert_eq!(metrics["forecast"]["by_fold"].as_array().expect("a list").len(), splits, "{scheme}");
        let ratios: Vec<f64> = found.iter().map(|path| number(path, "/sharpe_ratio")).collect();
        let mean = ratios.iter().sum::<f64>() / paths as f64;
        assert!((number(cross_validation, "/sharpe_ratio_mean") - mean).abs() < 1e-9);
        assert_eq!(found[0]["sharpe_ratio"], metrics["performance"]["sharpe_ratio"], "the first path is the run's own");
        // Every bar with complete windows is forecast once per path: 10 bars of features, windows of 10.
        let mut by_time: BTreeMap<Timestamp, usize> = BTreeMap::new();
        for time in times(&lab, "run") {
            *by_time.entry(time).or_default() += 1;
        }
        assert_eq!(by_time.len(), 755 - 19, "{scheme}");
        assert!(by_time.values().all(|count| *count == paths), "{scheme}");
    }
}

#[test]
fn labels_that_overlap_count_by_their_uniqueness() {
    let lab = lab();
    let means = |out: &str, overrides: &[&str]| {
        trained(&lab, out, overrides);
        column(&lab, out, "mean")
    };
    let weights = "model.sample_weights={ label = \"uniqueness\" }";
    // Labels of one bar are each unique, so that their weights say nothing.
    let (plain, unique) = (means("plain", &[]), means("unique", &[weights]));
    assert!(plain.iter().zip(&unique).all(|(plain, unique)| (plain - unique).abs() < 1e-9));
    let long = "target.log_return.horizon_bars=10";
    assert_ne!(means("plain_10", &[long]), means("unique_10", &[long, weights]));
}

#[test]
fn recalibration_widens_variances_or_states_intervals() {
    let lab = lab();
    trained(&lab, "plain", &[]);
    let plain = column(&lab, "plain", "volatility");
    assert!(column(&lab, "plain", "interval_lower").iter().all(|bound| bound.is_nan()), "nobody asked for intervals");
    let again = |out: &str, recalibration: &str| {
        let key = format!("model.recalibration={recalibration}");
        let run = tidegate(&lab, "train", out, &[&key]).done();
        assert!(
            run.stderr.contains("1 trained models came from the cache"),
            "the network stays as it is: {}",
            run.stderr
        );
        assert_eq!(column(&lab, "plain", "mean"), column(&lab, out, "mean"));
        let (lower, upper) = (column(&lab, out, "interval_lower"), column(&lab, out, "interval_upper"));
        (
            column(&lab, out, "volatility"),
            lower.iter().zip(&upper).map(|(lower, upper)| upper - lower).collect::<Vec<_>>(),
        )
    };
    let (scaled, none) = again("scaled", "{ variance_scaling = {} }");
    let factor = scaled[0] / plain[0];
    assert!((factor - 1.0).abs() > 1e-3 && none.iter().all(|width| width.is_nan()));
    assert!(scaled.iter().zip(&plain).all(|(scaled, plain)| (scaled / plain - factor).abs() < 1e-12));

    let (same, widths) = again("split", "{ split_conformal = { coverage = 0.9, score = \"absolute\" } }");
    assert_eq!(same, plain);
    assert!(widths.iter().all(|width| *width > 0.0 && (width - widths[0]).abs() < 1e-12), "one width for all");

    let (same, moving) =
        again("adaptive", "{ adaptive_conformal = { coverage = 0.9, score = \"absolute\", step = 0.05 } }");
    assert_eq!(same, plain);
    assert!(moving.iter().all(|width| *width > 0.0));
    assert!(moving.iter().any(|width| (width - moving[0]).abs() > 1e-6), "the width learns from what comes true");
}

#[test]
fn ranks_across_symbols_are_learned_in_place_of_returns() {
    let lab = lab();
    let rank = "target.log_return.cross_sectional_rank={ score = \"uniform\", symbols_min = 2 }";
    let scores = trained(&lab, "run", &[BOTH, rank, "model.head=\"point\"", "model.loss=\"mse\""]);
    // Of two symbols one is at -0.5 and the other at 0.5 every day.
    assert_eq!(number(&scores, "/pooled/yardsticks/zero/mse"), 0.25);
    assert!((number(&scores, "/pooled/model/mse") - 0.25).abs() < 0.02);
    let yardsticks: Vec<_> = scores["pooled"]["yardsticks"].as_object().expect("a table").keys().collect();
    assert_eq!(
        yardsticks,
        ["zero", "historical_mean", "ridge", "boosted_trees"],
        "a rank has no volatility of returns"
    );
    let alone = tidegate(&lab, "train", "alone", &[rank]);
    alone.refused(&[
        "target.log_return.cross_sectional_rank: symbols_min must be at most the `1` symbols of data, was `2`",
    ]);
}

#[test]
fn an_embedding_tells_symbols_apart() {
    let lab = lab();
    trained(&lab, "without", &[BOTH]);
    trained(&lab, "with", &[BOTH, "model.symbol_embedding=2"]);
    let weights = |out: &str| lab.read(&format!("{out}/models/fold_000_member_00.safetensors"));
    let has_rows = |bytes: Vec<u8>| bytes.windows(16).any(|part| part == b"embedding.weight");
    assert!(has_rows(weights("with")) && !has_rows(weights("without")));
    assert_ne!(column(&lab, "with", "mean"), column(&lab, "without", "mean"));
    assert_eq!(texts(&lab, "with", "symbol").iter().filter(|symbol| *symbol == "IXIC").count(), 151);
}

#[test]
fn a_network_of_several_horizons_is_stepped_bar_by_bar() {
    let lab = lab();
    let horizons = "target.log_return.horizon_bars=[1, 5]";
    trained(&lab, "window", &[horizons]);
    let run = tidegate(&lab, "run", "stream", &[horizons, "model.inference=\"stream\""]).done();
    assert!(run.stderr.contains("1 trained models came from the cache"), "{}", run.stderr);
    let (window, stream) = (column(&lab, "window", "mean"), column(&lab, "stream", "mean"));
    assert_eq!((window.len(), stream.len()), (2 * 151, 2 * 151));
    // The first bar's forecasts come from one and the same window; from then on the state is carried.
    assert_eq!(window[..2], stream[..2]);
    assert!(window.iter().zip(&stream).skip(2).all(|(window, stream)| window != stream));
}
