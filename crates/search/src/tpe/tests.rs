use super::*;
use crate::{Axis, Choice, RandomSearch, Sampler, Scale};

/// Two whole numbers, a log axis, a number and a choice.
fn space() -> Space {
    let integers = |name: &str| Axis::Integers { name: name.into(), low: 2, high: 200, step: 1, scale: Scale::Linear };
    Space::new(vec![
        integers("fast"),
        integers("slow"),
        Axis::Floats { name: "rate".into(), low: 1e-5, high: 1e-1, step: None, scale: Scale::Log },
        Axis::Floats { name: "dropout".into(), low: 0.0, high: 0.6, step: Some(0.05), scale: Scale::Linear },
        Axis::Choices { name: "cell".into(), values: vec![Choice::Text("gru".into()), Choice::Text("lstm".into())] },
    ])
    .expect("a valid space")
}

/// Zero at its best: fast 20, slow 100, rate 10^-3, dropout 0.2, the second cell.
fn objective(point: &[Coordinate]) -> f64 {
    let [
        Coordinate::Integer(fast),
        Coordinate::Integer(slow),
        Coordinate::Float(rate),
        Coordinate::Float(dropout),
        cell,
    ] = point
    else {
        panic!("a point of the space");
    };
    let cell = if *cell == Coordinate::Choice(1) { 0.0 } else { 0.3 };
    let bars = ((*fast as f64 - 20.0) / 200.0).powi(2) + ((*slow as f64 - 100.0) / 200.0).powi(2);
    -(4.0 * bars + (rate.log10() + 3.0).powi(2) / 8.0 + (dropout - 0.2).powi(2) + cell)
}

fn settings(seed: u64) -> TpeSettings {
    TpeSettings { startup: 20, candidates: 24, seed }
}

/// Walks 100 trials in batches of 8 and returns the points.
fn search(seed: u64, constraints: &Constraints, reversed: bool) -> Vec<Point> {
    let mut tpe = Tpe::new(&space(), constraints, settings(seed)).expect("valid settings");
    let mut points: Vec<Point> = Vec::new();
    while points.len() < 100 {
        let first = points.len() as u64;
        let batch = tpe.ask(first..first + 8).expect("points are admitted");
        let mut told: Vec<(u64, Point)> = (first..).zip(batch.iter().cloned()).collect();
        if reversed {
            told.reverse();
        }
        for (number, point) in told {
            let result = objective(&point);
            tpe.tell(number, point, Some(result));
        }
        points.extend(batch);
    }
    points
}

fn best(points: &[Point]) -> f64 {
    points.iter().map(|point| objective(point)).fold(f64::NEG_INFINITY, f64::max)
}

#[test]
fn tpe_beats_random_search() {
    let none = Constraints::none();
    let mut wins = 0;
    let (mut losses_of_tpe, mut losses_of_random) = (Vec::new(), Vec::new());
    for seed in 0..20 {
        let learned = -best(&search(seed, &none, false));
        let random = RandomSearch::new(&space(), &none, 104, seed).expect("some trials");
        let random = -best(&random.points(0..104).expect("points are admitted"));
        wins += u32::from(learned < random);
        losses_of_tpe.push(learned);
        losses_of_random.push(random);
    }
    losses_of_tpe.sort_by(f64::total_cmp);
    losses_of_random.sort_by(f64::total_cmp);
    // A coin shows 18 heads or more of 20 with a probability of 0.0002: (190 + 20 + 1) / 2^20.
    assert!(wins >= 18, "TPE won {wins} of 20");
    let (learned, random) = (losses_of_tpe[10], losses_of_random[10]);
    assert!(learned < 0.25 * random, "what is missing to the best: {learned} of TPE, {random} of random search");
}

#[test]
fn the_order_of_telling_changes_nothing() {
    let none = Constraints::none();
    assert_eq!(search(3, &none, false), search(3, &none, true));
    assert_ne!(search(3, &none, false), search(4, &none, false));
}

#[test]
fn a_search_that_is_told_what_is_stored_goes_on_with_the_same_points() {
    let none = Constraints::none();
    let points = search(11, &none, false);
    let mut tpe = Tpe::new(&space(), &none, settings(11)).expect("valid settings");
    for (number, point) in (0..48).zip(&points) {
        tpe.tell(number, point.clone(), Some(objective(point)));
    }
    assert_eq!(tpe.ask(48..56).expect("points are admitted"), points[48..56]);
    // What was already told of the batch itself does not change it.
    tpe.tell(50, points[50].clone(), Some(objective(&points[50])));
    assert_eq!(tpe.ask(48..56).expect("points are admitted"), points[48..56]);
}

#[test]
fn constraints_hold_for_every_proposal() {
    let constraints = Constraints::compile(&space(), &["fast * 3 < slow", "cell = 'gru' or dropout > 0.3"]);
    let constraints = constraints.expect("valid constraints");
    assert!(search(1, &constraints, false).iter().all(|point| constraints.admits(point)));
}

#[test]
fn undefined_objectives_rank_last() {
    let none = Constraints::none();
    let mut tpe = Tpe::new(&space(), &none, settings(5)).expect("valid settings");
    let mut with_numbers = tpe.clone();
    for (number, point) in (0..).zip(tpe.ask(0..20).expect("points are admitted")) {
        let is_defined = number % 2 == 0;
        let objective = objective(&point);
        tpe.tell(number, point.clone(), if is_defined { Some(objective) } else { Some(f64::NAN) });
        with_numbers.tell(number, point, if is_defined { Some(objective) } else { Some(-1e9) });
    }
    assert_eq!(tpe.ask(20..24), with_numbers.ask(20..24));
}

#[test]
fn a_small_space_is_walked_without_repeats_and_then_again() {
    let axis = |name: &str| Axis::Integers { name: name.into(), low: 1, high: 4, step: 1, scale: Scale::Linear };
    let space = Space::new(vec![axis("a"), axis("b")]).expect("a valid space");
    let mut tpe = Tpe::new(&space, &Constraints::none(), TpeSettings { startup: 1, ..settings(2) }).expect("valid");
    let mut seen = BTreeSet::new();
    for number in 0..30 {
        let point = tpe.ask(number..number + 1).expect("a point").remove(0);
        seen.insert(key(&point));
        tpe.tell(number, point, Some(number as f64));
    }
    assert_eq!(seen.len(), 16, "all sixteen points are found in 30 trials");
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let refusal = |settings| Tpe::new(&space(), &Constraints::none(), settings).expect_err("invalid").to_string();
    assert_eq!(refusal(TpeSettings { startup: 0, ..settings(1) }), "startup must be at least 1, was `0`");
    assert_eq!(refusal(TpeSettings { candidates: 0, ..settings(1) }), "candidates must be at least 1, was `0`");
}
