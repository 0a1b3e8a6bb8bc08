//! What a strategy is asked: what to do at a bar, and at which bar it may do something next.

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

    /// Returns the next [`Context::step`] at which it may ask for something, seen from the step of `context`; any number beyond the
    /// last one where it never will. Without a method of its own, a strategy may ask at every step.
    ///
    /// It promises that [`Strategy::on_bar`] at a step in between would neither ask for anything nor change what it asks for later,
    /// whatever prices do. The engine then need not call it there, and does not where nothing else can happen: one instrument in the
    /// account's currency, no order that waits, nothing that limits, financing or calendars ask for at every bar, no forecasts. Such a
    /// stretch is walked down the columns, and its account is that of the ordinary path to the bit. Everywhere else, and at the step
    /// that it named, `on_bar` is called as ever.
    ///
    /// # Causality
    /// What may be asked at a step is known only at that step: `on_bar` decides on its context, which ends there, whatever this method
    /// said before. So a strategy must say when it may act either by what it has seen so far (never again; not before that date), or by
    /// columns each row of which is made from the rows up to it, such as [`crate::strategies::SharedAverages`]: these say when a
    /// strategy would ask if it were called at every step, and calling it less often then changes nothing. A row that was made from
    /// later rows could hide a decision that a live strategy would make.
    #[inline]
    fn next_decision(&self, context: &Context<'_>) -> usize {
        context.step() + 1
    }
}

impl<S: Strategy + ?Sized> Strategy for &mut S {
    #[inline]
    fn on_bar(&mut self, context: &Context<'_>, requests: &mut Requests) {
        (**self).on_bar(context, requests);
    }

    #[inline]
    fn next_decision(&self, context: &Context<'_>) -> usize {
        (**self).next_decision(context)
    }
}

impl<S: Strategy + ?Sized> Strategy for Box<S> {
    fn on_bar(&mut self, context: &Context<'_>, requests: &mut Requests) {
        (**self).on_bar(context, requests);
    }

    fn next_decision(&self, context: &Context<'_>) -> usize {
        (**self).next_decision(context)
    }
}
