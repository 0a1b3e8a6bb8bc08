//! No false alarm, and nothing skipped.

use tidegate_market::{CorporateAction, CorporateActionKind};

use super::super::AuditStage::{
    Bars, Equity, Features, Fills, Forecasts, Labels, Models, Orders, Scaler, TrainingSets,
};
use super::super::chain::Product;
use super::super::{AuditReport, AuditStage, CutKind};
use super::support::{audited, dataset, on_two_symbols, ridge, simulated, sma_cross, whole_dataset};

fn stages(report: &AuditReport, kind: fn(&CutKind) -> bool) -> Vec<&[AuditStage]> {
    report.cuts.iter().filter(|cut| kind(&cut.kind)).map(|cut| cut.stages.as_slice()).collect()
}

#[test]
fn a_linear_model_passes_and_every_stage_was_compared() {
    let report = audited(&ridge(), &whole_dataset(500), &Product);
    assert_eq!(report.leak, None, "{report}");
    let all = [Bars, Features, Labels, Scaler, TrainingSets, Models, Forecasts, Orders, Fills, Equity];
    assert_eq!(report.stages.iter().map(|stage| stage.stage).collect::<Vec<_>>(), all);
    assert!(report.stages.iter().all(|stage| stage.values > 0), "{report}");
    for inside in stages(&report, |kind| matches!(kind, CutKind::InsideFold(_))) {
        assert_eq!(inside, all);
    }
    assert_eq!(stages(&report, |kind| matches!(kind, CutKind::InsideFold(_))).len(), 6);
    // Before the first test block something is learned, and nothing forecast.
    assert_eq!(stages(&report, |kind| *kind == CutKind::BeforeFold(0)), [&all[..6]]);
    assert_eq!(stages(&report, |kind| *kind == CutKind::BeforeFold(1)), [all]);
    // The first feature has one bar of look-back, so its label, which reads two bars ahead, is not known at the first cut.
    let warm_up = stages(&report, |kind| *kind == CutKind::WarmUp);
    assert_eq!(warm_up, [&all[..2], &all[..3], &all[..3]]);
    assert_eq!(stages(&report, |kind| *kind == CutKind::AtOpen).len(), 4);
    assert_eq!(report.folds_retrained, [0, 1]);
    assert!(report.verdict().starts_with("no leak: 15 cuts, "), "{}", report.verdict());
}

#[test]
fn a_strategy_without_a_model_passes() {
    let report = audited(&sma_cross(), &whole_dataset(500), &Product);
    assert_eq!(report.leak, None, "{report}");
    let compared: Vec<AuditStage> = report.stages.iter().map(|stage| stage.stage).collect();
    assert_eq!(compared, [Bars, Orders, Fills, Equity]);
    assert_eq!((report.not_proven.len(), report.folds_retrained.len()), (0, 0));
}

#[test]
fn two_symbols_of_which_one_comes_later_pass() {
    let mut symbols = simulated(500);
    symbols[1].bars = symbols[1].bars.slice(90..470);
    for strategy in [ridge(), sma_cross()] {
        let report = audited(&on_two_symbols(&strategy), &dataset(symbols.clone()), &Product);
        assert_eq!(report.leak, None, "{report}");
    }
}

#[test]
fn splits_and_dividends_that_are_still_to_come_are_no_leak() {
    let mut bars = whole_dataset(500);
    let action = |row: usize, kind| CorporateAction { time: bars.bars[0].time()[row], kind };
    bars.beside[0].actions = vec![
        action(150, CorporateActionKind::Split { ratio: 2.0 }),
        action(290, CorporateActionKind::Dividend { amount: 0.5 }),
        action(330, CorporateActionKind::Split { ratio: 0.5 }),
        action(450, CorporateActionKind::Dividend { amount: 0.25 }),
    ];
    for strategy in [ridge(), sma_cross()] {
        assert_eq!(audited(&strategy, &bars, &Product).leak, None);
    }
}

#[test]
fn orders_that_fill_elsewhere_than_at_the_next_open_pass() {
    for (own, other) in [
        (r#"fill = "next_open""#, r#"fill = "next_close""#),
        (r#"fill = "next_open""#, r#"fill = "same_close""#),
        (r#"fill = "next_open""#, "fill = \"next_open\"\ndata_end = \"close\""),
    ] {
        let strategy = sma_cross().replace(own, other);
        let report = audited(&strategy, &whole_dataset(500), &Product);
        assert_eq!(report.leak, None, "{other}: {report}");
        assert_eq!(report.not_proven.len(), usize::from(other.contains("same_close")), "{other}");
    }
}

#[test]
fn the_same_audit_gives_the_same_report() {
    let bars = whole_dataset(500);
    assert_eq!(audited(&sma_cross(), &bars, &Product), audited(&sma_cross(), &bars, &Product));
}
