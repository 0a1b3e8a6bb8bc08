//! The only place that writes to stdout and stderr.

use std::io::{IsTerminal, Write};

use crate::arguments::OutputArguments;

/// Results go to stdout, everything else to stderr.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Printer {
    json: bool,
    quiet: bool,
}

#[expect(clippy::unused_self, reason = "one printer speaks for all output, whether or not it needs its settings")]
impl Printer {
    pub(crate) const fn new(output: OutputArguments) -> Self {
        Self { json: output.json, quiet: output.quiet }
    }

    /// Returns whether one JSON document is wanted in place of tables.
    pub(crate) const fn json(self) -> bool {
        self.json
    }

    /// Returns whether progress is to be drawn: only for a person at a terminal.
    pub(crate) fn draws_progress(self) -> bool {
        !self.quiet && std::io::stderr().is_terminal()
    }

    /// Returns whether notes are to be written.
    pub(crate) const fn notes(self) -> bool {
        !self.quiet
    }

    /// Returns whether stdout takes colors.
    pub(crate) fn color(self) -> bool {
        !self.json
            && std::io::stdout().is_terminal()
            && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
    }

    /// Returns the columns of the terminal, 100 where there is none.
    pub(crate) fn width(self) -> usize {
        let columns = console::Term::stdout().size_checked().map_or(100, |(_, columns)| columns);
        usize::from(columns).clamp(60, 140)
    }

    /// Writes a result and a line break. A result that cannot be written is a failure, and ends the process as one.
    pub(crate) fn result(self, text: &str) {
        match writeln!(std::io::stdout().lock(), "{}", text.trim_end_matches('\n')) {
            // A closed pipe (`| head`) is the reader's choice.
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                self.error(&anyhow::anyhow!("cannot write to standard output: {error}"));
                std::process::exit(1);
            }
            _ => {}
        }
    }

    /// Writes a note for the person who started the command.
    pub(crate) fn note(self, text: &str) {
        if self.notes() {
            let _ = writeln!(std::io::stderr().lock(), "{text}");
        }
    }

    /// Writes an error with those of its causes that it does not quote itself.
    pub(crate) fn error(self, error: &anyhow::Error) {
        let mut text = error.to_string();
        for cause in error.chain().skip(1).map(ToString::to_string) {
            if !text.contains(&cause) {
                text = format!("{text}: {cause}");
            }
        }
        let _ = writeln!(std::io::stderr().lock(), "error: {text}");
    }
}
