//! From the states of all steps to one vector.

use crate::OnnxError;
use crate::error::equal;
use crate::graph::GraphBuilder;
use crate::linear::LinearLayer;
use crate::proto::AttributeProto;
use crate::recurrent::StackValues;

/// How the states of all steps, `[B, T, D H]`, become one vector, `[B, D H]`.
#[derive(Debug, Clone, PartialEq)]
pub enum Pooling {
    /// The outputs at the last step; of the reverse direction that is its state after its *first* step.
    LastStep,
    /// Each direction's state after its own last step; the same as [`Pooling::LastStep`] in one direction.
    LastStates,
    /// The mean over the steps.
    Mean,
    /// The mean weighted by `softmax(score(tanh(projection(state))))` over the steps.
    Attention {
        /// `[D H]` to any size, followed by tanh; absent: the score reads the states themselves.
        projection: Option<LinearLayer>,
        /// To one value per step.
        score: LinearLayer,
    },
}

impl Pooling {
    /// Checks that the layers fit states of `outputs` values.
    pub(crate) fn check(&self, outputs: usize) -> Result<(), OnnxError> {
        let Self::Attention { projection, score } = self else { return Ok(()) };
        if let Some(projection) = projection {
            equal("inputs of the attention's projection", outputs, projection.inputs())?;
        }
        let read = projection.as_ref().map_or(outputs, LinearLayer::outputs);
        equal("inputs of the attention's score", read, score.inputs())?;
        equal("outputs of the attention's score", 1, score.outputs())
    }

    /// Appends the pooling of a stack's values, `[T, B, D H]`.
    pub(crate) fn append(&self, graph: &mut GraphBuilder, values: &StackValues, prefix: &str) -> String {
        let name = |what: &str| format!("{prefix}{what}");
        let pooled = name("pooled");
        match self {
            Self::LastStep => {
                let last = graph.slice(&values.sequence, 0, -1..i64::MAX, &name("last_step"));
                graph.squeeze(&last, 0, &pooled)
            }
            Self::LastStates => {
                let top = values.last_states.last().expect("a stack has at least one layer");
                let batch_first = graph.transpose(top, &[1, 0, 2], &name("last_states_by_sample"));
                let shape = graph.integers(&[0, -1]);
                graph.node("Reshape", &[&batch_first, &shape], &pooled)
            }
            Self::Mean => graph.mean(&values.sequence, 0, &pooled),
            Self::Attention { projection, score } => {
                let projected = projection.as_ref().map(|projection| {
                    let linear = projection.append(graph, &name("attention_projection"), &values.sequence);
                    graph.node("Tanh", &[&linear], &name("attention_tanh"))
                });
                let read = projected.as_ref().unwrap_or(&values.sequence);
                let scores = score.append(graph, &name("attention_score"), read);
                let weights = name("attention_weights");
                graph.node_with("Softmax", &[&scores], &[&weights], vec![AttributeProto::int("axis", 0)]);
                let weighted = graph.node("Mul", &[&values.sequence, &weights], &name("attention_weighted"));
                let axes = graph.integers(&[0]);
                let drop = AttributeProto::int("keepdims", 0);
                graph.node_with("ReduceSum", &[&weighted, &axes], &[&pooled], vec![drop]);
                pooled
            }
        }
    }
}
