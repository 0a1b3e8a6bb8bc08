//! When a market is open.

use crate::{MarketError, Timestamp};

/// One trading session, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// When it opens.
    pub open: Timestamp,
    /// When it closes.
    pub close: Timestamp,
}

/// Sessions in order, without overlap: a calendar that was known in advance, never read off the bars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sessions(Vec<Session>);

impl Sessions {
    /// Checks and wraps sessions.
    ///
    /// # Errors
    /// [`MarketError::Row`] for a session that does not close after its open, or opens before the one before it closed.
    pub fn new(sessions: Vec<Session>) -> Result<Self, MarketError> {
        for (row, session) in sessions.iter().enumerate() {
            let error = |rule| Err(MarketError::Row { row, time: session.open, rule });
            if session.close <= session.open {
                return error(format!("a session must close after its open, closes at `{}`", session.close));
            }
            if row > 0 && session.open < sessions[row - 1].close {
                return error(format!(
                    "a session must open after the one before, which closes at `{}`",
                    sessions[row - 1].close
                ));
            }
        }
        Ok(Self(sessions))
    }

    /// Returns the sessions.
    pub fn all(&self) -> &[Session] {
        &self.0
    }

    /// Returns the place of the session that a moment lies in, its open included and its close not; between two sessions, that of
    /// the next one; after the last, the number of sessions.
    pub fn place(&self, time: Timestamp) -> usize {
        self.0.partition_point(|session| session.close <= time)
    }

    /// Returns the session that a moment lies in, its open included and its close not.
    pub fn containing(&self, time: Timestamp) -> Option<&Session> {
        self.0.get(self.place(time)).filter(|session| session.open <= time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(open: i64, close: i64) -> Session {
        Session { open: Timestamp::from_nanos(open), close: Timestamp::from_nanos(close) }
    }

    #[test]
    fn a_moment_lies_in_a_session_from_its_open_to_before_its_close() {
        let sessions = Sessions::new(vec![session(10, 20), session(30, 40)]).expect("in order");
        let found = |nanos| sessions.containing(Timestamp::from_nanos(nanos)).copied();
        assert_eq!([found(9), found(10), found(19)], [None, Some(session(10, 20)), Some(session(10, 20))]);
        assert_eq!([found(20), found(30), found(40)], [None, Some(session(30, 40)), None]);
        assert_eq!(sessions.place(Timestamp::from_nanos(25)), 1);
    }

    #[test]
    fn sessions_that_overlap_or_never_close_do_not_construct() {
        assert!(Sessions::new(vec![session(10, 20), session(19, 30)]).is_err());
        assert!(Sessions::new(vec![session(10, 10)]).is_err());
    }
}
