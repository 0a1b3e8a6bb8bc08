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

use crate::{DenialReason, RiskLimits};

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
        let Change { before, after, unit_value } = change;
        Self {
            gross: self.gross + (after.abs() - before.abs()) * unit_value,
            net: self.net + (after - before) * unit_value,
            positions: self.positions + u32::from(after != 0.0) - u32::from(before != 0.0),
        }
    }
}

/// Returns the limit that a change would break.
#[inline]
pub(crate) fn denial(limits: &RiskLimits, equity: f64, now: Projection, change: Change) -> Option<DenialReason> {
    let Change { before, after, unit_value } = change;
    if change.takes_away() {
        return None;
    }
    let then = now.with(change);
    let breaks =
        |limit: Option<f64>, was: f64, is: f64| limit.is_some_and(|limit| is > was && is > limit * equity * TOLERANCE);
    if breaks(limits.weight_max, before.abs() * unit_value, after.abs() * unit_value) {
        return Some(DenialReason::WeightLimit);
    }
    if breaks(limits.gross_leverage_max, now.gross, then.gross) {
        return Some(DenialReason::GrossLeverageLimit);
    }
    if breaks(limits.net_leverage_max, now.net.abs(), then.net.abs()) {
        return Some(DenialReason::NetLeverageLimit);
    }
    positions_denial(limits, now, change)
}

/// Returns the denial of a change that opens one position too many.
#[inline]
pub(crate) fn positions_denial(limits: &RiskLimits, now: Projection, change: Change) -> Option<DenialReason> {
    let then = now.with(change).positions;
    let too_many = limits.positions_max.is_some_and(|most| then > now.positions && then > most);
    too_many.then_some(DenialReason::PositionsLimit)
}

/// Clips the part of a change that adds to the room that limits leave; `None` when all of it fits.
///
/// With the position first cut to the `kept` units and `x` what a limit measures then, in the direction of the change, the part that
/// adds is at most `(limit * equity - x) / unit_value` units.
#[inline]
pub(crate) fn clip(limits: &RiskLimits, equity: f64, now: Projection, change: Change) -> Option<Clip> {
    if change.takes_away() {
        return None;
    }
    let [side, kept] = [change.after.signum(), change.kept()];
    let base = now.with(Change { after: side * kept, ..change });
    let measures = [
        (limits.weight_max, kept * change.unit_value, DenialReason::WeightLimit),
        (limits.gross_leverage_max, base.gross, DenialReason::GrossLeverageLimit),
        (limits.net_leverage_max, side * base.net, DenialReason::NetLeverageLimit),
    ];
    let mut clip = None;
    let mut adding = change.after.abs() - kept;
    for (limit, exposure, reason) in measures {
        let Some(most) = limit.map(|limit| limit * equity) else { continue };
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
    /// Slippage per unit.
    pub(crate) slippage_per_unit: f64,
    /// Commission per unit.
    pub(crate) commission_per_unit: f64,
    /// The least commission.
    pub(crate) commission_minimum: f64,
}

/// Returns how many of the `wanted` units fit under a bound on gross leverage after costs.
///
/// With `r` units that close and `y` that open, the bound `base + y u <= L (E - (r + y) (s + c))` is solved for `y`, and once more with
/// the least commission in place of `c`; the smaller solution counts.
#[inline]
pub(crate) fn affordable(gross_leverage_max: f64, moment: &Moment, wanted: f64) -> f64 {
    let closing = (-moment.held).clamp(0.0, wanted);
    if closing == wanted {
        return wanted;
    }
    let unit = moment.unit_value;
    let base = moment.gross - closing * unit;
    let room = |per_unit: f64, fixed: f64| {
        let equity = moment.equity - closing * per_unit - fixed;
        (gross_leverage_max * equity - base) / (unit + gross_leverage_max * per_unit)
    };
    let proportional = room(moment.slippage_per_unit + moment.commission_per_unit, 0.0);
    let opening = if moment.commission_minimum > 0.0 {
        proportional.min(room(moment.slippage_per_unit, moment.commission_minimum))
    } else {
        proportional
    };
    (closing + opening.max(0.0)).min(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT: Moment = Moment {
        equity: 1_000.0,
        gross: 0.0,
        held: 0.0,
        unit_value: 10.0,
        slippage_per_unit: 0.0,
        commission_per_unit: 0.0,
        commission_minimum: 0.0,
    };

    #[track_caller]
    fn check(moment: Moment, limit: f64, wanted: f64, expected: f64) {
        assert!((affordable(limit, &moment, wanted) - expected).abs() < 1e-9);
    }

    #[test]
    fn the_whole_account_buys_what_cash_pays_for_including_costs() {
        check(MOMENT, 1.0, 120.0, 100.0);
        // 1000 / (10 + 0.1 + 0.05)
        check(
            Moment { slippage_per_unit: 0.1, commission_per_unit: 0.05, ..MOMENT },
            1.0,
            120.0,
            98.522_167_487_684_73,
        );
        // a commission of at least 20 leaves 980
        check(Moment { commission_per_unit: 0.05, commission_minimum: 20.0, ..MOMENT }, 1.0, 120.0, 98.0);
    }

    #[test]
    fn leverage_of_two_pays_costs_out_of_equity() {
        // y u <= 2 (1000 - 0.05 y): y = 2000 / 10.1
        check(Moment { commission_per_unit: 0.05, ..MOMENT }, 2.0, 300.0, 198.019_801_980_198_02);
    }

    #[test]
    fn closing_is_never_trimmed() {
        let moment = Moment { equity: 10.0, gross: 1_000.0, held: -100.0, ..MOMENT };
        check(moment, 1.0, 80.0, 80.0);
        // A flip closes 100 and then has room for 10 / 10 = 1.
        check(moment, 1.0, 150.0, 101.0);
    }

    #[test]
    fn an_account_over_its_bound_opens_nothing() {
        check(Moment { gross: 2_000.0, held: 200.0, ..MOMENT }, 1.0, 5.0, 0.0);
    }

    #[track_caller]
    fn check_denial(limits: RiskLimits, now: Projection, before: f64, after: f64, expected: Option<DenialReason>) {
        assert_eq!(denial(&limits, 1_000.0, now, Change { before, after, unit_value: 10.0 }), expected);
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
        let clip = clip(&limits, 1_000.0, now, Change { before, after, unit_value: 10.0 });
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
}
