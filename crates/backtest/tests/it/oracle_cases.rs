//! The engine against the oracle on random cases.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use tidegate_backtest::{Context, InstrumentData, Journal, Market, OrderId, OrderStatus, Requests, Strategy, run};
use tidegate_market::{
    BarColumns, BarInterval, BarLabel, Bars, CorporateAction, Instrument, InstrumentId, RateSeries, Timestamp,
};

use crate::oracle::{Ask, Case, HOUR, Listed, Outcome, replay};
use crate::oracle_random::random_case;

/// Submits what the script says.
pub(crate) struct Script<'a> {
    script: &'a [Vec<Ask>],
    hours: i64,
}

impl<'a> Script<'a> {
    pub(crate) fn of(case: &'a Case) -> Self {
        Self { script: &case.script, hours: case.hours }
    }
}

impl Strategy for Script<'_> {
    fn on_bar(&mut self, context: &Context<'_>, requests: &mut Requests) {
        let step = context.now().nanos() / (self.hours * HOUR) - 1;
        for ask in &self.script[step as usize] {
            match *ask {
                Ask::Order(request) => drop(requests.submit(request)),
                Ask::Bracket(entry, exits) => drop(requests.bracket(entry, exits)),
                Ask::Pair(first, second) => drop(requests.one_cancels_other(first, second)),
                Ask::Cancel(id) => requests.cancel(OrderId(id as u32)),
                Ask::Replace(id, replacement) => drop(requests.replace(OrderId(id as u32), replacement)),
            }
        }
    }
}

fn bars(rows: impl Iterator<Item = (i64, [f64; 5])>, interval: BarInterval) -> Arc<Bars> {
    let mut columns = BarColumns::default();
    for (time, [open, high, low, close, volume]) in rows {
        columns.time.push(Timestamp::from_nanos(time));
        columns.open.push(open);
        columns.high.push(high);
        columns.low.push(low);
        columns.close.push(close);
        columns.volume.push(volume);
    }
    Arc::new(Bars::new(columns, BarLabel::Open, interval).expect("sane"))
}

fn rates(pairs: &[(i64, f64)]) -> Option<Arc<RateSeries>> {
    let times = pairs.iter().map(|&(time, _)| Timestamp::from_nanos(time)).collect();
    let series = RateSeries::new(times, pairs.iter().map(|&(_, rate)| rate).collect()).expect("ascending");
    (!pairs.is_empty()).then(|| Arc::new(series))
}

fn to_data(case: &Case, place: usize, listed: &Listed) -> InstrumentData {
    let hours = |hours: i64| format!("{hours}h").parse::<BarInterval>().expect("valid");
    let at = |step: usize| case.open_time(step);
    let rows = listed.rows.iter().enumerate().filter_map(|(step, row)| row.map(|row| (at(step), row)));
    let detail = listed.fine.as_ref().map(|fine| {
        let half = case.hours / 2;
        let of_step = |step: usize| {
            let [first, second] = fine[step];
            let with_volume = |bar: [f64; 4]| [bar[0], bar[1], bar[2], bar[3], 1.0];
            [(at(step), with_volume(first)), (at(step) + half * HOUR, with_volume(second))]
        };
        let present = (0..listed.rows.len()).filter(|&step| listed.rows[step].is_some());
        bars(present.flat_map(of_step), hours(half))
    });
    let instrument = Instrument {
        lot_size: listed.lot,
        tick_size: listed.tick,
        multiplier: listed.multiplier,
        ..Instrument::fractional(format!("S{place}"))
    };
    let action = |&(step, kind): &(usize, _)| CorporateAction { time: Timestamp::from_nanos(at(step)), kind };
    InstrumentData {
        actions: listed.actions.iter().map(action).collect(),
        detail,
        fx: rates(&listed.fx),
        funding: rates(&listed.funding),
        ..InstrumentData::new(instrument, bars(rows, hours(case.hours)))
    }
}

pub(crate) fn to_market(case: &Case) -> Market {
    let data = case.listed.iter().enumerate().map(|(place, listed)| to_data(case, place, listed)).collect();
    Market::build(data, None).expect("valid")
}

pub(crate) fn run_engine(case: &Case) -> Journal {
    run(&to_market(case), &[], &case.config, &mut Script::of(case)).expect("valid run")
}

/// The first difference between the engine and the oracle, in words.
fn difference(case: &Case, journal: &Journal, outcome: &Outcome) -> Option<String> {
    let step_of = |time: Timestamp| time.nanos() / (case.hours * HOUR);
    let near = |found: f64, expected: f64, scale: f64| (found - expected).abs() <= 1e-9 * scale.max(expected.abs());
    for (place, (fill, expected)) in journal.fills.iter().zip(&outcome.fills).enumerate() {
        let units = fill.side.sign() * fill.quantity.0;
        let is_same = fill.order.index() == expected.order
            && step_of(fill.time) == expected.step as i64
            && near(units, expected.units, 1.0)
            && near(fill.price.0, expected.price, 1.0)
            && near(fill.commission.0, expected.fee, 1.0);
        if !is_same {
            let order = &journal.orders[fill.order.index()];
            let step = step_of(fill.time);
            return Some(format!(
                "fill {place} at {step}: {order:?}\n expected {expected:?}\n of {:?}",
                outcome.orders.get(expected.order)
            ));
        }
    }
    for (found, expected) in journal.orders.iter().zip(&outcome.orders) {
        if found.status != expected.state || found.origin != expected.origin {
            let ended = found.ended_time().map(step_of);
            return Some(format!(
                "order: {found:?} ended at step {ended:?}\n submitted at step {}\n expected {expected:?}",
                step_of(found.submitted_time)
            ));
        }
    }
    if journal.fills.len() != outcome.fills.len() || journal.orders.len() != outcome.orders.len() {
        let extra = outcome.fills.get(journal.fills.len());
        let more = journal.fills.get(outcome.fills.len());
        return Some(format!(
            "fills: {} found and {} expected, orders: {} and {}\n not found {extra:?}\n not expected {more:?}",
            journal.fills.len(),
            outcome.fills.len(),
            journal.orders.len(),
            outcome.orders.len()
        ));
    }
    if journal.equity.len() != outcome.equity.len() {
        return Some(format!("rows: {}, expected {}", journal.equity.len(), outcome.equity.len()));
    }
    for (position, &units) in journal.positions.iter().zip(&outcome.units) {
        if !near(position.quantity.0, units, 1.0) {
            return Some(format!("position: {position:?}, expected {units}"));
        }
    }
    let mut found = BTreeMap::new();
    let mut expected = BTreeMap::new();
    for flow in &journal.cash_flows {
        let key = (step_of(flow.time) as usize, flow.instrument.map(InstrumentId::index), format!("{:?}", flow.kind));
        *found.entry(key).or_insert(0.0) += flow.amount.0;
    }
    for &(step, instrument, kind, amount) in &outcome.flows {
        *expected.entry((step, instrument, format!("{kind:?}"))).or_insert(0.0) += amount;
    }
    found.retain(|_, amount: &mut f64| amount.abs() > 1e-9);
    expected.retain(|_, amount: &mut f64| amount.abs() > 1e-9);
    if !found.keys().eq(expected.keys()) || !found.values().zip(expected.values()).all(|(&a, &b)| near(a, b, 1.0)) {
        let first = found.iter().zip(&expected).find(|(a, b)| a.0 != b.0 || !near(*a.1, *b.1, 1.0));
        return Some(format!(
            "cash flows: {} found and {} expected, first difference {first:?}",
            found.len(),
            expected.len()
        ));
    }
    let scale = case.config.initial_cash.0;
    for (row, (&found, &expected)) in journal.equity.equity().iter().zip(&outcome.equity).enumerate() {
        if !near(found, expected, scale) {
            return Some(format!("equity of row {row}: {found}, expected {expected}"));
        }
    }
    let calls: Vec<usize> = journal.margin_calls.iter().map(|&time| step_of(time) as usize).collect();
    if calls != outcome.margin_calls {
        return Some(format!("margin calls: {calls:?}, expected {:?}", outcome.margin_calls));
    }
    if journal.totals.ambiguous_bars != outcome.ambiguous {
        return Some(format!("ambiguous bars: {}, expected {}", journal.totals.ambiguous_bars, outcome.ambiguous));
    }
    None
}

/// How often the cases reach each rule.
#[derive(Default)]
struct Counts(BTreeMap<String, usize>);

impl Counts {
    fn add(&mut self, what: impl Into<String>, count: usize) {
        *self.0.entry(what.into()).or_insert(0) += count;
    }

    /// The name of a variant, without what it holds.
    fn name(value: &impl Debug) -> String {
        let text = format!("{value:?}");
        text.split(['(', ' ', '{']).next().unwrap_or_default().to_owned()
    }

    fn take(&mut self, case: &Case, journal: &Journal) {
        for order in &journal.orders {
            let status = match order.status {
                OrderStatus::Cancelled(reason) => format!("cancelled {reason:?}"),
                OrderStatus::Denied(reason) => format!("denied {reason:?}"),
                status => format!("{status:?}"),
            };
            self.add(status, 1);
            let is_trimmed = order.status == OrderStatus::Filled && order.remaining() > 1e-9 * order.quantity.0;
            self.add("filled by less than asked for", usize::from(is_trimmed));
            self.add(format!("origin {:?}", order.origin), 1);
        }
        for fill in &journal.fills {
            let order = &journal.orders[fill.order.index()];
            self.add(format!("fill of {}", Self::name(&order.kind)), 1);
            self.add(format!("fill of {}", Self::name(&order.time_in_force)), 1);
            self.add(format!("fill at {:?}", fill.moment), 1);
            self.add(format!("fill as {:?}", fill.liquidity), 1);
            self.add(format!("fill with commission {}", Self::name(&case.config.commission)), 1);
            self.add(format!("fill with slippage {}", Self::name(&case.config.slippage)), 1);
            self.add(format!("fill with {:?}", case.config.fill), 1);
            self.add(format!("fill with {:?}", case.config.path), 1);
            self.add(format!("fill with {:?}", case.config.limit_fill), 1);
            self.add(format!("fill with latency {}", Self::name(&case.config.latency)), 1);
            self.add(format!("fill with account {}", Self::name(&case.config.account)), 1);
            self.add("fill of a leg", usize::from(order.links().parent.is_some()));
            self.add("fill of a replacement", usize::from(order.links().replaces.is_some()));
            self.add("fill in finer bars", usize::from(case.listed[fill.instrument.index()].fine.is_some()));
            self.add("fill in another currency", usize::from(fill.fx_rate != 1.0));
            self.add("fill in parts", usize::from(fill.quantity.0 < order.filled_quantity.0 * 0.999));
        }
        for flow in &journal.cash_flows {
            self.add(format!("flow {:?}", flow.kind), 1);
        }
        for action in &journal.actions {
            self.add(format!("action {}", Self::name(&action.kind)), 1);
        }
        self.add("margin calls", journal.margin_calls.len());
        self.add("ambiguous bars", journal.totals.ambiguous_bars as usize);
        self.add("ruined accounts", usize::from(journal.halt.is_some()));
    }
}

/// Counts of which the cases must have at least so many.
const LEAST: [(&str, usize); 54] = [
    ("Filled", 40_000),
    ("filled by less than asked for", 3_000),
    ("fill in parts", 8_000),
    ("fill in finer bars", 8_000),
    ("fill in another currency", 10_000),
    ("fill of a leg", 2_500),
    ("fill of a replacement", 700),
    ("fill of MarketOnOpen", 3_000),
    ("fill of MarketOnClose", 3_000),
    ("fill of Limit", 8_000),
    ("fill of Stop", 5_000),
    ("fill of StopLimit", 5_000),
    ("fill of TrailingStop", 5_000),
    ("fill of Day", 5_000),
    ("fill of Gtd", 5_000),
    ("fill of Ioc", 3_000),
    ("fill of Fok", 1_500),
    ("fill as Maker", 8_000),
    ("fill at Inside", 10_000),
    ("fill with SameCloseBookedNext", 4_000),
    ("fill with latency Bars", 2_500),
    ("fill with latency Nanos", 2_500),
    ("fill with account Cash", 2_000),
    ("fill with account Margin", 4_000),
    ("fill with commission Tiered", 5_000),
    ("fill with commission MakerTaker", 5_000),
    ("fill with slippage VolumeShare", 5_000),
    ("fill with slippage Ticks", 3_000),
    ("action Split", 800),
    ("action Dividend", 800),
    ("action Delisting", 200),
    ("flow BorrowFee", 10_000),
    ("flow CashInterest", 10_000),
    ("flow MarginInterest", 3_000),
    ("flow Funding", 4_000),
    ("cancelled NotImmediate", 5_000),
    ("cancelled NothingToReduce", 5_000),
    ("cancelled OtherFilled", 3_000),
    ("cancelled ParentEnded", 5_000),
    ("cancelled Replaced", 1_000),
    ("cancelled Expired", 1_000),
    ("cancelled DayEnded", 2_000),
    ("cancelled NoRoomAtFill", 100),
    ("cancelled MarginCall", 40),
    ("denied Bracket", 1_500),
    ("denied BuyingPower", 2_000),
    ("denied GrossLeverageLimit", 4_000),
    ("denied ShortSale", 1_500),
    ("denied NothingToReplace", 2_000),
    ("denied Tick", 150),
    ("denied Lot", 200),
    ("margin calls", 40),
    ("ambiguous bars", 2_000),
    ("ruined accounts", 10),
];

#[test]
#[expect(clippy::print_stdout, reason = "the table is read with --nocapture")]
fn the_engine_equals_the_oracle_on_two_thousand_random_cases() {
    let mut counts = Counts::default();
    for seed in 1..=2_000 {
        let case = random_case(seed);
        let journal = run_engine(&case);
        if let Some(difference) = difference(&case, &journal, &replay(&case)) {
            panic!("case {seed} with {:#?}: {difference}", case.config);
        }
        counts.take(&case, &journal);
    }
    for (what, count) in &counts.0 {
        println!("{count:>8} {what}");
    }
    for (what, least) in LEAST {
        let found = counts.0.get(what).copied().unwrap_or(0);
        assert!(found >= least, "{what}: `{found}`, at least `{least}` expected");
    }
}
