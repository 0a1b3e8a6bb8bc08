//! One horizon of windows that have several.

use crate::{WindowBlock, Windows};

impl Windows {
    /// Returns a copy with the labels of one horizon, the nearest being 0.
    ///
    /// # Panics
    /// When there is no such horizon.
    #[must_use]
    pub fn horizon(&self, horizon: usize) -> Self {
        assert!(horizon < self.horizons, "a horizon of the `{}` there are, was `{horizon}`", self.horizons);
        let target = self.target.iter().skip(horizon).step_by(self.horizons).copied().collect();
        Self { horizons: 1, target, ..self.clone() }
    }

    /// Returns a copy without the samples that lack the label of any horizon. Weights have mean 1 again.
    #[must_use]
    pub fn labelled(&self) -> Self {
        let whole = |sample: &usize| {
            self.target[sample * self.horizons..(sample + 1) * self.horizons].iter().all(Option::is_some)
        };
        let kept: Vec<usize> = (0..self.len()).filter(whole).collect();
        if kept.len() == self.len() {
            return self.clone();
        }
        let mut weight = pick(&self.weight, 1, &kept);
        let mean = weight.iter().sum::<f64>() / weight.len() as f64;
        for weight in &mut weight {
            *weight /= mean;
        }
        Self {
            scales: self.scales.iter().map(|block| pick_windows(block, &kept)).collect(),
            samples: pick(&self.samples, 1, &kept),
            horizons: self.horizons,
            target: pick(&self.target, self.horizons, &kept),
            weight,
            ewma_variance: pick(&self.ewma_variance, 1, &kept),
            history: self.history.clone(),
        }
    }
}

fn pick_windows(block: &WindowBlock, kept: &[usize]) -> WindowBlock {
    WindowBlock {
        values: pick(&block.values, block.steps * block.features, kept),
        lengths: pick(&block.lengths, 1, kept),
        ..*block
    }
}

/// Returns the rows of a matrix with some width; nothing of an empty one.
fn pick<T: Copy>(values: &[T], width: usize, kept: &[usize]) -> Vec<T> {
    if values.is_empty() {
        return Vec::new();
    }
    kept.iter().flat_map(|&row| &values[row * width..(row + 1) * width]).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::tabular;

    fn two_horizons() -> Windows {
        let mut windows = tabular(&[&[1.0, 2.0], &[3.0, 4.0], &[5.0, 6.0]], &[0.0; 3]);
        windows.horizons = 2;
        windows.target = vec![Some(0.1), Some(0.2), Some(0.3), None, Some(0.5), Some(0.6)];
        windows.weight = vec![0.5, 1.0, 1.5];
        windows.scales[0].lengths = vec![1, 0, 1];
        windows
    }

    #[test]
    fn one_horizon_keeps_every_sample() {
        let far = two_horizons().horizon(1);
        assert_eq!((far.horizons, far.target), (1, vec![Some(0.2), None, Some(0.6)]));
        assert_eq!(far.scales, two_horizons().scales);
    }

    #[test]
    fn samples_without_a_label_can_be_left_out() {
        // Weights 0.5 and 1.5 remain: their mean is 1 as it was.
        let whole = two_horizons().labelled();
        assert_eq!(whole.scales[0].values, [1.0, 2.0, 5.0, 6.0]);
        assert_eq!(whole.scales[0].lengths, [1, 1]);
        assert_eq!(whole.target, [Some(0.1), Some(0.2), Some(0.5), Some(0.6)]);
        assert_eq!(whole.samples.iter().map(|sample| sample.row).collect::<Vec<_>>(), [0, 2]);
        assert_eq!((whole.weight, whole.ewma_variance.len()), (vec![0.5, 1.5], 2));
        // Of weights 1 and 3, mean 2, the half and one and a half times that remain.
        let mut heavy = two_horizons();
        heavy.weight = vec![1.0, 5.0, 3.0];
        assert_eq!(heavy.labelled().weight, [0.5, 1.5]);
        assert_eq!(two_horizons().horizon(0).labelled(), two_horizons().horizon(0));
    }
}
