//! What a sweep will do: its keys, its points, its metrics, checked before the first trial.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};
use tidegate_search::{
    Constraints, Coordinate, Grid, LatinHypercube, RandomSearch, Sampler, Space, SuccessiveHalving, Tpe, TpeSettings,
};

use super::axis::SweptKey;
use super::metrics::{MetricSet, Objective};
use super::request::{SweepRequest, axes};
use crate::ExperimentError;
use crate::config::{AxisConfig, ConfigSource, DrawsConfig, ExperimentConfig, MethodConfig, SweepConfig};

/// The most trials one sweep runs.
const TRIALS_MAX: u64 = 10_000_000;

/// A sweep that can start.
pub(super) struct SweepPlan {
    /// The strategy file with its overrides, without `[sweep]`.
    table: toml::Table,
    /// The strategy file's config.
    pub(super) base: ExperimentConfig,
    /// What was asked for, in full.
    sweep: SweepConfig,
    /// The varied keys, in the order of their columns.
    pub(super) keys: Vec<SweptKey>,
    /// The keys as the search has them, without a resource.
    pub(super) space: Space,
    pub(super) walk: Walk,
    pub(super) metrics: MetricSet,
    /// The metrics that rank trials, the first before the others.
    pub(super) objectives: Vec<Objective>,
}

/// How points are picked.
pub(super) enum Walk {
    /// Each by its number.
    Sampled(Box<dyn Sampler>),
    /// Each batch by what was found before it.
    Tpe { tpe: Tpe, trials: u64, batch: u64 },
    /// The best of each rung again; the last key is the resource.
    Halving { sampler: Box<dyn Sampler>, halving: SuccessiveHalving },
}

/// Where `[sweep]` was written.
struct Origin<'a> {
    /// `None` for the command line.
    file: Option<&'a ConfigSource>,
}

impl Origin<'_> {
    fn error(&self, key: &str, message: &str) -> ExperimentError {
        match self.file {
            Some(file) => file.error_at(key, message).into(),
            None => ExperimentError::Sweep(format!("{key} {message}")),
        }
    }
}

impl SweepPlan {
    /// Reads the sweep of a file or of the command line.
    ///
    /// # Errors
    /// When there is nothing to vary, a key does not exist or has no values, there are more combinations than a sweep runs, no point
    /// fulfils the constraints, or a metric is unknown.
    pub(super) fn new(source: &ConfigSource, request: &SweepRequest) -> Result<Self, ExperimentError> {
        let base = source.parse()?;
        let own_file = request.file.as_deref().map(ConfigSource::read).transpose()?;
        let written = match &own_file {
            Some(file) => Some(file.parse_sweep()?),
            None => base.sweep.clone(),
        };
        let is_typed = !request.grid.is_empty();
        let origin = Origin { file: (!is_typed && written.is_some()).then(|| own_file.as_ref().unwrap_or(source)) };
        let sweep = asked(written, request)?;
        let names = objective_names(&sweep, &origin)?;
        let objectives = names.iter().map(|name| ("objective", name.as_str()));
        let further = sweep.metrics.iter().map(|name| ("metrics", name.as_str()));
        let metrics = MetricSet::new(&objectives.chain(further).collect::<Vec<_>>())?;
        let (mut keys, space) = swept(&sweep, &origin)?;
        let constraints = constraints(&sweep, &space, &origin)?;
        let walk = walk(&sweep, &space, &constraints, base.seed, &origin)?;
        if let Some(MethodConfig::SuccessiveHalving(halving)) = &sweep.method {
            if keys.iter().any(|key| key.key == halving.resource) {
                return Err(origin.error("sweep.method.successive_halving.resource", "must not be swept as well"));
            }
            keys.push(SweptKey::whole(&halving.resource));
        }
        let mut table = source.table()?;
        for (key, value) in source.override_values()? {
            crate::config::set(&mut table, &key, value).map_err(ExperimentError::Sweep)?;
        }
        table.remove("sweep");
        let objectives = names.iter().map(|name| metrics.objective(name)).collect();
        let plan = Self { table, base, sweep, keys, space, walk, metrics, objectives };
        plan.check_keys(source, &origin)?;
        Ok(plan)
    }

    /// Returns the number of trials.
    pub(super) fn trials(&self) -> u64 {
        match &self.walk {
            Walk::Sampled(sampler) => sampler.trials(),
            Walk::Tpe { trials, .. } => *trials,
            Walk::Halving { halving, .. } => halving.rungs().iter().map(|rung| rung.trials).sum(),
        }
    }

    /// Returns the values of a point, in the order of the keys.
    pub(super) fn values(&self, point: &[Coordinate]) -> Vec<toml::Value> {
        self.keys.iter().zip(point).map(|(key, coordinate)| key.value(*coordinate)).collect()
    }

    /// Returns the values of a point as a JSON object.
    pub(super) fn values_json(&self, point: &[Coordinate]) -> String {
        let mut text = "{".to_owned();
        for (key, value) in self.keys.iter().zip(self.values(point)) {
            let comma = if text.len() > 1 { "," } else { "" };
            // Writing into a text does not fail.
            let _ = write!(text, "{comma}{}:{}", Value::from(key.key.as_str()), json!(value));
        }
        text.push('}');
        text
    }

    /// Returns the config of a point, read as if it had been written in the file.
    ///
    /// # Errors
    /// When a key does not exist or a value has the wrong type.
    pub(super) fn config(
        &self,
        source: &ConfigSource,
        point: &[Coordinate],
    ) -> Result<ExperimentConfig, ExperimentError> {
        let mut table = self.table.clone();
        for (key, value) in self.keys.iter().zip(self.values(point)) {
            crate::config::set(&mut table, &key.key, value).map_err(ExperimentError::Sweep)?;
        }
        Ok(source.parse_table(&table)?)
    }

    /// Returns what identifies the sweep's results, besides its data.
    pub(super) fn identity(&self) -> Result<Value, ExperimentError> {
        let bare = ExperimentConfig { name: String::new(), description: None, sweep: None, ..self.base.clone() };
        let internal = |error: serde_json::Error| ExperimentError::Internal(error.to_string());
        Ok(json!({
            "sweep": serde_json::to_value(&self.sweep).map_err(internal)?,
            "config": serde_json::to_value(&bare).map_err(internal)?,
        }))
    }

    /// Returns the name of the method, as a config has it.
    pub(super) fn method(&self) -> &'static str {
        match &self.sweep.method {
            None | Some(MethodConfig::Grid {}) => "grid",
            Some(MethodConfig::Random(_)) => "random",
            Some(MethodConfig::LatinHypercube(_)) => "latin_hypercube",
            Some(MethodConfig::Tpe(_)) => "tpe",
            Some(MethodConfig::SuccessiveHalving(_)) => "successive_halving",
        }
    }

    /// A key that does not exist breaks every trial, so it is refused before the first, and pointed at.
    fn check_keys(&self, source: &ConfigSource, origin: &Origin<'_>) -> Result<(), ExperimentError> {
        let point = self.first_point()?;
        let Err(error) = self.config(source, &point) else { return Ok(()) };
        let mut table = self.table.clone();
        let mut is_sound = source.parse_table(&table).is_ok();
        for (key, value) in self.keys.iter().zip(self.values(&point)) {
            crate::config::set(&mut table, &key.key, value).map_err(ExperimentError::Sweep)?;
            let parsed = source.parse_table(&table);
            if let (true, Err(error), Some(file)) = (is_sound, &parsed, origin.file) {
                let place = file.error_at(&format!("sweep.grid.\"{}\"", key.key), error.message.clone());
                return Err(crate::config::ConfigError { hint: error.hint.clone(), ..place }.into());
            }
            is_sound = parsed.is_ok();
        }
        Err(ExperimentError::Sweep(format!("[sweep.grid] {error}")))
    }

    fn first_point(&self) -> Result<Vec<Coordinate>, ExperimentError> {
        let first = match &self.walk {
            Walk::Sampled(sampler) | Walk::Halving { sampler, .. } => sampler.points(0..1),
            Walk::Tpe { tpe, .. } => tpe.ask(0..1),
        };
        let mut point = first?.pop().unwrap_or_default();
        if let Walk::Halving { halving, .. } = &self.walk {
            point.extend(halving.rungs().first().map(|rung| Coordinate::Integer(rung.resource as i64)));
        }
        Ok(point)
    }
}

/// Lays the command line over what is written.
fn asked(written: Option<SweepConfig>, request: &SweepRequest) -> Result<SweepConfig, ExperimentError> {
    let is_written = written.is_some();
    let mut sweep = written.unwrap_or(SweepConfig {
        method: None,
        objective: None,
        objectives: Vec::new(),
        metrics: Vec::new(),
        constraints: Vec::new(),
        grid: BTreeMap::new(),
        space: BTreeMap::new(),
    });
    if !request.grid.is_empty() {
        sweep = SweepConfig {
            method: None,
            constraints: Vec::new(),
            grid: axes(&request.grid)?,
            space: BTreeMap::new(),
            ..sweep
        };
    }
    if let Some(objective) = &request.objective {
        sweep.objective = Some(objective.clone());
        sweep.objectives.clear();
    }
    if !is_written {
        sweep.objective.get_or_insert_with(|| "sharpe_ratio".to_owned());
    }
    Ok(sweep)
}

fn objective_names(sweep: &SweepConfig, origin: &Origin<'_>) -> Result<Vec<String>, ExperimentError> {
    match (&sweep.objective, sweep.objectives.as_slice()) {
        (Some(objective), []) => Ok(vec![objective.clone()]),
        (None, [_, ..]) => Ok(sweep.objectives.clone()),
        (Some(_), _) => Err(origin.error("sweep.objectives", "must not stand beside `objective`: state one of them")),
        (None, []) => {
            Err(origin.error("sweep", "needs `objective`, which is missing: state a metric, such as `sharpe_ratio`"))
        }
    }
}

/// Returns the keys in the order of their names, and the space that they span.
fn swept(sweep: &SweepConfig, origin: &Origin<'_>) -> Result<(Vec<SweptKey>, Space), ExperimentError> {
    if sweep.grid.is_empty() && sweep.space.is_empty() {
        let message =
            "a sweep needs a grid, which is empty\nhint: write `[sweep.grid]` into the file, or use `--grid KEY=V1,V2`";
        return Err(ExperimentError::Sweep(message.to_owned()));
    }
    let mut all: BTreeMap<&str, (&str, &AxisConfig)> = BTreeMap::new();
    for (table, axes) in [("grid", &sweep.grid), ("space", &sweep.space)] {
        for (key, axis) in axes {
            if all.insert(key, (table, axis)).is_some() {
                return Err(origin.error(&format!("sweep.space.\"{key}\""), "must not stand in `[sweep.grid]` as well"));
            }
        }
    }
    let mut keys = Vec::with_capacity(all.len());
    let mut axes = Vec::with_capacity(all.len());
    for (key, (table, axis)) in all {
        let place = format!("sweep.{table}.\"{key}\"");
        let (key, axis) = SweptKey::new(key, axis).map_err(|message| origin.error(&place, &message))?;
        // Alone, so that a range that breaks a rule is pointed at.
        Space::new(vec![axis.clone()]).map_err(|error| origin.error(&place, &error.to_string()))?;
        keys.push(key);
        axes.push(axis);
    }
    Ok((keys, Space::new(axes)?))
}

fn constraints(sweep: &SweepConfig, space: &Space, origin: &Origin<'_>) -> Result<Constraints, ExperimentError> {
    for (place, text) in sweep.constraints.iter().enumerate() {
        Constraints::compile(space, std::slice::from_ref(text))
            .map_err(|error| origin.error(&format!("sweep.constraints[{place}]"), &error.to_string()))?;
    }
    Ok(Constraints::compile(space, &sweep.constraints)?)
}

fn walk(
    sweep: &SweepConfig,
    space: &Space,
    constraints: &Constraints,
    seed: u64,
    origin: &Origin<'_>,
) -> Result<Walk, ExperimentError> {
    let failed = |error: tidegate_search::SearchError| {
        let key = if sweep.constraints.is_empty() { "sweep" } else { "sweep.constraints" };
        origin.error(key, &error.to_string())
    };
    let random = |trials: u64, own: Option<u64>| -> Result<Box<dyn Sampler>, ExperimentError> {
        at_most(trials, origin)?;
        Ok(Box::new(RandomSearch::new(space, constraints, trials, own.unwrap_or(seed)).map_err(failed)?))
    };
    match &sweep.method {
        None | Some(MethodConfig::Grid {}) => Ok(Walk::Sampled(grid(space, constraints, origin, failed)?)),
        Some(MethodConfig::Random(DrawsConfig { trials, seed })) => Ok(Walk::Sampled(random(*trials, *seed)?)),
        Some(MethodConfig::LatinHypercube(DrawsConfig { trials, seed: own })) => {
            at_most(*trials, origin)?;
            let sampler = LatinHypercube::new(space, constraints, *trials, own.unwrap_or(seed)).map_err(failed)?;
            Ok(Walk::Sampled(Box::new(sampler)))
        }
        Some(MethodConfig::Tpe(tpe)) => {
            at_most(tpe.trials, origin)?;
            if tpe.batch == 0 {
                return Err(origin.error("sweep.method.tpe.batch", "must be at least 1, was `0`"));
            }
            let settings =
                TpeSettings { startup: tpe.startup, candidates: tpe.candidates, seed: tpe.seed.unwrap_or(seed) };
            let search = Tpe::new(space, constraints, settings).map_err(failed)?;
            Ok(Walk::Tpe { tpe: search, trials: tpe.trials, batch: tpe.batch })
        }
        Some(MethodConfig::SuccessiveHalving(halving)) => {
            let sampler = match halving.trials {
                Some(trials) => random(trials, halving.seed)?,
                None => grid(space, constraints, origin, failed)?,
            };
            let rungs = SuccessiveHalving::new(sampler.trials(), halving.from, halving.to, halving.reduction);
            let rungs = rungs.map_err(|error| origin.error("sweep.method.successive_halving", &error.to_string()))?;
            Ok(Walk::Halving { sampler, halving: rungs })
        }
    }
}

fn grid(
    space: &Space,
    constraints: &Constraints,
    origin: &Origin<'_>,
    failed: impl Fn(tidegate_search::SearchError) -> ExperimentError,
) -> Result<Box<dyn Sampler>, ExperimentError> {
    match space.size() {
        None => {
            let message = "needs a `step` for every range of a grid, or a `method` that draws points, such as `random`";
            Err(origin.error("sweep", message))
        }
        Some(size) if size > u128::from(TRIALS_MAX) => {
            let message = format!("a sweep runs at most `{TRIALS_MAX}` combinations, the grid has `{size}`");
            Err(ExperimentError::Sweep(message))
        }
        Some(_) => Ok(Box::new(Grid::new(space, constraints, TRIALS_MAX).map_err(failed)?)),
    }
}

fn at_most(trials: u64, origin: &Origin<'_>) -> Result<(), ExperimentError> {
    if (1..=TRIALS_MAX).contains(&trials) {
        return Ok(());
    }
    Err(origin.error("sweep.method", &format!("trials must be in [1, {TRIALS_MAX}], was `{trials}`")))
}
