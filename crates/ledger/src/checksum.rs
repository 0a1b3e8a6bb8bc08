//! A sum over each row, since the database notices a broken page but not a changed number in it.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use crate::schema::FIXED_COLUMNS;

/// The column that holds the sum.
pub(crate) const COLUMN: &str = "checksum";

/// A sum over the values of a row by their places in the table, in any order; missing values take no part, so that a column that
/// is added later changes no sum. It finds accidents, not forgeries.
#[derive(Debug)]
pub(crate) struct Checksum(u64);

impl Checksum {
    pub(crate) const fn new() -> Self {
        Self(0)
    }

    pub(crate) const fn integer(&mut self, place: usize, value: i64) {
        self.0 = self.0.wrapping_add(mixed(place as u64, value as u64));
    }

    pub(crate) const fn float(&mut self, place: usize, value: f64) {
        self.0 = self.0.wrapping_add(mixed(place as u64, value.to_bits()));
    }

    pub(crate) fn text(&mut self, place: usize, value: &[u8]) {
        let (words, rest) = value.as_chunks::<8>();
        let whole = words
            .iter()
            .fold(mixed(place as u64, value.len() as u64), |term, word| mixed(term, u64::from_le_bytes(*word)));
        let term = rest.iter().fold(whole, |term, byte| mixed(term, u64::from(*byte)));
        self.0 = self.0.wrapping_add(term);
    }

    pub(crate) const fn finish(&self) -> i64 {
        self.0 as i64
    }
}

/// One to one in either word while the other stays, so that one changed word always changes the sum.
const fn mixed(state: u64, word: u64) -> u64 {
    let folded = (state.wrapping_mul(0xbf58_476d_1ce4_e5b9).rotate_left(29) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    folded ^ (folded >> 32)
}

/// Returns the number of the first row that is not as it was written; `None` when all are.
pub(crate) fn first_changed_row(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    let mut statement = connection.prepare("SELECT * FROM trial ORDER BY number")?;
    let columns = statement.column_count();
    let Some(sum) = FIXED_COLUMNS.iter().position(|column| *column == COLUMN) else { return Ok(None) };
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if row.get_ref(sum)? != ValueRef::Integer(of_row(row, columns, sum)?) {
            return Ok(Some(row.get(0)?));
        }
    }
    Ok(None)
}

fn of_row(row: &Row<'_>, columns: usize, sum: usize) -> rusqlite::Result<i64> {
    let mut checksum = Checksum::new();
    for place in (0..columns).filter(|place| *place != sum) {
        match row.get_ref(place)? {
            ValueRef::Null => {}
            ValueRef::Integer(value) => checksum.integer(place, value),
            ValueRef::Real(value) => checksum.float(place, value),
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => checksum.text(place, bytes),
        }
    }
    Ok(checksum.finish())
}
