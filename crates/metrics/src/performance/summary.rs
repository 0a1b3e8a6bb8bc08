//! What one trial of many needs to know about its equity, in a few passes over one column and without allocations.

use tidegate_market::{Cash, Timestamp};

use super::cagr::annual_growth;
use super::drawdown::RECOVERED;
use super::kurtosis::corrected_excess_kurtosis;
use super::omega_ratio::threshold;
use super::skewness::corrected_skewness;
use super::{Performance, performance};
use crate::lanes::{LANES, Lanes, sum_of, sums_of};
use crate::returns::{check_ascending, years_between};
use crate::sample::{Moments, ROUNDING, finite, mean, moments, powers, ratio, standard_deviation};
use crate::{Convention, EquityCurve, MetricOptions, MetricsError, SharpeStatistics};

/// Summarizes the equity of one trial after the other; its memory is used again.
///
/// The numbers are those of [`performance()`] over the returns of an [`EquityCurve`] with the same points, to the bit, but for the
/// metrics that sort the returns or need a benchmark: tail ratio, both values at risk, alpha, beta and information ratio stay `None`.
#[derive(Debug, Clone)]
pub struct Summarizer {
    time: Vec<Timestamp>,
    periods_per_year: f64,
    options: MetricOptions,
    /// The points of an equity with an initial one.
    points: Vec<f64>,
    returns: Vec<f64>,
    growth: Vec<f64>,
}

/// What a [`Summarizer`] returns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// The metrics; those that sort the returns or need a benchmark are `None`.
    pub performance: Performance,
    /// The Sharpe ratio of one period with its moments; `None` when undefined.
    pub sharpe: Option<SharpeStatistics>,
    /// The mean of all points, in money; `None` when it is not finite.
    pub mean_equity: Option<f64>,
    /// Calendar time from the first to the last point, in years of 365.25 days.
    pub years: f64,
}

/// The growth of one unit of money: where it ended, and how far and how long it was below its highest.
#[derive(Debug, Clone, Copy)]
struct Falls {
    deepest: f64,
    longest: usize,
}

/// What is read of the equity itself while the returns are made of it.
#[derive(Debug, Clone, Copy)]
struct Made {
    sum_of_returns: f64,
    best: f64,
    worst: f64,
    is_sane: bool,
}

/// One pass over the points.
#[derive(Debug, Clone, Copy)]
struct Pass {
    sums: Lanes,
    best: Lanes,
    worst: Lanes,
    lowest: Lanes,
    growth: f64,
}

impl Pass {
    fn new(first: f64) -> Self {
        let [most, least] = [f64::INFINITY, f64::NEG_INFINITY].map(Lanes::all);
        Self { sums: Lanes::all(0.0), best: least, worst: most, lowest: Lanes::all(first), growth: 1.0 }
    }

    /// Takes four periods by the points before and after them; gives their returns and the growth after each.
    #[inline]
    fn take(&mut self, before: [f64; LANES], after: [f64; LANES]) -> ([f64; LANES], [f64; LANES]) {
        let after = Lanes(after);
        let returns = after / Lanes(before) - Lanes::all(1.0);
        self.sums = self.sums + returns;
        self.best = returns.greatest(self.best);
        self.worst = returns.least(self.worst);
        self.lowest = after.least(self.lowest);
        let grown = (Lanes::all(1.0) + returns).0.map(|factor| {
            self.growth *= factor;
            self.growth
        });
        (returns.0, grown)
    }

    /// Takes one period in a lane.
    fn take_one(&mut self, lane: usize, before: f64, after: f64) -> (f64, f64) {
        let return_ = after / before - 1.0;
        self.sums.0[lane] += return_;
        self.best.0[lane] = self.best.0[lane].max(return_);
        self.worst.0[lane] = self.worst.0[lane].min(return_);
        self.lowest.0[lane] = self.lowest.0[lane].min(after);
        self.growth *= 1.0 + return_;
        (return_, self.growth)
    }
}

impl Summary {
    /// Computes the turnover, times a year, as [`turnover`](crate::turnover()) does over the same points.
    pub fn turnover(&self, traded: Cash) -> Option<f64> {
        let equity = self.mean_equity.filter(|&mean| mean > 0.0)?;
        if self.years > 0.0 { finite(traded.0 / equity / self.years) } else { None }
    }
}

impl Summarizer {
    /// Prepares summaries of equities whose points lie at these times, or at the first of them.
    ///
    /// # Errors
    /// [`MetricsError::Unsorted`] when times do not ascend, [`MetricsError::Setting`] for periods per year that are not finite and above
    /// 0 and for options that do not [validate](MetricOptions::validate).
    pub fn new(time: &[Timestamp], periods_per_year: f64, options: &MetricOptions) -> Result<Self, MetricsError> {
        check_ascending(time)?;
        options.validate()?;
        crate::Returns::from_periods(Vec::new(), periods_per_year)?;
        let (time, options) = (time.to_vec(), *options);
        Ok(Self { time, periods_per_year, options, points: Vec::new(), returns: Vec::new(), growth: Vec::new() })
    }

    /// Summarizes one equity. `initial` is a point before the first, which is the initial one itself where there is none.
    ///
    /// # Errors
    /// [`MetricsError::Length`] for more points than times, and the errors of [`EquityCurve::new`].
    pub fn summarize(&mut self, initial: Option<(Timestamp, f64)>, equity: &[f64]) -> Result<Summary, MetricsError> {
        let expected = self.time.len();
        if equity.len() > expected {
            return Err(MetricsError::Length { name: "equity", expected, found: equity.len() });
        }
        let mut points = std::mem::take(&mut self.points);
        let summary = match initial {
            None => self.summarize_points(None, equity),
            Some((time, first)) => {
                points.clear();
                points.push(first);
                points.extend_from_slice(equity);
                self.summarize_points(Some(time), &points)
            }
        };
        self.points = points;
        summary
    }

    fn summarize_points(&mut self, initial: Option<Timestamp>, points: &[f64]) -> Result<Summary, MetricsError> {
        let rows = points.len() - usize::from(initial.is_some());
        let in_order = initial.is_none_or(|initial| self.time.first().is_none_or(|&first| initial < first));
        if points.len() < 3 || rows == 0 || !in_order {
            return self.summarize_with_care(initial, points);
        }
        let start = initial.unwrap_or(self.time[0]);
        let made = self.make_returns(points);
        // What is ruined, broken or beyond all bounds is rare, and left to the definitions.
        if !made.is_sane {
            return self.summarize_with_care(initial, points);
        }
        let years = years_between(start, self.time[rows - 1]);
        let (performance, sharpe) = self.measure(made, years);
        Ok(Summary { performance, sharpe, mean_equity: mean(points), years })
    }

    /// Computes everything by the functions that define it.
    #[cold]
    fn summarize_with_care(&self, initial: Option<Timestamp>, points: &[f64]) -> Result<Summary, MetricsError> {
        let rows = points.len() - usize::from(initial.is_some());
        let time: Vec<Timestamp> = initial.into_iter().chain(self.time[..rows].iter().copied()).collect();
        let curve = EquityCurve::new(time, points.to_vec())?;
        let returns = curve.returns(self.periods_per_year)?;
        let all = performance(&returns, None, &self.options)?;
        let sorts = Performance { tail_ratio: None, value_at_risk_95: None, conditional_value_at_risk_95: None, ..all };
        let ends = (curve.time()[0], curve.time()[rows + usize::from(initial.is_some()) - 1]);
        Ok(Summary {
            performance: sorts,
            sharpe: SharpeStatistics::of(&returns, &self.options),
            mean_equity: mean(points),
            years: years_between(ends.0, ends.1),
        })
    }

    /// Fills the columns of returns and growth, and reads what can be read in the same pass.
    fn make_returns(&mut self, points: &[f64]) -> Made {
        let periods = points.len() - 1;
        self.returns.resize(periods, 0.0);
        self.growth.resize(periods, 0.0);
        let mut pass = Pass::new(points[0]);
        let (before, rest_before) = points[..periods].as_chunks::<LANES>();
        let (after, rest_after) = points[1..].as_chunks::<LANES>();
        let (returns, rest_returns) = self.returns.as_chunks_mut::<LANES>();
        let (growth, rest_growth) = self.growth.as_chunks_mut::<LANES>();
        for ((before, after), (returns, growth)) in before.iter().zip(after).zip(returns.iter_mut().zip(growth)) {
            (*returns, *growth) = pass.take(*before, *after);
        }
        let rest = rest_before.iter().zip(rest_after).zip(rest_returns.iter_mut().zip(rest_growth));
        for (lane, ((&before, &after), (return_, growth))) in rest.enumerate() {
            (*return_, *growth) = pass.take_one(lane, before, after);
        }
        let [sum_of_returns, growth] = [pass.sums.total(), pass.growth];
        let best = pass.best.0.into_iter().fold(f64::NEG_INFINITY, f64::max);
        let worst = pass.worst.0.into_iter().fold(f64::INFINITY, f64::min);
        let lowest = pass.lowest.0.into_iter().fold(f64::INFINITY, f64::min);
        // A NaN or an infinity anywhere makes the sum of returns one.
        let is_sane = lowest > 0.0 && worst > -1.0 && sum_of_returns.is_finite() && growth.is_finite() && growth > 0.0;
        Made { sum_of_returns, best, worst, is_sane }
    }

    /// Computes the metrics of sane returns.
    fn measure(&self, made: Made, years: f64) -> (Performance, Option<SharpeStatistics>) {
        let Self { options, periods_per_year, .. } = self;
        let (convention, values, annual) = (options.convention, self.returns.as_slice(), periods_per_year.sqrt());
        let periods = values.len();
        let count = periods as f64;
        let risk_free = options.risk_free_per_period(*periods_per_year);
        let minimum = options.minimum_acceptable_return_per_period(*periods_per_year);
        let mean = made.sum_of_returns / count;
        let varies = made.best - made.worst >= ROUNDING;
        let sums = if varies { powers(values, mean) } else { [0.0; 3] };
        let deviation = finite(sums[0] / (periods - 1) as f64).map(f64::sqrt);
        let population = if varies { Moments::of_powers(sums, periods) } else { None };
        let own = Sample { mean: Some(mean), deviation, moments: population };
        let excess = if risk_free == 0.0 { own } else { Sample::less(values, risk_free) };
        let sharpe = excess.sharpe(periods, convention);
        let per_period = excess.mean.zip(excess.deviation).and_then(|(mean, deviation)| ratio(mean, deviation));

        let line = threshold(options, *periods_per_year);
        let none = Lanes::all(0.0);
        let (minimums, lines) = (Lanes::all(minimum), Lanes::all(line));
        let [above, below, squares] = sums_of(values, |values| {
            let short = (values - minimums).least(none);
            [(values - lines).greatest(none), (lines - values).greatest(none), short * short]
        });
        let sum_above_minimum =
            if minimum == 0.0 { made.sum_of_returns } else { sum_of(values, |values| values - minimums) };
        let downside = finite(squares / count).map(f64::sqrt);
        let sortino =
            finite(sum_above_minimum / count).zip(downside).and_then(|(mean, downside)| ratio(mean, downside));
        let (gains, moves) = self.gains_and_moves();
        let falls = self.falls();
        let total_return = finite(self.growth[periods - 1] - 1.0);
        let by_periods = convention != Convention::Tidegate;
        let years = if by_periods { count / periods_per_year } else { years };
        let cagr = total_return.and_then(|total| annual_growth(total, years));
        let performance = Performance {
            total_return,
            cagr,
            volatility: deviation.and_then(|deviation| finite(deviation * annual)),
            sharpe_ratio: per_period.map(|value| value * annual),
            sortino_ratio: sortino.and_then(|value| finite(value * annual)),
            calmar_ratio: cagr.and_then(|cagr| ratio(cagr, falls.deepest.abs())),
            omega_ratio: ratio(above, below),
            max_drawdown: Some(falls.deepest),
            max_drawdown_periods: Some(falls.longest),
            skewness: population.and_then(|of| corrected_skewness(of.skewness, periods, convention)),
            kurtosis: population.and_then(|of| corrected_excess_kurtosis(of.raw_kurtosis - 3.0, periods, convention)),
            probabilistic_sharpe_ratio: sharpe.and_then(|sharpe| sharpe.probability_above(0.0 / annual)),
            best_period: Some(made.best),
            worst_period: Some(made.worst),
            hit_rate: finite(gains / moves),
            ..Performance::default()
        };
        (performance, sharpe)
    }

    /// Returns the number of periods that gained, and that gained or lost.
    fn gains_and_moves(&self) -> (f64, f64) {
        let one_where = |holds: bool| if holds { 1.0 } else { 0.0 };
        let [gains, moves] = sums_of(&self.returns, |values| {
            [values.map(|value| one_where(value > 0.0)), values.map(|value| one_where(value != 0.0))]
        });
        (gains, moves)
    }

    /// Returns the deepest and the longest fall below the highest value so far, as [`crate::drawdowns`] finds them.
    fn falls(&self) -> Falls {
        const BLOCK: usize = 2 * LANES;
        let mut falls = Falls { deepest: 0.0, longest: 0 };
        let (mut peak, mut line) = (1.0, RECOVERED);
        let (mut periods, mut lowest) = (0, f64::INFINITY);
        let mut row = 0;
        while let Some(&value) = self.growth.get(row) {
            if value >= line {
                falls.deepen(periods, lowest, peak);
                (periods, lowest) = (0, f64::INFINITY);
                if value >= peak {
                    (peak, line) = (value, value * RECOVERED);
                }
                row += 1;
                continue;
            }
            // Under water whole blocks are compared side by side.
            let mut lows = Lanes::all(lowest);
            for block in self.growth[row..].as_chunks::<BLOCK>().0 {
                let halves = [0, LANES].map(|first| Lanes(std::array::from_fn(|lane| block[first + lane])));
                let is_below = halves[0].greatest(halves[1]).0.map(|value| value < line);
                if is_below.contains(&false) {
                    break;
                }
                lows = halves[0].least(halves[1]).least(lows);
                (row, periods) = (row + BLOCK, periods + BLOCK);
            }
            lowest = lows.0.into_iter().fold(lowest, f64::min);
            while let Some(&value) = self.growth.get(row).filter(|&&value| value < line) {
                lowest = if value < lowest { value } else { lowest };
                (row, periods) = (row + 1, periods + 1);
            }
        }
        falls.deepen(periods, lowest, peak);
        falls
    }
}

impl Falls {
    /// Takes in a fall of so many periods to a lowest value; one of none is none.
    fn deepen(&mut self, periods: usize, lowest: f64, peak: f64) {
        if periods > 0 {
            let depth = lowest / peak - 1.0;
            self.deepest = if depth < self.deepest { depth } else { self.deepest };
            self.longest = self.longest.max(periods);
        }
    }
}

/// What a Sharpe ratio is made of.
#[derive(Debug, Clone, Copy)]
struct Sample {
    mean: Option<f64>,
    deviation: Option<f64>,
    moments: Option<Moments>,
}

impl Sample {
    /// Measures values less a rate, which rounds in each of them.
    #[cold]
    fn less(values: &[f64], rate: f64) -> Self {
        let excess: Vec<f64> = values.iter().map(|value| value - rate).collect();
        Self { mean: mean(&excess), deviation: standard_deviation(&excess), moments: moments(&excess) }
    }

    fn sharpe(&self, periods: usize, convention: Convention) -> Option<SharpeStatistics> {
        let Moments { skewness, raw_kurtosis } = self.moments?;
        Some(SharpeStatistics {
            sharpe_ratio: ratio(self.mean?, self.deviation?)?,
            periods,
            skewness: corrected_skewness(skewness, periods, convention)?,
            raw_kurtosis: 3.0 + corrected_excess_kurtosis(raw_kurtosis - 3.0, periods, convention)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::turnover;

    const DAY: i64 = Timestamp::NANOS_PER_DAY;

    fn days(count: usize) -> Vec<Timestamp> {
        (0..count as i64).map(|day| Timestamp::from_nanos(day * DAY)).collect()
    }

    /// Both ways from the same points: the summary, and what defines it.
    fn check(summarizer: &mut Summarizer, initial: Option<f64>, equity: &[f64]) {
        let before = Timestamp::from_nanos(-DAY);
        let found = summarizer.summarize(initial.map(|first| (before, first)), equity);
        let time: Vec<_> = initial.map(|_| before).into_iter().chain(days(equity.len())).collect();
        let points: Vec<f64> = initial.into_iter().chain(equity.iter().copied()).collect();
        let expected = EquityCurve::new(time, points).and_then(|curve| {
            let returns = curve.returns(summarizer.periods_per_year)?;
            Ok((performance(&returns, None, &summarizer.options)?, returns, curve))
        });
        let (expected, returns, curve) = match expected {
            Ok(expected) => expected,
            // As text, because a NaN is not equal to itself.
            Err(error) => return assert_eq!(found.expect_err("as the curve").to_string(), error.to_string()),
        };
        let found = found.expect("as the curve");
        let skipped = ["tail_ratio", "value_at_risk_95", "conditional_value_at_risk_95"];
        for ((name, expected), (_, found)) in expected.entries().into_iter().zip(found.performance.entries()) {
            let expected = if skipped.contains(&name) { None } else { expected };
            assert_eq!(found.map(f64::to_bits), expected.map(f64::to_bits), "{name}: {found:?}, {expected:?}");
        }
        assert_eq!(found.sharpe, SharpeStatistics::of(&returns, &summarizer.options));
        assert_eq!(found.turnover(Cash(7e5)), turnover(Cash(7e5), &curve));
    }

    #[test]
    fn more_points_than_times_and_broken_points_are_refused() {
        let mut summarizer =
            Summarizer::new(&days(4), 252.0, &MetricOptions::new(Convention::Tidegate)).expect("valid");
        assert!(summarizer.summarize(None, &[1.0; 5]).is_err());
        for equity in [&[1.0, f64::NAN, 1.0][..], &[1.0, 2.0, f64::INFINITY], &[0.0, 1.0, 1.0], &[], &[1.0, 0.0, 1.0]] {
            check(&mut summarizer, None, equity);
            check(&mut summarizer, Some(1.0), equity);
        }
        let late = Some((Timestamp::from_nanos(0), 1.0));
        assert!(summarizer.summarize(late, &[1.0, 1.1, 1.2]).is_err(), "the initial point comes first");
        let unsorted = [1, 0].map(Timestamp::from_nanos);
        assert!(Summarizer::new(&unsorted, 252.0, &MetricOptions::new(Convention::Tidegate)).is_err());
        assert!(Summarizer::new(&days(2), 0.0, &MetricOptions::new(Convention::Tidegate)).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn a_summary_has_the_bits_of_the_functions_that_define_its_metrics(
            steps in prop::collection::vec(
                prop_oneof![3 => -0.1_f64..0.1, 2 => Just(0.0), 1 => -1e-13_f64..1e-13, 1 => Just(-0.999_999)],
                0..120,
            ),
            calm in any::<bool>(),
            ruin in prop::option::weighted(0.1, -2.0_f64..0.5),
            initial in prop::option::of(0.5_f64..2.0),
            scale in prop_oneof![Just(1e6), Just(1.0), Just(1e-290), Just(1e290)],
            risk_free_annual in prop_oneof![Just(0.0), Just(0.03)],
            minimum in prop::option::of(prop_oneof![Just(0.0), Just(0.05)]),
            convention in prop::sample::select(Convention::ALL.to_vec()),
        ) {
            let mut value = scale;
            let mut equity: Vec<f64> = std::iter::once(scale)
                .chain(steps.iter().map(|step| { value *= 1.0 + if calm { step.abs().min(0.1) } else { *step }; value }))
                .collect();
            if let Some(left) = ruin {
                equity.extend([left * scale; 2]);
            }
            let options = MetricOptions { convention, risk_free_annual, minimum_acceptable_return_annual: minimum };
            let mut summarizer = Summarizer::new(&days(equity.len() + 3), 252.0, &options).expect("valid");
            // What an earlier, longer trial left behind makes no difference.
            drop(summarizer.summarize(None, &vec![1.5; equity.len() + 3]));
            check(&mut summarizer, initial.map(|first| first * scale), &equity);
            check(&mut summarizer, None, &equity);
        }
    }
}
