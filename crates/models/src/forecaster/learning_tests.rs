//! Every encoder, head and loss learns what it should, from labels whose rule is known.

use tidegate_forecast::{Forecaster, Predictive, PredictiveShape, Windows};

use super::*;
use crate::fixture::{learnable, point, task, training, windows};
use crate::random::{SeededRandom, Stream};
use crate::spec::{
    CnnGruSpec, Encoder, GruSpec, GruTransformerSpec, Head, LinearSpec, Loss, LstmSpec, MlpSpec, Pooling, Position,
    TransformerSpec,
};

fn fitted(spec: &NetworkSpec, epochs: usize, train: &Windows, valid: &Windows) -> Box<dyn FittedForecaster> {
    let forecaster = NeuralForecaster::new(spec.clone(), training(epochs), Device::Cpu).expect("valid specifications");
    let fitted = forecaster.fit(&task(train, valid, 7)).expect("a sane task");
    let restored = forecaster.restore(&fitted.checkpoint().expect("a network has bytes")).expect("its own bytes");
    assert_eq!(restored.forecast(valid), fitted.forecast(valid));
    fitted
}

/// The share of the labels' variance that the means miss, at one horizon.
fn missed(forecasts: &[Predictive], windows: &Windows, horizon: usize) -> f64 {
    let labels: Vec<Option<f64>> = windows.target.iter().skip(horizon).step_by(windows.horizons).copied().collect();
    let known: Vec<f64> = labels.iter().copied().flatten().collect();
    let mean = known.iter().sum::<f64>() / known.len() as f64;
    let variance: f64 = known.iter().map(|label| (label - mean).powi(2)).sum();
    let forecasts = forecasts.iter().skip(horizon).step_by(windows.horizons);
    let errors = forecasts.zip(labels).filter_map(|(forecast, label)| Some((forecast.mean - label?).powi(2)));
    errors.sum::<f64>() / variance
}

fn encoders() -> Vec<Encoder> {
    let gru = || GruSpec::new(12, 1);
    let (layers, feedforward_size, dropout, pooling) = (1, 16, 0.0, Pooling::Last);
    vec![
        Encoder::Gru(GruSpec { bidirectional: true, ..gru() }),
        Encoder::Gru(GruSpec { pooling: Pooling::Attention, ..gru() }),
        Encoder::Gru(GruSpec { zoneout: 0.05, ..gru() }),
        Encoder::Gru(GruSpec { layer_norm: true, ..gru() }),
        Encoder::Lstm(LstmSpec { forget_gate_bias: Some(1.0), ..LstmSpec::new(12, 1) }),
        Encoder::CnnGru(CnnGruSpec { channels: 8, kernel_size: 2, convolutions: 1, dilation: 1, gru: gru() }),
        Encoder::GruTransformer(GruTransformerSpec {
            gru: gru(),
            heads: 2,
            layers,
            feedforward_size,
            dropout,
            pooling,
        }),
        Encoder::Transformer(TransformerSpec { model_size: 12, heads: 2, layers, feedforward_size, dropout, pooling }),
        Encoder::Linear(LinearSpec {}),
        Encoder::Mlp(MlpSpec { hidden_sizes: vec![24], dropout: 0.0 }),
    ]
}

#[test]
fn every_encoder_learns_a_rule_of_the_last_two_steps() {
    let (train, valid, test) = (learnable(400, 1, 1), learnable(100, 1, 2), learnable(200, 1, 3));
    for encoder in encoders() {
        let spec = NetworkSpec { encoder, window_bars: vec![6], ..point() };
        let forecasts = fitted(&spec, 40, &train, &valid).forecast(&test).expect("the same shape");
        let missed = missed(&forecasts, &test, 0);
        // A constant misses all. Normalised gates lose the size of what they read, so that encoder misses more than the others.
        assert!(missed < 0.25, "{:?} misses {missed}", spec.encoder);
    }
}

#[test]
fn horizons_are_learned_side_by_side_each_in_its_own_unit() {
    // The second horizon's label is of the second feature and a hundred times as large; every third one is missing.
    let with_horizons = |count, seed| {
        let mut both = windows(count, 1, seed, |own, _| 0.01 * f64::from(own[0][15]));
        let second =
            |sample: usize| (!sample.is_multiple_of(3)).then(|| 5.0 + f64::from(both.scales[0].window(sample)[16]));
        both.target = (0..count).flat_map(|sample| [both.target[sample], second(sample)]).collect();
        both.horizons = 2;
        both
    };
    let (train, valid, test) = (with_horizons(400, 1), with_horizons(100, 2), with_horizons(200, 3));
    let spec = NetworkSpec { horizons: 2, ..point() };
    let forecasts = fitted(&spec, 40, &train, &valid).forecast(&test).expect("the same shape");
    assert_eq!(forecasts.len(), 400);
    let missed = [0, 1].map(|horizon| missed(&forecasts, &test, horizon));
    assert!(missed.iter().all(|missed| *missed < 0.1), "{missed:?}");
}

/// Student's t of 3 degrees of freedom: a normal number over the root of the mean of three squared ones.
fn heavy_tailed(count: usize, seed: u64) -> Windows {
    let mut random = SeededRandom::new(seed, Stream::Shuffle);
    let mut drawn = windows(count, 1, seed, |_, _| 0.0);
    for label in &mut drawn.target {
        let squares: f64 = (0..3).map(|_| random.normal().powi(2)).sum();
        *label = Some(0.01 * random.normal() / (squares / 3.0).sqrt());
    }
    drawn
}

#[test]
fn degrees_of_freedom_tell_fat_tails_from_normal_ones() {
    let head = Head::StudentT { variance_floor: 1e-4, degrees_of_freedom: None };
    let spec = NetworkSpec { head, loss: Loss::StudentTNll, ..point() };
    let mean_degrees = |train: &Windows, valid: &Windows| {
        let forecasts = fitted(&spec, 30, train, valid).forecast(valid).expect("the same shape");
        let degrees = forecasts.iter().map(|forecast| match forecast.shape {
            PredictiveShape::StudentT { degrees_of_freedom } => degrees_of_freedom,
            _ => panic!("Student's t"),
        });
        degrees.sum::<f64>() / forecasts.len() as f64
    };
    let normal = |count, seed| windows(count, 1, seed, |_, normal| 0.01 * normal);
    let fat = mean_degrees(&heavy_tailed(2000, 1), &heavy_tailed(500, 2));
    let thin = mean_degrees(&normal(2000, 1), &normal(500, 2));
    assert!((2.2..4.5).contains(&fat) && thin > 6.5, "{fat} {thin}");
}

#[test]
fn quantiles_hold_their_levels_where_the_spread_depends_on_the_window() {
    let noise =
        |count, seed| windows(count, 1, seed, |own, normal| 0.01 * (0.7 * f64::from(own[0][15])).exp() * normal);
    let (train, valid, test) = (noise(1500, 1), noise(300, 2), noise(1000, 3));
    let head = Head::Quantile { levels: vec![0.1, 0.5, 0.9] };
    let spec = NetworkSpec { head, loss: Loss::Pinball, ..point() };
    let forecasts = fitted(&spec, 60, &train, &valid).forecast(&test).expect("the same shape");
    for wide in [true, false] {
        let mut below = [0.0_f64; 3];
        let mut count = 0.0;
        for (sample, forecast) in forecasts.iter().enumerate() {
            let PredictiveShape::Quantiles(quantiles) = &forecast.shape else { panic!("quantiles") };
            if (test.scales[0].window(sample)[15] > 0.0) == wide {
                let label = test.target[sample].expect("a label");
                below
                    .iter_mut()
                    .zip(quantiles.iter())
                    .for_each(|(sum, q)| *sum += f64::from(u8::from(label <= q.value)));
                count += 1.0;
            }
        }
        // About 500 samples: a standard error of 0.013 at the outer levels and 0.022 at the median.
        for (share, level) in below.map(|sum| sum / count).into_iter().zip([0.1, 0.5, 0.9]) {
            assert!((share - level).abs() < 0.05, "{wide}: {share} for {level}");
        }
    }
}

#[test]
fn scores_in_closed_form_learn_mean_and_spread() {
    let noise = |count, seed| {
        windows(count, 1, seed, |own, normal| {
            0.01 * f64::from(own[0][15]) + if own[0][16] > 0.0 { 0.02 * normal } else { 0.005 * normal }
        })
    };
    let (train, valid, test) = (noise(1500, 1), noise(300, 2), noise(600, 3));
    let student = Head::StudentT { variance_floor: 1e-4, degrees_of_freedom: Some(8.0) };
    for head in [Head::Gaussian { variance_floor: 1e-4 }, student] {
        let spec = NetworkSpec { head, loss: Loss::Crps, ..point() };
        let forecasts = fitted(&spec, 30, &train, &valid).forecast(&test).expect("the same shape");
        let mean_variance = |wide: bool| {
            let group = (0..600).filter(|&sample| (test.scales[0].window(sample)[16] > 0.0) == wide);
            let variances: Vec<f64> = group.map(|sample| forecasts[sample].variance.expect("a spread")).collect();
            variances.iter().sum::<f64>() / variances.len() as f64
        };
        let (wide, narrow) = (mean_variance(true), mean_variance(false));
        assert!((2e-4..8e-4).contains(&wide) && (1.2e-5..1e-4).contains(&narrow), "{wide} {narrow}");
    }
}

#[test]
fn the_sharpe_loss_finds_the_side_of_the_market() {
    // The label leans to the sign of the last first feature; costs are a tenth of the lean.
    let leaning =
        |count, seed| windows(count, 1, seed, |own, normal| 0.01 * f64::from(own[0][15]).signum() + 0.01 * normal);
    let (train, valid, test) = (leaning(800, 1), leaning(200, 2), leaning(400, 3));
    let spec = NetworkSpec { loss: Loss::Sharpe { cost_bps: 10.0, position: Position::Tanh }, ..point() };
    let network = fitted(&spec, 20, &train, &valid);
    let forecasts = network.forecast(&test).expect("the same shape");
    let right = forecasts.iter().enumerate().filter(|(i, f)| (test.scales[0].window(*i)[15] > 0.0) == (f.mean > 0.0));
    assert!(right.count() > 360);
    // Always on the right side: 0.01 - 0.001 a bar over a deviation of about 0.01.
    let best = network.report().epochs.iter().filter_map(|epoch| epoch.valid_loss).fold(f64::INFINITY, f64::min);
    assert!((-1.2..-0.7).contains(&best), "{best}");
}

#[test]
fn what_depends_on_the_symbol_is_learned_with_an_embedding_alone() {
    let by_symbol = |count: usize, seed| {
        let mut drawn = windows(count, 1, seed, |_, _| 0.0);
        for (place, sample) in drawn.samples.iter_mut().enumerate() {
            sample.series = (place % 3) as u32;
            drawn.target[place] = Some([0.02, -0.01, 0.0][place % 3]);
        }
        drawn
    };
    let (train, valid) = (by_symbol(300, 1), by_symbol(90, 2));
    let blind = NetworkSpec { symbols: 3, ..point() };
    let seeing = NetworkSpec { symbol_embedding: Some(2), ..blind.clone() };
    let missed = |spec| missed(&fitted(spec, 25, &train, &valid).forecast(&valid).expect("the same shape"), &valid, 0);
    let (seeing, blind) = (missed(&seeing), missed(&blind));
    assert!(seeing < 0.02 && blind > 0.7, "{seeing} {blind}");
}
