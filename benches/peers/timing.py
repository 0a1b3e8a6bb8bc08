"""Times one piece of work and prints one line of JSON for it."""

import json
import statistics
import time


def measure(workload, peer, version, work, units, unit, repeats=7):
    """Runs `work` once to warm up, then `repeats` times; reports the median of the whole work and what it means per second.

    Beside the time on the clock stands the processor time of all threads, which other programs disturb less.
    """
    work()
    seconds, processor = [], []
    for _ in range(repeats):
        start, processor_start = time.perf_counter(), time.process_time()
        work()
        seconds.append(time.perf_counter() - start)
        processor.append(time.process_time() - processor_start)
    median = statistics.median(seconds)
    row = {
        "workload": workload,
        "peer": peer,
        "version": version,
        "median_s": round(median, 6),
        "min_s": round(min(seconds), 6),
        "processor_s": round(statistics.median(processor), 6),
        "units": units,
        "repeats": repeats,
        "per_second": round(units / median, 1),
        "unit": unit,
    }
    print(json.dumps(row), flush=True)
