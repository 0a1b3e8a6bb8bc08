//! `tidegate bench claims`: what is said of GRU networks, beside what this machine shows.

use crate::model_arguments::{BenchArguments, BenchCommand};
use crate::printer::Printer;

pub(crate) fn execute(arguments: &BenchArguments, printer: Printer) -> anyhow::Result<()> {
    let BenchCommand::Claims(claims) = arguments.command;
    measured::claims(claims.rounds.into(), printer)
}

#[cfg(not(feature = "libtorch"))]
mod measured {
    use tidegate_models::ModelError;

    use crate::printer::Printer;

    pub(super) fn claims(_: usize, _: Printer) -> anyhow::Result<()> {
        let hint = "measure with a build with default features";
        Err(ModelError::NeedsLibtorch { what: "measuring claims about training".to_owned(), hint }.into())
    }
}

#[cfg(feature = "libtorch")]
mod measured {
    use std::num::NonZeroUsize;

    use serde_json::json;
    use tidegate_experiment::{Observer, Progress};
    use tidegate_models::{Claim, ClaimUnit, claims as measure};

    use crate::printer::Printer;
    use crate::progress::TerminalProgress;
    use crate::stopwatch;

    pub(super) fn claims(rounds: usize, printer: Printer) -> anyhow::Result<()> {
        let progress = TerminalProgress::new(printer);
        progress.notify(Progress::Stage { name: "measuring", steps: rounds as u64 });
        let claims = measure(rounds, &mut stopwatch::stopwatch(), &mut || progress.notify(Progress::Step))?;
        progress.notify(Progress::StageDone);
        if printer.json() {
            let document = json!({
                "machine": { "processor": processor(), "cores": cores(), "threads": 1, "clock": stopwatch::NAME },
                "rounds": rounds,
                "claims": claims.iter().map(document).collect::<Vec<_>>(),
            });
            printer.result(&serde_json::to_string_pretty(&document)?);
            return Ok(());
        }
        printer.result(&format!(
            "{}, {} cores, one thread; {rounds} rounds, median (least to most)",
            processor(),
            cores()
        ));
        for claim in &claims {
            show(claim, printer);
        }
        Ok(())
    }

    fn document(claim: &Claim) -> serde_json::Value {
        json!({
            "name": claim.name,
            "what": claim.what,
            "unit": claim.unit.name(),
            "claimed": claim.claimed,
            "measured": claim.measured,
            "low": claim.low,
            "high": claim.high,
            "holds": claim.holds(),
            "why": claim.why,
        })
    }

    fn show(claim: &Claim, printer: Printer) {
        let number = |value: f64| match claim.unit {
            ClaimUnit::PercentLess => format!("{value:.1} % less"),
            ClaimUnit::PercentFaster if value < 0.0 => format!("{:.0} % slower", -value),
            ClaimUnit::PercentFaster => format!("{value:.0} % faster"),
            ClaimUnit::TimesFaster => format!("{value:.2} times faster"),
        };
        let [least, most] = claim.claimed;
        let claimed = if least == most { format!("{least:.0}") } else { format!("{least:.0} to {most:.0}") };
        let holds = if claim.holds() { "holds" } else { "does not hold" };
        printer.result(&format!("\n{}", claim.what));
        let spread = if claim.low < claim.high {
            format!(" ({} to {})", number(claim.low), number(claim.high))
        } else {
            String::new()
        };
        printer.result(&format!("  claimed {claimed}, measured {}{spread}: {holds}", number(claim.measured)));
        printer.result(&format!("  {}", claim.why));
    }

    /// Returns what the processor calls itself, or its architecture.
    fn processor() -> String {
        let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        name.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.to_owned())
    }

    fn cores() -> usize {
        std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
    }
}
