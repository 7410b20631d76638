//! The desk: persons, accounts, factors, sessions, roles, approvals. Who may do what, and who did.
//!
//! No HTTP, no files, no clock: time and bytes are passed in. What must outlive a restart lies in the store's state, in the same group as
//! the records that tell of it. Start reading at `service.rs`; the table of roles is `roles.rs`; what needs two persons is `approval.rs`.

mod account;
mod approval;
mod break_glass;
mod ceremony;
mod codec;
mod common;
pub mod content;
mod ended;
pub mod fuzz;
pub mod limits;
mod mass_read;
pub mod oidc;
mod password;
mod records;
mod refused;
pub mod roles;
mod secret;
mod service;
mod session;
mod settings;
mod store;
mod throttle;
mod token;
mod totp;
mod turned;
mod views;
pub mod webauthn;

pub use codec::CodecError;
pub use ended::LinkEnd;
pub use password::Cost;
pub use refused::Refused;
pub use roles::{Capabilities, Capability, Class, Role};
pub use service::{Desk, OWNER, OidcBegun, OidcDone, OidcFlow, OpenError};
pub use settings::{Origin, Provider, Settings};
pub use throttle::Waits;
pub use views::{
    Accept, AccountView, ApprovalView, By, Caller, Changed, FactorsView, FirstLink, LinkView, Next, Notice, PasskeyView, Peer, SessionLine,
    SessionView, SignedIn, StepView, TokenView, TotpBegun,
};
