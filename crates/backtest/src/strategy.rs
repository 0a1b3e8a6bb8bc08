//! The one method of a strategy.

use crate::{Context, Requests};

/// Decides after each bar.
///
/// The engine is generic over the strategy, so that the call is inlined into the loop: there is no object behind a pointer.
pub trait Strategy {
    /// Sees everything known at the close of the bar and asks for orders, target weights and cancels.
    ///
    /// It is called once per time at which at least one instrument's bar closed, after all of them were marked and the forecasts
    /// known by then were delivered.
    fn on_bar(&mut self, context: &Context<'_>, requests: &mut Requests);
}

impl<S: Strategy + ?Sized> Strategy for &mut S {
    #[inline]
    fn on_bar(&mut self, context: &Context<'_>, requests: &mut Requests) {
        (**self).on_bar(context, requests);
    }
}

impl<S: Strategy + ?Sized> Strategy for Box<S> {
    fn on_bar(&mut self, context: &Context<'_>, requests: &mut Requests) {
        (**self).on_bar(context, requests);
    }
}
