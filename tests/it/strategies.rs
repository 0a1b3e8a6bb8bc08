//! Every file in `strategies/` is valid and runs; networks are made small and trained briefly.

use std::path::{Path, PathBuf};

use crate::support::{Finished, Lab};

pub(crate) fn strategies() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../strategies");
    let entries = std::fs::read_dir(folder).expect("the folder is checked in").filter_map(Result::ok);
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    assert!(files.len() >= 5, "only {} strategies", files.len());
    files
}

/// Returns the overrides that make a strategy small: none where nothing is trained.
pub(crate) fn smaller(text: &str) -> Vec<String> {
    let encoder =
        ["multi_scale_gru", "gru", "lstm"].into_iter().find(|name| text.contains(&format!("encoder.{name}]")));
    let Some(encoder) = encoder else { return Vec::new() };
    vec![
        "training.epochs_max=1".to_owned(),
        "model.ensemble_size=1".to_owned(),
        format!("model.encoder.{encoder}.hidden_size=4"),
        "data.end=2007-12-31".to_owned(),
    ]
}

fn command(lab: &Lab, verb: &str, file: &Path) -> Finished {
    let text = std::fs::read_to_string(file).expect("the file was just listed");
    let overrides = smaller(&text);
    let mut arguments = vec![verb, file.to_str().expect("the path is UTF-8"), "--json"];
    for assignment in &overrides {
        arguments.extend(["--set", assignment]);
    }
    Finished::from(lab.command(&arguments).output().expect("the binary runs"))
}

#[test]
fn every_strategy_says_how_to_run_it_and_passes_its_check() {
    let lab = Lab::new();
    for file in strategies() {
        let text = std::fs::read_to_string(&file).expect("the file was just listed");
        let name = file.file_name().expect("a file").to_string_lossy().into_owned();
        assert!(text.contains(&format!("tidegate run strategies/{name}")), "{name} does not say how to run it");
        let checked = command(&lab, "check", &file).json();
        assert_eq!(checked["warnings"], serde_json::json!([]), "{name}");
        assert_eq!(checked["folds"].as_array().expect("a list").is_empty(), !text.contains("[walk_forward"), "{name}");
    }
}

#[test]
fn every_strategy_runs() {
    let lab = Lab::new();
    for file in strategies() {
        let finished = command(&lab, "run", &file);
        let is_network = std::fs::read_to_string(&file).expect("the file was just listed").contains("[training]");
        if is_network && cfg!(not(feature = "libtorch")) {
            finished.refused(&["training encoder", "needs libtorch"]);
            continue;
        }
        let document = finished.json();
        let name = file.file_stem().expect("a file").to_string_lossy().into_owned();
        assert!(document["run_dir"].as_str().expect("a path").starts_with(&format!("runs/{name}/")));
        let execution = &document["metrics"]["execution"];
        assert!(execution["fills"].as_u64().is_some_and(|fills| fills > 0), "{name} traded nothing");
        assert!(execution["commission"].as_f64().is_some_and(|commission| commission > 0.0), "{name} traded for free");
    }
}
