//! Where nothing is to be found, what says how much is luck must say so: a thousand studies of pure noise.
//!
//! A study is twenty independent trials of 500 normal returns, the least favorable null of the reality check and of Hansen's test:
//! every trial is as good as the benchmark and none is worse. p-values must be uniform by [`kolmogorov_smirnov_uniform`] at 1 %, and
//! each law has a twin with something to be found. The generators are seeded, so that the outcome is the same every time.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution as _, StandardNormal, StudentT};

use crate::sample::sample_variance;
use crate::vectors::periods;
use crate::{
    BootstrapSettings, Convention, MetricOptions, Resamples, Returns, SharpeStatistics, SnoopingTest, Trials,
    benjamini_hochberg, holm, jobson_korkie, kolmogorov_smirnov_uniform, paired_difference, probabilistic_sharpe_ratio,
    romano_wolf, sharpe_overfitting, trial_clusters,
};

const STUDIES: usize = 1000;
const TRIALS: usize = 20;
const PERIODS: usize = 500;
const OPTIONS: MetricOptions = MetricOptions::new(Convention::Tidegate);
/// A share of 5 % of a thousand has a standard deviation of 6.9; no more than 66 with a probability of 99 %.
const FIVE_PERCENT_MOST: usize = 66;

#[track_caller]
fn uniform(p_values: &[f64]) {
    let test = kolmogorov_smirnov_uniform(p_values).expect("in [0, 1]").expect("values");
    assert!(test.p_value > 0.01, "{test:?}");
}

fn generator(study: usize) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(study as u64)
}

/// Draws a study of noise with a standard deviation of 0.01; the first trial has a Sharpe ratio of its own per period.
fn study(number: usize, sharpe_ratio: f64) -> Vec<Vec<f64>> {
    let mut generator = generator(number);
    let mut normal = || -> f64 { StandardNormal.sample(&mut generator) };
    let mean = |trial: usize| if trial == 0 { 0.01 * sharpe_ratio } else { 0.0 };
    (0..TRIALS).map(|trial| (0..PERIODS).map(|_| mean(trial) + 0.01 * normal()).collect()).collect()
}

fn rows(trials: &[Vec<f64>]) -> Vec<&[f64]> {
    trials.iter().map(Vec::as_slice).collect()
}

fn resamples(length: usize, number: usize) -> Resamples {
    let settings = BootstrapSettings { resamples: 199, mean_block_length: 2.0, seed: number as u64 };
    Resamples::new(length, settings).expect("valid settings")
}

/// Returns the p-values of the reality check and of Hansen's test, the consistent and the upper one.
fn snooping(number: usize, trials: &[Vec<f64>]) -> [f64; 3] {
    let test = SnoopingTest::new(&resamples(PERIODS, number));
    let found = test.maxima(0, &rows(trials)).expect("valid").outcome().expect("trials");
    let superior = found.superior_predictive_ability;
    [found.reality_check.p_value, superior.p_value_consistent, superior.p_value_upper]
}

/// Returns the deflated Sharpe ratio of the best trial, by the number of trials and by the number of their groups.
fn deflated(trials: &[Vec<f64>]) -> [f64; 2] {
    let statistics: Vec<SharpeStatistics> =
        trials.iter().map(|trial| SharpeStatistics::of(&periods(trial), &OPTIONS).expect("varies")).collect();
    let ratios: Vec<f64> = statistics.iter().map(|statistics| statistics.sharpe_ratio).collect();
    let best = statistics.iter().max_by(|a, b| a.sharpe_ratio.total_cmp(&b.sharpe_ratio)).expect("trials");
    let counted =
        Trials { count: TRIALS as u64, sharpe_ratio_variance: sample_variance(&ratios).expect("several trials") };
    let groups = trial_clusters(&rows(trials)).expect("valid").expect("varies").trials(TRIALS as u64);
    [counted, groups].map(|trials| best.deflated(&trials).expect("defined"))
}

#[test]
fn the_probabilistic_sharpe_ratio_of_noise_is_uniform_with_heavy_tails_too() {
    let p_values = |draw: fn(&mut ChaCha8Rng) -> f64| -> Vec<f64> {
        let of = |study: usize| {
            let mut generator = generator(study);
            let returns: Vec<f64> = (0..PERIODS).map(|_| 0.01 * draw(&mut generator)).collect();
            1.0 - probabilistic_sharpe_ratio(&periods(&returns), 0.0, &OPTIONS).expect("varies")
        };
        (0..STUDIES).map(of).collect()
    };
    uniform(&p_values(|generator| StandardNormal.sample(generator)));
    uniform(&p_values(|generator| StudentT::new(5.0).expect("above 0").sample(generator)));
}

#[test]
fn the_reality_check_and_hansens_test_of_noise_are_uniform() {
    let found: Vec<[f64; 3]> = (0..STUDIES).map(|number| snooping(number, &study(number, 0.0))).collect();
    for test in 0..3 {
        uniform(&found.iter().map(|p_values| p_values[test]).collect::<Vec<f64>>());
    }
}

#[test]
fn the_best_of_noise_is_deflated_below_five_percent() {
    let found: Vec<[f64; 2]> = (0..STUDIES).map(|number| deflated(&study(number, 0.0))).collect();
    for count in 0..2 {
        let false_positives = found.iter().filter(|deflated| deflated[count] > 0.95).count();
        assert!(false_positives <= FIVE_PERCENT_MOST, "{false_positives}");
    }
    // Not deflated, the best of twenty looks true in 1 - 0.95^20 = 64 % of all studies.
    let undeflated = (0..STUDIES).filter(|&number| {
        let best = study(number, 0.0).iter().filter_map(|trial| probability(&periods(trial))).fold(0.0, f64::max);
        best > 0.95
    });
    assert!((560..720).contains(&undeflated.count()));
}

fn probability(returns: &Returns) -> Option<f64> {
    probabilistic_sharpe_ratio(returns, 0.0, &OPTIONS)
}

#[test]
fn noise_is_overfitted_half_of_the_time() {
    let of = |number| {
        let trials = study(number, 0.0);
        sharpe_overfitting(&rows(&trials), 8).expect("valid").expect("varies").probability
    };
    let found: Vec<f64> = (0..STUDIES).map(of).collect();
    let mean = found.iter().sum::<f64>() / STUDIES as f64;
    let error = (sample_variance(&found).expect("studies") / STUDIES as f64).sqrt();
    assert!((mean - 0.5).abs() < 3.0 * error && error < 0.012, "{mean} +- {error}");
}

#[test]
fn a_true_edge_among_noise_is_found() {
    // A Sharpe ratio of 0.35 a period, 5.6 a year: 7.8 standard errors. The edge itself widens the variance of the twenty trials to
    // 1 + 7.8^2 / 20 = 4 times that of noise, so that it is deflated by 2 * 1.87 errors; 4.1 are left. 199 resamples give at least 0.005.
    for number in 0..20 {
        let trials = study(number, 0.35);
        assert!(snooping(number, &trials).iter().all(|&p_value| p_value <= 0.005));
        assert!(deflated(&trials).iter().all(|&probability| probability > 0.95));
        let overfitting = sharpe_overfitting(&rows(&trials), 8).expect("valid").expect("varies");
        assert!(overfitting.probability < 0.01 && overfitting.probability_of_loss < 0.01);
        let studentized = SnoopingTest::new(&resamples(PERIODS, number)).studentized(&rows(&trials)).expect("valid");
        let adjusted = romano_wolf(&studentized.iter().flatten().collect::<Vec<_>>()).expect("as many resamples");
        assert!(adjusted[0] <= 0.005);
    }
}

#[test]
fn adjusted_p_values_of_noise_make_five_percent_of_studies_find_anything() {
    let mut found = [0; 3];
    for number in 0..STUDIES {
        let trials = study(number, 0.0);
        let p_values: Vec<f64> =
            trials.iter().map(|trial| 1.0 - probability(&periods(trial)).expect("varies")).collect();
        let studentized = SnoopingTest::new(&resamples(PERIODS, number)).studentized(&rows(&trials)).expect("valid");
        let adjusted = [
            holm(&p_values).expect("p-values"),
            benjamini_hochberg(&p_values).expect("p-values"),
            romano_wolf(&studentized.iter().flatten().collect::<Vec<_>>()).expect("as many resamples"),
        ];
        for (count, adjusted) in found.iter_mut().zip(adjusted) {
            *count += usize::from(adjusted.iter().any(|&p_value| p_value <= 0.05));
        }
    }
    assert!(found.iter().all(|&count| count <= FIVE_PERCENT_MOST), "{found:?}");
    assert!(found.iter().all(|&count| count >= 30), "{found:?}");
}

/// Returns the p-values of two tests that two strategies with a common part have equal Sharpe ratios.
fn paired(number: usize, advantage: f64) -> [f64; 2] {
    let mut generator = generator(number);
    let mut normal = || -> f64 { StandardNormal.sample(&mut generator) };
    let market: Vec<f64> = (0..200).map(|_| 0.001 + 0.01 * normal()).collect();
    let mut strategy = |mean: f64| periods(&market.iter().map(|m| m + mean + 0.005 * normal()).collect::<Vec<f64>>());
    let (first, second) = (strategy(advantage), strategy(0.0));
    let found = paired_difference(&first, &second, &resamples(200, number), 0.95, &OPTIONS).expect("valid");
    let quick = jobson_korkie(&first, &second, &OPTIONS).expect("as many").expect("varies");
    [found.sharpe_ratio.expect("differs").p_value, quick.p_value]
}

#[test]
fn strategies_that_are_equally_good_differ_by_chance_alone() {
    let found: Vec<[f64; 2]> = (0..STUDIES).map(|number| paired(number, 0.0)).collect();
    uniform(&found.iter().map(|p_values| p_values[0]).collect::<Vec<f64>>());
    uniform(&found.iter().map(|p_values| p_values[1]).collect::<Vec<f64>>());
    // 0.003 a period over a difference of 0.0071: 6 standard errors.
    assert!((0..20).all(|number| paired(number, 0.003).iter().all(|&p_value| p_value < 0.02)));
}
