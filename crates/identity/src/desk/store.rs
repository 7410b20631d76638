//! What the desk remembers: entries in memory, and drafts over them. A draft becomes what is remembered only when its group is durable.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::sink::StatePut;

use super::account::{Account, Invitation, Standing};
use super::approval::Approval;
use super::break_glass::Emergency;
use super::codec::{self, CodecError, as_base64, as_ms, as_ms_maybe};
use super::ended::{EndedLink, LinkEnd};
use super::limits::{ENDED_LINKS, NAME_LOCKS};
use super::roles::{self, Capabilities};
use super::secret::{Hash, half, same};
use super::token::Token;

/// Facts about the desk itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meta {
    /// When the three administrators were first there together. From then on changes need a second person, for good.
    #[serde(with = "as_ms_maybe")]
    pub setup_at: Option<Millis>,
}

/// A sign-in name no account has, locked by failures as an account would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NameLock {
    /// Its hash.
    #[serde(with = "as_base64")]
    pub name: Hash,
    /// Locked until.
    #[serde(with = "as_ms")]
    pub until: Millis,
}

impl NameLock {
    /// Its id: the first half of the hash.
    fn id(name: &Hash) -> Id {
        half(name)
    }
}

/// An entry.
#[derive(Clone, PartialEq)]
pub enum Entry {
    /// An account.
    Account(Account),
    /// A link.
    Invitation(Invitation),
    /// A token.
    Token(Token),
    /// An approval.
    Approval(Approval),
    /// An emergency role.
    Emergency(Emergency),
    /// A locked name.
    NameLock(NameLock),
    /// A link that ended.
    EndedLink(EndedLink),
    /// The desk itself.
    Meta(Meta),
}

/// Kind and id.
pub type Key = (u8, Id);

const ACCOUNT: u8 = b'a';
const INVITATION: u8 = b'i';
const TOKEN: u8 = b't';
const APPROVAL: u8 = b'r';
const EMERGENCY: u8 = b'e';
const NAME_LOCK: u8 = b'l';
const ENDED_LINK: u8 = b'u';
const META: u8 = b'm';

impl Entry {
    /// Its key.
    pub fn key(&self) -> Key {
        match self {
            Entry::Account(e) => (ACCOUNT, e.id),
            Entry::Invitation(e) => (INVITATION, e.id),
            Entry::Token(e) => (TOKEN, e.id),
            Entry::Approval(e) => (APPROVAL, e.id),
            Entry::Emergency(e) => (EMERGENCY, e.id),
            Entry::NameLock(e) => (NAME_LOCK, NameLock::id(&e.name)),
            Entry::EndedLink(e) => (ENDED_LINK, e.id),
            Entry::Meta(_) => (META, Id::default()),
        }
    }

    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Entry::Account(e) => codec::encode(e),
            Entry::Invitation(e) => codec::encode(e),
            Entry::Token(e) => codec::encode(e),
            Entry::Approval(e) => codec::encode(e),
            Entry::Emergency(e) => codec::encode(e),
            Entry::NameLock(e) => codec::encode(e),
            Entry::EndedLink(e) => codec::encode(e),
            Entry::Meta(e) => codec::encode(e),
        }
    }

    /// Reads an entry; it must be the one its key names.
    pub fn decode(key: &[u8], value: &[u8]) -> Result<Entry, CodecError> {
        let (kind, id) = key.split_first().ok_or(CodecError::Key)?;
        let id = Id(id.try_into().map_err(|_| CodecError::Key)?);
        let entry = match *kind {
            ACCOUNT => Entry::Account(codec::decode(value)?),
            INVITATION => Entry::Invitation(codec::decode(value)?),
            TOKEN => Entry::Token(codec::decode(value)?),
            APPROVAL => Entry::Approval(codec::decode(value)?),
            EMERGENCY => Entry::Emergency(codec::decode(value)?),
            NAME_LOCK => Entry::NameLock(codec::decode(value)?),
            ENDED_LINK => Entry::EndedLink(codec::decode(value)?),
            META => Entry::Meta(codec::decode(value)?),
            _ => return Err(CodecError::Key),
        };
        if entry.key() == (*kind, id) { Ok(entry) } else { Err(CodecError::Damaged) }
    }
}

/// The bytes of a key.
pub fn encode_key(key: Key) -> Vec<u8> {
    let mut out = vec![key.0];
    out.extend(key.1.0);
    out
}

/// Entries to look at: what is remembered, or a draft over it.
pub trait Look {
    /// An entry.
    fn entry(&self, key: Key) -> Option<&Entry>;
    /// Entries of a kind, by id.
    fn entries(&self, kind: u8) -> Vec<&Entry>;

    /// An account.
    fn account(&self, id: Id) -> Option<&Account> {
        self.entry((ACCOUNT, id)).and_then(|e| if let Entry::Account(e) = e { Some(e) } else { None })
    }
    /// Every account.
    fn accounts(&self) -> Vec<&Account> {
        self.entries(ACCOUNT).into_iter().filter_map(|e| if let Entry::Account(e) = e { Some(e) } else { None }).collect()
    }
    /// The account of a sign-in name.
    fn by_login(&self, login: &str) -> Option<&Account> {
        self.accounts().into_iter().find(|a| !login.is_empty() && a.login == login)
    }
    /// The account of a passkey.
    fn by_credential(&self, credential: &[u8]) -> Option<&Account> {
        self.accounts().into_iter().find(|a| a.passkeys.iter().any(|p| p.credential == credential))
    }
    /// The account with this TOTP secret.
    fn by_totp(&self, secret: &[u8]) -> Option<&Account> {
        self.accounts().into_iter().find(|a| a.totp.as_ref().is_some_and(|t| same(&t.secret, secret)))
    }
    /// The account of an OpenID subject.
    fn by_subject(&self, issuer: &str, subject: &str) -> Option<&Account> {
        self.accounts().into_iter().find(|a| a.subjects.iter().any(|s| s.issuer == issuer && s.subject == subject))
    }
    /// A link.
    fn invitation(&self, id: Id) -> Option<&Invitation> {
        self.entry((INVITATION, id)).and_then(|e| if let Entry::Invitation(e) = e { Some(e) } else { None })
    }
    /// Every link.
    fn invitations(&self) -> Vec<&Invitation> {
        self.entries(INVITATION).into_iter().filter_map(|e| if let Entry::Invitation(e) = e { Some(e) } else { None }).collect()
    }
    /// A token.
    fn token(&self, id: Id) -> Option<&Token> {
        self.entry((TOKEN, id)).and_then(|e| if let Entry::Token(e) = e { Some(e) } else { None })
    }
    /// Tokens of an account.
    fn tokens_of(&self, account: Id) -> Vec<&Token> {
        let tokens = self.entries(TOKEN).into_iter().filter_map(|e| if let Entry::Token(e) = e { Some(e) } else { None });
        tokens.filter(|t| t.account == account).collect()
    }
    /// An approval.
    fn approval(&self, id: Id) -> Option<&Approval> {
        self.entry((APPROVAL, id)).and_then(|e| if let Entry::Approval(e) = e { Some(e) } else { None })
    }
    /// Every approval.
    fn approvals(&self) -> Vec<&Approval> {
        self.entries(APPROVAL).into_iter().filter_map(|e| if let Entry::Approval(e) = e { Some(e) } else { None }).collect()
    }
    /// Emergencies not ended.
    fn emergencies(&self) -> Vec<&Emergency> {
        self.entries(EMERGENCY).into_iter().filter_map(|e| if let Entry::Emergency(e) = e { Some(e) } else { None }).collect()
    }
    /// The emergency of an account that is open now.
    fn emergency_of(&self, account: Id, now: Millis) -> Option<&Emergency> {
        self.emergencies().into_iter().find(|e| e.account == account && e.is_open(now))
    }
    /// The lock of a sign-in name no account has.
    fn name_lock(&self, name: &Hash) -> Option<&NameLock> {
        let entry = self.entry((NAME_LOCK, NameLock::id(name)));
        entry.and_then(|e| if let Entry::NameLock(e) = e { Some(e) } else { None }).filter(|l| l.name == *name)
    }
    /// Every lock of a name.
    fn name_locks(&self) -> Vec<&NameLock> {
        self.entries(NAME_LOCK).into_iter().filter_map(|e| if let Entry::NameLock(e) = e { Some(e) } else { None }).collect()
    }
    /// A link that ended.
    fn ended_link(&self, id: Id) -> Option<&EndedLink> {
        self.entry((ENDED_LINK, id)).and_then(|e| if let Entry::EndedLink(e) = e { Some(e) } else { None })
    }
    /// Every link that ended and is still known.
    fn ended_links(&self) -> Vec<&EndedLink> {
        self.entries(ENDED_LINK).into_iter().filter_map(|e| if let Entry::EndedLink(e) = e { Some(e) } else { None }).collect()
    }
    /// The desk itself.
    fn meta(&self) -> Meta {
        self.entry((META, Id::default())).and_then(|e| if let Entry::Meta(e) = e { Some(e.clone()) } else { None }).unwrap_or_default()
    }
    /// What an account's roles may do now, without an emergency's.
    fn may(&self, account: &Account, now: Millis) -> Capabilities {
        if account.is_usable(now) { roles::capabilities(&account.roles) } else { Capabilities::NONE }
    }
    /// Roles of all accounts of a person that are not disabled, but for one account.
    fn roles_of_person(&self, person: Id, but: Option<Id>) -> Vec<roles::Role> {
        let others = |a: &&Account| a.person == person && Some(a.id) != but && a.standing != Standing::Disabled;
        self.accounts().into_iter().filter(others).flat_map(|a| a.roles.iter().copied()).collect()
    }
    /// Roles a person has in emergencies that have not ended, with whichever account.
    fn emergency_roles_of(&self, person: Id) -> Vec<roles::Role> {
        let theirs = |e: &&Emergency| self.account(e.account).is_some_and(|a| a.person == person);
        self.emergencies().into_iter().filter(theirs).map(|e| e.role).collect()
    }
}

/// What is remembered.
#[derive(Clone, Default)]
pub struct Store(BTreeMap<Key, Arc<Entry>>);

impl Store {
    /// Reads what the state holds.
    pub fn read(state: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>) -> Result<Store, CodecError> {
        let entry = |(key, value): (Vec<u8>, Vec<u8>)| Entry::decode(&key, &value).map(|e| (e.key(), Arc::new(e)));
        state.into_iter().map(entry).collect::<Result<_, _>>().map(Store)
    }

    /// Takes a draft over.
    pub fn take_over(&mut self, changes: Changes) {
        for (key, entry) in changes {
            match entry {
                Some(entry) => drop(self.0.insert(key, entry)),
                None => drop(self.0.remove(&key)),
            }
        }
    }
}

impl Look for Store {
    fn entry(&self, key: Key) -> Option<&Entry> {
        self.0.get(&key).map(Arc::as_ref)
    }

    fn entries(&self, kind: u8) -> Vec<&Entry> {
        self.0.range((kind, Id([0; 16]))..=(kind, Id([255; 16]))).map(|(_, e)| e.as_ref()).collect()
    }
}

/// Entries that change; none for those that go.
pub type Changes = BTreeMap<Key, Option<Arc<Entry>>>;

/// A draft over what is remembered.
pub struct Draft<'a> {
    base: &'a Store,
    changes: Changes,
}

impl Look for Draft<'_> {
    fn entry(&self, key: Key) -> Option<&Entry> {
        match self.changes.get(&key) {
            Some(changed) => changed.as_deref(),
            None => self.base.entry(key),
        }
    }

    fn entries(&self, kind: u8) -> Vec<&Entry> {
        let kept = self.base.entries(kind).into_iter().filter(|e| !self.changes.contains_key(&e.key()));
        let new = self.changes.iter().filter(|((k, _), _)| *k == kind).filter_map(|(_, e)| e.as_deref());
        kept.chain(new).collect()
    }
}

impl<'a> Draft<'a> {
    /// An empty draft.
    pub fn new(base: &'a Store) -> Draft<'a> {
        Draft { base, changes: Changes::new() }
    }

    /// Adds or changes an entry.
    pub fn put(&mut self, entry: Entry) {
        self.changes.insert(entry.key(), Some(Arc::new(entry)));
    }

    /// Changes an account.
    pub fn change_account(&mut self, id: Id, change: impl FnOnce(&mut Account)) {
        if let Some(mut account) = self.account(id).cloned() {
            change(&mut account);
            self.put(Entry::Account(account));
        }
    }

    /// Lets an account go.
    pub fn remove_account(&mut self, id: Id) {
        self.changes.insert((ACCOUNT, id), None);
    }

    /// Ends the links of an account; that they were there once is kept. One whose time was over is said to be that.
    pub fn end_links_of(&mut self, account: Id, how: LinkEnd, now: Millis) {
        let ended = |i: &Invitation| EndedLink {
            id: i.id,
            account,
            hash: i.hash,
            at: now,
            how: if now >= i.expires { LinkEnd::Over } else { how },
        };
        let gone: Vec<EndedLink> = self.invitations().into_iter().filter(|i| i.account == account).map(ended).collect();
        for link in gone {
            self.changes.insert((INVITATION, link.id), None);
            self.keep_ended(link);
        }
    }

    /// Keeps that a link ended; makes room for it.
    pub fn keep_ended(&mut self, link: EndedLink) {
        let mut kept: Vec<(Millis, Id)> = self.ended_links().into_iter().map(|l| (l.at, l.id)).collect();
        kept.sort_unstable();
        let over = (kept.len() + 1).saturating_sub(ENDED_LINKS);
        self.changes.extend(kept.into_iter().take(over).map(|(_, id)| ((ENDED_LINK, id), None)));
        self.put(Entry::EndedLink(link));
    }

    /// Lets a token go.
    pub fn remove_token(&mut self, id: Id) {
        self.changes.insert((TOKEN, id), None);
    }

    /// Lets an approval go.
    pub fn remove_approval(&mut self, id: Id) {
        self.changes.insert((APPROVAL, id), None);
    }

    /// Locks a name; makes room for it.
    pub fn lock_name(&mut self, name: Hash, until: Millis, now: Millis) {
        self.forget_names(now);
        let mut locks: Vec<(Millis, Id)> = self.name_locks().into_iter().map(|l| (l.until, NameLock::id(&l.name))).collect();
        locks.sort_unstable();
        let over = (locks.len() + 1).saturating_sub(NAME_LOCKS);
        self.changes.extend(locks.into_iter().take(over).map(|(_, id)| ((NAME_LOCK, id), None)));
        self.put(Entry::NameLock(NameLock { name, until }));
    }

    /// Lets the locks of names go that have ended.
    pub fn forget_names(&mut self, now: Millis) {
        let over: Vec<Id> = self.name_locks().into_iter().filter(|l| now >= l.until).map(|l| NameLock::id(&l.name)).collect();
        self.changes.extend(over.into_iter().map(|id| ((NAME_LOCK, id), None)));
    }

    /// Lets an emergency go.
    pub fn remove_emergency(&mut self, id: Id) {
        self.changes.insert((EMERGENCY, id), None);
    }

    /// The changes, and the state of them.
    pub fn finish(self) -> (Changes, Vec<StatePut>) {
        let put = |(key, entry): (&Key, &Option<Arc<Entry>>)| StatePut { key: encode_key(*key), value: entry.as_ref().map(|e| e.encode()) };
        let puts = self.changes.iter().map(put).collect();
        (self.changes, puts)
    }
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
