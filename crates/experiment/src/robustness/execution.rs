//! What if prices moved otherwise inside a bar, or orders filled at another moment?

use serde::{Deserialize, Serialize};
use tidegate_backtest::{BacktestConfig, FillTiming, Latency, PathModel};

use super::trader::{Planned, Trader, Variant};
use crate::ExperimentError;
use crate::measure::fill_name;
use crate::resolve::{ForecastSource, ResolvedExperiment};

const PATHS: [(PathModel, &str); 3] = [
    (PathModel::Pessimistic, "pessimistic"),
    (PathModel::NearestExtreme, "nearest_extreme"),
    (PathModel::CloseOnly, "close_only"),
];

const FILLS: [FillTiming; 3] = [FillTiming::NextOpen, FillTiming::NextClose, FillTiming::SameClose];

/// The result under other rules of fills.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExecutionAnswer {
    /// Every model of the path inside a bar.
    pub path: Vec<Variant>,
    /// Every moment at which a market order may fill.
    pub fill: Vec<Variant>,
    /// How to read them, a sentence each.
    pub notes: Vec<String>,
}

pub(super) fn answer(trader: &Trader<'_>) -> Result<ExecutionAnswer, ExperimentError> {
    let own = &trader.experiment.backtest;
    let path = PATHS.map(|(path, name)| Planned {
        name: name.to_owned(),
        is_the_run: path == own.path,
        config: Ok(BacktestConfig { path, ..own.clone() }),
    });
    let others = FILLS.into_iter().filter(|fill| *fill != own.fill);
    let fill = std::iter::once(own.fill).chain(others).map(|fill| planned_fill(own, fill));
    Ok(ExecutionAnswer {
        path: trader.variants("trading on other paths", path.into())?,
        fill: trader.variants("trading at other moments", fill.collect())?,
        notes: notes(trader.experiment),
    })
}

fn planned_fill(own: &BacktestConfig, fill: FillTiming) -> Planned {
    let config = if fill == FillTiming::SameClose && own.fill != fill && own.latency != Latency::None {
        Err("orders of the run arrive late, and none can be late at the close that it is decided from".to_owned())
    } else if fill == FillTiming::SameClose && own.fill != fill && own.session_exit {
        Err("positions of the run are closed at the end of a session, after which these orders would fill".to_owned())
    } else {
        Ok(BacktestConfig { fill, ..own.clone() })
    };
    Planned { name: fill_name(fill).to_owned(), is_the_run: fill == own.fill, config }
}

fn notes(experiment: &ResolvedExperiment) -> Vec<String> {
    let mut notes = vec!["nobody can trade `same_close`: it fills at the close that it is decided from".to_owned()];
    match &experiment.forecasts {
        ForecastSource::WalkForward(plan) if plan.target_is_traded(experiment.backtest.fill) => notes.push(format!(
            "the forecasts are of returns between fills at `{}`; other moments alter the engine alone",
            fill_name(experiment.backtest.fill)
        )),
        ForecastSource::None => {}
        ForecastSource::File(_) | ForecastSource::WalkForward(_) => {
            notes.push("the forecasts stay as they are; other moments alter the engine alone".to_owned());
        }
    }
    if experiment.data.detail.is_some() {
        notes.push("where finer bars say how prices moved, the path inside a bar is theirs".to_owned());
    }
    notes
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use tidegate_market::Cash;

    use super::*;

    #[test]
    fn a_late_order_cannot_fill_at_its_own_close() {
        let own = BacktestConfig::frictionless(Cash(1_000.0), FillTiming::NextOpen);
        assert!(planned_fill(&own, FillTiming::SameClose).config.is_ok());
        let late = BacktestConfig { latency: Latency::Bars(NonZeroU32::MIN), ..own };
        assert!(planned_fill(&late, FillTiming::NextClose).config.is_ok());
        let reason = planned_fill(&late, FillTiming::SameClose).config.expect_err("refused");
        assert!(reason.contains("arrive late"), "{reason}");
    }
}
