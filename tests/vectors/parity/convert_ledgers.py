"""Turns `ledgers.json` (SMA(5, 20) cross, 10 bps, 100000 cash, 400 bars, seven runs of three engines) into the format of runs.py.

The engines ran elsewhere with the versions named in the file; nothing is computed here but the requests, from the same closes.
"""
import csv
import json
import os
import re

import numpy as np

import runs
import series

ENGINE = {"backtesting_py": "0.6.6", "vectorbt": "1.2.0", "backtrader": "1.9.78.123"}
NOTE = " Requests were added from the closes; fills of the first two engines were derived from their trades; `commission` of a trade is that of both ends."


def crosses(close, fast, slow):
    """Bars of a cross up and down of two simple averages."""
    mean = lambda n: np.array([np.mean(close[t + 1 - n:t + 1]) if t + 1 >= n else np.nan for t in range(len(close))])
    f, s = mean(fast), mean(slow)
    before_f, before_s = np.concatenate([[np.nan], f[:-1]]), np.concatenate([[np.nan], s[:-1]])
    return (before_f <= before_s) & (f > s), (before_f >= before_s) & (f < s)


def settings_of(name):
    """The settings as keywords of each engine."""
    if name.startswith("backtrader"):
        return {"cash": 100000.0, "commission": 0.001, "cheat_on_open": True}
    if name.startswith("vectorbt"):
        return {"prices": "next_open" if name.endswith("open") else "close", "fees": 0.001, "init_cash": 100000.0}
    more = {"trade_on_close": {"trade_on_close": True}, "fractional": {"fractional_unit": 1e-9}, "sl_tp": {"sl": 0.03, "tp": 0.05}}
    return {"cash": 100000.0, "commission": 0.001, "finalize_trades": True, **next((v for k, v in more.items() if name.endswith(k)), {})}


def trades_of(engine, body):
    """Rows of trades, signed and with the commission of both ends."""
    rows, still_open = [], []
    for i, x in enumerate(body.get("trades", [])):
        fees = 0.001 * abs(x["size"]) * (x["entry_price"] + x["exit_price"]) if engine == "backtesting_py" else x["entry_fee"] + x["exit_fee"]
        rows.append([x["entry_bar"], x["exit_bar"], x["size"], x["entry_price"], x["exit_price"], fees, x["pnl"]])
        still_open += [i] if x.get("open_at_end") else []
    return rows, still_open


def fills_of(rows, still_open):
    """Entry and exit of each trade, in the order of bars (all trades here are long and do not overlap)."""
    out = []
    for i, (entry, leave, size, price, price_out, _, _) in enumerate(rows):
        out.append([entry, size, price, 0.001 * size * price])
        if i not in still_open:
            out.append([leave, -size, price_out, 0.001 * size * price_out])
    return out


def requests_of(name, settings, up, down, bars, rows):
    """What the strategy asked for; the state is known from the trades."""
    names = ("enter_long", "exit_long") if name.startswith("vectorbt") else ("buy", "close")
    shift = 1 if settings.get("prices") == "next_open" else 0
    late = 0 if settings.get("trade_on_close") else 1
    out = []
    for t in range(len(bars["close"]) - shift):
        holds = any(r[0] - late < t <= r[1] - late for r in rows)
        ask = lambda do, **more: out.append({"bar": t + shift, "do": do, **more})
        if up[t] and (shift or name.startswith("vectorbt") or not holds):
            c = bars["close"][t]
            ask(names[0], **({"stop_loss": c * (1 - settings["sl"]), "take_profit": c * (1 + settings["tp"])} if "sl" in settings else {}))
        elif down[t] and (name.startswith("vectorbt") or holds):
            ask(names[1])
    return out


def convert(path):
    """Writes ledgers.csv and ledgers.json beside this file."""
    with open(path) as file:
        source = json.load(file)
    bars = source["ohlcv"]
    with open(os.path.join(series.HERE, "ledgers.csv"), "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["time"] + series.FIELDS)
        out.writerows([d] + [runs.number(bars[k][t]) for k in series.FIELDS] for t, d in enumerate(source["dates"]))
    up, down = crosses(np.array(bars["close"]), source["fast"], source["slow"])
    made = []
    for name, body in source["engines"].items():
        engine = re.match("|".join(ENGINE), name).group()
        settings = settings_of(name)
        rows, still_open = trades_of(engine, body)
        fills = [[x["bar"], x["size"], x["price"], x["commission"]] for x in body["fills"]] if "fills" in body else fills_of(rows, still_open)
        held = [[a[0], b[0]] for a, b in zip(fills[::2], fills[1::2] + [[len(up)]])]
        requests = requests_of(name, settings, up, down, bars, held)
        if engine == "vectorbt":
            settings["open_at_end"] = still_open
        made.append(runs.run(name, engine, ENGINE[engine], "ledgers", settings, body["settings"], requests, fills, body["equity"], rows or None))
    runs.save("ledgers.json", source["how_made"] + NOTE, made)
