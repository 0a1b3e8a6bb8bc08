//! What if orders arrive later?

use std::num::NonZeroU32;

use tidegate_backtest::{BacktestConfig, FillTiming, Latency};

use super::trader::{Planned, Trader, Variant};
use crate::ExperimentError;

/// How many bars later than in the run orders arrive.
const BARS: [u32; 5] = [0, 1, 2, 3, 5];

pub(super) fn answer(trader: &Trader<'_>) -> Result<Vec<Variant>, ExperimentError> {
    let own = &trader.experiment.backtest;
    trader.variants("trading later", BARS.map(|bars| planned(own, bars)).into())
}

fn planned(own: &BacktestConfig, bars: u32) -> Planned {
    let config = latency(own, bars).map(|latency| BacktestConfig { latency, ..own.clone() });
    let name = if bars == 1 { "1 bar".to_owned() } else { format!("{bars} bars") };
    Planned { name, is_the_run: bars == 0, config }
}

/// Adds bars to the latency of the run; says why where that cannot be.
fn latency(own: &BacktestConfig, bars: u32) -> Result<Latency, String> {
    let Some(more) = NonZeroU32::new(bars) else { return Ok(own.latency) };
    if matches!(own.fill, FillTiming::SameClose | FillTiming::SameCloseBookedNext) {
        return Err("orders fill at the close that they are decided from, so that none can be late".to_owned());
    }
    match own.latency {
        Latency::None => Ok(Latency::Bars(more)),
        Latency::Bars(late) => Ok(Latency::Bars(late.saturating_add(bars))),
        Latency::Nanos(_) => Err("`execution.latency` of the run is a time, not a number of bars".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use tidegate_market::Cash;

    use super::*;

    #[test]
    fn a_delay_adds_to_that_of_the_run_and_is_refused_where_none_can_be() {
        let own = BacktestConfig::frictionless(Cash(1_000.0), FillTiming::NextOpen);
        let bars = |count| Latency::Bars(NonZeroU32::new(count).expect("above 0"));
        assert_eq!([0, 3].map(|more| latency(&own, more)), [Ok(Latency::None), Ok(bars(3))]);
        let late = BacktestConfig { latency: bars(2), ..own.clone() };
        assert_eq!([0, 3].map(|more| latency(&late, more)), [Ok(bars(2)), Ok(bars(5))]);
        let at_once = BacktestConfig { fill: FillTiming::SameClose, ..own.clone() };
        assert_eq!(latency(&at_once, 0), Ok(Latency::None));
        assert!(latency(&at_once, 1).expect_err("refused").contains("none can be late"));
        let timed = BacktestConfig { latency: Latency::Nanos(5), ..own };
        assert!(latency(&timed, 1).expect_err("refused").contains("is a time"));
    }
}
