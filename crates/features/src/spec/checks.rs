//! What the tests of all features have in common.

use crate::FeatureSpec;

/// Reads a feature as a config would give it.
pub(super) fn parse(json: &str) -> FeatureSpec {
    serde_json::from_str(json).expect("a feature")
}

/// Asserts that a feature is valid, has these columns, and is the same when written and read again.
pub(super) fn check_names(json: &str, names: &[&str]) {
    let spec = parse(json);
    spec.validate().expect("valid");
    assert_eq!(spec.column_names(), names);
    assert_eq!(parse(&serde_json::to_string(&spec).expect("plain")), spec);
}

/// Asserts that a feature is refused with this message.
pub(super) fn check_error(json: &str, message: &str) {
    assert_eq!(parse(json).validate().expect_err(message).to_string(), message);
}
