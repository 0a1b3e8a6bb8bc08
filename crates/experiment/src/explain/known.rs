//! What was there to see: the run's config, and the strategy's bars as they are today.

use std::path::Path;

use tidegate_backtest::{Market, strategies::ScheduledWeight};
use tidegate_market::{Bars, InstrumentId, Timestamp};

use crate::ExperimentError;
use crate::config::{ConfigSource, StrategyConfig};
use crate::dataset::Dataset;
use crate::pipeline::market;
use crate::resolve::{ForecastSource, ResolvedExperiment};
use crate::trading::{read_forecasts, read_inputs};

use super::run_files::RunFiles;

/// The config and, where they can be had, the bars.
pub(super) struct Known {
    pub(super) experiment: ResolvedExperiment,
    pub(super) seen: Option<Seen>,
    pub(super) notes: Vec<String>,
}

/// The bars of a run.
pub(super) struct Seen {
    /// As read: what features are computed on.
    pub(super) dataset: Dataset,
    /// As traded.
    pub(super) market: Market,
    /// Weights from a file, as far as the file is the run's.
    pub(super) schedule: Option<Vec<ScheduledWeight>>,
}

impl Known {
    /// Returns the bars of a symbol that was traded.
    pub(super) fn instrument(&self, symbol: &str) -> Option<(&Seen, InstrumentId)> {
        let seen = self.seen.as_ref()?;
        let place = seen.market.instruments().iter().position(|instrument| instrument.symbol == symbol)?;
        Some((seen, InstrumentId(place as u32)))
    }

    /// Returns the traded bars of a symbol and the row of a label.
    pub(super) fn bar(&self, symbol: &str, time: Timestamp) -> Option<(&Bars, usize)> {
        let (seen, instrument) = self.instrument(symbol)?;
        let bars: &Bars = seen.market.bars(instrument);
        Some((bars, bars.time().binary_search(&time).ok()?))
    }
}

/// Reads the config of a run and its bars, and notes what is missing or different.
///
/// # Errors
/// When the config is missing, was changed, or cannot be read by this version.
pub(super) fn load(files: &RunFiles, strategy: Option<&Path>) -> Result<Known, ExperimentError> {
    let folder = match strategy {
        Some(file) => Some(file.parent().unwrap_or_else(|| Path::new("")).to_owned()),
        None => files.strategy_folder(),
    };
    let anchor = folder.as_deref().unwrap_or_else(|| Path::new("")).join("config.toml");
    let source = ConfigSource::from_text(&anchor, files.config_text()?);
    let experiment = ResolvedExperiment::from_source(&source)?;
    let mut notes = Vec::new();
    let seen = look(files, &experiment, &mut notes).unwrap_or_else(|error| {
        notes.push(format!(
            "bars, features and the signal are left out, because the data of the run cannot be read: {}. With \
             `--strategy FILE` the data are looked for from that strategy file.",
            error.to_string().replace('\n', " ")
        ));
        None
    });
    Ok(Known { experiment, seen, notes })
}

fn look(
    files: &RunFiles,
    experiment: &ResolvedExperiment,
    notes: &mut Vec<String>,
) -> Result<Option<Seen>, ExperimentError> {
    let dataset = Dataset::load(&experiment.data)?;
    let same_bars = dataset.hash == files.bars_hash();
    if !same_bars {
        notes.push(format!(
            "the bars have changed since the run: their hash is `{}`, was `{}`. Bars, features and the signal are those of \
             today's file; orders, fills and money are the run's.",
            dataset.hash,
            files.bars_hash()
        ));
    }
    let forecasts = match &experiment.forecasts {
        ForecastSource::None => Vec::new(),
        ForecastSource::File(_) | ForecastSource::WalkForward(_) => {
            read_forecasts(&files.place("forecasts.parquet"), &dataset)?
        }
    };
    let market = market(experiment, &dataset, &forecasts)?;
    let follows_a_file = matches!(experiment.strategy, StrategyConfig::TargetWeights(_));
    let same_file = || dataset.input_hash(experiment).is_ok_and(|hash| hash == files.data_hash());
    let schedule = if !follows_a_file {
        None
    } else if same_bars && same_file() {
        Some(read_inputs(experiment, &dataset)?.schedule)
    } else {
        notes.push("the file of weights has changed since the run, so that its weights are left out".to_owned());
        None
    };
    Ok(Some(Seen { dataset, market, schedule }))
}
