//! The programs in `examples/` do what their first lines promise.

use std::path::Path;
use std::process::Command;

#[test]
fn the_breakout_runs_on_the_shipped_bars() {
    let folder = Path::new(env!("CARGO_BIN_EXE_tidegate")).parent().expect("a folder of binaries").join("examples");
    let run = Command::new(folder.join("donchian_breakout")).output().expect("the example is built with the tests");
    let text = String::from_utf8(run.stdout).expect("plain text");
    assert!(run.status.success(), "{text}{}", String::from_utf8_lossy(&run.stderr));
    let value = |label: &str| {
        let line = text.lines().find(|line| line.starts_with(label)).expect("a line of this name");
        let number = line[label.len()..].split_whitespace().next().expect("a number");
        number.parse::<f64>().expect("a number")
    };
    // Every round trip risks one percent of equity, so that none can have been missed and the account cannot have collapsed.
    assert!(value("round trips") > 20.0, "{text}");
    assert!((50_000.0..500_000.0).contains(&value("end equity")), "{text}");
    assert!(value("maximum drawdown") > -0.5 && value("commission") > 0.0, "{text}");
}
