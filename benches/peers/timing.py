"""Times one piece of work and prints one line of JSON for it."""

import json
import statistics
import time


def measure(workload, peer, version, work, units, unit, repeats=7):
    """Runs `work` once to warm up, then `repeats` times; reports the median of the whole work and what it means per second."""
    work()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    median = statistics.median(seconds)
    row = {
        "workload": workload,
        "peer": peer,
        "version": version,
        "median_s": round(median, 6),
        "min_s": round(min(seconds), 6),
        "units": units,
        "repeats": repeats,
        "per_second": round(units / median, 1),
        "unit": unit,
    }
    print(json.dumps(row), flush=True)
