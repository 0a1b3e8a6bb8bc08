"""W1 and W2: a moving-average cross in vectorbt, all in or flat, 5 bps a side, filled at the next bar's open.

One backtest over 1,000,000 one-minute bars, then 1,000 pairs of windows over 2,520 daily bars.
"""

import itertools

import numpy as np
import pandas as pd
import vectorbt as vbt

from timing import measure

COST = 0.0005


def random_walk(bars, volatility, seed):
    """Closes of a random walk, and opens half a step away from the previous close."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0.0, volatility, (bars, 2)) / np.sqrt(2.0)
    log_close = np.cumsum(steps.sum(axis=1))
    log_open = np.concatenate([[0.0], log_close[:-1]]) + steps[:, 0]
    return pd.Series(100.0 * np.exp(log_open)), pd.Series(100.0 * np.exp(log_close))


def long_from_next_bar(fast, slow):
    """Where the fast mean was above the slow one on the bar before: the order then fills at this bar's open."""
    return (fast > slow).shift(1, fill_value=False)


def single(open_, close):
    long = long_from_next_bar(close.rolling(10).mean(), close.rolling(30).mean())
    portfolio = vbt.Portfolio.from_signals(close, long, ~long, price=open_, fees=COST, init_cash=1e6, freq="1min")
    return portfolio.total_return()


def sweep(open_, close, pairs):
    means = {window: close.rolling(window).mean() for window in sorted(set(itertools.chain(*pairs)))}
    long = pd.concat([long_from_next_bar(means[fast], means[slow]) for fast, slow in pairs], axis=1)
    portfolio = vbt.Portfolio.from_signals(close, long, ~long, price=open_, fees=COST, init_cash=1e6, freq="1D")
    return portfolio.total_return(), portfolio.sharpe_ratio(), portfolio.max_drawdown()


minutes = random_walk(1_000_000, 0.0005, 7)
measure("W1 sma_cross 1,000,000 bars", "vectorbt", vbt.__version__, lambda: single(*minutes), 1_000_000, "bars", 5)

days = random_walk(2_520, 0.01, 7)
pairs = [(fast, slow) for fast, slow in itertools.combinations(range(5, 75), 2)][:1000]
measure("W2 sweep 1,000 pairs", "vectorbt", vbt.__version__, lambda: sweep(*days, pairs), 1000, "trials", 5)
