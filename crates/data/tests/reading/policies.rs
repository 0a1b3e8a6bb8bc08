//! What is left out, kept or reported.

use tidegate_data::{OffenceKind, OffencePolicy, Policy, ReadOptions};

use super::{Folder, daily};

/// One row of each offence between two good ones, the second twice.
const DIRTY: &str = "symbol,time,open,high,low,close,volume,dividend\n\
                     SPX,2018-12-24,10,12,9,11,5,0\n\
                     SPX,2018-12-26,10,12,9,NaN,5,0\n\
                     SPX,2018-12-27,10,12,0,11,5,0\n\
                     SPX,2018-12-28,10,12,9,11,-5,0\n\
                     SPX,2018-12-29,10,9,12,11,5,0\n\
                     SPX,2018-12-30,10,12,9,11,5,-1\n\
                     SPX,2018-12-21,10,12,9,11,4,0\n\
                     SPX,2018-12-31,10,12,9,11,6,0\n\
                     SPX,2018-12-31,10,12,9,11,7,0\n";

const DROP_ALL: OffencePolicy = OffencePolicy {
    missing: Policy::Drop,
    non_positive_price: Policy::Drop,
    negative_volume: Policy::Drop,
    high_below_low: Policy::Drop,
    corporate_action: Policy::Drop,
    unsorted: Policy::Drop,
    duplicate: Policy::Drop,
};

fn options(policy: OffencePolicy) -> ReadOptions {
    ReadOptions { policy, corporate_actions: true, ..daily() }
}

/// Time labels and volumes of what is read under a policy.
fn check(policy: OffencePolicy, times: &[&str], volumes: &[f64]) {
    let folder = Folder::with(&[("prices.csv", DIRTY.as_bytes())]);
    let symbols = tidegate_data::read(&folder.path("prices.csv"), &options(policy)).expect("readable");
    let found: Vec<String> = symbols[0].bars.time().iter().map(ToString::to_string).collect();
    assert_eq!(found, times);
    assert_eq!(symbols[0].bars.volume(), volumes);
}

#[test]
fn dropped_rows_are_left_out_and_the_first_of_a_time_stays() {
    check(DROP_ALL, &["2018-12-24", "2018-12-31"], &[5.0, 6.0]);
}

#[test]
fn kept_unsorted_rows_are_sorted_into_place() {
    let policy = OffencePolicy { unsorted: Policy::Keep, ..DROP_ALL };
    check(policy, &["2018-12-21", "2018-12-24", "2018-12-31"], &[4.0, 5.0, 6.0]);
}

#[test]
fn one_kind_that_stops_is_enough() {
    for kind in OffenceKind::ALL {
        let mut policy = DROP_ALL;
        match kind {
            OffenceKind::Missing => policy.missing = Policy::Error,
            OffenceKind::NonPositivePrice => policy.non_positive_price = Policy::Error,
            OffenceKind::NegativeVolume => policy.negative_volume = Policy::Error,
            OffenceKind::HighBelowLow => policy.high_below_low = Policy::Error,
            OffenceKind::CorporateAction => policy.corporate_action = Policy::Error,
            OffenceKind::Unsorted => policy.unsorted = Policy::Error,
            OffenceKind::Duplicate => policy.duplicate = Policy::Error,
        }
        let folder = Folder::with(&[("prices.csv", DIRTY.as_bytes())]);
        let error = tidegate_data::read(&folder.path("prices.csv"), &options(policy)).expect_err("stops").to_string();
        assert!(error.contains(&format!("the policy for `{kind}`")), "{error}");
    }
}

#[test]
fn a_policy_that_cannot_be_is_refused_before_reading() {
    let policy = OffencePolicy { high_below_low: Policy::Keep, ..OffencePolicy::default() };
    let error = tidegate_data::read("no such file".as_ref(), &options(policy)).expect_err("refused").to_string();
    assert_eq!(
        error,
        "policy for `high_below_low` must be `error` or `drop`, was `keep`; only `unsorted` rows can be kept"
    );
}

#[test]
fn the_report_lists_each_kind_with_its_first_rows() {
    let folder = Folder::with(&[("prices.csv", DIRTY.as_bytes())]);
    let policy = OffencePolicy { unsorted: Policy::Keep, duplicate: Policy::Drop, ..OffencePolicy::default() };
    let report = tidegate_data::inspect(&folder.path("prices.csv"), &options(policy)).expect("readable");
    let shown = report.to_string().replace(&format!("{}/", folder.path("").display()), "");
    let shown = shown.replace(&folder.path("").display().to_string(), "");
    let expected = "\
source    prices.csv (1 file, layout canonical)
rows      9 read, 3 kept
symbols   1: SPX
time      2018-12-21 to 2018-12-31
interval  1d, bars mostly 7d apart
gaps      1
  SPX 2018-12-24 to 2018-12-31: 7.0 days
offences  7
  missing: 1 row, policy error
    prices.csv line 3, SPX, 2018-12-26: close = NaN
  non_positive_price: 1 row, policy error
    prices.csv line 4, SPX, 2018-12-27: low = 0
  negative_volume: 1 row, policy error
    prices.csv line 5, SPX, 2018-12-28: volume = -5
  high_below_low: 1 row, policy error
    prices.csv line 6, SPX, 2018-12-29: open = 10, high = 9, low = 12, close = 11
  corporate_action: 1 row, policy error
    prices.csv line 7, SPX, 2018-12-30: dividend = -1
  unsorted: 1 row, policy keep
    prices.csv line 8, SPX, 2018-12-21: 2018-12-21 after 2018-12-24
  duplicate: 1 row, policy drop
    prices.csv line 10, SPX, 2018-12-31: 2018-12-31 again, first in line 9";
    assert_eq!(shown, expected);
    let json = serde_json::to_value(&report).expect("plain values");
    assert_eq!(json["offences"][0]["kind"], "missing");
    assert_eq!(json["offences"][0]["first"][0]["line"], 3);
    assert_eq!(json["first_time"], "2018-12-21");
}

#[test]
fn a_time_in_two_files_names_the_other_file() {
    let text = "time,open,high,low,close,volume\n2018-12-31,10,12,9,11,5\n";
    let folder = Folder::with(&[("a.csv", text.as_bytes()), ("b.csv", text.as_bytes())]);
    let options = ReadOptions { symbol: Some("SPX".to_owned()), ..daily() };
    let error = tidegate_data::read(&folder.path("*.csv"), &options).expect_err("twice");
    assert_eq!(
        folder.message(&error),
        "`b.csv` line 2, symbol `SPX`, time `2018-12-31`: a symbol must have one row per time, \
         was `2018-12-31 again, first in `a.csv` line 2`; 1 such row; \
         hint: repair the file, or set the policy for `duplicate` to `drop` (keeps the first)"
    );
}
