//! What happens in the network, handed to an [`Outlet`] in the order of simulated time.

use std::net::Ipv4Addr;

use weir_base::net::{Addr16, Prefix};

use crate::error::SimError;

/// What a mapping is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// A NAT44 session (RFC 8158 events 4, 5).
    Session44,
    /// A NAT64 session (6, 7).
    Session64,
    /// A NAT44 binding information base entry (8, 9).
    Bib44,
    /// A NAT64 binding information base entry (10, 11).
    Bib64,
    /// An inside address bound to a public one (14, 15).
    Address,
    /// A port block (16, 17).
    Block,
}

impl What {
    /// The natEvent number (IE 230) of RFC 8158.
    pub fn nat_event(self, create: bool) -> u8 {
        let first = match self {
            What::Session44 => 4,
            What::Session64 => 6,
            What::Bib44 => 8,
            What::Bib64 => 10,
            What::Address => 14,
            What::Block => 16,
        };
        first + u8::from(!create)
    }

    /// The word for it in the truth file and in answers.
    pub fn form(self) -> &'static str {
        match self {
            What::Session44 | What::Session64 => "session",
            What::Bib44 | What::Bib64 => "bib",
            What::Address => "address",
            What::Block => "block",
        }
    }
}

/// A mapping. Port fields hold the query identifier for ICMP, and 0 where there are no ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// What it is.
    pub what: What,
    /// Inside address.
    pub inside: Addr16,
    /// Inside port; 0 for blocks and bindings.
    pub inside_port: u16,
    /// Public address.
    pub public: Ipv4Addr,
    /// Public port, or the first of a block.
    pub port: u16,
    /// Last public port of a block, else the public port.
    pub port_end: u16,
    /// IANA protocol number; 0 for blocks and bindings.
    pub protocol: u8,
    /// Destination address; unspecified where there is none.
    pub destination: Ipv4Addr,
    /// Destination port.
    pub destination_port: u16,
}

/// One natEvent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NatEvent {
    /// Milliseconds since the run began.
    pub at: i64,
    /// True when the mapping begins, false when it ends.
    pub create: bool,
    /// The mapping.
    pub mapping: Mapping,
}

/// Acct-Status-Type (RFC 2866 section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// 1
    Start,
    /// 2
    Stop,
    /// 3
    Interim,
    /// 7: the NAS came up; all its sessions are gone.
    On,
}

impl Status {
    /// The number on the wire.
    pub fn number(self) -> u32 {
        match self {
            Status::Start => 1,
            Status::Stop => 2,
            Status::Interim => 3,
            Status::On => 7,
        }
    }
}

/// The subscriber's side of an accounting request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// User-Name.
    pub account: String,
    /// Calling-Station-Id.
    pub caller: String,
    /// Called-Station-Id.
    pub called: String,
    /// Acct-Session-Id.
    pub session: String,
    /// NAS-Port.
    pub nas_port: u32,
    /// Framed-IP-Address.
    pub framed: Option<Ipv4Addr>,
    /// True if the framed address is seen in the Internet as it is.
    pub plain: bool,
    /// Framed-IPv6-Prefix.
    pub prefix: Option<Prefix>,
    /// Delegated-IPv6-Prefix.
    pub delegated: Option<Prefix>,
    /// Milliseconds since the run began.
    pub start: i64,
}

/// One accounting request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accounting {
    /// Acct-Status-Type.
    pub status: Status,
    /// When it happened, milliseconds since the run began.
    pub at: i64,
    /// Acct-Delay-Time: whole seconds it waited in the NAS.
    pub delay_s: u32,
    /// The session; `None` for Accounting-On.
    pub login: Option<Login>,
    /// Octets from the subscriber since the start.
    pub octets_in: u64,
    /// Octets to the subscriber since the start.
    pub octets_out: u64,
    /// Acct-Terminate-Cause, for a Stop.
    pub cause: u32,
}

/// A mapping with its truth: who held it and until when.
#[derive(Clone, Copy, Debug)]
pub struct Held<'a> {
    /// The mapping.
    pub mapping: &'a Mapping,
    /// The session of the subscriber who held it.
    pub login: &'a Login,
    /// Begin, milliseconds since the run began.
    pub start: i64,
    /// End; `None` while open.
    pub end: Option<i64>,
}

/// Takes what happens. `realm` is the index into [`crate::network::Network::realms`].
pub trait Outlet {
    /// An exporter logs an event.
    fn nat(&mut self, realm: usize, event: &NatEvent) -> Result<(), SimError>;
    /// A NAS sends an accounting request.
    fn accounting(&mut self, realm: usize, request: Accounting) -> Result<(), SimError>;
    /// A mapping has ended, or the run has.
    fn mapping_truth(&mut self, realm: usize, held: &Held<'_>) -> Result<(), SimError>;
    /// A session has ended, or the run has.
    fn login_truth(&mut self, realm: usize, login: &Login, end: Option<i64>) -> Result<(), SimError>;
}
