"""Recomputes the end equity and the fees of four algorithms of QuantConnect's Lean from Lean's own data files, to the cent.

    python lean_check.py FOLDER [FOLDER ...]

Each folder holds Lean's tree `equity/usa/{daily,hour,minute/spy,factor_files}` or a part of it; together they must hold SPY's daily file, hour file, the quote and trade minutes of
2013-10-07 to 2013-10-11, and the factor file. The expected figures are those that Lean's own regression tests state. Needs NumPy only. Exit code 1 if a figure differs by a cent.

Rules, the same for all four:
- A file's prices are in 1/10000 dollar, its stamps are the START of a bar in New York time (minutes: milliseconds after midnight; hours: `yyyymmdd HH:MM`; days: midnight).
- Adjusted price = price * price factor * split factor of the first line of the factor file whose date is not before the bar's date (lines: date, price factor, split factor, reference price).
- Cash 100000. Fee of an order = max(1, 0.005 * shares). Everything is bought: the largest whole n with n * p + fee(n) <= 0.9975 * equity, p the close of the deciding bar.
- A decision on a daily bar is known after its close and fills at the next bar's open; on minute and hour bars the market is open, so the order fills at once.
"""
import csv
import io
import os
import sys
import zipfile

import numpy as np

CASH, BUFFER = 100000.0, 0.9975
EXPECTED = {"BasicTemplateAlgorithm": (101691.92, 3.44), "BasicTemplateHourlyAlgorithm": (101529.08, 3.44), "BasicTemplateDailyAlgorithm": (104486.22, 3.49), "MACDTrendAlgorithm": (137751.04, 468.54)}


def locate(folders, *parts):
    """The first of the folders that has the file."""
    for folder in folders:
        path = os.path.join(folder, "equity", "usa", *parts)
        if os.path.exists(path):
            return path
    sys.exit("no folder has equity/usa/" + "/".join(parts))


def table(path):
    """Rows of a zipped CSV file: the stamp as text, the rest as numbers (empty = nan)."""
    with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as file:
        rows = list(csv.reader(io.TextIOWrapper(file)))
    return [r[0] for r in rows], np.array([[float(x) if x else np.nan for x in r[1:]] for r in rows])


def factors(folders):
    """A function from a date `yyyymmdd` to the factor of its adjusted price."""
    with open(locate(folders, "factor_files", "spy.csv")) as file:
        rows = [(r[0], float(r[1]) * float(r[2])) for r in csv.reader(file)]
    return lambda date: next(f for last, f in rows if last >= date)


def dollars(amount):
    """To the cent, halves up: 697 shares cost 3.485, which Lean prints as 3.49."""
    return round(amount + 1e-9, 2)


def fee(shares):
    """Interactive Brokers' tariff as Lean has it by default."""
    return max(1.0, 0.005 * abs(shares))


def all_in(equity, price):
    """The largest whole number of shares within the buffer."""
    n = int(BUFFER * equity / price)
    while n * price + fee(n) > BUFFER * equity:
        n -= 1
    return n


def hold(size_price, fill_price, last_price):
    """Buys once and holds: end equity, fees, shares."""
    n = all_in(CASH, size_price)
    return CASH - n * fill_price - fee(n) + n * last_price, fee(n), n


def minutes(folders, factor):
    """Minute bars: sized on the trade close of the 09:30 bar, filled at that bar's ask close, valued at the last regular trade close of the week."""
    stamps, trades = table(locate(folders, "minute", "spy", "20131007_trade.zip"))
    quote_stamps, quotes = table(locate(folders, "minute", "spy", "20131007_quote.zip"))
    end_stamps, ends = table(locate(folders, "minute", "spy", "20131011_trade.zip"))
    first, last = str(int(9.5 * 3600e3)), str((16 * 60 - 1) * 60 * 1000)
    trade, ask, end = trades[stamps.index(first), 3], quotes[quote_stamps.index(first), 8], ends[end_stamps.index(last), 3]
    f, g = factor("20131007") / 1e4, factor("20131011") / 1e4
    return hold(trade * f, ask * f, end * g)


def hours(folders, factor):
    """Hour bars: sized and filled at the close of the 09:00 bar, valued at the close of the last bar of the week."""
    stamps, bars = table(locate(folders, "hour", "spy.zip"))
    first, last = bars[stamps.index("20131007 09:00"), 3] * factor("20131007") / 1e4, bars[stamps.index("20131011 15:00"), 3] * factor("20131011") / 1e4
    return hold(first, first, last)


def days(folders, factor, begin, end):
    """Adjusted daily opens and closes between two dates, with the dates."""
    stamps, bars = table(locate(folders, "daily", "spy.zip"))
    rows = [(s[:8], b[0] * factor(s[:8]) / 1e4, b[3] * factor(s[:8]) / 1e4) for s, b in zip(stamps, bars) if begin <= s[:8] <= end]
    return [r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows]


def daily(folders, factor):
    """Daily bars: sized on the first close, filled at the next open."""
    _, opens, closes = days(folders, factor, "20131008", "20131017")
    return hold(closes[0], opens[1], closes[-1])


def ema(values, bars):
    """Exponential average with weight 2 / (bars + 1), seeded with the mean of the first `bars` values; nan before."""
    out = np.full(len(values), np.nan)
    begin = int(np.argmax(~np.isnan(values))) + bars - 1
    out[begin] = np.mean(values[begin + 1 - bars:begin + 1])
    for t in range(begin + 1, len(values)):
        out[t] = out[t - 1] + 2.0 / (bars + 1) * (values[t] - out[t - 1])
    return out


def macd_trend(folders, factor):
    """In when (MACD - signal) / fast EMA is above 0.0025 and flat, out when it is below -0.0025; decided on closes, filled at the next open. Returns fills too."""
    _, opens, closes = days(folders, factor, "20040101", "20150101")
    fast, slow = ema(np.array(closes), 12), ema(np.array(closes), 26)
    macd = fast - slow
    difference = (macd - ema(macd, 9)) / fast
    cash, held, wanted, fees, fills = CASH, 0, 0, 0.0, 0
    for t, close in enumerate(closes):
        if wanted:
            cash, held, fees, fills, wanted = cash - wanted * opens[t] - fee(wanted), held + wanted, fees + fee(wanted), fills + 1, 0
        if held == 0 and difference[t] > 0.0025:
            wanted = all_in(cash, close)
        elif held > 0 and difference[t] < -0.0025:
            wanted = -held
    return cash + held * closes[-1], fees, fills


def main(folders):
    """Prints a line per algorithm and exits with 1 if one is off."""
    factor, right = factors(folders), True
    for name, compute in (("BasicTemplateAlgorithm", minutes), ("BasicTemplateHourlyAlgorithm", hours), ("BasicTemplateDailyAlgorithm", daily), ("MACDTrendAlgorithm", macd_trend)):
        equity, fees, count = compute(folders, factor)
        equal = (dollars(equity), dollars(fees)) == EXPECTED[name]
        right &= equal
        print("%-28s end equity %.4f fees %.3f (%d %s) %s" % (name, equity, fees, count, "fills" if compute is macd_trend else "shares", "as expected" if equal else "EXPECTED %.2f and %.2f" % EXPECTED[name]))
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) if len(sys.argv) > 1 else __doc__)
