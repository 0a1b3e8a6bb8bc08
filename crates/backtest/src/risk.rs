//! The two moments at which limits are enforced, as pure rules.
//!
//! **At the decision** limits are checked at the prices known then: market orders that still wait count as if they were filled at the
//! last close. An order request that would break a limit is denied. Only what makes a measure worse can break it, and a request that
//! only takes away from a position never does.
//!
//! A target weight says where to be, not how many units to trade, so it is clipped instead: the part that takes away from a position,
//! up to zero for one that changes sides, always goes through, and the part that adds is cut to the room that the limits on weight,
//! gross and net leverage leave after it. Targets take their room in turn. A target is denied only when it does nothing but add and no
//! room is left, or when it would be one position too many.
//!
//! **At the fill** prices have moved and costs are due, so the same bound on gross leverage is enforced again, by trimming: the fill
//! gets the largest quantity for which `gross exposure <= gross_leverage_max * (equity - slippage - commission)` holds at the prices of
//! that moment. With a bound of one this is the cash-shortfall rule: an order for the whole account spends all cash including costs and
//! no more. What is trimmed away is gone; units that close a position are never trimmed.

use crate::commission::Affine;
use crate::{AccountKind, BacktestConfig, DenialReason};

/// Rounding of sums must not deny a weight that equals its limit.
const TOLERANCE: f64 = 1.0 + 1e-9;

/// The account as if every waiting market order were filled at the last close.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Projection {
    pub(crate) gross: f64,
    pub(crate) net: f64,
    pub(crate) positions: u32,
}

/// A change of one position, in units, and what a unit is worth.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change {
    pub(crate) before: f64,
    pub(crate) after: f64,
    pub(crate) unit_value: f64,
    /// The exposure of the instrument's group before the change, where it is limited.
    pub(crate) group_gross: Option<f64>,
}

impl Change {
    /// Returns whether the change does nothing but make a position smaller.
    #[inline]
    pub(crate) fn takes_away(self) -> bool {
        let Self { before, after, .. } = self;
        after == 0.0 || (after.signum() == before.signum() && after.abs() <= before.abs())
    }

    /// Returns the units of the position before that the position after still consists of: none when it changes sides.
    #[inline]
    pub(crate) fn kept(self) -> f64 {
        if self.before * self.after > 0.0 { self.before.abs().min(self.after.abs()) } else { 0.0 }
    }

    /// Returns the value of the units that the change adds.
    #[inline]
    pub(crate) fn added_value(self) -> f64 {
        (self.after.abs() - self.kept()) * self.unit_value
    }
}

/// The bounds of one decision: limits and account, times equity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bounds {
    weight: Option<f64>,
    gross: Option<(f64, DenialReason)>,
    net: Option<f64>,
    /// What the sum of all positions may be worth before cash is below zero.
    paid: Option<f64>,
    group: Option<f64>,
    /// What may still be added today.
    added: Option<f64>,
    positions: Option<u32>,
    allows_short: bool,
}

impl Bounds {
    /// Returns the bounds at an equity, when units worth `added_today` were asked for earlier in the day.
    #[inline]
    pub(crate) fn new(config: &BacktestConfig, equity: f64, added_today: f64) -> Self {
        let limits = &config.limits;
        let times_equity = |limit: f64| limit * equity;
        let gross = config.gross_bound().map(|bound| {
            let by_limit = limits.gross_leverage_max.is_some_and(|limit| limit <= bound);
            (bound * equity, if by_limit { DenialReason::GrossLeverageLimit } else { DenialReason::BuyingPower })
        });
        Self {
            weight: limits.weight_max.map(times_equity),
            gross,
            net: limits.net_leverage_max.map(times_equity),
            paid: (config.account == AccountKind::CashAndShorts).then_some(equity),
            group: limits.group_weight_max.map(times_equity),
            added: limits.daily_turnover_max.map(|limit| (limit * equity - added_today).max(0.0)),
            positions: limits.positions_max,
            allows_short: config.account != AccountKind::Cash,
        }
    }
}

/// What the limits leave of a change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Clip {
    /// The units after it.
    pub(crate) after: f64,
    /// The limit that leaves the least room.
    pub(crate) reason: DenialReason,
}

impl Projection {
    #[inline]
    pub(crate) fn with(self, change: Change) -> Self {
        let Change { before, after, unit_value, .. } = change;
        Self {
            gross: self.gross + (after.abs() - before.abs()) * unit_value,
            net: self.net + (after - before) * unit_value,
            positions: self.positions + u32::from(after != 0.0) - u32::from(before != 0.0),
        }
    }
}

/// Returns the limit that a change would break.
#[inline]
pub(crate) fn denial(bounds: &Bounds, now: Projection, change: Change) -> Option<DenialReason> {
    let Change { before, after, unit_value, group_gross } = change;
    if change.takes_away() {
        return None;
    }
    if after < 0.0 && !bounds.allows_short {
        return Some(DenialReason::ShortSale);
    }
    let then = now.with(change);
    let breaks = |bound: Option<f64>, was: f64, is: f64| bound.is_some_and(|bound| is > was && is > bound * TOLERANCE);
    if breaks(bounds.weight, before.abs() * unit_value, after.abs() * unit_value) {
        return Some(DenialReason::WeightLimit);
    }
    if let Some((bound, reason)) = bounds.gross
        && breaks(Some(bound), now.gross, then.gross)
    {
        return Some(reason);
    }
    if breaks(bounds.net, now.net.abs(), then.net.abs()) {
        return Some(DenialReason::NetLeverageLimit);
    }
    if breaks(bounds.paid, now.net, then.net) {
        return Some(DenialReason::BuyingPower);
    }
    let group = group_gross.unwrap_or(0.0);
    if group_gross.is_some() && breaks(bounds.group, group, group + then.gross - now.gross) {
        return Some(DenialReason::GroupLimit);
    }
    if breaks(bounds.added, 0.0, change.added_value()) {
        return Some(DenialReason::TurnoverLimit);
    }
    positions_denial(bounds, now, change)
}

/// Returns the denial of a change that opens one position too many.
#[inline]
pub(crate) fn positions_denial(bounds: &Bounds, now: Projection, change: Change) -> Option<DenialReason> {
    let then = now.with(change).positions;
    let too_many = bounds.positions.is_some_and(|most| then > now.positions && then > most);
    too_many.then_some(DenialReason::PositionsLimit)
}

/// Clips the part of a change that adds to the room that the bounds leave; `None` when all of it fits.
///
/// With the position first cut to the `kept` units and `x` what a bound measures then, in the direction of the change, the part that
/// adds is at most `(bound - x) / unit_value` units.
#[inline]
pub(crate) fn clip(bounds: &Bounds, now: Projection, change: Change) -> Option<Clip> {
    if change.takes_away() {
        return None;
    }
    let [side, kept] = [change.after.signum(), change.kept()];
    if side < 0.0 && !bounds.allows_short {
        return Some(Clip { after: 0.0, reason: DenialReason::ShortSale });
    }
    let base = now.with(Change { after: side * kept, ..change });
    let group = change.group_gross.map(|gross| gross + base.gross - now.gross);
    let measures = [
        (bounds.weight, kept * change.unit_value, DenialReason::WeightLimit),
        (
            bounds.gross.map(|(bound, _)| bound),
            base.gross,
            bounds.gross.map_or(DenialReason::BuyingPower, |(_, reason)| reason),
        ),
        (bounds.net, side * base.net, DenialReason::NetLeverageLimit),
        (bounds.paid.filter(|_| side > 0.0), base.net, DenialReason::BuyingPower),
        (bounds.group.filter(|_| group.is_some()), group.unwrap_or(0.0), DenialReason::GroupLimit),
        (bounds.added, 0.0, DenialReason::TurnoverLimit),
    ];
    let mut clip = None;
    let mut adding = change.after.abs() - kept;
    for (bound, exposure, reason) in measures {
        let Some(most) = bound else { continue };
        if exposure + adding * change.unit_value > most * TOLERANCE {
            adding = ((most - exposure) / change.unit_value).clamp(0.0, adding);
            clip = Some(Clip { after: side * (kept + adding), reason });
        }
    }
    clip
}

/// A fill about to happen, at the prices of its moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// Equity before the fill.
    pub(crate) equity: f64,
    /// Gross exposure before the fill.
    pub(crate) gross: f64,
    /// Units held; positive when the fill adds to them, negative when it takes away.
    pub(crate) held: f64,
    /// What a unit is worth.
    pub(crate) unit_value: f64,
}

impl Moment {
    fn closing(&self, wanted: f64) -> f64 {
        (-self.held).clamp(0.0, wanted)
    }

    /// Returns whether a fill of the `wanted` units does nothing but take away, so that no bound can cut it.
    #[inline]
    pub(crate) fn only_closes(&self, wanted: f64) -> bool {
        self.closing(wanted) == wanted
    }
}

/// Returns how many of the `wanted` units fit under a bound on gross leverage after costs, where slippage is money per unit and the
/// commission affine.
///
/// With `r` units that close and `y` that open, the bound `base + y u <= L (E - (r + y) (s + c) - f)` is solved for `y`, and once more
/// with the least commission in place of the proportional one; the smaller solution counts.
#[inline]
pub(crate) fn affordable(
    gross_leverage_max: f64,
    moment: &Moment,
    slippage_per_unit: f64,
    commission: Affine,
    wanted: f64,
) -> f64 {
    let closing = moment.closing(wanted);
    if closing == wanted {
        return wanted;
    }
    let unit = moment.unit_value;
    let base = moment.gross - closing * unit;
    let room = |per_unit: f64, fixed: f64| {
        let equity = moment.equity - closing * per_unit - fixed;
        (gross_leverage_max * equity - base) / (unit + gross_leverage_max * per_unit)
    };
    let proportional = room(slippage_per_unit + commission.per_unit, commission.fixed);
    let opening = if commission.minimum.is_finite() {
        proportional.min(room(slippage_per_unit, commission.minimum))
    } else {
        proportional
    };
    (closing + opening.max(0.0)).min(wanted)
}

/// Does what [`affordable`] does for costs of any shape that do not fall with the quantity, by bisection.
pub(crate) fn affordable_by_search(
    gross_leverage_max: f64,
    moment: &Moment,
    cost: impl Fn(f64) -> f64,
    wanted: f64,
) -> f64 {
    let closing = moment.closing(wanted);
    let fits = |quantity: f64| {
        let gross = moment.gross + (quantity - 2.0 * closing) * moment.unit_value;
        gross <= gross_leverage_max * (moment.equity - cost(quantity))
    };
    if closing == wanted || fits(wanted) {
        return wanted;
    }
    let (mut low, mut high) = (closing, wanted);
    for _ in 0..200 {
        let middle = low.midpoint(high);
        if middle == low || middle == high {
            break;
        }
        if fits(middle) { low = middle } else { high = middle }
    }
    low
}

/// Returns the largest whole number of lots, times the lot, that a budget pays for at a cost per unit: floor division as exact as the
/// remainder of floating point.
pub(crate) fn whole_lots_within(budget: f64, cost_per_unit: f64, lot: Option<f64>) -> f64 {
    let Some(lot) = lot else { return budget / cost_per_unit };
    let step = cost_per_unit * lot;
    let lots = ((budget - budget % step) / step).round();
    lots * lot
}

/// Returns the units, in whole lots where there are lots, that a budget pays for together with their commission.
pub(crate) fn units_within(budget: f64, unit_value: f64, commission: Affine, lot: Option<f64>) -> f64 {
    let proportional = whole_lots_within(budget - commission.fixed, unit_value + commission.per_unit, lot);
    if commission.minimum.is_finite() {
        proportional.min(whole_lots_within(budget - commission.minimum, unit_value, lot))
    } else {
        proportional
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RiskLimits;

    const MOMENT: Moment = Moment { equity: 1_000.0, gross: 0.0, held: 0.0, unit_value: 10.0 };
    const FREE: Affine = Affine { per_unit: 0.0, fixed: 0.0, minimum: 0.0 };

    #[track_caller]
    fn check(moment: Moment, commission: Affine, limit: f64, wanted: f64, expected: f64) {
        assert!((affordable(limit, &moment, 0.1, commission, wanted) - expected).abs() < 1e-9);
        let cost = |quantity: f64| {
            0.1 * quantity + (commission.fixed + commission.per_unit * quantity).max(commission.minimum)
        };
        assert!((affordable_by_search(limit, &moment, cost, wanted) - expected).abs() < 1e-9);
    }

    #[test]
    fn the_whole_account_buys_what_cash_pays_for_including_costs() {
        // 1000 / (10 + 0.1)
        check(MOMENT, FREE, 1.0, 120.0, 99.009_900_990_099_01);
        // 1000 / (10 + 0.1 + 0.05)
        check(MOMENT, Affine { per_unit: 0.05, ..FREE }, 1.0, 120.0, 98.522_167_487_684_73);
        // a commission of at least 20 leaves 980 / 10.1
        check(MOMENT, Affine { per_unit: 0.05, minimum: 20.0, ..FREE }, 1.0, 120.0, 97.029_702_970_297_03);
        // so does one of 20
        check(MOMENT, Affine { fixed: 20.0, ..FREE }, 1.0, 120.0, 97.029_702_970_297_03);
    }

    #[test]
    fn leverage_of_two_pays_costs_out_of_equity() {
        // y u <= 2 (1000 - 0.15 y): y = 2000 / 10.3
        check(MOMENT, Affine { per_unit: 0.05, ..FREE }, 2.0, 300.0, 194.174_757_281_553_4);
    }

    #[test]
    fn closing_is_never_trimmed() {
        let moment = Moment { equity: 10.0, gross: 1_000.0, held: -100.0, ..MOMENT };
        check(moment, FREE, 1.0, 80.0, 80.0);
        // Closing 100 costs all that is left: nothing is opened.
        check(moment, FREE, 1.0, 150.0, 100.0);
        // With 20 left, a flip closes 100 and has room for (20 - 10) / 10.1 more.
        check(Moment { equity: 20.0, ..moment }, FREE, 1.0, 150.0, 100.990_099_009_900_99);
    }

    #[test]
    fn an_account_over_its_bound_opens_nothing() {
        check(Moment { gross: 2_000.0, held: 200.0, ..MOMENT }, FREE, 1.0, 5.0, 0.0);
    }

    #[test]
    fn whole_lots_are_the_floor_of_the_exact_quotient() {
        assert_eq!(whole_lots_within(100.0, 3.0, Some(1.0)), 33.0);
        assert_eq!(whole_lots_within(99.0, 3.0, Some(1.0)), 33.0);
        assert_eq!(whole_lots_within(10.0, 3.0, Some(2.0)), 2.0);
        // 1 / 0.1 rounds to 10, but ten times the float next to 0.1 is more than 1: the remainder says nine.
        assert_eq!(whole_lots_within(1.0, 0.1, Some(1.0)), 9.0);
        assert_eq!(whole_lots_within(10.0, 4.0, None), 2.5);
    }

    fn bounds(limits: RiskLimits) -> Bounds {
        let config = BacktestConfig::frictionless(tidegate_market::Cash(1.0), crate::FillTiming::NextOpen);
        Bounds::new(&BacktestConfig { limits, ..config }, 1_000.0, 0.0)
    }

    const fn change(before: f64, after: f64) -> Change {
        Change { before, after, unit_value: 10.0, group_gross: None }
    }

    #[track_caller]
    fn check_denial(limits: RiskLimits, now: Projection, before: f64, after: f64, expected: Option<DenialReason>) {
        assert_eq!(denial(&bounds(limits), now, change(before, after)), expected);
    }

    #[test]
    fn a_weight_at_its_limit_is_approved_and_one_above_is_denied() {
        let limits = RiskLimits { weight_max: Some(0.5), ..RiskLimits::UNLIMITED };
        check_denial(limits, Projection::default(), 0.0, 50.0, None);
        check_denial(limits, Projection::default(), 0.0, -50.1, Some(DenialReason::WeightLimit));
    }

    #[test]
    fn taking_away_is_never_denied() {
        let limits = RiskLimits { gross_leverage_max: Some(0.1), positions_max: Some(1), ..RiskLimits::UNLIMITED };
        let now = Projection { gross: 2_000.0, net: 2_000.0, positions: 4 };
        check_denial(limits, now, 100.0, 90.0, None);
        check_denial(limits, now, 100.0, 110.0, Some(DenialReason::GrossLeverageLimit));
    }

    #[track_caller]
    fn check_clip(limits: RiskLimits, now: Projection, before: f64, after: f64, expected: Option<(f64, DenialReason)>) {
        let clip = clip(&bounds(limits), now, change(before, after));
        assert_eq!(clip.map(|clip| (clip.after, clip.reason)), expected);
    }

    #[test]
    fn a_target_is_clipped_to_the_tightest_limit() {
        let gross = RiskLimits { gross_leverage_max: Some(1.0), ..RiskLimits::UNLIMITED };
        let all = RiskLimits { weight_max: Some(0.6), net_leverage_max: Some(0.7), ..gross };
        // 550 of 1000 are taken by others: 450 are left for gross, 150 for net when long.
        let now = Projection { gross: 550.0, net: 550.0, positions: 1 };
        check_clip(gross, now, 0.0, 45.0, None);
        check_clip(gross, now, 0.0, 50.0, Some((45.0, DenialReason::GrossLeverageLimit)));
        check_clip(all, now, 0.0, 50.0, Some((15.0, DenialReason::NetLeverageLimit)));
        check_clip(all, now, 0.0, -50.0, Some((-45.0, DenialReason::GrossLeverageLimit)));
        check_clip(all, Projection::default(), 0.0, -80.0, Some((-60.0, DenialReason::WeightLimit)));
        // 40 units of its own are part of the 550.
        check_clip(gross, now, 40.0, 95.0, Some((85.0, DenialReason::GrossLeverageLimit)));
        check_clip(
            gross,
            Projection { gross: 1_200.0, ..now },
            40.0,
            95.0,
            Some((40.0, DenialReason::GrossLeverageLimit)),
        );
        check_clip(gross, Projection { gross: 1_200.0, ..now }, 40.0, 30.0, None);
    }

    #[test]
    fn a_change_of_sides_closes_whatever_the_limits_and_opens_what_they_leave() {
        let weight = RiskLimits { weight_max: Some(0.6), ..RiskLimits::UNLIMITED };
        let gross = RiskLimits { gross_leverage_max: Some(1.0), ..RiskLimits::UNLIMITED };
        let now = Projection { gross: 500.0, net: 500.0, positions: 1 };
        check_clip(weight, now, 50.0, -100.0, Some((-60.0, DenialReason::WeightLimit)));
        check_clip(gross, now, 50.0, -100.0, None);
        // Others hold 1,100: nothing is opened.
        let crowded = Projection { gross: 1_600.0, net: 1_600.0, positions: 2 };
        check_clip(gross, crowded, 50.0, -100.0, Some((0.0, DenialReason::GrossLeverageLimit)));
    }

    #[test]
    fn net_leverage_and_the_number_of_positions_have_their_own_limits() {
        let now = Projection { gross: 900.0, net: 900.0, positions: 1 };
        let net = RiskLimits { net_leverage_max: Some(1.0), ..RiskLimits::UNLIMITED };
        check_denial(net, now, 0.0, 20.0, Some(DenialReason::NetLeverageLimit));
        check_denial(net, now, 0.0, -20.0, None);
        let positions = RiskLimits { positions_max: Some(1), ..RiskLimits::UNLIMITED };
        check_denial(positions, now, 0.0, -20.0, Some(DenialReason::PositionsLimit));
    }

    #[test]
    fn a_cash_account_never_goes_short() {
        let config = BacktestConfig::frictionless(tidegate_market::Cash(1.0), crate::FillTiming::NextOpen);
        let bounds = Bounds::new(&BacktestConfig { account: AccountKind::Cash, ..config }, 1_000.0, 0.0);
        let now = Projection { gross: 500.0, net: 500.0, positions: 1 };
        assert_eq!(denial(&bounds, now, change(50.0, -1.0)), Some(DenialReason::ShortSale));
        assert_eq!(denial(&bounds, now, change(50.0, 0.0)), None);
        assert_eq!(denial(&bounds, now, change(50.0, 101.0)), Some(DenialReason::BuyingPower));
        assert_eq!(clip(&bounds, now, change(50.0, -10.0)), Some(Clip { after: 0.0, reason: DenialReason::ShortSale }));
    }

    #[test]
    fn a_group_and_a_day_have_their_own_limits() {
        let limits = RiskLimits { group_weight_max: Some(0.6), daily_turnover_max: Some(0.3), ..RiskLimits::UNLIMITED };
        let now = Projection { gross: 900.0, net: 900.0, positions: 3 };
        let grouped = |after| Change { group_gross: Some(500.0), ..change(0.0, after) };
        assert_eq!(denial(&bounds(limits), now, grouped(10.0)), None);
        assert_eq!(denial(&bounds(limits), now, grouped(10.1)), Some(DenialReason::GroupLimit));
        assert_eq!(denial(&bounds(limits), now, change(0.0, 30.1)), Some(DenialReason::TurnoverLimit));
        let clip = clip(&bounds(limits), now, grouped(-40.0));
        assert_eq!(clip, Some(Clip { after: -10.0, reason: DenialReason::GroupLimit }));
    }
}
