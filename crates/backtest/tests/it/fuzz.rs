//! Requests, bars and configs made of arbitrary bytes: whatever is asked, the engine answers with an error or a journal whose books
//! balance, and never panics.
//!
//! The kept inputs in `tests/corpus` are replayed every time, and some hundred more made from them. `TIDEGATE_FUZZ_SECONDS=600` goes on
//! for that long; an input that panics is written beside the others, so that it is replayed from then on.

use std::fs;
use std::num::{NonZeroU32, NonZeroUsize};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tidegate_backtest::{
    AccountKind, BacktestConfig, Commission, CommissionTier, Context, DataEnd, Exits, FeeBasis, FillTiming, Financing,
    InstrumentData, Journal, Latency, LimitFill, Market, OrderId, OrderKind, OrderRequest, PathModel, Replacement,
    Requests, RiskLimits, Slippage, SlippageScope, Strategy, TargetSizing, TimeInForce, Trail, run,
};
use tidegate_market::{
    Bps, Cash, CorporateAction, CorporateActionKind, Instrument, InstrumentId, Price, Quantity, RateSeries, Session,
    Sessions, Side, Timestamp,
};

use crate::support::{Generator, Ohlc, bars_with_gaps};

const DAY: i64 = Timestamp::NANOS_PER_DAY;

/// Reads values off bytes; zeros once they are used up.
struct Input<'a> {
    bytes: &'a [u8],
    place: usize,
}

impl Input<'_> {
    fn byte(&mut self) -> u8 {
        let byte = self.bytes.get(self.place).copied().unwrap_or(0);
        self.place += 1;
        byte
    }

    fn below(&mut self, count: u8) -> u8 {
        self.byte() % count
    }

    fn chance(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// A number: mostly ordinary, now and then as bad as a number can be.
    fn number(&mut self) -> f64 {
        const BAD: [f64; 12] = [
            0.0,
            -0.0,
            -1.0,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MAX,
            f64::MIN_POSITIVE,
            1e-300,
            1e15,
            1e-9,
            0.1,
        ];
        match self.byte() {
            choice @ 0..48 => BAD[choice as usize % BAD.len()],
            48..64 => f64::from_bits(u64::from_le_bytes(std::array::from_fn(|_| self.byte()))),
            _ => f64::from(u16::from_le_bytes([self.byte(), self.byte()])) / 256.0,
        }
    }

    /// A setting: a fraction that most configs accept, now and then any number.
    fn setting(&mut self) -> f64 {
        if self.byte() < 6 { self.number() } else { (1.0 + f64::from(self.byte())) / 512.0 }
    }

    fn option<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let given = self.chance();
        given.then(|| value(self))
    }

    fn time(&mut self) -> Timestamp {
        Timestamp::from_nanos(i64::from(self.byte()) * DAY / 4)
    }

    fn rates(&mut self) -> Option<Arc<RateSeries>> {
        let rates = (0..3).map(|_| self.setting()).collect();
        let times = (0..3).map(|step| Timestamp::from_nanos(step * DAY)).collect();
        RateSeries::new(times, rates).ok().map(Arc::new)
    }

    fn action(&mut self) -> CorporateAction {
        let kind = match self.below(3) {
            0 => CorporateActionKind::Split { ratio: self.setting() },
            1 => CorporateActionKind::Dividend { amount: self.setting() },
            _ => CorporateActionKind::Delisting { price: self.option(|input| Price(input.setting())) },
        };
        CorporateAction { time: self.time(), kind }
    }

    fn instrument(&mut self, place: usize) -> InstrumentData {
        let rows: Vec<Option<Ohlc>> = (0..24).map(|_| self.bar()).collect();
        let instrument = Instrument {
            lot_size: self.option(Self::setting),
            tick_size: self.option(Self::setting),
            multiplier: if self.chance() { 1.0 } else { self.setting() },
            group: self.option(|_| "group".to_owned()),
            ..Instrument::fractional(format!("S{place}"))
        };
        let mut data = InstrumentData::new(instrument, Arc::new(bars_with_gaps(&rows, "1d")));
        data.actions = (0..self.below(3)).map(|_| self.action()).collect();
        data.fx = if self.below(4) == 0 { self.rates() } else { None };
        data.funding = if self.below(4) == 0 { self.rates() } else { None };
        data.detail = self.option(|input| {
            let rows: Vec<Option<Ohlc>> = (0..96).map(|_| input.bar()).collect();
            Arc::new(bars_with_gaps(&rows, "6h"))
        });
        data
    }

    /// A sane bar anywhere between one and a few thousand; none now and then.
    fn bar(&mut self) -> Option<Ohlc> {
        let middle = 1.0 + f64::from(u16::from_le_bytes([self.byte(), self.byte()])) / 16.0;
        let [up, down] = [self.byte(), self.byte()].map(|byte| f64::from(byte) / 512.0);
        let [open, close] = if self.chance() { [middle, middle * (1.0 + up)] } else { [middle, middle * (1.0 - down)] };
        (self.byte() > 16).then(|| [open, open.max(close) * (1.0 + down), open.min(close) * (1.0 - up), close])
    }

    fn config(&mut self) -> BacktestConfig {
        let fill = match self.below(4) {
            0 => FillTiming::NextOpen,
            1 => FillTiming::NextClose,
            2 => FillTiming::SameClose,
            _ => FillTiming::SameCloseBookedNext,
        };
        BacktestConfig {
            account: match self.below(3) {
                0 => AccountKind::Unrestricted,
                1 => AccountKind::Cash,
                _ => AccountKind::Margin { initial: 0.5, maintenance: 0.25 },
            },
            path: if self.chance() { PathModel::Pessimistic } else { PathModel::NearestExtreme },
            limit_fill: if self.chance() { LimitFill::Touch } else { LimitFill::Penetrate },
            latency: match self.below(6) {
                0 => Latency::Bars(NonZeroU32::MIN),
                1 => Latency::Nanos(i64::from(self.byte()) * DAY / 16),
                _ => Latency::None,
            },
            sizing: match self.below(4) {
                0 => TargetSizing::AtFill { budget_fraction: 1.0, fee_basis: FeeBasis::Quote },
                1 => TargetSizing::AtDecision { cash_buffer: 0.01, fees_included: true },
                _ => TargetSizing::AtDecision { cash_buffer: 0.0, fees_included: false },
            },
            volume_share_max: if self.below(4) == 0 { Some(self.setting()) } else { None },
            commission: self.commission(),
            slippage: self.slippage(),
            slippage_scope: if self.chance() { SlippageScope::All } else { SlippageScope::Entries },
            financing: if self.below(4) == 0 {
                Financing { borrow_rate: self.setting(), margin_rate: self.setting(), cash_rate: self.setting() }
            } else {
                Financing::NONE
            },
            session_exit: self.below(6) == 0,
            data_end: if self.chance() { DataEnd::Keep } else { DataEnd::Close },
            limits: self.limits(),
            ..BacktestConfig::frictionless(Cash(10_000.0), fill)
        }
    }

    fn commission(&mut self) -> Commission {
        match self.below(8) {
            0 => Commission::Bps(Bps(self.setting())),
            1 => Commission::Fixed(Cash(self.setting())),
            2 => Commission::PerShare {
                per_share: self.setting(),
                minimum: self.setting(),
                maximum_fraction: self.option(Self::setting),
            },
            3 => {
                let tier = |from_value, bps| CommissionTier { from_value, bps: Bps(bps) };
                Commission::Tiered(Arc::from([tier(0.0, 20.0), tier(500.0 + self.setting(), self.setting())]))
            }
            4 => Commission::MakerTaker { maker: Bps(self.setting()), taker: Bps(self.setting()) },
            _ => Commission::None,
        }
    }

    fn slippage(&mut self) -> Slippage {
        match self.below(8) {
            0 => Slippage::Bps(Bps(self.setting())),
            1 => Slippage::HalfSpread(Price(self.setting())),
            2 => Slippage::Ticks(self.setting()),
            3 => Slippage::VolumeShare { impact: self.setting(), share_max: self.setting() },
            4 => Slippage::SquareRootImpact {
                coefficient: self.setting(),
                lookback_bars: NonZeroUsize::new(5).expect("above zero"),
            },
            _ => Slippage::None,
        }
    }

    fn limits(&mut self) -> RiskLimits {
        RiskLimits {
            gross_leverage_max: self.option(|_| 1.0),
            net_leverage_max: self.option(|_| 0.8),
            weight_max: self.option(|_| 0.5),
            group_weight_max: self.option(|_| 0.6),
            daily_turnover_max: self.option(|_| 0.7),
            positions_max: self.option(|_| 1),
            drawdown_stop: self.option(|_| 0.5),
            daily_loss_stop: self.option(|_| 0.1),
            losing_trades_stop: self.option(|input| u32::from(input.byte())),
        }
    }

    fn kind(&mut self) -> OrderKind {
        match self.below(8) {
            0 => OrderKind::MarketOnOpen,
            1 => OrderKind::MarketOnClose,
            2 => OrderKind::Limit(Price(self.number())),
            3 => OrderKind::Stop(Price(self.number())),
            4 => OrderKind::StopLimit { stop: Price(self.number()), limit: Price(self.number()) },
            5 => OrderKind::TrailingStop(Trail::Absolute(self.number())),
            6 => OrderKind::TrailingStop(Trail::Fraction(self.number() / 256.0)),
            _ => OrderKind::Market,
        }
    }

    fn time_in_force(&mut self) -> TimeInForce {
        match self.below(6) {
            0 => TimeInForce::Day,
            1 => TimeInForce::Gtd(self.time()),
            2 => TimeInForce::Ioc,
            3 => TimeInForce::Fok,
            _ => TimeInForce::Gtc,
        }
    }

    fn request(&mut self, instruments: usize) -> OrderRequest {
        let instrument = InstrumentId(u32::from(self.byte()) % instruments as u32);
        let side = if self.chance() { Side::Buy } else { Side::Sell };
        let request = OrderRequest::market(instrument, side, Quantity(self.number()))
            .with_kind(self.kind())
            .with_time_in_force(self.time_in_force());
        if self.below(4) == 0 { request.reduce_only() } else { request }
    }

    fn exits(&mut self) -> Exits {
        Exits { take_profit: self.option(|input| Price(input.number())), stop_loss: self.option(Self::kind) }
    }
}

/// Asks for whatever the bytes say.
struct Fuzzer<'a>(Input<'a>);

impl Strategy for Fuzzer<'_> {
    fn on_bar(&mut self, context: &Context<'_>, requests: &mut Requests) {
        let input = &mut self.0;
        let instruments = context.instrument_count();
        for _ in 0..input.below(4) {
            let any_order = OrderId(u32::from(input.byte()));
            let instrument = InstrumentId(u32::from(input.byte()) % instruments as u32);
            match input.below(8) {
                0 => requests.cancel(any_order),
                1 => {
                    let quantity = input.option(|input| Quantity(input.number()));
                    let (kind, life) = (input.option(Input::kind), input.option(Input::time_in_force));
                    requests.replace(any_order, Replacement { quantity, kind, time_in_force: life });
                }
                2 => {
                    let (entry, exits) = (input.request(instruments), input.exits());
                    requests.bracket(entry, exits);
                }
                3 => {
                    let pair = [input.request(instruments), input.request(instruments)];
                    requests.one_cancels_other(pair[0], pair[1]);
                }
                4 => requests.target_weight(instrument, input.number() / 256.0),
                5 => {
                    let weight = input.number() / 256.0;
                    requests.target_weight_with_exits(instrument, weight, input.exits());
                }
                _ => {
                    let request = input.request(instruments);
                    requests.submit(request);
                }
            }
        }
    }
}

/// Runs what the bytes describe; an error is an answer too.
fn run_bytes(bytes: &[u8]) -> Option<Journal> {
    let mut input = Input { bytes, place: 0 };
    let config = input.config();
    let series: Vec<InstrumentData> = (0..=input.below(3) as usize).map(|place| input.instrument(place)).collect();
    let sessions = input.option(|_| {
        let sessions = (0..24).map(|day| Session {
            open: Timestamp::from_nanos(day * DAY),
            close: Timestamp::from_nanos((day + 1) * DAY),
        });
        Arc::new(Sessions::new(sessions.collect()).expect("in order"))
    });
    let market = Market::build(series, sessions).ok()?;
    let journal = run(&market, &[], &config, &mut Fuzzer(input)).ok()?;
    check(&journal);
    Some(journal)
}

fn check(journal: &Journal) {
    for order in &journal.orders {
        let parent = order.links().parent.map(|parent| journal.orders[parent.index()]);
        assert!(order.status.is_final(), "an order is left in the book: {order:?}, its parent {parent:?}");
        assert!(order.filled_quantity.0 >= 0.0, "{order:?}");
    }
    for fill in &journal.fills {
        assert!(fill.quantity.0 > 0.0 && fill.price.0 >= 0.0, "{fill:?}");
    }
}

fn corpus() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

/// Kept inputs, in the order of their names.
fn kept() -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(corpus()).expect("the corpus").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).expect("a readable input")).collect()
}

fn mutated(kept: &[Vec<u8>], generator: &mut Generator) -> Vec<u8> {
    let mut bytes = kept[generator.below(kept.len())].clone();
    for _ in 0..=generator.below(12) {
        let byte = generator.below(256) as u8;
        let place = generator.below(bytes.len().max(1));
        match generator.below(5) {
            0 | 1 if !bytes.is_empty() => bytes[place] = byte,
            2 => bytes.insert(place.min(bytes.len()), byte),
            3 if bytes.len() > 1 => drop(bytes.remove(place)),
            _ => bytes.extend((0..generator.below(64)).map(|_| generator.below(256) as u8)),
        }
    }
    bytes
}

#[test]
fn whatever_is_asked_the_books_balance_and_nothing_panics() {
    let kept = kept();
    assert!(kept.len() >= 8, "the corpus is in the repository");
    let [mut ran, mut fills] = [0, 0];
    for bytes in &kept {
        let journal = run_bytes(bytes);
        ran += usize::from(journal.is_some());
        fills += journal.map_or(0, |journal| journal.fills.len());
    }
    assert!(ran >= 4 && fills >= 20, "the corpus trades: `{ran}` runs, `{fills}` fills");
    let seconds = std::env::var("TIDEGATE_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    let (started, mut generator) = (Instant::now(), Generator(19));
    let [mut cases, mut ran] = [0_u64; 2];
    while cases < 500 || started.elapsed() < Duration::from_secs(seconds) {
        let bytes = mutated(&kept, &mut generator);
        cases += 1;
        if let Ok(journal) = catch_unwind(AssertUnwindSafe(|| run_bytes(&bytes))) {
            ran += u64::from(journal.is_some());
        } else {
            let path = corpus().join(format!("panic_{cases}.bin"));
            fs::write(&path, &bytes).expect("a writable corpus");
            panic!("case `{cases}` panics; it is kept as `{}`", path.display());
        }
    }
    assert!(ran * 5 > cases, "`{ran}` of `{cases}` cases ran to their end");
}
