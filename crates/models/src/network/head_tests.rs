//! Heads, embeddings and horizons, by hand, and what their outputs mean in the target's units.

use tch::{Kind, Tensor};
use tidegate_forecast::{Predictive, PredictiveShape, Sample};

use super::head::HeadNetwork;
use super::layout::Layout;
use super::*;
use crate::fixture;
use crate::parameters::{ParameterShape, Parameters, to_vec};
use crate::spec::{Encoder, Head, LinearSpec, Loss};
use crate::target::TargetScale;

fn spec(head: Head, horizons: usize) -> NetworkSpec {
    NetworkSpec { horizons, ..NetworkSpec::new(Encoder::Linear(LinearSpec {}), head, Loss::Mse, vec![1]) }
}

/// Lays a head out for vectors of two values.
fn head(spec: &NetworkSpec) -> (HeadNetwork, Parameters) {
    let mut layout = Layout::new(SeededRandom::new(3, Stream::Weights));
    let head = HeadNetwork::build(spec, 2, &mut layout);
    (head, layout.finish(tch::Device::Cpu))
}

/// Reads a vector of zeros, which leaves the biases, with one scale for all horizons.
fn fresh(spec: &NetworkSpec, scale: TargetScale) -> Vec<Predictive> {
    let (head, parameters) = head(spec);
    let vectors = Tensor::zeros([1, 2], (Kind::Float, tch::Device::Cpu));
    head.forward(&parameters.views(), &vectors, None).predictives(&vec![scale; spec.horizons])
}

const UNIT: TargetScale = TargetScale { mean: 0.0, standard_deviation: 1.0 };

fn student_t(degrees_of_freedom: Option<f64>) -> Head {
    Head::StudentT { variance_floor: 1e-6, degrees_of_freedom }
}

#[test]
fn a_fresh_head_states_about_the_distribution_of_a_standardised_target() {
    let scale = TargetScale { mean: 0.5, standard_deviation: 2.0 };
    for head in [Head::Gaussian { variance_floor: 1e-6 }, student_t(None), student_t(Some(3.0))] {
        for forecast in fresh(&spec(head, 3), scale) {
            let variance = forecast.variance.expect("a distribution");
            assert!(forecast.mean == 0.5 && (variance / 4.0 - 1.0).abs() < 1e-5, "{forecast:?}");
        }
    }
}

#[test]
fn quantiles_start_at_the_normal_distributions() {
    let levels = vec![0.025, 0.5, 0.8, 0.975];
    let forecast = fresh(&spec(Head::Quantile { levels }, 1), UNIT).remove(0);
    let PredictiveShape::Quantiles(quantiles) = forecast.shape else { panic!("quantiles") };
    // scipy.stats.norm.ppf.
    for (quantile, expected) in quantiles.iter().zip([-1.959_964, 0.0, 0.841_621, 1.959_964]) {
        assert!((quantile.value - expected).abs() < 1e-5, "{quantiles:?}");
    }
}

#[test]
fn a_student_t_states_its_variance_and_its_degrees_of_freedom() {
    let forecast = fresh(&spec(student_t(None), 1), UNIT).remove(0);
    let PredictiveShape::StudentT { degrees_of_freedom } = forecast.shape else { panic!("Student's t") };
    assert!((degrees_of_freedom - 6.0).abs() < 1e-5, "{degrees_of_freedom}");
    // Squared scale 3 (softplus of ln(e^3 - 1) = 2.948923, the floor not counted), nu = 5: variance 3 * 5 / 3 in units of 2^2.
    let (head, mut parameters) = head(&spec(student_t(Some(5.0)), 1));
    parameters.assign(&Tensor::from_slice(&[0.0_f32, 0.0, 0.0, 0.0, 1.0, 2.948_923]));
    let vectors = Tensor::zeros([1, 2], (Kind::Float, tch::Device::Cpu));
    let scale = TargetScale { mean: 0.5, standard_deviation: 2.0 };
    let forecast = head.forward(&parameters.views(), &vectors, None).predictives(&[scale]).remove(0);
    assert_eq!(forecast.mean, 2.5);
    assert!((forecast.variance.expect("a variance") - 20.0).abs() < 1e-4, "{forecast:?}");
    assert_eq!(forecast.shape, PredictiveShape::StudentT { degrees_of_freedom: 5.0 });
}

#[test]
fn raw_values_of_one_kind_lie_side_by_side_for_all_horizons() {
    let (head, mut parameters) = head(&spec(Head::Gaussian { variance_floor: 0.5 }, 2));
    // Weights [4, 2], then biases: means 1 and 2, raw variances 0 and -100.
    let values = [[0.0_f32; 8].as_slice(), &[1.0, 2.0, 0.0, -100.0]].concat();
    parameters.assign(&Tensor::from_slice(&values));
    let vectors = Tensor::zeros([1, 2], (Kind::Float, tch::Device::Cpu));
    let scales = [UNIT, TargetScale { mean: 10.0, standard_deviation: 3.0 }];
    let forecasts = head.forward(&parameters.views(), &vectors, None).predictives(&scales);
    let found: Vec<f64> = forecasts.iter().map(|forecast| forecast.mean).collect();
    assert_eq!(found, [1.0, 16.0]);
    // softplus(0) = ln 2; softplus(-100) = 0: the floor is left, times 3^2.
    let variances: Vec<f64> = forecasts.iter().map(|forecast| forecast.variance.expect("a variance")).collect();
    assert!((variances[0] - (2.0_f64.ln() + 0.5)).abs() < 1e-6 && (variances[1] - 4.5).abs() < 1e-6, "{variances:?}");
}

#[test]
fn quantiles_never_cross_whatever_the_weights() {
    let levels: Vec<f64> = (1..20).map(|level| f64::from(level) / 20.0).collect();
    let (head, mut parameters) = head(&spec(Head::Quantile { levels }, 2));
    let mut random = SeededRandom::new(1, Stream::Shuffle);
    let mut normals = |count: usize| (0..count).map(|_| (5.0 * random.normal()) as f32).collect::<Vec<_>>();
    parameters.assign(&Tensor::from_slice(&normals(parameters.flat().numel())));
    let vectors = Tensor::from_slice(&normals(200)).view([100, 2]);
    for forecast in head.forward(&parameters.views(), &vectors, None).predictives(&[UNIT, UNIT]) {
        let PredictiveShape::Quantiles(quantiles) = forecast.shape else { panic!("quantiles") };
        assert!(quantiles.windows(2).all(|pair| pair[0].value <= pair[1].value), "{quantiles:?}");
    }
}

#[test]
fn the_moments_of_quantiles_are_those_of_lines_and_exponential_tails() {
    // Levels 0.25 and 0.75 at -1 and 1: b = 0.25 * 2 / 0.5 = 1. Mean 0 by symmetry. Second moment: the line, 0.5 * (1 - 1 + 1) / 3,
    // and two tails, 0.25 * ((-1 - 1)^2 + 1) each: 1/6 + 2.5.
    let values = Tensor::from_slice(&[-1.0_f32, 1.0]).view([1, 1, 2]);
    let output = NetworkOutput::Quantiles { levels: vec![0.25, 0.75], values };
    let forecast = output.predictives(&[UNIT]).remove(0);
    assert_eq!(forecast.mean, 0.0);
    assert!((forecast.variance.expect("a variance") - (1.0 / 6.0 + 2.5)).abs() < 1e-12, "{forecast:?}");
}

#[test]
fn a_hidden_layer_stands_before_the_head_with_a_relu() {
    let spec = NetworkSpec { head_hidden_size: Some(2), ..spec(Head::Point, 1) };
    let (head, mut parameters) = head(&spec);
    let names: Vec<&str> = parameters.shapes().iter().map(|shape| shape.name.as_str()).collect();
    assert_eq!(names, ["head_hidden.weight", "head_hidden.bias", "head.weight", "head.bias"]);
    // Hidden: relu(x + y - 1) and relu(-x); output 2 a + 3 b + 0.5. At (2, 1): 2 * 2 + 0 + 0.5.
    parameters.assign(&Tensor::from_slice(&[1.0_f32, 1.0, -1.0, 0.0, -1.0, 0.0, 2.0, 3.0, 0.5]));
    let vectors = Tensor::from_slice(&[2.0_f32, 1.0]).view([1, 2]);
    assert_eq!(to_vec(head.forward(&parameters.views(), &vectors, None).mean()), [4.5]);
}

#[test]
fn dropout_before_the_head_acts_in_training_alone() {
    let spec = NetworkSpec { head_dropout: 0.5, ..spec(Head::Point, 1) };
    let (head, parameters) = head(&spec);
    let vectors = Tensor::ones([64, 2], (Kind::Float, tch::Device::Cpu));
    let run = |masks| to_vec(head.forward(&parameters.views(), &vectors, masks).mean());
    let evaluated = run(None);
    assert!(evaluated.iter().all(|value| *value == evaluated[0]));
    let trained = run(Some(&mut DropoutMasks::new(1)));
    assert!(trained.contains(&0.0) && trained.iter().any(|value| *value != evaluated[0]));
}

#[test]
fn a_symbols_own_values_reach_the_head_and_its_gradient_reaches_them_alone() {
    let gru = NetworkSpec { symbols: 3, symbol_embedding: Some(2), ..fixture::point() };
    let (network, parameters) = Network::build(&gru, 1, tch::Device::Cpu);
    let vectors = Tensor::zeros([3, 12], (Kind::Float, tch::Device::Cpu));
    let symbols = Tensor::from_slice(&[2_i64, 0, 2]);
    let views = parameters.views();
    let output = network.read(&views, &vectors, &symbols, None);
    let means = to_vec(output.mean());
    assert!(means[0] == means[2] && means[0] != means[1], "{means:?}");
    output.mean().sum(Kind::Float).backward();
    let place = parameters.shapes().iter().position(|shape| shape.name == "embedding.weight").expect("an embedding");
    let before: usize = parameters.shapes()[..place].iter().map(ParameterShape::len).sum();
    let gradient = to_vec(&parameters.flat().grad())[before..before + 6].to_vec();
    assert!(gradient[2..4] == [0.0, 0.0] && gradient[4] == 2.0 * gradient[0] && gradient[0] != 0.0, "{gradient:?}");
}

#[test]
fn windows_that_a_network_cannot_read_are_named() {
    let refused = |spec: &NetworkSpec, windows: &tidegate_forecast::Windows| {
        spec.check_windows(windows).expect_err("the windows do not fit").to_string()
    };
    let mut windows = fixture::learnable(2, 1, 1);
    windows.samples[1] = Sample { series: 2, row: 1 };
    let embedded = NetworkSpec { symbols: 2, symbol_embedding: Some(2), ..fixture::point() };
    assert_eq!(
        refused(&embedded, &windows),
        "series of a sample must be below `2`, the number of symbols that the network knows, was `2`"
    );
    assert_eq!(fixture::point().check_windows(&windows), Ok(()));
    let two = NetworkSpec { horizons: 2, ..fixture::point() };
    assert_eq!(refused(&two, &windows), "horizons must have `2` entries as in the fit, has `1`");
    let encoder = Encoder::Linear(LinearSpec {});
    let linear = NetworkSpec { encoder, window_bars: vec![5], ..fixture::point() };
    assert_eq!(refused(&linear, &windows), "steps of a window must have `5` entries as in the fit, has `6`");
}
