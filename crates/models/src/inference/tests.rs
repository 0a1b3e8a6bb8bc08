//! Networks in plain Rust against libtorch, windows against streams. Those without libtorch in them run in both builds.

use tidegate_forecast::{FittedForecaster, ForecastStream, Predictive, Sample, TrainingReport, WindowBlock, Windows};

use super::{TrainedNetwork, layout};
use crate::checkpoint::StoredNetwork;
use crate::spec::{Encoder, GruSpec, Head, Loss, LstmSpec, NetworkSpec};
use crate::target::TargetScale;

/// Fixed numbers in `[-1, 1]`.
fn numbers(count: usize, seed: usize) -> impl Iterator<Item = f32> {
    (0..count).map(move |place| ((place * 7 + seed * 131 + 1) as f32 * 12.9898).sin())
}

/// A network of one scale, three features and two layers.
fn one_scale() -> NetworkSpec {
    NetworkSpec::new(
        Encoder::Gru(GruSpec::new(17, 2)),
        Head::Gaussian { variance_floor: 1e-4 },
        Loss::GaussianNll,
        vec![3],
    )
}

/// A network of two scales of three and two features.
fn two_scales() -> NetworkSpec {
    NetworkSpec { encoder: Encoder::MultiScaleGru(GruSpec::new(9, 1)), feature_counts: vec![3, 2], ..one_scale() }
}

/// Networks that together have everything that plain Rust runs.
pub(super) fn every_kind() -> Vec<NetworkSpec> {
    let with = |head: Head, loss: Loss| NetworkSpec { head, loss, ..one_scale() };
    let student_t = |degrees_of_freedom| Head::StudentT { variance_floor: 1e-4, degrees_of_freedom };
    let quantiles = Head::Quantile { levels: vec![0.05, 0.25, 0.5, 0.9] };
    vec![
        one_scale(),
        two_scales(),
        with(Head::Point, Loss::Mse),
        with(student_t(None), Loss::StudentTNll),
        with(student_t(Some(5.0)), Loss::StudentTNll),
        with(quantiles.clone(), Loss::Pinball),
        NetworkSpec { encoder: Encoder::Lstm(LstmSpec::new(17, 2)), ..one_scale() },
        NetworkSpec {
            horizons: 3,
            symbols: 2,
            symbol_embedding: Some(4),
            head_hidden_size: Some(7),
            head_dropout: 0.1,
            head: quantiles,
            loss: Loss::Pinball,
            ..two_scales()
        },
        NetworkSpec {
            horizons: 2,
            symbols: 2,
            symbol_embedding: Some(3),
            head: student_t(None),
            loss: Loss::StudentTNll,
            ..one_scale()
        },
    ]
}

fn trained(spec: &NetworkSpec) -> TrainedNetwork {
    let shapes = layout::shapes(spec);
    let count = shapes.iter().map(crate::parameter_shape::ParameterShape::len).sum();
    let report = TrainingReport { parameters: count, ..TrainingReport::default() };
    let scale = |horizon| TargetScale { mean: 0.001, standard_deviation: 0.02 + 0.01 * horizon as f64 };
    let targets = (0..spec.horizons).map(scale).collect();
    let values = numbers(count, 1).map(|value| 0.5 * value).collect();
    TrainedNetwork::new(StoredNetwork { spec: spec.clone(), shapes, values, targets, report })
}

/// Windows that a network reads, of two symbols in turns.
fn windows_for(spec: &NetworkSpec, count: usize) -> Windows {
    let mut windows = windows(count, spec.feature_counts.len());
    windows.horizons = spec.horizons;
    windows.samples.iter_mut().zip(0..).for_each(|(sample, place)| sample.series = place % 2);
    windows
}

/// Windows of six steps of three features, and of four steps of two.
fn windows(count: usize, scales: usize) -> Windows {
    let block = |(steps, features)| WindowBlock {
        steps,
        features,
        values: numbers(count * steps * features, steps).collect(),
        lengths: vec![],
    };
    Windows {
        scales: [(6, 3), (4, 2)].into_iter().take(scales).map(block).collect(),
        samples: (0..count as u32).map(|row| Sample { series: 0, row }).collect(),
        ..Windows::default()
    }
}

fn stream(network: &TrainedNetwork) -> Box<dyn ForecastStream> {
    network.stream(0).expect("a network of one scale steps")
}

/// Steps through `[T, F]` and returns the last forecast.
fn stepped(stream: &mut dyn ForecastStream, steps: &[f32], features: usize) -> Predictive {
    let mut last = None;
    for step in steps.chunks(features) {
        last = Some(stream.step(step).expect("finite features")[0].clone());
    }
    last.expect("at least one step")
}

#[test]
fn the_steps_of_a_window_from_a_fresh_start_give_its_forecasts_to_the_bit() {
    for spec in every_kind().into_iter().filter(|spec| spec.feature_counts.len() == 1) {
        let (network, windows) = (trained(&spec), windows_for(&spec, 40));
        let forecasts = network.forecast(&windows).expect("the same shape");
        let mut streams = [0, 1].map(|series| network.stream(series).expect("a known symbol"));
        for (sample, expected) in forecasts.chunks(spec.horizons).enumerate() {
            let stream = &mut streams[sample % 2];
            stream.reset();
            let (last, before) =
                windows.scales[0].window(sample).split_last_chunk::<3>().map(|(a, b)| (b, a)).expect("steps");
            before.chunks(3).for_each(|step| drop(stream.step(step).expect("finite features").to_vec()));
            assert_eq!(stream.step(last).expect("finite features"), expected, "sample {sample} of {spec:?}");
        }
    }
}

#[test]
fn a_symbol_that_the_network_does_not_know_has_no_stream_and_no_forecast() {
    let spec = every_kind().pop().expect("a network with an embedding");
    let (network, mut windows) = (trained(&spec), windows_for(&spec, 2));
    assert!(network.stream(1).is_some() && network.stream(2).is_none());
    windows.samples[1].series = 2;
    let message = network.forecast(&windows).expect_err("two symbols").to_string();
    assert!(message.starts_with("series of a sample must be below `2`"), "{message}");
}

#[test]
fn a_carried_state_equals_one_long_window() {
    let network = trained(&one_scale());
    let rows: Vec<f32> = numbers(3 * 50, 4).collect();
    let mut stream = stream(&network);
    for steps in [1, 2, 17, 50] {
        stream.reset();
        let block = WindowBlock { steps, features: 3, values: rows[..3 * steps].to_vec(), lengths: vec![] };
        let long = Windows { scales: vec![block], samples: vec![Sample { series: 0, row: 0 }], ..Windows::default() };
        assert_eq!(network.forecast(&long).expect("any length")[0], stepped(stream.as_mut(), &rows[..3 * steps], 3));
    }
}

#[test]
fn two_streams_of_one_network_do_not_meet() {
    let network = trained(&one_scale());
    let rows: Vec<f32> = numbers(60, 4).collect();
    let (mut one, mut other, mut alone) = (stream(&network), stream(&network), stream(&network));
    for step in rows.chunks(3) {
        let [first, _] = [&mut one, &mut other].map(|stream| stream.step(step).expect("finite")[0].clone());
        other.step(&[9.0, -9.0, 9.0]).expect("finite");
        assert_eq!(alone.step(step).expect("finite")[0], first);
    }
}

#[test]
fn a_short_window_starts_at_its_first_valid_step() {
    let (network, mut padded) = (trained(&two_scales()), windows(3, 2));
    let whole = network.forecast(&padded).expect("the same shape");
    padded.scales[0].lengths = vec![6, 2, 6];
    // What lies before the valid steps is not read.
    padded.scales[0].values[18..30].fill(0.0);
    let short = network.forecast(&padded).expect("the same shape");
    assert_eq!((&short[0], &short[2]), (&whole[0], &whole[2]));
    let mut cut = windows(3, 2);
    let fine = &mut cut.scales[0];
    (fine.steps, fine.values) = (2, (0..3).flat_map(|sample| fine.window(sample)[12..].to_vec()).collect());
    assert_eq!(network.forecast(&cut).expect("any length")[1], short[1]);
    assert_ne!(whole[1], short[1]);
}

#[test]
fn a_forecast_does_not_depend_on_the_samples_beside_it() {
    // More than are held at a time.
    let (network, all) = (trained(&two_scales()), windows(2_100, 2));
    let forecasts = network.forecast(&all).expect("the same shape");
    for sample in [0, 1_023, 1_024, 2_099] {
        let own = |block: &WindowBlock| WindowBlock { values: block.window(sample).to_vec(), ..block.clone() };
        let alone =
            Windows { scales: all.scales.iter().map(own).collect(), samples: vec![all.samples[sample]], ..all.clone() };
        assert_eq!(network.forecast(&alone).expect("the same shape"), forecasts[sample..=sample]);
    }
}

#[test]
fn a_checkpoint_gives_the_same_bits_back() {
    for spec in every_kind() {
        let (network, windows) = (trained(&spec), windows_for(&spec, 5));
        let bytes = network.checkpoint().expect("plain numbers");
        let restored = TrainedNetwork::restore(&bytes, &spec).expect("whole");
        assert_eq!(restored.forecast(&windows), network.forecast(&windows));
        assert_eq!(restored.checkpoint(), Ok(bytes));
        assert_eq!(restored.report().parameters, network.report().parameters);
    }
}

#[test]
fn what_does_not_fit_or_is_not_finite_is_named() {
    let network = trained(&one_scale());
    let message = network.forecast(&windows(2, 2)).expect_err("two scales").to_string();
    assert_eq!(message, "scales must have `1` entries as in the fit, has `2`");
    let mut missing = windows(2, 1);
    missing.scales[0].values[18 + 4] = f32::NAN;
    let message = network.forecast(&missing).expect_err("not a number").to_string();
    let expected = "feature column `1` of scale `0` at step `1` of forecast sample `1` must be finite, was `NaN`";
    assert_eq!(message, expected);
    let mut stream = stream(&network);
    let message = stream.step(&[1.0]).expect_err("one feature").to_string();
    assert_eq!(message, "features of a step must have `3` entries as in the fit, has `1`");
    let message = stream.step(&[1.0, f32::NAN, 1.0]).expect_err("not a number").to_string();
    assert_eq!(message, "feature column `1` of a step must be finite, was `NaN`");
    assert!(trained(&two_scales()).stream(0).is_none(), "windows of two scales do not step together");
}

#[cfg(feature = "libtorch")]
mod with_libtorch {
    use tidegate_forecast::PredictiveShape;

    use super::*;
    use crate::Device;
    use crate::fitted::FittedNetwork;
    use crate::recurrence::Recurrence;

    /// Forecasts with every layer of the network in libtorch.
    fn forecast_in_libtorch(network: &TrainedNetwork, windows: &Windows) -> Vec<Predictive> {
        let bytes = network.checkpoint().expect("plain numbers");
        let fitted = FittedNetwork::restore(&bytes, &network.stored.spec, Device::Cpu).expect("whole");
        fitted.forecast_with(Recurrence::Libtorch, windows).expect("the same shape")
    }

    /// The distribution's numbers in units of its target; of Student's t the squared scale, since the variance magnifies rounding
    /// where the degrees of freedom are near 2.
    fn numbers_of(forecast: &Predictive, scale: TargetScale) -> Vec<f64> {
        let standardized = |value: f64| (value - scale.mean) / scale.standard_deviation;
        let mut numbers = vec![standardized(forecast.mean)];
        numbers.extend(forecast.variance.map(|variance| variance / scale.variance(1.0)));
        match &forecast.shape {
            PredictiveShape::Normal => {}
            PredictiveShape::StudentT { degrees_of_freedom } => {
                numbers[1] *= (degrees_of_freedom - 2.0) / degrees_of_freedom;
                numbers.push(*degrees_of_freedom);
            }
            PredictiveShape::Quantiles(quantiles) => {
                numbers.extend(quantiles.iter().map(|quantile| standardized(quantile.value)));
            }
        }
        numbers
    }

    #[test]
    fn forecasts_equal_libtorchs_to_1e_6_in_standardised_units() {
        for spec in every_kind() {
            let (network, mut windows) = (trained(&spec), windows_for(&spec, 300));
            // Some windows are short.
            windows.scales[0].lengths = (0..300).map(|place| 1 + place % 6).collect();
            for (sample, length) in (0..300).map(|place| (place, 1 + place % 6)) {
                windows.scales[0].values[sample * 18..sample * 18 + (6 - length) * 3].fill(0.0);
            }
            let expected = forecast_in_libtorch(&network, &windows);
            let found = network.forecast(&windows).expect("the same shape");
            assert_eq!(found.len(), expected.len());
            for (place, (found, expected)) in found.iter().zip(&expected).enumerate() {
                let scale = network.stored.targets[place % spec.horizons];
                let (found, expected) = (numbers_of(found, scale), numbers_of(expected, scale));
                assert_eq!(found.len(), expected.len());
                for (found, expected) in found.iter().zip(&expected) {
                    assert!(
                        (found - expected).abs() < 1e-6 * expected.abs().max(1.0),
                        "{found} {expected} of {spec:?}"
                    );
                }
            }
        }
    }
}
