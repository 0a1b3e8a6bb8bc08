//! How much room a window has before it has been full once.
//!
//! Room doubles as values arrive, up to the window, and never changes after: a window larger than its data costs what the data
//! costs, not what somebody wrote into a config.

/// The room that a window starts with: all of it, for the windows in use.
const FIRST: usize = 256;

/// Returns the values that a new window of `bars` has room for.
pub(crate) fn first_room(bars: usize) -> usize {
    bars.min(FIRST)
}

/// Returns the values that a window of `bars` has room for once `room` are taken.
pub(crate) fn next_room(room: usize, bars: usize) -> usize {
    room.saturating_mul(2).min(bars)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bars: usize, expected: &[usize]) {
        let rooms = std::iter::successors(Some(first_room(bars)), |&room| Some(next_room(room, bars)));
        assert_eq!(rooms.take(expected.len()).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn room_doubles_up_to_the_window() {
        check(20, &[20, 20]);
        check(1_000, &[256, 512, 1_000, 1_000]);
        check(usize::MAX, &[256, 512, 1_024]);
    }
}
