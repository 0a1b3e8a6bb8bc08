#!/usr/bin/env python3
"""Makes data/sp500_daily.csv and data/nasdaq_daily.csv from the PyPI package arch 8.0.0.

    python3 scripts/convert_arch_data.py            # pip downloads the wheel
    python3 scripts/convert_arch_data.py WHEEL      # or use one that is already here
    python3 scripts/convert_arch_data.py --check    # compare the files in data/ with the expected hashes

Standard library only. The price and volume text of the source is copied character for character; dates become ISO dates.
The script refuses to write when a check on the source or the SHA-256 of the result fails.
"""

import csv
import datetime
import gzip
import hashlib
import io
import pathlib
import subprocess
import sys
import tempfile
import zipfile

REQUIREMENT = "arch==8.0.0"
ROWS = 5031
FIRST, LAST = datetime.date(1999, 1, 4), datetime.date(2018, 12, 31)
# Known defects, which data/README.md lists: a source with others is refused.
ZERO_VOLUME = {"SPX": [], "IXIC": [datetime.date(2015, 5, 12), datetime.date(2018, 1, 9)]}
CLOSURES = [
    (datetime.date(2001, 9, 10), datetime.date(2001, 9, 17)),
    (datetime.date(2006, 12, 29), datetime.date(2007, 1, 3)),
    (datetime.date(2012, 10, 26), datetime.date(2012, 10, 31)),
]
STALE_OPENS = {"SPX": 2108, "IXIC": 19}
# Output file: symbol, member of the wheel, SHA-256 of the output.
SERIES = {
    "sp500_daily.csv": (
        "SPX",
        "arch/data/sp500/sp500.csv.gz",
        "09c7d317d54f729f5963beffc081d5f6fda83788c97da60be9a1f6d73632369e",
    ),
    "nasdaq_daily.csv": (
        "IXIC",
        "arch/data/nasdaq/nasdaq.csv.gz",
        "b4f3847b3e2863f0afda3c1582c143501db7c6733802c6d978e08c3df5b643aa",
    ),
}
LICENSE_MEMBER = "arch-8.0.0.dist-info/licenses/LICENSE.md"
DATA = pathlib.Path(__file__).resolve().parent.parent / "data"


def download(folder):
    """Downloads the wheel with pip and returns its path."""
    command = [sys.executable, "-m", "pip", "download", REQUIREMENT, "--no-deps", "--only-binary", ":all:", "--dest", folder]
    subprocess.run(command, check=True)
    (wheel,) = pathlib.Path(folder).glob("arch-*.whl")
    return wheel


def iso(text):
    """Turns M/D/YYYY into a date."""
    month, day, year = (int(part) for part in text.split("/"))
    return datetime.date(year, month, day)


def stale(before, row):
    """Tells whether a row's open only repeats the close before it, to 1e-5 relative."""
    return abs(float(row["Open"]) / float(before["Close"]) - 1) < 1e-5


def check(symbol, rows):
    """Stops on anything that data/README.md does not say, and returns the dates."""
    dates = [iso(row["Date"]) for row in rows]
    assert len(rows) == ROWS, f"{symbol}: {ROWS} rows expected, {len(rows)} found"
    assert (dates[0], dates[-1]) == (FIRST, LAST), f"{symbol}: {dates[0]} to {dates[-1]}"
    assert all(before < after for before, after in zip(dates, dates[1:])), f"{symbol}: not in time order or not unique"
    assert all(date.weekday() < 5 for date in dates), f"{symbol}: a row on a weekend"
    closures = [(before, after) for before, after in zip(dates, dates[1:]) if (after - before).days > 4]
    assert closures == CLOSURES, f"{symbol}: steps of more than four days: {closures}"
    for row in rows:
        open_, high, low, close, adjusted, volume = (
            float(row[name]) for name in ("Open", "High", "Low", "Close", "Adj Close", "Volume")
        )
        assert 0 < low <= min(open_, close) and max(open_, close) <= high, f"{symbol}: {row}"
        assert volume >= 0 and adjusted == close, f"{symbol}: {row}"
    zero_volume = [date for date, row in zip(dates, rows) if float(row["Volume"]) == 0]
    assert zero_volume == ZERO_VOLUME[symbol], f"{symbol}: no volume on {zero_volume}"
    stale_opens = sum(stale(before, row) for before, row in zip(rows, rows[1:]))
    assert stale_opens == STALE_OPENS[symbol], f"{symbol}: {stale_opens} opens repeat the close before"
    return dates


def convert(symbol, text):
    """Returns the canonical CSV text of one source file, and its dates."""
    rows = list(csv.DictReader(io.StringIO(text)))
    dates = check(symbol, rows)
    lines = ["symbol,time,open,high,low,close,volume"]
    for row in rows:
        values = [row[name] for name in ("Open", "High", "Low", "Close", "Volume")]
        lines.append(",".join([symbol, iso(row["Date"]).isoformat(), *values]))
    return "\n".join(lines) + "\n", dates


def verify(name, content):
    """Stops when a file is not the one this repository was made with."""
    found = hashlib.sha256(content).hexdigest()
    expected = SERIES[name][2]
    if found != expected:
        sys.exit(f"{name}: SHA-256 must be {expected}, was {found}")


def main(arguments):
    if arguments == ["--check"]:
        for name in SERIES:
            verify(name, (DATA / name).read_bytes())
        print("data files are as expected")
        return
    with tempfile.TemporaryDirectory() as folder:
        wheel = pathlib.Path(arguments[0]) if arguments else download(folder)
        with zipfile.ZipFile(wheel) as archive:
            all_dates = []
            for name, (symbol, member, _) in SERIES.items():
                text, dates = convert(symbol, gzip.decompress(archive.read(member)).decode("ascii"))
                all_dates.append(dates)
                content = text.encode("ascii")
                verify(name, content)
                (DATA / name).write_bytes(content)
                print(f"wrote data/{name}: {ROWS} rows, {len(content)} bytes")
            assert all_dates[0] == all_dates[1], "the two series have different dates"
            (DATA / "LICENSE-arch.md").write_bytes(archive.read(LICENSE_MEMBER))
            print("wrote data/LICENSE-arch.md")


if __name__ == "__main__":
    main(sys.argv[1:])
