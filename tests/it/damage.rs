//! Damaged and interrupted training: nothing wrong is used, nothing finished is lost, and the bytes come out the same.

use std::path::PathBuf;

use crate::support::{Lab, assert_same_files, files_below, ridge};

/// Returns the cached checkpoints, sorted.
fn checkpoints(lab: &Lab) -> Vec<PathBuf> {
    let mut files = files_below(&lab.path("cache/members"));
    files.retain(|path| path.extension().is_some_and(|extension| extension == "checkpoint"));
    files.sort();
    files
}

/// Damages one cached checkpoint and expects the next run to say so, to train that member again, and to give the same bytes.
fn a_damaged_checkpoint_is_trained_again(strategy: &str, members: usize, damage: impl Fn(&PathBuf)) {
    let lab = Lab::with(strategy);
    lab.tidegate("run s.toml --cache cache --out one").done();
    let cached = checkpoints(&lab);
    assert_eq!(cached.len(), members);
    let whole = std::fs::read(&cached[0]).expect("readable");
    damage(&cached[0]);
    let again = lab.tidegate("run s.toml --json --cache cache --out two").done();
    assert!(again.stderr.contains("is damaged (") && again.stderr.contains("it is trained again"), "{}", again.stderr);
    assert!(again.stderr.contains(&cached[0].file_stem().expect("a name").to_string_lossy().into_owned()));
    let reused = format!("{} trained models came from the cache, 1 were trained", members - 1);
    assert!(again.stderr.contains(&reused), "{}", again.stderr);
    assert_eq!(again.json()["cached"], false);
    assert_same_files(&lab.files("one"), &lab.files("two"));
    assert_eq!(std::fs::read(&cached[0]).expect("readable"), whole, "the cache is whole again");
}

fn flip_a_byte(path: &PathBuf) {
    let mut bytes = std::fs::read(path).expect("readable");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(path, bytes).expect("writable");
}

fn cut_in_half(path: &PathBuf) {
    let bytes = std::fs::read(path).expect("readable");
    std::fs::write(path, &bytes[..bytes.len() / 2]).expect("writable");
}

/// Replaces the checkpoint by bytes that its sheet vouches for, but that no forecaster can read.
fn forge(path: &PathBuf) {
    let sheet_path = path.with_extension("json");
    let mut sheet: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&sheet_path).expect("readable")).expect("the sheet is JSON");
    cut_in_half(path);
    let bytes = std::fs::read(path).expect("readable");
    sheet["checkpoint_hash"] = blake3::hash(&bytes).to_hex().to_string().into();
    std::fs::write(&sheet_path, sheet.to_string()).expect("writable");
}

#[test]
fn a_flipped_byte_in_a_cached_linear_model_is_noticed() {
    a_damaged_checkpoint_is_trained_again(&ridge(), 2, flip_a_byte);
}

#[test]
fn a_cached_linear_model_that_cannot_be_restored_is_trained_again() {
    a_damaged_checkpoint_is_trained_again(&ridge(), 2, forge);
}

#[test]
fn a_damaged_sheet_beside_a_cached_model_is_noticed() {
    a_damaged_checkpoint_is_trained_again(&ridge(), 2, |path| cut_in_half(&path.with_extension("json")));
}

#[cfg(feature = "libtorch")]
mod networks {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    use super::*;
    use crate::support::network;

    #[test]
    fn a_flipped_byte_in_a_cached_network_is_noticed() {
        a_damaged_checkpoint_is_trained_again(&network(), 4, flip_a_byte);
    }

    #[test]
    fn a_cached_network_that_cannot_be_restored_is_trained_again() {
        a_damaged_checkpoint_is_trained_again(&network(), 4, forge);
    }

    /// Eight folds of one member, each a good while of work for one thread.
    fn long_training() -> String {
        let work = [
            ("test_bars = 120", "test_bars = 30"),
            ("ensemble_size = 2", "ensemble_size = 1"),
            ("epochs_max = 2", "epochs_max = 300"),
        ];
        work.iter().fold(network(), |text, (from, to)| text.replace(from, to))
    }

    #[test]
    fn an_interrupted_training_keeps_finished_folds_and_resumes_to_the_same_bytes() {
        let lab = Lab::with(&long_training());
        let arguments = ["train", "s.toml", "--cache", "cache", "--out", "stopped", "--threads", "1"];
        let child =
            lab.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
        let deadline = Instant::now() + Duration::from_mins(2);
        while checkpoints(&lab).is_empty() {
            assert!(Instant::now() < deadline, "no fold was finished");
            std::thread::sleep(Duration::from_millis(2));
        }
        let signalled = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs");
        assert!(signalled.success(), "the training had ended before it could be stopped");
        let stopped = crate::support::Finished::from(child.wait_with_output().expect("the child ends"));
        assert_eq!(stopped.code, Some(130), "{stopped:?}");
        assert_eq!(stopped.stdout, "");
        assert!(stopped.stderr.contains("error: stopped; "), "{}", stopped.stderr);
        assert!(!lab.path("stopped/forecasts.parquet").exists(), "nothing half-done is written");
        let kept = checkpoints(&lab).len();
        assert!((1..8).contains(&kept), "{kept} of 8 folds were kept");

        let resumed = lab.tidegate("train s.toml --json --cache cache --out stopped").json();
        assert_eq!(resumed["members_reused"], kept);
        assert_eq!(resumed["members_trained"], 8 - kept);
        lab.tidegate("train s.toml --no-cache --out whole").done();
        assert_same_files(&lab.files("whole"), &lab.files("stopped"));
    }
}
