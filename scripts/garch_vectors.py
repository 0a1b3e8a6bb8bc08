#!/usr/bin/env python3
"""Makes tests/vectors/garch.json: GARCH(1,1) fits of the PyPI package arch 8.0.0.

    python3 scripts/garch_vectors.py

Needs arch==8.0.0 and numpy. Two series: a simulated one, which the file holds, and the first closes of data/sp500_daily.csv,
of which it holds only the number. The constant-mean model is fitted to returns in percent, where the optimiser is at ease, and
its numbers are brought back to returns: omega and variances over 100^2, the log-likelihood plus n ln 100.
"""

import csv
import json
import math
import pathlib

import numpy as np
from arch import arch_model

ROOT = pathlib.Path(__file__).resolve().parent.parent
PERCENT = 100.0
HORIZONS = [1, 2, 5, 10, 22]


def simulated(count):
    """Returns rounded to ten decimals of a GARCH(1,1) with mean 5e-4, omega 2e-6, alpha 0.08, beta 0.9."""
    mean, omega, alpha, beta = 5e-4, 2e-6, 0.08, 0.9
    generator = np.random.default_rng(20260103)
    variance, returns = omega / (1 - alpha - beta), []
    for shock in generator.standard_normal(count):
        innovation = math.sqrt(variance) * shock
        returns.append(round(mean + innovation, 10))
        variance = omega + alpha * innovation**2 + beta * variance
    return np.array(returns)


def index(closes):
    with open(ROOT / "data/sp500_daily.csv", newline="") as file:
        close = np.array([float(row["close"]) for row in csv.DictReader(file)][:closes])
    return np.diff(np.log(close))


def fit(returns):
    model = arch_model(returns * PERCENT, mean="Constant", vol="GARCH", p=1, q=1, dist="normal", rescale=False)
    result = model.fit(disp="off", tol=1e-14, options={"maxiter": 5000})
    for _ in range(3):  # from its own end, until nothing moves
        result = model.fit(disp="off", starting_values=result.params, tol=1e-15, options={"maxiter": 5000})
    variance = result.conditional_volatility**2 / PERCENT**2
    forecast = result.forecast(horizon=max(HORIZONS)).variance.to_numpy()[-1] / PERCENT**2
    places = [0, 1, 10, len(returns) // 2, len(returns) - 1]
    return {
        "observations": len(returns),
        "mean": result.params["mu"] / PERCENT,
        "omega": result.params["omega"] / PERCENT**2,
        "alpha": result.params["alpha[1]"],
        "beta": result.params["beta[1]"],
        "log_likelihood": result.loglikelihood + len(returns) * math.log(PERCENT),
        "conditional_variance": [[place, variance[place]] for place in places],
        "variance_over_horizon": [[bars, forecast[:bars].sum()] for bars in HORIZONS],
    }


def main():
    returns = simulated(1500)
    closes = 2500
    vectors = {
        "how_made": "scripts/garch_vectors.py with arch 8.0.0: constant mean, GARCH(1,1), normal likelihood, its own backcast",
        "simulated": {"returns": returns.tolist(), "fit": fit(returns)},
        "sp500_daily": {"closes": closes, "fit": fit(index(closes))},
    }
    path = ROOT / "tests/vectors/garch.json"
    path.write_text(json.dumps(vectors, indent=None, separators=(", ", ": ")) + "\n")
    print(f"{path}: {path.stat().st_size} bytes")
    for name in ("simulated", "sp500_daily"):
        print(name, vectors[name]["fit"])


if __name__ == "__main__":
    main()
