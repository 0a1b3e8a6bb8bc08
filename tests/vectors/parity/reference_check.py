"""Recomputes published figures from their own data files: backtesting.py's GOOG cross, the on-line portfolio selection table, and Chan's Sharpe ratios.

    python reference_check.py FOLDER

FOLDER holds `backtesting_py/GOOG.csv`, `olps/{nyse_o,djia,msci}.csv.gz` and `chan/sharpe-ratio-test-{ige,spy}.csv`. Needs NumPy only. Exit code 1 if a figure is off.
"""
import csv
import gzip
import math
import os
import sys

import numpy as np

OLPS = {"nyse_o": (14.497308, 54.140364, 27.075246), "djia": (0.764361, 1.188360, 0.812726), "msci": (0.906352, 1.504023, 0.926836)}
CHAN = {"IGE Sharpe, 4 % risk-free": 0.7893, "(IGE - SPY) / 2 Sharpe": 0.7837, "(IGE - SPY) / 2 maximum drawdown": -0.0953}


def columns(path):
    """A CSV file by column name, numbers where they are."""
    with open(path) as file:
        rows = list(csv.DictReader(file))
    return {k: np.array([float(r[k]) for r in rows]) for k in rows[0] if k not in ("", "Date")}


def sma(values, bars):
    """Simple averages, nan before the first full window."""
    return np.array([np.mean(values[t + 1 - bars:t + 1]) if t + 1 >= bars else np.nan for t in range(len(values))])


def goog(path, cash=10000.0):
    """Long when SMA(10) crosses above SMA(30), short when below (before <, now >, both strict); whole shares for all cash at the next open; the last trade closes at the last bar's open."""
    bars = columns(path)
    opens, fast, slow = bars["Open"], sma(bars["Close"], 10), sma(bars["Close"], 30)
    held, entry, trades, last = 0, 0.0, 0, len(opens) - 1
    for t in range(31, len(opens)):
        s = t - 1
        side = 1 if fast[s - 1] < slow[s - 1] and fast[s] > slow[s] else -1 if fast[s - 1] > slow[s - 1] and fast[s] < slow[s] else 0
        if t == last and held and not side:
            cash, held, trades = cash + held * (opens[t] - entry), 0, trades + 1
        if side:
            if held:
                cash, trades = cash + held * (opens[t] - entry), trades + 1
            held, entry = side * math.floor(cash * (1 - 2.0 ** -52) / opens[t]), opens[t]
            if t == last:
                cash, held, trades = cash + held * (opens[t] - entry), 0, trades + 1
    return trades, cash


def portfolio_selection(path):
    """Final wealth from 1: a uniform portfolio bought and held, the best asset, a uniform portfolio rebalanced every day. Rows are cumulative relatives; a row of ones goes in front."""
    with gzip.open(path, "rt") as file:
        levels = np.array([[float(x) for x in r] for r in list(csv.reader(file))[1:]])
    levels = np.vstack([np.ones(levels.shape[1]), levels])
    daily = levels[1:] / levels[:-1]
    return levels[-1].mean(), levels[-1].max(), daily.mean(axis=1).prod()


def sharpe(returns, risk_free=0.0):
    """Annual, 252 days, sample standard deviation; the yearly risk-free rate is divided by 252."""
    excess = returns - risk_free / 252
    return excess.mean() / excess.std(ddof=1) * math.sqrt(252)


def chan(folder):
    """The three figures of chapter 3, from simple daily returns of the adjusted close."""
    returns = [columns(os.path.join(folder, "sharpe-ratio-test-%s.csv" % s))["Adj Close"] for s in ("ige", "spy")]
    returns = [x[1:] / x[:-1] - 1 for x in returns]
    hedged = (returns[0] - returns[1]) / 2
    wealth = np.concatenate([[1.0], np.cumprod(1 + hedged)])
    return sharpe(returns[0], 0.04), sharpe(hedged), (wealth / np.maximum.accumulate(wealth) - 1).min()


def main(folder):
    """Prints every figure beside what is expected."""
    trades, cash = goog(os.path.join(folder, "backtesting_py", "GOOG.csv"))
    checks = [("GOOG trades", trades, 66, 0), ("GOOG end equity", cash, 51422.99, 0.005)]
    for name, expected in OLPS.items():
        found = portfolio_selection(os.path.join(folder, "olps", name + ".csv.gz"))
        checks += [("%s %s" % (name, what), f, e, 5.1e-7) for what, f, e in zip(("buy and hold", "best asset", "constantly rebalanced"), found, expected)]
    checks += [(what, f, e, 5.1e-5) for (what, e), f in zip(CHAN.items(), chan(os.path.join(folder, "chan")))]
    for what, found, expected, tolerance in checks:
        print("%-34s %14.6f %s" % (what, found, "as expected" if abs(found - expected) <= tolerance else "EXPECTED %s" % expected))
    return 0 if all(abs(f - e) <= t for _, f, e, t in checks) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) if len(sys.argv) > 1 else __doc__)
