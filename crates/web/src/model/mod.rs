//! What goes over the wire: the types of every request and answer. The OpenAPI page and the console's client come from them.

pub mod account;
pub mod approval;
pub mod ledger;
pub mod lookup;
pub mod overview;
pub mod problem;
pub mod record;
pub mod session;
pub mod setting;
pub mod source;
pub mod words;
