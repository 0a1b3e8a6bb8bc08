//! What a model file says about itself: keys and values, sorted by key.

use std::collections::BTreeMap;

/// Lines of text that travel with a model, such as the names of its features; a runtime shows them and computes nothing with
/// them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    entries: BTreeMap<String, String>,
}

impl Metadata {
    /// Adds a line, or replaces the value of its key.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.entries.insert(key.to_owned(), value.into());
        self
    }

    /// Returns the lines, sorted by key.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Returns the value of a key.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.entries.get(key).map(String::as_str)
    }
}
