#!/usr/bin/env python3
"""Writes tests/vectors/forecast_reference.json: values of distributions, scores, calibration tests and comparisons of forecasts.

    python3 scripts/forecast_reference.py

Needs NumPy, SciPy, statsmodels and mpmath. Every value comes from another algorithm than the one in crates/metrics: scores are
integrals of the distribution function, likelihood ratios are G statistics of contingency tables, long-run variances are those
of a regression on a constant. The section `how_made` of the file names each source.
"""

import json
import pathlib

import mpmath
import numpy
import scipy
import statsmodels
import statsmodels.api
from scipy import integrate, stats
from statsmodels.stats.diagnostic import acorr_ljungbox

ROOT = pathlib.Path(__file__).resolve().parent.parent
VECTORS = ROOT / "tests" / "vectors"
HOW_MADE = {
    "student_t": "mpmath at 30 digits: cumulative by the incomplete beta function, crps by quadrature of F^2 below and (1 - F)^2 above",
    "student_t_quantile": "mpmath at 30 digits: root of the cumulative",
    "quantiles": "moments by quadrature of the quantile function (numpy.interp inside, exponential tails written out)",
    "scores": "NumPy on the forecasts of forecast_scores.json",
    "kolmogorov_smirnov": "scipy.stats.kstest, method exact",
    "calibration": "PIT and violations of forecast_scores.json; acorr_ljungbox; scipy.stats.power_divergence and chi2_contingency, log-likelihood",
    "diebold_mariano": "statsmodels OLS on a constant with HAC covariance (uniform and Bartlett kernel), then the factor of Harvey et al. and scipy.stats.t",
    "information_coefficient": "scipy.stats.pearsonr and spearmanr date by date; scipy.stats.ttest_1samp",
}


def t_cumulative(z, nu):
    z, nu = mpmath.mpf(z), mpmath.mpf(nu)
    if z * z > nu:
        tail = mpmath.betainc(nu / 2, mpmath.mpf(1) / 2, 0, nu / (nu + z * z), regularized=True) / 2
        return tail if z < 0 else 1 - tail
    return (1 + mpmath.sign(z) * mpmath.betainc(mpmath.mpf(1) / 2, nu / 2, 0, z * z / (nu + z * z), regularized=True)) / 2


def t_crps(z, nu):
    edges = [z] + [z + step for step in (1, 3, 10, 100, 10000)] + [mpmath.inf]
    above = mpmath.quad(lambda x: t_cumulative(-x, nu) ** 2, edges)
    edges = [-z] + [-z + step for step in (1, 3, 10, 100, 10000)] + [mpmath.inf]
    return above + mpmath.quad(lambda x: t_cumulative(-x, nu) ** 2, edges)


def student_t():
    mpmath.mp.dps = 30
    rows, quantiles = [], []
    for nu in (1.5, 2.5, 4.0, 7.0, 30.0, 900.0, 1100.0, 9e3, 1.1e4, 1e8):
        for z in (-40.0, -3.0, -1.25, -1e-5, 0.0, 0.7, 2.5, 12.0):
            density = mpmath.loggamma((nu + 1) / mpmath.mpf(2)) - mpmath.loggamma(nu / mpmath.mpf(2))
            density -= (mpmath.log(nu * mpmath.pi) + (nu + 1) * mpmath.log1p(mpmath.mpf(z) ** 2 / nu)) / 2
            row = {"degrees_of_freedom": nu, "z": z, "cumulative": float(t_cumulative(z, nu)), "log_density": float(density)}
            rows.append(row)
        for level in (1e-6, 0.005, 0.1, 0.4999, 0.5, 0.75, 0.975, 0.9995):
            start = stats.t.ppf(level, nu)
            root = mpmath.findroot(lambda x: t_cumulative(x, nu) - mpmath.mpf(level), mpmath.mpf(start))
            quantiles.append({"degrees_of_freedom": nu, "level": level, "value": float(root)})
    mpmath.mp.dps = 16
    crps = [
        {"degrees_of_freedom": nu, "z": z, "crps": float(t_crps(mpmath.mpf(z), nu))}
        for nu in (2.5, 4.0, 7.0, 30.0, 1e3)
        for z in (-3.0, 0.0, 0.7, 2.5)
    ]
    return rows, quantiles, crps


def quantile_forecast():
    levels, values = [0.05, 0.2, 0.5, 0.9], [-0.03, -0.01, 0.002, 0.04]
    low = levels[0] * (values[1] - values[0]) / (levels[1] - levels[0])
    high = (1 - levels[-1]) * (values[-1] - values[-2]) / (levels[-1] - levels[-2])

    def quantile(p):
        if p < levels[0]:
            return values[0] + low * numpy.log(p / levels[0])
        if p > levels[-1]:
            return values[-1] - high * numpy.log((1 - p) / (1 - levels[-1]))
        return float(numpy.interp(p, levels, values))

    def moment(power):
        edges = [0.0, *levels, 1.0]
        return sum(
            integrate.quad(lambda p: quantile(p) ** power, a, b, epsabs=1e-15, epsrel=1e-13)[0] for a, b in zip(edges, edges[1:])
        )

    probabilities = [0.001, 0.05, 0.1, 0.35, 0.5, 0.8, 0.9, 0.99]
    mean = moment(1)
    return {
        "levels": levels,
        "values": values,
        "mean": mean,
        "variance": moment(2) - mean**2,
        "probabilities": probabilities,
        "quantiles": [float(quantile(p)) for p in probabilities],
    }


def forecasts():
    with open(VECTORS / "forecast_scores.json", encoding="utf-8") as file:
        data = json.load(file)
    return (numpy.array(data[key]) for key in ("mu", "sigma", "y"))


def scores():
    mean, deviation, actual = forecasts()
    low, high = stats.norm.interval(0.95, mean, deviation)
    winkler = (high - low) + (2 / 0.05) * (numpy.maximum(low - actual, 0) + numpy.maximum(actual - high, 0))
    reference = [
        integrate.quad(lambda x: stats.norm.cdf(x, 0.001, 0.02) ** 2, -0.4, y, epsabs=1e-14)[0]
        + integrate.quad(lambda x: stats.norm.sf(x, 0.001, 0.02) ** 2, y, 0.4, epsabs=1e-14)[0]
        for y in actual
    ]
    own = stats.norm.cdf((actual - mean) / deviation)
    own = deviation * (
        (actual - mean) / deviation * (2 * own - 1) + 2 * stats.norm.pdf((actual - mean) / deviation) - 1 / numpy.sqrt(numpy.pi)
    )
    return {
        "mean_absolute_error": numpy.abs(actual - mean).mean(),
        "relative_squared_error": numpy.sqrt(((actual - mean) ** 2).sum() / ((actual - actual.mean()) ** 2).sum()),
        "interval_score_95": winkler.mean(),
        "crps_of_normal_0.001_0.02": numpy.mean(reference),
        "crps_skill_against_normal_0.001_0.02": 1 - own.mean() / numpy.mean(reference),
    }


def kolmogorov_smirnov():
    rows = []
    for count, distance in (
        (1, 0.7), (2, 0.6), (5, 0.3), (10, 0.41), (20, 0.1), (50, 0.05), (100, 0.136), (200, 0.13), (500, 0.01), (500, 0.08),
        (1000, 0.03), (1000, 0.0515), (3000, 0.02), (5000, 0.03), (20000, 0.005), (20000, 0.0096),
    ):  # fmt: skip
        rows.append({"count": count, "distance": distance, "p_value": float(stats.kstwo.sf(distance, count))})
    return rows


def likelihood_ratios(inside, nominal):
    outside = ~inside
    count, failures = len(outside), int(outside.sum())
    kupiec = stats.power_divergence(
        [failures, count - failures], [count * (1 - nominal), count * nominal], lambda_="log-likelihood"
    )
    table = numpy.zeros((2, 2))
    for before, now in zip(outside, outside[1:]):
        table[int(before), int(now)] += 1
    independence = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood")
    joint = kupiec.statistic + independence.statistic
    return {
        "nominal": nominal,
        "failures": failures,
        "transitions": table.ravel().tolist(),
        "kupiec": [kupiec.statistic, kupiec.pvalue],
        "independence": [independence.statistic, independence.pvalue],
        "conditional_coverage": [joint, stats.chi2.sf(joint, 2)],
    }


def calibration():
    mean, deviation, actual = forecasts()
    transform = stats.norm.cdf(actual, mean, deviation)
    exact = stats.kstest(transform, "uniform", method="exact")
    ljung_box = acorr_ljungbox(transform, lags=[10])
    tests = []
    for nominal in (0.9, 0.95, 0.99):
        low, high = stats.norm.interval(nominal, mean, deviation)
        tests.append(likelihood_ratios((low <= actual) & (actual <= high), nominal))
    return {
        "pit_histogram": numpy.histogram(transform, bins=20, range=(0, 1))[0].tolist(),
        "kolmogorov_smirnov": [exact.statistic, exact.pvalue],
        "ljung_box": [ljung_box["lb_stat"].iloc[0], ljung_box["lb_pvalue"].iloc[0]],
        "coverage_70": float((numpy.abs((actual - mean) / deviation) <= stats.norm.ppf(0.85)).mean()),
        "coverage_99": float((numpy.abs((actual - mean) / deviation) <= stats.norm.ppf(0.995)).mean()),
        "tests": tests,
    }


def mean_test(values, horizon, kernel):
    """Statistic and p-value of Harvey, Leybourne and Newbold for the mean of `values`."""
    count = len(values)
    if kernel == "truncated":
        weights = lambda lags: numpy.ones(lags + 1)  # noqa: E731
    else:
        weights = lambda lags: 1 - numpy.arange(lags + 1) / (lags + 1)  # noqa: E731
    keywords = {"maxlags": horizon - 1, "kernel": weights, "use_correction": False}
    fit = statsmodels.api.OLS(values, numpy.ones(count)).fit(cov_type="HAC", cov_kwds=keywords)
    variance = float(fit.cov_params()[0, 0])
    if variance <= 0:
        return {"variance": variance}
    factor = numpy.sqrt((count + 1 - 2 * horizon + horizon * (horizon - 1) / count) / count)
    statistic = float(fit.params[0] / numpy.sqrt(variance) * factor)
    return {"variance": variance, "statistic": statistic, "p_value": float(2 * stats.t.sf(abs(statistic), count - 1))}


def diebold_mariano():
    generator = numpy.random.default_rng(20240611)
    shocks = generator.standard_normal((2, 124))
    model = numpy.round((shocks[0, 4:] + 0.6 * shocks[0, 3:-1] + 0.4 * shocks[0, 2:-2]) ** 2, 8)
    yardstick = numpy.round((1.1 * shocks[1, 4:] + 0.7 * shocks[1, 3:-1] + 0.4 * shocks[1, 2:-2]) ** 2 + 0.15, 8)
    zigzag = numpy.round(0.3 * (-1.0) ** numpy.arange(40) + 0.01 * generator.standard_normal(40) + 0.02, 8)
    differences = yardstick - model
    tests = []
    for horizon in (1, 3, 5):
        for kernel in ("truncated", "bartlett"):
            tests.append({"horizon": horizon, "kernel": kernel, **mean_test(differences, horizon, kernel)})
    return {
        "model": model.tolist(),
        "yardstick": yardstick.tolist(),
        "tests": tests,
        "zigzag": zigzag.tolist(),
        "zigzag_tests": [{"horizon": 2, "kernel": kernel, **mean_test(zigzag, 2, kernel)} for kernel in ("truncated", "bartlett")],
    }


def information_coefficient():
    generator = numpy.random.default_rng(7)
    dates, forecasts, actuals = [], [], []
    pearson, rank = [], []
    for date in range(30):
        names = 8 if date % 7 else 5
        forecast = numpy.round(generator.standard_normal(names), 1)
        actual = numpy.round(0.3 * forecast + generator.standard_normal(names), 2)
        dates += [date] * names
        forecasts += forecast.tolist()
        actuals += actual.tolist()
        pearson.append(float(stats.pearsonr(forecast, actual)[0]))
        rank.append(float(stats.spearmanr(forecast, actual)[0]))

    def summary(values):
        values = numpy.array(values)
        test = stats.ttest_1samp(values, 0)
        return {
            "values": values.tolist(),
            "mean": values.mean(),
            "standard_deviation": values.std(ddof=1),
            "information_ratio": values.mean() / values.std(ddof=1),
            "t_statistic": test.statistic,
            "p_value": test.pvalue,
            "horizon_3": mean_test(values, 3, "truncated"),
        }

    return {"date": dates, "forecast": forecasts, "actual": actuals, "pearson": summary(pearson), "rank": summary(rank)}


def main():
    versions = f"NumPy {numpy.__version__}, SciPy {scipy.__version__}, statsmodels {statsmodels.__version__}, mpmath {mpmath.__version__}"
    rows, quantiles, crps = student_t()
    reference = {
        "how_made": {"versions": versions, **HOW_MADE},
        "student_t": rows,
        "student_t_quantile": quantiles,
        "student_t_crps": crps,
        "quantiles": quantile_forecast(),
        "scores": scores(),
        "kolmogorov_smirnov": kolmogorov_smirnov(),
        "calibration": calibration(),
        "diebold_mariano": diebold_mariano(),
        "information_coefficient": information_coefficient(),
    }
    with open(VECTORS / "forecast_reference.json", "w", encoding="utf-8") as file:
        json.dump(reference, file, default=float)
        file.write("\n")


if __name__ == "__main__":
    main()
