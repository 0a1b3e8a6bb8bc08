#!/usr/bin/env python3
"""Makes tests/vectors/luck_reference.json: what other programs say about luck.

    python3 scripts/luck_reference.py > tests/vectors/luck_reference.json

Needs numpy, scipy, statsmodels, scikit-learn and arch.
"""

import itertools
import json

import numpy as np
from arch.bootstrap import SPA, StationaryBootstrap, optimal_block_length
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from scipy.stats import norm, rankdata
from sklearn.metrics import silhouette_samples
from statsmodels.stats.multitest import multipletests


def rounded(values, digits=8):
    return np.round(values, digits)


def autoregressive(generator, count, persistence):
    shocks = generator.standard_normal(count)
    values = np.zeros(count)
    for step in range(1, count):
        values[step] = persistence * values[step - 1] + shocks[step]
    return values


def block_lengths(generator):
    series = [
        autoregressive(generator, 200, 0.5),
        generator.standard_normal(150) * 0.01,
        autoregressive(generator, 300, 0.9),
        autoregressive(generator, 120, -0.4),
        np.cumsum(generator.standard_normal(80)),
        generator.standard_normal(12),
    ]
    cases = []
    for values in map(rounded, series):
        length = optimal_block_length(values)["stationary"].iloc[0]
        cases.append({"values": values.tolist(), "stationary": float(length)})
    return cases


def stationary_variances(generator):
    """arch's SPA computes the double sum; its losses are benchmark less model."""
    cases = []
    for count, persistence, length in [(60, 0.5, 4), (200, 0.0, 9), (37, -0.3, 2)]:
        values = rounded(autoregressive(generator, count, persistence))
        test = SPA(values, np.zeros((count, 1)), block_size=length, reps=1, seed=1)
        test.compute()
        centered = values - values.mean()
        cases.append({
            "centered": centered.tolist(),
            "mean_block_length": length,
            "variance": float(test._loss_diff_var[0]),
        })
    return cases


def snooping(generator):
    """The formulas of White (2000) and Hansen (2005) on the resamples of arch's stationary bootstrap."""
    count, trials, length, resamples = 80, 12, 3, 60
    means = np.array([0.1, -1.2, 0.0, -0.3, 0.15, -0.05, -2.0, 0.2, 0.0, 0.1, -0.6, 0.05])
    data = rounded(generator.standard_normal((count, trials)) * np.linspace(0.5, 1.5, trials) + means * 0.8)
    bootstrap = StationaryBootstrap(length, np.arange(count), seed=3)
    periods = np.array([row[0][0] for row in bootstrap.bootstrap(resamples)])
    mean = data.mean(0)
    test = SPA(np.zeros(count), -data, block_size=length, reps=1, seed=1)
    test.compute()
    deviation = np.sqrt(test._loss_diff_var)
    root = np.sqrt(count)
    starred = data[periods].mean(1)
    threshold = -deviation / root * np.sqrt(2 * np.log(np.log(count)))
    centers = {
        "spa_lower": np.maximum(mean, 0),
        "spa_consistent": np.where(mean >= threshold, mean, 0),
        "spa_upper": mean,
    }
    statistic = max(0.0, (root * mean / deviation).max())
    found = {
        "differentials": data.T.tolist(),
        "mean_block_length": length,
        "periods": periods.ravel().tolist(),
        "reality_check_statistic": root * mean.max(),
        "reality_check": float(((root * (starred - mean)).max(1) >= root * mean.max()).mean()),
        "spa_statistic": statistic,
        "spa_best": int((mean / deviation).argmax()),
    }
    for name, center in centers.items():
        maxima = np.maximum((root * (starred - center) / deviation).max(1), 0)
        found[name] = float((maxima >= statistic).mean())
    statistics = root * mean / deviation
    nulls = root * (starred - mean) / deviation
    found["romano_wolf"] = romano_wolf(statistics, nulls).tolist()
    return found


def romano_wolf(statistics, nulls):
    """Romano and Wolf (2016), algorithm 4.2, one-sided."""
    order = np.argsort(-statistics, kind="stable")
    adjusted, floor = np.empty(len(statistics)), 0.0
    for place, trial in enumerate(order):
        maxima = nulls[:, order[place:]].max(1)
        floor = max(floor, (1 + (maxima >= statistics[trial]).sum()) / (1 + len(nulls)))
        adjusted[trial] = floor
    return adjusted


def multiple_testing(generator):
    p_values = rounded(np.concatenate([generator.uniform(size=12), generator.uniform(size=6) ** 4, [0.03, 0.03]]))
    methods = {"bonferroni": "bonferroni", "holm": "holm", "benjamini_hochberg": "fdr_bh", "benjamini_yekutieli": "fdr_by"}
    return {"p_values": p_values.tolist()} | {
        name: multipletests(p_values, method=method)[1].tolist() for name, method in methods.items()
    }


def memmel(generator):
    """Jobson and Korkie (1981) with the correction of Memmel (2003), by NumPy."""
    count = 250
    common = generator.standard_normal(count)
    first = rounded(0.0008 + 0.01 * (0.8 * common + 0.6 * generator.standard_normal(count)))
    second = rounded(0.0002 + 0.012 * (0.8 * common + 0.6 * generator.standard_normal(count)))
    sharpe = [series.mean() / series.std(ddof=1) for series in (first, second)]
    rho = np.corrcoef(first, second)[0, 1]
    variance = (2 - 2 * rho + 0.5 * (sharpe[0] ** 2 + sharpe[1] ** 2 - 2 * sharpe[0] * sharpe[1] * rho**2)) / count
    statistic = (sharpe[0] - sharpe[1]) / np.sqrt(variance)
    return {
        "first": first.tolist(),
        "second": second.tolist(),
        "statistic": statistic,
        "p_value": 2 * norm.sf(abs(statistic)),
    }


def clusters(generator):
    """SciPy's average linkage and scikit-learn's silhouettes on sqrt((1 - rho) / 2), insignificant correlations set to 0."""
    count, groups = 250, [4, 3, 5, 1]
    columns = []
    for size in groups:
        common = generator.standard_normal(count)
        columns += [0.85 * common + 0.5 * generator.standard_normal(count) for _ in range(size)]
    data = rounded(np.array(columns) * 0.01, 6)
    trials = len(data)
    rho = np.corrcoef(data)
    bound = norm.ppf(1 - 0.025 / (trials * (trials - 1) / 2)) / np.sqrt(count)
    rho[np.abs(rho) < bound] = 0
    np.fill_diagonal(rho, 1)
    distance = np.sqrt(np.clip((1 - rho) / 2, 0, None))
    tree = linkage(squareform(distance, checks=False), "average")
    scores = {}
    for wanted in range(2, trials):
        labels = fcluster(tree, wanted, "maxclust")
        if len(set(labels)) == wanted:
            scores[wanted] = float(silhouette_samples(distance, labels, metric="precomputed").mean())
    best = max(scores, key=scores.get)
    labels = fcluster(tree, best, "maxclust")
    order = {label: place for place, label in enumerate(dict.fromkeys(labels))}
    weights = 1 / data.var(1, ddof=1)
    sharpes = []
    for place in range(best):
        inside = np.array([order[label] == place for label in labels])
        series = weights[inside] @ data[inside] / weights[inside].sum()
        sharpes.append(series.mean() / series.std(ddof=1))
    return {
        "trials": data.tolist(),
        "count": best,
        "labels": [order[label] for label in labels],
        "silhouette": scores[best],
        "silhouettes": {str(key): value for key, value in scores.items()},
        "sharpe_ratio_variance": float(np.var(sharpes, ddof=1)),
    }


def overfitting(generator):
    """All C(8, 4) splits in order of their in-sample blocks, with ties in both halves: two columns are the same."""
    blocks, periods, trials = 8, 160, 10
    data = rounded(generator.standard_normal((periods, trials)) * 0.01 + np.linspace(0, 0.001, trials))
    data[:, 4] = data[:, 9]
    parts = np.split(data, blocks)
    sharpe = lambda rows: rows.mean(0) / rows.std(0, ddof=1)
    found = {"selected": [], "logits": [], "in_sample": [], "out_of_sample": []}
    for chosen in itertools.combinations(range(blocks), blocks // 2):
        inside = sharpe(np.vstack([parts[block] for block in chosen]))
        outside = sharpe(np.vstack([parts[block] for block in range(blocks) if block not in chosen]))
        # Equal columns differ in the last bits by nothing; ties have the average rank.
        best = int(inside.argmax())
        share = rankdata(outside)[best] / (trials + 1)
        found["selected"].append(best)
        found["logits"].append(float(np.log(share / (1 - share))))
        found["in_sample"].append(float(inside[best]))
        found["out_of_sample"].append(float(outside[best]))
    slope, intercept = np.polyfit(found["in_sample"], found["out_of_sample"], 1)
    return found | {
        "trials": data.T.tolist(),
        "probability": float(np.mean(np.array(found["logits"]) <= 0)),
        "probability_of_loss": float(np.mean(np.array(found["out_of_sample"]) < 0)),
        "slope": float(slope),
        "intercept": float(intercept),
    }


def main():
    generator = np.random.default_rng(20_260_105)
    print(json.dumps({
        "how_made": "scripts/luck_reference.py with NumPy 2.4.6, SciPy 1.17.1, statsmodels 0.15.0, scikit-learn 1.9.1, arch 8.0.0",
        "block_lengths": block_lengths(generator),
        "stationary_variances": stationary_variances(generator),
        "snooping": snooping(generator),
        "multiple_testing": multiple_testing(generator),
        "memmel": memmel(generator),
        "clusters": clusters(generator),
        "overfitting": overfitting(generator),
    }))


if __name__ == "__main__":
    main()
