//! The whole computation, and the same again on altered bars, cut by cut and stage by stage.

use std::collections::{BTreeMap, BTreeSet};

use tidegate_backtest::{FillMoment, Journal};
use tidegate_forecast::{FoldScheme, Forecaster, Panel, Split, splits};
use tidegate_market::{Forecast, Timestamp};

use super::altered::{Alteration, Noise, altered, altered_forecasts, altered_schedule};
use super::chain::{Chain, Feed};
use super::column::{AuditStage, Column, Comparison, Difference, compare};
use super::cuts::{Axis, Cut, CutKind};
use super::journal::{BarClock, FillsKnown, JournalView};
use super::order_of_events::{early_fill, late_label};
use super::report::{AuditLeak, AuditMethod, AuditReport, AuditedCut};
use super::{AuditOptions, stages};
use crate::ExperimentError;
use crate::dataset::Dataset;
use crate::forecasting::{
    ArtifactCache, ForecastOutcome, PreparedFold, RunMembers, StreamedForecasts, TrainingContext, train_prepared,
};
use crate::observer::{Observer, Progress};
use crate::pipeline::{build_forecaster, market};
use crate::resolve::{ForecastPlan, ForecastSource, ResolvedExperiment};
use crate::traded_market::traded_market_from;
use crate::trading::{StrategyInputs, read_forecasts, read_schedule};

/// Mixed into the experiment's seed, so that cuts and noise are not those of anything else.
const SALT: u64 = 0x6175_6469_7400_0001;

/// Everything that the whole computation delivered.
struct Whole {
    dataset: Dataset,
    inputs: StrategyInputs,
    learned: Option<Learned>,
    /// Forecasts that come from elsewhere, or from both sides of the bars that they are about.
    given: Option<Vec<Forecast>>,
    journal: Journal,
}

/// What a walk-forward of the whole computation delivered.
struct Learned {
    panel: Panel,
    splits: Vec<Split>,
    folds: Vec<PreparedFold>,
    outcome: ForecastOutcome,
    forecaster: Box<dyn Forecaster>,
}

/// An audit at work.
pub(super) struct Auditor<'a> {
    experiment: &'a ResolvedExperiment,
    raw: &'a Dataset,
    options: &'a AuditOptions,
    observer: &'a dyn Observer,
    chain: &'a dyn Chain,
    cache: ArtifactCache,
    whole: Whole,
}

/// Hears of a cancellation and says nothing: what is computed again is not worth a line each.
struct Quiet<'a>(&'a dyn Observer);

impl Observer for Quiet<'_> {
    fn notify(&self, _: Progress) {}

    fn cancelled(&self) -> bool {
        self.0.cancelled()
    }
}

/// Why a computation on altered bars is not carried on.
enum Stop {
    /// It differs from the whole.
    Leak(Box<Difference>),
    /// Nothing later was known by the cut.
    NothingMore,
    /// It failed.
    Error(ExperimentError),
}

impl<E: Into<ExperimentError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// What was compared so far.
#[derive(Default)]
pub(super) struct Tally {
    stages: BTreeMap<AuditStage, (BTreeSet<Timestamp>, u64)>,
}

impl Tally {
    fn take(&mut self, comparison: Comparison, cut: Timestamp) -> Result<(), Stop> {
        for (stage, values) in comparison.values {
            let entry = self.stages.entry(stage).or_default();
            entry.1 += values;
            if values > 0 {
                entry.0.insert(cut);
            }
        }
        comparison.first.map_or(Ok(()), |found| Err(Stop::Leak(Box::new(found))))
    }

    fn count(&mut self, stage: AuditStage, values: u64) {
        self.stages.entry(stage).or_default().1 += values;
    }

    /// Returns the stages with their numbers of cuts and values.
    pub(super) fn stages(&self) -> impl Iterator<Item = (AuditStage, usize, u64)> + '_ {
        self.stages.iter().map(|(stage, (cuts, values))| (*stage, cuts.len(), *values))
    }

    /// Returns the stages that were compared at a cut.
    pub(super) fn at(&self, cut: Timestamp) -> Vec<AuditStage> {
        let compared = self.stages.iter().filter(|(_, (cuts, _))| cuts.contains(&cut));
        compared.map(|(stage, _)| *stage).collect()
    }
}

/// One computation on altered bars.
struct Again<'a> {
    cut: Cut,
    how: Alteration,
    /// The fold whose members are trained again, whatever the cache holds.
    retrained: Option<u32>,
    tally: &'a mut Tally,
}

impl Again<'_> {
    fn compare(&mut self, whole: &[Column<'_>], again: &[Column<'_>]) -> Result<(), Stop> {
        self.tally.take(compare(whole, again, self.cut.time), self.cut.time)
    }
}

impl<'a> Auditor<'a> {
    /// Computes the whole.
    pub(super) fn new(
        experiment: &'a ResolvedExperiment,
        raw: &'a Dataset,
        options: &'a AuditOptions,
        observer: &'a dyn Observer,
        chain: &'a dyn Chain,
    ) -> Result<Self, ExperimentError> {
        let cache = options.run.cache.or_in_memory();
        let dataset = chain.bars(raw.clone())?;
        let schedule = read_schedule(experiment, raw)?;
        let inputs = StrategyInputs { schedule, ..chain.features(experiment, &dataset)? };
        let empty = Whole { dataset, inputs, learned: None, given: None, journal: Journal::default() };
        let mut auditor = Self { experiment, raw, options, observer, chain, cache, whole: empty };
        auditor.compute_whole()?;
        Ok(auditor)
    }

    fn compute_whole(&mut self) -> Result<(), ExperimentError> {
        match &self.experiment.forecasts {
            ForecastSource::None => {
                self.whole.journal = self.trade_known(&self.whole.dataset, &[], &self.whole.inputs)?;
            }
            ForecastSource::File(path) => {
                let given = read_forecasts(path, self.raw)?;
                self.whole.journal = self.trade_known(&self.whole.dataset, &given, &self.whole.inputs)?;
                self.whole.given = Some(given);
            }
            ForecastSource::WalkForward(plan) => {
                let (learned, journal) = self.learn_whole(plan)?;
                if matches!(plan.scheme, FoldScheme::CrossValidation(_)) {
                    self.whole.given = Some(learned.outcome.paths[0].clone());
                }
                (self.whole.learned, self.whole.journal) = (Some(learned), journal);
            }
        }
        Ok(())
    }

    fn learn_whole(&self, plan: &ForecastPlan) -> Result<(Learned, Journal), ExperimentError> {
        let panel = self.chain.panel(plan, &self.whole.dataset)?;
        let splits = splits(panel.axis.len(), &plan.scheme)?;
        let folds = self.chain.folds(plan, &panel, splits.clone())?;
        let forecaster = build_forecaster(plan, &panel, &self.options.run.device)?;
        let (mut outcome, streams) =
            self.train(plan, forecaster.as_ref(), &panel, folds.clone(), None, self.observer)?;
        let journal = match streams {
            None => self.trade_known(&self.whole.dataset, &outcome.paths[0], &self.whole.inputs)?,
            Some(streams) => self.trade_streams(&self.whole.dataset, streams, &mut outcome, &self.whole.inputs)?,
        };
        Ok((Learned { panel, splits, folds, outcome, forecaster }, journal))
    }

    fn train(
        &self,
        plan: &ForecastPlan,
        forecaster: &dyn Forecaster,
        panel: &Panel,
        folds: Vec<PreparedFold>,
        retrained: Option<u32>,
        observer: &dyn Observer,
    ) -> Result<(ForecastOutcome, Option<StreamedForecasts>), ExperimentError> {
        let context = TrainingContext {
            seed: self.experiment.seed,
            cache: &self.cache,
            run_members: &RunMembers::default(),
            device: &self.options.run.device,
            observer,
            yardsticks: false,
            retrained,
        };
        train_prepared(plan, forecaster, panel, folds, &context)
    }

    fn trade_known(
        &self,
        dataset: &Dataset,
        forecasts: &[Forecast],
        inputs: &StrategyInputs,
    ) -> Result<Journal, ExperimentError> {
        let market = market(self.experiment, dataset, forecasts)?;
        self.chain.trade(self.experiment, dataset, &market, Feed::Known(forecasts), inputs)
    }

    fn trade_streams(
        &self,
        dataset: &Dataset,
        mut streams: StreamedForecasts,
        outcome: &mut ForecastOutcome,
        inputs: &StrategyInputs,
    ) -> Result<Journal, ExperimentError> {
        let market = traded_market_from(dataset, &self.experiment.instruments, streams.first_label())?;
        let journal = self.chain.trade(self.experiment, dataset, &market, Feed::Made(&mut streams), inputs)?;
        streams.finish(outcome)?;
        Ok(journal)
    }

    /// Compares, cut by cut, until a leak is found or nothing is left.
    pub(super) fn audit(self) -> Result<AuditReport, ExperimentError> {
        let mut tally = Tally::default();
        let mut report = AuditReport::begin(self.experiment, self.raw)?;
        report.leak =
            self.order_of_events(&mut tally).map(|found| AuditLeak::new(found, AuditMethod::OrderOfEvents, None));
        let cuts = if report.leak.is_none() { self.cuts()? } else { Vec::new() };
        self.observer.notify(Progress::Stage { name: "auditing", steps: cuts.len() as u64 });
        let mut retrained = BTreeSet::new();
        for cut in cuts {
            for (how, method) in self.alterations(&cut) {
                if self.observer.cancelled() {
                    return Err(ExperimentError::Cancelled);
                }
                let fold = self.fold_to_retrain(&cut, how).filter(|fold| retrained.insert(*fold));
                let found = self.examine(&mut Again { cut, how, retrained: fold, tally: &mut tally })?;
                if report.leak.is_none() {
                    report.leak = found.map(|found| AuditLeak::new(found, method, Some(cut.label)));
                }
            }
            report.cuts.push(AuditedCut { bar: cut.label, kind: cut.kind, stages: tally.at(cut.time) });
            self.observer.notify(Progress::Step);
            if report.leak.is_some() {
                break;
            }
        }
        self.observer.notify(Progress::StageDone);
        report.folds_retrained = retrained.into_iter().collect();
        report.count(&tally);
        Ok(report)
    }

    fn cuts(&self) -> Result<Vec<Cut>, ExperimentError> {
        let (axis, seed) = (Axis::new(self.raw), self.experiment.seed ^ SALT);
        let folds = match (&self.whole.learned, &self.whole.given) {
            (Some(learned), None) => learned.splits.as_slice(),
            _ => &[],
        };
        let mut cuts = axis.sample(folds, &self.look_backs(), self.options.cuts, seed)?;
        let clock = BarClock::of(self.raw);
        let at_open = self.whole.journal.fills.iter().filter(|fill| fill.moment == FillMoment::Open);
        let mut opens: Vec<Timestamp> = at_open.map(|fill| clock.open(fill.time)).collect();
        opens.sort_unstable();
        opens.dedup();
        let (count, noise) = ((self.options.cuts / 2).max(1).min(opens.len()), &mut Noise(!seed));
        for part in 0..count {
            let (first, end) = (opens.len() * part / count, opens.len() * (part + 1) / count);
            let place = first + (noise.next() % (end - first) as u64) as usize;
            cuts.extend(axis.at_open(opens[place]));
        }
        Ok(cuts)
    }

    /// Returns how many bars each feature warms up for, in bars of the data.
    fn look_backs(&self) -> Vec<usize> {
        let mut look_backs = Vec::new();
        if let ForecastSource::WalkForward(plan) = &self.experiment.forecasts {
            for scale in &plan.scales {
                look_backs.extend(plan.features.iter().map(|feature| feature.lookback_bars() * scale.bar_multiple));
            }
        }
        look_backs.extend(
            self.experiment
                .rules
                .iter()
                .flat_map(|plan| &plan.features)
                .map(tidegate_features::FeatureSpec::lookback_bars),
        );
        look_backs.retain(|&bars| bars > 0);
        look_backs
    }

    fn alterations(&self, cut: &Cut) -> Vec<(Alteration, AuditMethod)> {
        let seed = self.experiment.seed ^ SALT ^ cut.time.nanos().cast_unsigned();
        if cut.kind == CutKind::AtOpen {
            let how = Alteration::Overwritten { seed, opens_known_by: cut.time };
            return vec![(how, AuditMethod::OverwrittenButTheOpen)];
        }
        let overwritten = Alteration::Overwritten { seed, opens_known_by: cut.time.plus_nanos(-1) };
        vec![(Alteration::CutOff, AuditMethod::CutOff), (overwritten, AuditMethod::Overwritten)]
    }

    /// Returns the fold that a cut lies in. Its members are trained on the overwritten future, once: equal hashes of what they
    /// learn from would only show equal models if training were what it says. Other devices than the processor do not promise
    /// equal bits.
    fn fold_to_retrain(&self, cut: &Cut, how: Alteration) -> Option<u32> {
        match (cut.kind, how) {
            (CutKind::InsideFold(fold), Alteration::Overwritten { .. }) if self.options.run.device == "cpu" => {
                Some(fold)
            }
            _ => None,
        }
    }

    fn order_of_events(&self, tally: &mut Tally) -> Option<Difference> {
        if let (Some(learned), None) = (&self.whole.learned, &self.whole.given) {
            let (labels, late) = late_label(&learned.panel, &learned.folds, &self.raw.symbols);
            tally.count(AuditStage::TrainingSets, labels);
            if late.is_some() {
                return late;
            }
        }
        let (fills, early) = early_fill(&self.whole.dataset, &self.whole.journal);
        tally.count(AuditStage::Fills, fills);
        early
    }

    fn examine(&self, again: &mut Again<'_>) -> Result<Option<Difference>, ExperimentError> {
        match self.examine_stages(again) {
            Ok(()) | Err(Stop::NothingMore) => Ok(None),
            Err(Stop::Leak(found)) => Ok(Some(*found)),
            Err(Stop::Error(error)) => Err(error),
        }
    }

    fn examine_stages(&self, again: &mut Again<'_>) -> Result<(), Stop> {
        let whole = &self.whole;
        let dataset = altered(self.raw, &self.experiment.data, again.cut.time, again.how)?;
        let dataset = self.chain.bars(dataset)?;
        again.compare(&stages::bars(&whole.dataset), &stages::bars(&dataset))?;
        let features = self.chain.features(self.experiment, &dataset)?;
        let schedule = altered_schedule(&whole.inputs.schedule, again.cut.time, again.how);
        let inputs = StrategyInputs { schedule, ..features };
        let rules = stages::rules_features(&whole.dataset, &whole.inputs.features);
        again.compare(&rules, &stages::rules_features(&dataset, &inputs.features))?;
        let panel = self.examine_panel(&dataset, again)?;
        if again.cut.kind == CutKind::WarmUp {
            return Err(Stop::NothingMore);
        }
        let journal = match (&self.experiment.forecasts, &whole.given, &whole.learned, panel) {
            (_, Some(given), _, _) => {
                let forecasts = altered_forecasts(given, again.cut.time, again.how);
                if forecasts.first().is_none_or(|first| first.known_time > again.cut.time) {
                    return Err(Stop::NothingMore);
                }
                self.trade_known(&dataset, &forecasts, &inputs)?
            }
            (ForecastSource::WalkForward(plan), None, Some(learned), Some(panel)) => {
                self.examine_forecasts(plan, learned, (&dataset, &panel, &inputs), again)?
            }
            _ => self.trade_known(&dataset, &[], &inputs)?,
        };
        let (own, other) = (self.view(&whole.dataset, &whole.journal, again), self.view(&dataset, &journal, again));
        again.compare(&own.columns(), &other.columns())
    }

    fn view<'b>(&'b self, dataset: &'b Dataset, journal: &'b Journal, again: &Again<'_>) -> JournalView<'b> {
        let fills_known = match again.cut.kind {
            CutKind::AtOpen => FillsKnown::AtOpen,
            _ => FillsKnown::AtClose,
        };
        JournalView { experiment: self.experiment, dataset, journal, fills_known, known_by: again.cut.time }
    }

    fn examine_panel(&self, dataset: &Dataset, again: &mut Again<'_>) -> Result<Option<Panel>, Stop> {
        let (ForecastSource::WalkForward(plan), Some(learned)) = (&self.experiment.forecasts, &self.whole.learned)
        else {
            return Ok(None);
        };
        let (panel, symbols) = (self.chain.panel(plan, dataset)?, &self.raw.symbols);
        again.compare(&stages::features(&learned.panel, symbols), &stages::features(&panel, symbols))?;
        again.compare(&stages::labels(&learned.panel, symbols), &stages::labels(&panel, symbols))?;
        Ok(Some(panel))
    }

    /// Compares training sets, scalers, models and forecasts, and trades what was forecast.
    fn examine_forecasts(
        &self,
        plan: &ForecastPlan,
        learned: &Learned,
        (dataset, panel, inputs): (&Dataset, &Panel, &StrategyInputs),
        again: &mut Again<'_>,
    ) -> Result<Journal, Stop> {
        let (symbols, cut) = (&self.raw.symbols, again.cut.time);
        let folds = self.chain.folds(plan, panel, learned.splits_by(panel, &again.cut, again.how))?;
        let own = stages::folds(&learned.panel, &learned.folds, symbols);
        again.compare(&own, &stages::folds(panel, &folds, symbols))?;
        let tested: Vec<PreparedFold> = folds.into_iter().filter(|fold| !fold.fold.test.is_empty()).collect();
        let any_known = tested.iter().any(|fold| panel.axis[fold.fold.test[0].start] <= cut);
        if tested.is_empty() {
            return Err(Stop::NothingMore);
        }
        let quiet = Quiet(self.observer);
        let indices: BTreeSet<u32> = tested.iter().map(|fold| fold.fold.index).collect();
        let (mut outcome, streams) =
            self.train(plan, learned.forecaster.as_ref(), panel, tested, again.retrained, &quiet)?;
        let mut models = stages::models(&learned.panel, &learned.outcome);
        // On a prefix a fold whose test block has not begun has nothing to forecast, so no member is made for it.
        let is_made =
            |column: &Column<'_>| indices.iter().any(|fold| column.name.starts_with(&format!("fold {fold} ")));
        models.retain(is_made);
        again.compare(&models, &stages::models(panel, &outcome))?;
        if !any_known {
            return Err(Stop::NothingMore);
        }
        let journal = match streams {
            None => self.trade_known(dataset, &outcome.paths[0], inputs)?,
            Some(streams) => self.trade_streams(dataset, streams, &mut outcome, inputs)?,
        };
        let own = stages::forecasts(&learned.outcome.statements, symbols);
        again.compare(&own, &stages::forecasts(&outcome.statements, symbols))?;
        Ok(journal)
    }
}

impl Learned {
    /// Returns the folds that are determined by a cut: those before whose test block it does not lie.
    ///
    /// On a prefix they are those of the whole, each test block as far as there are bars. A holdout by fractions of the bars would
    /// cut a prefix elsewhere; where it cuts is the user's choice and no leak.
    fn splits_by(&self, panel: &Panel, cut: &Cut, how: Alteration) -> Vec<Split> {
        let is_determined = |split: &&Split| stages::decided(&self.panel, split) <= cut.time;
        let determined = self.splits.iter().filter(is_determined).cloned();
        match how {
            Alteration::Overwritten { .. } => determined.collect(),
            Alteration::CutOff => determined.map(|split| clipped(split, panel.axis.len())).collect(),
        }
    }
}

fn clipped(split: Split, bars: usize) -> Split {
    let test = split.test.iter().map(|block| block.start..block.end.min(bars)).filter(|block| !block.is_empty());
    Split { test: test.collect(), ..split }
}
