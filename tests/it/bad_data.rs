//! Wrong market data: the message says what, where, and what to do, and the exit code is 1.

use crate::support::{HEAD, Lab, ridge, sma_cross};

/// The line of the file that is broken: the eleventh bar of AAA.
const LINE: usize = 12;

/// A laboratory whose bars have one line changed; the line's fields are `symbol, time, open, high, low, close, volume`.
fn broken(change: impl Fn(&mut Vec<String>)) -> Lab {
    edited(|lines| {
        let mut fields: Vec<String> = lines[LINE - 1].split(',').map(str::to_owned).collect();
        change(&mut fields);
        lines[LINE - 1] = fields.join(",");
    })
}

fn edited(change: impl Fn(&mut Vec<String>)) -> Lab {
    let lab = Lab::with(&sma_cross());
    let text = String::from_utf8(lab.read("bars.csv")).expect("text");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    change(&mut lines);
    lab.write("bars.csv", &lines.join("\n"));
    lab
}

#[test]
fn a_missing_file_offers_its_neighbour() {
    let lab = Lab::with(&sma_cross().replace("bars.csv", "bar.csv"));
    lab.tidegate("run s.toml").refused(&["no file or folder at `bar.csv`", "hint: did you mean `bars.csv`?"]);
}

#[test]
fn a_missing_column_lists_those_there() {
    let lab = edited(|lines| {
        for line in lines {
            let fields: Vec<&str> = line.split(',').collect();
            // Without the high.
            *line = [&fields[..3], &fields[4..]].concat().join(",");
        }
    });
    lab.attempt("run", &[])
        .refused(&["`bars.csv` must have a column `high`, has `symbol, time, open, low, close, volume`"]);
}

#[test]
fn a_misspelled_column_is_pointed_at() {
    let lab = edited(|lines| lines[0] = lines[0].replace("close", "cloze"));
    lab.attempt("run", &[])
        .refused(&["`bars.csv` must have a column `close`", "hint: if it is `cloze`, map `close` to that"]);
    // And the hint helps.
    let mapped = sma_cross().replace("adjustment = \"raw\"", "adjustment = \"raw\"\ncolumns = { close = \"cloze\" }");
    lab.write("s.toml", &mapped);
    lab.attempt("run", &[]).done();
}

#[test]
fn a_name_that_stands_for_two_columns_is_refused() {
    let lab = edited(|lines| {
        for line in &mut *lines {
            line.push_str(",1");
        }
        lines[0] = lines[0].replace(",1", ",close");
    });
    lab.attempt("run", &[]).refused(&[
        "`bars.csv` must name each column once: column 6 is `close`, and column 8 is `close`",
        "hint: remove one",
    ]);
}

#[test]
fn a_scale_that_is_none_and_an_unknown_layout_are_refused() {
    let with = |columns: &str| {
        let columns = format!("adjustment = \"raw\"\ncolumns = {{ {columns} }}");
        Lab::with(&sma_cross().replace("adjustment = \"raw\"", &columns))
    };
    with("price_scale = -1.0").attempt("run", &[]).refused(&["price_scale must be finite and above 0, was `-1`"]);
    with("layout = \"lean_quote\"")
        .attempt("run", &[])
        .refused(&["quote_side must be `bid`, `ask` or `mid` for the layout `lean_quote`, was `missing`"]);
    with("layout = \"lean\"").attempt("run", &[]).refused(&["`lean`", "`lean_trade`", "`lean_quote`"]);
}

#[test]
fn a_word_among_numbers_is_named_with_its_line() {
    broken(|fields| fields[5] = "eleven".to_owned())
        .attempt("run", &[])
        .refused(&["`bars.csv` line 12: column `close` must hold numbers, was `eleven`"]);
}

#[test]
fn rows_out_of_order_are_named() {
    let lab = edited(|lines| lines.swap(LINE - 1, LINE));
    lab.attempt("run", &[]).refused(&[
        "`bars.csv` line 13, symbol `AAA`, time `2000-01-17`: rows must be in time order, was `2000-01-17 after 2000-01-18`",
        "1 such row",
        "policy for `unsorted` to `keep` (sorts them into place) or `drop`",
    ]);
    // And the hint helps: sorted into place, the file is what it was.
    lab.write(
        "s.toml",
        &sma_cross().replace("adjustment = \"raw\"", "adjustment = \"raw\"\npolicy = { unsorted = \"keep\" }"),
    );
    let mended = lab.tidegate("run s.toml --json").json()["metrics"].clone();
    assert_eq!(mended, Lab::with(&sma_cross()).tidegate("run s.toml --json").json()["metrics"]);
}

#[test]
fn a_second_row_of_one_day_is_named() {
    let lab = edited(|lines| lines.insert(LINE, lines[LINE - 1].clone()));
    lab.attempt("run", &[]).refused(&[
        "`bars.csv` line 13, symbol `AAA`, time `2000-01-17`: a symbol must have one row per time",
        "first in line 12",
        "policy for `duplicate` to `drop` (keeps the first)",
    ]);
}

#[test]
fn a_value_that_is_no_number_is_named() {
    broken(|fields| fields[2] = "NaN".to_owned()).attempt("run", &[]).refused(&[
        "`bars.csv` line 12, symbol `AAA`, time `2000-01-17`: every time, price and volume must be there and finite",
        "was `open",
        "policy for `missing` to `drop`",
    ]);
}

#[test]
fn a_negative_price_is_named() {
    broken(|fields| fields[4] = "-3.5".to_owned()).tidegate("run s.toml").refused(&[
        "`bars.csv` line 12, symbol `AAA`, time `2000-01-17`: prices must be above 0, was `low = -3.5`",
        "policy for `non_positive_price` to `drop`",
    ]);
}

#[test]
fn a_high_below_the_low_is_named() {
    broken(|fields| fields[3] = "1.5".to_owned()).attempt("run", &[]).refused(&[
        "`bars.csv` line 12, symbol `AAA`, time `2000-01-17`: low must not be above, nor high below, open and close",
        "was `",
        "1.5",
        "policy for `high_below_low` to `drop`",
    ]);
}

#[test]
fn the_policy_of_the_strategy_file_drops_what_it_names() {
    let lab = broken(|fields| fields[4] = "-3.5".to_owned());
    let policy = "adjustment = \"raw\"\npolicy = { non_positive_price = \"drop\" }";
    lab.write("s.toml", &sma_cross().replace("adjustment = \"raw\"", policy));
    lab.tidegate("run s.toml --out run").done();
    assert_eq!(lab.table("run/equity.parquet").rows(), crate::support::BARS - 1);
}

#[test]
fn an_unknown_symbol_lists_those_there() {
    let lab = Lab::with(&sma_cross().replace(r#"["AAA"]"#, r#"["AAB"]"#));
    lab.attempt("run", &[]).refused(&["symbol must be one of `AAA, BBB`, was `AAB`", "hint: did you mean `AAA`?"]);
}

#[test]
fn a_truncated_parquet_file_says_so() {
    let lab = Lab::with(&sma_cross().replace("bars.csv", "bars.parquet"));
    lab.tidegate("data convert bars.csv --out whole.parquet").done();
    let whole = lab.read("whole.parquet");
    for kept in [whole.len() - 1, whole.len() / 2, 3] {
        std::fs::write(lab.path("bars.parquet"), &whole[..kept]).expect("writable");
        lab.tidegate("run s.toml")
            .refused(&["`bars.parquet` is not a whole Parquet file", "hint: it may have been cut off"]);
    }
}

#[test]
fn dates_without_a_bar_say_which_there_are() {
    let lab = Lab::with(&sma_cross());
    lab.attempt("run", &["data.end=1999-12-31"]).refused(&[
        "symbol `AAA` must have bars between `data.start` and `data.end`",
        "its bars run from `2000-01-03` to `2001-11-30`",
    ]);
}

#[test]
fn a_fold_longer_than_the_data_says_how_many_bars_it_needs() {
    let lab = Lab::with(&ridge().replace("train_bars = 200", "train_bars = 321"));
    for command in ["run s.toml", "check s.toml", "train s.toml"] {
        lab.tidegate(command).refused(&[
            "one fold needs `501` bars (train_bars `321` + valid_bars `60` + test_bars `120`), but the data have `500`",
            "hint: shorten train_bars, or add data",
        ]);
    }
}

#[test]
fn an_output_folder_below_a_file_cannot_be_written_and_nothing_is_computed() {
    // Refused by the kind of path, which holds for the superuser too.
    let lab = Lab::with(&ridge());
    let finished = lab.tidegate("run s.toml --out bars.csv/run");
    assert!(!finished.stderr.contains("fitting"), "{}", finished.stderr);
    finished.refused(&[
        "cannot write `bars.csv/run`",
        "Not a directory",
        "hint: choose a folder you may write to with `--out DIR`",
    ]);
    lab.tidegate("train s.toml --out bars.csv/run").refused(&["cannot write `bars.csv/run`"]);
    lab.tidegate("sweep s.toml --out bars.csv/run --grid seed=1,2").refused(&["cannot write `bars.csv/run`"]);
    lab.tidegate("features s.toml --out bars.csv/f.csv").refused(&["bars.csv/f.csv"]);
    lab.tidegate("data convert bars.csv --out bars.csv/f.csv").refused(&["cannot write `bars.csv/f.csv`"]);
}

#[test]
fn paths_start_from_the_strategy_file() {
    let lab = Lab::new();
    std::fs::create_dir(lab.path("ideas")).expect("writable");
    lab.write("ideas/s.toml", &sma_cross().replace("bars.csv", "../bars.csv"));
    lab.tidegate("run ideas/s.toml").done();
    assert!(HEAD.contains("bars.csv"));
}
