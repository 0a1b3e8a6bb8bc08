use proptest::prelude::*;

use super::*;
use crate::Convention;
use crate::vectors::{METRICS, assert_close, benchmarked, floats, periods, published, returns};

fn all(returns: &Returns) -> Performance {
    performance(returns, Some(returns), &MetricOptions::new(Convention::Tidegate)).expect("its own benchmark")
}

fn check(convention: Convention, expected: &[(&str, f64)]) {
    let pair = benchmarked();
    let options = MetricOptions::new(convention);
    let found = performance(pair.returns(), Some(pair.benchmark()), &options).expect("the same dates");
    for (name, value) in expected {
        let found = found.entries().into_iter().find(|entry| entry.0 == *name).expect("a metric").1;
        assert_close(found, *value);
    }
}

#[test]
fn the_empyrical_convention_gives_every_value_of_empyrical() {
    let empyrical = |metric| published("empyrical", metric);
    check(
        Convention::Empyrical,
        &[
            ("total_return", empyrical("cum_returns_final")),
            ("cagr", empyrical("cagr(daily)")),
            ("volatility", empyrical("annual_volatility(daily)")),
            ("sharpe_ratio", empyrical("sharpe_ratio(rf=0,daily)")),
            ("sortino_ratio", empyrical("sortino_ratio(0,daily)")),
            ("calmar_ratio", empyrical("calmar_ratio(daily)")),
            ("omega_ratio", empyrical("omega_ratio(0,0,252)")),
            ("tail_ratio", empyrical("tail_ratio")),
            ("max_drawdown", empyrical("max_drawdown")),
            ("value_at_risk_95", empyrical("value_at_risk(cutoff=0.05) np.percentile linear")),
            ("conditional_value_at_risk_95", empyrical("conditional_value_at_risk(cutoff=0.05)")),
            ("skewness", published("scipy", "scipy.skew(bias=True)")),
            ("kurtosis", published("scipy", "scipy.kurtosis(fisher,bias=True)")),
            ("alpha", empyrical("alpha(rf=0,daily)")),
            ("beta", empyrical("beta(rf=0)")),
            ("information_ratio", empyrical("excess_sharpe (information ratio, not annualised)")),
        ],
    );
}

#[test]
fn the_quantstats_convention_gives_every_value_of_quantstats() {
    let quantstats = |metric| published("quantstats", metric);
    check(
        Convention::Quantstats,
        &[
            ("total_return", quantstats("comp (total return)")),
            ("cagr", quantstats("cagr(periods=252)")),
            ("volatility", quantstats("volatility(periods=252)")),
            ("sharpe_ratio", quantstats("sharpe(rf=0,periods=252)")),
            ("sortino_ratio", quantstats("sortino(rf=0,periods=252)")),
            ("calmar_ratio", quantstats("calmar(periods=252)")),
            ("omega_ratio", quantstats("omega(required_return=0)")),
            ("tail_ratio", quantstats("tail_ratio(cutoff=0.95)")),
            ("max_drawdown", quantstats("max_drawdown")),
            ("value_at_risk_95", quantstats("value_at_risk(confidence=0.95) parametric")),
            ("conditional_value_at_risk_95", quantstats("cvar(confidence=0.95,method=parametric)")),
            ("skewness", quantstats("skew")),
            ("kurtosis", quantstats("kurtosis (excess)")),
            ("alpha", quantstats("greeks.alpha(periods=252)")),
            ("beta", quantstats("greeks.beta")),
            ("information_ratio", quantstats("information_ratio (not annualised)")),
            ("probabilistic_sharpe_ratio", quantstats("probabilistic_sharpe_ratio(rf=0)")),
            ("hit_rate", quantstats("win_rate")),
        ],
    );
}

#[test]
fn the_default_convention_differs_from_empyrical_in_three_metrics_only() {
    let pair = benchmarked();
    let of = |convention| {
        performance(pair.returns(), Some(pair.benchmark()), &MetricOptions::new(convention)).expect("the same dates")
    };
    let (own, empyrical) = (of(Convention::Tidegate).entries(), of(Convention::Empyrical).entries());
    let differ: Vec<_> = own.iter().zip(&empyrical).filter(|(own, other)| own != other).map(|(own, _)| own.0).collect();
    assert_eq!(differ, ["cagr", "calmar_ratio", "information_ratio"]);
}

#[test]
fn the_json_keys_are_those_of_the_command_line_contract() {
    let json = serde_json::to_value(all(&returns())).expect("plain fields");
    let keys: Vec<&String> = json.as_object().expect("an object").keys().collect();
    let names = Performance::default().entries().map(|entry| entry.0);
    assert_eq!(keys, names.to_vec());
    let contract = "total_return, cagr, volatility, sharpe_ratio, sortino_ratio, calmar_ratio, omega_ratio, tail_ratio, \
                    max_drawdown, max_drawdown_periods, value_at_risk_95, conditional_value_at_risk_95, skewness, \
                    kurtosis, alpha, beta, information_ratio, probabilistic_sharpe_ratio, best_period, worst_period, \
                    hit_rate";
    assert_eq!(names.join(", "), contract);
}

#[test]
fn without_periods_everything_is_null() {
    assert_eq!(all(&periods(&[])), Performance::default());
    let json = serde_json::to_string(&Performance::default()).expect("plain fields");
    assert_eq!(json.matches("null").count(), 21);
}

#[test]
fn one_period_has_a_return_and_no_ratio_of_spread() {
    let one = all(&periods(&[0.01]));
    assert_close(one.total_return, 0.01);
    assert_eq!((one.volatility, one.sharpe_ratio, one.sortino_ratio, one.beta), (None, None, None, None));
    assert_eq!((one.best_period, one.worst_period, one.hit_rate), (Some(0.01), Some(0.01), Some(1.0)));
    assert_eq!((one.max_drawdown, one.calmar_ratio), (Some(0.0), None));
}

#[test]
fn ruin_keeps_what_happened_and_loses_every_ratio() {
    let ruined = all(&periods(&[0.1, 0.2, -1.0]));
    assert_eq!((ruined.total_return, ruined.cagr, ruined.max_drawdown), (Some(-1.0), Some(-1.0), Some(-1.0)));
    let ratios = [
        ruined.sharpe_ratio,
        ruined.sortino_ratio,
        ruined.calmar_ratio,
        ruined.omega_ratio,
        ruined.tail_ratio,
        ruined.information_ratio,
        ruined.probabilistic_sharpe_ratio,
    ];
    assert_eq!(ratios, [None; 7]);
    assert!(ruined.volatility.is_some());
}

#[test]
fn a_benchmark_of_other_periods_is_an_error() {
    let options = MetricOptions::new(Convention::Tidegate);
    assert!(performance(&periods(&[0.1]), Some(&periods(&[0.1, 0.2])), &options).is_err());
}

#[test]
fn a_rate_that_is_not_a_rate_is_an_error() {
    let options = MetricOptions { risk_free_annual: f64::NAN, ..MetricOptions::new(Convention::Tidegate) };
    assert!(performance(&periods(&[0.1]), None, &options).is_err());
}

proptest! {
    #[test]
    fn no_metric_is_ever_nan_or_infinite(
        values in prop::collection::vec(prop_oneof![Just(0.0), -0.999_f64..5.0, Just(1e-17), Just(1e300)], 0..40),
        ruin in any::<bool>(),
        periods_per_year in prop_oneof![Just(1.0), Just(252.0), Just(525_600.0)],
    ) {
        let mut values = values;
        if ruin {
            values.push(-1.0);
        }
        let returns = Returns::from_periods(values.clone(), periods_per_year).expect("valid");
        let benchmark = Returns::from_periods(values.into_iter().rev().map(|v| v.max(-0.5)).collect(), periods_per_year);
        for convention in Convention::ALL {
            let options = MetricOptions { risk_free_annual: 0.03, ..MetricOptions::new(convention) };
            let benchmark = benchmark.clone().expect("valid");
            for (name, value) in performance(&returns, Some(&benchmark), &options).expect("valid").entries() {
                prop_assert!(value.is_none_or(f64::is_finite), "{name} is {value:?}");
            }
        }
    }

    #[test]
    fn scaling_a_series_scales_its_volatility_and_keeps_its_sharpe_ratio(scale in 0.01_f64..1.0) {
        let scaled: Vec<f64> = floats(&METRICS["returns"]).iter().map(|value| value * scale).collect();
        let (own, scaled) = (all(&returns()), all(&periods(&scaled)));
        assert_close(scaled.volatility, own.volatility.expect("varies") * scale);
        assert_close(scaled.sharpe_ratio, own.sharpe_ratio.expect("varies"));
    }
}
