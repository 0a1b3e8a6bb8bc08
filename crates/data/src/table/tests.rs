use super::*;
use std::fs;

fn day(day: i64) -> Timestamp {
    Timestamp::from_nanos(day * Timestamp::NANOS_PER_DAY)
}

fn table() -> Table {
    let noon = |d: i64| day(d).plus_nanos(Timestamp::NANOS_PER_DAY / 2);
    Table::new(vec![
        ("date".to_owned(), Column::Time(vec![day(0), day(1)], TimeKind::Date)),
        ("at".to_owned(), Column::OptionalTime(vec![Some(noon(0)), None], TimeKind::Instant)),
        ("symbol".to_owned(), Column::Text(vec!["SPX".to_owned(), "a,\"b\"".to_owned()])),
        ("reason".to_owned(), Column::OptionalText(vec![None, Some("limit".to_owned())])),
        ("price".to_owned(), Column::Float(vec![0.1, 1e-300])),
        ("mean".to_owned(), Column::OptionalFloat(vec![None, Some(-2.5)])),
        ("fold".to_owned(), Column::Int(vec![-1, i64::MAX])),
        ("parent".to_owned(), Column::OptionalInt(vec![None, Some(7)])),
    ])
    .expect("same lengths")
}

fn written(name: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join(name);
    table().write(&path).expect("written");
    (folder, path)
}

/// What was written comes back, column by column.
fn check(name: &str) {
    let (_folder, path) = written(name);
    let (before, after) = (table(), Table::read(&path).expect("readable"));
    assert_eq!(after.rows(), 2);
    for name in ["date", "at"] {
        assert_eq!(after.optional_times(name).expect("times"), before.optional_times(name).expect("times"));
    }
    assert_eq!(after.times("date").expect("times"), [day(0), day(1)]);
    assert_eq!(after.optional_ints("parent").expect("whole numbers"), [None, Some(7)]);
    for name in ["symbol", "reason"] {
        assert_eq!(after.optional_texts(name).expect("texts"), before.optional_texts(name).expect("texts"));
    }
    assert_eq!(after.floats("price").expect("numbers"), [0.1, 1e-300]);
    assert_eq!(after.optional_floats("mean").expect("numbers"), [None, Some(-2.5)]);
}

#[test]
fn csv_comes_back_as_written() {
    check("a.csv");
}

#[test]
fn parquet_comes_back_as_written() {
    check("a.parquet");
    let (_folder, path) = written("a.parquet");
    assert_eq!(Table::read(&path).expect("readable").ints("fold").expect("whole"), [-1, i64::MAX]);
}

#[test]
fn csv_is_plain_text() {
    let (_folder, path) = written("a.csv");
    let expected = "date,at,symbol,reason,price,mean,fold,parent\n\
                    1970-01-01,1970-01-01T12:00:00Z,SPX,,0.1,,-1,\n\
                    1970-01-02,,\"a,\"\"b\"\"\",limit,1e-300,-2.5,9223372036854775807,7\n";
    assert_eq!(fs::read_to_string(path).expect("there"), expected);
}

#[test]
fn the_same_table_gives_the_same_bytes() {
    for name in ["a.csv", "a.parquet"] {
        let ((_one, first), (_two, second)) = (written(name), written(name));
        assert_eq!(fs::read(first).expect("there"), fs::read(second).expect("there"), "{name}");
    }
}

#[test]
fn a_table_without_rows_keeps_its_columns() {
    let empty = Table::new(vec![("mean".to_owned(), Column::Float(vec![]))]).expect("same lengths");
    let folder = tempfile::tempdir().expect("temporary folder");
    for name in ["a.csv", "a.parquet"] {
        let path = folder.path().join(name);
        empty.write(&path).expect("written");
        let found = Table::read(&path).expect("readable");
        assert_eq!(found.rows(), 0, "{name}");
        assert_eq!(found.floats("mean").expect("numbers"), [0.0; 0], "{name}");
    }
}

#[test]
fn columns_of_different_lengths_do_not_join() {
    let columns = vec![("a".to_owned(), Column::Int(vec![1, 2])), ("b".to_owned(), Column::Int(vec![1]))];
    let error = Table::new(columns).expect_err("different lengths").to_string();
    assert_eq!(error, "table column `b` must have 2 rows like the others, has 1");
}

#[test]
fn another_ending_is_refused() {
    let error = table().write(Path::new("a.xlsx")).expect_err("unknown").to_string();
    assert_eq!(error, "file name must end in `.csv` or `.parquet`, was `a.xlsx`");
}

/// The message of a failed access to a CSV file of the given text, without the folder.
fn error(text: &str, access: impl Fn(&Table) -> Result<(), DataError>) -> String {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("f.csv");
    fs::write(&path, text).expect("written");
    let table = Table::read(&path).expect("readable");
    let error = access(&table).expect_err("refused").to_string();
    error.replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn an_access_that_fails_names_file_line_column_and_value() {
    let text = "time,mean,n\n2018-12-31,0.5,1\n2018-12-33,x,1.5\n,,\n";
    assert_eq!(error(text, |t| t.floats("mean").map(drop)), "`f.csv` line 3: column `mean` must hold numbers, was `x`");
    assert_eq!(
        error(text, |t| t.times("time").map(drop)),
        "`f.csv` line 3: column `time` must hold dates or times, was `2018-12-33`"
    );
    assert_eq!(
        error("time,n\na,1\nb,\n", |t| t.ints("n").map(drop)),
        "`f.csv` line 3: column `n` must hold whole numbers, was `missing`"
    );
    assert_eq!(
        error("time,n\na,1\nb,1.5\n", |t| t.ints("n").map(drop)),
        "`f.csv` line 3: column `n` must hold whole numbers, was `1.5`"
    );
    assert_eq!(
        error(text, |t| t.floats("maen").map(drop)),
        "`f.csv` must have a column `maen`, has `time, mean, n`; hint: did you mean `mean`?"
    );
}
