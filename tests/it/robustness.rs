//! `tidegate robustness` as a user sees it: what it alters, what it leaves alone, and what it refuses.

use serde_json::{Value, json};

use crate::support::{Lab, ridge, sma_cross};

/// What a variant shares with `metrics.json`.
const OF_PERFORMANCE: [&str; 4] = ["total_return", "cagr", "sharpe_ratio", "max_drawdown"];

fn robustness(lab: &Lab, arguments: &str) -> Value {
    let document = lab.tidegate(&format!("robustness s.toml --resamples 200 --json {arguments}")).json();
    document["robustness"].clone()
}

fn the_run(variants: &Value) -> &Value {
    let variants = variants.as_array().expect("a list");
    let own: Vec<&Value> = variants.iter().filter(|variant| variant["is_the_run"] == true).collect();
    assert_eq!(own.len(), 1, "{variants:?}");
    &own[0]["outcome"]["traded"]
}

fn names(variants: &Value) -> Vec<&str> {
    variants.as_array().expect("a list").iter().map(|variant| variant["name"].as_str().expect("a text")).collect()
}

fn numbers(variants: &Value, key: &str) -> Vec<f64> {
    let variants = variants.as_array().expect("a list");
    variants.iter().map(|variant| variant["outcome"]["traded"][key].as_f64().expect(key)).collect()
}

#[test]
fn the_unaltered_variant_of_every_question_is_the_run_bit_for_bit() {
    for strategy in [sma_cross(), ridge()] {
        let lab = Lab::with(&strategy);
        lab.tidegate("run s.toml --out run").done();
        let metrics = lab.json("run/metrics.json");
        let found = robustness(&lab, "--out run");
        for variant in [
            &found["actual"],
            the_run(&found["costs"]["multiples"]),
            the_run(&found["delay"]),
            the_run(&found["execution"]["path"]),
            the_run(&found["execution"]["fill"]),
        ] {
            for key in OF_PERFORMANCE {
                assert_eq!(variant[key], metrics["performance"][key], "{key}");
            }
            for key in ["final_equity", "commission", "slippage"] {
                assert_eq!(variant[key], metrics["execution"][key], "{key}");
            }
            assert_eq!(variant["trades"], metrics["execution"]["trades"]["number_of_trades"]);
        }
        assert!(found["intervals"]["sharpe_ratio"]["estimate"].is_number());
        assert_eq!(lab.json("run/robustness.json"), found);
    }
}

#[test]
fn the_same_trades_earn_less_the_more_they_cost() {
    let lab = Lab::with(&sma_cross());
    let found = robustness(&lab, "--out run");
    let multiples = &found["costs"]["multiples"];
    assert_eq!(names(multiples), ["x0", "x1", "x2", "x5"]);
    let trades = numbers(multiples, "trades");
    assert!(trades[0] > 3.0 && trades.iter().all(|count| *count == trades[0]), "{trades:?}");
    let gains = numbers(multiples, "total_return");
    assert!(gains.windows(2).all(|pair| pair[1] < pair[0]), "{gains:?}");
    assert_eq!((numbers(multiples, "commission")[0], numbers(multiples, "slippage")[0]), (0.0, 0.0));
    assert_eq!(found["costs"]["without_financing"], Value::Null);
}

#[test]
fn every_bar_and_trade_is_in_one_year_and_one_third() {
    let lab = Lab::with(&sma_cross());
    let found = robustness(&lab, "--out run");
    for parts in [&found["periods"]["years"], &found["periods"]["thirds"]] {
        let parts = parts.as_array().expect("a list");
        let sum = |key: &str| parts.iter().map(|part| part[key].as_u64().expect(key)).sum::<u64>();
        // 500 marks have 499 returns between them.
        assert_eq!((sum("bars"), Value::from(sum("trades"))), (499, found["actual"]["trades"].clone()));
        let growth: f64 = parts.iter().map(|part| 1.0 + part["total_return"].as_f64().expect("defined")).product();
        let whole = 1.0 + found["actual"]["total_return"].as_f64().expect("defined");
        assert!((growth / whole - 1.0).abs() < 1e-12, "{growth} {whole}");
    }
    assert_eq!(found["periods"]["years"].as_array().map(Vec::len), Some(2), "500 sessions from January 2000 on");
}

#[test]
fn what_the_rules_of_the_run_forbid_is_refused_politely() {
    let lab = Lab::with(&sma_cross());
    let found = robustness(&lab, "--out run --set execution.fill=same_close");
    let delays = found["delay"].as_array().expect("a list");
    assert_eq!(the_run(&found["delay"]), &found["actual"]);
    for delay in &delays[1..] {
        let reason = delay["outcome"]["refused"].as_str().expect("a reason");
        assert!(reason.contains("none can be late"), "{reason}");
    }
    let late = robustness(&lab, "--out run --set execution.latency.bars=1");
    assert_eq!(the_run(&late["delay"]), &late["actual"]);
    let fills = late["execution"]["fill"].as_array().expect("a list");
    assert!(fills[2]["outcome"]["refused"].as_str().expect("a reason").contains("arrive late"), "{fills:?}");
}

#[test]
fn financing_stands_apart_from_what_is_multiplied() {
    let lab = Lab::with(&sma_cross());
    let rates = "account.financing={borrow_rate=0.0,margin_rate=0.0,cash_rate=0.05}";
    let found = robustness(&lab, &format!("--out run --set {rates}"));
    assert!(found["costs"]["financing"]["cash_interest"].as_f64().expect("money") > 0.0);
    let gains = [&found["actual"], &found["costs"]["without_financing"]["outcome"]["traded"]]
        .map(|variant| variant["total_return"].as_f64().expect("defined"));
    assert!(gains[1] < gains[0], "{gains:?}");
}

#[test]
fn threads_change_no_byte_and_nothing_counts_as_a_trial() {
    let lab = Lab::with(&ridge());
    let one = robustness(&lab, "--out one --threads 1");
    assert_eq!(one, robustness(&lab, "--out two --threads 2"));
    assert_eq!(lab.read("one/robustness.json"), lab.read("two/robustness.json"));
    let files: Vec<_> = lab.files("runs").into_keys().filter(|path| path.ends_with("trials.sqlite")).collect();
    assert!(files.is_empty(), "{files:?}");
}

#[test]
fn the_terminal_shows_aligned_tables() {
    let lab = Lab::with(&sma_cross());
    let shown = lab.tidegate("robustness s.toml --out run").done().stdout;
    for part in [
        "trading costs ",
        "x1 * ",
        "break-even: ",
        "orders arrive later",
        "path inside a bar",
        "next_open * ",
        "calendar year",
        "1 of 3 ",
        "trades reordered",
        "drawdown, shuffled",
        "Sharpe ratio ",
        "none of these backtests counts as a trial",
        "robustness: run/robustness.json",
    ] {
        assert!(shown.contains(part), "`{part}` is not in: {shown}");
    }
    let costs: Vec<usize> = shown.lines().skip(2).take(5).map(str::len).collect();
    assert!(costs.iter().all(|length| *length == costs[0]), "{shown}");
    let known = lab.json("run/robustness.json")["trade_order"]["shuffled"]["settings"]["orders"].clone();
    assert_eq!(known, json!(1000));
}
