"""The file format of the parity vectors: one JSON file per engine with all its runs.

`{"how_made": text, "runs": [run, ...]}`; a run is
`name`, `engine`, `version`, `series` (name of the CSV file), `settings` (everything that differs from the engine's defaults or that a reader needs), `rule` (text),
`requests`: what the strategy asked for at the close of a bar, `[bar, do, size, limit, stop, stop loss, take profit, trail, shares]`, cut after the last entry that is not null (see rules.py; for vectorbt the signals of that bar),
`fills`: `[bar, quantity (negative = sold), price, commission]` in the order in which they happened; `bar` is the one that the engine reports,
`trades`: `[entry bar, exit bar, quantity, entry price, exit price, commission, pnl]` where the engine has a trade list of its own, in its order,
`refused`: `[bar, reason]`, orders that the engine dropped for want of money, `equity`: after every bar.
Bars count from 0. Prices are exact as far as two decimals make them so; other numbers are rounded to 12 significant digits, equity to 11.
"""
import json
import os

from series import HERE


REQUEST = ["bar", "do", "size", "limit", "stop", "stop_loss", "take_profit", "trail", "shares"]


def number(x, digits=12):
    """A number of some significant digits, whole numbers without a fraction."""
    x = float("%.*g" % (digits, float(x)))
    return int(x) if x == int(x) and abs(x) < 1e15 else x


def table(rows):
    """Rows of numbers and texts, rounded."""
    return [[x if isinstance(x, (str, type(None))) else number(x) for x in row] for row in rows]


def row(request):
    """A request as a row without trailing nulls."""
    cells = [request.get(k) for k in REQUEST]
    assert set(request) <= set(REQUEST)
    while cells[-1] is None:
        cells.pop()
    return cells


def run(name, engine, version, series, settings, rule, requests, fills, equity, trades=None, refused=None):
    """One run as it is written."""
    body = dict(name=name, engine=engine, version=version, series=series, settings=settings, rule=rule, requests=[row(r) for r in requests], fills=table(fills))
    if trades is not None:
        body["trades"] = table(trades)
    if refused:
        body["refused"] = table(refused)
    body["equity"] = [number(x, 11) for x in equity]
    return body


def save(file, how_made, runs):
    """Writes a file with one entry of a run per line."""
    compact = lambda value: json.dumps(value, separators=(",", ":"), allow_nan=False)
    lines = ",\n".join("{" + ",\n ".join("%s:%s" % (compact(k), compact(v)) for k, v in r.items()) + "}" for r in runs)
    path = os.path.join(HERE, file)
    with open(path, "w") as out:
        out.write('{"how_made":%s,\n"runs":[\n%s\n]}\n' % (compact(how_made), lines))
    print(file, len(runs), "runs", os.path.getsize(path), "bytes")
    for r in runs:
        print("  %-44s %3d fills %3d refused, last equity %.6f" % (r["name"], len(r["fills"]), len(r.get("refused", [])), r["equity"][-1]))
