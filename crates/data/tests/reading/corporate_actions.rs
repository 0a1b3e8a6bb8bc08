//! Splits, dividends, ends of trading and changes of ticker.

use tidegate_data::{
    ActionCounts, Adjustment, DataError, Events, OffencePolicy, Policy, ReadOptions, SignalAdjustment, SymbolBars,
    forward_adjusted, read_events,
};
use tidegate_market::{BarLabel, CorporateAction, CorporateActionKind, Price};

use super::{Folder, daily};

const HEADER: &str = "timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient\n";

/// Two for one on the 28th with a dividend of 0.5 per new unit; 1.0 and 0 are both no split.
const ROWS: &str = "2018-12-27,10,12,9,11,5,5,0.0,1.0\n\
                    2018-12-28,5,6,4,5,5,8,0.5,2.0\n\
                    2018-12-31,5,6,4,5,5,8,0.0,0\n";

fn asked() -> ReadOptions {
    ReadOptions { corporate_actions: true, ..daily() }
}

fn read(text: &str, options: &ReadOptions) -> Result<Vec<SymbolBars>, DataError> {
    let folder = Folder::with(&[("ibm.csv", text.as_bytes())]);
    tidegate_data::read(&folder.path("ibm.csv"), options)
}

/// Each action's time, what it does and the number that goes with it.
fn shown(actions: &[CorporateAction]) -> Vec<(String, &'static str, f64)> {
    let kind = |kind| match kind {
        CorporateActionKind::Split { ratio } => ("split", ratio),
        CorporateActionKind::Dividend { amount } => ("dividend", amount),
        CorporateActionKind::Delisting { price } => ("delisting", price.map_or(-1.0, |price| price.0)),
    };
    let one = |action: &CorporateAction| (action.time.to_string(), kind(action.kind).0, kind(action.kind).1);
    actions.iter().map(one).collect()
}

fn expected(actions: &[(&str, &'static str, f64)]) -> Vec<(String, &'static str, f64)> {
    actions.iter().map(|(time, kind, value)| ((*time).to_owned(), *kind, *value)).collect()
}

#[test]
fn splits_and_dividends_are_read_beside_raw_prices() {
    let symbols = read(&format!("{HEADER}{ROWS}"), &asked()).expect("readable");
    assert_eq!(symbols[0].bars.close(), [11.0, 5.0, 5.0]);
    assert_eq!(shown(&symbols[0].actions), expected(&[("2018-12-28", "split", 2.0), ("2018-12-28", "dividend", 0.5)]));
    assert_eq!(ActionCounts::of(&symbols), ActionCounts { splits: 1, dividends: 1, delistings: 0 });
    assert_eq!(read(&format!("{HEADER}{ROWS}"), &daily()).expect("readable")[0].actions, []);
}

#[test]
fn the_report_counts_the_actions() {
    let folder = Folder::with(&[("ibm.csv", format!("{HEADER}{ROWS}").as_bytes())]);
    let report = tidegate_data::inspect(&folder.path("ibm.csv"), &asked()).expect("readable");
    assert!(report.to_string().contains("\nactions   1 split, 1 dividend, 0 delistings\n"), "{report}");
    let json = serde_json::to_value(&report).expect("plain values");
    assert_eq!(json["corporate_actions"]["splits"], 1);
}

#[test]
fn an_action_takes_effect_at_the_open_of_its_row() {
    let options = ReadOptions { label: BarLabel::Close, ..asked() };
    let symbols = read(&format!("{HEADER}{ROWS}"), &options).expect("readable");
    assert_eq!(symbols[0].actions[0].time.to_string(), "2018-12-27");
    assert_eq!(symbols[0].actions[0].time, symbols[0].bars.open_time(1));
}

#[test]
fn a_negative_or_missing_action_is_named_with_its_line() {
    let check = |row: &str, found: &str| {
        let text = format!("{HEADER}{ROWS}{row}\n");
        let error = read(&text, &asked()).expect_err("broken").to_string();
        let rule = "split ratio and dividend must be there, finite and at least 0";
        assert!(error.contains(&format!("line 5, symbol `ibm`, time `2019-01-02`: {rule}, was `{found}`")), "{error}");
        assert!(error.ends_with("policy for `corporate_action` to `drop`"), "{error}");
        // The prices alone are readable, and the row can be dropped with its action.
        assert_eq!(read(&text, &daily()).expect("prices")[0].bars.len(), 4);
        let policy = OffencePolicy { corporate_action: Policy::Drop, ..OffencePolicy::default() };
        let symbols = read(&text, &ReadOptions { policy, ..asked() }).expect("dropped");
        assert_eq!((symbols[0].bars.len(), symbols[0].actions.len()), (3, 2));
    };
    check("2019-01-02,5,6,4,5,5,8,-0.5,1.0", "dividend = -0.5");
    check("2019-01-02,5,6,4,5,5,8,0.0,-2", "split_ratio = -2");
    check("2019-01-02,5,6,4,5,5,8,NaN,1.0", "dividend = NaN");
    check("2019-01-02,5,6,4,5,5,8,0.0,", "split_ratio = NaN");
}

#[test]
fn a_split_on_a_row_without_a_bar_still_happens() {
    let rows = ROWS.replace("2018-12-28,5,6,4,5", "2018-12-28,0,6,4,5");
    let policy = OffencePolicy { non_positive_price: Policy::Drop, ..OffencePolicy::default() };
    let symbols = read(&format!("{HEADER}{rows}"), &ReadOptions { policy, ..asked() }).expect("readable");
    assert_eq!(symbols[0].bars.close(), [11.0, 5.0]);
    assert_eq!(symbols[0].actions.len(), 2);
    // On the next bar: 5 * 2, and half a unit per two new ones at 5: times 1.1.
    let adjusted = forward_adjusted(&symbols[0].bars, &symbols[0].actions, SignalAdjustment::TotalReturn);
    assert_eq!(adjusted.expect("finite").close(), [11.0, 11.0]);
}

#[test]
fn actions_go_with_raw_prices_only() {
    let options = ReadOptions { adjustment: Adjustment::TotalReturn, ..asked() };
    let error = read(&format!("{HEADER}{ROWS}"), &options).expect_err("adjusted twice").to_string();
    assert_eq!(error, "adjustment must be `raw` where corporate actions are read, was `total_return`");
}

fn events(text: &str, options: &ReadOptions) -> Result<Events, String> {
    let folder = Folder::with(&[("events.csv", text.as_bytes())]);
    read_events(&folder.path("events.csv"), options).map_err(|error| folder.message(&error))
}

const EVENTS: &str = "symbol,time,kind,value\n\
                      wm,2009-08-04,dividend,0.29\n\
                      wmi,2009-08-03,dividend,0.28\n\
                      wmi,2009-08-03,split,2\n\
                      wmi,2009-08-04,rename,wm\n\
                      other,2009-08-04,delisting,\n\
                      wm,2009-08-06,delisting,27.5\n";

fn bars(days: &[&str]) -> String {
    let rows = days.iter().map(|day| format!("{day},10,12,9,11,5\n"));
    std::iter::once("time,open,high,low,close,volume\n".to_owned()).chain(rows).collect()
}

#[test]
fn a_list_of_events_joins_what_was_renamed_and_adds_the_actions_of_either_name() {
    let folder = Folder::with(&[
        // Another company until 2008.
        ("wm.csv", bars(&["2008-09-26", "2009-08-04", "2009-08-05"]).as_bytes()),
        ("wmi.csv", bars(&["2009-07-31", "2009-08-03"]).as_bytes()),
    ]);
    let symbols = tidegate_data::read(&folder.path("*.csv"), &daily()).expect("readable");
    let (symbols, summary) = events(EVENTS, &daily()).expect("readable").apply(symbols).expect("in order");
    assert_eq!(symbols.len(), 1);
    assert_eq!(symbols[0].symbol, "wm");
    let days: Vec<String> = symbols[0].bars.time().iter().map(ToString::to_string).collect();
    assert_eq!(days, ["2009-07-31", "2009-08-03", "2009-08-04", "2009-08-05"]);
    let actions = [
        ("2009-08-03", "split", 2.0),
        ("2009-08-03", "dividend", 0.28),
        ("2009-08-04", "dividend", 0.29),
        ("2009-08-06", "delisting", 27.5),
    ];
    assert_eq!(shown(&symbols[0].actions), expected(&actions));
    assert_eq!((summary.added, summary.of_other_symbols, summary.renamed, summary.bars_left_out), (4, 1, 1, 1));
}

#[test]
fn a_delisting_without_a_value_pays_the_last_close() {
    let events = events(EVENTS, &daily()).expect("readable");
    let kinds: Vec<CorporateActionKind> = events.actions.iter().map(|(_, action)| action.kind).collect();
    assert_eq!(kinds[3], CorporateActionKind::Delisting { price: None });
    assert_eq!(kinds[4], CorporateActionKind::Delisting { price: Some(Price(27.5)) });
}

#[test]
fn the_day_of_an_event_is_a_local_one_for_bars_within_the_day() {
    let text = "symbol,time,kind,value\nwm,2009-08-04,dividend,0.29\n";
    let time = |options: &ReadOptions| events(text, options).expect("readable").actions[0].1.time.to_string();
    let new_york = Some("America/New_York".parse().expect("known"));
    assert_eq!(time(&ReadOptions { time_zone: new_york, ..daily() }), "2009-08-04");
    let minutes = ReadOptions::new("1m".parse().expect("valid"), BarLabel::Open);
    assert_eq!(time(&ReadOptions { time_zone: new_york, ..minutes.clone() }), "2009-08-04T04:00:00Z");
    assert_eq!(time(&minutes), "2009-08-04");
}

#[test]
fn a_wrong_event_is_named_with_its_line() {
    let check = |row: &str, message: &str| {
        let text = format!("symbol,time,kind,value\nwm,2009-08-04,split,2\n{row}\n");
        assert_eq!(events(&text, &daily()).expect_err("wrong"), format!("`events.csv` line 3: column {message}"));
    };
    check("wm,2009-08-04,spilt,2", "`kind` must hold one of `split`, `dividend`, `delisting`, `rename`, was `spilt`");
    check("wm,2009-08-04,split,0", "`value` must hold split ratios above 0, was `0`");
    check("wm,2009-08-04,split,", "`value` must hold split ratios above 0, was `missing`");
    check("wm,2009-08-04,dividend,-1", "`value` must hold dividends of at least 0, was `-1`");
    check("wm,2009-08-04,delisting,inf", "`value` must hold payouts of at least 0, or nothing, was `inf`");
    check("wm,2009-08-04,rename,", "`value` must hold the new symbol, was `missing`");
    check("wm,2009-08-04,rename,wm", "`value` must hold the new symbol, was `wm`");
    check("wm,soon,split,2", "`time` must hold dates or times, was `soon`");
    assert_eq!(
        events("symbol,time,type,value\n", &daily()).expect_err("no kind"),
        "`events.csv` must have a column `kind`, has `symbol, time, type, value`"
    );
    assert!(events("symbol,time,kind,kind\n", &daily()).expect_err("twice").contains("must name each column once"));
}
