//! What if trading costs more, or nothing?

use serde::{Deserialize, Serialize};
use tidegate_backtest::{BacktestConfig, Commission, CommissionTier, Financing, Slippage};
use tidegate_market::{Bps, Cash, Price};

use super::trader::{Planned, Trader, Variant};
use crate::ExperimentError;
use crate::measure::Measured;

/// How many times the trading costs are paid.
const MULTIPLES: [f64; 4] = [0.0, 1.0, 2.0, 5.0];

/// At how many times the trading costs nothing is left of the gain.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakEven {
    /// At so many times, interpolated linearly between the multiples that were traded.
    At(f64),
    /// At more than so many times, the largest multiple that could be traded.
    Above(f64),
    /// At none: it loses without costs.
    LosesWithoutCosts,
    /// The config states no trading costs.
    NoCosts,
    /// A return on the way is undefined.
    Undefined,
}

/// What the run paid and earned for lending; no multiple touches it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FinancingPaid {
    /// Fees paid for borrowed units.
    pub borrow_fees: f64,
    /// Interest paid on borrowed money.
    pub margin_interest: f64,
    /// Funding paid on perpetual contracts, less what was received.
    pub funding: f64,
    /// Interest earned on cash.
    pub cash_interest: f64,
}

/// The result at other trading costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CostsAnswer {
    /// Commission and slippage times 0, 1, 2 and 5. Rebates are not multiplied.
    pub multiples: Vec<Variant>,
    /// Where the total return crosses zero.
    pub break_even: BreakEven,
    /// What lending cost and earned in the run.
    pub financing: FinancingPaid,
    /// The run without the rates of `[account.financing]`; null where it has none.
    pub without_financing: Option<Variant>,
}

pub(super) fn answer(trader: &Trader<'_>, measured: &Measured) -> Result<CostsAnswer, ExperimentError> {
    let own = &trader.experiment.backtest;
    let mut planned: Vec<Planned> = MULTIPLES.map(|multiple| planned(own, multiple)).into();
    if own.financing != Financing::NONE {
        planned.push(Planned {
            name: "x1, no financing".to_owned(),
            is_the_run: false,
            config: Ok(BacktestConfig { financing: Financing::NONE, ..own.clone() }),
        });
    }
    let mut multiples = trader.variants("trading at other costs", planned)?;
    let without_financing = (multiples.len() > MULTIPLES.len()).then(|| multiples.pop()).flatten();
    let execution = &measured.execution;
    let costless = own.commission == Commission::None && own.slippage == Slippage::None;
    let returns: Vec<(f64, Option<f64>)> =
        MULTIPLES.into_iter().zip(multiples.iter().map(Variant::total_return)).collect();
    Ok(CostsAnswer {
        break_even: if costless { BreakEven::NoCosts } else { break_even(&returns) },
        financing: FinancingPaid {
            borrow_fees: execution.borrow_fees,
            margin_interest: execution.margin_interest,
            funding: execution.funding,
            cash_interest: execution.cash_interest,
        },
        multiples,
        without_financing,
    })
}

fn planned(own: &BacktestConfig, multiple: f64) -> Planned {
    let config = BacktestConfig {
        commission: commission(&own.commission, multiple),
        slippage: slippage(own.slippage, multiple),
        ..own.clone()
    };
    Planned { name: format!("x{multiple}"), is_the_run: multiple == 1.0, config: Ok(config) }
}

/// Returns a commission that charges so many times as much.
fn commission(own: &Commission, multiple: f64) -> Commission {
    if multiple == 0.0 {
        return Commission::None;
    }
    let times = |bps: Bps| Bps(if bps.0 < 0.0 { bps.0 } else { bps.0 * multiple });
    match own {
        Commission::None => Commission::None,
        Commission::Bps(bps) => Commission::Bps(times(*bps)),
        Commission::Fixed(fee) => Commission::Fixed(Cash(fee.0 * multiple)),
        Commission::FixedPlusBps { fixed, bps } => {
            Commission::FixedPlusBps { fixed: Cash(fixed.0 * multiple), bps: times(*bps) }
        }
        Commission::PerShare { per_share, minimum, maximum_fraction } => Commission::PerShare {
            per_share: per_share * multiple,
            minimum: minimum * multiple,
            maximum_fraction: maximum_fraction.map(|fraction| (fraction * multiple).min(1.0)),
        },
        Commission::Tiered(tiers) => Commission::Tiered(
            tiers.iter().map(|tier| CommissionTier { from_value: tier.from_value, bps: times(tier.bps) }).collect(),
        ),
        Commission::MakerTaker { maker, taker } => {
            Commission::MakerTaker { maker: times(*maker), taker: times(*taker) }
        }
    }
}

/// Returns slippage that loses so many times as much of the price.
fn slippage(own: Slippage, multiple: f64) -> Slippage {
    if multiple == 0.0 {
        return Slippage::None;
    }
    match own {
        Slippage::None => Slippage::None,
        Slippage::Bps(bps) => Slippage::Bps(Bps(bps.0 * multiple)),
        Slippage::HalfSpread(half) => Slippage::HalfSpread(Price(half.0 * multiple)),
        Slippage::Ticks(ticks) => Slippage::Ticks(ticks * multiple),
        Slippage::VolumeShare { impact, share_max } => Slippage::VolumeShare { impact: impact * multiple, share_max },
        Slippage::SquareRootImpact { coefficient, lookback_bars } => {
            Slippage::SquareRootImpact { coefficient: coefficient * multiple, lookback_bars }
        }
    }
}

/// Finds the first crossing of zero; multiples ascend from zero.
fn break_even(returns: &[(f64, Option<f64>)]) -> BreakEven {
    let Some(&(mut multiple, Some(mut gain))) = returns.first() else { return BreakEven::Undefined };
    if gain <= 0.0 {
        return BreakEven::LosesWithoutCosts;
    }
    for &(next, return_) in &returns[1..] {
        // A multiple that could not be traded ends what is known.
        let Some(return_) = return_ else { return BreakEven::Above(multiple) };
        if return_ <= 0.0 {
            return BreakEven::At(multiple + (next - multiple) * gain / (gain - return_));
        }
        (multiple, gain) = (next, return_);
    }
    BreakEven::Above(multiple)
}

#[cfg(test)]
mod tests {
    use tidegate_backtest::{CommissionTerms, Liquidity};

    use super::*;

    #[test]
    fn a_gain_is_gone_where_the_line_between_two_multiples_crosses_zero() {
        let of = |returns: [f64; 4]| break_even(&MULTIPLES.into_iter().zip(returns.map(Some)).collect::<Vec<_>>());
        // From 0.1 at x2 to -0.2 at x5: a third of the way.
        assert_eq!(of([0.3, 0.2, 0.1, -0.2]), BreakEven::At(2.0 + 3.0 * 0.1 / (0.1 + 0.2)));
        assert_eq!(of([0.5, -0.5, -0.8, -0.9]), BreakEven::At(0.5));
        assert_eq!(of([0.4, 0.3, 0.2, 0.1]), BreakEven::Above(5.0));
        assert_eq!(of([0.0, -0.1, -0.2, -0.3]), BreakEven::LosesWithoutCosts);
        assert_eq!(break_even(&[(0.0, Some(0.2)), (1.0, Some(0.1)), (2.0, None)]), BreakEven::Above(1.0));
        assert_eq!(break_even(&[(0.0, None)]), BreakEven::Undefined);
    }

    #[test]
    fn a_fee_times_two_charges_twice_and_a_rebate_stays() {
        let terms = |quantity: f64, liquidity| CommissionTerms {
            quantity,
            value: quantity * 50.0,
            liquidity,
            order_quantity: 0.0,
            order_value: 0.0,
            order_commission: 0.0,
            month_value: 0.0,
        };
        let tiers =
            [CommissionTier { from_value: 0.0, bps: Bps(4.0) }, CommissionTier { from_value: 600.0, bps: Bps(2.0) }];
        let fees = [
            Commission::Bps(Bps(5.0)),
            Commission::Fixed(Cash(3.0)),
            Commission::FixedPlusBps { fixed: Cash(1.0), bps: Bps(2.0) },
            Commission::PerShare { per_share: 0.01, minimum: 1.0, maximum_fraction: Some(0.25) },
            Commission::Tiered(tiers.into()),
        ];
        for fee in &fees {
            for quantity in [1.0, 40.0, 1_000.0] {
                let terms = terms(quantity, Liquidity::Taker);
                assert_eq!(commission(fee, 2.0).charge(&terms), 2.0 * fee.charge(&terms), "{fee:?} of {quantity}");
                assert_eq!(commission(fee, 0.0).charge(&terms), 0.0);
            }
            assert_eq!(&commission(fee, 1.0), fee);
        }
        let book = Commission::MakerTaker { maker: Bps(-1.0), taker: Bps(3.0) };
        let twice = Commission::MakerTaker { maker: Bps(-1.0), taker: Bps(6.0) };
        assert_eq!(commission(&book, 2.0), twice);
    }

    #[test]
    fn slippage_times_five_loses_five_times_as_much() {
        let share = Slippage::VolumeShare { impact: 0.1, share_max: 0.2 };
        assert_eq!(slippage(share, 5.0), Slippage::VolumeShare { impact: 0.5, share_max: 0.2 });
        assert_eq!(slippage(Slippage::Ticks(1.5), 2.0), Slippage::Ticks(3.0));
        assert_eq!(slippage(share, 0.0), Slippage::None);
        assert_eq!(slippage(share, 1.0), share);
    }
}
