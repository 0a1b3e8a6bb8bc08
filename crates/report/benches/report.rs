//! Rendering time of a run with ten years of daily bars, and of one with twenty years of minutes thinned to fit.

use divan::Bencher;
use tidegate_report::{ColorChoice, html, json, terminal};

#[path = "../src/fixture/mod.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod fixture;

fn main() {
    divan::main();
}

#[divan::bench]
fn tear_sheet_of_ten_years_of_days(bencher: Bencher<'_, '_>) {
    let report = fixture::random_walk(2_520, 1);
    bencher.bench_local(|| html(&report).expect("renders"));
}

#[divan::bench(sample_count = 10)]
fn tear_sheet_of_twenty_years_of_minutes(bencher: Bencher<'_, '_>) {
    let report = fixture::random_walk(20 * 252 * 390, 390);
    bencher.bench_local(|| html(&report).expect("renders"));
}

#[divan::bench]
fn document(bencher: Bencher<'_, '_>) {
    let report = fixture::random_walk(2_520, 1);
    bencher.bench_local(|| json(&report).expect("serializes"));
}

#[divan::bench]
fn table(bencher: Bencher<'_, '_>) {
    let report = fixture::random_walk(2_520, 1);
    bencher.bench_local(|| terminal(&report, 80, ColorChoice::Never));
}
