//! Missing labels, weights, horizons, and the trade of the Sharpe loss.

use super::check::assert_close;
use super::*;
use crate::parameters::to_vec;
use crate::spec::Position;
use crate::target::TargetScale;

const SCALE: TargetScale = TargetScale { mean: 0.0, standard_deviation: 1.0 };

/// A batch of targets `[B, K]`, row by row.
fn batch(targets: &[&[f32]], weights: Option<&[f32]>, symbols: &[i64]) -> Batch {
    let rows: Vec<Tensor> = targets.iter().map(|row| Tensor::from_slice(row)).collect();
    Batch {
        inputs: vec![],
        lengths: vec![],
        targets: Some(Tensor::stack(&rows, 0)),
        weights: weights.map(Tensor::from_slice),
        symbols: Tensor::from_slice(symbols),
        label_weights: vec![],
        scales: vec![SCALE; targets[0].len()],
    }
}

fn point(means: &[&[f32]]) -> (Tensor, NetworkOutput) {
    let rows: Vec<Tensor> = means.iter().map(|row| Tensor::from_slice(row)).collect();
    let mean = Tensor::stack(&rows, 0).set_requires_grad(true);
    (mean.shallow_clone(), NetworkOutput::Point { mean })
}

#[test]
fn a_missing_label_counts_nothing_and_a_weight_multiplies() {
    // Squared errors 1, 4 | 9, missing; weights 2 and 1: (2 * 1 + 2 * 4 + 9) / (2 + 2 + 1) = 3.8.
    let samples = batch(&[&[1.0, 2.0], &[3.0, f32::NAN]], Some(&[2.0, 1.0]), &[0, 0]);
    let (mean, output) = point(&[&[0.0, 0.0], &[0.0, 5.0]]);
    let loss = Loss::Mse.training(&output, &samples);
    assert_close(loss.double_value(&[]), 3.8);
    assert_close(Loss::Mse.validation(&output, &samples), 3.8);
    loss.backward();
    // 2 w (mu - y) / 5.
    assert_eq!(to_vec(&mean.grad()), [-0.8, -1.6, -1.2, 0.0]);
}

#[test]
fn without_weights_and_gaps_the_loss_is_the_plain_mean() {
    let samples = batch(&[&[0.0], &[4.0]], None, &[0, 0]);
    let (_, output) = point(&[&[1.0], &[2.0]]);
    assert_eq!(Loss::Mse.training(&output, &samples).double_value(&[]), 2.5);
}

#[test]
fn a_batch_without_labels_has_no_loss_and_no_gradient() {
    let samples = batch(&[&[f32::NAN]], None, &[0]);
    let (mean, output) = point(&[&[1.0]]);
    let loss = Loss::Mse.training(&output, &samples);
    loss.backward();
    assert_eq!((loss.double_value(&[]), to_vec(&mean.grad())), (0.0, vec![0.0]));
}

#[test]
fn the_beta_weighted_likelihood_is_validated_by_the_plain_one() {
    let samples = batch(&[&[1.0]], None, &[0]);
    let [mean, variance] = [0.0_f32, 2.0].map(|value| Tensor::from_slice(&[value]).view([1, 1]));
    let output = NetworkOutput::Gaussian { mean, variance };
    let beta = Loss::BetaNll { beta: 0.5 };
    let plain = Loss::GaussianNll.training(&output, &samples).double_value(&[]);
    assert_close(beta.validation(&output, &samples), plain);
    assert_close(beta.training(&output, &samples).double_value(&[]), plain * 2.0_f64.sqrt());
}

fn sharpe(cost_bps: f64, position: Position) -> Loss {
    Loss::Sharpe { cost_bps, position }
}

#[test]
fn the_sharpe_loss_trades_each_symbol_by_itself_and_pays_for_changes() {
    // Cost 0.1 per unit. Symbol 0: positions 1, 2, earning 1 * 1 - 0.1 and 2 * 0.5 - 0.1; symbol 1: position -1, earning
    // -1 * -0.5 - 0.1. Returns 0.9, 0.4, 0.9: mean 2.2 / 3, variance (2 * (1/6)^2 + (1/3)^2) / 2 = 1/12.
    let samples = batch(&[&[1.0], &[-0.5], &[0.5]], None, &[0, 1, 0]);
    let (_, output) = point(&[&[1.0], &[-1.0], &[2.0]]);
    let loss = sharpe(1000.0, Position::Scaled).training(&output, &samples).double_value(&[]);
    assert_close(loss, -(2.2 / 3.0) / (1.0_f64 / 12.0 + 1e-8).sqrt());
}

#[test]
fn the_sharpe_loss_leaves_out_samples_without_a_label() {
    let with_gap = batch(&[&[1.0], &[f32::NAN], &[0.5]], None, &[0, 0, 0]);
    let without = batch(&[&[1.0], &[0.5]], None, &[0, 0]);
    let loss = sharpe(50.0, Position::Tanh);
    let (mean, output) = point(&[&[1.0], &[9.0], &[0.2]]);
    let gap = loss.training(&output, &with_gap);
    gap.backward();
    assert_eq!(to_vec(&mean.grad())[1], 0.0);
    let expected = loss.training(&point(&[&[1.0], &[0.2]]).1, &without).double_value(&[]);
    assert_close(gap.double_value(&[]), expected);
}

#[test]
fn the_sharpe_loss_means_labels_in_their_own_units() {
    // Labels 0.03 and -0.01 with mean 0.01 and deviation 0.02; forecasts 0.02 and -0.02 are positions tanh(1) and tanh(-1).
    let mut samples = batch(&[&[1.0], &[-1.0]], None, &[0, 0]);
    samples.scales = vec![TargetScale { mean: 0.01, standard_deviation: 0.02 }];
    let (_, output) = point(&[&[0.5], &[-1.5]]);
    let position = 1.0_f64.tanh();
    let returns = [position * 0.03 - 0.001 * position, position * 0.01 - 0.001 * 2.0 * position];
    let mean = f64::midpoint(returns[0], returns[1]);
    let deviation = ((returns[0] - returns[1]).powi(2) / 2.0 + 1e-8 * 0.0004).sqrt();
    assert_close(sharpe(10.0, Position::Tanh).training(&output, &samples).double_value(&[]), -mean / deviation);
}

#[test]
fn the_sharpe_losss_gradients_are_its_differences() {
    let loss = |means: [&Tensor; 4]| {
        let output = NetworkOutput::Point { mean: Tensor::cat(&means, 0).to_kind(Kind::Double).view([4, 1]) };
        let samples = batch(&[&[1.0], &[-0.5], &[f32::NAN], &[0.25]], Some(&[1.0, 0.5, 1.0, 1.5]), &[0, 0, 0, 0]);
        let samples = Batch { targets: samples.targets.map(|targets| targets.to_kind(Kind::Double)), ..samples };
        sharpe(30.0, Position::Tanh).training(&output, &samples)
    };
    super::check::assert_gradients(loss, [0.3, -0.7, 0.2, 1.1]);
}
