#!/usr/bin/env python3
"""Plants each of eight bugs in turn, requires that the test named beside it turns red, and takes the bug out again.

usage: scripts/planted_bugs.py [--list] [LETTER...]

Without letters all are tried. A bug is one line of source. A file is put back whatever happens, Ctrl-C included; while this
runs, nothing else should build or edit the checkout. A bug is caught when the named test ran and failed: code that does not
compile catches nothing. At the end the same tests run without bugs and must be green. Exit code 0: every bug was caught.
"""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Bug:
    letter: str
    name: str
    file: str
    old: str
    new: str
    target: tuple  # of cargo test: package and kind
    test: str

    @property
    def command(self):
        return ["cargo", "test", "--release", *self.target, self.test, "--", "--exact"]


BUGS = [
    Bug(
        "a",
        "a fill one bar early",
        "crates/backtest/src/engine/trade.rs",
        "let open = self.state.columns[index].open[row];",
        "let open = self.state.columns[index].open[row.saturating_sub(1)];",
        ("-p", "tidegate-backtest", "--test", "it"),
        "goldens::a_round_trip_with_costs_by_hand",
    ),
    Bug(
        "b",
        "a commission off by 0.01 %",
        "crates/backtest/src/commission.rs",
        "Self::Bps(bps) => terms.value * bps.fraction(),",
        "Self::Bps(bps) => terms.value * bps.fraction() * 1.0001,",
        ("-p", "tidegate-backtest", "--lib"),
        "commission::tests::five_bps_of_ten_thousand_are_five",
    ),
    Bug(
        "c",
        "no purge between training and test labels",
        "crates/forecast/src/sample.rs",
        "series.known_time[label.span_last_row] >= start) => Fate::Purged,",
        "series.known_time[label.span_last_row] >= start) => Fate::Kept,",
        ("-p", "tidegate-forecast", "--lib"),
        "sample_laws::the_purge_equals_the_oracle_and_no_spans_meet",
    ),
    Bug(
        "d",
        "a scaler fitted on all rows",
        "crates/forecast/src/scaler.rs",
        "panel.rows_within(place, train)",
        "panel.rows_within(place, &(0..panel.axis.len().max(train.end)))",
        ("-p", "tidegate-forecast", "--lib"),
        "scaler::tests::only_rows_of_the_training_range_count",
    ),
    Bug(
        "e",
        "a forecast shifted one bar into the future",
        "crates/experiment/src/forecasting/training.rs",
        "known_time: series.known_time[sample.row as usize],",
        "known_time: series.known_time[sample.row as usize - 1],",
        ("-p", "tidegate-cli", "--test", "it"),
        "causality::overwriting_the_future_leaves_the_past_of_a_linear_model_on_two_symbols",
    ),
    Bug(
        "f",
        "excess kurtosis in the probabilistic Sharpe ratio",
        "crates/metrics/src/sharpe/sharpe_statistics.rs",
        "raw_kurtosis: 3.0 + sample_excess_kurtosis(",
        "raw_kurtosis: sample_excess_kurtosis(",
        ("-p", "tidegate-metrics", "--lib"),
        "sharpe::probabilistic_sharpe_ratio::tests::it_is_the_formula_on_the_moments_of_scipy",
    ),
    Bug(
        "g",
        "a split that leaves the prices of waiting orders as they were",
        "crates/backtest/src/engine/overnight.rs",
        "order.kind = in_new_prices(order.kind, ratio);",
        "order.kind = in_new_prices(order.kind, 1.0);",
        ("-p", "tidegate-backtest", "--test", "it"),
        "goldens_accounts::a_split_moves_the_prices_and_units_of_orders_that_wait",
    ),
    Bug(
        "h",
        "a dividend that short positions receive",
        "crates/backtest/src/engine/overnight.rs",
        "self.flow(label, Some(index), CashFlowKind::Dividend, before * per_unit);",
        "self.flow(label, Some(index), CashFlowKind::Dividend, before.abs() * per_unit);",
        ("-p", "tidegate-backtest", "--test", "it"),
        "goldens_accounts::a_split_and_a_dividend_of_one_day_leave_the_value_and_pay_per_new_unit",
    ),
]


def run(command):
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def outcome(bug, result):
    """What became of the named test: `red`, `green`, or `not run`."""
    if f"test {bug.test} ... FAILED" in result.stdout and result.returncode != 0:
        return "red"
    if "1 passed; 0 failed" in result.stdout and result.returncode == 0:
        return "green"
    return "not run"


def write(path, data):
    """Writes with a later time than before: cargo rebuilds by the time of a file, not by its bytes."""
    before = path.stat().st_mtime
    path.write_bytes(data)
    now = path.stat().st_mtime
    if now <= before:
        os.utime(path, (before + 1, before + 1))


def planted(bug):
    """Runs the bug's test with the bug in place."""
    path = ROOT / bug.file
    original = path.read_bytes()
    if original.count(bug.old.encode()) != 1:
        sys.exit(f"{bug.file} must hold `{bug.old}` once, holds it {original.count(bug.old.encode())} times")
    try:
        write(path, original.replace(bug.old.encode(), bug.new.encode()))
        return run(bug.command)
    finally:
        write(path, original)


def tail(text):
    return "\n".join("    " + line for line in text.splitlines()[-15:])


def main(arguments):
    # Both ways to be stopped must put the file back; a shell's background jobs ignore the first unless told otherwise.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    letters = [argument for argument in arguments if not argument.startswith("-")]
    unknown = set(letters) - {bug.letter for bug in BUGS} | set(arguments) - set(letters) - {"--list"}
    if unknown:
        sys.exit(f"unknown: {' '.join(sorted(unknown))}\n\n{__doc__}")
    bugs = [bug for bug in BUGS if not letters or bug.letter in letters]
    if "--list" in arguments:
        for bug in bugs:
            print(f"{bug.letter}  {bug.name}\n   {bug.file}\n   - {bug.old}\n   + {bug.new}\n   {' '.join(bug.command)}")
        return 0
    failures = 0
    for bug in bugs:
        result = planted(bug)
        seen = outcome(bug, result)
        print(f"{bug.letter}  {bug.name}: {seen}  ({bug.test})", flush=True)
        if seen != "red":
            failures += 1
            print(tail(result.stdout))
    for bug in bugs:
        result = run(bug.command)
        seen = outcome(bug, result)
        if seen != "green":
            failures += 1
            print(f"{bug.letter}  without the bug: {seen}  ({bug.test})\n{tail(result.stdout)}", flush=True)
    print("every bug was caught, and every test is green without it" if failures == 0 else f"{failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
