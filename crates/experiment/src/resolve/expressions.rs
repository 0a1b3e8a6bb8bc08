//! The rules of `[strategy.rules]`: its expressions compiled, its keys in agreement.

use tidegate_backtest::strategies::RulesParams;
use tidegate_backtest::strategies::rules::{Number, RulesSize, SideRules};
use tidegate_features::FeatureSpec;

use super::rules::Rules;
use super::{ResolvedData, RulesPlan};
use crate::config::{ConfigError, ExperimentConfig, RulesConfig, RulesSizeConfig, StrategyConfig};
use crate::rules::{Names, RuleError, condition, is_built_in, number};

/// The keys and expressions of one side of the market.
struct Side<'a> {
    entry: (&'static str, &'a Option<String>),
    exit: (&'static str, &'a Option<String>),
    stop: (&'static str, &'a Option<String>),
    target: (&'static str, &'a Option<String>),
}

impl Rules<'_> {
    /// Compiles the expressions of a strategy by rules; `None` for any other.
    pub(super) fn rules(
        &self,
        config: &ExperimentConfig,
        data: &ResolvedData,
    ) -> Result<Option<RulesPlan>, ConfigError> {
        let StrategyConfig::Rules(rules) = &config.strategy else { return Ok(None) };
        let features = config.features.as_ref().map_or(&[][..], |features| &features.columns);
        if config.features.is_some() {
            self.features(features)?;
            self.no_built_in(features)?;
        }
        let names = Names::new(features);
        let long = Side {
            entry: ("entry", &rules.entry),
            exit: ("exit", &rules.exit),
            stop: ("stop", &rules.stop),
            target: ("target", &rules.target),
        };
        let short = Side {
            entry: ("short_entry", &rules.short_entry),
            exit: ("short_exit", &rules.short_exit),
            stop: ("short_stop", &rules.short_stop),
            target: ("short_target", &rules.short_target),
        };
        if rules.entry.is_none() && rules.short_entry.is_none() {
            return self.fail("strategy.rules", "must have `entry`, `short_entry` or both; neither is given");
        }
        let long = self.side(&long, rules, &names)?;
        let short = self.side(&short, rules, &names)?;
        let size = self.size(&rules.size, &names, data.periods_per_year)?;
        Ok(Some(RulesPlan { features: features.to_vec(), params: RulesParams { long, short, size } }))
    }

    /// Refuses columns that a rule could not tell from a name of its own.
    fn no_built_in(&self, columns: &[FeatureSpec]) -> Result<(), ConfigError> {
        for (index, spec) in columns.iter().enumerate() {
            if let Some(name) = spec.column_names().into_iter().find(|name| is_built_in(name)) {
                let message = format!("must not make the column `{name}`: rules have a name of their own like that");
                return self.fail(&format!("features.columns[{index}]"), message);
            }
        }
        Ok(())
    }

    fn side(&self, side: &Side<'_>, rules: &RulesConfig, names: &Names) -> Result<Option<SideRules>, ConfigError> {
        let ways_out = [side.exit, side.stop, side.target];
        let Some(entry) = side.entry.1 else {
            return match ways_out.iter().find(|(_, text)| text.is_some()) {
                Some((key, _)) => {
                    self.fail(&format!("strategy.rules.{key}"), format!("needs `{}`, which is missing", side.entry.0))
                }
                None => Ok(None),
            };
        };
        if ways_out.iter().all(|(_, text)| text.is_none()) {
            let [exit, stop, target] = ways_out.map(|(key, _)| key);
            let message = format!("must have a way out: `{exit}`, `{stop}` or `{target}`; none is given");
            return self.fail(&format!("strategy.rules.{}", side.entry.0), message);
        }
        if matches!(rules.size, RulesSizeConfig::Risk(_)) && side.stop.1.is_none() {
            let message = format!("needs `{}` beside `{}`, which is missing", side.stop.0, side.entry.0);
            return self.fail("strategy.rules.size.risk", message);
        }
        Ok(Some(SideRules {
            entry: self.compiled(side.entry.0, entry, names, condition)?,
            exit: self.optional(side.exit, names, condition)?,
            stop: self.optional(side.stop, names, number)?,
            target: self.optional(side.target, names, number)?,
        }))
    }

    fn size(&self, size: &RulesSizeConfig, names: &Names, periods_per_year: f64) -> Result<RulesSize, ConfigError> {
        match size {
            RulesSizeConfig::Weight(weight) => {
                self.positive("strategy.rules.size.weight", *weight)?;
                Ok(RulesSize::Weight(*weight))
            }
            RulesSizeConfig::Risk(risk) => {
                self.positive("strategy.rules.size.risk.fraction", risk.fraction)?;
                self.positive("strategy.rules.size.risk.weight_max", risk.weight_max)?;
                Ok(RulesSize::Risk { fraction: risk.fraction, weight_max: risk.weight_max })
            }
            RulesSizeConfig::VolatilityTarget(target) => {
                let key = "size.volatility_target";
                self.positive(&format!("strategy.rules.{key}.annual_volatility"), target.annual_volatility)?;
                self.positive(&format!("strategy.rules.{key}.weight_max"), target.weight_max)?;
                let volatility: Number =
                    self.compiled(&format!("{key}.volatility"), &target.volatility, names, number)?;
                Ok(RulesSize::VolatilityTarget {
                    annual_volatility: target.annual_volatility,
                    volatility,
                    periods_per_year,
                    weight_max: target.weight_max,
                })
            }
        }
    }

    fn optional<T>(
        &self,
        (key, text): (&str, &Option<String>),
        names: &Names,
        compile: fn(&str, &Names) -> Result<T, RuleError>,
    ) -> Result<Option<T>, ConfigError> {
        text.as_ref().map(|text| self.compiled(key, text, names, compile)).transpose()
    }

    /// Compiles the expression of a key below `strategy.rules`.
    fn compiled<T>(
        &self,
        key: &str,
        text: &str,
        names: &Names,
        compile: fn(&str, &Names) -> Result<T, RuleError>,
    ) -> Result<T, ConfigError> {
        compile(text, names).map_err(|error| self.pointed(&format!("strategy.rules.{key}"), &error))
    }

    /// Points at the mistake inside the expression, where the file shows it as it is, and shows the expression otherwise.
    fn pointed(&self, key: &str, error: &RuleError) -> ConfigError {
        let mut pointed = self.source.error_at(key, error.message.clone());
        let shown = pointed.place.as_mut().is_some_and(|place| {
            let inside: String = place.excerpt.chars().skip(place.column).collect();
            let as_it_is = inside.starts_with(&error.text);
            if as_it_is {
                place.column += 1 + error.place.start;
                place.width = error.place.len();
            }
            as_it_is
        });
        if !shown {
            pointed.message = format!("{}\n{}", pointed.message, error.excerpt());
        }
        pointed.hint.clone_from(&error.hint);
        pointed
    }
}
