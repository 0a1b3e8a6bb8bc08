//! From one vector to a forecast: linear layers and what makes variances positive.

use crate::OnnxError;
use crate::error::{equal, positive};
use crate::graph::{Dimension, GraphBuilder};
use crate::linear::LinearLayer;

/// What a head puts out, one value of each kind per horizon.
#[derive(Debug, Clone, PartialEq)]
pub enum HeadKind {
    /// `mean`.
    Point,
    /// `mean` and `variance = softplus(raw) + variance_floor`.
    Gaussian {
        /// The smallest variance.
        variance_floor: f64,
    },
    /// `mean`, `degrees_of_freedom` and `variance`, which is `scale^2 nu / (nu - 2)` of the squared scale
    /// `softplus(raw) + variance_floor`.
    StudentT {
        /// The smallest squared scale.
        variance_floor: f64,
        /// Where the degrees of freedom, `nu`, come from.
        degrees_of_freedom: DegreesOfFreedom,
    },
    /// `quantiles` at these levels: the first is its raw value, each other the one below it plus `softplus(raw)`.
    Quantile {
        /// At least two probabilities in rising order.
        levels: Vec<f64>,
    },
}

/// Where the degrees of freedom of a Student-t head come from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum DegreesOfFreedom {
    /// One number for all forecasts, above 2.
    Fixed(f64),
    /// `floor + softplus(raw)`; the floor is at least 2.
    Learned {
        /// The smallest degrees of freedom.
        floor: f64,
    },
}

impl HeadKind {
    /// Returns how many raw values the head reads per horizon, `P`.
    pub fn parameters(&self) -> usize {
        match self {
            Self::Point => 1,
            Self::Gaussian { .. } | Self::StudentT { degrees_of_freedom: DegreesOfFreedom::Fixed(_), .. } => 2,
            Self::StudentT { degrees_of_freedom: DegreesOfFreedom::Learned { .. }, .. } => 3,
            Self::Quantile { levels } => levels.len(),
        }
    }

    fn check(&self) -> Result<(), OnnxError> {
        let number = |what: &str, rule, value: f64, holds: bool| {
            let error = || OnnxError::Number { what: what.to_owned(), rule, found: value.to_string() };
            if holds { Ok(()) } else { Err(error()) }
        };
        if let Self::Gaussian { variance_floor } | Self::StudentT { variance_floor, .. } = self {
            number(
                "variance_floor",
                "at least 0",
                *variance_floor,
                variance_floor.is_finite() && *variance_floor >= 0.0,
            )?;
        }
        match self {
            Self::StudentT { degrees_of_freedom: DegreesOfFreedom::Fixed(degrees), .. } => {
                number("degrees_of_freedom", "above 2", *degrees, degrees.is_finite() && *degrees > 2.0)?;
            }
            Self::StudentT { degrees_of_freedom: DegreesOfFreedom::Learned { floor }, .. } => {
                number("floor of the degrees of freedom", "at least 2", *floor, floor.is_finite() && *floor >= 2.0)?;
            }
            _ => {}
        }
        if let Self::Quantile { levels } = self {
            if levels.len() < 2 {
                let (what, rule) = ("levels of a quantile head".to_owned(), "at least 2".to_owned());
                return Err(OnnxError::Size { what, rule, found: levels.len() });
            }
            for (place, level) in levels.iter().enumerate() {
                number("level of a quantile head", "in (0, 1)", *level, *level > 0.0 && *level < 1.0)?;
                let rises = place == 0 || levels[place - 1] < *level;
                number("level of a quantile head", "above the one before it", *level, rises)?;
            }
        }
        Ok(())
    }
}

/// Mean and standard deviation of the training targets of one horizon: what turns a network's values into the target's units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TargetScale {
    /// Mean of the training targets.
    pub mean: f64,
    /// Their standard deviation, above 0.
    pub standard_deviation: f64,
}

/// A head whose layers fit each other.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadGraph {
    kind: HeadKind,
    horizons: usize,
    hidden: Option<LinearLayer>,
    output: LinearLayer,
    targets: Option<Vec<TargetScale>>,
}

impl HeadGraph {
    /// Takes the layers of a head for `K` horizons: a hidden one with a ReLU behind it, and one with `P K` outputs.
    ///
    /// The outputs are ordered parameter by parameter: all horizons' means, then all raw variances, and so on; for quantiles
    /// all horizons of the lowest level first.
    ///
    /// # Errors
    /// [`OnnxError::Size`] when layers and horizons do not fit each other, [`OnnxError::Number`] for a setting outside its
    /// range.
    pub fn new(
        kind: HeadKind,
        horizons: usize,
        hidden: Option<LinearLayer>,
        output: LinearLayer,
    ) -> Result<Self, OnnxError> {
        kind.check()?;
        positive("horizons", horizons)?;
        equal("outputs of the head", kind.parameters() * horizons, output.outputs())?;
        if let Some(hidden) = &hidden {
            equal("inputs of the head's last layer", hidden.outputs(), output.inputs())?;
        }
        Ok(Self { kind, horizons, hidden, output, targets: None })
    }

    /// Makes the graph put out values in the target's units instead of standardised ones.
    ///
    /// # Errors
    /// [`OnnxError::Size`] unless there is one scale per horizon, [`OnnxError::Number`] for one that is not positive and finite.
    pub fn with_targets(self, targets: Vec<TargetScale>) -> Result<Self, OnnxError> {
        equal("scales of the targets", self.horizons, targets.len())?;
        for target in &targets {
            let sane =
                target.mean.is_finite() && target.standard_deviation.is_finite() && target.standard_deviation > 0.0;
            if !sane {
                let found = format!("{} and {}", target.mean, target.standard_deviation);
                let what = "mean and standard deviation of a target".to_owned();
                return Err(OnnxError::Number { what, rule: "finite, the latter above 0", found });
            }
        }
        Ok(Self { targets: Some(targets), ..self })
    }

    /// Returns the number of values that the head reads.
    pub fn inputs(&self) -> usize {
        self.hidden.as_ref().unwrap_or(&self.output).inputs()
    }

    /// Returns the number of horizons, `K`.
    pub const fn horizons(&self) -> usize {
        self.horizons
    }

    /// Returns what the head puts out.
    pub const fn kind(&self) -> &HeadKind {
        &self.kind
    }

    /// Returns the layer with a ReLU behind it.
    pub const fn hidden(&self) -> Option<&LinearLayer> {
        self.hidden.as_ref()
    }

    /// Returns the last layer.
    pub const fn output(&self) -> &LinearLayer {
        &self.output
    }

    /// Returns the scales of the targets, one per horizon, when the head puts out values in their units.
    pub fn targets(&self) -> Option<&[TargetScale]> {
        self.targets.as_deref()
    }

    /// Appends the head on `[B, inputs]` and declares its outputs.
    pub(crate) fn append(&self, graph: &mut GraphBuilder, input: &str) {
        let hidden = self.hidden.as_ref().map(|layer| {
            let linear = layer.append(graph, "head_hidden", input);
            graph.node("Relu", &[&linear], "head_relu")
        });
        let raw = self.output.append(graph, "head_raw", hidden.as_deref().unwrap_or(input));
        match &self.kind {
            HeadKind::Point => self.append_mean(graph, &raw),
            HeadKind::Gaussian { variance_floor } => {
                self.append_mean(graph, &raw);
                let variance = self.append_floored(graph, &raw, 1, "variance", *variance_floor);
                self.append_variance(graph, &variance);
            }
            HeadKind::StudentT { variance_floor, degrees_of_freedom } => {
                self.append_mean(graph, &raw);
                self.append_degrees_of_freedom(graph, &raw, *degrees_of_freedom);
                let squared_scale = self.append_floored(graph, &raw, 1, "squared_scale", *variance_floor);
                let two = graph.floats("two", &[1], &[2.0]);
                let rest = graph.node("Sub", &["degrees_of_freedom", &two], "degrees_of_freedom_above_two");
                let share = graph.node("Div", &["degrees_of_freedom", &rest], "variance_of_unit_scale");
                let variance = graph.node("Mul", &[&squared_scale, &share], "variance_floored");
                self.append_variance(graph, &variance);
            }
            HeadKind::Quantile { levels } => self.append_quantiles(graph, &raw, levels.len()),
        }
    }

    /// Cuts one parameter of all horizons out of the raw values: `[B, K]`.
    fn parameter(&self, graph: &mut GraphBuilder, raw: &str, place: usize, name: &str) -> String {
        let (place, horizons) = (place as i64, self.horizons as i64);
        graph.slice(raw, 1, place * horizons..(place + 1) * horizons, name)
    }

    fn declare(&self, graph: &mut GraphBuilder, name: &str) {
        graph.output(name, &[Dimension::any("batch"), Dimension::Size(self.horizons)]);
    }

    fn append_mean(&self, graph: &mut GraphBuilder, raw: &str) {
        let standardized = self.parameter(graph, raw, 0, "mean_standardized");
        self.append_scaled(graph, &standardized, "mean", &[self.horizons]);
        self.declare(graph, "mean");
    }

    /// Appends `m + s x`, with the scales of the horizons in the shape given.
    fn append_scaled(&self, graph: &mut GraphBuilder, standardized: &str, name: &str, shape: &[usize]) {
        let Some(targets) = &self.targets else {
            graph.node("Identity", &[standardized], name);
            return;
        };
        let deviations: Vec<f32> = targets.iter().map(|target| target.standard_deviation as f32).collect();
        let means: Vec<f32> = targets.iter().map(|target| target.mean as f32).collect();
        let deviations = graph.floats("target_deviations", shape, &deviations);
        let means = graph.floats("target_means", shape, &means);
        let scaled = graph.node("Mul", &[standardized, &deviations], &format!("{name}_around_zero"));
        graph.node("Add", &[&scaled, &means], name);
    }

    /// Appends `softplus(raw) + floor` of one parameter, named `NAME_floored`.
    fn append_floored(&self, graph: &mut GraphBuilder, raw: &str, place: usize, name: &str, floor: f64) -> String {
        let raw = self.parameter(graph, raw, place, &format!("{name}_raw"));
        let positive = graph.node("Softplus", &[&raw], &format!("{name}_softplus"));
        let floor = graph.floats(&format!("{name}_floor"), &[1], &[floor as f32]);
        graph.node("Add", &[&positive, &floor], &format!("{name}_floored"))
    }

    fn append_variance(&self, graph: &mut GraphBuilder, standardized: &str) {
        match &self.targets {
            None => graph.node("Identity", &[standardized], "variance"),
            Some(targets) => {
                let squares: Vec<f32> = targets.iter().map(|target| target.standard_deviation.powi(2) as f32).collect();
                let squares = graph.floats("target_variances", &[self.horizons], &squares);
                graph.node("Mul", &[standardized, &squares], "variance")
            }
        };
        self.declare(graph, "variance");
    }

    fn append_degrees_of_freedom(&self, graph: &mut GraphBuilder, raw: &str, source: DegreesOfFreedom) {
        let name = "degrees_of_freedom";
        match source {
            DegreesOfFreedom::Fixed(fixed) => {
                let fixed = graph.floats("degrees_of_freedom_fixed", &[1], &[fixed as f32]);
                let shape = graph.node("Shape", &["mean"], "degrees_of_freedom_shape");
                graph.node("Expand", &[&fixed, &shape], name);
            }
            DegreesOfFreedom::Learned { floor } => {
                let floored = self.append_floored(graph, raw, 2, name, floor);
                graph.node("Identity", &[&floored], name);
            }
        }
        self.declare(graph, name);
    }

    /// Appends `[B, K, Q]` from raw values `[B, Q K]`.
    fn append_quantiles(&self, graph: &mut GraphBuilder, raw: &str, levels: usize) {
        let shape = graph.integers(&[0, levels as i64, self.horizons as i64]);
        let by_level = graph.node("Reshape", &[raw, &shape], "quantiles_by_level");
        let lowest = graph.slice(&by_level, 1, 0..1, "quantiles_lowest");
        let steps = graph.slice(&by_level, 1, 1..levels as i64, "quantiles_steps_raw");
        let steps = graph.node("Softplus", &[&steps], "quantiles_steps");
        let summands = graph.concat(&[&lowest, &steps], 1, "quantiles_summands");
        let axis = graph.integer(1);
        let rising = graph.node("CumSum", &[&summands, &axis], "quantiles_rising");
        let by_horizon = graph.transpose(&rising, &[0, 2, 1], "quantiles_standardized");
        self.append_scaled(graph, &by_horizon, "quantiles", &[self.horizons, 1]);
        let shape = [Dimension::any("batch"), Dimension::Size(self.horizons), Dimension::Size(levels)];
        graph.output("quantiles", &shape);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(inputs: usize, outputs: usize) -> LinearLayer {
        LinearLayer::new(inputs, outputs, vec![0.5; inputs * outputs], vec![0.0; outputs]).expect("it fits")
    }

    #[test]
    fn the_last_layer_has_a_row_per_parameter_and_horizon() {
        let kind =
            HeadKind::StudentT { variance_floor: 1e-6, degrees_of_freedom: DegreesOfFreedom::Learned { floor: 2.01 } };
        assert!(HeadGraph::new(kind.clone(), 4, None, layer(8, 12)).is_ok());
        let message = HeadGraph::new(kind, 4, None, layer(8, 8)).expect_err("two parameters").to_string();
        assert_eq!(message, "outputs of the head must be `12`, was `8`");
    }

    #[test]
    fn a_hidden_layer_fits_the_last_one() {
        let head = HeadGraph::new(HeadKind::Point, 1, Some(layer(8, 5)), layer(5, 1)).expect("it fits");
        assert_eq!(head.inputs(), 8);
        let message = HeadGraph::new(HeadKind::Point, 1, Some(layer(8, 5)), layer(6, 1)).expect_err("5 is not 6");
        assert_eq!(message.to_string(), "inputs of the head's last layer must be `5`, was `6`");
    }

    #[test]
    fn settings_outside_their_range_are_refused() {
        let refused =
            |kind, outputs| HeadGraph::new(kind, 1, None, layer(2, outputs)).expect_err("refused").to_string();
        let falling = HeadKind::Quantile { levels: vec![0.5, 0.1] };
        assert_eq!(refused(falling, 2), "level of a quantile head must be above the one before it, was `0.1`");
        let outside = HeadKind::Quantile { levels: vec![0.5, 1.0] };
        assert_eq!(refused(outside, 2), "level of a quantile head must be in (0, 1), was `1`");
        let single = HeadKind::Quantile { levels: vec![0.5] };
        assert_eq!(refused(single, 1), "levels of a quantile head must be at least 2, was `1`");
        let heavy = HeadKind::StudentT { variance_floor: 0.0, degrees_of_freedom: DegreesOfFreedom::Fixed(2.0) };
        assert_eq!(refused(heavy, 2), "degrees_of_freedom must be above 2, was `2`");
        let negative = HeadKind::Gaussian { variance_floor: -1.0 };
        assert_eq!(refused(negative, 2), "variance_floor must be at least 0, was `-1`");
    }

    #[test]
    fn there_is_one_target_scale_per_horizon() {
        let head = HeadGraph::new(HeadKind::Point, 2, None, layer(3, 2)).expect("it fits");
        let scale = TargetScale { mean: 0.0, standard_deviation: 0.01 };
        let message = head.clone().with_targets(vec![scale]).expect_err("one for two").to_string();
        assert_eq!(message, "scales of the targets must be `2`, was `1`");
        let flat = TargetScale { standard_deviation: 0.0, ..scale };
        let message = head.with_targets(vec![scale, flat]).expect_err("no spread").to_string();
        assert!(message.ends_with("must be finite, the latter above 0, was `0 and 0`"), "{message}");
    }
}
