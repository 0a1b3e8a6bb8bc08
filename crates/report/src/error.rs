//! What can go wrong while rendering.

/// A report that could not be rendered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A value that JSON cannot hold.
    #[error("report must be representable as JSON: {source}")]
    Json {
        /// The serializer's complaint.
        #[from]
        source: serde_json::Error,
    },
    /// A template that does not accept the page's values.
    #[error("template of the tear sheet must render: {source}")]
    Template {
        /// The template engine's complaint, with the line.
        #[from]
        source: minijinja::Error,
    },
}
