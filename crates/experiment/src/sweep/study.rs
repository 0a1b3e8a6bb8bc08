//! A sweep's folder: of which sweep it is, so that the same one goes on and another is refused.

use std::path::Path;

use serde_json::{Value, json};

use super::plan::SweepPlan;
use crate::ExperimentError;
use crate::error::cannot_read;
use crate::files::{make_folder, write_atomically};

/// Raised when the meaning of a sweep's files changes.
const FORMAT: u64 = 1;

/// Makes the folder a sweep's own.
///
/// # Errors
/// When it cannot be written, or is another sweep's: then the first difference is named.
pub(super) fn claim(folder: &Path, plan: &SweepPlan) -> Result<(), ExperimentError> {
    make_folder(folder)?;
    let path = folder.join("plan.json");
    let Value::Object(mut own) = plan.identity()? else {
        return Err(ExperimentError::Internal("a plan is a JSON object".to_owned()));
    };
    own.insert("format".to_owned(), json!(FORMAT));
    let own = Value::Object(own);
    let found = match std::fs::read(&path) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(cannot_read(&path)(error)),
    };
    if let Some(bytes) = found {
        let found: Value = serde_json::from_slice(&bytes).map_err(|error| ExperimentError::Damaged {
            path: path.clone(),
            reason: error.to_string(),
            hint: "move the folder away to sweep anew; the ledger keeps its trials",
        })?;
        return match difference("", &found, &own) {
            None => Ok(()),
            Some(difference) => Err(ExperimentError::Sweep(format!(
                "`{}` is the folder of another sweep: {difference}\nhint: start a study of its own with `--study NAME`, or choose a folder with `--out DIR`",
                folder.display()
            ))),
        };
    }
    let text = serde_json::to_string_pretty(&own).map_err(|error| ExperimentError::Internal(error.to_string()))?;
    write_atomically(&path, format!("{text}\n").as_bytes())
}

/// Names the first key in which two documents differ.
fn difference(key: &str, there: &Value, here: &Value) -> Option<String> {
    let (Value::Object(old), Value::Object(new)) = (there, here) else {
        return (there != here).then(|| format!("`{key}` was `{there}` there, is `{here}` here"));
    };
    let path = |name: &str| if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") };
    let changed = new.iter().find_map(|(name, value)| match old.get(name) {
        Some(before) => difference(&path(name), before, value),
        None => Some(format!("`{}` was missing there, is `{value}` here", path(name))),
    });
    let gone = || old.iter().find(|(name, _)| !new.contains_key(*name));
    changed.or_else(|| gone().map(|(name, value)| format!("`{}` was `{value}` there, is missing here", path(name))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_named_by_its_key() {
        let old = json!({ "a": { "b": [1, 2], "c": 3 }, "d": "x" });
        assert_eq!(difference("", &old, &old), None);
        let new = json!({ "a": { "b": [1, 3], "c": 3 }, "d": "y" });
        assert_eq!(difference("", &old, &new).as_deref(), Some("`a.b` was `[1,2]` there, is `[1,3]` here"));
        let more = json!({ "a": { "b": [1, 2], "c": 3, "e": 4 }, "d": "x" });
        assert_eq!(difference("", &old, &more).as_deref(), Some("`a.e` was missing there, is `4` here"));
        assert_eq!(difference("", &more, &old).as_deref(), Some("`a.e` was `4` there, is missing here"));
    }
}
