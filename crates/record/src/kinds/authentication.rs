//! Sign-ins, sign-outs and what goes with them: clause 7.3.

use weir_base::net::Addr16;
use weir_base::time::Millis;

use crate::column::Id;
use crate::macros::record;

record! {
    "One sign-in, sign-out, failed sign-in, change of privilege or change of configuration that a device or a program told of. Accounts are opaque ids; their values are in `binding`."
    Authentication = 22, "authentication", version 1, Network, Records, time "time";
    time: Millis = "When it happened, by the clock of who told", unit "ms UTC", Plain, key;
    received: Millis = "When it arrived here", unit "ms UTC", Plain;
    source: u32 = "Number of the source that told (`source_entry`)", unit "", Plain, key;
    realm: u32 = "Number of the realm (`source_entry`)", unit "", Plain, key;
    action: u8 = "1 sign-in, 2 sign-out, 3 failed sign-in, 4 change of privilege, 5 change of configuration", unit "", Plain, key;
    account: Option<Id> = "Opaque id of the account that acted", unit "", Identifier, key;
    target: Option<Id> = "Opaque id of the account it became or changed", unit "", Identifier, key;
    address: Option<Addr16> = "Where it came from", unit "", Identifier, key;
    port: Option<u16> = "The port it came from (RFC 6302)", unit "", Plain;
    host: Option<String> = "The machine or device", unit "", Plain, key;
    service: String = "The program or service, e.g. sshd", unit "", Plain, key;
    method: Option<String> = "How: password, publickey, console, ssh, …", unit "", Plain;
    terminal: Option<String> = "Terminal or line, e.g. pts/0, vty2", unit "", Plain;
    detail: Option<String> = "What was done, e.g. the command; redacted. Of the desk: turned-away tries=N for tries that had to wait, N since the record before", unit "", Plain;
    dialect: String = "The dialect that understood the line", unit "", Plain;
    line: Option<Id> = "`maintenance.text` of the line it was read from", unit "", Plain;
}

/// `authentication.action`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum AuthAction {
    /// Somebody signed in.
    SignIn = 1,
    /// Somebody signed out.
    SignOut = 2,
    /// A sign-in failed.
    Failure = 3,
    /// Somebody got the rights of another account, or lost them.
    Privilege = 4,
    /// The configuration was changed.
    Configuration = 5,
}

impl AuthAction {
    /// Every action.
    pub const ALL: [AuthAction; 5] =
        [AuthAction::SignIn, AuthAction::SignOut, AuthAction::Failure, AuthAction::Privilege, AuthAction::Configuration];

    /// The word used in dialects and lists.
    pub fn name(self) -> &'static str {
        match self {
            AuthAction::SignIn => "sign-in",
            AuthAction::SignOut => "sign-out",
            AuthAction::Failure => "failure",
            AuthAction::Privilege => "privilege",
            AuthAction::Configuration => "configuration",
        }
    }
}
