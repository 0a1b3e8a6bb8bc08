//! Bars, and what lies beside them, without what comes after a cut, or with noise in its place.

use std::sync::Arc;

use tidegate_backtest::strategies::ScheduledWeight;
use tidegate_market::{BarColumns, Bars, CorporateAction, CorporateActionKind, Forecast, Price, RateSeries, Timestamp};

use super::cuts::rows_closed_by;
use crate::ExperimentError;
use crate::dataset::{Beside, Dataset};
use crate::resolve::ResolvedData;

/// What is done to everything after a cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alteration {
    /// It is cut off.
    CutOff,
    /// It is overwritten by noise.
    Overwritten {
        /// The seed of the noise.
        seed: u64,
        /// The opens of bars that have opened by then are left alone.
        opens_known_by: Timestamp,
    },
}

/// A generator of noise: splitmix64 (Steele, Lea and Flood 2014).
pub(super) struct Noise(pub(super) u64);

impl Noise {
    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a number in [-1, 1).
    fn signed(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    /// Returns a factor between `exp(-width)` and `exp(width)`.
    fn factor(&mut self, width: f64) -> f64 {
        (width * self.signed()).exp()
    }
}

/// Returns the dataset as it would be if what comes after the cut had not happened, or had been noise.
///
/// # Errors
/// When the altered bars cannot be adjusted.
pub(super) fn altered(
    dataset: &Dataset,
    data: &ResolvedData,
    cut: Timestamp,
    how: Alteration,
) -> Result<Dataset, ExperimentError> {
    let mut noise = match how {
        Alteration::Overwritten { seed, .. } => Noise(seed),
        Alteration::CutOff => Noise(0),
    };
    let mut parts = Vec::with_capacity(dataset.bars.len());
    for (bars, beside) in dataset.bars.iter().zip(&dataset.beside) {
        let changed = altered_bars(bars, cut, how, &mut noise)?;
        let detail = beside.detail.as_ref().map(|fine| altered_bars(fine, cut, how, &mut noise)).transpose()?;
        let rates = |rates: &Option<Arc<RateSeries>>, noise: &mut Noise, kind| {
            rates.as_ref().map(|rates| altered_rates(rates, cut, how, noise, kind)).transpose()
        };
        let beside = Beside {
            actions: altered_actions(bars, &beside.actions, cut, how, &mut noise),
            detail,
            fx: rates(&beside.fx, &mut noise, Rates::Levels)?,
            funding: rates(&beside.funding, &mut noise, Rates::Fractions)?,
        };
        parts.push((changed, beside));
    }
    dataset.with_parts(data, parts)
}

fn altered_bars(
    bars: &Arc<Bars>,
    cut: Timestamp,
    how: Alteration,
    noise: &mut Noise,
) -> Result<Arc<Bars>, ExperimentError> {
    let known = rows_closed_by(bars, cut);
    let Alteration::Overwritten { opens_known_by, .. } = how else { return Ok(Arc::new(bars.prefix(known))) };
    let columns = bars.columns();
    // Around the last price that was known, so that what follows is a market and not an accident.
    let level = columns.close[known.max(1) - 1];
    let volume = Some(columns.volume[known.max(1) - 1]).filter(|volume| *volume > 0.0).unwrap_or(1e6);
    let mut altered: BarColumns = columns.clone();
    for row in known..bars.len() {
        if bars.open_time(row) > opens_known_by {
            altered.open[row] = level * noise.factor(0.2);
        }
        altered.close[row] = level * noise.factor(0.2);
        let [open, close] = [altered.open[row], altered.close[row]];
        altered.high[row] = open.max(close) * noise.factor(0.05).max(1.0);
        altered.low[row] = open.min(close) * noise.factor(0.05).min(1.0);
        altered.volume[row] = (volume * noise.factor(1.0)).round();
    }
    Ok(Arc::new(Bars::new(altered, bars.label(), bars.interval())?))
}

/// Alters the actions that no bar known by the cut has met.
fn altered_actions(
    bars: &Bars,
    actions: &[CorporateAction],
    cut: Timestamp,
    how: Alteration,
    noise: &mut Noise,
) -> Vec<CorporateAction> {
    let known = rows_closed_by(bars, cut);
    let last_open = known.checked_sub(1).map(|row| bars.open_time(row));
    let is_known = |action: &CorporateAction| match action.kind {
        CorporateActionKind::Delisting { .. } => known == bars.len() && action.time <= cut,
        _ => last_open.is_some_and(|open| action.time <= open),
    };
    if how == Alteration::CutOff {
        return actions.iter().copied().filter(is_known).collect();
    }
    let change = |action: &CorporateAction| {
        if is_known(action) {
            return *action;
        }
        let kind = match action.kind {
            CorporateActionKind::Split { ratio } => CorporateActionKind::Split { ratio: ratio * noise.factor(0.5) },
            CorporateActionKind::Dividend { amount } => {
                CorporateActionKind::Dividend { amount: amount * noise.factor(0.5) }
            }
            CorporateActionKind::Delisting { price } => {
                CorporateActionKind::Delisting { price: price.map(|price| Price(price.0 * noise.factor(0.5))) }
            }
        };
        CorporateAction { kind, ..*action }
    };
    actions.iter().map(change).collect()
}

#[derive(Clone, Copy)]
enum Rates {
    Levels,
    Fractions,
}

fn altered_rates(
    rates: &RateSeries,
    cut: Timestamp,
    how: Alteration,
    noise: &mut Noise,
    kind: Rates,
) -> Result<Arc<RateSeries>, ExperimentError> {
    let known = rates.known_time().partition_point(|&time| time <= cut);
    let (mut times, mut values) = (rates.known_time().to_vec(), rates.value().to_vec());
    if how == Alteration::CutOff {
        times.truncate(known);
        values.truncate(known);
    }
    for value in values.iter_mut().skip(known) {
        *value = match kind {
            Rates::Levels => *value * noise.factor(0.2),
            Rates::Fractions => 1e-3 * noise.signed(),
        };
    }
    Ok(Arc::new(RateSeries::new(times, values)?))
}

/// Alters forecasts that are not made here: those known after the cut.
pub(super) fn altered_forecasts(forecasts: &[Forecast], cut: Timestamp, how: Alteration) -> Vec<Forecast> {
    let known = |forecast: &&Forecast| forecast.known_time <= cut;
    match how {
        Alteration::CutOff => forecasts.iter().filter(known).copied().collect(),
        Alteration::Overwritten { seed, .. } => {
            let noise = &mut Noise(seed);
            let change = |forecast: &Forecast| {
                if forecast.known_time <= cut {
                    *forecast
                } else {
                    Forecast {
                        mean: forecast.mean.abs() * noise.signed(),
                        variance: forecast.variance.map(|variance| variance * noise.factor(1.0)),
                        ..*forecast
                    }
                }
            };
            forecasts.iter().map(change).collect()
        }
    }
}

/// Alters weights that are not made here: those known after the cut.
pub(super) fn altered_schedule(schedule: &[ScheduledWeight], cut: Timestamp, how: Alteration) -> Vec<ScheduledWeight> {
    match how {
        Alteration::CutOff => schedule.iter().filter(|entry| entry.known_time <= cut).copied().collect(),
        Alteration::Overwritten { seed, .. } => {
            let noise = &mut Noise(seed);
            let change = |entry: &ScheduledWeight| {
                if entry.known_time <= cut {
                    *entry
                } else {
                    ScheduledWeight { weight: entry.weight * noise.signed().abs(), ..*entry }
                }
            };
            schedule.iter().map(change).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use tidegate_market::BarLabel;

    use super::*;
    use crate::audit::tests::support::{simulated, whole_dataset};

    const SEED: u64 = 5;

    fn overwritten(opens_known_by: Timestamp) -> Alteration {
        Alteration::Overwritten { seed: SEED, opens_known_by }
    }

    #[test]
    fn a_prefix_has_the_bars_that_closed_and_noise_leaves_them_alone() {
        let bars = Arc::new(simulated(30).remove(0).bars);
        let cut = bars.close_time(8);
        let noise = &mut Noise(SEED);
        let prefix = altered_bars(&bars, cut, Alteration::CutOff, noise).expect("sane");
        assert_eq!((prefix.len(), prefix.close()), (9, &bars.close()[..9]));
        let noised = altered_bars(&bars, cut, overwritten(cut), noise).expect("sane");
        assert_eq!(noised.time(), bars.time());
        assert_eq!(noised.prefix(9), bars.prefix(9));
        for row in 9..30 {
            // A day's bar opens when the one before closes, so the open of row 9, a Friday, is known at the cut.
            assert_eq!(noised.open()[row] == bars.open()[row], row == 9, "row {row}");
            assert_ne!(noised.close()[row], bars.close()[row]);
            assert_ne!(noised.volume()[row], bars.volume()[row]);
        }
        assert_eq!(bars.label(), BarLabel::Open);
    }

    #[test]
    fn an_action_is_known_to_the_first_bar_that_opens_at_it() {
        let mut dataset = whole_dataset(30);
        let bars = Arc::clone(&dataset.bars[0]);
        let split =
            |row: usize| CorporateAction { time: bars.time()[row], kind: CorporateActionKind::Split { ratio: 2.0 } };
        let end = CorporateAction { time: bars.time()[29], kind: CorporateActionKind::Delisting { price: None } };
        dataset.beside[0].actions = vec![split(9), split(10), end];
        let actions = |how| altered_actions(&bars, &dataset.beside[0].actions, bars.close_time(9), how, &mut Noise(1));
        assert_eq!(actions(Alteration::CutOff), [split(9)]);
        let changed = actions(overwritten(bars.close_time(9)));
        assert_eq!((changed.len(), changed[0]), (3, split(9)));
        assert!(changed[1].time == split(10).time && changed[1] != split(10), "{:?}", changed[1]);
    }

    #[test]
    fn a_rate_is_known_from_its_time_on() {
        let time = |day| Timestamp::from_nanos(day * Timestamp::NANOS_PER_DAY);
        let rates = RateSeries::new(vec![time(1), time(2), time(3)], vec![1.0, 2.0, 3.0]).expect("ascending");
        let changed = |how| altered_rates(&rates, time(2), how, &mut Noise(1), Rates::Levels).expect("finite");
        assert_eq!(changed(Alteration::CutOff).value(), [1.0, 2.0]);
        let noised = changed(overwritten(time(2)));
        assert_eq!((&noised.value()[..2], noised.known_time()), (&[1.0, 2.0][..], rates.known_time()));
        assert_ne!(noised.value()[2], 3.0);
    }
}
