use super::*;

fn spec(symbols: &[&str], bars: usize) -> SimulationSpec {
    SimulationSpec {
        symbols: symbols.iter().map(ToString::to_string).collect(),
        bars,
        interval: "1d".parse().expect("valid"),
        calendar: TradingCalendar::Sessions,
        start: "2000-01-03".parse().expect("valid"),
        seed: 7,
        start_price: 100.0,
        annual_drift: 0.0,
        annual_volatility: 0.2,
        correlation: 0.6,
        open_gap_share: 0.3,
        garch: Garch { alpha: 0.1, beta: 0.85 },
        jump: Jumps { per_year: 0.0, mean: 0.0, sd: 0.0 },
    }
}

fn log_returns(bars: &Bars) -> Vec<f64> {
    bars.close().windows(2).map(|pair| (pair[1] / pair[0]).ln()).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let (mean_a, mean_b) = (mean(a), mean(b));
    let product =
        |x: &[f64], mx: f64, y: &[f64], my: f64| -> f64 { x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum() };
    product(a, mean_a, b, mean_b) / (product(a, mean_a, a, mean_a) * product(b, mean_b, b, mean_b)).sqrt()
}

#[test]
fn the_same_seed_gives_the_same_bars_and_another_does_not() {
    let spec = spec(&["A", "B"], 300);
    assert_eq!(simulate(&spec).expect("valid"), simulate(&spec).expect("valid"));
    let other = SimulationSpec { seed: 8, ..spec.clone() };
    assert_ne!(simulate(&spec).expect("valid"), simulate(&other).expect("valid"));
}

#[test]
fn more_bars_and_more_symbols_do_not_change_the_first() {
    let short = simulate(&spec(&["A"], 100)).expect("valid");
    let long = simulate(&spec(&["A", "B"], 300)).expect("valid");
    assert_eq!(short[0].bars, long[0].bars.prefix(100));
}

#[test]
fn volatility_and_correlation_are_those_asked_for() {
    let mut spec = spec(&["A", "B"], 50_000);
    spec.garch = Garch { alpha: 0.0, beta: 0.0 };
    spec.start = "1900-01-01".parse().expect("valid");
    let symbols = simulate(&spec).expect("valid");
    let (a, b) = (log_returns(&symbols[0].bars), log_returns(&symbols[1].bars));
    let volatility = (mean(&a.iter().map(|r| r * r).collect::<Vec<_>>()) * 252.0).sqrt();
    // Standard errors over 50,000 draws: 0.2 / sqrt(100,000) = 0.0006 and (1 - 0.36) / sqrt(50,000) = 0.003.
    assert!((volatility - 0.2).abs() < 0.003, "{volatility}");
    assert!((correlation(&a, &b) - 0.6).abs() < 0.015, "{}", correlation(&a, &b));
}

#[test]
fn volatility_clusters() {
    let mut spec = spec(&["A"], 50_000);
    spec.start = "1900-01-01".parse().expect("valid");
    let squares: Vec<f64> = log_returns(&simulate(&spec).expect("valid")[0].bars).iter().map(|r| r * r).collect();
    let lag_one = correlation(&squares[1..], &squares[..squares.len() - 1]);
    // Autocorrelation of squares at lag 1 in a GARCH(1,1): alpha (1 - alpha beta - beta^2) / (1 - 2 alpha beta - beta^2) = 0.1794.
    assert!((0.10..0.26).contains(&lag_one), "{lag_one}");
}

#[test]
fn jumps_arrive_at_their_rate() {
    let mut spec = spec(&["A"], 25_200);
    spec.start = "1900-01-01".parse().expect("valid");
    spec.annual_volatility = 0.01;
    spec.jump = Jumps { per_year: 2.0, mean: -0.1, sd: 0.0 };
    let jumps = log_returns(&simulate(&spec).expect("valid")[0].bars).iter().filter(|r| **r < -0.05).count();
    // 200 expected in 100 years, standard deviation 14.
    assert!((150..250).contains(&jumps), "{jumps}");
}

#[test]
fn any_interval_and_calendar_make_sane_bars() {
    for (interval, calendar) in [
        ("1m", TradingCalendar::Sessions),
        ("15m", TradingCalendar::RoundTheClock),
        ("1h", TradingCalendar::Sessions),
        ("1w", TradingCalendar::Sessions),
    ] {
        let interval: BarInterval = interval.parse().expect("valid");
        let symbols = simulate(&SimulationSpec { interval, calendar, ..spec(&["A"], 1_000) }).expect("valid");
        assert_eq!(symbols[0].bars.len(), 1_000);
        assert_eq!(symbols[0].bars.interval(), interval);
    }
}

fn check(spoil: impl FnOnce(&mut SimulationSpec), message: &str) {
    let mut spec = spec(&["A", "B"], 10);
    spoil(&mut spec);
    assert_eq!(simulate(&spec).expect_err(message).to_string(), message);
}

#[test]
fn a_parameter_outside_its_range_is_named() {
    check(|s| s.correlation = 1.0, "simulation: correlation must be in [0, 1), was `1`");
    check(|s| s.garch.beta = 0.9, "simulation: garch.alpha + garch.beta must be below 1, was `1`");
    check(|s| s.start_price = 0.0, "simulation: start_price must be above 0, was `0`");
    check(|s| s.annual_drift = f64::NAN, "simulation: annual_drift must be finite, was `NaN`");
    check(|s| s.jump.per_year = 300.0, "simulation: jump.per_year must be at least 0 and at most one a bar, was `300`");
    check(|s| s.symbols[1] = "A".to_owned(), "simulation: symbols must be different, was `A`");
    check(
        |s| s.interval = "7h".parse().expect("valid"),
        "simulation: interval must be at most 390m, the length of a session, was `7h`",
    );
    check(|s| s.bars = 200_000, "simulation: bars must be fewer, so that they end before the year 2262, was `200000`");
}
