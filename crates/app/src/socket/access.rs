//! Who may use the socket: accounts of the machine, by the configuration.

use std::collections::BTreeMap;

use weir_identity::desk::roles::{self, Capabilities, Capability, Role};

use crate::config::{Uid, UidSettings};
use crate::fail::Failure;

/// Accounts of the machine and what they may.
#[derive(Clone, Debug, Default)]
pub struct Access {
    owner: u32,
    all: BTreeMap<u32, Account>,
}

#[derive(Clone, Debug)]
struct Account {
    name: String,
    roles: Vec<Role>,
}

/// Who asks on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// The account of the machine.
    pub uid: u32,
    /// What it may; none when it is in no entry of the configuration.
    pub may: Option<Capabilities>,
    /// It is the account the program runs under, or root: whoever has the machine.
    pub machine: bool,
}

impl Access {
    /// From the configuration; `owner` is the account the program runs under.
    pub fn of(uids: &[UidSettings], owner: u32) -> Access {
        let mut all: BTreeMap<u32, Account> = BTreeMap::new();
        for entry in uids {
            let uid = match entry.uid {
                Uid::Owner => owner,
                Uid::Number(number) => number,
            };
            // A number that is the owner's too counts before the word.
            if entry.uid == Uid::Owner && all.contains_key(&uid) {
                continue;
            }
            all.insert(uid, Account { name: entry.account.clone(), roles: entry.roles.clone() });
        }
        Access { owner, all }
    }

    /// Who this is.
    pub fn who(&self, uid: u32) -> Who {
        let machine = uid == self.owner || uid == 0;
        Who { uid, may: self.all.get(&uid).map(|a| roles::socket_capabilities(&a.roles)), machine }
    }

    /// Name of an account of the socket, by the actor of its records.
    pub fn display(&self, actor: &str) -> Option<String> {
        let uid: u32 = actor.strip_prefix("uid:")?.parse().ok()?;
        self.all.get(&uid).map(|a| a.name.clone())
    }

    /// Accounts beside the program's own and root, who opens every socket, must be let in by its mode.
    pub fn others(&self, owner: u32) -> bool {
        self.all.keys().any(|uid| *uid != owner && *uid != 0)
    }
}

impl Who {
    /// As records name it.
    pub fn actor(&self) -> String {
        format!("uid:{}", self.uid)
    }

    /// Checks that it may.
    ///
    /// # Errors
    /// What to write into the configuration.
    pub fn needs(&self, capability: Capability) -> Result<(), Failure> {
        let Some(may) = self.may else { return Err(self.unknown()) };
        if may.has(capability) {
            return Ok(());
        }
        let holders: Vec<&str> =
            crate::config::SOCKET_ROLES.iter().filter(|r| r.line().may.contains(&capability)).map(|r| r.name()).collect();
        let todo = match holders.as_slice() {
            [] => "sign in at the desk with an account that may".to_owned(),
            some => format!("add one of these roles to its entry in [[desk.uids]] and start the program again: {}", some.join(", ")),
        };
        Err(Failure::new(format!("the account uid:{} may not do this: no role of it has {}", self.uid, capability.name()), todo))
    }

    /// May it read the ledger?
    pub fn ledger(&self) -> bool {
        self.may.is_some_and(|may| may.has(Capability::LedgerRead))
    }

    /// Checks that it has the machine, whatever its roles.
    ///
    /// # Errors
    /// Who may.
    pub fn has_machine(&self, what: &str, todo: &str) -> Result<(), Failure> {
        match self.machine {
            true => Ok(()),
            false => Err(Failure::new(format!("{what} is for the account the program runs under, or root"), todo)),
        }
    }

    fn unknown(&self) -> Failure {
        Failure::new(
            format!("the account uid:{} of this machine has no role in this program", self.uid),
            format!(
                "add these lines to the configuration and start the program again:\n\n  [[desk.uids]]\n  uid = {}\n  account = \"NAME\"\n  roles = [\"operator\"]",
                self.uid
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(uid: Uid, roles: &[Role]) -> UidSettings {
        UidSettings { uid, account: "ops".into(), roles: roles.to_vec() }
    }

    #[test]
    fn an_account_in_no_entry_is_told_the_lines_to_add() {
        let access = Access::of(&[entry(Uid::Owner, &[Role::Operator])], 1000);
        assert!(access.who(1000).needs(Capability::LookupAsk).is_ok());
        let refused = access.who(0).needs(Capability::LookupAsk).unwrap_err();
        assert_eq!(refused.code, crate::fail::FAILED);
        assert!(refused.todo.contains("[[desk.uids]]\n  uid = 0\n  account = \"NAME\"\n  roles = [\"operator\"]"), "{refused}");
        // The lines are right as they stand.
        let lines: String = refused.todo.lines().skip_while(|l| !l.contains("[[")).map(|l| format!("{}\n", l.trim())).collect();
        assert!(crate::config::parse(&lines.replace("NAME", "name"), &[]).is_ok(), "{lines}");
        let role = access.who(1000).needs(Capability::ImportRun).unwrap_err();
        assert!(role.what.contains("import.run") && role.todo.contains("system-admin"), "{role}");
        assert!(access.who(1000).needs(Capability::ApprovalsConfirm).unwrap_err().todo.contains("sign in at the desk"));
        assert_eq!((access.display("uid:1000"), access.display("uid:1"), access.display("account:x")), (Some("ops".into()), None, None));
    }

    #[test]
    fn a_number_counts_before_owner() {
        let access = Access::of(&[entry(Uid::Number(7), &[Role::Inspector]), entry(Uid::Owner, &[Role::Operator])], 7);
        assert!(access.who(7).needs(Capability::LookupAsk).is_err() && access.who(7).needs(Capability::OverviewRead).is_ok());
        assert!(!access.others(7));
        assert!(Access::of(&[entry(Uid::Number(8), &[Role::Operator])], 7).others(7));
        assert!(!Access::of(&[entry(Uid::Number(0), &[Role::Operator])], 7).others(7));
    }
}
