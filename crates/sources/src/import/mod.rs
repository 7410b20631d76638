//! Sessions that another system recorded: FreeRADIUS's table `radacct`, or any table with a begin, an end, an address and an account.
//!
//! - [`table`]: records of CSV, tab-separated text and `COPY` blocks of pg_dump. Reads what it is given, keeps nothing.
//! - [`sessions`]: from a record to a past session, by column names. Pure.
//! - [`intake`]: past sessions into groups; the source has the kind `import`, and every row the reason `imported`.
//!
//! How to use it: `docs/sources/import.md`.

pub mod fuzz;
pub mod intake;
pub mod limits;
pub mod sessions;
pub mod table;

#[cfg(test)]
mod tests;
