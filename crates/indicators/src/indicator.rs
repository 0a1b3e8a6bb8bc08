//! What every kernel does.

/// A value updated once per bar, from that bar and its own state alone.
pub trait Indicator {
    /// What one bar contributes, such as its close.
    type Input;
    /// The indicator's value.
    type Output;

    /// Takes the next bar and returns the value known at its close; `None` during warm-up and where it is undefined.
    fn update(&mut self, input: Self::Input) -> Option<Self::Output>;

    /// Returns the warm-up: how many inputs a new kernel takes before the first that can have a value.
    fn lookback_bars(&self) -> usize;
}
