//! Writes the tear sheet of a simulated random walk, to look at the layout in a browser.
//!
//! `cargo run --release -p tidegate-report --example tear_sheet -- FILE.html [BARS [BARS_PER_DAY]]`

use std::error::Error;

#[path = "../src/fixture/mod.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod fixture;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: tear_sheet FILE.html [BARS [BARS_PER_DAY]]")?;
    let n_bars = arguments.next().map_or(Ok(2_520), |text| text.parse())?;
    let bars_per_day = arguments.next().map_or(Ok(1), |text| text.parse())?;
    Ok(std::fs::write(path, tidegate_report::html(&fixture::random_walk(n_bars, bars_per_day))?)?)
}
