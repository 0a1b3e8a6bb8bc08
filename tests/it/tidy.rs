//! Holds the workspace against its own rules: which crate may use what, and what a source file may look like.
//!
//! The rules read `cargo metadata` and the files, never a build, and look at direct dependencies of every kind.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Levels of the crates: an arrow may only point to a lower one.
const LEVELS: [(&str, u32); 15] = [
    ("market", 0),
    ("indicators", 0),
    ("recurrence", 0),
    ("onnx", 0),
    ("ledger", 0),
    ("search", 0),
    ("data", 1),
    ("backtest", 1),
    ("metrics", 1),
    ("features", 2),
    ("forecast", 3),
    ("models", 4),
    ("report", 4),
    ("experiment", 5),
    ("cli", 6),
];

/// Crates that may use fewer of ours than their level allows.
const NARROW: [(&str, &[&str]); 5] = [
    ("backtest", &["market", "indicators"]),
    ("metrics", &["market"]),
    ("forecast", &["market", "metrics"]),
    ("models", &["market", "forecast", "onnx", "recurrence"]),
    ("report", &["market", "metrics", "backtest"]),
];

/// Packages with a wall around them, and the crates inside it.
const WALLS: [(&str, &[&str]); 19] = [
    ("tch", &["models"]),
    ("torch-sys", &["models"]),
    ("safetensors", &["models"]),
    ("pulp", &["recurrence"]),
    ("prost", &["onnx"]),
    ("rusqlite", &["ledger"]),
    ("tract-onnx", &[]),
    ("polars", &["data", "features"]),
    ("rayon", &["experiment", "features"]),
    ("nalgebra", &["forecast"]),
    ("forust-ml", &["forecast"]),
    ("minijinja", &["report"]),
    ("toml", &["experiment"]),
    ("anyhow", &["cli"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("ctrlc", &["cli"]),
    ("indicatif", &["cli"]),
    ("nix", &["cli"]),
];

const LINES_MAX: usize = 600;

#[derive(Clone, Debug)]
struct Package {
    /// Name without the `tidegate-` prefix.
    name: String,
    description: String,
    folder: PathBuf,
    dependencies: Vec<Dependency>,
}

#[derive(Clone, Debug)]
struct Dependency {
    name: String,
    development: bool,
}

#[test]
fn every_arrow_points_down() {
    none(packages().iter().flat_map(upward_arrows));
}

#[test]
fn every_wall_holds() {
    none(packages().iter().flat_map(breached_walls));
}

#[test]
fn the_indicators_depend_on_nothing() {
    let packages = packages();
    let indicators = packages.iter().find(|package| package.name == "indicators").expect("the crate exists");
    none(indicators.dependencies.iter().filter(|d| !d.development).map(|d| format!("indicators uses `{}`", d.name)));
}

#[test]
fn every_crate_is_described_linted_and_named_after_its_folder() {
    none(packages().iter().flat_map(|package| {
        let manifest = read(&package.folder.join("Cargo.toml"));
        let folder = package.folder.file_name().expect("a crate lives in a folder").to_string_lossy().into_owned();
        let rules = [
            (package.description.trim().is_empty(), "has no description"),
            (!manifest.contains("[lints]\nworkspace = true"), "does not inherit the workspace's lints"),
            (folder != package.name, "is not named after its folder"),
        ];
        rules
            .into_iter()
            .filter(|(broken, _)| *broken)
            .map(|(_, what)| format!("{} {what}", package.name))
            .collect::<Vec<_>>()
    }));
}

#[test]
fn every_source_file_is_short_and_finished() {
    let files: Vec<PathBuf> = ["crates", "tests"].iter().flat_map(|folder| sources(&root().join(folder))).collect();
    assert!(files.len() > 20, "the search found only {} files", files.len());
    none(files.iter().flat_map(|file| untidy(&file.display().to_string(), &read(file))));
}

#[test]
fn every_crate_starts_with_its_documentation() {
    none(packages().iter().filter_map(|package| {
        let source = ["src/lib.rs", "src/main.rs"].map(|file| package.folder.join(file));
        let source = source.iter().find(|file| file.exists()).expect("a crate has a root module");
        (!read(source).starts_with("//!")).then(|| format!("{} does not start with `//!`", source.display()))
    }));
}

#[test]
fn the_rules_report_what_breaks_them() {
    let package = |name: &str, dependencies: &[&str]| Package {
        name: name.into(),
        description: "x".into(),
        folder: PathBuf::new(),
        dependencies: dependencies.iter().map(|&name| Dependency { name: name.into(), development: false }).collect(),
    };
    assert_eq!(upward_arrows(&package("market", &["tidegate-data"])).len(), 1);
    assert_eq!(upward_arrows(&package("data", &["tidegate-metrics"])).len(), 1, "one level is not down");
    assert_eq!(upward_arrows(&package("forecast", &["tidegate-features"])).len(), 1, "narrower than its level");
    assert_eq!(upward_arrows(&package("features", &["tidegate-market", "serde"])).len(), 0);
    assert_eq!(breached_walls(&package("backtest", &["polars"])).len(), 1);
    assert_eq!(breached_walls(&package("backtest", &["polars-core"])).len(), 1);
    assert_eq!(breached_walls(&package("data", &["polars"])).len(), 0);
    assert_eq!(untidy("a.rs", &"x\n".repeat(LINES_MAX + 1)).len(), 1);
    assert_eq!(untidy("a.rs", concat!("// TO", "DO: later\n")).len(), 1);
    assert_eq!(untidy("a.rs", "fn main() {}\n").len(), 0);
}

fn upward_arrows(package: &Package) -> Vec<String> {
    let ours = package.dependencies.iter().filter(|d| !d.development).filter_map(|d| d.name.strip_prefix("tidegate-"));
    let narrow = NARROW.iter().find(|(name, _)| *name == package.name).map(|(_, allowed)| *allowed);
    ours.filter(|used| level(used) >= level(&package.name) || narrow.is_some_and(|allowed| !allowed.contains(used)))
        .map(|used| format!("{} may not use {used}", package.name))
        .collect()
}

fn breached_walls(package: &Package) -> Vec<String> {
    package
        .dependencies
        .iter()
        .filter(|dependency| {
            WALLS.iter().any(|(walled, inside)| {
                let family = dependency.name.strip_prefix(walled);
                family.is_some_and(|rest| rest.is_empty() || (*walled == "polars" && rest.starts_with('-')))
                    && !inside.contains(&package.name.as_str())
            })
        })
        .map(|dependency| format!("{} may not use `{}`", package.name, dependency.name))
        .collect()
}

fn untidy(name: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let lines = text.lines().count();
    if lines > LINES_MAX {
        found.push(format!("{name} has {lines} lines, at most {LINES_MAX} are allowed"));
    }
    for mark in [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("todo", "!("), concat!("unimplemented", "!(")] {
        if let Some(line) = text.lines().position(|line| line.contains(mark)) {
            found.push(format!("{name}:{} holds `{mark}`", line + 1));
        }
    }
    found
}

fn level(name: &str) -> u32 {
    let levels: BTreeMap<_, _> = LEVELS.into_iter().collect();
    *levels.get(name).unwrap_or_else(|| panic!("the crate `{name}` has no level: add it to LEVELS"))
}

fn none(offences: impl IntoIterator<Item = String>) {
    let offences: Vec<String> = offences.into_iter().collect();
    assert!(offences.is_empty(), "\n{}", offences.join("\n"));
}

fn packages() -> Vec<Package> {
    let output = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo runs, since it runs this test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let packages: Vec<Package> = list(&metadata["packages"]).iter().map(package).collect();
    assert_eq!(packages.len(), LEVELS.len(), "every crate has a level, and every level a crate");
    packages
}

fn package(value: &Value) -> Package {
    let name = text(&value["name"]);
    Package {
        name: name.strip_prefix("tidegate-").expect("a package's name starts with `tidegate-`").into(),
        description: value["description"].as_str().unwrap_or_default().into(),
        folder: Path::new(text(&value["manifest_path"])).parent().expect("a manifest lies in a folder").into(),
        dependencies: list(&value["dependencies"])
            .iter()
            .map(|d| Dependency { name: text(&d["name"]).into(), development: d["kind"] == "dev" })
            .collect(),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("the field is a list in this format version")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("the field is a string in this format version")
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("the folder can be listed").path()).collect();
    paths.sort();
    paths
        .into_iter()
        .flat_map(|path| match path.extension() {
            _ if path.is_dir() => sources(&path),
            Some(extension) if extension == "rs" => vec![path],
            _ => Vec::new(),
        })
        .collect()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace is two folders up")
}
