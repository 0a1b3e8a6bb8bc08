//! The commands that take trained networks: predict, export, compress, bench.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{Lab, files_below};

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors");

/// Shape and values of every tensor of single-precision floats in a safetensors file, read by the format's definition: the length of
/// the header as eight bytes, the header as JSON, the values.
fn tensors(bytes: &[u8]) -> BTreeMap<String, (Vec<u64>, Vec<f32>)> {
    let header_end = 8 + u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes")) as usize;
    let header: Value = serde_json::from_slice(&bytes[8..header_end]).expect("a header in JSON");
    let number = |value: &Value| value.as_u64().expect("a whole number");
    let numbers = |value: &Value| value.as_array().expect("a list").iter().map(number).collect::<Vec<_>>();
    let of_floats = header.as_object().expect("an object").iter().filter(|(_, entry)| entry["dtype"] == "F32");
    of_floats
        .map(|(name, entry)| {
            let offsets = numbers(&entry["data_offsets"]);
            let data = &bytes[header_end + offsets[0] as usize..header_end + offsets[1] as usize];
            let values = data.as_chunks::<4>().0.iter().map(|value| f32::from_le_bytes(*value)).collect();
            (name.clone(), (numbers(&entry["shape"]), values))
        })
        .collect()
}

/// Returns the names of the reference networks, and a folder in which they lie.
fn references() -> (Vec<String>, Lab) {
    let lab = Lab::new();
    let mut names = Vec::new();
    for file in files_below(&Path::new(VECTORS).join("nn")) {
        let name = file.file_stem().expect("a file").to_str().expect("UTF-8").to_owned();
        let is_stack = name.starts_with("gru_") || name.starts_with("lstm_");
        if is_stack && file.extension().is_some_and(|kind| kind == "safetensors") {
            fs::copy(&file, lab.path(&format!("{name}.safetensors"))).expect("the folder is writable");
            names.push(name);
        }
    }
    (names, lab)
}

#[test]
fn predict_gives_pytorchs_outputs_for_every_reference_network_with_one_file_as_weights_and_input() {
    let (names, lab) = references();
    assert!(names.len() >= 9, "{names:?}");
    for name in &names {
        let document = lab
            .tidegate(&format!(
                "predict --weights {name}.safetensors --input {name}.safetensors --output {name}.out --json"
            ))
            .json();
        let (reference, found) =
            (tensors(&lab.read(&format!("{name}.safetensors"))), tensors(&lab.read(&format!("{name}.out"))));
        let is_lstm = name.starts_with("lstm");
        let expected: &[&str] = if is_lstm { &["c_n", "h_n", "output"] } else { &["h_n", "output"] };
        assert_eq!(found.keys().map(String::as_str).collect::<Vec<_>>(), expected, "{name}");
        assert_eq!(document["kind"], if is_lstm { "lstm" } else { "gru" });
        assert_eq!(document["bidirectional"], name.contains("_bi"), "{name}");
        for (tensor, (shape, values)) in &found {
            let (expected_shape, expected) = &reference[tensor];
            assert_eq!(shape, expected_shape, "{name} {tensor}");
            assert_eq!(document["tensors"][tensor], serde_json::json!(shape));
            let largest = values.iter().zip(expected).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max);
            assert!(largest < 1e-6, "{name} {tensor}: {largest}");
        }
    }
}

#[test]
fn predict_says_which_file_lacks_what() {
    let (_, lab) = references();
    lab.write("text.safetensors", "no tensors");
    let predict = |weights: &str, input: &str| {
        lab.tidegate(&format!("predict --weights {weights} --input {input} --output y.safetensors"))
    };
    predict("none.safetensors", "gru_l1.safetensors").refused(&["cannot read `none.safetensors`"]);
    let whole = ["in `text.safetensors`: ", "must be a whole safetensors file", "hint: "];
    predict("text.safetensors", "gru_l1.safetensors").refused(&whole);
    lab.tidegate("predict --weights gru_l1.safetensors --input gru_l1.safetensors --output states.safetensors").done();
    predict("gru_l1.safetensors", "states.safetensors")
        .refused(&["in `states.safetensors`: tensor `input` must be in the file, is missing"]);
    predict("states.safetensors", "gru_l1.safetensors").refused(&["found no tensor named like `weight_ih_l0`"]);
    predict("gru_l1.safetensors", "gru_article_size.safetensors").refused(&["tensor `input` must have shape"]);
    predict("gru_l1.safetensors --prefix lstm.", "gru_l1.safetensors").refused(&["behind the prefix `lstm.`"]);
    assert!(!lab.path("y.safetensors").exists());
}

#[test]
fn layers_of_pytorch_are_exported_in_every_build() {
    let (_, lab) = references();
    let onnx = lab.tidegate("export lstm_l2.safetensors --format onnx --out lstm.onnx --opset 20 --json").json();
    let summary = tidegate_onnx::ModelSummary::read(&lab.read("lstm.onnx")).expect("a model");
    assert_eq!(summary.opset.version(), 20);
    let names: Vec<&str> = summary.outputs.iter().map(|port| port.name.as_str()).collect();
    assert_eq!(names, ["output", "h_n", "c_n"]);
    assert_eq!(onnx["files"][0]["bytes"], lab.read("lstm.onnx").len());
    assert_eq!(onnx["has_head"], false);
    lab.tidegate("export gru_l2_bi.safetensors --format safetensors --out plain.safetensors").done();
    let (before, after) = (tensors(&lab.read("gru_l2_bi.safetensors")), tensors(&lab.read("plain.safetensors")));
    assert_eq!(after["weight_hh_l1_reverse"], before["w.weight_hh_l1_reverse"]);
    let export = |rest: &str| lab.tidegate(&format!("export gru_l1.safetensors --out x.onnx --format {rest}"));
    export("onnx --opset 9").refused(&["opset must be in [14, 22], was `9`", "hint: 17"]);
    export("onnx --split").refused(&["a file of recurrent layers alone cannot be split", "hint: "]);
    export("safetensors --opset 17").refused(&["`--opset` belongs to `--format onnx`", "hint: "]);
    export("torchscript --split").refused(&["`--split` belongs to `--format onnx`"]);
    lab.tidegate("export none.safetensors --out x.onnx --format onnx").refused(&["cannot read `none.safetensors`"]);
    lab.tidegate("export bars.csv --out x.onnx --format onnx").refused(&["must be a whole safetensors file"]);
    assert!(!lab.path("x.onnx").exists());
}

#[cfg(not(feature = "libtorch"))]
#[test]
fn what_needs_libtorch_says_so() {
    let (_, lab) = references();
    let needs = ["needs libtorch, which this build was made without", "hint: "];
    lab.tidegate("export gru_l1.safetensors --format torchscript --out x.pt").refused(&needs);
    lab.tidegate("compress gru_l1.safetensors --int8 --out x.safetensors").refused(&needs);
    lab.tidegate("bench claims").refused(&needs);
}

#[cfg(feature = "libtorch")]
mod with_libtorch {
    use tidegate_onnx::ModelSummary;

    use super::*;

    /// A folder with a run of four trained networks, two of each fold.
    fn run() -> Lab {
        let (lab, vectors) = (Lab::new(), Path::new(VECTORS).join("trained"));
        for source in files_below(&vectors) {
            let name = source.strip_prefix(&vectors).expect("the file lies below").to_str().expect("UTF-8");
            let target = if name.starts_with("members") { lab.path("cache").join(name) } else { lab.path(name) };
            fs::create_dir_all(target.parent().expect("a file lies in a folder")).expect("the folder is writable");
            fs::copy(&source, target).expect("the folder is writable");
        }
        lab.tidegate("run strategy.toml --cache cache --out run").done();
        lab
    }

    #[test]
    fn a_trained_network_leaves_a_run_in_every_form() {
        let lab = run();
        let document = lab.tidegate("export run --format onnx --out network.onnx --json").json();
        assert_eq!(document["fold"], 1);
        // 3 gates of 6 values, over 3 features and over 6 values, with two biases.
        assert_eq!(document["recurrent_weights"], 3 * 6 * (3 + 6 + 2) + 3 * 6 * (6 + 6 + 2));
        let whole = ModelSummary::read(&lab.read("network.onnx")).expect("a model");
        let value = |key: &str| -> Value {
            serde_json::from_str(whole.metadata.value(key).expect("a line")).expect("every line is JSON")
        };
        assert_eq!(value("tidegate.features"), serde_json::json!(["log_return_1", "volatility_10", "rsi_7"]));
        assert_eq!(value("tidegate.windows"), serde_json::json!([{ "bars": 8, "bar_multiple": 1 }]));
        assert_eq!(value("tidegate.symbols"), serde_json::json!(["AAA"]));
        assert!(value("tidegate.scaler").is_object() && value("tidegate.target").is_object());
        let split = lab.tidegate("export run --fold 0 --member 1 --format onnx --split --out n.onnx").done();
        assert!(split.stdout.contains("n.encoder.onnx") && split.stdout.contains("n.head.onnx"), "{}", split.stdout);
        let part = |name: &str| ModelSummary::read(&lab.read(name)).expect("a model");
        assert_eq!(part("n.encoder.onnx").outputs, part("n.head.onnx").inputs);
        lab.tidegate("export run --format torchscript --out network.pt").done();
        assert!(lab.read("network.pt").starts_with(b"PK"), "TorchScript is a zip archive");
        lab.tidegate("export run --format safetensors --out copy.safetensors").done();
        assert_eq!(lab.read("copy.safetensors"), lab.read("run/models/fold_001_member_00.safetensors"));
        let unfinished = |path: &Path| path.to_string_lossy().contains(".tmp");
        assert!(
            files_below(&lab.path("")).iter().all(|path| !unfinished(path.strip_prefix(lab.path("")).expect("below")))
        );
    }

    #[test]
    fn a_fold_or_network_that_is_not_there_is_named() {
        let lab = run();
        let export = |model: &str| lab.tidegate(&format!("export {model} --format onnx --out x.onnx"));
        export("run --fold 7").refused(&["fold must be one of `0`, `1`, was `7`"]);
        export("run --member 2").refused(&["member of fold `1` must be one of `0`, `1`, was `2`"]);
        export("cache").refused(&["`cache` must hold trained models, has none", "hint: "]);
        let mut bytes = lab.read("run/models/fold_001_member_00.safetensors");
        *bytes.last_mut().expect("not empty") ^= 1;
        fs::write(lab.path("damaged.safetensors"), bytes).expect("writable");
        export("damaged.safetensors")
            .refused(&["checkpoint must be one that tidegate wrote", "does not match its hash"]);
    }

    /// Returns the rows of a compression, and its document.
    fn compress(lab: &Lab, arguments: &str) -> (Vec<Value>, Value) {
        let document = lab.tidegate(&format!("compress {arguments} --rounds 1 --json")).json();
        (document["networks"].as_array().expect("a list").clone(), document)
    }

    #[test]
    fn a_network_becomes_smaller_in_three_ways_and_says_what_it_lost() {
        let lab = run();
        let size = |row: &Value| (row["parameters"].as_u64().expect("a count"), row["bytes"].as_u64().expect("a size"));
        let (int8, document) = compress(&lab, "run --int8 --out int8.safetensors");
        assert_eq!((document["fold"].clone(), int8.len()), (1.into(), 2));
        assert_eq!(size(&int8[0]).0, size(&int8[1]).0);
        assert_eq!(size(&int8[1]).1, lab.read("int8.safetensors").len() as u64);
        assert!(size(&int8[1]).1 < size(&int8[0]).1);
        let loss = |row: &Value| row["valid_loss"].as_f64().expect("a number");
        assert!((loss(&int8[0]) - loss(&int8[1])).abs() < 0.05, "{int8:?}");
        assert!(document["gru_layers_windows_per_second"]["int8"].as_f64().expect("a speed") > 0.0);
        let (pruned, _) = compress(&lab, "run --prune 0.5 --out pruned.safetensors");
        assert_eq!(pruned.len(), 3);
        // Two layers of 3 hidden values over 3 features, and a head of two outputs.
        assert_eq!(size(&pruned[2]).0, 3 * 3 * (3 + 3 + 2) + 3 * 3 * (3 + 3 + 2) + 2 * (3 + 1));
        let (distilled, _) = compress(&lab, "run --fold 0 --distil 2 --share 0.9 --out student.safetensors");
        assert_eq!(size(&distilled[2]).0, 3 * 2 * (3 + 2 + 2) + 3 * 2 * (2 + 2 + 2) + 2 * (2 + 1));
        // What was made smaller is a network like any other.
        lab.tidegate("export int8.safetensors --format onnx --out int8.onnx").done();
        let (again, _) = compress(&lab, "pruned.safetensors --strategy strategy.toml --int8 --out both.safetensors");
        assert!(size(&again[1]).1 < size(&int8[1]).1);
        assert_eq!(lab.tidegate("compress run --int8 --out again.safetensors --rounds 1").done().code, Some(0));
        assert_eq!(lab.read("again.safetensors"), lab.read("int8.safetensors"));
    }

    #[test]
    fn a_compression_that_cannot_be_is_refused() {
        let lab = run();
        let refused = |arguments: &str, parts: &[&str]| {
            lab.tidegate(&format!("compress {arguments} --out x.safetensors")).refused(parts);
        };
        refused("run --prune 1.0", &["the fraction to prune must be in (0, 1)", "was `1`"]);
        refused("run --prune 0.01", &["leave some of the `6` hidden values, not all"]);
        refused("run --distil 0", &["hidden_size must be in [1, 4096], was `0`"]);
        refused("run --distil 2 --share 1.5", &["share must be in [0, 1], was `1.5`"]);
        let member = "run/models/fold_000_member_00.safetensors";
        refused(&format!("{member} --int8"), &["does not say which", "hint: name the strategy with `--strategy FILE`"]);
        refused(&format!("{member} --int8 --strategy strategy.toml --fold 9"), &["fold must be below `2`", "was `9`"]);
        refused("bars.csv --int8 --strategy strategy.toml", &["checkpoint must be one that tidegate wrote"]);
        assert!(!lab.path("x.safetensors").exists());
    }

    #[test]
    fn every_claim_is_measured_beside_what_is_claimed() {
        let document = Lab::new().tidegate("bench claims --rounds 1 --json").json();
        let keys = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&document), ["machine", "rounds", "claims"]);
        assert_eq!(keys(&document["machine"]), ["processor", "cores", "threads", "clock"]);
        let claims = document["claims"].as_array().expect("a list");
        for claim in claims {
            assert_eq!(
                keys(claim),
                ["name", "what", "unit", "claimed", "measured", "low", "high", "holds", "why"],
                "{claim}"
            );
        }
        let names: Vec<&str> = claims.iter().filter_map(|claim| claim["name"].as_str()).collect();
        for name in [
            "gru_lstm_parameters",
            "gru_lstm_training",
            "gru_transformer_training",
            "int8_file_size",
            "packing_training",
        ] {
            assert!(names.contains(&name), "{names:?}");
        }
        // The one that does not depend on the machine.
        assert_eq!((claims[0]["measured"].as_f64(), claims[0]["holds"].as_bool()), (Some(25.0), Some(true)));
    }
}
