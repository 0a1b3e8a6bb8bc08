//! CSV files, plain, under gzip or zstd or in a zip archive, to columns of text.

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use polars::prelude::{CsvReadOptions, DataFrame, DataType, Field, Schema, SerReader};

use crate::cells::RawTable;
use crate::header::{check_unique, resolve};
use crate::layout::{headerless_layout, layout};
use crate::{DataError, QuoteSide, ReadOptions, archive, lean};

/// A text file split into its header and its rows.
pub(crate) struct CsvText {
    pub(crate) names: Vec<String>,
    /// Every row as text.
    pub(crate) frame: DataFrame,
    /// The line of the first row.
    pub(crate) first_line: usize,
    has_header: bool,
    /// The first field of the first line.
    first_field: String,
}

/// What is known of a file's first line.
enum FirstLine<'a> {
    /// It names the columns.
    Header,
    /// It names the columns unless it looks like a row of prices.
    Recognized,
    /// It is a row, and these are the names of the columns.
    Row(&'a [String]),
}

/// Reads the columns of a CSV file that bars need.
pub(crate) fn read_csv(path: &Path, options: &ReadOptions) -> Result<RawTable, DataError> {
    let mapping = &options.columns;
    let stated = mapping.layout.map(|layout| lean::names(layout, mapping.quote_side.unwrap_or(QuoteSide::Bid)));
    let first_line = match (&stated, &mapping.header) {
        (Some(names), _) | (None, Some(names)) => FirstLine::Row(names),
        (None, None) => FirstLine::Recognized,
    };
    let csv = read_text(path, &first_line)?;
    if csv.frame.height() == 0 {
        return Err(DataError::Empty { path: path.to_owned() });
    }
    let layout = match mapping.layout {
        Some(layout) => layout.named(),
        None if csv.has_header => layout(&csv.names),
        None => headerless_layout(csv.names.len(), &csv.first_field),
    };
    let midnight = mapping.layout.and_then(|_| lean::describe(path).midnight);
    let places = resolve(path, &csv.names, options)?;
    let column = |place: usize| csv.frame.columns()[place].clone().with_name(csv.names[place].as_str().into());
    let columns = places.into_iter().map(|(role, place)| (role, column(place))).collect();
    Ok(RawTable {
        path: path.to_owned(),
        layout,
        rows: csv.frame.height(),
        first_line: csv.first_line,
        midnight,
        columns,
    })
}

/// Reads a whole CSV file, which has a header, as text columns. There may be no rows.
pub(crate) fn read_named_text(path: &Path) -> Result<CsvText, DataError> {
    let csv = read_text(path, &FirstLine::Header)?;
    check_unique(path, &csv.names)?;
    Ok(csv)
}

fn read_text(path: &Path, first_line: &FirstLine<'_>) -> Result<CsvText, DataError> {
    let bytes = unpacked(path)?;
    let text = std::str::from_utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes));
    let text = text.map_err(|error| damaged(path, "UTF-8 text", error.to_string()))?;
    let blank_lines = text.lines().take_while(|line| line.trim().is_empty()).count();
    let text = &text[text.split_inclusive('\n').take(blank_lines).map(str::len).sum()..];
    let Some(first) = text.lines().next() else {
        return Err(DataError::Empty { path: path.to_owned() });
    };
    let separator = separator(first);
    let fields = fields(first, separator);
    let first_field = fields.first().cloned().unwrap_or_default();
    let has_header = match first_line {
        FirstLine::Header => true,
        FirstLine::Recognized => !is_row(&fields),
        FirstLine::Row(_) => false,
    };
    let rows = if has_header { text.split_once('\n').map_or("", |(_, rows)| rows) } else { text };
    let names = match first_line {
        FirstLine::Row(names) => names.to_vec(),
        _ if has_header => fields,
        _ => assumed_names(fields.len()),
    };
    let first_line = blank_lines + 1 + usize::from(has_header);
    let frame = parse(rows, separator, names.len()).map_err(|reason| {
        let ragged = ragged(path, rows, separator, names.len(), first_line);
        ragged.unwrap_or_else(|| damaged(path, "CSV", reason))
    })?;
    Ok(CsvText { names, frame, first_line, has_header, first_field })
}

/// Returns a file's bytes, unpacked where they are gzip, zstd or zip.
#[expect(deprecated, reason = "the whole text is needed in memory, which the replacement avoids")]
fn unpacked(path: &Path) -> Result<Vec<u8>, DataError> {
    let bytes = fs::read(path).map_err(|source| DataError::Read { path: path.to_owned(), source })?;
    if archive::is_zip(&bytes) {
        return archive::only_file(path, &bytes);
    }
    let mut unpacked = Vec::new();
    polars::io::utils::compression::maybe_decompress_bytes(&bytes, &mut unpacked)
        .map_err(|error| damaged(path, "compressed", error.to_string()))?;
    Ok(if unpacked.is_empty() { bytes } else { unpacked })
}

fn damaged(path: &Path, format: &'static str, reason: String) -> DataError {
    DataError::Damaged { path: path.to_owned(), format, reason }
}

/// Has polars split the rows into columns of text, named by their place.
fn parse(rows: &str, separator: u8, width: usize) -> Result<DataFrame, String> {
    let fields = (0..width).map(|place| Field::new(place.to_string().into(), DataType::String));
    let schema: Schema = fields.collect();
    if rows.trim().is_empty() {
        return Ok(DataFrame::empty_with_schema(&schema));
    }
    CsvReadOptions::default()
        .with_has_header(false)
        .with_schema(Some(Arc::new(schema)))
        .with_rechunk(true)
        .map_parse_options(|options| options.with_separator(separator).with_truncate_ragged_lines(false))
        .into_reader_with_file_handle(Cursor::new(rows.as_bytes()))
        .finish()
        .map_err(|error| error.to_string())
}

/// Returns the separator that occurs most in a line; a comma when none does.
fn separator(line: &str) -> u8 {
    let count = |separator: u8| line.bytes().filter(|byte| *byte == separator).count();
    [b'|', b';', b'\t', b','].into_iter().max_by_key(|separator| count(*separator)).expect("four candidates")
}

/// Splits a line at separators outside quotes.
fn fields(line: &str, separator: u8) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            c if !quoted && c == char::from(separator) => fields.push(String::new()),
            c => fields.last_mut().expect("never empty").push(c),
        }
    }
    for field in &mut fields {
        *field = field.trim().to_owned();
    }
    fields
}

/// Tells whether a first line is a row of prices: a digit first, and four numbers after the first field.
fn is_row(fields: &[String]) -> bool {
    fields.len() >= 5
        && fields[0].starts_with(|c: char| c.is_ascii_digit())
        && fields[1..5].iter().all(|field| field.parse::<f64>().is_ok())
}

/// Names the columns of a file without a header: time, open, high, low, close, volume, then numbers.
fn assumed_names(width: usize) -> Vec<String> {
    const NAMES: [&str; 6] = ["time", "open", "high", "low", "close", "volume"];
    let name = |place: usize| NAMES.get(place).map_or_else(|| format!("column_{}", place + 1), ToString::to_string);
    (0..width).map(name).collect()
}

/// Finds the first row with more fields than the header.
fn ragged(path: &Path, rows: &str, separator: u8, expected: usize, first_line: usize) -> Option<DataError> {
    rows.lines().enumerate().find_map(|(row, line)| {
        let found = fields(line, separator).len();
        (found > expected).then(|| DataError::Ragged { path: path.to_owned(), line: first_line + row, expected, found })
    })
}
