//! The tables, and the columns that grow with the metrics.

use rusqlite::{Connection, OptionalExtension};

/// The name of the ledger's file in a study's folder.
pub const FILE_NAME: &str = "trials.sqlite";

/// The version of the tables; stored as the file's `user_version`.
pub const SCHEMA_VERSION: i64 = 1;

/// Marks the file as a trial ledger; stored as its `application_id`: `TGTL`.
pub(crate) const APPLICATION_ID: i64 = 0x5447_544c;

/// A registered list of metric names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MetricSetId(pub(crate) i64);

/// The columns before the metrics, in the order of the table.
pub(crate) const FIXED_COLUMNS: [&str; 12] = [
    "number",
    "config_hash",
    "data_hash",
    "metric_set",
    "build",
    "failure",
    "seed",
    "source",
    "recorded_at_ns",
    "elapsed_ns",
    "swept",
    "checksum",
];

/// Columns of the view that the table has not.
const VIEW_COLUMNS: [&str; 1] = ["recorded_at"];

/// `trial` has no index: hashes come in random order, and a tree of them would make every batch slower than the last. A process
/// that writes keeps the keys in memory instead, and learns those of the others from the numbers it has not seen.
/// Metric columns have no type, so that a number comes back as the same bits.
const TABLES: &str = "
CREATE TABLE build (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE metric_set (id INTEGER PRIMARY KEY, names TEXT NOT NULL UNIQUE);
CREATE TABLE trial (
    number INTEGER PRIMARY KEY,
    config_hash INTEGER NOT NULL,
    data_hash INTEGER NOT NULL,
    metric_set INTEGER NOT NULL REFERENCES metric_set (id),
    build INTEGER NOT NULL REFERENCES build (id),
    failure TEXT,
    seed INTEGER,
    source TEXT NOT NULL,
    recorded_at_ns INTEGER,
    elapsed_ns INTEGER,
    swept TEXT NOT NULL,
    checksum INTEGER NOT NULL
);
";

/// Makes the tables in an empty database, inside the caller's transaction.
pub(crate) fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(TABLES)?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    create_view(connection, &[])
}

/// Returns the id of a text in a table of names, which gets it when it is new.
pub(crate) fn intern(connection: &Connection, table: &Names, name: &str) -> rusqlite::Result<i64> {
    if let Some(id) = table.find(connection, name)? {
        return Ok(id);
    }
    connection.execute(table.insert, [name])?;
    Ok(connection.last_insert_rowid())
}

/// A table of names, by its statements.
pub(crate) struct Names {
    select: &'static str,
    insert: &'static str,
}

/// The builds.
pub(crate) const BUILDS: Names =
    Names { select: "SELECT id FROM build WHERE name = ?1", insert: "INSERT INTO build (name) VALUES (?1)" };

/// The metric sets.
pub(crate) const METRIC_SETS: Names = Names {
    select: "SELECT id FROM metric_set WHERE names = ?1",
    insert: "INSERT INTO metric_set (names) VALUES (?1)",
};

impl Names {
    pub(crate) fn find(&self, connection: &Connection, name: &str) -> rusqlite::Result<Option<i64>> {
        connection.query_row(self.select, [name], |row| row.get(0)).optional()
    }
}

/// Returns the metric columns of the table, in the order in which they came.
pub(crate) fn metric_columns(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("SELECT name FROM pragma_table_info('trial') ORDER BY cid")?;
    let names = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    Ok(names.into_iter().skip(FIXED_COLUMNS.len()).collect())
}

/// Adds the columns that the table has not yet, inside the caller's transaction.
pub(crate) fn add_metric_columns(connection: &Connection, names: &[String]) -> rusqlite::Result<()> {
    let mut columns = metric_columns(connection)?;
    let fresh: Vec<&String> = names.iter().filter(|name| !columns.contains(name)).collect();
    if fresh.is_empty() {
        return Ok(());
    }
    for name in &fresh {
        connection.execute_batch(&format!("ALTER TABLE trial ADD COLUMN {};", quoted(name)))?;
    }
    columns.extend(fresh.into_iter().cloned());
    create_view(connection, &columns)
}

/// Makes the view that a user reads: hashes as they are written elsewhere, a time of day, names for numbers.
fn create_view(connection: &Connection, metrics: &[String]) -> rusqlite::Result<()> {
    let swept = std::iter::once("swept".to_owned());
    let columns: Vec<String> =
        swept.chain(metrics.iter().map(|name| format!("trial.{0} AS {0}", quoted(name)))).collect();
    connection.execute_batch(&format!(
        "DROP VIEW IF EXISTS trials;
         CREATE VIEW trials AS SELECT
            number,
            printf('%016x', config_hash) AS config_hash,
            printf('%016x', data_hash) AS data_hash,
            source,
            seed,
            build.name AS build,
            strftime('%Y-%m-%dT%H:%M:%SZ', recorded_at_ns / 1000000000, 'unixepoch') AS recorded_at,
            elapsed_ns,
            failure,
            {}
         FROM trial JOIN build ON build.id = trial.build;",
        columns.join(", ")
    ))
}

/// Returns the rule that a name breaks as a column; names are lower case, so that no two are one column.
pub(crate) fn broken_rule(name: &str) -> Option<&'static str> {
    let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.".contains(&byte);
    if name.is_empty() || name.len() > 64 || !name.bytes().all(letters) {
        return Some("be 1 to 64 lower-case letters, digits, `_` or `.`");
    }
    let taken = FIXED_COLUMNS.contains(&name) || VIEW_COLUMNS.contains(&name);
    taken.then_some("not be that of another column of the ledger")
}

/// Writes a name as SQL takes it for a column, whatever it is.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
