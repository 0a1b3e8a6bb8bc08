//! Numbers as text: percent, ratios, money, counts, and `n/a` for what is undefined.

use tidegate_market::Timestamp;

use crate::{MetricRow, MetricUnit};

/// The text of an undefined value.
pub(crate) const UNDEFINED: &str = "n/a";

/// Formats a fraction in percent with two digits.
pub(crate) fn percent(value: Option<f64>) -> String {
    defined(value, |fraction| format!("{}%", grouped(fraction * 100.0, 2)))
}

/// Formats a fraction in percent with one digit.
pub(crate) fn percent_short(value: Option<f64>) -> String {
    defined(value, |fraction| format!("{}%", grouped(fraction * 100.0, 1)))
}

/// Formats a pure number with two digits.
pub(crate) fn ratio(value: Option<f64>) -> String {
    defined(value, |number| grouped(number, 2))
}

/// Formats a small score, such as a correlation, with four digits.
pub(crate) fn score(value: Option<f64>) -> String {
    defined(value, |number| grouped(number, 4))
}

/// Formats a p-value with three digits, the smallest as a bound.
pub(crate) fn p_value(value: Option<f64>) -> String {
    defined(value, |number| if number < 0.001 { "<0.001".to_owned() } else { format!("{number:.3}") })
}

/// Formats a number of any size with four significant digits in scientific notation.
pub(crate) fn scientific(value: Option<f64>) -> String {
    defined(value, |number| format!("{number:.3e}"))
}

/// Formats an amount of money with two digits and groups of three.
pub(crate) fn money(value: Option<f64>) -> String {
    defined(value, |amount| grouped(amount, 2))
}

/// Formats a price: two digits from 100 on, four from 1 on, four significant digits below.
pub(crate) fn price(value: f64) -> String {
    defined(Some(value), |price| {
        let digits = match price.abs() {
            size if size >= 100.0 || size == 0.0 => 2,
            size if size >= 1.0 => 4,
            size => (3 - size.log10().floor() as i32).clamp(4, 12) as usize,
        };
        grouped(price, digits)
    })
}

/// Formats a whole number with groups of three.
pub(crate) fn count(value: u64) -> String {
    group_digits(&value.to_string())
}

/// Formats a quantity: whole when it is whole, else with up to six digits.
pub(crate) fn quantity(value: f64) -> String {
    defined(Some(value), |units| {
        let text = grouped(units, 6);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    })
}

/// Formats a metric's value by its unit.
pub(crate) fn metric(unit: MetricUnit, value: Option<f64>) -> String {
    match unit {
        MetricUnit::Percent => percent(value),
        MetricUnit::Ratio => ratio(value),
        MetricUnit::Money => money(value),
        MetricUnit::Count => defined(value, |number| grouped(number, 0)),
        MetricUnit::Days => defined(value, |days| format!("{} days", grouped(days, 0))),
        MetricUnit::Date => defined(value, |days| {
            Timestamp::from_nanos((days.floor() as i64).saturating_mul(Timestamp::NANOS_PER_DAY)).to_string()
        }),
    }
}

/// Formats a metric's strategy and benchmark values.
pub(crate) fn metric_pair(row: &MetricRow) -> (String, String) {
    (metric(row.unit, row.strategy), metric(row.unit, row.benchmark))
}

/// Rounds to `digits` significant digits, so that a chart's numbers are short as text; undefined when not finite.
pub(crate) fn rounded(value: Option<f64>, digits: i32) -> Option<f64> {
    value.filter(|number| number.is_finite()).map(|number| {
        if number == 0.0 {
            return 0.0;
        }
        let scale = 10_f64.powi(digits - 1 - number.abs().log10().floor() as i32);
        if scale.is_finite() && scale > 0.0 { (number * scale).round() / scale } else { number }
    })
}

fn defined(value: Option<f64>, format: impl FnOnce(f64) -> String) -> String {
    value.filter(|number| number.is_finite()).map_or_else(|| UNDEFINED.to_owned(), format)
}

/// Formats a number with a fixed count of digits and groups of three.
pub(crate) fn grouped(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    let is_zero = text.bytes().all(|byte| matches!(byte, b'-' | b'0' | b'.'));
    group_digits(if is_zero { text.trim_start_matches('-') } else { &text })
}

fn group_digits(text: &str) -> String {
    let (sign, unsigned) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, fraction) = unsigned.split_once('.').map_or((unsigned, None), |(whole, part)| (whole, Some(part)));
    let mut shown = sign.to_owned();
    for (position, digit) in whole.char_indices() {
        if position > 0 && (whole.len() - position).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    if let Some(fraction) = fraction {
        shown.push('.');
        shown.push_str(fraction);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undefined_is_not_a_number_and_not_a_dash() {
        for value in [None, Some(f64::NAN), Some(f64::INFINITY), Some(f64::NEG_INFINITY)] {
            for text in
                [percent(value), percent_short(value), ratio(value), score(value), scientific(value), money(value)]
            {
                assert_eq!(text, "n/a");
            }
            for unit in [MetricUnit::Count, MetricUnit::Days, MetricUnit::Date] {
                assert_eq!(metric(unit, value), "n/a");
            }
        }
    }

    #[test]
    fn a_tiny_p_value_is_not_shown_as_zero() {
        assert_eq!([Some(0.000_9), Some(0.041_6), Some(1.0), None].map(p_value), ["<0.001", "0.042", "1.000", "n/a"]);
    }

    #[test]
    fn a_fraction_is_shown_in_percent() {
        assert_eq!(percent(Some(0.123_456)), "12.35%");
        assert_eq!(percent(Some(-12.345_67)), "-1,234.57%");
    }

    #[test]
    fn a_negative_zero_has_no_sign() {
        assert_eq!(percent(Some(-0.000_01)), "0.00%");
        assert_eq!(money(Some(-0.0)), "0.00");
    }

    #[test]
    fn money_is_grouped_by_thousands() {
        assert_eq!(money(Some(1_234_567.891)), "1,234,567.89");
        assert_eq!(money(Some(-999.999)), "-1,000.00");
        assert_eq!(money(Some(-123.4)), "-123.40");
        assert_eq!(count(1_000), "1,000");
    }

    #[test]
    fn a_price_shows_the_digits_of_its_market() {
        assert_eq!(price(4_321.5), "4,321.50");
        assert_eq!(price(1.084_25), "1.0842");
        assert_eq!(price(0.000_012_34), "0.00001234");
        assert_eq!(price(0.0), "0.00");
    }

    #[test]
    fn a_quantity_shows_only_the_digits_it_has() {
        assert_eq!(quantity(1_200.0), "1,200");
        assert_eq!(quantity(0.125), "0.125");
        assert_eq!(quantity(0.0), "0");
    }

    #[test]
    fn a_unit_decides_the_text() {
        assert_eq!(metric(MetricUnit::Count, Some(1_234.0)), "1,234");
        assert_eq!(metric(MetricUnit::Days, Some(31.0)), "31 days");
        // 2018-12-31 is 17,896 days after 1970-01-01: 48 years of 365 days, 12 leap days, and 364 days into 2018.
        assert_eq!(metric(MetricUnit::Date, Some(17_896.0)), "2018-12-31");
        assert_eq!(metric(MetricUnit::Ratio, Some(1.005_1)), "1.01");
    }

    #[test]
    fn a_number_is_rounded_to_significant_digits() {
        assert_eq!(rounded(Some(123_456.789), 7), Some(123_456.8));
        assert_eq!(rounded(Some(-0.001_234_567_89), 7), Some(-0.001_234_568));
        assert_eq!(rounded(Some(0.0), 7), Some(0.0));
        assert_eq!(rounded(Some(f64::NAN), 7), None);
        assert_eq!(rounded(Some(5e-324), 7), Some(5e-324));
    }
}
