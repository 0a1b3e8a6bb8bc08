#!/usr/bin/env python3
"""Lays the data of others' published results out in data/reference, where the files of strategies/reference look for it.

    python3 scripts/reference_data.py FOLDER [TARGET]

FOLDER holds the files as their publishers name them; docs/REFERENCE.md says where they come from. TARGET is data/reference, which git
ignores, unless stated. Standard library only. Files are copied as they are, but for wide tables without dates, which become canonical
bars on weekdays from 2000-01-03 that are made up: those of portfolio selection, of what 1 has become, a row of ones in front, and the
exchange rates.
"""

import csv
import datetime
import gzip
import pathlib
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MINUTES = ["20131007", "20131008", "20131009", "20131010", "20131011"]
EQUITY = "lean/equity/usa"
# Where a file goes, and where it is in FOLDER.
COPIES = {
    "lean/daily/spy.zip": f"us_daily/{EQUITY}/daily/spy.zip",
    "lean/factor_files/spy.csv": f"us_daily/{EQUITY}/factor_files/spy.csv",
    "lean/hour/spy.zip": f"intraday/{EQUITY}/hour/spy.zip",
    "backtesting_py/GOOG.csv": "reference/backtesting_py/GOOG.csv",
    "chan/IGE.csv": "reference/chan/sharpe-ratio-test-ige.csv",
    "chan/SPY.csv": "reference/chan/sharpe-ratio-test-spy.csv",
}
for kind in ("trade", "quote"):
    for day in MINUTES:
        COPIES[f"lean/minute/spy/{day}_{kind}.zip"] = f"intraday/{EQUITY}/minute/spy/{day}_{kind}.zip"
# Days and assets of each set.
SELECTION = {"nyse_o": (5651, 36), "djia": (507, 30), "msci": (1043, 24)}
EXCHANGE_RATE = "exchange_rate/exchange_rate.txt.gz"


def weekdays(count):
    """The first weekdays from Monday 2000-01-03."""
    first = datetime.date(2000, 1, 3)
    return [first + datetime.timedelta(days=number // 5 * 7 + number % 5) for number in range(count)]


def table(name, text, days, columns):
    """The rows of a wide table that has as many as it should."""
    rows = list(csv.reader(text.splitlines()))
    assert len(rows) == days and all(len(row) == columns for row in rows), f"{name}: {days} rows of {columns} expected"
    return rows


def canonical(symbols, rows):
    """Bars of one price a day from a wide table."""
    dates = weekdays(len(rows))
    lines = ["symbol,time,open,high,low,close,volume"]
    for column, symbol in enumerate(symbols):
        lines += [f"{symbol},{date}" + f",{row[column]}" * 4 + ",0" for date, row in zip(dates, rows)]
    return "\n".join(lines) + "\n"


def selection(name, text):
    """Bars of the assets a01, a02, ... from a table with a header."""
    days, assets = SELECTION[name]
    rows = table(name, text, days + 1, assets)[1:]
    return canonical([f"a{asset + 1:02}" for asset in range(assets)], [["1.0"] * assets, *rows])


def exchange_rate(text):
    """Bars of currency_1 to currency_8, in the file's order, which has no header."""
    return canonical([f"currency_{number + 1}" for number in range(8)], table("exchange_rate", text, 7588, 8))


def main(arguments):
    """Copies and converts every file."""
    if len(arguments) not in (1, 2):
        sys.exit(__doc__)
    source = pathlib.Path(arguments[0])
    target = pathlib.Path(arguments[1]) if len(arguments) == 2 else ROOT / "data" / "reference"
    origins = [*COPIES.values(), *(f"reference/olps/{name}.csv.gz" for name in SELECTION), EXCHANGE_RATE]
    missing = [origin for origin in origins if not (source / origin).is_file()]
    if missing:
        sys.exit(f"{source} must hold " + ", ".join(missing))
    for place, origin in COPIES.items():
        (target / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / origin, target / place)
    (target / "olps").mkdir(exist_ok=True)
    for name in SELECTION:
        with gzip.open(source / "reference" / "olps" / f"{name}.csv.gz", "rt") as file:
            (target / "olps" / f"{name}.csv").write_text(selection(name, file.read()))
    (target / "exchange_rate").mkdir(exist_ok=True)
    with gzip.open(source / EXCHANGE_RATE, "rt") as file:
        (target / "exchange_rate" / "exchange_rate.csv").write_text(exchange_rate(file.read()))
    print(f"wrote {len(COPIES) + len(SELECTION) + 1} files to {target}")


if __name__ == "__main__":
    main(sys.argv[1:])
