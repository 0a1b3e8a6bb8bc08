//! A run that is killed at any moment and started again ends with the bytes of one that was not.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use crate::support::{Finished, Lab, assert_same_files, files_below, network};

const COMMAND: [&str; 8] = ["run", "s.toml", "--cache", "cache", "--out", "run", "--threads", "2"];

/// Two folds of two members each, of enough epochs for ten interruptions.
fn strategy() -> String {
    network().replace("epochs_max = 2", "epochs_max = 24\nearly_stopping_patience = 24")
}

/// When a run is killed: so many epochs after its start, and so long after the last of them was kept.
struct Moment {
    epochs: u64,
    delay: Duration,
}

/// Draws the moments from a seed (a linear congruential generator; Knuth's MMIX constants).
fn moments(count: usize, seed: u64) -> Vec<Moment> {
    let mut state = seed;
    let mut below = |limit: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % limit
    };
    let moment = |_| Moment { epochs: below(7), delay: Duration::from_micros(below(25_000)) };
    (0..count).map(moment).collect()
}

/// The states of trainings that have not ended, each with when it was written.
fn unfinished(lab: &Lab) -> BTreeMap<PathBuf, SystemTime> {
    let states = files_below(&lab.path("cache")).into_iter();
    let states = states.filter(|path| path.extension().is_some_and(|kind| kind == "unfinished"));
    states.filter_map(|path| Some((path.clone(), path.metadata().and_then(|data| data.modified()).ok()?))).collect()
}

fn start(lab: &Lab) -> Child {
    lab.command(&COMMAND).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs")
}

/// Waits until a condition holds; a run that ends before is a failure of the test's own making.
fn wait_until(child: &mut Child, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(child.try_wait().expect("it is ours").is_none(), "the run ended before it could be killed");
        assert!(started.elapsed() < Duration::from_mins(5), "the run does not come along");
        sleep(Duration::from_millis(1));
    }
}

/// Kills a process with SIGKILL, which it cannot hear coming, and returns what it had said.
fn kill(mut child: Child) -> Finished {
    child.kill().expect("it is ours");
    let finished = Finished::from(child.wait_with_output().expect("it is ours"));
    assert_eq!(finished.code, None, "it was killed before it ended: {}", finished.stderr);
    finished
}

/// Starts the command and kills it at a moment.
fn killed_at(lab: &Lab, moment: &Moment) -> Finished {
    let mut seen = unfinished(lab);
    let mut child = start(lab);
    let mut kept = 0;
    wait_until(&mut child, || {
        let now = unfinished(lab);
        kept += now.iter().filter(|(path, time)| seen.get(*path) != Some(*time)).count() as u64;
        seen = now;
        kept >= moment.epochs
    });
    sleep(moment.delay);
    kill(child)
}

/// Every result file; what a killed process had not yet renamed is none.
fn results(lab: &Lab) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = lab.files("run").into_iter();
    files.filter(|(path, _)| path.extension().is_none_or(|kind| kind != "tmp")).collect()
}

#[test]
fn a_training_killed_ten_times_goes_on_from_its_last_epoch_and_ends_with_the_same_bytes() {
    let (whole, broken) = (Lab::with(&strategy()), Lab::with(&strategy()));
    whole.tidegate(&COMMAND.join(" ")).done();
    let moments = moments(10, 4);
    let mut runs: Vec<Finished> = moments.iter().map(|moment| killed_at(&broken, moment)).collect();
    assert!(!broken.path("run/metrics.json").exists(), "no killed run had ended");
    runs.push(broken.tidegate(&COMMAND.join(" ")).done());
    // The state of a member whose training goes on is that of its last epoch; it is used, not trained anew.
    let goes_on = |run: &&Finished| run.stderr.contains(": training goes on after epoch ");
    assert!(runs.iter().filter(goes_on).count() >= 5, "{runs:?}");
    assert!(runs.iter().all(|run| !run.stderr.contains("of no use") && !run.stderr.contains("damaged")), "{runs:?}");
    assert_same_files(&results(&whole), &results(&broken));
    assert_eq!(unfinished(&broken), BTreeMap::new());
}

#[test]
fn a_run_killed_while_it_writes_its_results_is_made_again_and_ends_with_the_same_bytes() {
    let (whole, broken) = (Lab::with(&network()), Lab::with(&network()));
    whole.tidegate(&COMMAND.join(" ")).done();
    for files in [1, 4, 9] {
        let mut child = start(&broken);
        wait_until(&mut child, || files_below(&broken.path("run")).len() >= files);
        kill(child);
        assert!(!broken.path("run/manifest.json").exists(), "an unfinished run is not taken for a finished one");
    }
    let again = broken.tidegate(&COMMAND.join(" ")).done();
    assert!(again.stderr.contains("4 trained models came from the cache, 0 were trained"), "{}", again.stderr);
    assert_same_files(&results(&whole), &results(&broken));
}
