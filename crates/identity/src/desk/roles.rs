//! The one table of who may do what: capabilities, their classes, roles, and which roles one person may not hold together.
//!
//! A golden file (`testdata/roles.txt`) lists role × capability; tests hold the table to its rules.

use std::fmt;
use std::str::FromStr;

/// What a capability touches. The rules of the table are rules over classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// States, counts, settings: no record of a person.
    State,
    /// Records of persons, through the masking view or by one exact question, or their text.
    Masked,
    /// Accounts, roles, settings.
    Administer,
    /// Stands as the second person.
    Confirm,
    /// One's own account.
    Own,
    /// Erases records. No capability is of this class yet.
    Erase,
    /// Finds records by who somebody is. No capability is of this class, and no role may ever hold one.
    ByIdentity,
}

macro_rules! capabilities {
    ($( $variant:ident = $name:literal, $class:ident, $doc:literal; )+) => {
        /// Something a route, an operation of the socket or a step of an approval needs. The list is closed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Capability { $( #[doc = $doc] $variant, )+ }

        impl Capability {
            /// Every capability.
            pub const ALL: &'static [Capability] = &[ $( Capability::$variant, )+ ];

            /// Its name, e.g. `lookup.ask`.
            pub fn name(self) -> &'static str {
                match self { $( Capability::$variant => $name, )+ }
            }

            /// What it touches.
            pub fn class(self) -> Class {
                match self { $( Capability::$variant => Class::$class, )+ }
            }
        }
    };
}

capabilities! {
    OverviewRead = "overview.read", State, "Sees whether everything is all right.";
    LookupAsk = "lookup.ask", Masked, "Asks who held an address and port at a moment.";
    RecordsRead = "records.read", Masked, "Reads records through the masking view.";
    RecordsExport = "records.export", Masked, "Exports records through the masking view.";
    SqlRun = "sql.run", Masked, "Runs statements over the masking views.";
    TextOpen = "text.open", Masked, "Opens the text of a log line.";
    SourcesRead = "sources.read", State, "Sees the sources.";
    LedgerRead = "ledger.read", State, "Reads the ledger of questions.";
    LedgerOpen = "ledger.open", Masked, "Opens what an entry of the ledger asked.";
    AccountsRead = "accounts.read", State, "Sees accounts.";
    AccountsChange = "accounts.change", Administer, "Invites, recovers, disables, enables and unlocks accounts.";
    RolesChange = "roles.change", Administer, "Asks for other roles for an account, and takes roles away.";
    ApprovalsRead = "approvals.read", State, "Sees what waits for a second person.";
    ApprovalsConfirm = "approvals.confirm", Confirm, "Confirms or refuses what another person asks.";
    SettingsRead = "settings.read", State, "Sees the configuration.";
    SettingsChange = "settings.change", Administer, "Changes the configuration.";
    SealNow = "seal.now", State, "Seals what waits.";
    KeyShow = "key.show", Masked, "Shows the key of one kind and day, which opens its rows.";
    ImportRun = "import.run", Administer, "Imports files.";
    BreakGlassAsk = "break-glass.ask", Administer, "Asks for a role in an emergency.";
    Own = "self", Own, "One's own factors, sessions and tokens.";
    MetricsRead = "metrics.read", State, "Reads metrics.";
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Capability {
    type Err = String;

    fn from_str(text: &str) -> Result<Capability, String> {
        let known = || Capability::ALL.iter().map(|c| c.name()).collect::<Vec<_>>().join(", ");
        Capability::ALL.iter().copied().find(|c| c.name() == text).ok_or_else(|| format!("no such capability: it is one of {}", known()))
    }
}

/// A set of capabilities.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Capabilities(u32);

impl Capabilities {
    /// None.
    pub const NONE: Capabilities = Capabilities(0);

    /// These.
    pub fn of(list: &[Capability]) -> Capabilities {
        list.iter().fold(Capabilities::NONE, |set, c| set.with(*c))
    }

    /// With one more.
    #[must_use]
    pub fn with(self, c: Capability) -> Capabilities {
        Capabilities(self.0 | 1 << c as u8)
    }

    /// In this or in the other.
    #[must_use]
    pub fn or(self, other: Capabilities) -> Capabilities {
        Capabilities(self.0 | other.0)
    }

    /// In both.
    #[must_use]
    pub fn and(self, other: Capabilities) -> Capabilities {
        Capabilities(self.0 & other.0)
    }

    /// Without those of a class.
    #[must_use]
    pub fn without(self, class: Class) -> Capabilities {
        Capabilities::of(&self.iter().filter(|c| c.class() != class).collect::<Vec<_>>())
    }

    /// Is it in?
    pub fn has(self, c: Capability) -> bool {
        self.0 & 1 << c as u8 != 0
    }

    /// Those in the set, in the order of the table.
    pub fn iter(self) -> impl Iterator<Item = Capability> {
        Capability::ALL.iter().copied().filter(move |c| self.has(*c))
    }

    /// Their names.
    pub fn names(self) -> Vec<String> {
        self.iter().map(|c| c.name().to_owned()).collect()
    }
}

impl fmt::Debug for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Capability::name)).finish()
    }
}

/// A role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Role {
    /// 系统管理员
    SystemAdmin,
    /// 安全管理员
    SecurityAdmin,
    /// 审计管理员
    AuditAdmin,
    /// 操作员
    Operator,
    /// 复核员
    Reviewer,
    /// 审批人
    Approver,
    /// 检查人员
    Inspector,
}

/// A line of the table.
#[derive(Debug)]
pub struct RoleLine {
    /// The role.
    pub role: Role,
    /// Its name, e.g. `audit-admin`.
    pub name: &'static str,
    /// Title in Chinese.
    pub zh: &'static str,
    /// Title in English.
    pub en: &'static str,
    /// What it may do; [`Capability::Own`] comes with every account.
    pub may: &'static [Capability],
    /// Roles the same person may not hold. Holds in both directions, whichever line says it.
    pub never_with: &'static [Role],
}

use Capability as C;

/// The table, in the order of [`Role`].
pub const TABLE: &[RoleLine] = &[
    RoleLine {
        role: Role::SystemAdmin,
        name: "system-admin",
        zh: "系统管理员",
        en: "System administrator",
        may: &[
            C::OverviewRead,
            C::SourcesRead,
            C::SettingsRead,
            C::SettingsChange,
            C::AccountsRead,
            C::AccountsChange,
            C::RolesChange,
            C::ApprovalsRead,
            C::SealNow,
            C::ImportRun,
            C::BreakGlassAsk,
            C::MetricsRead,
        ],
        never_with: &[Role::SecurityAdmin, Role::AuditAdmin],
    },
    RoleLine {
        role: Role::SecurityAdmin,
        name: "security-admin",
        zh: "安全管理员",
        en: "Security administrator",
        may: &[
            C::OverviewRead,
            C::SourcesRead,
            C::AccountsRead,
            C::AccountsChange,
            C::RolesChange,
            C::ApprovalsRead,
            C::ApprovalsConfirm,
            C::SettingsRead,
            C::TextOpen,
            C::MetricsRead,
        ],
        never_with: &[Role::SystemAdmin, Role::AuditAdmin],
    },
    RoleLine {
        role: Role::AuditAdmin,
        name: "audit-admin",
        zh: "审计管理员",
        en: "Audit administrator",
        may: &[
            C::OverviewRead,
            C::SourcesRead,
            C::LedgerRead,
            C::LedgerOpen,
            C::AccountsRead,
            C::ApprovalsRead,
            C::SettingsRead,
            C::TextOpen,
        ],
        never_with: &[Role::SystemAdmin, Role::SecurityAdmin],
    },
    RoleLine {
        role: Role::Operator,
        name: "operator",
        zh: "操作员",
        en: "Operator",
        may: &[C::OverviewRead, C::LookupAsk, C::RecordsRead, C::RecordsExport, C::SqlRun, C::SourcesRead, C::SealNow, C::KeyShow],
        // Who asks reads no ledger of it, opens no line's text and confirms nothing.
        never_with: &[Role::SecurityAdmin, Role::AuditAdmin, Role::Approver],
    },
    RoleLine {
        role: Role::Reviewer,
        name: "reviewer",
        zh: "复核员",
        en: "Reviewer",
        may: &[C::OverviewRead, C::RecordsRead, C::SourcesRead],
        never_with: &[Role::AuditAdmin],
    },
    RoleLine {
        role: Role::Approver,
        name: "approver",
        zh: "审批人",
        en: "Approver",
        may: &[C::OverviewRead, C::ApprovalsRead, C::ApprovalsConfirm],
        never_with: &[Role::Operator],
    },
    RoleLine {
        role: Role::Inspector,
        name: "inspector",
        zh: "检查人员",
        en: "Inspector",
        may: &[C::OverviewRead, C::SourcesRead],
        never_with: &[Role::SystemAdmin, Role::SecurityAdmin, Role::AuditAdmin, Role::Operator, Role::Reviewer, Role::Approver],
    },
];

impl Role {
    /// The three administrators, of which a person is at most one.
    pub const ADMINS: [Role; 3] = [Role::SystemAdmin, Role::SecurityAdmin, Role::AuditAdmin];

    /// Its line of the table.
    pub fn line(self) -> &'static RoleLine {
        // A test holds the table to the order of the enum.
        &TABLE[self as usize]
    }

    /// Its name, e.g. `audit-admin`.
    pub fn name(self) -> &'static str {
        self.line().name
    }

    /// One of the three administrators.
    pub fn is_admin(self) -> bool {
        Role::ADMINS.contains(&self)
    }

    /// Two other persons confirm that an account with it gets new factors: who asks, sets up or confirms for others could else be taken over by two.
    pub fn recovers_by_two(self) -> bool {
        self.is_admin() || self == Role::Approver
    }

    /// May one person hold both?
    pub fn goes_with(self, other: Role) -> bool {
        !self.line().never_with.contains(&other) && !other.line().never_with.contains(&self)
    }

    /// Roles the same person may not hold, in both directions.
    pub fn never_with(self) -> Vec<Role> {
        TABLE.iter().map(|l| l.role).filter(|other| !self.goes_with(*other)).collect()
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Role, String> {
        let known = || TABLE.iter().map(|l| l.name).collect::<Vec<_>>().join(", ");
        TABLE.iter().find(|l| l.name == text).map(|l| l.role).ok_or_else(|| format!("no such role: it is one of {}", known()))
    }
}

/// What these roles may do, with what every account may.
pub fn capabilities(roles: &[Role]) -> Capabilities {
    roles.iter().fold(Capabilities::of(&[C::Own]), |set, role| set.or(Capabilities::of(role.line().may)))
}

/// What these roles may do over the socket, where nobody signs in: never anything that needs a signed-in person.
pub fn socket_capabilities(roles: &[Role]) -> Capabilities {
    roles.iter().fold(Capabilities::NONE, |set, role| set.or(Capabilities::of(role.line().may))).without(Class::Confirm)
}

/// What an emergency role adds: everything of the role but standing as the second person.
pub fn emergency_capabilities(role: Role) -> Capabilities {
    Capabilities::of(role.line().may).without(Class::Confirm)
}

/// Capabilities no API token may ever have.
pub const NEVER_A_TOKEN: &[Capability] =
    &[C::AccountsChange, C::RolesChange, C::ApprovalsConfirm, C::SettingsChange, C::BreakGlassAsk, C::Own];

/// Two of the roles that one person may not hold together; none when all go together.
pub fn clash(roles: &[Role]) -> Option<(Role, Role)> {
    roles.iter().enumerate().find_map(|(i, a)| roles.iter().skip(i + 1).find(|b| a != *b && !a.goes_with(**b)).map(|b| (*a, *b)))
}

#[cfg(test)]
#[path = "roles_tests.rs"]
mod tests;
