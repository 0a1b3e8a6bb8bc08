//! What cannot be learned or forecast: mistakes in the tables of forecasters, and data that give nothing to learn.

use crate::bad_config::check;
use crate::support::{ACCOUNT, BY_SIGN, HEAD, LEARNING, Lab, RIDGE, network, ridge};

#[test]
fn keys_of_a_network_are_pointed_at() {
    let encoder = "[model.encoder.multi_scale_gru]";
    check(
        &network(),
        encoder,
        "[model.encoder.multi_scale_gruu]",
        16,
        &[
            "unknown variant `multi_scale_gruu`, expected one of `gru`, `multi_scale_gru`, `lstm`, `cnn_gru`, `gru_transformer`, \
             `transformer`, `linear`, `mlp`",
            "hint: did you mean `multi_scale_gru`?",
        ],
    );
    check(
        &network(),
        "hidden_size = 4",
        "hiden_size = 4",
        1,
        &["unknown field `hiden_size`", "did you mean `hidden_size`?"],
    );
    let refused = |from: &str, to: &str, parts: &[&str]| {
        let strategy = network();
        assert!(strategy.contains(from), "{from} is not in the file");
        Lab::with(&strategy.replacen(from, to, 1)).attempt("check", &[]).refused(parts);
    };
    refused(
        encoder,
        "[model.encoder.lstm]",
        &["encoder `lstm` must have `1` scale, has `2`\nhint: use encoder `multi_scale_gru`", " | [model]\n"],
    );
    refused(
        "ensemble_size = 2",
        "ensemble_size = 2\nsymbol_embedding = 0",
        &["symbol_embedding must be in [1, 4096], was `0`"],
    );
    refused(
        "head.gaussian = { variance_floor = 1e-4 }",
        "head.quantile = { levels = [0.5, 0.1] }",
        &["levels must be each above the one before, was `0.1`"],
    );
    refused(
        "loss.beta_nll = { beta = 0.5 }",
        "loss = \"pinball\"",
        &[
            "loss `pinball` does not fit head `gaussian`\nhint: use loss `gaussian_nll`, `beta_nll` or `crps`, or head `quantile`",
        ],
    );
}

#[test]
fn windows_and_horizons_that_cannot_be_are_pointed_at() {
    check(
        &ridge(),
        "window_bars = 1,",
        "window_bars = 6, window_bars_min = 9,",
        48,
        &["model.scales[0].window_bars_min: window_bars_min must be from 1 to window_bars, `6`, was `9`"],
    );
    check(
        &ridge(),
        "horizon_bars = 1",
        "horizon_bars = [5, 1]",
        16,
        &["horizon_bars must be at least `1` and rise, were `[5, 1]`", " | horizon_bars = [5, 1]\n"],
    );
    let rank = "horizon_bars = 1\ncross_sectional_rank = { score = \"uniform\", symbols_min = 2 }";
    Lab::with(&ridge().replace("horizon_bars = 1", rank)).attempt("check", &[]).refused(&[
        "target.log_return.cross_sectional_rank: symbols_min must be at most the `1` symbols of data, was `2`",
        " | cross_sectional_rank = {",
    ]);
}

#[test]
fn a_window_longer_than_the_history_is_refused_with_what_a_sample_reads() {
    for verb in ["check", "run"] {
        let lab = Lab::with(&ridge().replace("window_bars = 1,", "window_bars = 600,"));
        lab.attempt(verb, &[]).refused(&[
            // Volatility over 10 bars looks back 10 more.
            "fold `0` has `0` training and `0` validation samples, too few to train on; a sample reads the last `610` bars, features \
             included, and its label looks `1` bars ahead",
            "hint: lengthen train_bars or valid_bars, or shorten window_bars",
        ]);
    }
}

#[test]
fn time_is_cut_one_way_and_in_parts_that_exist() {
    let cut = "[walk_forward.expanding]\ntrain_bars = 200\nvalid_bars = 60\ntest_bars = 120\n";
    let two = format!("[cross_validation.purged_k_fold]\nfolds = 4\nvalid_bars = 60\nembargo_bars = 20\n\n{cut}");
    let all = "[cross_validation.combinatorial]\ngroups = 4\ntest_groups = 4\nvalid_bars = 60\nembargo_bars = 20\n";
    let none = "[walk_forward.holdout]\ntrain_fraction = 0.6\nvalid_fraction = 0.5\n";
    for (cuts, column, message) in [
        (two.as_str(), 2, "cross_validation: must not stand beside `[walk_forward]`: time is cut one way"),
        (all, 2, "cross_validation: test_groups must be at least 1 and below groups, `4`, was `4`"),
        (
            none,
            2,
            "walk_forward: valid_fraction must be below 1 with train_fraction, `0.6`, so that there are bars to test",
        ),
    ] {
        check(&ridge(), cut, cuts, column, &[message]);
    }
}

#[test]
fn recalibrations_and_weights_that_cannot_be_are_pointed_at() {
    let size = "ensemble_size = 1";
    for (key, column, message) in [
        (
            "recalibration.split_conformal = { coverage = 1.5, score = \"absolute\" }",
            1,
            "model.recalibration: coverage must be in (0, 1), was `1.5`",
        ),
        (
            "recalibration.adaptive_conformal = { coverage = 0.9, score = \"absolut\", step = 0.1 }",
            62,
            "unknown variant `absolut`, expected `absolute` or",
        ),
        (
            "sample_weights = { label = \"uniqueness\", half_life_bars = -1.0 }",
            18,
            "model.sample_weights: half_life_bars must be finite and above 0, was `-1`",
        ),
    ] {
        // The key comes first, so that the message's line is its line.
        check(&ridge(), size, &format!("{key}\n{size}"), column, &[message]);
    }
    let streamed = network()
        .replace(", { window_bars = 3, bar_multiple = 5 }", "")
        .replace("ensemble_size = 2", "recalibration.variance_scaling = {}\nensemble_size = 2\ninference = \"stream\"");
    Lab::with(&streamed)
        .attempt("check", &[])
        .refused(&["model.recalibration: must not stand beside `inference = \"stream\"`: it needs whole blocks"]);
}

#[cfg(feature = "libtorch")]
#[test]
fn half_precision_is_refused_on_the_cpu() {
    let lab = Lab::with(&network().replace("batch_size = 64", "batch_size = 64\nmixed_precision = \"float16\""));
    lab.tidegate("run s.toml").refused(&[
        "mixed_precision must be absent on device `cpu`, was `float16`",
        "hint: remove it, or train on device `cuda`",
    ]);
}

/// A strategy on one feature that is the same on every bar.
fn constant() -> String {
    ridge().replace("{ rsi = { bars = 7 } }", "{ volume_ratio = { bars = 5 } }")
}

/// A folder with that strategy and bars whose volume never changes.
fn flat_volume() -> Lab {
    let lab = Lab::with(&constant());
    let text = String::from_utf8(lab.read("bars.csv")).expect("text");
    let mut lines = text.lines();
    let header = lines.next().expect("a header");
    assert!(header.ends_with(",volume"), "{header}");
    let flat = lines.map(|line| format!("{},1000\n", line.rsplit_once(',').expect("columns").0));
    lab.write("bars.csv", &format!("{header}\n{}", flat.collect::<String>()));
    lab
}

#[test]
fn a_constant_feature_is_named_by_check_by_the_run_and_in_its_report() {
    let lab = flat_volume();
    let warning = "feature `volume_ratio_5` is `1` in every training bar of 2 of 2 folds and tells a forecaster nothing there; remove it \
                   from `features.columns`, or look at the bars that it is computed from";
    let checked = lab.tidegate("check s.toml").done();
    let run = lab.tidegate("run s.toml --out run").done();
    for (what, text) in [("check", checked.stdout + &checked.stderr), ("run", run.stderr)] {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(warning), "{what}: {text}");
    }
    let report = lab.json("run/report.json");
    let warnings = report["warnings"].as_array().expect("a list");
    assert!(warnings.iter().any(|found| found == warning), "{warnings:?}");
}

#[test]
fn a_target_that_is_not_finite_is_named_by_symbol_and_time() {
    let lab = Lab::with(&ridge());
    let text = String::from_utf8(lab.read("bars.csv")).expect("text");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let place = lines.iter().position(|line| line.starts_with("AAA,")).expect("bars of AAA") + 100;
    let mut days = Vec::new();
    // An open of 1e-300 and one of 1e12 after it: each is a price, their ratio is none.
    for (line, (open, high, low)) in lines[place..].iter_mut().zip([("1e-300", "", "1e-300"), ("1e12", "1e12", "")]) {
        let cells: Vec<&str> = line.split(',').collect();
        days.push(cells[1].to_owned());
        *line = [cells[0], cells[1], open, kept(high, cells[3]), kept(low, cells[4]), cells[5], cells[6]].join(",");
    }
    lab.write("bars.csv", &lines.join("\n"));
    lab.attempt("check", &[]).refused(&[
        "the target `log_return_1` of `AAA` at ",
        " must be finite, was `inf`",
        &format!("hint: look at the prices of the bars from {}", days[0]),
        &format!(" to {}", days[1]),
        ", and drop those that are wrong",
    ]);
}

#[test]
fn a_price_that_never_moves_has_no_log_volatility_to_learn() {
    // Labels of bars whose price stands still are absent, not minus infinity; with all of them absent nothing can be learned.
    let target = "[target.log_volatility]\nhorizon_bars = 5\nprice = \"close\"\n";
    let learning = LEARNING.replace("[target.log_return]\nhorizon_bars = 1\n", target);
    let lab = Lab::with(&[HEAD, &learning, RIDGE, BY_SIGN, ACCOUNT].concat());
    lab.attempt("check", &[]).done();
    let text = String::from_utf8(lab.read("bars.csv")).expect("text");
    let still = text.lines().enumerate().map(|(row, line)| {
        let cells: Vec<&str> = line.split(',').collect();
        if row == 0 { format!("{line}\n") } else { format!("{},{},7,7,7,7,{}\n", cells[0], cells[1], cells[6]) }
    });
    lab.write("bars.csv", &still.collect::<String>());
    lab.attempt("check", &[]).refused(&["fold `0` has `0` training and `0` validation samples, too few to train on"]);
}

#[cfg(feature = "libtorch")]
mod checkpoints {
    use std::fs;
    use std::path::{Path, PathBuf};

    use serde_json::Value;

    use super::*;
    use crate::support::{assert_same_files, files_below};

    /// Trains the small networks, and the same with another hidden size, each into a cache and a folder of its own.
    fn trained() -> Lab {
        let lab = Lab::with(&network());
        lab.tidegate("run s.toml --cache cache --out run").done();
        lab.tidegate(
            "run s.toml --cache other --out larger --study other --set model.encoder.multi_scale_gru.hidden_size=5",
        )
        .done();
        lab
    }

    fn hash(bytes: &[u8]) -> Value {
        blake3::hash(bytes).to_hex().to_string().into()
    }

    fn edit(path: &Path, change: impl FnOnce(&mut Value)) {
        let mut sheet = serde_json::from_slice(&fs::read(path).expect("readable")).expect("JSON");
        change(&mut sheet);
        fs::write(path, sheet.to_string()).expect("writable");
    }

    fn first_checkpoint(lab: &Lab, cache: &str) -> PathBuf {
        let mut files = files_below(&lab.path(cache));
        files.retain(|path| path.extension().is_some_and(|kind| kind == "checkpoint"));
        files.sort();
        files.remove(0)
    }

    #[test]
    fn a_network_of_another_shape_in_the_cache_is_named_and_trained_again() {
        let lab = trained();
        let (own, other) = (first_checkpoint(&lab, "cache"), first_checkpoint(&lab, "other"));
        let bytes = fs::read(other).expect("readable");
        edit(&own.with_extension("json"), |sheet| sheet["checkpoint_hash"] = hash(&bytes));
        fs::write(&own, &bytes).expect("writable");
        let again = lab.tidegate("run s.toml --cache cache --out again").done();
        let key = own.file_stem().expect("a name").to_string_lossy().into_owned();
        assert!(again.stderr.contains(&format!("{key}.checkpoint` is damaged (")), "{}", again.stderr);
        assert!(again.stderr.contains("it is trained again"), "{}", again.stderr);
        let shapes = ["encoder must be `{", "\"hidden_size\":4,", "`, was `{", "\"hidden_size\":5,"];
        assert!(shapes.iter().all(|part| again.stderr.contains(part)), "{}", again.stderr);
        assert_same_files(&lab.files("run"), &lab.files("again"));
    }

    #[test]
    fn a_network_of_another_shape_in_the_runs_folder_is_named_and_trained_again() {
        let lab = trained();
        let before = lab.files("run");
        let file = "models/fold_000_member_00.safetensors";
        let bytes = lab.read(&format!("larger/{file}"));
        fs::write(lab.path(&format!("run/{file}")), &bytes).expect("writable");
        edit(&lab.path("run/models/members.json"), |list| {
            let members = list.as_object_mut().expect("a table");
            let entry = members.values_mut().find(|entry| file.ends_with(entry["file"].as_str().expect("a name")));
            entry.expect("the first member")["checkpoint_hash"] = hash(&bytes);
        });
        fs::remove_file(lab.path("run/metrics.json")).expect("the run wrote it");
        let again = lab.tidegate("run s.toml --cache empty --out run").done();
        assert!(again.stderr.contains("fold_000_member_00.safetensors` is damaged ("), "{}", again.stderr);
        assert!(again.stderr.contains("3 trained models came from the cache, 1 were trained"), "{}", again.stderr);
        assert_same_files(&before, &lab.files("run"));
    }
}

/// Returns the new text, or the old one where there is none.
fn kept<'a>(new: &'a str, old: &'a str) -> &'a str {
    if new.is_empty() { old } else { new }
}
