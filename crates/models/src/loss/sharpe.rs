//! The Sharpe ratio of trading the forecasts of a batch, net of costs.

use tch::{Kind, Tensor};

use super::Labels;
use crate::samples::{Batch, to_doubles};
use crate::spec::Position;

/// What is added to the variance of the returns, in units of the training targets' variance, against a division by zero.
const VARIANCE_FLOOR: f64 = 1e-8;

/// Returns minus the Sharpe ratio per period, averaged over the horizons; see [`crate::Loss::Sharpe`] for the trade.
///
/// Mean and variance are weighted by sample; the variance's divisor is the sum of the weights less their mean, `n - 1` where all
/// are 1. A horizon with fewer than two labels counts 0.
pub(super) fn negative_sharpe_ratio(
    mean: &Tensor,
    labels: &Labels,
    batch: &Batch,
    cost_bps: f64,
    position: Position,
) -> Tensor {
    let per_horizon: Vec<Tensor> = (0..mean.size()[1])
        .map(|horizon| {
            let scale = batch.scales[horizon as usize];
            let column = |tensor: &Tensor| tensor.select(1, horizon);
            let forecast = column(mean) + scale.mean / scale.standard_deviation;
            let positions = match position {
                Position::Tanh => forecast.tanh(),
                Position::Scaled => forecast,
            };
            let weights = column(&labels.weights);
            let before = positions_before(&positions, &weights, &batch.symbols);
            // In standard deviations of the label throughout: the ratio is the same.
            let cost = cost_bps * 1e-4 / scale.standard_deviation;
            let target = column(&labels.targets) + scale.mean / scale.standard_deviation;
            let returns = &positions * target - (&positions - before).abs() * cost;
            ratio(&returns, &weights)
        })
        .collect();
    -Tensor::stack(&per_horizon, 0).mean(mean.kind())
}

/// Returns the position of the last sample before each of the same symbol that has a label, 0 at first.
fn positions_before(positions: &Tensor, weights: &Tensor, symbols: &Tensor) -> Tensor {
    let (weights, symbols) = (to_doubles(weights), to_doubles(symbols));
    let mut held: Vec<(f64, i64)> = Vec::new();
    let mut before = Vec::with_capacity(weights.len());
    // Place 0 of the padded positions is the empty account.
    for (place, (weight, symbol)) in weights.into_iter().zip(symbols).enumerate() {
        let own = held.iter().position(|(other, _)| *other == symbol);
        before.push(own.map_or(0, |own| held[own].1));
        if weight > 0.0 {
            let place = place as i64 + 1;
            match own {
                Some(own) => held[own].1 = place,
                None => held.push((symbol, place)),
            }
        }
    }
    let padded = positions.constant_pad_nd([1, 0]);
    padded.index_select(0, &Tensor::from_slice(&before).to_device(positions.device()))
}

/// Returns mean over sample standard deviation.
fn ratio(returns: &Tensor, weights: &Tensor) -> Tensor {
    let (count, kind) = (weights.gt(0.0).sum(Kind::Double).double_value(&[]), returns.kind());
    if count < 2.0 {
        return returns.sum(kind) * 0.0;
    }
    let total = weights.sum(kind);
    let mean = (returns * weights).sum(kind) / &total;
    let squares = ((returns - &mean).square() * weights).sum(kind);
    let variance = squares / (&total * ((count - 1.0) / count));
    mean / (variance + VARIANCE_FLOOR).sqrt()
}
