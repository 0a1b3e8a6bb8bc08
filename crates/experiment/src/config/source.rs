//! The text of a strategy file: reading it, overriding keys, and pointing at the line of a mistake.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::ExperimentConfig;
use super::sweep::{SweepConfig, SweepFile};

/// A strategy file's text, where it came from, and the overrides laid over it.
#[derive(Debug, Clone)]
pub struct ConfigSource {
    path: PathBuf,
    text: String,
    overrides: Vec<String>,
}

/// A mistake in a strategy file: file, line, column, the excerpt, what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Where the text came from.
    pub path: PathBuf,
    /// The rule, then what was found.
    pub message: String,
    /// Line and column, both from one, with the line's text; missing when the key is not in the text.
    pub place: Option<Place>,
    /// The next step.
    pub hint: Option<String>,
}

/// A place in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Line, from one.
    pub line: usize,
    /// Column in characters, from one.
    pub column: usize,
    /// Characters to underline.
    pub width: usize,
    /// The line's text.
    pub excerpt: String,
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.place {
            None => write!(f, "{path}: {}", self.message)?,
            Some(Place { line, column, width, excerpt }) => {
                let margin = " ".repeat(line.to_string().len());
                let indent = " ".repeat(column - 1);
                let marks = "^".repeat((*width).max(1));
                writeln!(f, "{path}:{line}:{column}: {}", self.message)?;
                write!(f, "{margin} |\n{line} | {excerpt}\n{margin} | {indent}{marks}")?;
            }
        }
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl ConfigSource {
    /// Reads a strategy file.
    ///
    /// # Errors
    /// When the file cannot be read, with the strategy files that lie beside it.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Self::from_text(path, text)),
            Err(error) => Err(ConfigError {
                path: path.to_owned(),
                message: format!("strategy file cannot be read: {error}"),
                place: None,
                hint: neighbours(path),
            }),
        }
    }

    /// Wraps a text; `path` is shown in errors, and its folder anchors the relative paths inside.
    pub fn from_text(path: &Path, text: String) -> Self {
        Self { path: path.to_owned(), text, overrides: Vec::new() }
    }

    /// Returns where the text came from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the folder that relative paths inside the file start from.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or_else(|| Path::new("."))
    }

    /// Lays `key=value` over the text; `value` is TOML, and text may leave out its quotes.
    pub fn push_override(&mut self, assignment: impl Into<String>) {
        self.overrides.push(assignment.into());
    }

    /// Parses the text with its overrides.
    ///
    /// # Errors
    /// The first mistake: broken TOML, an unknown or missing key, a value of the wrong type or out of range.
    pub fn parse(&self) -> Result<ExperimentConfig, ConfigError> {
        let written = toml::from_str(&self.text).map_err(|error| self.toml_error(&self.text, &error));
        if self.overrides.is_empty() {
            return written;
        }
        let mut table = self.table()?;
        for assignment in &self.overrides {
            let (key, value) = self.split_override(assignment)?;
            set(&mut table, &key, value).map_err(|message| self.plain(message))?;
        }
        // A mistake that the file has without the overrides is better shown where it stands.
        self.parse_table(&table).map_err(|error| written.err().unwrap_or(error))
    }

    /// Parses a text that holds nothing but a `[sweep]`.
    ///
    /// # Errors
    /// As [`ConfigSource::parse`].
    pub(crate) fn parse_sweep(&self) -> Result<SweepConfig, ConfigError> {
        let file: SweepFile = toml::from_str(&self.text).map_err(|error| self.toml_error(&self.text, &error))?;
        Ok(file.sweep)
    }

    /// Returns the same file without its text: for mistakes of configs that nobody wrote there, of which nothing can be pointed at.
    pub(crate) fn unwritten(&self) -> Self {
        Self { path: self.path.clone(), text: String::new(), overrides: Vec::new() }
    }

    /// Returns the text as an untyped table, without the overrides.
    pub(crate) fn table(&self) -> Result<toml::Table, ConfigError> {
        toml::from_str(&self.text).map_err(|error| self.toml_error(&self.text, &error))
    }

    /// Parses an already edited table. The edited text has lines of its own, so a mistake shows its line but not its number.
    pub(crate) fn parse_table(&self, table: &toml::Table) -> Result<ExperimentConfig, ConfigError> {
        let text = toml::to_string(table).map_err(|error| self.plain(error.to_string()))?;
        toml::from_str(&text).map_err(|error| {
            let mut error = self.toml_error(&text, &error);
            let line = error.place.take().map_or_else(String::new, |place| format!(", in `{}`", place.excerpt.trim()));
            error.message = format!("after the overrides: {}{line}", error.message);
            error
        })
    }

    /// Returns the overrides in the order given, split into key and value.
    pub(crate) fn override_values(&self) -> Result<Vec<(String, toml::Value)>, ConfigError> {
        self.overrides.iter().map(|assignment| self.split_override(assignment)).collect()
    }

    /// Points at a key with a message: used for rules that span keys or that another crate checks.
    ///
    /// A key that an override sets is not pointed at: the file says something else there.
    pub fn error_at(&self, key: &str, message: impl Into<String>) -> ConfigError {
        let message = format!("{key}: {}", message.into());
        if let Some(assignment) = self.overrides.iter().find(|assignment| overrides_key(assignment, key)) {
            return self.plain(format!("{message} (set by `{assignment}`)"));
        }
        let place = locate(&self.text, key).map(|span| place(&self.text, span));
        ConfigError { path: self.path.clone(), message, place, hint: None }
    }

    fn plain(&self, message: impl Into<String>) -> ConfigError {
        ConfigError { path: self.path.clone(), message: message.into(), place: None, hint: None }
    }

    fn split_override(&self, assignment: &str) -> Result<(String, toml::Value), ConfigError> {
        let (key, value) = assignment.split_once('=').ok_or_else(|| ConfigError {
            hint: Some("write it as `--set strategy.kelly.fraction=0.25`".to_owned()),
            ..self.plain(format!("an override must be `key=value`, was `{assignment}`"))
        })?;
        let value = value.trim();
        let parsed = toml::from_str::<toml::Table>(&format!("value = {value}"))
            .ok()
            .and_then(|mut table| table.remove("value"))
            .unwrap_or_else(|| toml::Value::String(value.to_owned()));
        Ok((key.trim().to_owned(), parsed))
    }

    fn toml_error(&self, text: &str, error: &toml::de::Error) -> ConfigError {
        let message = error.message().trim().replace('\n', "; ");
        ConfigError {
            path: self.path.clone(),
            hint: did_you_mean(&message),
            message,
            place: error.span().map(|span| place(text, span)),
        }
    }
}

/// Returns whether an override sets a key or a table around it.
fn overrides_key(assignment: &str, key: &str) -> bool {
    let set = assignment.split('=').next().unwrap_or_default().trim();
    key.strip_prefix(set).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// Sets a dotted key in a table, making tables on the way.
pub(crate) fn set(table: &mut toml::Table, key: &str, value: toml::Value) -> Result<(), String> {
    let mut parts = key_parts(key);
    let last =
        parts.pop().filter(|part| !part.is_empty()).ok_or_else(|| format!("key must not be empty, was `{key}`"))?;
    let mut current = table;
    for part in parts {
        let next = current.entry(part).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        current =
            next.as_table_mut().ok_or_else(|| format!("key `{key}` goes through `{part}`, which is not a table"))?;
    }
    current.insert(last.to_owned(), value);
    Ok(())
}

/// Splits a dotted key; a part in double quotes, which keep its dots, loses them.
fn key_parts(key: &str) -> Vec<&str> {
    let mut is_quoted = false;
    let dot = |character: char| {
        is_quoted ^= character == '"';
        character == '.' && !is_quoted
    };
    key.split(dot).map(unquoted).collect()
}

fn unquoted(part: &str) -> &str {
    part.strip_prefix('"').and_then(|part| part.strip_suffix('"')).unwrap_or(part)
}

/// Returns a name as a part of a dotted key, in double quotes where its characters ask for them.
pub(crate) fn key_part(name: &str) -> String {
    let is_bare = |character: char| character.is_ascii_alphanumeric() || "_-".contains(character);
    if !name.is_empty() && name.chars().all(is_bare) { name.to_owned() } else { format!("\"{name}\"") }
}

/// Finds the bytes of a dotted key's value; `columns[2]` steps into a list. The longest part that exists wins.
fn locate(text: &str, key: &str) -> Option<Range<usize>> {
    let root = toml::de::DeTable::parse(text).ok()?;
    let mut table = Some(root.get_ref());
    let mut found = None;
    for part in key_parts(key) {
        let (name, index) = match part.split_once('[') {
            Some((name, index)) => (name, index.trim_end_matches(']').parse::<usize>().ok()),
            None => (part, None),
        };
        let Some(mut value) = table.and_then(|table| table.get(name)) else { break };
        if let Some(item) = index.and_then(|index| value.get_ref().as_array()?.get(index)) {
            value = item;
        }
        found = Some(value.span());
        table = value.get_ref().as_table();
    }
    found
}

fn place(text: &str, span: Range<usize>) -> Place {
    let start = span.start.min(text.len());
    let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let excerpt = text[line_start..].lines().next().unwrap_or_default();
    let column = text[line_start..start].chars().count() + 1;
    let end = span.end.clamp(start, line_start + excerpt.len().max(start - line_start));
    Place {
        line: text[..start].matches('\n').count() + 1,
        column,
        width: text[start..end].chars().count(),
        excerpt: excerpt.to_owned(),
    }
}

/// Names the nearest valid key when serde lists them: "unknown field `bar`, expected one of `bars`, `width`".
fn did_you_mean(message: &str) -> Option<String> {
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let (found, valid) = quoted.split_first()?;
    if !message.starts_with("unknown ") {
        return None;
    }
    nearest(found, valid.iter().copied()).map(|name| format!("did you mean `{name}`?"))
}

/// Returns the closest of several names when it is close enough to be a slip.
pub(crate) fn nearest<'a>(found: &str, valid: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    valid
        .map(|name| (strsim::damerau_levenshtein(&found.to_lowercase(), &name.to_lowercase()), name))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, name)| *distance <= 2.max(name.chars().count() / 3))
        .map(|(_, name)| name)
}

/// Lists the strategy files of a missing file's folder.
fn neighbours(path: &Path) -> Option<String> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "toml"))
        .collect();
    names.sort();
    let listed = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    (!names.is_empty()).then(|| format!("`{}` has {listed}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "seed = 7\n[features]\ncolumns = [\n  { rsi = { bars = 14 } },\n  { sma = { bars = 0 } },\n]\n";

    #[test]
    fn a_key_inside_a_list_is_located() {
        let source = ConfigSource::from_text(Path::new("s.toml"), TEXT.to_owned());
        let error = source.error_at("features.columns[1].sma.bars", "must be at least 1, was `0`");
        assert_eq!(
            error.to_string(),
            "s.toml:5:20: features.columns[1].sma.bars: must be at least 1, was `0`\n  |\n5 |   { sma = { bars = 0 } },\n  |                    ^"
        );
    }

    #[test]
    fn a_key_that_is_not_written_points_at_its_table() {
        let source = ConfigSource::from_text(Path::new("s.toml"), TEXT.to_owned());
        let error = source.error_at("features.scaler", "is missing");
        assert_eq!(error.place.expect("the table exists").line, 2);
    }

    #[test]
    fn setting_a_dotted_key_makes_tables() {
        let mut table = toml::Table::new();
        set(&mut table, "strategy.kelly.fraction", toml::Value::Float(0.5)).expect("a fresh key");
        assert_eq!(table["strategy"]["kelly"]["fraction"].as_float(), Some(0.5));
        let error = set(&mut table, "strategy.kelly.fraction.x", toml::Value::Integer(1)).expect_err("not a table");
        assert!(error.contains("`fraction`, which is not a table"), "{error}");
    }

    #[test]
    fn a_part_in_quotes_keeps_its_dots() {
        assert_eq!(key_parts("instruments.\"BRK.B\".lot_size"), ["instruments", "BRK.B", "lot_size"]);
        assert_eq!(["SPX", "BRK.B", ""].map(key_part), ["SPX", "\"BRK.B\"", "\"\""]);
        let text = "[instruments.\"BRK.B\"]\nlot_size = 0.0\n".to_owned();
        let error = ConfigSource::from_text(Path::new("s.toml"), text).error_at("instruments.\"BRK.B\".lot_size", "is");
        assert_eq!(error.place.expect("the key is there").line, 2);
    }

    #[test]
    fn a_slip_gets_the_nearest_name() {
        assert_eq!(nearest("lerning_rate", ["learning_rate", "weight_decay"].into_iter()), Some("learning_rate"));
        assert_eq!(nearest("zzz", ["learning_rate"].into_iter()), None);
    }
}
