//! The ledger through its public interface: what counts, what is kept, several processes, and files that are not as they were.

mod counting;
mod damage;
mod fixture;
mod imports;
mod processes;
mod reading;
