//! Files of minutes over a change of clocks.

use tidegate_data::{DataReport, ReadOptions, SessionSpec, in_sessions, sessions};
use tidegate_market::{BarLabel, Bars};

use super::{every, reference};

fn new_york() -> SessionSpec {
    let text = r#"{"time_zone": "America/New_York", "open": "09:30", "close": "16:00"}"#;
    serde_json::from_str(text).expect("valid")
}

/// All bars of a file, those inside New York's sessions, and the report.
fn regular(name: &str, options: ReadOptions) -> Option<(Bars, Bars, DataReport)> {
    let path = reference(name)?;
    let options = ReadOptions { session: Some(new_york()), ..options };
    let (mut symbols, report) = tidegate_data::read_with_report(&path, &options).expect("readable");
    let all = symbols.remove(0).bars;
    let inside = sessions(&new_york(), all.time()[0], all.time()[all.len() - 1]).expect("valid");
    let inside = in_sessions(&all, &inside);
    Some((all, inside, report))
}

#[test]
fn every_session_of_a_month_with_a_clock_change_has_its_390_minutes() {
    // Stamped in UTC by the end of the minute, with minutes before and after the session, Saturday's last hours and nights.
    let Some((all, inside, report)) = regular("intraday/spy_2011_03_m1.csv.gz", every("1m", BarLabel::Close)) else {
        return;
    };
    assert_eq!((all.len(), inside.len()), (17_577, 23 * 390));
    let opens: Vec<String> = (0..inside.len()).step_by(390).map(|row| inside.open_time(row).to_string()).collect();
    // Clocks went forward on Sunday 2011-03-13.
    assert_eq!(opens[8..10], ["2011-03-11T14:30:00Z", "2011-03-14T13:30:00Z"]);
    // The thousands of minutes without a trade outside of the sessions are no gaps.
    assert_eq!(report.gaps.count, 0);
}

#[test]
fn quarter_hours_of_four_years_lie_in_sessions_that_move_with_the_clocks() {
    let Some((all, inside, _)) = regular("intraday/aapl_m15.csv.gz", every("15m", BarLabel::Open)) else {
        return;
    };
    // The vendor kept winter's hours for some days after clocks went forward.
    assert_eq!((all.len(), all.len() - inside.len()), (32_146, 77));
}
