//! Why an answer is what it is: stable codes. `docs/answers.md` explains each.

/// The code of a reason. New ones may come; none changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// One holder, and who it was.
    Holder,
    /// One inside end, but no session says who it was.
    HolderNoSession,
    /// The port was not in use.
    Unused,
    /// The port was in use, but not towards that remote end.
    OtherRemote,
    /// The address lies in no known pool.
    NotOurs,
    /// Many share the address: a port is needed.
    PortNeeded,
    /// The port passed from one to the next within the tolerance.
    PassedOn,
    /// One port, different protocols.
    Protocols,
    /// Inside ends of different realms or exporters.
    Realms,
    /// One port towards different remote ends at the same time.
    Remotes,
    /// More than one session claims the address.
    Sessions,
    /// The moment has not come yet.
    Future,
    /// Records are lost that could change the answer.
    Gap,
    /// The source has not spoken since before the moment.
    Silent,
    /// Input lies here that cannot be read yet.
    Unread,
    /// The moment lies before the first record kept.
    BeforeRecords,
    /// The begin of the mapping was not seen.
    StartLost,
    /// The end of the mapping was not seen.
    EndLost,
    /// The two ends of the mapping name different inside ends.
    EndsDiffer,
    /// The inside end is known, but whether the session still held it is not.
    SessionInDoubt,
}

impl Code {
    /// Every code.
    pub const ALL: &'static [Code] = &[
        Code::Holder,
        Code::HolderNoSession,
        Code::Unused,
        Code::OtherRemote,
        Code::NotOurs,
        Code::PortNeeded,
        Code::PassedOn,
        Code::Protocols,
        Code::Realms,
        Code::Remotes,
        Code::Sessions,
        Code::Future,
        Code::Gap,
        Code::Silent,
        Code::Unread,
        Code::BeforeRecords,
        Code::StartLost,
        Code::EndLost,
        Code::EndsDiffer,
        Code::SessionInDoubt,
    ];

    /// The code in answers.
    pub fn name(self) -> &'static str {
        match self {
            Code::Holder => "holder",
            Code::HolderNoSession => "holder-no-session",
            Code::Unused => "unused",
            Code::OtherRemote => "other-remote",
            Code::NotOurs => "not-ours",
            Code::PortNeeded => "port-needed",
            Code::PassedOn => "passed-on",
            Code::Protocols => "protocols",
            Code::Realms => "realms",
            Code::Remotes => "remotes",
            Code::Sessions => "sessions",
            Code::Future => "future",
            Code::Gap => "gap",
            Code::Silent => "silent",
            Code::Unread => "unread",
            Code::BeforeRecords => "before-records",
            Code::StartLost => "start-lost",
            Code::EndLost => "end-lost",
            Code::EndsDiffer => "ends-differ",
            Code::SessionInDoubt => "session-in-doubt",
        }
    }
}
