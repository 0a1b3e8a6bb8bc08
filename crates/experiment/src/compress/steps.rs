//! The steps of a compression: data, network, what is done to it, measurements, file.

use tidegate_forecast::{FitTask, Forecaster, NoStore, derive_seed};
use tidegate_models::{
    Device, NetworkSpec, NeuralForecaster, TrainingSpec, checkpoint_network, dequantize, distill, fine_tune, footprint,
    kernel_speed, prune, quantize, with_hidden_size,
};

use super::{CompressOutcome, CompressRequest, Compression, MeasuredNetwork};
use crate::ExperimentError;
use crate::config::ConfigSource;
use crate::dataset::Dataset;
use crate::files::write_atomically;
use crate::forecasting::{FoldWindows, build_panel, fold_windows};
use crate::observer::{MemberMonitor, Observer, Progress};
use crate::resolve::{ForecastPlan, ForecasterPlan, ResolvedExperiment};
use crate::stored_model::{StoredModel, bars_hash, plan_of, run_config};

/// Makes a network smaller, measures it before and after, and writes it; `seconds` reads a clock.
///
/// # Errors
/// When the network or its data are not there or do not fit each other, or when it cannot be made smaller so.
pub fn compress(
    request: &CompressRequest,
    seconds: &mut dyn FnMut() -> f64,
    observer: &dyn Observer,
) -> Result<CompressOutcome, ExperimentError> {
    let stored = StoredModel::open(&request.model)?;
    let network = checkpoint_network(&stored.bytes)?;
    let experiment = experiment_of(request, &stored)?;
    let plan = plan_of(&experiment)?;
    let windows = windows_of(request, &stored, &experiment, plan, observer)?;
    let job = Job { stored: &stored, network, plan, windows: &windows, seed: experiment.seed, observer };
    observer.notify(Progress::Stage { name: "compressing", steps: 0 });
    let steps = job.steps(request)?;
    observer.notify(Progress::StageDone);
    let networks = measure(&steps, &windows, request.rounds.max(1), seconds)?;
    let kernel = kernel_speed(&stored.bytes, &windows.valid, seconds)?.map(|speed| [speed.single, speed.int8]);
    let last = steps.last().expect("a compression has the network before and the one after");
    write_atomically(&request.out, &last.file)?;
    let (fold, valid_windows) = (windows.fold, windows.valid.len());
    Ok(CompressOutcome { fold, valid_windows, networks, kernel, out: request.out.clone() })
}

/// Returns the experiment that the network was trained in.
fn experiment_of(request: &CompressRequest, stored: &StoredModel) -> Result<ResolvedExperiment, ExperimentError> {
    match (&stored.run_dir, &request.strategy) {
        (Some(run_dir), strategy) => run_config(run_dir, strategy.as_deref()),
        (None, Some(strategy)) => ResolvedExperiment::from_source(&ConfigSource::read(strategy)?),
        (None, None) => Err(ExperimentError::Sample(format!(
            "what a network loses is measured on the data that it was trained for, and `{}` does not say which\nhint: name the \
             strategy with `--strategy FILE`, or a run directory in place of the file",
            stored.path.display()
        ))),
    }
}

/// Reads the bars and cuts the fold's windows out of them.
fn windows_of(
    request: &CompressRequest,
    stored: &StoredModel,
    experiment: &ResolvedExperiment,
    plan: &ForecastPlan,
    observer: &dyn Observer,
) -> Result<FoldWindows, ExperimentError> {
    observer.notify(Progress::Stage { name: "reading bars", steps: 0 });
    let dataset = Dataset::load(&experiment.data)?;
    let trained_on = stored.run_dir.as_deref().and_then(bars_hash);
    if trained_on.is_some_and(|hash| hash != dataset.hash) {
        let note = "the bars have changed since the run: losses are those on today's bars".to_owned();
        observer.notify(Progress::Note(note));
    }
    let panel = build_panel(plan, &dataset)?;
    let windows = fold_windows(plan, &panel, stored.fold.or(request.model.fold))?;
    observer.notify(Progress::StageDone);
    Ok(windows)
}

/// A network on the way: its file, and the checkpoint that is measured in its place.
struct Step {
    name: String,
    file: Vec<u8>,
    checkpoint: Vec<u8>,
}

impl Step {
    fn new(name: impl Into<String>, checkpoint: Vec<u8>) -> Self {
        Self { name: name.into(), file: checkpoint.clone(), checkpoint }
    }
}

/// Everything that a compression works with.
struct Job<'a> {
    stored: &'a StoredModel,
    network: NetworkSpec,
    plan: &'a ForecastPlan,
    windows: &'a FoldWindows,
    seed: u64,
    observer: &'a dyn Observer,
}

impl Job<'_> {
    /// Returns the network before, then what each step makes of it; the last one is the result.
    fn steps(&self, request: &CompressRequest) -> Result<Vec<Step>, ExperimentError> {
        let before = &self.stored.bytes;
        let mut steps = vec![Step::new("before", before.clone())];
        match request.compression {
            Compression::Int8 => {
                let file = quantize(before)?;
                steps.push(Step { name: "weights of eight bits".to_owned(), checkpoint: dequantize(&file)?, file });
            }
            Compression::Prune(fraction) => {
                let hidden_size = self.pruned_size(fraction)?;
                let pruned = prune(before, hidden_size)?;
                let trained = self.with_task(request, &|task: &FitTask<'_>| {
                    Ok(fine_tune(&pruned, self.training()?, Device::Cpu, task)?.checkpoint()?)
                })?;
                steps.push(Step::new(format!("pruned to {hidden_size}"), pruned));
                steps.push(Step::new(format!("pruned to {hidden_size}, trained on"), trained));
            }
            Compression::Distil { hidden_size, share } => {
                let forecaster = |network| {
                    Ok::<_, ExperimentError>(NeuralForecaster::new(network, self.training()?.clone(), Device::Cpu)?)
                };
                let teacher = forecaster(self.network.clone())?.restore(before)?;
                let student = forecaster(with_hidden_size(&self.network, hidden_size)?)?;
                let fit = |share: f64| {
                    self.with_task(request, &|task: &FitTask<'_>| {
                        Ok(distill(&student, teacher.as_ref(), task, share)?.checkpoint()?)
                    })
                };
                steps.push(Step::new(format!("student of {hidden_size}, from labels alone"), fit(0.0)?));
                steps.push(Step::new(format!("student of {hidden_size}, {share} from the teacher"), fit(share)?));
            }
        }
        Ok(steps)
    }

    /// Returns how many hidden values stay when a fraction goes.
    fn pruned_size(&self, fraction: f64) -> Result<usize, ExperimentError> {
        let hidden = self.network.encoder.hidden_size().unwrap_or(1);
        let kept = (hidden as f64 * (1.0 - fraction)).round() as usize;
        if fraction > 0.0 && fraction < 1.0 && kept >= 1 && kept < hidden {
            return Ok(kept);
        }
        Err(ExperimentError::Sample(format!(
            "the fraction to prune must be in (0, 1) and leave some of the `{hidden}` hidden values, not all, was `{fraction}`"
        )))
    }

    /// Hands a training the fold's windows, under the seed that the member had.
    fn with_task<T>(
        &self,
        request: &CompressRequest,
        fit: &dyn Fn(&FitTask<'_>) -> Result<T, ExperimentError>,
    ) -> Result<T, ExperimentError> {
        let (fold, member) = (self.windows.fold, request.model.member as u32);
        let monitor = MemberMonitor::new(self.observer, fold, member);
        let seed = derive_seed(self.seed, fold, member);
        let FoldWindows { train, valid, .. } = self.windows;
        fit(&FitTask { train, valid, seed, monitor: &monitor, store: &NoStore })
    }

    fn training(&self) -> Result<&TrainingSpec, ExperimentError> {
        match &self.plan.forecaster {
            ForecasterPlan::Network(_, training) => Ok(training),
            ForecasterPlan::Yardstick(_) => Err(ExperimentError::Sample(
                "the strategy must have a network and `[training]`, has a yardstick".to_owned(),
            )),
        }
    }
}

/// Measures all networks in turn, for some rounds.
fn measure(
    steps: &[Step],
    windows: &FoldWindows,
    rounds: usize,
    seconds: &mut dyn FnMut() -> f64,
) -> Result<Vec<MeasuredNetwork>, ExperimentError> {
    let mut measured = Vec::new();
    let mut speeds = vec![Vec::with_capacity(rounds); steps.len()];
    for round in 0..rounds {
        for (step, speeds) in steps.iter().zip(&mut speeds) {
            let found = footprint(&step.checkpoint, &windows.valid, seconds)?;
            speeds.push(found.windows_per_second);
            if round == 0 {
                measured.push((step, found));
            }
        }
    }
    let network = |((step, found), speeds): ((&Step, tidegate_models::Footprint), Vec<f64>)| {
        let (windows_per_second, windows_per_second_range) = spread(speeds);
        MeasuredNetwork {
            name: step.name.clone(),
            parameters: found.parameters,
            bytes: step.file.len(),
            valid_loss: found.valid_loss,
            windows_per_second,
            windows_per_second_range,
        }
    };
    Ok(measured.into_iter().zip(speeds).map(network).collect())
}

/// Returns the median, and the smallest and the largest, of some numbers.
fn spread(mut values: Vec<f64>) -> (f64, [f64; 2]) {
    values.sort_by(f64::total_cmp);
    let count = values.len();
    (f64::midpoint(values[(count - 1) / 2], values[count / 2]), [values[0], values[count - 1]])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_the_median_between_the_smallest_and_the_largest() {
        assert_eq!(spread(vec![3.0, 1.0, 8.0]), (3.0, [1.0, 8.0]));
        assert_eq!(spread(vec![4.0, 1.0, 8.0, 2.0]), (3.0, [1.0, 8.0]));
    }
}
