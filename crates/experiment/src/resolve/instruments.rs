//! The rules of `[instruments.SYMBOL]` and `[data.fx]`.

use std::path::PathBuf;

use tidegate_market::Instrument;

use super::rules::Rules;
use crate::config::{ConfigError, ExperimentConfig, InstrumentConfig, key_part, nearest};

/// The files of rates of one symbol.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RateFiles {
    /// Exchange rates; `None` trades in the account's currency.
    pub fx: Option<PathBuf>,
    /// Funding rates; `None` has none.
    pub funding: Option<PathBuf>,
}

impl Rules<'_> {
    /// Returns the instruments in the order of `data.symbols`.
    pub(super) fn instruments(&self, config: &ExperimentConfig) -> Result<Vec<Instrument>, ConfigError> {
        if let Some(lot_size) = config.account.lot_size {
            self.factor("account.lot_size", lot_size)?;
        }
        for (symbol, instrument) in &config.instruments {
            self.is_traded(symbol, config)?;
            let key = |field: &str| format!("instruments.{}.{field}", key_part(symbol));
            for (field, number) in [
                ("lot_size", instrument.lot_size),
                ("tick_size", instrument.tick_size),
                ("multiplier", instrument.multiplier),
            ] {
                self.factor(&key(field), number.unwrap_or(1.0))?;
            }
            if instrument.group.as_ref().is_some_and(String::is_empty) {
                return self.fail(&key("group"), "must be a name, was empty");
            }
        }
        let none = InstrumentConfig::default();
        let instrument = |symbol: &String| {
            let own = config.instruments.get(symbol).unwrap_or(&none);
            Instrument {
                symbol: symbol.clone(),
                lot_size: own.lot_size.or(config.account.lot_size),
                tick_size: own.tick_size,
                multiplier: own.multiplier.unwrap_or(1.0),
                group: own.group.clone(),
            }
        };
        Ok(config.data.symbols.iter().map(instrument).collect())
    }

    /// Checks what prices and quantities are multiplied or divided by.
    fn factor(&self, key: &str, value: f64) -> Result<(), ConfigError> {
        if (1e-9..=1e9).contains(&value) {
            return Ok(());
        }
        self.fail(key, format!("must be in [1e-9, 1e9], was `{value}`"))
    }

    fn is_traded(&self, symbol: &String, config: &ExperimentConfig) -> Result<(), ConfigError> {
        let symbols = &config.data.symbols;
        if symbols.contains(symbol) {
            return Ok(());
        }
        let key = format!("instruments.{}", key_part(symbol));
        let message = format!("must be one of `data.symbols`, was `{symbol}`");
        let hint = nearest(symbol, symbols.iter().map(String::as_str)).map(|name| format!("did you mean `{name}`?"));
        Err(ConfigError { hint, ..self.source.error_at(&key, message) })
    }

    /// Returns the files of rates in the order of `data.symbols`.
    pub(super) fn rate_files(&self, config: &ExperimentConfig) -> Result<Vec<RateFiles>, ConfigError> {
        config.data.symbols.iter().map(|symbol| self.rate_files_of(symbol, config)).collect()
    }

    fn rate_files_of(&self, symbol: &str, config: &ExperimentConfig) -> Result<RateFiles, ConfigError> {
        let Some(own) = config.instruments.get(symbol) else { return Ok(RateFiles::default()) };
        let anchored = |path: &PathBuf| self.source.folder().join(path);
        let funding = own.funding.as_ref().map(|file| anchored(&file.path));
        let Some(currency) = own.currency.as_ref().filter(|own| Some(*own) != config.account.currency.as_ref()) else {
            return Ok(RateFiles { fx: None, funding });
        };
        if let Some(file) = config.data.fx.get(currency) {
            return Ok(RateFiles { fx: Some(anchored(&file.path)), funding });
        }
        let key = format!("instruments.{}.currency", key_part(symbol));
        let message = format!("needs exchange rates in `[data.fx.{}]`, which is missing", key_part(currency));
        let known = config.data.fx.keys().map(String::as_str);
        let hint = match nearest(currency, known) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("if it is the account's own, state `account.currency = \"{currency}\"`"),
        };
        Err(ConfigError { hint: Some(hint), ..self.source.error_at(&key, message) })
    }
}
