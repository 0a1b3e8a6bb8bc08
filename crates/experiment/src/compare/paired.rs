//! Tests of runs against the first, on the periods that all of them have.

use tidegate_market::Timestamp;
use tidegate_metrics::{
    BenchmarkedReturns, BootstrapEstimate, BootstrapSettings, Convention, EquityCurve, MetricOptions, PairedDifference,
    Resamples, Returns, TestOutcome, beta, common_block_length, holm, jobson_korkie, paired_difference, sharpe_ratio,
    volatility,
};
use tidegate_report::{EqualSharpeTest, PairedBootstrap, PairedEstimate, PairedPeriods, PairedTests};

use super::stored::Stored;
use crate::ExperimentError;

/// The fewest paired returns that are tested.
const RETURNS_MIN: usize = 30;
/// The resamples of series that are not too long.
const RESAMPLES: usize = 1999;
/// The fewest of long ones, whose p-values are multiples of 1/200.
const RESAMPLES_MIN: usize = 199;
/// How many periods all resamples together may have: 400 MB.
const PERIODS_MAX: usize = 100_000_000;
const SEED: u64 = 1;
const CONFIDENCE: f64 = 0.95;

/// What the common times say.
pub(super) struct Paired {
    pub(super) periods: PairedPeriods,
    pub(super) bootstrap: PairedBootstrap,
    pub(super) tests: Vec<PairedTests>,
    pub(super) warnings: Vec<String>,
}

/// Tests every run but the first against the first.
///
/// # Errors
/// When fewer than [`RETURNS_MIN`] returns can be paired.
pub(super) fn paired(runs: &[Stored]) -> Result<Paired, ExperimentError> {
    let times = common_times(&runs.iter().map(|run| run.time.as_slice()).collect::<Vec<_>>());
    if times.len() <= RETURNS_MIN {
        return Err(ExperimentError::Sample(format!(
            "at least {RETURNS_MIN} returns are paired, was `{}`: the runs have {} times in common\nhint: compare runs of the same interval over spans that overlap",
            times.len().saturating_sub(1),
            times.len()
        )));
    }
    let periods_per_year = runs.iter().map(|run| run.periods_per_year).fold(f64::INFINITY, f64::min);
    let returns: Vec<Returns> =
        runs.iter().map(|run| returns_between(run, &times, periods_per_year)).collect::<Result<_, _>>()?;
    let options =
        MetricOptions { risk_free_annual: runs[0].risk_free_rate, ..MetricOptions::new(Convention::Tidegate) };
    let settings = settings(&returns);
    let resamples = Resamples::new(times.len() - 1, settings)?;
    let (first, others) = (&returns[0], &returns[1..]);
    let found: Vec<Found> =
        others.iter().map(|run| Found::of(run, first, &resamples, &options)).collect::<Result<_, _>>()?;
    Ok(Paired {
        periods: PairedPeriods {
            returns: times.len() - 1,
            first: times[0],
            last: times[times.len() - 1],
            periods_per_year,
            risk_free_rate: options.risk_free_annual,
            sharpe_ratios: returns.iter().map(|run| sharpe_ratio(run, &options)).collect(),
        },
        bootstrap: PairedBootstrap {
            resamples: settings.resamples,
            mean_block_length: settings.mean_block_length,
            seed: SEED,
            confidence: CONFIDENCE,
        },
        tests: adjusted(&found)?,
        warnings: same_returns(&returns),
    })
}

/// Returns the times that all series have; each ascends.
fn common_times(series: &[&[Timestamp]]) -> Vec<Timestamp> {
    let Some((first, others)) = series.split_first() else { return Vec::new() };
    first.iter().copied().filter(|time| others.iter().all(|other| other.binary_search(time).is_ok())).collect()
}

/// Returns what a run earned from one common time to the next, so that all runs are measured over the same spans.
fn returns_between(run: &Stored, times: &[Timestamp], periods_per_year: f64) -> Result<Returns, ExperimentError> {
    let of_run = run.time.iter().zip(&run.equity).filter(|(time, _)| times.binary_search(time).is_ok());
    let equity = of_run.map(|(_, &equity)| equity).collect();
    Ok(EquityCurve::new(times.to_vec(), equity)?.returns(periods_per_year)?)
}

fn settings(returns: &[Returns]) -> BootstrapSettings {
    let length = returns[0].len();
    let resamples = (PERIODS_MAX / length).clamp(RESAMPLES_MIN, RESAMPLES);
    BootstrapSettings {
        resamples,
        mean_block_length: common_block_length(returns.iter().map(Returns::values)),
        seed: SEED,
    }
}

/// One run's tests before p-values are adjusted.
struct Found {
    correlation: Option<f64>,
    difference: PairedDifference,
    jobson_korkie: Option<TestOutcome>,
}

impl Found {
    fn of(
        run: &Returns,
        first: &Returns,
        resamples: &Resamples,
        options: &MetricOptions,
    ) -> Result<Self, ExperimentError> {
        Ok(Self {
            correlation: correlation(run, first)?,
            difference: paired_difference(run, first, resamples, CONFIDENCE, options)?,
            jobson_korkie: jobson_korkie(run, first, options)?,
        })
    }
}

/// The slope of one on the other, times the ratio of their volatilities.
fn correlation(run: &Returns, first: &Returns) -> Result<Option<f64>, ExperimentError> {
    let slope = beta(&BenchmarkedReturns::new(run.clone(), first.clone())?);
    let ratio = volatility(first).zip(volatility(run).filter(|&own| own > 0.0)).map(|(first, own)| first / own);
    Ok(slope.zip(ratio).map(|(slope, ratio)| (slope * ratio).clamp(-1.0, 1.0)))
}

/// Adjusts the p-values of each test over the runs, and puts the tests of a run together.
fn adjusted(found: &[Found]) -> Result<Vec<PairedTests>, ExperimentError> {
    let p_values = |of: &dyn Fn(&Found) -> Option<f64>| holm_of(&found.iter().map(of).collect::<Vec<_>>());
    let sharpe = p_values(&|found| found.difference.sharpe_ratio.map(|estimate| estimate.p_value))?;
    let mean = p_values(&|found| found.difference.mean_return_annual.map(|estimate| estimate.p_value))?;
    let equal = p_values(&|found| found.jobson_korkie.map(|test| test.p_value))?;
    let tests = found.iter().enumerate().map(|(place, found)| PairedTests {
        run: place + 2,
        against: 1,
        correlation: found.correlation,
        sharpe_ratio_difference: found.difference.sharpe_ratio.zip(sharpe[place]).map(estimate),
        mean_return_difference: found.difference.mean_return_annual.zip(mean[place]).map(estimate),
        jobson_korkie: found.jobson_korkie.zip(equal[place]).map(|(test, p_value_holm)| EqualSharpeTest {
            statistic: test.statistic,
            p_value: test.p_value,
            p_value_holm,
        }),
    });
    Ok(tests.collect())
}

fn estimate((found, p_value_holm): (BootstrapEstimate, f64)) -> PairedEstimate {
    PairedEstimate {
        estimate: found.estimate,
        standard_error: found.standard_error,
        low: found.studentized.low,
        high: found.studentized.high,
        p_value: found.p_value,
        p_value_holm,
    }
}

/// Adjusts the p-values that are defined; what is undefined is no test and counts for none.
fn holm_of(p_values: &[Option<f64>]) -> Result<Vec<Option<f64>>, ExperimentError> {
    let defined: Vec<f64> = p_values.iter().copied().flatten().collect();
    let mut adjusted = holm(&defined)?.into_iter();
    Ok(p_values.iter().map(|p_value| p_value.and_then(|_| adjusted.next())).collect())
}

fn same_returns(returns: &[Returns]) -> Vec<String> {
    let same = returns.iter().zip(1..).skip(1).filter(|(run, _)| run.values() == returns[0].values());
    same.map(|(_, number)| {
        format!("runs 1 and {number} earned the same in every paired period, so that nothing is tested")
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(days: &[i64]) -> Vec<Timestamp> {
        days.iter().map(|day| Timestamp::from_nanos(day * Timestamp::NANOS_PER_DAY)).collect()
    }

    fn returns(values: &[f64]) -> Returns {
        Returns::from_periods(values.to_vec(), 252.0).expect("valid")
    }

    #[test]
    fn only_times_of_all_runs_are_common() {
        let [one, two, three] = [&[1, 2, 3, 5, 8][..], &[2, 3, 4, 5, 8], &[0, 2, 5, 8, 9]].map(times);
        assert_eq!(common_times(&[&one, &two, &three]), times(&[2, 5, 8]));
        assert_eq!(common_times(&[&one, &times(&[4, 6])]), []);
    }

    #[test]
    fn p_values_are_adjusted_for_the_tests_that_are_defined() {
        // Two tests: 0.01 times 2, then 0.04 times 1.
        let found = holm_of(&[Some(0.04), None, Some(0.01)]).expect("p-values");
        assert_eq!(found, [Some(0.04), None, Some(0.02)]);
        assert_eq!(holm_of(&[None]).expect("no p-values"), [None]);
    }

    #[test]
    fn the_correlation_is_pearsons() {
        // Deviations -1, 0, 1 and -1, 1, 0 hundredths: products 1 + 0 + 0, squares 2 and 2.
        let found = correlation(&returns(&[0.01, 0.02, 0.03]), &returns(&[0.0, 0.02, 0.01])).expect("equal lengths");
        assert!((found.expect("defined") - 0.5).abs() < 1e-12, "{found:?}");
        let still = correlation(&returns(&[0.01, 0.01, 0.01]), &returns(&[0.0, 0.02, 0.01])).expect("equal lengths");
        assert_eq!(still, None, "what does not vary correlates with nothing");
    }

    #[test]
    fn long_series_have_fewer_resamples() {
        assert_eq!(settings(&[returns(&[0.01; 40])]).resamples, 1999);
        assert_eq!(settings(&[returns(&vec![0.01; 200_000])]).resamples, 500);
    }

    #[test]
    fn equal_returns_are_said_to_be_equal() {
        let found = same_returns(&[returns(&[0.01, 0.02]), returns(&[0.01, 0.03]), returns(&[0.01, 0.02])]);
        assert_eq!(found, ["runs 1 and 3 earned the same in every paired period, so that nothing is tested"]);
    }
}
