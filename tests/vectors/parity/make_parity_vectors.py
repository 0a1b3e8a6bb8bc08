"""Makes the parity vectors: what four other engines do with the same bars and the same requests.

    python3.11 -m venv ENV1 && ENV1/bin/pip install backtesting==0.6.6 vectorbt==1.2.0 backtrader==1.9.78.123 pandas==3.1.1 numpy==2.4.6
    python3.11 -m venv ENV2 && ENV2/bin/pip install zipline-reloaded==3.2.1 exchange_calendars==4.13.2 pandas==2.3.3 numpy==2.4.6
    ENV2/bin/python make_parity_vectors.py series zipline
    ENV1/bin/python make_parity_vectors.py backtesting_py vectorbt backtrader

Two environments because zipline needs pandas 2 and backtesting.py's other companions pandas 3. Files are written beside this one.
`series` makes the CSV files (needs exchange_calendars for the dates). `ledgers FILE` turns the older `ledgers.json` into the same format.
`series.py` holds the bars, `rules.py` the decisions, `runs.py` the file format, `drive_*.py` one engine each. No run touches the network; every seed is fixed.
"""
import sys
import warnings

warnings.filterwarnings("ignore")


def main(tasks):
    """Runs the named tasks in order."""
    while tasks:
        task = tasks.pop(0)
        if task == "series":
            import exchange_calendars
            import series
            sessions = exchange_calendars.get_calendar("XNYS").sessions_in_range("2019-01-02", "2020-12-31")
            series.write([str(d.date()) for d in sessions[:series.BARS]])
            continue
        if task == "ledgers":
            import convert_ledgers
            convert_ledgers.convert(tasks.pop(0))
            continue
        import runs
        engine = __import__("drive_" + task)
        runs.save(task + ".json", engine.HOW, engine.all_runs())


if __name__ == "__main__":
    main(sys.argv[1:] or sys.exit(__doc__))
