//! Forecasts that are made inside a backtest: networks stepped bar by bar.
//!
//! In a fold's test block every series has one stream per ensemble member. At a sample that follows on the sample of the row before,
//! the streams take one step: they read the row's scaled features and keep their state. At any other sample, the first of the block
//! or the first after bars without complete features, they start anew and read the sample's whole window, so that its forecast
//! is that of windowed inference. The members' forecasts are mixed bar by bar.
//!
//! Invariant: a forecast reads rows up to its sample's and is made when that row is known, so it cannot know more; the
//! forecasts are the same whether a backtest asks for them or nobody does.

use tidegate_backtest::ForecastSource;
use tidegate_forecast::{
    ForecastError, ForecastStream, Panel, Predictive, Sample, SampleSet, ScaleSpec, Scaler, mixture, windows,
};
use tidegate_market::{Forecast, InstrumentId, Timestamp};

use super::ForecastOutcome;
use crate::ExperimentError;

/// The streams of one member of a fold, one per series.
pub(crate) type MemberStreams = Vec<Box<dyn ForecastStream>>;

/// The forecasts of a walk-forward, each made when it is asked for.
pub struct StreamedForecasts {
    folds: Vec<FoldStreams>,
    /// All forecasts in the order in which they become known.
    order: Vec<Due>,
    horizon_bars: u32,
    /// How many of them were made.
    next: usize,
    failure: Option<ForecastError>,
    /// What each member said last, `[K]`.
    of_members: Vec<Vec<Predictive>>,
}

/// One fold's networks and what they read.
struct FoldStreams {
    index: u32,
    members: Vec<MemberStreams>,
    features: usize,
    /// The scaled rows, each where it is read.
    rows: Vec<f32>,
    /// The mixture's predictions so far, sample by sample.
    predictions: Vec<Predictive>,
}

/// A forecast that is to be made.
#[derive(Clone, Copy)]
struct Due {
    known_time: Timestamp,
    time: Timestamp,
    instrument: InstrumentId,
    /// Places of the fold and the series.
    fold: u32,
    series: u32,
    /// The rows to read, more than one at a fresh start.
    first_row: u32,
    rows: u32,
    is_fresh: bool,
}

impl StreamedForecasts {
    /// Starts without folds; `horizon_bars` is what the forecasts say of themselves.
    pub(crate) fn new(horizon_bars: u32, ensemble_size: u32) -> Self {
        Self {
            folds: Vec::new(),
            order: Vec::new(),
            horizon_bars,
            next: 0,
            failure: None,
            of_members: vec![Vec::new(); ensemble_size as usize],
        }
    }

    /// Adds a fold's test samples, sorted by the time at which they are known.
    pub(crate) fn push_fold(
        &mut self,
        panel: &Panel,
        scale: ScaleSpec,
        index: u32,
        samples: &[Sample],
        scaler: &Scaler,
        members: Vec<MemberStreams>,
    ) {
        let fold = self.folds.len() as u32;
        let reading = Reading::new(panel, samples, scale, scaler);
        self.order.extend(samples.iter().zip(&reading.spans).map(|(sample, &(first_row, rows, is_fresh))| {
            let (series, row) = (&panel.series[sample.series as usize], sample.row as usize);
            let (known_time, time) = (series.known_time[row], series.time[row]);
            Due {
                known_time,
                time,
                instrument: series.instrument,
                fold,
                series: sample.series,
                first_row,
                rows,
                is_fresh,
            }
        }));
        let Reading { features, rows, .. } = reading;
        let predictions = Vec::with_capacity(samples.len());
        self.folds.push(FoldStreams { index, members, features, rows, predictions });
    }

    /// Puts the forecasts of all folds into the order in which they become known.
    pub(crate) fn arrange(&mut self) {
        self.order.sort_by_key(|due| (due.known_time, due.instrument));
    }

    /// Returns the earliest label of a bar with a forecast; `None` without forecasts.
    pub fn first_label(&self) -> Option<Timestamp> {
        self.order.iter().map(|due| due.time).min()
    }

    /// Makes what nobody asked for and hands everything over.
    ///
    /// # Errors
    /// When a network said something that is not finite, in the backtest or now.
    pub(crate) fn finish(mut self, outcome: &mut ForecastOutcome) -> Result<(), ExperimentError> {
        self.make_rest()?;
        for (fold, streams) in outcome.folds.iter_mut().zip(self.folds) {
            fold.predictions = streams.predictions;
        }
        outcome.state();
        Ok(())
    }

    fn make_rest(&mut self) -> Result<(), ForecastError> {
        while self.next(Timestamp::from_nanos(i64::MAX)).is_some() {}
        self.failure.take().map_or(Ok(()), Err)
    }

    fn make(&mut self, due: Due) -> Result<Forecast, ForecastError> {
        let fold = &mut self.folds[due.fold as usize];
        let rows = &fold.rows[due.first_row as usize * fold.features..][..due.rows as usize * fold.features];
        let (warm_up, last) = rows.split_at(rows.len() - fold.features);
        for (streams, said) in fold.members.iter_mut().zip(&mut self.of_members) {
            let stream = &mut streams[due.series as usize];
            if due.is_fresh {
                stream.reset();
                for row in warm_up.chunks_exact(fold.features) {
                    stream.step(row)?;
                }
            }
            said.clear();
            said.extend_from_slice(stream.step(last)?);
        }
        let first = fold.predictions.len();
        fold.predictions.extend(mixture(&self.of_members));
        let Due { known_time, time, instrument, .. } = due;
        let Predictive { mean, variance, .. } = fold.predictions[first];
        Ok(Forecast { instrument, time, known_time, horizon_bars: self.horizon_bars, mean, variance, fold: fold.index })
    }
}

impl ForecastSource for StreamedForecasts {
    /// After a failure there are no more forecasts; the failure comes to light when the run is over.
    fn next(&mut self, now: Timestamp) -> Option<Forecast> {
        let due = *self.order.get(self.next).filter(|due| due.known_time <= now && self.failure.is_none())?;
        self.next += 1;
        match self.make(due) {
            Ok(forecast) => Some(forecast),
            Err(failure) => {
                self.failure = Some(failure);
                None
            }
        }
    }
}

/// The scaled rows of a fold, sample after sample.
struct Reading {
    features: usize,
    rows: Vec<f32>,
    /// Per sample: its first row, the number of its rows, and whether it starts anew.
    spans: Vec<(u32, u32, bool)>,
}

impl Reading {
    fn new(panel: &Panel, samples: &[Sample], scale: ScaleSpec, scaler: &Scaler) -> Self {
        let fresh = fresh_starts(samples, panel.series.len());
        let pick = |wanted: bool| -> Vec<Sample> {
            samples.iter().zip(&fresh).filter(|(_, fresh)| **fresh == wanted).map(|(sample, _)| *sample).collect()
        };
        let read = |samples: Vec<Sample>, scale: ScaleSpec| {
            windows(panel, &SampleSet::with_all_labels(panel, samples), &[scale], scaler).scales.remove(0)
        };
        let starts = read(pick(true), scale);
        let steps = read(pick(false), ScaleSpec { window_bars: 1, window_bars_min: None, ..scale });
        let features = starts.features;
        let mut reading = Self { features, rows: Vec::new(), spans: Vec::with_capacity(samples.len()) };
        let (mut start, mut step) = (0, 0);
        for is_fresh in fresh {
            let own = if is_fresh {
                let valid = starts.lengths.get(start).map_or(starts.steps, |&length| length as usize);
                start += 1;
                &starts.window(start - 1)[(starts.steps - valid) * features..]
            } else {
                step += 1;
                steps.last_step(step - 1)
            };
            reading.spans.push(((reading.rows.len() / features) as u32, (own.len() / features) as u32, is_fresh));
            reading.rows.extend_from_slice(own);
        }
        reading
    }
}

/// Returns, sample by sample, whether the row before it has no sample.
fn fresh_starts(samples: &[Sample], series: usize) -> Vec<bool> {
    let mut last: Vec<Option<u32>> = vec![None; series];
    let is_fresh = |sample: &Sample| {
        let before = last[sample.series as usize].replace(sample.row);
        before.is_none_or(|before| before + 1 != sample.row)
    };
    samples.iter().map(is_fresh).collect()
}

#[cfg(test)]
mod tests {
    use tidegate_forecast::{Fold, PanelSeries, PredictiveShape, ScalerSpec, fold_samples};
    use tidegate_market::{FeatureColumn, FeatureMatrix, TargetColumn};

    use super::*;

    /// Says the sum of what it has read, times a factor; with powers of two the sum shows which rows that were.
    struct Sum {
        factor: f64,
        said: Predictive,
    }

    impl Sum {
        fn streams(factor: f64, series: usize) -> MemberStreams {
            let said =
                Predictive { mean: 0.0, variance: None, epistemic_variance: None, shape: PredictiveShape::Normal };
            (0..series).map(|_| Box::new(Self { factor, said: said.clone() }) as Box<dyn ForecastStream>).collect()
        }
    }

    impl ForecastStream for Sum {
        fn step(&mut self, features: &[f32]) -> Result<&[Predictive], ForecastError> {
            self.said.mean += self.factor * f64::from(features[0]);
            if self.said.mean > 1e6 {
                return Err(ForecastError::NotFinite {
                    what: "the forecast of a step".to_owned(),
                    value: f64::INFINITY,
                });
            }
            Ok(std::slice::from_ref(&self.said))
        }

        fn reset(&mut self) {
            self.said.mean = 0.0;
        }
    }

    fn close(day: i64) -> Timestamp {
        Timestamp::from_nanos((day + 1) * Timestamp::NANOS_PER_DAY)
    }

    /// A series whose feature is `2^row`; it has none in a row that is missing.
    fn series(instrument: u32, rows: usize, missing: Option<usize>) -> PanelSeries {
        let value = |row| if Some(row) == missing { f64::NAN } else { 2_f64.powi(row as i32) };
        let column = FeatureColumn::new("power", (0..rows).map(value).collect());
        let target = TargetColumn { name: "return".to_owned(), horizon_bars: 1, labels: vec![None; rows] };
        PanelSeries {
            instrument: InstrumentId(instrument),
            time: (0..rows as i64).map(|day| close(day - 1)).collect(),
            known_time: (0..rows as i64).map(close).collect(),
            scales: vec![FeatureMatrix::new(rows, vec![column]).expect("one length")],
            targets: vec![target],
            ewma_variance: vec![None; rows],
            one_bar_return: vec![None; rows].into(),
        }
    }

    /// Two members, the second three times the first, over test blocks; windows of two rows.
    fn streamed(panel: &Panel, blocks: &[std::ops::Range<usize>]) -> StreamedForecasts {
        let scale = ScaleSpec { window_bars: 2, bar_multiple: 1, window_bars_min: None };
        let scaler = Scaler::fit(panel, std::slice::from_ref(&(0..1)), &ScalerSpec::None {}).expect("nothing to fit");
        let mut streamed = StreamedForecasts::new(1, 2);
        for (index, test) in blocks.iter().enumerate() {
            let fold = Fold { index: index as u32, train: 0..1, valid: 1..1, test: test.clone() };
            let samples = fold_samples(panel, &fold, &[scale]).test;
            let members = [1.0, 3.0].map(|factor| Sum::streams(factor, panel.series.len()));
            streamed.push_fold(panel, scale, fold.index, &samples, &scaler, members.into());
        }
        streamed.arrange();
        streamed
    }

    /// Day of the bar, instrument, fold, and the sum of the rows read.
    fn asked(streamed: &mut StreamedForecasts, now: Timestamp) -> Vec<(i64, u32, u32, f64)> {
        let days = |time: Timestamp| time.nanos() / Timestamp::NANOS_PER_DAY;
        std::iter::from_fn(|| streamed.next(now))
            // The mixture's mean is the average of one and three times the sum.
            .map(|forecast| (days(forecast.time), forecast.instrument.0, forecast.fold, forecast.mean / 2.0))
            .collect()
    }

    #[test]
    fn a_state_is_carried_through_a_block_and_starts_anew_with_each_block() {
        let panel = Panel::new(vec![series(0, 8, None)]).expect("sane");
        let mut streamed = streamed(&panel, &[2..5, 5..8]);
        assert_eq!(streamed.first_label(), Some(close(1)));
        // Rows 1 and 2; then 3 and 4 on top. Rows 4 and 5; then 6 and 7 on top.
        let expected = [6.0, 14.0, 30.0, 48.0, 112.0, 240.0];
        let found = asked(&mut streamed, close(7));
        assert_eq!(found.iter().map(|forecast| forecast.3).collect::<Vec<_>>(), expected);
        assert_eq!(found.iter().map(|forecast| forecast.2).collect::<Vec<_>>(), [0, 0, 0, 1, 1, 1]);
    }

    #[test]
    fn a_forecast_is_made_when_its_bar_is_known_and_not_before() {
        let panel = Panel::new(vec![series(0, 8, None), series(1, 8, None)]).expect("sane");
        let mut streamed = streamed(&panel, std::slice::from_ref(&(2..8)));
        assert_eq!(asked(&mut streamed, Timestamp::from_nanos(close(2).nanos() - 1)), []);
        assert_eq!(asked(&mut streamed, close(2)), [(2, 0, 0, 6.0), (2, 1, 0, 6.0)]);
        assert_eq!(asked(&mut streamed, close(2)), []);
        assert_eq!(asked(&mut streamed, close(3)), [(3, 0, 0, 14.0), (3, 1, 0, 14.0)]);
    }

    #[test]
    fn after_a_row_without_features_a_series_starts_anew_from_a_whole_window() {
        let panel = Panel::new(vec![series(0, 9, Some(4)), series(1, 9, None)]).expect("sane");
        let found = asked(&mut streamed(&panel, std::slice::from_ref(&(2..9))), close(8));
        let first = found.iter().filter(|forecast| forecast.1 == 0).map(|&(day, .., sum)| (day, sum));
        // Row 4 is missing, so windows end at rows 2, 3 and from 6 on: rows 5 and 6, then 7 and 8 on top.
        assert_eq!(first.collect::<Vec<_>>(), [(2, 6.0), (3, 14.0), (6, 96.0), (7, 224.0), (8, 480.0)]);
        assert_eq!(
            found.iter().filter(|forecast| forecast.1 == 1).map(|&(.., sum)| sum).sum::<f64>(),
            6.0 + 14.0 + 30.0 + 62.0 + 126.0 + 254.0 + 510.0
        );
    }

    #[test]
    fn what_nobody_asked_for_is_made_at_the_end() {
        let panel = Panel::new(vec![series(0, 8, None)]).expect("sane");
        let block = 2..8;
        let mut whole = streamed(&panel, std::slice::from_ref(&block));
        whole.make_rest().expect("finite");
        let mut begun = streamed(&panel, std::slice::from_ref(&block));
        assert_eq!(asked(&mut begun, close(4)).len(), 3);
        begun.make_rest().expect("finite");
        assert_eq!(begun.folds[0].predictions.len(), 6);
        assert_eq!(begun.folds[0].predictions, whole.folds[0].predictions);
    }

    #[test]
    fn a_failure_ends_the_forecasts_and_comes_to_light() {
        let panel = Panel::new(vec![series(0, 30, None)]).expect("sane");
        let mut streamed = streamed(&panel, std::slice::from_ref(&(2..30)));
        // The second member is beyond a million with row 18: 3 (2^19 - 2).
        assert_eq!(asked(&mut streamed, close(29)).len(), 16);
        let message = streamed.make_rest().expect_err("not finite").to_string();
        assert_eq!(message, "the forecast of a step must be finite, was `inf`");
    }
}
