//! Losses of numbers, for the tests of each: in double precision, so that differences say what derivatives are.

use tch::Tensor;

fn tensors<const N: usize>(arguments: [f64; N]) -> [Tensor; N] {
    arguments.map(|argument| Tensor::from_slice(&[argument]).set_requires_grad(true))
}

/// Returns the loss of some numbers.
pub(super) fn values<const N: usize>(loss: impl Fn([&Tensor; N]) -> Tensor, arguments: [f64; N]) -> f64 {
    loss(tensors(arguments).each_ref()).sum(tch::Kind::Double).double_value(&[])
}

/// Returns its derivatives by them.
pub(super) fn gradients<const N: usize>(loss: impl Fn([&Tensor; N]) -> Tensor, arguments: [f64; N]) -> [f64; N] {
    let leaves = tensors(arguments);
    loss(leaves.each_ref()).sum(tch::Kind::Double).backward();
    leaves.map(|leaf| leaf.grad().double_value(&[0]))
}

/// Compares all derivatives with central differences.
pub(super) fn assert_gradients<const N: usize>(loss: impl Fn([&Tensor; N]) -> Tensor, arguments: [f64; N]) {
    let found = gradients(&loss, arguments);
    for place in 0..N {
        let step = 1e-5 * arguments[place].abs().max(0.1);
        let at = |change: f64| {
            let mut changed = arguments;
            changed[place] += change;
            values(&loss, changed)
        };
        let expected = (at(step) - at(-step)) / (2.0 * step);
        let tolerance = 1e-7 * expected.abs().max(1.0);
        assert!((found[place] - expected).abs() < tolerance, "argument {place}: {} is not {expected}", found[place]);
    }
}

/// Compares to 1e-6.
pub(super) fn assert_close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
}
