//! Cash, positions and what they earned. Cash and quantity change in three places only: [`Account::apply_fill`],
//! [`Account::apply_cash_flow`] and [`Account::apply_split`].

use tidegate_market::{Cash, Instrument, Price, Quantity, Side};

use crate::instrument_set::InstrumentSet;
use crate::lots::{Entry, Extremes, Lot, LotQueue};
use crate::{CashFlowKind, ClosedTrade, Fill, FillMoment, Position};

/// Running sums over all fills, in the account's currency.
///
/// `equity = initial cash + realized_pnl + unrealized_pnl - commission + dividends + cash_interest - borrow_fees - margin_interest -
/// funding` holds at every bar. Slippage is contained in the fill prices, hence in the two kinds of pnl; it is counted beside them, not
/// subtracted again.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Totals {
    /// Gains of closed units against their average cost, before commission.
    pub realized_pnl: Cash,
    /// Gains of held units against their average cost at the last marks.
    pub unrealized_pnl: Cash,
    /// Commission paid.
    pub commission: Cash,
    /// Money lost to fills worse than the quoted price.
    pub slippage: Cash,
    /// Absolute value of everything traded.
    pub turnover: Cash,
    /// Dividends received less dividends paid on short positions.
    pub dividends: Cash,
    /// Interest earned on cash.
    pub cash_interest: Cash,
    /// Fees paid for borrowed units.
    pub borrow_fees: Cash,
    /// Interest paid on borrowed money.
    pub margin_interest: Cash,
    /// Funding paid on perpetual contracts, less what was received.
    pub funding: Cash,
    /// Bars of an instrument in which two or more orders filled at unknown places inside the range.
    pub ambiguous_bars: u64,
}

impl Totals {
    /// Returns what equity has gained since the start: every kind of income less every kind of cost.
    pub fn earned(&self) -> Cash {
        let income = self.realized_pnl.0 + self.unrealized_pnl.0 + self.dividends.0 + self.cash_interest.0;
        let costs = self.commission.0 + self.borrow_fees.0 + self.margin_interest.0 + self.funding.0;
        Cash(income - costs)
    }
}

/// What the account holds, in money.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Exposure {
    pub(crate) gross: f64,
    pub(crate) net: f64,
}

/// The high and low column of the instrument that a fill is in.
#[derive(Clone, Copy)]
pub(crate) struct Range<'a> {
    pub(crate) high: &'a [f64],
    pub(crate) low: &'a [f64],
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Account {
    cash: f64,
    positions: Vec<Position>,
    /// The instruments whose position is not zero.
    held: InstrumentSet,
    lots: Vec<LotQueue>,
    totals: Totals,
    /// The largest sum of money that one fill moved: what rounding is measured by.
    largest_fill: f64,
}

impl Account {
    /// Opens an account in the memory of an earlier one.
    pub(crate) fn renewed(mut self, initial_cash: Cash, instruments: &[Instrument]) -> Self {
        self.positions.clear();
        self.positions.extend(instruments.iter().map(|instrument| Position::flat(instrument.multiplier)));
        self.held.reset(instruments.len());
        for lots in &mut self.lots {
            lots.clear();
        }
        self.lots.resize_with(instruments.len(), LotQueue::default);
        Self { cash: initial_cash.0, totals: Totals::default(), largest_fill: 0.0, ..self }
    }

    /// Returns the largest sum of money that one fill moved.
    pub(crate) const fn largest_fill(&self) -> f64 {
        self.largest_fill
    }

    #[inline]
    pub(crate) const fn cash(&self) -> f64 {
        self.cash
    }

    #[inline]
    pub(crate) fn positions(&self) -> &[Position] {
        &self.positions
    }

    /// Returns the instruments whose position is not zero.
    #[inline]
    pub(crate) const fn held(&self) -> &InstrumentSet {
        &self.held
    }

    #[inline]
    pub(crate) fn units(&self, instrument: usize) -> f64 {
        self.positions[instrument].quantity.0
    }

    #[inline]
    pub(crate) fn mark(&mut self, instrument: usize, price: f64) {
        self.positions[instrument].mark = Price(price);
    }

    /// Returns what the positions are worth, summed in instrument order.
    #[inline]
    pub(crate) fn exposure(&self) -> Exposure {
        if let [only] = self.positions.as_slice() {
            let net = only.value().0;
            return Exposure { gross: net.abs(), net };
        }
        let mut exposure = Exposure::default();
        for word in 0..self.held.words() {
            for index in self.held.in_word(word) {
                let value = self.positions[index].value().0;
                exposure.gross += value.abs();
                exposure.net += value;
            }
        }
        exposure
    }

    /// Returns the sums with the unrealized gain at the last marks.
    pub(crate) fn totals(&self) -> Totals {
        let unrealized = self.positions.iter().map(|position| position.unrealized_pnl().0).sum();
        Totals { unrealized_pnl: Cash(unrealized), ..self.totals }
    }

    pub(crate) const fn count_ambiguous_bar(&mut self) {
        self.totals.ambiguous_bars += 1;
    }

    /// Books money that moves without a fill; positive is received.
    pub(crate) const fn apply_cash_flow(&mut self, kind: CashFlowKind, amount: f64) {
        self.cash += amount;
        match kind {
            CashFlowKind::Dividend => self.totals.dividends.0 += amount,
            CashFlowKind::CashInterest => self.totals.cash_interest.0 += amount,
            CashFlowKind::BorrowFee => self.totals.borrow_fees.0 -= amount,
            CashFlowKind::MarginInterest => self.totals.margin_interest.0 -= amount,
            CashFlowKind::Funding => self.totals.funding.0 -= amount,
        }
    }

    /// Counts a position in new units from a row on.
    pub(crate) fn apply_split(&mut self, instrument: usize, ratio: f64, row: u32, range: Range<'_>) {
        self.positions[instrument].split(ratio);
        self.lots[instrument].split(ratio, row, range.high, range.low);
    }

    /// Books a fill: moves cash, the position and its lots, and appends the round trips that it completes.
    #[inline]
    pub(crate) fn apply_fill(&mut self, fill: &Fill, range: Range<'_>, trades: &mut Vec<ClosedTrade>) {
        let index = fill.instrument.index();
        let position = &mut self.positions[index];
        let multiplier = position.multiplier;
        let [quantity, price] = [fill.quantity.0, fill.price.0 * fill.fx_rate];
        let units = fill.side.sign() * quantity;
        let held = position.quantity.0;
        self.cash -= units * multiplier * price + fill.commission.0;
        self.totals.realized_pnl.0 += position.apply(units, price);
        self.held.set(index, position.quantity.0 != 0.0);
        self.totals.commission.0 += fill.commission.0;
        self.totals.slippage.0 += fill.slippage.0;
        let value = quantity * multiplier * price;
        self.totals.turnover.0 += value;
        self.largest_fill = if value > self.largest_fill { value } else { self.largest_fill };

        let lots = &mut self.lots[index];
        let opened = if held == 0.0 || held.signum() == units.signum() {
            quantity
        } else {
            close_lots(lots, fill, multiplier, range, trades, quantity.min(held.abs()));
            if position.quantity.0 == 0.0 || position.quantity.0.signum() != held.signum() {
                lots.clear();
            }
            if position.quantity.0 == 0.0 { 0.0 } else { quantity - held.abs() }
        };
        if opened > 0.0 {
            lots.push(&entry(fill, opened), range.high, range.low);
        }
    }
}

#[inline]
fn entry(fill: &Fill, quantity: f64) -> Entry {
    Entry {
        quantity,
        price: fill.price.0,
        fx_rate: fill.fx_rate,
        commission_per_unit: fill.commission.0 / fill.quantity.0,
        slippage_per_unit: fill.slippage.0 / fill.quantity.0,
        row: fill.row,
        time: fill.time,
        first_row_seen: match fill.moment {
            FillMoment::Open | FillMoment::Inside => fill.row,
            FillMoment::Close => fill.row + 1,
        },
    }
}

#[inline]
fn close_lots(
    lots: &mut LotQueue,
    fill: &Fill,
    multiplier: f64,
    range: Range<'_>,
    trades: &mut Vec<ClosedTrade>,
    mut quantity: f64,
) {
    let rows_end = match fill.moment {
        FillMoment::Open | FillMoment::Inside => fill.row,
        FillMoment::Close => fill.row + 1,
    };
    while quantity > 0.0 {
        let Some((lot, extremes)) = lots.take(quantity, rows_end, range.high, range.low) else { return };
        trades.push(closed_trade(fill, multiplier, &lot, extremes));
        quantity -= lot.quantity;
    }
}

#[inline]
fn closed_trade(fill: &Fill, multiplier: f64, lot: &Lot, seen: Extremes) -> ClosedTrade {
    let side = fill.side.opposite();
    let [entry, exit] = [lot.price, fill.price.0];
    let high = seen.high.max(entry).max(exit);
    let low = seen.low.min(entry).min(exit);
    let (worst, best) = match side {
        Side::Buy => (low / entry - 1.0, high / entry - 1.0),
        Side::Sell => (1.0 - high / entry, 1.0 - low / entry),
    };
    let share = lot.quantity / fill.quantity.0;
    ClosedTrade {
        instrument: fill.instrument,
        side,
        quantity: Quantity(lot.quantity),
        entry_row: lot.row,
        entry_time: lot.time,
        entry_price: Price(entry),
        exit_row: fill.row,
        exit_time: fill.time,
        exit_price: Price(exit),
        realized_pnl: Cash(side.sign() * (exit * fill.fx_rate - entry * lot.fx_rate) * lot.quantity * multiplier),
        commission: Cash(lot.commission_per_unit * lot.quantity + fill.commission.0 * share),
        slippage: Cash(lot.slippage_per_unit * lot.quantity + fill.slippage.0 * share),
        max_adverse_excursion: worst,
        max_favorable_excursion: best,
    }
}

#[cfg(test)]
mod tests {
    use tidegate_market::{InstrumentId, Timestamp};

    use super::*;
    use crate::{Liquidity, OrderId};

    fn fill(side: Side, quantity: f64, price: f64, row: u32, moment: FillMoment) -> Fill {
        Fill {
            order: OrderId(0),
            instrument: InstrumentId(0),
            side,
            quantity: Quantity(quantity),
            price: Price(price),
            commission: Cash(0.1 * quantity),
            slippage: Cash(0.0),
            fx_rate: 1.0,
            liquidity: Liquidity::Taker,
            row,
            time: Timestamp::from_nanos(i64::from(row)),
            moment,
        }
    }

    fn run(fills: &[Fill]) -> (Account, Vec<ClosedTrade>) {
        let mut account = Account::default().renewed(Cash(1_000.0), &[Instrument::fractional("A")]);
        let mut trades = Vec::new();
        let range = Range { high: &[12.0, 14.0, 13.0, 20.0], low: &[9.0, 8.0, 11.0, 5.0] };
        for fill in fills {
            account.apply_fill(fill, range, &mut trades);
        }
        (account, trades)
    }

    #[test]
    fn a_round_trip_counts_the_bars_that_it_saw() {
        // In at the open of row 0, out at the open of row 2: rows 0 and 1 were seen, row 2 only by its exit price.
        let fills =
            [fill(Side::Buy, 10.0, 10.0, 0, FillMoment::Open), fill(Side::Sell, 10.0, 12.0, 2, FillMoment::Open)];
        let (account, trades) = run(&fills);
        assert_eq!(trades.len(), 1);
        let trade = trades[0];
        assert_eq!((trade.side, trade.bars_held(), trade.realized_pnl), (Side::Buy, 2, Cash(20.0)));
        assert!((trade.max_adverse_excursion + 0.2).abs() < 1e-12, "low of 8 against 10");
        assert!((trade.max_favorable_excursion - 0.4).abs() < 1e-12, "high of 14 against 10");
        assert_eq!((trade.commission, trade.net_pnl()), (Cash(2.0), Cash(18.0)));
        assert_eq!(account.cash(), 1_018.0);
    }

    #[test]
    fn a_short_trade_has_its_excursions_the_other_way() {
        let fills =
            [fill(Side::Sell, 10.0, 10.0, 0, FillMoment::Close), fill(Side::Buy, 10.0, 12.0, 1, FillMoment::Close)];
        let (_, trades) = run(&fills);
        let trade = trades[0];
        assert_eq!((trade.side, trade.realized_pnl), (Side::Sell, Cash(-20.0)));
        assert!((trade.max_adverse_excursion + 0.4).abs() < 1e-12, "high of 14 in row 1");
        assert!((trade.max_favorable_excursion - 0.2).abs() < 1e-12, "low of 8 in row 1");
    }

    #[test]
    fn a_flip_closes_oldest_lots_first_and_opens_the_rest() {
        let fills = [
            fill(Side::Buy, 10.0, 10.0, 0, FillMoment::Open),
            fill(Side::Buy, 5.0, 11.0, 1, FillMoment::Open),
            fill(Side::Sell, 20.0, 12.0, 2, FillMoment::Open),
            fill(Side::Buy, 5.0, 11.0, 3, FillMoment::Open),
        ];
        let (account, trades) = run(&fills);
        let closed: Vec<_> = trades.iter().map(|t| (t.side, t.quantity.0, t.entry_row, t.realized_pnl.0)).collect();
        assert_eq!(closed, [(Side::Buy, 10.0, 0, 20.0), (Side::Buy, 5.0, 1, 5.0), (Side::Sell, 5.0, 2, 5.0)]);
        assert_eq!(account.units(0), 0.0);
        assert!((account.totals().realized_pnl.0 - 30.0).abs() < 1e-12);
        assert!((account.cash() - (1_000.0 + 30.0 - 4.0)).abs() < 1e-12, "40 units at 0.1 each");
    }
}
