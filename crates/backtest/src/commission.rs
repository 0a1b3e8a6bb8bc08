//! What the broker charges for a fill.
//!
//! Minimum, maximum and fixed fee belong to an order, not to a fill: a fill is charged the fee on the order so far less what the
//! order was charged before, so that an order costs the same in one fill as in many.

use std::sync::Arc;

use tidegate_market::{Bps, Cash};

use crate::BacktestError;
use crate::error::{AMOUNT_MAX, require};

/// Whether a fill gave liquidity to the book or took it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liquidity {
    /// The order rested in the book: a limit order that did not fill at once.
    Maker,
    /// The order met one that rested: market and stop orders, and limit orders that fill at once.
    Taker,
}

/// One fill as a commission sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CommissionTerms {
    /// Units of this fill, above zero.
    pub quantity: f64,
    /// What this fill trades, in the account's currency, above zero.
    pub value: f64,
    /// Whether this fill gave or took liquidity.
    pub liquidity: Liquidity,
    /// Units that the order filled before.
    pub order_quantity: f64,
    /// What the order traded before, in the account's currency.
    pub order_value: f64,
    /// What the order was charged before, in the account's currency.
    pub order_commission: f64,
    /// What the account traded in this calendar month before this fill, in its currency.
    pub month_value: f64,
}

/// A rate that holds from a traded value on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CommissionTier {
    /// The value traded in the calendar month from which the rate holds, in the account's currency.
    pub from_value: f64,
    /// The rate on what is traded above it, up to the next tier.
    pub bps: Bps,
}

/// The commission of a fill, in the account's currency; below zero is a rebate.
#[derive(Debug, Clone, PartialEq)]
pub enum Commission {
    /// Nothing.
    None,
    /// A share of the value traded.
    Bps(Bps),
    /// The same for every order, due with its first fill.
    Fixed(Cash),
    /// The same for every order, due with its first fill, and a share of the value traded besides.
    FixedPlusBps {
        /// Money per order.
        fixed: Cash,
        /// The rate on the value.
        bps: Bps,
    },
    /// Money per unit, between a least and a greatest amount per order.
    PerShare {
        /// Money per unit.
        per_share: f64,
        /// The least that an order costs.
        minimum: f64,
        /// The most that an order costs, as a fraction of its value; it wins over the least.
        maximum_fraction: Option<f64>,
    },
    /// A share of the value traded that depends on what the account traded before in the calendar month. The first tier starts at
    /// zero, the others follow in ascending order; a fill that crosses a border is charged piece by piece.
    Tiered(Arc<[CommissionTier]>),
    /// A share of the value traded for liquidity given, another for liquidity taken.
    MakerTaker {
        /// The rate of a maker; below zero is a rebate.
        maker: Bps,
        /// The rate of a taker.
        taker: Bps,
    },
}

/// A commission that is `max(minimum, fixed + per_unit * quantity)`, in the account's currency.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Affine {
    /// What one more unit costs.
    pub(crate) per_unit: f64,
    /// What is due besides; below zero where the order was charged ahead.
    pub(crate) fixed: f64,
    /// The least amount; minus infinity, the neutral element of `max`, where there is none.
    pub(crate) minimum: f64,
}

impl Commission {
    /// Returns the commission of a fill.
    #[inline]
    pub fn charge(&self, terms: &CommissionTerms) -> f64 {
        match self {
            Self::None => 0.0,
            Self::Bps(bps) => terms.value * bps.fraction(),
            Self::Fixed(fee) => (fee.0 - terms.order_commission).max(0.0),
            Self::FixedPlusBps { fixed, bps } => first_fill(*fixed, terms) + terms.value * bps.fraction(),
            Self::PerShare { per_share, minimum, maximum_fraction } => {
                let fee = (per_share * (terms.order_quantity + terms.quantity)).max(*minimum);
                let most = maximum_fraction.map_or(fee, |fraction| fraction * (terms.order_value + terms.value));
                (fee.min(most) - terms.order_commission).max(0.0)
            }
            Self::Tiered(tiers) => tiered(tiers, terms.month_value, terms.month_value + terms.value),
            Self::MakerTaker { maker, taker } => terms.value * rate(*maker, *taker, terms.liquidity).fraction(),
        }
    }

    /// Returns the commission of a fill as a function of its quantity, at the value of a unit in the account's currency; `None`
    /// where it is not affine. Quantity and value of the terms do not matter.
    #[inline]
    pub(crate) fn affine(&self, unit_value: f64, terms: &CommissionTerms) -> Option<Affine> {
        let proportional =
            |bps: Bps| Affine { per_unit: unit_value * bps.fraction(), fixed: 0.0, minimum: f64::NEG_INFINITY };
        match self {
            Self::None => Some(proportional(Bps(0.0))),
            Self::Bps(bps) => Some(proportional(*bps)),
            Self::Fixed(fee) => {
                let fixed = (fee.0 - terms.order_commission).max(0.0);
                Some(Affine { per_unit: 0.0, fixed, minimum: f64::NEG_INFINITY })
            }
            Self::FixedPlusBps { fixed, bps } => {
                Some(Affine { fixed: first_fill(*fixed, terms), ..proportional(*bps) })
            }
            Self::PerShare { per_share, minimum, maximum_fraction: None } => Some(Affine {
                per_unit: *per_share,
                fixed: per_share * terms.order_quantity - terms.order_commission,
                minimum: (minimum - terms.order_commission).max(0.0),
            }),
            Self::PerShare { maximum_fraction: Some(_), .. } => None,
            Self::Tiered(tiers) => {
                let last = tiers.last().filter(|tier| terms.month_value >= tier.from_value)?;
                Some(proportional(last.bps))
            }
            Self::MakerTaker { maker, taker } => Some(proportional(rate(*maker, *taker, terms.liquidity))),
        }
    }

    pub(crate) fn validate(&self) -> Result<(), BacktestError> {
        match self {
            Self::None => Ok(()),
            Self::Bps(bps) => require_rate("commission.bps", *bps),
            Self::Fixed(fee) => require_amount("commission.fixed", fee.0),
            Self::FixedPlusBps { fixed, bps } => {
                require_amount("commission.fixed", fixed.0)?;
                require_rate("commission.bps", *bps)
            }
            Self::PerShare { per_share, minimum, maximum_fraction } => {
                require_amount("commission.per_share", *per_share)?;
                require_amount("commission.minimum", *minimum)?;
                let most = maximum_fraction.unwrap_or(1.0);
                require("commission.maximum_fraction", "in (0, 1]", most, most > 0.0 && most <= 1.0)
            }
            Self::Tiered(tiers) => validate_tiers(tiers),
            Self::MakerTaker { maker, taker } => {
                let inside = maker.0.is_finite() && maker.0.abs() < 1e4;
                require("commission.maker", "in (-10000, 10000)", maker.0, inside)?;
                require_rate("commission.taker", *taker)
            }
        }
    }
}

/// Returns what an order is charged once: with its first fill.
#[inline]
fn first_fill(fixed: Cash, terms: &CommissionTerms) -> f64 {
    if terms.order_quantity > 0.0 { 0.0 } else { fixed.0 }
}

#[inline]
fn rate(maker: Bps, taker: Bps, liquidity: Liquidity) -> Bps {
    match liquidity {
        Liquidity::Maker => maker,
        Liquidity::Taker => taker,
    }
}

/// Charges what a month's trading from one value to another costs: each tier the part that lies inside it.
fn tiered(tiers: &[CommissionTier], from: f64, to: f64) -> f64 {
    let ends = tiers.iter().skip(1).map(|tier| tier.from_value).chain([f64::INFINITY]);
    let inside = |(tier, end): (&CommissionTier, f64)| {
        let value = to.min(end) - from.max(tier.from_value);
        value.max(0.0) * tier.bps.fraction()
    };
    tiers.iter().zip(ends).map(inside).sum()
}

fn validate_tiers(tiers: &[CommissionTier]) -> Result<(), BacktestError> {
    let first = tiers.first().map_or(f64::NAN, |tier| tier.from_value);
    require("commission.tiered: from_value of the first tier", "0", first, first == 0.0)?;
    for (index, tier) in tiers.iter().enumerate() {
        require_rate("commission.tiered: bps", tier.bps)?;
        let ascends = index == 0 || tiers[index - 1].from_value < tier.from_value;
        let holds = tier.from_value.is_finite() && ascends;
        require("commission.tiered: from_value", "finite and above that of the tier before", tier.from_value, holds)?;
    }
    Ok(())
}

fn require_amount(name: &'static str, value: f64) -> Result<(), BacktestError> {
    require(name, "in [0, 1e15]", value, (0.0..=AMOUNT_MAX).contains(&value))
}

fn require_rate(name: &'static str, bps: Bps) -> Result<(), BacktestError> {
    require(name, "in [0, 10000)", bps.0, (0.0..1e4).contains(&bps.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRESH: CommissionTerms = CommissionTerms {
        quantity: 0.0,
        value: 0.0,
        liquidity: Liquidity::Taker,
        order_quantity: 0.0,
        order_value: 0.0,
        order_commission: 0.0,
        month_value: 0.0,
    };

    /// The published schedule of a large broker: half a cent a share, at least 1, at most 1 % of the order's value.
    const PER_SHARE: Commission = Commission::PerShare { per_share: 0.005, minimum: 1.0, maximum_fraction: Some(0.01) };
    const UNCAPPED: Commission = Commission::PerShare { per_share: 0.005, minimum: 1.0, maximum_fraction: None };

    fn tiers() -> Commission {
        let tier = |from_value, bps| CommissionTier { from_value, bps: Bps(bps) };
        Commission::Tiered([tier(0.0, 10.0), tier(100_000.0, 5.0), tier(500_000.0, 2.0)].into())
    }

    fn terms(quantity: f64, price: f64) -> CommissionTerms {
        CommissionTerms { quantity, value: quantity * price, ..FRESH }
    }

    fn check_terms(commission: &Commission, terms: &CommissionTerms, expected: f64) {
        let charge = commission.charge(terms);
        assert!((charge - expected).abs() < 1e-12, "{charge}");
        if let Some(Affine { per_unit, fixed, minimum }) = commission.affine(terms.value / terms.quantity, terms) {
            let affine = (fixed + per_unit * terms.quantity).max(minimum);
            assert!((affine - expected).abs() < 1e-12, "{affine}");
        }
    }

    #[track_caller]
    fn check(commission: &Commission, quantity: f64, price: f64, expected: f64) {
        check_terms(commission, &terms(quantity, price), expected);
    }

    /// Fills one order in parts and returns the charges.
    fn parts(commission: &Commission, quantities: &[f64], price: f64) -> Vec<f64> {
        let mut now = FRESH;
        let mut charges = Vec::new();
        for &quantity in quantities {
            now = CommissionTerms { quantity, value: quantity * price, ..now };
            let charge = commission.charge(&now);
            check_terms(commission, &now, charge);
            now.order_quantity += now.quantity;
            now.order_value += now.value;
            now.order_commission += charge;
            now.month_value += now.value;
            charges.push(charge);
        }
        charges
    }

    #[test]
    fn five_bps_of_ten_thousand_are_five() {
        check(&Commission::Bps(Bps(5.0)), 100.0, 100.0, 5.0);
    }

    #[test]
    fn half_a_cent_a_share_has_a_minimum_of_one() {
        check(&UNCAPPED, 100.0, 50.0, 1.0);
        check(&UNCAPPED, 1_000.0, 50.0, 5.0);
    }

    #[test]
    fn the_maximum_is_a_fraction_of_the_value_and_wins_over_the_minimum() {
        check(&PER_SHARE, 100.0, 25.0, 1.0);
        check(&PER_SHARE, 1_000.0, 25.0, 5.0);
        check(&PER_SHARE, 1_000.0, 0.25, 2.5);
        check(&PER_SHARE, 100.0, 0.25, 0.25);
    }

    #[test]
    fn minimum_maximum_and_fixed_fee_count_once_per_order() {
        // 0.50, then 1.00 and then 1.75 by the share: the minimum of 1 is due at once and covers the second fill.
        assert_eq!(parts(&UNCAPPED, &[100.0, 100.0, 150.0], 50.0), [1.0, 0.0, 0.75]);
        // 0.25 and 0.50 by the maximum, then 1.00 by the minimum and 2.00 by the share.
        assert_eq!(parts(&PER_SHARE, &[100.0, 100.0, 200.0], 0.25), [0.25, 0.25, 0.5]);
        assert_eq!(parts(&Commission::Fixed(Cash(7.0)), &[1.0, 2.0, 3.0], 50.0), [7.0, 0.0, 0.0]);
        let ticket = Commission::FixedPlusBps { fixed: Cash(7.0), bps: Bps(100.0) };
        assert_eq!(parts(&ticket, &[1.0, 2.0, 3.0], 50.0), [7.5, 1.0, 1.5]);
    }

    #[test]
    fn an_order_in_parts_costs_what_it_costs_whole() {
        let maker_taker = Commission::MakerTaker { maker: Bps(-1.0), taker: Bps(6.0) };
        let ticket = Commission::FixedPlusBps { fixed: Cash(7.0), bps: Bps(5.0) };
        let all = [
            Commission::Bps(Bps(5.0)),
            Commission::Fixed(Cash(7.0)),
            ticket,
            UNCAPPED,
            PER_SHARE,
            tiers(),
            maker_taker,
        ];
        for commission in all {
            for price in [0.25, 25.0, 900.0] {
                let whole: f64 = parts(&commission, &[1_000.0], price).iter().sum();
                let split: f64 = parts(&commission, &[1.0, 99.0, 333.0, 567.0], price).iter().sum();
                assert!((whole - split).abs() < 1e-9, "{commission:?} at {price}: {whole} and {split}");
            }
        }
    }

    #[test]
    fn a_fill_across_the_border_of_tiers_is_charged_piece_by_piece() {
        let at = |month_value, value| CommissionTerms { quantity: 1.0, value, month_value, ..FRESH };
        check_terms(&tiers(), &at(0.0, 50_000.0), 50.0);
        // 20,000 at 10 bps and 30,000 at 5 bps
        check_terms(&tiers(), &at(80_000.0, 50_000.0), 20.0 + 15.0);
        // 100,000 at 10 bps, 400,000 at 5 bps, 100,000 at 2 bps
        check_terms(&tiers(), &at(0.0, 600_000.0), 100.0 + 200.0 + 20.0);
        check_terms(&tiers(), &at(500_000.0, 10_000.0), 2.0);
        assert_eq!(tiers().affine(1.0, &at(499_999.0, 1.0)), None);
    }

    #[test]
    fn a_maker_gets_a_rebate_and_a_taker_pays() {
        let commission = Commission::MakerTaker { maker: Bps(-1.0), taker: Bps(5.0) };
        check(&commission, 100.0, 100.0, 5.0);
        check_terms(&commission, &CommissionTerms { liquidity: Liquidity::Maker, ..terms(100.0, 100.0) }, -1.0);
    }

    #[test]
    fn numbers_outside_their_range_are_refused() {
        #[track_caller]
        fn refused(commission: &Commission, message: &str) {
            assert_eq!(commission.validate().expect_err(message).to_string(), message);
        }
        let per_share = Commission::PerShare { per_share: -0.01, minimum: 0.0, maximum_fraction: None };
        refused(&per_share, "commission.per_share must be in [0, 1e15], was `-0.01`");
        let capped = Commission::PerShare { per_share: 0.01, minimum: 0.0, maximum_fraction: Some(0.0) };
        refused(&capped, "commission.maximum_fraction must be in (0, 1], was `0`");
        refused(&Commission::Fixed(Cash(-1.0)), "commission.fixed must be in [0, 1e15], was `-1`");
        let ticket = Commission::FixedPlusBps { fixed: Cash(1.0), bps: Bps(-1.0) };
        refused(&ticket, "commission.bps must be in [0, 10000), was `-1`");
        let rebate = Commission::MakerTaker { maker: Bps(f64::NAN), taker: Bps(1.0) };
        refused(&rebate, "commission.maker must be in (-10000, 10000), was `NaN`");
        let tiers = |tiers: &[(f64, f64)]| {
            let tier = |&(from_value, bps)| CommissionTier { from_value, bps: Bps(bps) };
            Commission::Tiered(tiers.iter().map(tier).collect())
        };
        refused(&tiers(&[]), "commission.tiered: from_value of the first tier must be 0, was `NaN`");
        refused(&tiers(&[(5.0, 1.0)]), "commission.tiered: from_value of the first tier must be 0, was `5`");
        let message = "commission.tiered: from_value must be finite and above that of the tier before, was `7`";
        refused(&tiers(&[(0.0, 3.0), (7.0, 2.0), (7.0, 1.0)]), message);
        refused(&tiers(&[(0.0, -3.0)]), "commission.tiered: bps must be in [0, 10000), was `-3`");
    }

    #[test]
    fn numbers_in_their_range_are_accepted() {
        let maker_taker = Commission::MakerTaker { maker: Bps(-1.0), taker: Bps(5.0) };
        for commission in [Commission::None, Commission::Fixed(Cash(0.0)), PER_SHARE, UNCAPPED, tiers(), maker_taker] {
            assert_eq!(commission.validate(), Ok(()));
        }
    }
}
