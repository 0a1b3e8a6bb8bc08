"""The price series of the parity vectors, and the decisions that depend on prices alone.

Prices have two decimals (zipline's daily bundles keep three), so that touches and ties happen and every engine reads the same number.
`calm`: 1.2 % a day, small gaps. `volatile`: 3.5 % a day with overnight gaps, thin volume on some days, none on a few.
`surge`: a strong rise and a crash, for shorts that lose everything. Dates are sessions of the New York Stock Exchange (zipline needs a calendar).
"""
import csv
import os

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
BARS = 300
FIELDS = ["open", "high", "low", "close", "volume"]


def simulate(seed, start, drift, sigma, gap, swing, volume_sigma):
    """Bars by geometric steps: an overnight gap, then a day; `drift` has one value per bar."""
    rng = np.random.default_rng(seed)
    night, day = gap * rng.standard_t(4, BARS), drift + sigma * rng.standard_normal(BARS)
    up, down = np.abs(rng.standard_normal(BARS)), np.abs(rng.standard_normal(BARS))
    volume = np.floor(np.exp(9.5 + volume_sigma * rng.standard_normal(BARS)))
    close = start * np.exp(np.cumsum(night + day))
    opened = close * np.exp(-day)
    high, low = np.maximum(opened, close) * np.exp(swing * sigma * up), np.minimum(opened, close) * np.exp(-swing * sigma * down)
    bars = dict(zip(FIELDS, [np.round(x, 2) for x in (opened, high, low, close)] + [volume]))
    bars["high"] = np.maximum.reduce([bars["open"], bars["high"], bars["close"]])
    bars["low"] = np.minimum.reduce([bars["open"], bars["low"], bars["close"]])
    return bars


def make_all():
    """Every series by name."""
    wave = 0.006 * np.sin(np.arange(BARS) / 9.0)
    calm = simulate(11, 100.0, wave / 2, 0.010, 0.002, 0.5, 0.4)
    volatile = simulate(12, 60.0, wave, 0.028, 0.015, 0.7, 1.2)
    volatile["volume"][[40, 41, 97, 150, 233]] = 0.0
    volatile["volume"][[60, 120, 180, 240]] = [9.0, 10.0, 19.0, 55.0]
    turn = np.where(np.arange(BARS) < 180, 0.011, -0.012)
    surge = simulate(13, 20.0, turn + wave, 0.020, 0.006, 0.6, 0.6)
    return {"calm": calm, "volatile": volatile, "surge": surge}


def write(dates):
    """Writes the CSV files; `dates` are the first sessions of a calendar."""
    for name, bars in make_all().items():
        with open(os.path.join(HERE, name + ".csv"), "w", newline="") as file:
            out = csv.writer(file, lineterminator="\n")
            out.writerow(["time"] + FIELDS)
            for t in range(BARS):
                out.writerow([dates[t]] + ["%.2f" % bars[k][t] for k in FIELDS[:4]] + ["%d" % bars["volume"][t]])


def read(name):
    """Columns of a series: `time` as text, the rest as float arrays."""
    with open(os.path.join(HERE, name + ".csv")) as file:
        rows = list(csv.DictReader(file))
    bars = {k: np.array([float(r[k]) for r in rows]) for k in FIELDS}
    bars["time"] = [r["time"] for r in rows]
    return bars


def crosses(bars, fast=5, slow=20):
    """Bars at which SMA(fast) crosses SMA(slow) of the close upward (before <=, now >) and downward (before >=, now <).

    In whole cents, so that a tie is a tie.
    """
    cents = np.rint(bars["close"] * 100).astype(np.int64)
    total = np.concatenate([[0], np.cumsum(cents)])
    sums = lambda n: np.array([total[t + 1] - total[t + 1 - n] if t + 1 >= n else 0 for t in range(len(cents))])
    difference = sums(fast) * slow - sums(slow) * fast
    up, down = np.zeros(len(cents), bool), np.zeros(len(cents), bool)
    for t in range(slow, len(cents)):
        up[t] = difference[t - 1] <= 0 < difference[t]
        down[t] = difference[t - 1] >= 0 > difference[t]
    return up, down
