//! Conditions between axes, such as `fast_bars < slow_bars`: read once, then asked of every point.

mod compile;
mod evaluate;
mod names;
mod parse;

use std::fmt;

use crate::{Coordinate, SearchError, Space};
use compile::Compiler;
use evaluate::Condition;

/// Conditions that a point must meet, all of them.
///
/// A condition is made of axes' names (whole, or an end of one that only one axis has), numbers, texts in single quotes,
/// `+ - * /`, `abs`, `min`, `max`, `< <= > >= = <>`, `between`, `in`, `and`, `or`, `not` and parentheses. A result that is not
/// finite, such as a division by zero, meets no comparison, and `not` of such a comparison is not met either.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Constraints {
    texts: Vec<String>,
    conditions: Vec<Condition>,
}

impl Constraints {
    /// Returns constraints that admit every point.
    pub fn none() -> Self {
        Self::default()
    }

    /// Reads conditions over the axes of a space.
    ///
    /// # Errors
    /// When a condition cannot be read, names an axis that the space does not have, compares what cannot be compared, or names
    /// no axis at all.
    pub fn compile<S: AsRef<str>>(space: &Space, texts: &[S]) -> Result<Self, SearchError> {
        let texts: Vec<String> = texts.iter().map(|text| text.as_ref().to_owned()).collect();
        let conditions = texts.iter().map(|text| Compiler::new(space, text).constraint()).collect::<Result<_, _>>()?;
        Ok(Self { texts, conditions })
    }

    /// Returns whether a point of the space meets every condition.
    pub fn admits(&self, point: &[Coordinate]) -> bool {
        self.conditions.iter().all(|condition| condition.met(point) == Some(true))
    }

    /// Returns whether there is no condition.
    pub fn is_empty(&self) -> bool {
        self.conditions.is_empty()
    }

    /// Returns the conditions as they were written.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }
}

impl fmt::Display for Constraints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.texts.join(" and "))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Axis, Choice, Scale};

    fn space() -> Space {
        let integers =
            |name: &str| Axis::Integers { name: name.into(), low: 0, high: 99, step: 1, scale: Scale::Linear };
        let text = |text: &str| Choice::Text(text.into());
        Space::new(vec![
            integers("strategy.sma_cross.fast_bars"),
            integers("strategy.sma_cross.slow_bars"),
            Axis::Floats { name: "costs.bps".into(), low: 0.0, high: 1.0, step: None, scale: Scale::Linear },
            Axis::Choices { name: "execution.fill".into(), values: vec![text("next_open"), text("next_close")] },
            Axis::Choices { name: "model.on".into(), values: vec![Choice::Boolean(false), Choice::Boolean(true)] },
            Axis::Choices { name: "windows".into(), values: vec![Choice::Number(8.0), Choice::Number(64.0)] },
            Axis::Choices { name: "lists".into(), values: vec![Choice::Other] },
        ])
        .expect("a valid space")
    }

    fn point(fast: i64, slow: i64, bps: f64, fill: usize, on: usize, window: usize) -> Vec<Coordinate> {
        use Coordinate::{Choice, Float, Integer};
        vec![Integer(fast), Integer(slow), Float(bps), Choice(fill), Choice(on), Choice(window), Choice(0)]
    }

    fn admits(text: &str, point: &[Coordinate]) -> bool {
        Constraints::compile(&space(), &[text]).unwrap_or_else(|error| panic!("{error}")).admits(point)
    }

    fn refusal(text: &str) -> String {
        Constraints::compile(&space(), &[text]).expect_err("an invalid constraint").to_string()
    }

    #[test]
    fn names_have_dots_and_may_be_shortened_to_an_end() {
        let (below, above) = (point(5, 20, 0.0, 0, 0, 0), point(20, 5, 0.0, 0, 0, 0));
        for text in [
            "strategy.sma_cross.fast_bars < strategy.sma_cross.slow_bars",
            "\"strategy.sma_cross.fast_bars\" < \"strategy\".\"sma_cross\".slow_bars",
            "fast_bars < slow_bars",
            "sma_cross.fast_bars*2 < slow_bars",
            "NOT fast_bars >= slow_bars",
        ] {
            assert!(admits(text, &below), "{text}");
            assert!(!admits(text, &above), "{text}");
        }
    }

    #[test]
    fn conditions_are_those_of_arithmetic_and_logic() {
        let here = point(4, 10, 0.25, 1, 1, 1);
        for text in [
            "fast_bars between 4 and 9 and slow_bars not between 1 and 9",
            "fast_bars + 2 * 3 = slow_bars",
            "(fast_bars + 2) * 3 = 18 or false",
            "-fast_bars < -3 and +bps = 0.25",
            "abs(fast_bars - slow_bars) = 6 and min(fast_bars, slow_bars, 7) = 4 and max(fast_bars, 3) = 4",
            "execution.fill = 'next_close' and fill <> 'next_open' and 'next_close' = fill",
            "fill in ('next_open', 'next_close') and windows not in (8, 16) and fast_bars in (1, slow_bars - 6)",
            "model.on and on = true and on <> false and not (on = false)",
            "windows / 16 >= fast_bars",
        ] {
            assert!(admits(text, &here), "{text}");
            assert!(!admits(&format!("not ({text})"), &here), "{text}");
        }
    }

    #[test]
    fn what_is_not_finite_meets_no_comparison() {
        let here = point(4, 0, 0.0, 0, 0, 0);
        for text in ["fast_bars / slow_bars > 1", "fast_bars / slow_bars <= 1", "not fast_bars / slow_bars > 1"] {
            assert!(!admits(text, &here), "{text}");
        }
        assert!(admits("fast_bars / slow_bars > 1 or fast_bars = 4", &here), "one side is enough");
        assert!(!admits("fast_bars / slow_bars > 1 or fast_bars = 5", &here));
        assert!(admits("not (fast_bars / slow_bars > 1 and fast_bars = 5)", &here), "one side is enough");
    }

    #[test]
    fn an_axis_that_is_not_there_is_refused_with_the_nearest() {
        assert_eq!(
            refusal("fast_bar < slow_bars"),
            "constraint `fast_bar < slow_bars`: axis `fast_bar` is not known; hint: did you mean `strategy.sma_cross.fast_bars`?"
        );
        assert_eq!(
            refusal("strategy.sma_cros.fast_bars < 5"),
            "constraint `strategy.sma_cros.fast_bars < 5`: axis `strategy.sma_cros.fast_bars` is not known; \
             hint: did you mean `strategy.sma_cross.fast_bars`?"
        );
        assert!(refusal("zzzzzzzzz < 5").contains("hint: axes are `strategy.sma_cross.fast_bars`, "));
    }

    #[test]
    fn an_end_that_two_axes_have_is_refused() {
        let axis = |name: &str| Axis::Integers { name: name.into(), low: 0, high: 9, step: 1, scale: Scale::Linear };
        let space = Space::new(vec![axis("entry.bars"), axis("exit.bars")]).expect("a valid space");
        let error = Constraints::compile(&space, &["bars > 3"]).expect_err("ambiguous").to_string();
        assert_eq!(
            error,
            "constraint `bars > 3`: `bars` must be the end of one axis, is that of `entry.bars` and `exit.bars`; \
             hint: write the whole name"
        );
        let space = Space::new(vec![axis("bars"), axis("exit.bars")]).expect("a valid space");
        assert!(Constraints::compile(&space, &["bars > 3"]).is_ok(), "a whole name comes first");
    }

    #[test]
    fn what_makes_no_condition_is_refused() {
        let cases = [
            ("", "must not be empty"),
            ("fast_bars +", "expected"),
            ("fast_bars < 5 slow_bars", "must end where it is complete, but `slow_bars` follows"),
            ("fast_bars", "must be a condition, but `strategy.sma_cross.fast_bars` is a number"),
            ("1 < 2", "must name at least one axis"),
            ("fast_bars and on", "must be a condition"),
            ("fill < 'next_open'", "texts are compared by `=`, `<>` and `in`"),
            ("fill = 'next_opem'", "no value of `execution.fill` is `next_opem`; hint: did you mean `next_open`?"),
            ("fill > 3", "must be a number"),
            ("fast_bars = 'x'", "must be a text"),
            ("lists = 3", "`lists` must be all numbers, all texts or all true or false to stand in a constraint"),
            ("median(fast_bars) < 3", "`median` is not a function of constraints"),
            ("fast_bars < 1e999", "must be finite"),
            ("fast_bars in (select 1)", "is not part of the language of constraints"),
            ("fast_bars is null", "is not part of the language of constraints"),
            ("abs(fast_bars, 2) = 1", "`abs` takes one number"),
            ("fast_bars = ; 3", "expected"),
            ("fast_bars -- 3", ""),
        ];
        for (text, part) in cases {
            let error = refusal(text);
            assert!(error.contains(part), "{text}: {error}");
        }
        let deep = format!("{}fast_bars{} < 3", "(".repeat(500), ")".repeat(500));
        assert!(refusal(&deep).contains("nested"), "{}", refusal(&deep));
        assert!(refusal(&format!("fast_bars < {}", "1 + ".repeat(2_000))).contains("at most `2000` characters"));
    }

    proptest! {
        #[test]
        fn no_text_causes_a_panic(text in "[a-z_.()<>=+*/' 0-9\"-]{0,40}", odd in any::<String>()) {
            let space = space();
            let _ = Constraints::compile(&space, &[text]);
            let _ = Constraints::compile(&space, &[odd]);
        }

        #[test]
        fn a_comparison_is_that_of_the_numbers(fast in 0i64..99, slow in 0i64..99, factor in 1i64..5) {
            let here = point(fast, slow, 0.0, 0, 0, 0);
            prop_assert_eq!(admits(&format!("fast_bars * {factor} < slow_bars"), &here), fast * factor < slow);
        }
    }
}
