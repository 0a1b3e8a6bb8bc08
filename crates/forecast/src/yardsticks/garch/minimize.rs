//! The minimum of a smooth function of four variables.

use nalgebra::{Matrix4, Vector4};

const ITERATIONS_MAX: usize = 500;
/// The search ends where no component of the gradient is larger.
const GRADIENT_MAX: f64 = 1e-10;
/// No step is longer: the variables are logarithms and log odds.
const STEP_MAX: f64 = 4.0;

/// A value and its gradient.
pub(super) type Slope = (f64, Vector4<f64>);

/// Minimises by the Broyden-Fletcher-Goldfarb-Shanno method with a line search for the weak Wolfe conditions by bisection
/// (Nocedal and Wright, "Numerical optimization", 2006, 6.1; Lewis and Overton, "Nonsmooth optimization via quasi-Newton
/// methods", 2013, 2.6). Values that are not finite count as infinitely large; the value at `start` must be finite.
pub(super) fn minimize(function: impl Fn(&Vector4<f64>) -> Slope, start: Vector4<f64>) -> (Vector4<f64>, f64) {
    let mut at = start;
    let (mut value, mut gradient) = function(&at);
    let mut inverse = Matrix4::identity();
    let mut fresh = true;
    for _ in 0..ITERATIONS_MAX {
        if gradient.amax() <= GRADIENT_MAX {
            break;
        }
        let mut direction = -inverse * gradient;
        if direction.dot(&gradient) >= 0.0 {
            (direction, inverse, fresh) = (-gradient, Matrix4::identity(), true);
        }
        direction *= (STEP_MAX / direction.norm()).min(1.0);
        let Some((step, (lower, slope))) = line_search(&function, &at, (value, gradient), &direction) else {
            // No lower value along a quasi-Newton direction: the gradient itself decides whether there is any.
            if fresh {
                break;
            }
            (inverse, fresh) = (Matrix4::identity(), true);
            continue;
        };
        inverse = update(inverse, &step, &(slope - gradient), fresh);
        (at, value, gradient, fresh) = (at + step, lower, slope, false);
    }
    (at, value)
}

/// Returns a step along a direction that lowers the value enough and the slope enough, and where it leads.
fn line_search(
    function: &impl Fn(&Vector4<f64>) -> Slope,
    at: &Vector4<f64>,
    (value, gradient): Slope,
    direction: &Vector4<f64>,
) -> Option<(Vector4<f64>, Slope)> {
    const DECREASE: f64 = 1e-4;
    const CURVATURE: f64 = 0.9;
    let slope = gradient.dot(direction);
    let (mut short, mut long, mut length) = (0.0, f64::INFINITY, 1.0);
    let mut lowest = None;
    for _ in 0..60 {
        let step = direction * length;
        let (found, found_gradient) = function(&(at + step));
        // Written so that a value that is not a number is too high.
        let low_enough = found <= value + DECREASE * length * slope;
        if !low_enough {
            long = length;
        } else if found_gradient.dot(direction) < CURVATURE * slope {
            short = length;
            lowest = (found < value).then_some((step, (found, found_gradient)));
        } else {
            return (found < value).then_some((step, (found, found_gradient)));
        }
        length = if long.is_finite() { f64::midpoint(short, long) } else { 2.0 * length };
    }
    lowest
}

/// The BFGS update of the inverse Hessian, of the right size from the first step on; unchanged without positive curvature.
fn update(inverse: Matrix4<f64>, step: &Vector4<f64>, change: &Vector4<f64>, first: bool) -> Matrix4<f64> {
    let curvature = step.dot(change);
    if curvature <= f64::EPSILON * step.norm() * change.norm() {
        return inverse;
    }
    let inverse = if first { Matrix4::identity() * (curvature / change.norm_squared()) } else { inverse };
    let left = Matrix4::identity() - step * change.transpose() / curvature;
    left * inverse * left.transpose() + step * step.transpose() / curvature
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curved_valley_is_followed_to_its_lowest_point() {
        // Rosenbrock's function in two pairs of variables, lowest at (1, 1, 1, 1) with the value 0.
        let valley = |x: &Vector4<f64>| {
            let pair = |a: f64, b: f64| {
                let (bend, rest) = (b - a * a, 1.0 - a);
                (100.0 * bend * bend + rest * rest, -400.0 * a * bend - 2.0 * rest, 200.0 * bend)
            };
            let [one, two] = [pair(x[0], x[1]), pair(x[2], x[3])];
            (one.0 + two.0, Vector4::new(one.1, one.2, two.1, two.2))
        };
        let (at, value) = minimize(valley, Vector4::new(-1.2, 1.0, 3.0, -2.0));
        assert!((at - Vector4::repeat(1.0)).amax() < 1e-9, "{at}");
        assert!(value < 1e-18);
    }

    #[test]
    fn a_region_without_values_is_stepped_around() {
        // x - ln x in each variable: lowest at 1, not a number left of 0.
        let walled = |x: &Vector4<f64>| (x.map(|x| x - x.ln()).sum(), x.map(|x| 1.0 - 1.0 / x));
        let (at, value) = minimize(walled, Vector4::new(3.0, 0.1, 1e-3, 20.0));
        assert!((at - Vector4::repeat(1.0)).amax() < 1e-8, "{at}");
        assert!((value - 4.0).abs() < 1e-12);
    }
}
