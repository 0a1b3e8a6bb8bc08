"""W4: returns, log returns, volatility, RSI, MACD, Bollinger and volume ratio of 500 symbols x 2,520 days with TA-Lib."""

import numpy as np
import talib

from timing import measure

SYMBOLS, DAYS = 500, 2_520

rng = np.random.default_rng(7)
close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, (SYMBOLS, DAYS)), axis=1))
volume = rng.lognormal(14.0, 0.5, (SYMBOLS, DAYS))


def one_symbol(close, volume):
    log_return = np.empty_like(close)
    log_return[0] = np.nan
    log_return[1:] = np.diff(np.log(close))
    volatility = talib.STDDEV(log_return[1:], timeperiod=20) * np.sqrt(20.0 / 19.0)
    bands = talib.BBANDS(close, timeperiod=20, nbdevup=2.0, nbdevdn=2.0)
    return (
        talib.ROCP(close, timeperiod=1),
        log_return,
        volatility,
        talib.RSI(close, timeperiod=14),
        *talib.MACD(close, fastperiod=12, slowperiod=26, signalperiod=9),
        *bands,
        volume / talib.SMA(volume, timeperiod=20),
    )


def panel():
    return [one_symbol(close[symbol], volume[symbol]) for symbol in range(SYMBOLS)]


measure("W4 features 500 x 2,520", "TA-Lib", talib.__version__, panel, SYMBOLS * DAYS, "rows")
