"""Runs of vectorbt's `Portfolio.from_signals`, long entries and exits, short entries and exits."""
import numpy as np
import pandas as pd
import vectorbt as vbt

import runs
import series

HOW = ("vectorbt %s, pandas %s, by make_parity_vectors.py. Settings are keywords of Portfolio.from_signals; `prices`: \"close\" = only closes were given, \"ohlc\" = open, high and low too, \"next_open\" = signals shifted by "
       "one bar and price=open (the requests show the signals as shifted, so the fill is on the request's own bar). Requests: the signals of each bar, whether they lead to an order or not. Trades as in `trades.records` "
       "(exit trades): one that is open at the end has the last bar and close as its exit, no exit fee, and is named by `open_at_end`.") % (vbt.__version__, pd.__version__)


def drive(name, on, signals, text, prices="close", **settings):
    """One run as a record; `signals` maps a signal's name to a boolean array."""
    bars = series.read(on)
    index = pd.to_datetime(bars["time"])
    column = lambda k: pd.Series(bars[k], index)
    given = {}
    if prices == "ohlc":
        given = {k: column(k) for k in ("open", "high", "low")}
    if prices == "next_open":
        given = {"price": column("open")}
        signals = {k: np.concatenate([[False], s[:-1]]) for k, s in signals.items()}
    portfolio = vbt.Portfolio.from_signals(column("close"), freq="1D", **{k: pd.Series(s, index) for k, s in signals.items()}, **given, **settings)
    orders, trades = portfolio.orders.records, portfolio.trades.records
    fills = [[int(o.idx), o.size if o.side == 0 else -o.size, o.price, o.fees] for o in orders.itertuples()]
    listed = [[int(x.entry_idx), int(x.exit_idx), x.size if x.direction == 0 else -x.size, x.entry_price, x.exit_price, x.entry_fees + x.exit_fees, x.pnl] for x in trades.itertuples()]
    names = {"entries": "enter_long", "exits": "exit_long", "short_entries": "enter_short", "short_exits": "exit_short"}
    if settings.get("direction") == "both":
        names["exits"] = "enter_short"
    asked = [{"bar": t, "do": names[k]} for t in range(len(index)) for k, s in signals.items() if s[t]]
    body = runs.run(name, "vectorbt", vbt.__version__, on, {"prices": prices, **settings}, text, asked, fills, portfolio.value(), listed)
    body["settings"]["open_at_end"] = [i for i, x in enumerate(trades.itertuples()) if x.status == 0]
    return body


def every(count, bars, first=0):
    """A signal on every `count`-th bar from `first`."""
    out = np.zeros(bars, bool)
    out[first::count] = True
    return out


def all_runs():
    """Every run of this engine."""
    crosses = {name: series.crosses(series.read(name)) for name in ("calm", "volatile", "surge")}
    flat = lambda on: {"entries": crosses[on][0], "exits": crosses[on][1]}
    both = lambda on: {"entries": crosses[on][0], "short_entries": crosses[on][1]}
    n = series.BARS
    busy = {"entries": every(9, n, 2), "exits": every(13, n, 5), "short_entries": every(22, n, 2), "short_exits": every(31, n, 5)}
    cross, reverse = "SMA(5, 20) cross, long or flat", "SMA(5, 20) cross, always long or short"
    stops = dict(sl_stop=0.03, tp_stop=0.05)
    return [
        drive("cross_calm_defaults", "calm", flat("calm"), cross),
        drive("size_above_cash", "calm", flat("calm"), cross + ", size beyond the cash: partial fill", size=1000.0, fees=0.001, fixed_fees=2.0, init_cash=10000.0),
        drive("size_below_cash_reverse", "volatile", both("volatile"), reverse + ", fixed size", size=40.0, fees=0.001, init_cash=10000.0),
        drive("reverse_volatile_fees", "volatile", both("volatile"), reverse, fees=0.001, init_cash=10000.0),
        drive("direction_both_surge", "surge", flat("surge"), reverse + " by direction=\"both\"", direction="both", fees=0.001, slippage=0.002, init_cash=10000.0),
        drive("every_signal_busy", "calm", busy, "signals of all four kinds by a fixed rhythm, with conflicts", fees=0.0005, init_cash=10000.0),
        drive("short_squeezed", "surge", {"short_entries": every(n, n, 3), "short_exits": every(n, n, 170)}, "one short through a sixfold rise: the cover is cut to the cash, equity goes below zero", fees=0.001, init_cash=10000.0),
        drive("stops_ohlc", "volatile", {"entries": every(13, n, 1)}, "entry every 13 bars, stop 3 %, target 5 % inside the bar", prices="ohlc", fees=0.001, slippage=0.001, init_cash=10000.0, **stops),
        drive("stops_ohlc_short", "surge", {"short_entries": every(13, n, 1)}, "short entry every 13 bars, stop 3 %, target 5 % inside the bar", prices="ohlc", fees=0.001, init_cash=10000.0, **stops),
        drive("stops_close_only", "volatile", {"entries": every(13, n, 1)}, "the same on closes alone", fees=0.001, init_cash=10000.0, **stops),
        drive("stop_trailing", "volatile", {"entries": every(13, n, 1)}, "entry every 13 bars, trailing stop 6 %", prices="ohlc", fees=0.001, init_cash=10000.0, sl_stop=0.06, sl_trail=True),
    ]
