//! Published results recomputed by the engine from the files that they were published for.
//!
//! `TIDEGATE_REFERENCE_DATA` names the folder of the files; without it these tests pass with a note. Expected numbers: backtesting.py's
//! own test of its GOOG cross, Lean's regression statistics, and the on-line portfolio selection literature (Li and Hoi 2014, Online
//! Portfolio Selection: A Survey), all recomputed by `tests/vectors/parity/{reference,lean}_check.py`.

use std::io::Read;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use tidegate_backtest::strategies::{SmaCross, SmaCrossParams};
use tidegate_backtest::{
    BacktestConfig, Commission, Context, DataEnd, FeeBasis, FillTiming, Journal, Market, Requests, TargetSizing, run,
};
use tidegate_indicators::{Ema, Indicator, Macd, MacdBars};
use tidegate_market::{BarColumns, BarInterval, BarLabel, Bars, Cash, Instrument, InstrumentId, Timestamp};

use crate::parity::vectors::midnight;
use crate::support::{Each, run_ok};

/// Returns a reference file's bytes, or nothing, said once, where there are none.
fn reference(name: &str) -> Option<Vec<u8>> {
    let Some(folder) = std::env::var_os("TIDEGATE_REFERENCE_DATA") else {
        #[expect(clippy::print_stderr, reason = "a test that checks nothing says so")]
        {
            eprintln!("skipped: TIDEGATE_REFERENCE_DATA does not name a folder with `{name}`");
        }
        return None;
    };
    Some(std::fs::read(PathBuf::from(folder).join(name)).expect("a reference file"))
}

fn bars_of(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).expect("above zero")
}

fn numbers(line: &str) -> Vec<f64> {
    line.split(',').map(|cell| cell.parse().unwrap_or(f64::NAN)).collect()
}

/// Bars from open, high, low, close, volume.
fn bars(time: Vec<Timestamp>, rows: &[[f64; 5]], interval: &str) -> Arc<Bars> {
    let column = |place: usize| rows.iter().map(|row| row[place]).collect();
    let columns =
        BarColumns { time, open: column(0), high: column(1), low: column(2), close: column(3), volume: column(4) };
    let interval: BarInterval = interval.parse().expect("valid");
    Arc::new(Bars::new(columns, BarLabel::Open, interval).expect("sane bars"))
}

#[test]
fn a_long_and_short_cross_on_goog_makes_66_trades_and_51_422_99() {
    let Some(file) = reference("reference/backtesting_py/GOOG.csv") else { return };
    let text = String::from_utf8(file).expect("text");
    let lines: Vec<&str> = text.lines().skip(1).collect();
    let time = lines.iter().map(|line| midnight(line)).collect();
    let rows: Vec<[f64; 5]> = lines.iter().map(|line| numbers(line)[1..].try_into().expect("five numbers")).collect();
    let instrument = Instrument { lot_size: Some(1.0), ..Instrument::fractional("GOOG") };
    let market = Market::new(vec![(instrument, bars(time, &rows, "1d"))]).expect("valid");
    let config = BacktestConfig {
        sizing: TargetSizing::AtFill { budget_fraction: 1.0 - f64::EPSILON, fee_basis: FeeBasis::Quote },
        data_end: DataEnd::Close,
        ..BacktestConfig::frictionless(Cash(10_000.0), FillTiming::NextOpen)
    };
    let params = SmaCrossParams { fast_bars: bars_of(10), slow_bars: bars_of(30), weight: 1.0, allow_short: true };
    let mut strategy = SmaCross::new(params, 1).expect("valid");
    let journal = run(&market, &[], &config, &mut strategy).expect("valid");
    assert_eq!(journal.trades.len(), 66);
    assert!((journal.final_equity().0 - 51_422.99).abs() < 0.005, "{:?}", journal.final_equity());
}

/// Final wealth from 1 of a uniform portfolio: bought and held, and rebalanced at every close.
fn uniform_portfolios(name: &str) -> Option<[f64; 2]> {
    let file = reference(&format!("reference/olps/{name}.csv.gz"))?;
    let mut text = String::new();
    flate2::read::GzDecoder::new(&file[..]).read_to_string(&mut text).expect("gzip");
    let mut levels: Vec<Vec<f64>> = text.lines().skip(1).map(numbers).collect();
    levels.insert(0, vec![1.0; levels[0].len()]);
    let assets = levels[0].len();
    let day = |row: usize| Timestamp::from_nanos(row as i64 * Timestamp::NANOS_PER_DAY);
    let series = (0..assets).map(|asset| {
        let rows: Vec<[f64; 5]> =
            levels.iter().map(|row| [row[asset], row[asset], row[asset], row[asset], 1.0]).collect();
        let time = (0..rows.len()).map(day).collect();
        (Instrument::fractional(format!("A{asset}")), bars(time, &rows, "1d"))
    });
    let market = Market::new(series.collect()).expect("valid");
    let config = BacktestConfig::frictionless(Cash(1.0), FillTiming::SameClose);
    let wealth = |days: usize| {
        let mut strategy = Each(|context: &Context<'_>, requests: &mut Requests| {
            for instrument in context.instruments().filter(|_| context.step() < days) {
                requests.target_weight(instrument, 1.0 / assets as f64);
            }
        });
        run_ok(&market, &config, &mut strategy).final_equity().0
    };
    Some([wealth(1), wealth(usize::MAX)])
}

#[test]
fn uniform_portfolios_end_where_the_literature_says() {
    let expected =
        [("nyse_o", [14.497_308, 27.075_246]), ("djia", [0.764_361, 0.812_726]), ("msci", [0.906_352, 0.926_836])];
    for (name, expected) in expected {
        let Some(found) = uniform_portfolios(name) else { return };
        for (found, expected) in found.into_iter().zip(expected) {
            assert!((found - expected).abs() < 5.1e-7, "{name}: found `{found}`, expected `{expected}`");
        }
    }
}

/// Unpacks the one file of a zip archive: a local header of 30 bytes with the lengths of name and extra field at 26 and 28.
fn unzip(archive: &[u8]) -> String {
    assert_eq!(archive[8..10], [8, 0], "deflated");
    let length = |at: usize| usize::from(u16::from_le_bytes([archive[at], archive[at + 1]]));
    let start = 30 + length(26) + length(28);
    let mut text = String::new();
    flate2::read::DeflateDecoder::new(&archive[start..]).read_to_string(&mut text).expect("deflate");
    text
}

/// SPY between two dates, both included, adjusted by Lean's factor file: the first line whose date is not before the bar's.
fn spy(archive: &str, interval: &str, first: &str, last: &str) -> Option<Market> {
    let text = unzip(&reference(archive)?);
    let factors = String::from_utf8(reference("us_daily/lean/equity/usa/factor_files/spy.csv")?).expect("text");
    let factors: Vec<(&str, Vec<f64>)> = factors.lines().map(|line| (&line[..8], numbers(line))).collect();
    let (mut time, mut rows) = (Vec::new(), Vec::new());
    for line in text.lines().filter(|line| &line[..8] >= first && &line[..8] <= last) {
        let (_, factor) = factors.iter().find(|(date, _)| *date >= &line[..8]).expect("a factor");
        let scale = factor[1] * factor[2] / 10_000.0;
        let date = format!("{}-{}-{}", &line[..4], &line[4..6], &line[6..8]);
        let minutes = line[9..11].parse::<i64>().expect("hours") * 60 + line[12..14].parse::<i64>().expect("minutes");
        time.push(midnight(&date).plus_nanos(minutes * 60_000_000_000));
        let cells = numbers(line);
        rows.push([cells[1] * scale, cells[2] * scale, cells[3] * scale, cells[4] * scale, cells[5]]);
    }
    let instrument = Instrument { lot_size: Some(1.0), ..Instrument::fractional("SPY") };
    Some(Market::new(vec![(instrument, bars(time, &rows, interval))]).expect("valid"))
}

/// Lean's account: half a cent a share and at least 1, and 0.25 % of equity left alone with the fee inside.
fn lean(fill: FillTiming) -> BacktestConfig {
    BacktestConfig {
        sizing: TargetSizing::AtDecision { cash_buffer: 0.0025, fees_included: true },
        commission: Commission::PerShare { per_share: 0.005, minimum: 1.0, maximum_fraction: None },
        ..BacktestConfig::frictionless(Cash(100_000.0), fill)
    }
}

#[track_caller]
fn ends_with(journal: &Journal, equity: f64, fees: f64) {
    let cents = |amount: f64| (amount * 100.0 + 1e-7).round() / 100.0;
    assert_eq!([cents(journal.final_equity().0), cents(journal.totals.commission.0)], [equity, fees]);
}

#[test]
fn lean_s_trend_follower_ends_at_137_751_04_after_468_54_of_fees() {
    let archive = "us_daily/lean/equity/usa/daily/spy.zip";
    let Some(market) = spy(archive, "1d", "20040101", "20150101") else { return };
    let periods = MacdBars { fast: bars_of(12), slow: bars_of(26), signal: bars_of(9) };
    let (mut macd, mut fast) = (Macd::new(periods).expect("12 < 26"), Ema::new(bars_of(12)));
    let one = InstrumentId(0);
    let mut strategy = Each(|context: &Context<'_>, requests: &mut Requests| {
        let close = context.close(one).expect("one instrument");
        let (Some(value), Some(fast)) = (macd.update(close), fast.update(close)) else { return };
        let held = context.position(one).quantity.0;
        let trend = value.histogram / fast;
        if held == 0.0 && trend > 0.002_5 {
            requests.target_weight(one, 1.0);
        } else if held > 0.0 && trend < -0.002_5 {
            requests.target_weight(one, 0.0);
        }
    });
    let journal = run_ok(&market, &lean(FillTiming::NextOpen), &mut strategy);
    assert_eq!((journal.fills.len(), journal.equity.len()), (84, 2_769));
    ends_with(&journal, 137_751.04, 468.54);
}

/// Buys what the account pays for at the first close.
fn buys_once(market: &Market, fill: FillTiming) -> Journal {
    let mut strategy = Each(|context: &Context<'_>, requests: &mut Requests| {
        if context.step() == 0 {
            requests.target_weight(InstrumentId(0), 1.0);
        }
    });
    run_ok(market, &lean(fill), &mut strategy)
}

#[test]
fn lean_s_daily_template_holds_697_shares() {
    let archive = "us_daily/lean/equity/usa/daily/spy.zip";
    let Some(market) = spy(archive, "1d", "20131008", "20131017") else { return };
    let journal = buys_once(&market, FillTiming::NextOpen);
    assert_eq!(journal.positions[0].quantity.0, 697.0);
    ends_with(&journal, 104_486.22, 3.49);
}

#[test]
fn lean_s_hourly_template_holds_687_shares() {
    let archive = "intraday/lean/equity/usa/hour/spy.zip";
    let Some(market) = spy(archive, "1h", "20131007", "20131011") else { return };
    let journal = buys_once(&market, FillTiming::SameClose);
    assert_eq!(journal.positions[0].quantity.0, 687.0);
    ends_with(&journal, 101_529.08, 3.44);
}
