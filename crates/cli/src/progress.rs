//! Progress on stderr: bars for a person at a terminal, a few plain lines otherwise.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tidegate_experiment::{Observer, Progress};

use crate::printer::Printer;
use crate::stop;

/// Draws what an experiment reports.
pub(crate) struct TerminalProgress {
    printer: Printer,
    stage: Mutex<Option<Stage>>,
}

struct Stage {
    name: &'static str,
    bar: ProgressBar,
    started: Instant,
    steps: u64,
    done: u64,
}

impl TerminalProgress {
    pub(crate) const fn new(printer: Printer) -> Self {
        Self { printer, stage: Mutex::new(None) }
    }

    fn begin(&self, name: &'static str, steps: u64) -> Stage {
        let bar = if steps == 0 { ProgressBar::new_spinner() } else { ProgressBar::new(steps) };
        if self.printer.draws_progress() {
            let template = match steps {
                0 => "{spinner} {prefix} {msg}",
                _ => "{prefix} [{bar:30}] {pos}/{len} {elapsed}<{eta} {msg}",
            };
            bar.set_style(ProgressStyle::with_template(template).expect("the template is a constant"));
            bar.enable_steady_tick(Duration::from_millis(120));
        } else {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        bar.set_prefix(name);
        Stage { name, bar, started: Instant::now(), steps, done: 0 }
    }

    /// Says how long a stage took, when it was long enough to be noticed.
    fn finish(&self, stage: &Stage) {
        stage.bar.finish_and_clear();
        let elapsed = stage.started.elapsed();
        if elapsed > Duration::from_millis(200) {
            self.printer.note(&format!("{}: {:.1} s", stage.name, elapsed.as_secs_f64()));
        }
    }

    /// Without a terminal, a long stage says where it is at every tenth.
    fn step(&self, stage: &mut Stage) {
        stage.done += 1;
        stage.bar.inc(1);
        let tenth = (stage.steps / 10).max(1);
        if !self.printer.draws_progress() && stage.steps > 1 && stage.done.is_multiple_of(tenth) {
            self.printer.note(&format!("{}: {} of {}", stage.name, stage.done, stage.steps));
        }
    }

    /// Many steps at once come with their rate, and with the time that the rest will take at it.
    fn steps(&self, stage: &mut Stage, count: u64) {
        let tenth = (stage.steps / 10).max(1);
        let tenths_before = stage.done / tenth;
        stage.done += count;
        stage.bar.inc(count);
        let seconds = stage.started.elapsed().as_secs_f64();
        if seconds <= 0.0 || count == 0 {
            return;
        }
        let rate = stage.done as f64 / seconds;
        let speed = if rate >= 10.0 { format!("{rate:.0} a second") } else { format!("{rate:.2} a second") };
        stage.bar.set_message(speed.clone());
        if !self.printer.draws_progress() && stage.done / tenth > tenths_before && seconds > 1.0 {
            let left = stage.steps.saturating_sub(stage.done) as f64 / rate;
            let Stage { name, done, steps, .. } = stage;
            self.printer.note(&format!("{name}: {done} of {steps}, {speed}, {left:.0} s left"));
        }
    }
}

impl Observer for TerminalProgress {
    fn notify(&self, progress: Progress) {
        let mut current = self.stage.lock().expect("no thread panics while it reports progress");
        match progress {
            Progress::Stage { name, steps } => *current = Some(self.begin(name, steps)),
            Progress::Step => {
                if let Some(stage) = current.as_mut() {
                    self.step(stage);
                }
            }
            Progress::Steps(count) => {
                if let Some(stage) = current.as_mut() {
                    self.steps(stage, count);
                }
            }
            Progress::Epoch { fold, member, progress } => {
                if let Some(stage) = current.as_ref() {
                    let valid = progress.valid_loss.map_or_else(String::new, |loss| format!(", validation {loss:.4}"));
                    stage.bar.set_message(format!(
                        "fold {fold} member {member} epoch {}/{}: loss {:.4}{valid}",
                        progress.epoch, progress.epochs, progress.train_loss
                    ));
                }
            }
            Progress::StageDone => {
                if let Some(stage) = current.take() {
                    self.finish(&stage);
                }
            }
            Progress::Note(text) => match current.as_ref() {
                Some(stage) if self.printer.draws_progress() => stage.bar.println(text),
                _ => self.printer.note(&text),
            },
        }
    }

    fn cancelled(&self) -> bool {
        stop::requested()
    }
}
