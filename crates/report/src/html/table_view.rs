//! A table of the page: texts under titles.

use serde::Serialize;

/// A table that the template lays out; the first cell of a row is its name.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct TableView {
    pub(super) title: &'static str,
    /// How to read it.
    pub(super) lead: String,
    pub(super) columns: Vec<&'static str>,
    pub(super) rows: Vec<Vec<String>>,
}

impl TableView {
    /// Makes a table; `None` without rows.
    pub(super) fn new<const N: usize>(
        title: &'static str,
        lead: impl Into<String>,
        columns: [&'static str; N],
        rows: impl IntoIterator<Item = [String; N]>,
    ) -> Option<Self> {
        let rows: Vec<Vec<String>> = rows.into_iter().map(Vec::from).collect();
        (!rows.is_empty()).then(|| Self { title, lead: lead.into(), columns: columns.to_vec(), rows })
    }
}
