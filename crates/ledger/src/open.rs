//! Opening a ledger: what is there is looked at without writing, and only then made or used.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::checksum::first_changed_row;
use crate::schema::{APPLICATION_ID, FILE_NAME, SCHEMA_VERSION, create};
use crate::{Ledger, LedgerError, import};

/// How long a process waits for another one's transaction, which takes milliseconds.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// The size of a new file's pages: with more rows a page, batches of a sweep take a quarter less time than with 4,096 bytes.
const PAGE_BYTES: i64 = 16_384;

/// How a database starts.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// The length of the header at the start, of which the size of a page and the number of pages are read.
const HEADER_BYTES: u64 = 100;

/// What lies in a ledger's place.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// Nothing, or an empty file.
    Nothing,
    /// A database without tables, as a process leaves it that was killed while it made one.
    Empty,
    /// A ledger that can be used.
    Ledger,
}

impl Ledger {
    /// Opens the ledger in a study's folder; both are made when they are not there.
    ///
    /// A `trials.jsonl` of an earlier version beside it is taken in once, and kept as `trials.jsonl.imported`.
    ///
    /// # Errors
    /// When the folder or file cannot be made or written, or the file is damaged, something else, or of a newer version; then
    /// nothing is written to it.
    pub fn open(folder: &Path) -> Result<Self, LedgerError> {
        std::fs::create_dir_all(folder).map_err(|source| LedgerError::File {
            action: "make the folder",
            path: folder.to_owned(),
            source,
        })?;
        let path = folder.join(FILE_NAME);
        let found = look_at(&path)?;
        let connection = writable(&path, &found).map_err(|error| LedgerError::of(&path, &error))?;
        let mut ledger = Self::new(connection, path);
        import::old_lines(&mut ledger, folder)?;
        Ok(ledger)
    }

    /// Opens a ledger's file to be read only, also in a folder that cannot be written.
    ///
    /// # Errors
    /// When the file is not there, damaged, something else, or of a newer version.
    pub fn open_read_only(path: &Path) -> Result<Self, LedgerError> {
        match look_at(path)? {
            Found::Ledger => {
                let connection = read_only(path).map_err(|error| LedgerError::of(path, &error))?;
                Ok(Self::new(connection, path.to_owned()))
            }
            Found::Nothing | Found::Empty => Err(LedgerError::Missing { path: path.to_owned() }),
        }
    }
}

/// Looks at what is there without writing, not even what a killed process left in the log.
fn look_at(path: &Path) -> Result<Found, LedgerError> {
    let not_a_ledger = |reason: &str| LedgerError::NotALedger { path: path.to_owned(), reason: reason.to_owned() };
    let damaged = |reason: String| LedgerError::Damaged { path: path.to_owned(), reason };
    let Some(start) = first_bytes(path)? else {
        return Err(not_a_ledger("it is a folder"));
    };
    if start.is_empty() {
        return if log_is_empty(path) {
            Ok(Found::Nothing)
        } else {
            Err(damaged("the file is gone or empty, and the log beside it holds trials".to_owned()))
        };
    }
    if !start.starts_with(MAGIC) {
        return Err(not_a_ledger("it does not start as an SQLite database"));
    }
    if let Some((expected, length)) = cut_short(path, &start) {
        return Err(damaged(format!("it has {length} bytes of {expected}")));
    }
    let sorted = |error: rusqlite::Error| LedgerError::of(path, &error);
    let connection = read_only(path).map_err(sorted)?;
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(sorted);
    let (application, version) = (number("PRAGMA application_id")?, number("PRAGMA user_version")?);
    if application != APPLICATION_ID {
        let empty = application == 0 && number("SELECT count(*) FROM sqlite_master")? == 0;
        return if empty { Ok(Found::Empty) } else { Err(not_a_ledger("it is a database of another program")) };
    }
    if version > SCHEMA_VERSION {
        return Err(LedgerError::Newer { path: path.to_owned(), found: version, known: SCHEMA_VERSION });
    }
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(sorted)?;
    if verdict != "ok" {
        return Err(damaged(verdict.lines().last().unwrap_or_default().to_owned()));
    }
    if let Some(number) = first_changed_row(&connection).map_err(sorted)? {
        return Err(damaged(format!("trial {number} is not as it was written")));
    }
    Ok(Found::Ledger)
}

/// Reads how the file starts; nothing when there is none, and `None` when it is a folder.
fn first_bytes(path: &Path) -> Result<Option<Vec<u8>>, LedgerError> {
    if path.is_dir() {
        return Ok(None);
    }
    let mut start = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(HEADER_BYTES).read_to_end(&mut start));
    match read {
        Err(source) if source.kind() != ErrorKind::NotFound => {
            Err(LedgerError::File { action: "read the trial ledger", path: path.to_owned(), source })
        }
        _ => Ok(Some(start)),
    }
}

/// Returns how long the file should be and how long it is, when it lacks bytes that no log can bring back.
///
/// The format: the page size in bytes 16 and 17, where 1 stands for 65,536, and the number of pages in bytes 28 to 31, both with
/// the most significant byte first (`SQLite`'s "Database File Format", 1.3).
fn cut_short(path: &Path, header: &[u8]) -> Option<(u64, u64)> {
    let page_bytes = match u16::from_be_bytes(header.get(16..18)?.try_into().ok()?) {
        1 => 65_536,
        bytes => u64::from(bytes),
    };
    let pages = u32::from_be_bytes(header.get(28..32)?.try_into().ok()?);
    let expected = page_bytes * u64::from(pages);
    let length = std::fs::metadata(path).ok()?.len();
    (length < expected && log_is_empty(path)).then_some((expected, length))
}

fn log_is_empty(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(PathBuf::from(log)).map_or(true, |log| log.len() == 0)
}

/// Opens without writing. In a folder that cannot be written a database without a log is read as one that nobody changes.
fn read_only(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(path, flags).and_then(|connection| {
        configure(&connection)?;
        connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))?;
        Ok(connection)
    });
    match opened {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::CannotOpen) && log_is_empty(path) => {
            let connection = Connection::open_with_flags(immutable(path), flags | OpenFlags::SQLITE_OPEN_URI)?;
            configure(&connection)?;
            Ok(connection)
        }
        opened => opened,
    }
}

fn immutable(path: &Path) -> String {
    let escaped = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    format!("file:{escaped}?immutable=1")
}

fn writable(path: &Path, found: &Found) -> rusqlite::Result<Connection> {
    let create_file = if *found == Found::Nothing { OpenFlags::SQLITE_OPEN_CREATE } else { OpenFlags::empty() };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | create_file;
    let mut connection = Connection::open_with_flags(path, flags)?;
    configure(&connection)?;
    if *found == Found::Nothing {
        connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    }
    write_ahead(&connection)?;
    // One wait for the disk a batch, so that not even a power failure takes a trial whose result was shown.
    connection.pragma_update(None, "synchronous", "FULL")?;
    if *found != Found::Ledger {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Another process may have made the tables in between.
        let tables: i64 = transaction.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))?;
        if tables == 0 {
            create(&transaction)?;
        }
        transaction.commit()?;
    }
    Ok(connection)
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "trusted_schema", false)
}

/// Switches to a log written ahead, in which readers and a writer do not wait for each other.
///
/// Two processes that switch the same new file would deadlock if they waited, so that one is told to try again.
fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    const PAUSE: Duration = Duration::from_millis(5);
    let mut attempts = PATIENCE.as_millis() / PAUSE.as_millis();
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error) if attempts > 0 && error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                attempts -= 1;
                std::thread::sleep(PAUSE);
            }
            switched => return switched,
        }
    }
}
