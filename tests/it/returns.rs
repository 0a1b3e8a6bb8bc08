//! `tidegate metrics`: the values of another program for the same series of returns.

use serde_json::Value;

use crate::support::Lab;

fn vectors() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/metrics.json");
    serde_json::from_str(&std::fs::read_to_string(path).expect("the file is checked in")).expect("the file is JSON")
}

/// Writes the vectors' returns beside their benchmark.
fn lab() -> Lab {
    let (lab, vectors) = (Lab::new(), vectors());
    let list = |key: &str| vectors[key].as_array().expect("a list").clone();
    let (own, benchmark) = (list("returns"), list("benchmark"));
    let line =
        |(row, date): (usize, &Value)| format!("{},{},{}\n", date.as_str().expect("a date"), own[row], benchmark[row]);
    let lines: Vec<String> = list("dates").iter().enumerate().map(line).collect();
    let text = ["time,return,benchmark\n", &lines.concat()].concat();
    lab.write("returns.csv", &text);
    lab
}

fn assert_close(measured: &Value, key: &str, expected: &Value) {
    let found = measured[key].as_f64().unwrap_or_else(|| panic!("{key} is a number, was {}", measured[key]));
    let expected = expected.as_f64().unwrap_or_else(|| panic!("{key} has a reference value"));
    assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{key}: {found}, not {expected}");
}

#[test]
fn the_empyrical_convention_gives_the_values_of_empyrical() {
    let (measured, vectors) =
        (lab().tidegate("metrics returns.csv --json --convention empyrical --periods-per-year 252").json(), vectors());
    for (key, reference) in [
        ("total_return", "cum_returns_final"),
        ("cagr", "cagr(daily)"),
        ("volatility", "annual_volatility(daily)"),
        ("sharpe_ratio", "sharpe_ratio(rf=0,daily)"),
        ("sortino_ratio", "sortino_ratio(0,daily)"),
        ("calmar_ratio", "calmar_ratio(daily)"),
        ("omega_ratio", "omega_ratio(0,0,252)"),
        ("tail_ratio", "tail_ratio"),
        ("max_drawdown", "max_drawdown"),
        ("value_at_risk_95", "value_at_risk(cutoff=0.05) np.percentile linear"),
        ("conditional_value_at_risk_95", "conditional_value_at_risk(cutoff=0.05)"),
        ("alpha", "alpha(rf=0,daily)"),
        ("beta", "beta(rf=0)"),
        ("information_ratio", "excess_sharpe (information ratio, not annualised)"),
    ] {
        assert_close(&measured, key, &vectors["empyrical"][reference]);
    }
    assert_close(&measured, "skewness", &vectors["scipy"]["scipy.skew(bias=True)"]);
    assert_close(&measured, "kurtosis", &vectors["scipy"]["scipy.kurtosis(fisher,bias=True)"]);
    assert_eq!(measured["max_drawdown_periods"], 432);
    assert_eq!(measured.as_object().expect("an object").len(), 21);
}

#[test]
fn the_risk_free_rate_is_taken_off_each_period() {
    let measured = lab().tidegate("metrics returns.csv --json --convention empyrical --risk-free 0.02").json();
    assert_close(&measured, "sharpe_ratio", &vectors()["empyrical"]["sharpe_ratio(risk_free=0.02/252 per day)"]);
}

#[test]
fn without_a_benchmark_what_needs_one_is_null() {
    let lab = Lab::new();
    lab.write("r.csv", "time,return\n2020-01-01,0.01\n2020-01-02,-0.02\n2020-01-03,0.03\n");
    let measured = lab.tidegate("metrics r.csv --json").json();
    for key in ["alpha", "beta", "information_ratio"] {
        assert_eq!(measured[key], Value::Null, "{key}");
    }
    // 1.01 * 0.98 * 1.03 - 1
    assert_close(&measured, "total_return", &Value::from(0.019_494));
}

#[test]
fn a_table_for_people_names_every_metric() {
    let lab = Lab::new();
    lab.write("r.csv", "time,return\n2020-01-01,0.01\n2020-01-02,-0.02\n");
    let text = lab.tidegate("metrics r.csv").done().stdout;
    assert_eq!(text.lines().count(), 21);
    assert!(text.lines().any(|line| line.starts_with("alpha") && line.ends_with("n/a")), "{text}");
}

#[test]
fn a_wrong_file_or_convention_is_refused() {
    let lab = Lab::new();
    lab.tidegate("metrics returns.csv").refused(&["no file or folder at `returns.csv`"]);
    lab.tidegate("metrics bars.csv").refused(&["`bars.csv` must have a column `return`, has `symbol, time, open"]);
    lab.write("r.csv", "time,return\n2020-01-01,0.01\n2020-01-02,much\n");
    lab.tidegate("metrics r.csv").refused(&["`r.csv` line 3: column `return` must hold numbers, was `much`"]);
    lab.tidegate("metrics r.csv --convention empirical")
        .refused(&["convention must be one of `tidegate`, `empyrical`, `quantstats`, was `empirical`"]);
}
