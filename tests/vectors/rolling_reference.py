"""Writes rolling_reference.json: rolling statistics by their textbook definitions, from the prices in indicators_talib.json.

Every window is summed on its own with `math.fsum` (correctly rounded) and no value is carried from row to row, so that the
result shares neither an algorithm nor a rounding error with the incremental kernels. Needs Python 3.9 or later and nothing
else. Run from this folder: python3 rolling_reference.py
"""

import json
import math


def windows(values, bars):
    """The last `bars` values at each row, `None` while there are fewer or one of them is missing."""
    for row in range(len(values)):
        window = values[row - bars + 1 : row + 1] if row + 1 >= bars else [None]
        yield None if None in window else window


def mean(window):
    return math.fsum(window) / len(window)


def deviation(window, ddof):
    center = mean(window)
    return math.sqrt(math.fsum((value - center) ** 2 for value in window) / (len(window) - ddof))


def column(values, bars, function):
    return [None if window is None else function(window) for window in windows(values, bars)]


def cutler(changes):
    gains = math.fsum(change for change in changes if change > 0)
    losses = math.fsum(-change for change in changes if change < 0)
    return 100 - 100 / (1 + gains / losses)


def percent_b(window, width):
    return (window[-1] - (mean(window) - width * deviation(window, 0))) / (2 * width * deviation(window, 0))


def ewma_variance(log_returns, decay):
    """RiskMetrics: v = decay * v + (1 - decay) * r^2 from the first squared return, written out as a weighted sum."""
    out = [None]
    for row in range(1, len(log_returns)):
        recent = [(1 - decay) * decay**age * log_returns[row - age] ** 2 for age in range(row - 1)]
        out.append(math.fsum(recent) + decay ** (row - 1) * log_returns[1] ** 2)
    return out


def main():
    with open("indicators_talib.json", encoding="utf-8") as file:
        bars = json.load(file)["bars"]
    close, volume = bars["close"], bars["volume"]
    log_returns = [None] + [math.log(now / then) for then, now in zip(close, close[1:])]
    changes = [None] + [now - then for then, now in zip(close, close[1:])]
    reference = {
        "log_return_1": log_returns,
        "volatility_20": column(log_returns, 20, lambda window: deviation(window, 1)),
        "rsi_cutler_14": column(changes, 14, cutler),
        "bollinger_percent_b_20_2": column(close, 20, lambda window: percent_b(window, 2)),
        "bollinger_bandwidth_20_2": column(close, 20, lambda window: 4 * deviation(window, 0) / mean(window)),
        "z_score_20": column(close, 20, lambda window: (window[-1] - mean(window)) / deviation(window, 1)),
        "volume_ratio_20": column(volume, 20, lambda window: window[-1] / mean(window)),
        "ewma_variance_94": ewma_variance(log_returns, 0.94),
    }
    with open("rolling_reference.json", "w", encoding="utf-8") as file:
        json.dump(reference, file, indent=0)
        file.write("\n")


if __name__ == "__main__":
    main()
