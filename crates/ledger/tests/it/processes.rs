//! Several processes on one ledger, one of them killed, one that may write no more, one without permission.
//!
//! A writer is this test binary started again with a job in its environment.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use tidegate_ledger::{FILE_NAME, Ledger};

use crate::fixture::{open, query, sweep, trial, trials};

/// The job of a writer: folder, first trial, number of trials, trials in a batch.
const JOB: &str = "TIDEGATE_LEDGER_WRITER";

/// Does the job that the environment names, and nothing without one.
#[test]
fn a_writer_process() {
    let Ok(job) = std::env::var(JOB) else { return };
    let parts: Vec<&str> = job.split('|').collect();
    let number = |place: usize| parts[place].parse::<u64>().expect("a number");
    let written = Ledger::open(Path::new(parts[0])).and_then(|mut ledger| {
        let metrics = ledger.metric_set(&crate::fixture::METRICS)?;
        for batch in trials(number(1)..number(1) + number(2)).chunks(number(3) as usize) {
            ledger.record(&sweep(metrics), batch)?;
        }
        Ok(())
    });
    if let Err(error) = written {
        panic!("{error}");
    }
}

fn arguments(command: &mut Command, job: &str) {
    command.env(JOB, job).args(["--exact", "processes::a_writer_process", "--nocapture"]);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
}

fn writer(folder: &Path, first: u64, count: u64, batch: u64) -> Child {
    let mut command = Command::new(std::env::current_exe().expect("the test's own path"));
    arguments(&mut command, &format!("{}|{first}|{count}|{batch}", folder.display()));
    command.spawn().expect("the test starts itself")
}

fn finished(child: Child) {
    let output = child.wait_with_output().expect("the writer ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn check_intact(folder: &Path) {
    assert_eq!(query::<String>(folder, "PRAGMA integrity_check"), "ok");
    assert_eq!(
        query::<i64>(
            folder,
            "SELECT count(*) FROM (SELECT 1 FROM trial GROUP BY config_hash, data_hash HAVING count(*) > 1)"
        ),
        0
    );
}

#[test]
fn processes_that_start_together_lose_nothing_and_double_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    // Four ranges that overlap by half: 0..2000, 1000..3000, 2000..4000, 3000..5000.
    let writers: Vec<Child> = (0..4).map(|place| writer(folder.path(), place * 1_000, 2_000, 100)).collect();
    writers.into_iter().for_each(finished);
    check_intact(folder.path());
    let ledger = Ledger::open(folder.path()).expect("a ledger");
    assert_eq!(ledger.count().expect("readable"), 5_000);
    let mut ratios = ledger.sharpe_ratios().expect("readable");
    ratios.sort_by(f64::total_cmp);
    assert!(ratios.iter().zip(trials(0..5_000)).all(|(ratio, trial)| *ratio == trial.metrics[0]));
}

#[test]
fn threads_with_connections_of_their_own_see_each_others_trials() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let new: usize = std::thread::scope(|scope| {
        let work = |_| {
            scope.spawn(|| {
                let (mut ledger, metrics) = open(folder.path());
                let batches = trials(0..2_000);
                let record = |batch: &[_]| ledger.record(&sweep(metrics), batch).expect("written").new;
                batches.chunks(50).map(record).sum::<usize>()
            })
        };
        let threads: Vec<_> = (0..3).map(work).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    });
    assert_eq!(new, 2_000, "every trial is new to one of them");
}

#[test]
fn a_killed_process_leaves_whole_batches_and_the_other_goes_on() {
    const BATCH: u64 = 64;
    for round in 0..6_u32 {
        let folder = tempfile::tempdir().expect("a temporary folder");
        drop(open(folder.path()));
        let mut killed = writer(folder.path(), 0, 4_000_000, BATCH);
        let other = writer(folder.path(), 10_000_000, 2_000, 100);
        // It is in the middle of writing as soon as its first batch is there; the pauses vary where it is hit.
        while query::<i64>(
            folder.path(),
            "SELECT count(*) FROM trial WHERE seed = 7 AND recorded_at_ns < 1700000000010000000",
        ) == 0
        {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros(u64::from(round) * 3_700));
        killed.kill().expect("SIGKILL");
        let status = killed.wait().expect("it is gone");
        assert!(!status.success(), "it was killed before its end");
        finished(other);
        check_intact(folder.path());
        let own = query::<i64>(folder.path(), "SELECT count(*) FROM trial WHERE recorded_at_ns < 1700000000010000000");
        assert!(own > 0 && own % BATCH as i64 == 0, "{own} trials are not whole batches");
        let mut ledger = Ledger::open(folder.path()).expect("a ledger");
        let metrics = ledger.metric_set(&crate::fixture::METRICS).expect("three names");
        assert_eq!(ledger.count().expect("readable"), own as u64 + 2_000);
        let recorded = ledger.record(&sweep(metrics), &[trial(0), trial(9_000_000)]).expect("written");
        assert_eq!((recorded.new, recorded.known), (1, 1));
    }
}

/// Runs a writer after a shell has prepared its limits.
fn limited(preparation: &str, folder: &Path, count: u64) -> Output {
    let mut command = Command::new("sh");
    let binary = std::env::current_exe().expect("the test's own path");
    command.args(["-c", &format!("{preparation}; exec \"$0\" \"$@\"")]).arg(binary);
    arguments(&mut command, &format!("{}|0|{count}|500", folder.display()));
    command.output().expect("a shell")
}

#[test]
fn a_file_that_may_not_grow_ends_with_a_clear_error_and_whole_batches() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    // 1,024 blocks of 512 bytes, or of 1,024 in some shells; the signal that would end the process is off.
    let output = limited("trap '' XFSZ; ulimit -f 1024", folder.path(), 100_000);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{text}");
    let expected = format!("cannot write the trial ledger `{}`", folder.path().join(FILE_NAME).display());
    assert!(
        text.contains(&expected) && text.contains("every trial recorded before is kept\nhint: free space"),
        "{text}"
    );
    check_intact(folder.path());
    let (mut ledger, metrics) = open(folder.path());
    let kept = ledger.count().expect("readable");
    assert!(kept > 0 && kept % 500 == 0, "{kept}");
    let recorded = ledger.record(&sweep(metrics), &trials(0..kept + 10)).expect("written");
    assert_eq!((recorded.new as u64, recorded.known as u64), (10, kept));
}

#[test]
fn a_folder_that_cannot_be_written_is_named_and_still_read() {
    let outer = tempfile::tempdir().expect("a temporary folder");
    let folder = outer.path().join("study");
    let (mut ledger, metrics) = open(&folder);
    ledger.record(&sweep(metrics), &trials(0..10)).expect("written");
    drop(ledger);
    let binary = outer.path().join("writer");
    fs::copy(std::env::current_exe().expect("the test's own path"), &binary).expect("a copy");
    let allow = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("own file");
    allow(outer.path(), 0o755);
    allow(&folder.join(FILE_NAME), 0o444);
    allow(&folder, 0o555);
    let before = fs::read(folder.join(FILE_NAME)).expect("readable");
    let mut command = Command::new(binary);
    arguments(&mut command, &format!("{}|100|10|10", folder.display()));
    // Permissions do not bind the superuser; as anyone else the user need not change.
    let superuser = fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    if superuser {
        command.uid(65_534).gid(65_534);
    }
    let output = command.output().expect("the test starts itself");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{text}");
    assert!(text.contains(&format!("cannot write the trial ledger `{}`", folder.join(FILE_NAME).display())), "{text}");
    assert!(text.contains("hint: make the file and its folder writable"), "{text}");
    assert_eq!(fs::read(folder.join(FILE_NAME)).expect("readable"), before);
    let ledger = Ledger::open_read_only(&folder.join(FILE_NAME)).expect("a ledger");
    assert_eq!(ledger.count().expect("readable"), 10);
    allow(&folder, 0o755);
}
