//! Features with several outputs: which of them, and what their columns are called.

use crate::FeatureError;

/// Checks a list of outputs.
pub(super) fn check<O: Copy + PartialEq>(
    feature: &'static str,
    outputs: &[O],
    name: fn(O) -> &'static str,
) -> Result<(), FeatureError> {
    let is_repeated = |(place, output): (usize, &O)| outputs[..place].contains(output);
    if outputs.is_empty() || outputs.iter().enumerate().any(is_repeated) {
        let outputs = outputs.iter().map(|&output| name(output)).collect::<Vec<_>>().join(", ");
        return Err(FeatureError::Outputs { feature, outputs });
    }
    Ok(())
}

/// Names the columns of a feature with several outputs.
pub(super) fn names<O: Copy>(
    outputs: &[O],
    name: Option<&str>,
    suffix: fn(O) -> &'static str,
    default_name: impl Fn(O) -> String,
) -> Vec<String> {
    match (name, outputs) {
        (None, outputs) => outputs.iter().map(|&output| default_name(output)).collect(),
        (Some(name), [_]) => vec![name.to_owned()],
        (Some(name), outputs) => outputs.iter().map(|&output| format!("{name}_{}", suffix(output))).collect(),
    }
}
