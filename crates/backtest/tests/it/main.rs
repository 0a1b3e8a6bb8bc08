//! Tests of the engine from outside: an oracle, other engines' ledgers, laws, numbers by hand.

mod bad_requests;
mod clipping;
mod fuzz;
mod goldens;
mod goldens_accounts;
mod laws;
mod laws_of_cases;
mod ledgers;
mod oracle;
mod oracle_ask;
mod oracle_cases;
mod oracle_fill;
mod oracle_inside;
mod oracle_random;
mod parity;
mod parity_reference;
mod parity_rules;
mod quiet;
mod rebalancing;
mod ruin;
mod strategies;
mod support;
