//! A trained network's bytes as the description that models are written from.

use tidegate_onnx::{DegreesOfFreedom, HeadKind, Metadata, NetworkGraph, TargetScale};

use super::network_layout::{NetworkLayout, PoolingLayout, read_network};
use crate::ModelError;
use crate::checkpoint::CheckpointParts;
use crate::spec::DEGREES_OF_FREEDOM_MIN;
use crate::spec::{Encoder, Head, NetworkSpec, Pooling};

/// A trained network, ready to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportedNetwork {
    /// The network; it puts forecasts out in the targets' units.
    pub graph: NetworkGraph,
    /// What it is, as JSON: its specification under `tidegate.network` and, for each horizon, mean and standard deviation of
    /// the training targets under `tidegate.targets`. What else a user must know, such as the scaler of the features, is the
    /// caller's to add.
    pub metadata: Metadata,
}

/// Reads a checkpoint as [`tidegate_forecast::FittedForecaster::checkpoint`] writes it.
///
/// # Errors
/// [`ModelError::NotCheckpoint`] for other or damaged bytes, [`ModelError::Unsupported`] for a network that neither PyTorch nor
/// ONNX has a form for, [`ModelError::Onnx`] for weights that are not finite.
pub fn export_checkpoint(checkpoint: &[u8]) -> Result<ExportedNetwork, ModelError> {
    let CheckpointParts { network: spec, targets, .. } = CheckpointParts::read(checkpoint)?;
    let network = read_network(checkpoint, &NetworkLayout::of(&spec)?)?;
    let json =
        |value: Result<String, serde_json::Error>| value.expect("plain numbers and names always have a JSON form");
    let metadata = Metadata::default()
        .with("tidegate.network", json(serde_json::to_string(&spec)))
        .with("tidegate.targets", json(serde_json::to_string(&targets)));
    let scale = |target: &crate::target::TargetScale| TargetScale {
        mean: target.mean,
        standard_deviation: target.standard_deviation,
    };
    let graph = network.with_targets(targets.iter().map(scale).collect())?;
    Ok(ExportedNetwork { graph, metadata })
}

impl NetworkLayout {
    /// Names the parts of a network of ours.
    ///
    /// # Errors
    /// [`ModelError::Unsupported`] for encoders without a recurrent layer of PyTorch's kind in them and nothing else, and for
    /// zoneout and layer normalisation, which PyTorch's and ONNX's recurrent layers do not have.
    pub(crate) fn of(spec: &NetworkSpec) -> Result<Self, ModelError> {
        let recurrent = ExportedLayers::of(&spec.encoder)?;
        let names = PartNames::of(spec);
        Ok(Self {
            recurrent: names.of_scales(recurrent.module, "."),
            pooling: match recurrent.pooling {
                Pooling::Last => PoolingLayout::LastStates,
                Pooling::Mean => PoolingLayout::Mean,
                Pooling::Attention => PoolingLayout::Attention(names.of_scales("attention", "")),
            },
            fusion: names.fused.then(|| "fusion".to_owned()),
            embedding: spec.symbol_embedding.map(|_| "embedding.weight".to_owned()),
            head_hidden: spec.head_hidden_size.map(|_| "head_hidden".to_owned()),
            head: "head".to_owned(),
            kind: kind(&spec.head),
            horizons: spec.horizons,
        })
    }
}

/// How the parts of a network of ours are called.
pub(crate) struct PartNames {
    scales: usize,
    /// Whether scales have numbers in their names and a layer `fusion` joins them.
    pub(crate) fused: bool,
}

impl PartNames {
    pub(crate) fn of(spec: &NetworkSpec) -> Self {
        Self { scales: spec.feature_counts.len(), fused: matches!(spec.encoder, Encoder::MultiScaleGru(_)) }
    }

    /// Returns the name of a part that every scale has, with something at its end.
    pub(crate) fn of_scales(&self, name: &str, end: &str) -> Vec<String> {
        if self.fused {
            (0..self.scales).map(|scale| format!("{name}.{scale}{end}")).collect()
        } else {
            vec![format!("{name}{end}")]
        }
    }
}

/// What recurrent layers are called and how they are pooled.
struct ExportedLayers {
    module: &'static str,
    pooling: Pooling,
}

impl ExportedLayers {
    fn of(encoder: &Encoder) -> Result<Self, ModelError> {
        let (module, pooling, zoneout, layer_norm) = match encoder {
            Encoder::Gru(gru) | Encoder::MultiScaleGru(gru) => ("gru", gru.pooling, gru.zoneout, gru.layer_norm),
            Encoder::Lstm(lstm) => ("lstm", lstm.pooling, lstm.zoneout, lstm.layer_norm),
            other => {
                let hint = "use encoder `gru`, `multi_scale_gru` or `lstm`";
                return Err(ModelError::Unsupported {
                    what: format!("encoder `{}`", other.name()),
                    done: "exported",
                    hint,
                });
            }
        };
        let refused = [(zoneout != 0.0, "zoneout"), (layer_norm, "layer_norm")].into_iter().find(|(used, _)| *used);
        match refused {
            None => Ok(Self { module, pooling }),
            Some((_, key)) => {
                let hint = "train without it: the GRU and LSTM of PyTorch and ONNX do not have it";
                Err(ModelError::Unsupported { what: format!("a network with `{key}`"), done: "exported", hint })
            }
        }
    }
}

fn kind(head: &Head) -> HeadKind {
    match head {
        Head::Point => HeadKind::Point,
        Head::Gaussian { variance_floor } => HeadKind::Gaussian { variance_floor: *variance_floor },
        Head::StudentT { variance_floor, degrees_of_freedom } => HeadKind::StudentT {
            variance_floor: *variance_floor,
            degrees_of_freedom: match degrees_of_freedom {
                Some(fixed) => DegreesOfFreedom::Fixed(*fixed),
                None => DegreesOfFreedom::Learned { floor: DEGREES_OF_FREEDOM_MIN },
            },
        },
        Head::Quantile { levels } => HeadKind::Quantile { levels: levels.clone() },
    }
}

#[cfg(test)]
mod tests {
    use tidegate_onnx::{Dimension, ModelSummary, Opset};

    use super::*;
    use crate::fixture::{fresh_checkpoint, gaussian, lstm};
    use crate::spec::{GruSpec, LinearSpec, Loss};

    #[test]
    fn encoder_and_head_fit_each_other_and_make_the_whole() {
        for spec in [gaussian(), lstm()] {
            let exported = export_checkpoint(&fresh_checkpoint(&spec, 3)).expect("recurrent layers");
            let summary = |bytes: Vec<u8>| ModelSummary::read(&bytes).expect("as written");
            let (opset, metadata) = (Opset::default(), &exported.metadata);
            let whole = summary(exported.graph.model(opset, metadata));
            let encoder = summary(exported.graph.encoder_model(opset, metadata));
            let head = summary(exported.graph.head_model(opset, metadata));
            assert_eq!(encoder.outputs, head.inputs);
            assert_eq!((encoder.inputs, head.outputs), (whole.inputs, whole.outputs));
            let names = whole.metadata.value("tidegate.network").expect("the specification");
            assert_eq!(serde_json::from_str::<NetworkSpec>(names).expect("as written"), spec);
        }
    }

    #[test]
    fn batch_and_time_are_free() {
        let exported = export_checkpoint(&fresh_checkpoint(&gaussian(), 3)).expect("recurrent layers");
        let model = exported.graph.model(Opset::default(), &exported.metadata);
        let shapes: Vec<_> =
            ModelSummary::read(&model).expect("as written").inputs.into_iter().map(|port| port.shape).collect();
        let any = |name: &str| Dimension::Any(name.to_owned());
        assert_eq!(shapes[0], [any("batch"), any("time_0"), Dimension::Size(3)]);
        assert_eq!(shapes[1], [any("batch"), any("time_1"), Dimension::Size(2)]);
    }

    #[test]
    fn what_onnx_has_no_form_for_is_refused_by_name() {
        let refused = |encoder: Encoder| {
            let spec =
                NetworkSpec { window_bars: vec![6], ..NetworkSpec::new(encoder, Head::Point, Loss::Mse, vec![3]) };
            export_checkpoint(&fresh_checkpoint(&spec, 3)).expect_err("no form").to_string()
        };
        let linear = refused(Encoder::Linear(LinearSpec {}));
        assert!(linear.starts_with("encoder `linear` cannot be exported\nhint: "), "{linear}");
        let zoneout = refused(Encoder::Gru(GruSpec { zoneout: 0.1, ..GruSpec::new(4, 1) }));
        assert!(zoneout.starts_with("a network with `zoneout` cannot be exported\nhint: "), "{zoneout}");
        let normalized = refused(Encoder::Gru(GruSpec { layer_norm: true, ..GruSpec::new(4, 1) }));
        assert!(normalized.starts_with("a network with `layer_norm` cannot be exported\nhint: "), "{normalized}");
    }

    #[test]
    fn other_bytes_are_refused() {
        let message = export_checkpoint(b"no checkpoint").expect_err("no safetensors").to_string();
        assert!(message.starts_with("checkpoint must be one that tidegate wrote: "), "{message}");
    }
}
