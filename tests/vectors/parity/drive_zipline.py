"""Runs of zipline-reloaded in daily mode on a csvdir bundle with the New York calendar."""
import logging
import os
import tempfile

logging.disable(logging.WARNING)
ROOT = os.environ["ZIPLINE_ROOT"] = tempfile.mkdtemp()

import pandas as pd
import zipline
from zipline import api, run_algorithm
from zipline.data import bundles
from zipline.data.bundles.csvdir import csvdir_equities
from zipline.finance import commission
from zipline.utils.calendar_utils import get_calendar

import rules
import runs
import series

HOW = ("zipline-reloaded %s, exchange calendar XNYS, pandas %s, by make_parity_vectors.py. Defaults: FixedBasisPointsSlippage (5 bp, 10 %% of the volume), PerShare(0.001), NeverCancel. Settings: `capital_base`, `weight` (a request "
       "without size is order_target_percent of plus or minus this weight, close is order_target of 0), `commission` \"none\" = NoCommission. `shares` of a request: the signed whole shares of the order that came of it, where they are not just its size. Equity is portfolio_value.") % (zipline.__version__, pd.__version__)
CALENDAR = get_calendar("XNYS")


def ingest(on):
    """Makes a bundle of one series; the second call for it does nothing."""
    if on in bundles.bundles:
        return
    bars, folder = series.read(on), os.path.join(ROOT, "csv", on)
    os.makedirs(os.path.join(folder, "daily"))
    frame = pd.DataFrame({"date": bars["time"], **{k: bars[k] for k in series.FIELDS}, "dividend": 0.0, "split": 1.0})
    frame.to_csv(os.path.join(folder, "daily", "X.csv"), index=False)
    first, last = pd.Timestamp(bars["time"][0]), pd.Timestamp(bars["time"][-1])
    bundles.register(on, csvdir_equities(["daily"], folder), calendar_name="XNYS", start_session=first, end_session=last)
    bundles.ingest(on, show_progress=False)


def ask(asset, r, weight):
    """Hands one request to the engine; returns the shares of the order, None without one."""
    if r["do"] == "cancel":
        for o in api.get_open_orders(asset):
            api.cancel_order(o)
        return None
    sign = -1 if r["do"] == "sell" else 1
    if r["do"] == "close":
        made = api.order_target(asset, 0)
    elif "size" not in r:
        made = api.order_target_percent(asset, sign * weight)
    else:
        made = api.order(asset, sign * r["size"], limit_price=r.get("limit"), stop_price=r.get("stop"))
    return int(api.get_order(made).amount) if made else None


def drive(name, on, rule, text, **settings):
    """One run as a record."""
    ingest(on)
    bars = series.read(on)
    view, asked, clock = rules.View(bars, series.crosses(bars)), [], iter(range(series.BARS))

    def initialize(context):
        context.asset = api.symbol("X")
        if settings.get("commission") == "none":
            api.set_commission(commission.NoCommission())

    def handle_data(context, data):
        t = next(clock)
        for r in rule(view.at(t, context.portfolio.positions[context.asset].amount, bool(api.get_open_orders(context.asset)))):
            shares = ask(context.asset, r, settings.get("weight"))
            asked.append({"bar": t, **r, **({} if shares in (None, r.get("size"), -r.get("size", 0)) else {"shares": shares})})

    first, last = pd.Timestamp(bars["time"][0]), pd.Timestamp(bars["time"][-1])
    days = run_algorithm(start=first, end=last, initialize=initialize, handle_data=handle_data, capital_base=settings["capital_base"], data_frequency="daily", bundle=on,
                         benchmark_returns=pd.Series(0.0, index=CALENDAR.sessions_in_range(first, last)), trading_calendar=CALENDAR)
    fills, charged = [], {}
    for t, (_, day) in enumerate(days.iterrows()):
        total = {o["id"]: o["commission"] for o in day.orders}
        for x in day.transactions:
            paid = charged.get(x["order_id"], 0.0)
            charged[x["order_id"]] = total[x["order_id"]]
            fills.append([t, x["amount"], x["price"], charged[x["order_id"]] - paid])
    return runs.run(name, "zipline", zipline.__version__, on, settings, text, asked, fills, days.portfolio_value)


def all_runs():
    """Every run of this engine."""
    flat, both = rules.long_flat(), rules.long_short()
    cross, reverse = "SMA(5, 20) cross, long or flat by order_target_percent", "SMA(5, 20) cross, long or short: order_target(0), then order_target_percent, on the same bar"
    straight = "SMA(5, 20) cross, long or short by one order_target_percent"
    turn = lambda v: [rules.request("buy")] if v.up else [rules.request("sell")] if v.down else []
    ticks = {3: [{"do": "buy", "size": 100, "limit": 99.00501}], 8: [{"do": "cancel"}, {"do": "sell", "size": 100, "stop": 97.99951}], 15: [{"do": "cancel"}, {"do": "buy", "size": 10.99995}],
             20: [{"do": "buy", "size": 5.9}], 25: [{"do": "close"}], 30: [{"do": "buy", "size": 3000}, {"do": "sell", "size": 500}, {"do": "buy", "size": 1500, "limit": 120.0}], 50: [{"do": "cancel"}, {"do": "close"}],
             60: [{"do": "sell", "size": 200, "limit": 90.00449}, {"do": "buy", "size": 100, "stop": 90.00551}], 70: [{"do": "close"}], 299: [{"do": "buy", "size": 1}]}
    return [
        drive("cross_calm_no_commission", "calm", flat, cross, capital_base=100000.0, weight=1.0, commission="none"),
        drive("cross_volatile_defaults", "volatile", flat, cross, capital_base=20000.0, weight=1.0),
        drive("reverse_surge", "surge", both, reverse, capital_base=100000.0, weight=0.5),
        drive("carry_over_volatile", "volatile", flat, cross + ", orders above 10 % of the volume: the rest carries over", capital_base=2000000.0, weight=0.9),
        drive("carry_over_turn_calm", "calm", turn, straight + ", orders above 10 % of the volume overlap", capital_base=600000.0, weight=0.8),
        drive("limit_calm", "calm", rules.resting(6, 8, 500, limit=-0.008), "limit entries 0.8 % away, sides alternate, leave after 8 bars", capital_base=100000.0),
        drive("stop_volatile", "volatile", rules.resting(6, 5, 300, stop=0.02), "stop entries 2 % away, sides alternate, leave after 5 bars", capital_base=100000.0),
        drive("stop_limit_volatile", "volatile", rules.resting(5, 4, 900, stop=0.01, limit=0.01), "stop-limit entries, the limit 1 % beyond or before the stop; some fill over several days", capital_base=100000.0),
        drive("ticks_and_shared_cap", "calm", rules.script(ticks), "fixed list: prices rounded to cents, fractions of shares, several orders that share a day's volume", capital_base=100000.0),
    ]
