//! Strategy files and files of bars with arbitrary damage: an error with a message, or a valid value, never a panic.
//!
//! The shipped strategies and the kept inputs in `tests/corpus` are mutated some hundred times; `TIDEGATE_FUZZ_SECONDS=600` goes on for
//! that long in each test. An input that panics is written into the corpus and replayed from then on.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tidegate_data::{Adjustment, ReadOptions};
use tidegate_experiment::{ConfigSource, ResolvedExperiment};
use tidegate_market::BarLabel;

/// Knuth's 64-bit linear congruential generator; the high bits are used.
struct Generator(u64);

impl Generator {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % count.max(1)
    }

    fn pick<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        items[self.below(items.len())]
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The texts of a folder's files, in the order of their names.
fn texts(folder: &Path) -> Vec<String> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let files = paths.iter().filter(|path| path.is_file());
    files.map(|path| String::from_utf8_lossy(&fs::read(path).expect("readable")).into_owned()).collect()
}

/// Replaces, repeats, drops or swaps a piece of a text, or writes a word into it.
fn mutate(text: &str, generator: &mut Generator, separators: &[char], words: &[&str]) -> String {
    let mut pieces: Vec<String> = text.split_inclusive(separators).map(str::to_owned).collect();
    for _ in 0..=generator.below(6) {
        if pieces.is_empty() {
            pieces.push(String::new());
        }
        let (place, other) = (generator.below(pieces.len()), generator.below(pieces.len()));
        match generator.below(6) {
            0 => drop(pieces.remove(place)),
            1 => pieces.insert(place, pieces[other].clone()),
            2 => pieces.swap(place, other),
            3 => {
                let end = pieces[place].chars().last().filter(|last| separators.contains(last));
                pieces[place] = generator.pick(words).to_owned() + &end.map_or_else(String::new, String::from);
            }
            4 => {
                let mut bytes = std::mem::take(&mut pieces[place]).into_bytes();
                let at = generator.below(bytes.len());
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = generator.below(256) as u8;
                }
                pieces[place] = String::from_utf8_lossy(&bytes).into_owned();
            }
            _ => pieces.truncate(place.max(1)),
        }
    }
    pieces.concat()
}

/// Runs a check on every seed and on mutants of them, and keeps what panics.
fn fuzz(folder: &Path, seeds: &[String], separators: &[char], words: &[&str], check: impl Fn(&str)) {
    let seconds = std::env::var("TIDEGATE_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    for seed in seeds {
        check(seed);
    }
    let (started, mut generator) = (Instant::now(), Generator(23));
    let mut cases = 0;
    while cases < 400 || started.elapsed() < Duration::from_secs(seconds) {
        let text = mutate(&seeds[generator.below(seeds.len())], &mut generator, separators, words);
        cases += 1;
        if catch_unwind(AssertUnwindSafe(|| check(&text))).is_err() {
            let path = folder.join(format!("panic_{cases}"));
            fs::write(&path, &text).expect("a writable corpus");
            panic!("case `{cases}` panics; it is kept as `{}`", path.display());
        }
    }
}

#[test]
fn a_damaged_strategy_file_is_refused_with_its_place_or_resolves() {
    const WORDS: &[&str] = &[
        "0",
        "-1",
        "1e308",
        "nan",
        "inf",
        "9223372036854775807",
        "9223372036854775808",
        "true",
        "\"\"",
        "[]",
        "{}",
        "\"1d\"",
        "\"0d\"",
        "\"2018-02-30\"",
        "[strategy.rules]",
        "[data]",
        "symbols",
        "= ",
        "''",
        "\u{0}",
        "😀",
        "# ",
        "\"close / 0\"",
        "1.0e-320",
        "\"../../../../etc\"",
        "execution.profile = \"vectorbt\"",
    ];
    let folder = root().join("tests/corpus/config");
    let mut seeds = texts(&root().join("strategies"));
    seeds.extend(texts(&folder));
    let path = root().join("strategies/fuzzed.toml");
    fuzz(&folder, &seeds, &['\n', ' ', ',', '='], WORDS, |text| {
        let source = ConfigSource::from_text(&path, text.to_owned());
        if let Err(error) = ResolvedExperiment::from_source(&source) {
            assert!(!error.to_string().trim().is_empty());
        }
    });
}

#[test]
fn a_damaged_file_of_bars_is_refused_with_its_place_or_read_as_sane_bars() {
    const WORDS: &[&str] = &[
        "",
        "0",
        "-1",
        "nan",
        "inf",
        "1e400",
        "\"",
        "\"\"",
        "2018-02-30",
        "99999999999999999999",
        "1.5.5",
        "N/A",
        "null",
        "$1",
        "1,000",
        "\u{feff}",
        "\u{0}",
        "é",
        "\r",
        ";",
        "\t",
        "open",
        "close",
        "symbol",
        "time",
    ];
    let folder = root().join("tests/corpus/csv");
    let seeds = texts(&folder);
    assert!(seeds.len() >= 5, "the corpus is in the repository");
    let lab = tempfile::tempdir().expect("a folder");
    let path = lab.path().join("bars.csv");
    fuzz(&folder, &seeds, &['\n', ',', ' '], WORDS, |text| {
        fs::write(&path, text).expect("written");
        for adjustment in [Adjustment::Raw, Adjustment::Split, Adjustment::TotalReturn] {
            let corporate_actions = adjustment == Adjustment::Raw;
            let daily = ReadOptions::new("1d".parse().expect("an interval"), BarLabel::Open);
            let options = ReadOptions { adjustment, corporate_actions, ..daily };
            match tidegate_data::inspect(&path, &options) {
                Ok(report) => assert!(!report.to_string().is_empty()),
                Err(error) => assert!(!error.to_string().is_empty()),
            }
            // What is read is sane by the type of bars.
            let _ = tidegate_data::read(&path, &options);
        }
    });
}
