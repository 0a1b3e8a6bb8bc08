//! Tests of the engine from outside: an oracle, other engines' ledgers, laws, numbers by hand.

mod clipping;
mod goldens;
mod laws;
mod ledgers;
mod oracle;
mod oracle_cases;
mod ruin;
mod strategies;
mod support;
