//! Several horizons from forecasters of one.

use crate::{
    FitTask, FittedForecaster, ForecastError, Forecaster, NoStore, Predictive, TrainingReport, Windows, checkpoint,
};

const NAME: &str = "per_horizon";

/// Fits one forecaster for each horizon, on the samples that have a label there.
///
/// It bears the name of its members, which know of one horizon only. A fit of several horizons keeps no state between epochs.
pub struct PerHorizon {
    members: Vec<Box<dyn Forecaster>>,
}

impl PerHorizon {
    /// Takes one forecaster per horizon, the nearest horizon first.
    ///
    /// # Panics
    /// Without members, or when they are not of one name.
    pub fn new(members: Vec<Box<dyn Forecaster>>) -> Self {
        let name = members.first().expect("there is at least one horizon").name();
        assert!(members.iter().all(|member| member.name() == name), "every horizon has a forecaster of one kind");
        Self { members }
    }

    fn ensure_horizons(&self, windows: &Windows) -> Result<(), ForecastError> {
        ensure_horizons(self.members.len(), windows)
    }
}

fn ensure_horizons(expected: usize, windows: &Windows) -> Result<(), ForecastError> {
    match windows.horizons {
        found if found == expected => Ok(()),
        found => Err(ForecastError::Shape { what: "the horizons", expected, found }),
    }
}

impl Forecaster for PerHorizon {
    fn name(&self) -> &str {
        self.members[0].name()
    }

    fn fit(&self, task: &FitTask<'_>) -> Result<Box<dyn FittedForecaster>, ForecastError> {
        self.ensure_horizons(task.train)?;
        self.ensure_horizons(task.valid)?;
        if let [only] = &self.members[..] {
            return Ok(Box::new(FittedPerHorizon { members: vec![only.fit(task)?] }));
        }
        let fit = |horizon: usize| {
            let [train, valid] = [task.train, task.valid].map(|set| set.horizon(horizon).labelled());
            self.members[horizon].fit(&FitTask { train: &train, valid: &valid, store: &NoStore, ..*task })
        };
        let members = (0..self.members.len()).map(fit).collect::<Result<_, _>>()?;
        Ok(Box::new(FittedPerHorizon { members }))
    }

    fn restore(&self, checkpoint: &[u8]) -> Result<Box<dyn FittedForecaster>, ForecastError> {
        let error = |reason: String| ForecastError::Checkpoint { reason };
        let state = checkpoint::read_bytes(NAME, checkpoint)?;
        let end = state.iter().position(|&byte| byte == b'\n').unwrap_or(state.len());
        let lengths: Vec<usize> = serde_json::from_slice(&state[..end]).map_err(|found| error(found.to_string()))?;
        if lengths.len() != self.members.len() {
            let [expected, found] = [self.members.len(), lengths.len()];
            return Err(error(format!("it must be of `{expected}` horizons, was of `{found}`")));
        }
        let mut rest = state.get(end + 1..).unwrap_or_default();
        let mut members = Vec::with_capacity(lengths.len());
        for (member, length) in self.members.iter().zip(lengths) {
            let (own, after) = rest.split_at_checked(length).ok_or_else(|| error("it is cut short".to_owned()))?;
            rest = after;
            members.push(member.restore(own)?);
        }
        Ok(Box::new(FittedPerHorizon { members }))
    }
}

struct FittedPerHorizon {
    members: Vec<Box<dyn FittedForecaster>>,
}

impl FittedForecaster for FittedPerHorizon {
    fn forecast(&self, windows: &Windows) -> Result<Vec<Predictive>, ForecastError> {
        ensure_horizons(self.members.len(), windows)?;
        if let [only] = &self.members[..] {
            return only.forecast(windows);
        }
        // No forecast reads a label, so one horizon's view serves all.
        let view = windows.horizon(0);
        let by_horizon = self.members.iter().map(|member| member.forecast(&view)).collect::<Result<Vec<_>, _>>()?;
        let row = |sample: usize| by_horizon.iter().map(move |forecasts| forecasts[sample].clone());
        Ok((0..windows.len()).flat_map(row).collect())
    }

    fn checkpoint(&self) -> Result<Vec<u8>, ForecastError> {
        let members = self.members.iter().map(|member| member.checkpoint()).collect::<Result<Vec<_>, _>>()?;
        let lengths: Vec<usize> = members.iter().map(Vec::len).collect();
        let mut state = serde_json::to_vec(&lengths).map_err(|error| ForecastError::Model(error.to_string()))?;
        state.push(b'\n');
        state.extend(members.concat());
        Ok(checkpoint::write_bytes(NAME, &state))
    }

    fn report(&self) -> TrainingReport {
        if let [only] = &self.members[..] {
            return only.report();
        }
        let parameters = self.members.iter().map(|member| member.report().parameters).sum();
        TrainingReport { parameters, ..TrainingReport::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::tabular;
    use crate::yardsticks::predictive;
    use crate::{EwmaVolatility, HistoricalMean, NoMonitor};

    fn two_horizons() -> Windows {
        let mut windows = tabular(&[&[0.0], &[0.0], &[0.0]], &[0.0; 3]);
        windows.horizons = 2;
        windows.target = vec![Some(1.0), Some(10.0), Some(2.0), None, Some(6.0), Some(30.0)];
        windows
    }

    fn means() -> PerHorizon {
        PerHorizon::new(vec![Box::new(HistoricalMean), Box::new(HistoricalMean)])
    }

    fn fit(forecaster: &PerHorizon, train: &Windows) -> Result<Box<dyn FittedForecaster>, ForecastError> {
        let valid = Windows { horizons: train.horizons, ..Windows::default() };
        forecaster.fit(&FitTask { train, valid: &valid, seed: 0, monitor: &NoMonitor, store: &NoStore })
    }

    #[test]
    fn every_horizon_is_fitted_on_its_own_labels() {
        // Near: 1, 2, 6, mean 3, variance 7. Far: 10 and 30 (the middle sample has none), mean 20, variance 200.
        let fitted = fit(&means(), &two_horizons()).expect("fits");
        let forecast = fitted.forecast(&two_horizons()).expect("same shape");
        let row = [predictive(3.0, Some(7.0)), predictive(20.0, Some(200.0))];
        assert_eq!(forecast, [row.clone(), row.clone(), row].concat());
        assert_eq!((fitted.report().parameters, means().name()), (4, "historical_mean"));
    }

    #[test]
    fn members_may_know_how_far_they_look() {
        let members = [1, 5].map(|horizon_bars| Box::new(EwmaVolatility { horizon_bars }) as Box<dyn Forecaster>);
        let fitted = fit(&PerHorizon::new(members.into()), &two_horizons()).expect("nothing to fit");
        let forecast = fitted.forecast(&two_horizons()).expect("same shape");
        assert_eq!([forecast[2].variance, forecast[3].variance], [Some(2e-4), Some(1e-3)]);
    }

    #[test]
    fn a_restored_fit_forecasts_the_same_bits() {
        let fitted = fit(&means(), &two_horizons()).expect("fits");
        let bytes = fitted.checkpoint().expect("writes");
        let restored = means().restore(&bytes).expect("its own bytes");
        let windows = two_horizons();
        assert_eq!(restored.forecast(&windows).expect("same shape"), fitted.forecast(&windows).expect("same shape"));
        assert_eq!(restored.checkpoint().expect("writes"), bytes);
        let error = PerHorizon::new(vec![Box::new(HistoricalMean)]).restore(&bytes).err().expect("one horizon");
        assert!(error.to_string().contains("it must be of `1` horizons, was of `2`"), "{error}");
        let error = means().restore(&bytes[..bytes.len() - 1]).err().expect("cut");
        assert!(error.to_string().contains("damaged or cut short"), "{error}");
    }

    #[test]
    fn one_horizon_is_its_only_member() {
        let windows = tabular(&[&[0.0], &[0.0]], &[1.0, 3.0]);
        let fitted = fit(&PerHorizon::new(vec![Box::new(HistoricalMean)]), &windows).expect("fits");
        assert_eq!(fitted.forecast(&windows).expect("same shape"), vec![predictive(2.0, Some(2.0)); 2]);
        let mut unlabelled = windows;
        unlabelled.target[1] = None;
        let error = fit(&PerHorizon::new(vec![Box::new(HistoricalMean)]), &unlabelled).err().expect("refused");
        assert_eq!(error, ForecastError::MissingTarget { sample: 1 });
    }

    #[test]
    fn another_number_of_horizons_is_refused() {
        let error = fit(&means(), &tabular(&[&[0.0]], &[1.0])).err().expect("refused");
        assert_eq!(error, ForecastError::Shape { what: "the horizons", expected: 2, found: 1 });
        let task = |train| FitTask { train, valid: train, seed: 0, monitor: &NoMonitor, store: &NoStore };
        let error = HistoricalMean.fit(&task(&two_horizons())).err().expect("refused");
        assert_eq!(error, ForecastError::Shape { what: "the horizons of a yardstick", expected: 1, found: 2 });
    }
}
