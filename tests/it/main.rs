//! The integration tests: everything that is true of the whole, not of one crate.

mod tidy;
