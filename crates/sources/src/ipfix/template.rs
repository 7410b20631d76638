//! The templates of one exporter in one observation domain.
//!
//! Over UDP an exporter repeats its templates and may change one under the same number (RFC 7011 section 8.4; v9 has no withdrawal at
//! all); over TCP it withdraws them, and they end with the session. What is known is kept in the source's state, so that after a restart
//! of ours records are understood at once and not only when the exporter repeats itself.

use std::collections::HashMap;
use std::sync::Arc;

use weir_base::hash::MixState;
use weir_base::time::Millis;

use super::compile::{Plan, compile};
use super::limits::{TEMPLATE_FIELDS, TEMPLATE_LIFE_MS, TEMPLATES};
use super::parser::{Announcement, FIRST_TEMPLATE, FieldSpec, Template, Version};
use super::profile::Profile;

/// A known template.
#[derive(Clone, Debug)]
pub struct Known {
    /// The template.
    pub template: Template,
    /// Its plan.
    pub plan: Arc<Plan>,
    /// 1 when first announced, one more at each change.
    pub revision: u32,
    /// When it was last announced or used.
    pub seen: Millis,
    /// When it was last announced.
    pub announced: Millis,
}

/// What an announcement did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A new template.
    New(u16),
    /// A template changed under the same number.
    Redefined(u16),
    /// Already known.
    Same,
    /// No longer valid.
    Gone(Vec<u16>),
    /// Too many templates: not taken.
    Refused,
}

/// The templates of a domain.
#[derive(Debug)]
pub struct Templates {
    version: Version,
    profile: Profile,
    known: HashMap<u16, Known, MixState>,
}

impl Templates {
    /// None yet.
    pub fn new(version: Version, profile: Profile) -> Templates {
        Templates { version, profile, known: HashMap::default() }
    }

    /// The plan of a template; notes that it is in use.
    pub fn plan(&mut self, id: u16, now: Millis) -> Option<Arc<Plan>> {
        let known = self.known.get_mut(&id)?;
        known.seen = now;
        Some(Arc::clone(&known.plan))
    }

    /// A known template.
    pub fn get(&self, id: u16) -> Option<&Known> {
        self.known.get(&id)
    }

    /// Numbers of all known templates, in order.
    pub fn ids(&self) -> Vec<u16> {
        let mut ids: Vec<u16> = self.known.keys().copied().collect();
        ids.sort_unstable();
        ids
    }

    /// Takes an announcement.
    pub fn apply(&mut self, announcement: Announcement, now: Millis) -> Change {
        match announcement {
            Announcement::Define(template) => self.define(template, now),
            Announcement::Withdraw(id) => Change::Gone(self.known.remove(&id).map(|_| id).into_iter().collect()),
            Announcement::WithdrawAll { options } => Change::Gone(self.remove(|k| k.template.is_options() == options)),
        }
    }

    fn define(&mut self, template: Template, now: Millis) -> Change {
        let id = template.id;
        let mut revision = 1;
        let mut change = Change::New(id);
        if let Some(known) = self.known.get_mut(&id) {
            if known.template == template {
                (known.seen, known.announced) = (now, now);
                return Change::Same;
            }
            revision = known.revision.saturating_add(1);
            change = Change::Redefined(id);
        } else if self.known.len() >= TEMPLATES {
            return Change::Refused;
        }
        let plan = Arc::new(compile(&template, self.version, self.profile));
        self.known.insert(id, Known { template, plan, revision, seen: now, announced: now });
        change
    }

    /// Forgets what was not announced after `until` (everything, when `None`); gives the numbers.
    pub fn forget(&mut self, until: Option<Millis>) -> Vec<u16> {
        self.remove(|k| until.is_none_or(|t| k.announced <= t))
    }

    fn remove(&mut self, gone: impl Fn(&Known) -> bool) -> Vec<u16> {
        let mut ids: Vec<u16> = self.known.iter().filter(|(_, k)| gone(k)).map(|(id, _)| *id).collect();
        ids.sort_unstable();
        ids.iter().for_each(|id| drop(self.known.remove(id)));
        ids
    }

    /// Forgets what was neither announced nor used for a day; gives the numbers.
    pub fn expire(&mut self, now: Millis) -> Vec<u16> {
        self.remove(|k| now.since(k.seen) > TEMPLATE_LIFE_MS)
    }

    /// A template as a state value: format 1, version, revision, scope, then enterprise, number and length of each field; big-endian.
    pub fn encode(&self, id: u16) -> Option<Vec<u8>> {
        let known = self.known.get(&id)?;
        let mut out = vec![1, self.version.number() as u8];
        out.extend(known.revision.to_be_bytes());
        out.extend(known.template.scope.to_be_bytes());
        for field in &known.template.fields {
            out.extend(field.enterprise.to_be_bytes());
            out.extend(field.id.to_be_bytes());
            out.extend(field.length.to_be_bytes());
        }
        Some(out)
    }

    /// Takes a template back from its state value. False when the value is of another format or version; it is then learnt anew.
    pub fn restore(&mut self, id: u16, value: &[u8], now: Millis) -> bool {
        let Some((head, fields)) = value.split_first_chunk::<8>() else { return false };
        let [1, version, r0, r1, r2, r3, s0, s1] = *head else { return false };
        let count = fields.len() / 8;
        if u16::from(version) != self.version.number() || fields.len() % 8 != 0 || count > TEMPLATE_FIELDS || id < FIRST_TEMPLATE {
            return false;
        }
        let fields = fields
            .chunks_exact(8)
            .filter_map(|c| c.first_chunk::<8>())
            .map(|[e0, e1, e2, e3, i0, i1, l0, l1]| FieldSpec {
                enterprise: u32::from_be_bytes([*e0, *e1, *e2, *e3]),
                id: u16::from_be_bytes([*i0, *i1]),
                length: u16::from_be_bytes([*l0, *l1]),
            })
            .collect();
        let template = Template { id, scope: u16::from_be_bytes([s0, s1]), fields };
        if template.min_len() == 0 || self.known.len() >= TEMPLATES {
            return false;
        }
        let plan = Arc::new(compile(&template, self.version, self.profile));
        let revision = u32::from_be_bytes([r0, r1, r2, r3]);
        self.known.insert(id, Known { template, plan, revision, seen: now, announced: now });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(id: u16, scope: u16, fields: &[(u16, u16)]) -> Template {
        Template { id, scope, fields: fields.iter().map(|(id, length)| FieldSpec { enterprise: 0, id: *id, length: *length }).collect() }
    }

    #[test]
    fn templates_come_change_and_go() {
        let mut t = Templates::new(Version::Ipfix, Profile::Rfc8158);
        let now = Millis(5);
        assert_eq!(t.apply(Announcement::Define(template(256, 0, &[(8, 4)])), now), Change::New(256));
        assert_eq!(t.apply(Announcement::Define(template(256, 0, &[(8, 4)])), now), Change::Same);
        assert_eq!(t.apply(Announcement::Define(template(256, 0, &[(12, 4)])), now), Change::Redefined(256));
        assert_eq!(t.get(256).map(|k| k.revision), Some(2));
        assert_eq!(t.apply(Announcement::Define(template(300, 1, &[(149, 4)])), now), Change::New(300));
        assert_eq!(t.apply(Announcement::Withdraw(999), now), Change::Gone(vec![]));
        assert_eq!(t.apply(Announcement::WithdrawAll { options: false }, now), Change::Gone(vec![256]));
        assert_eq!(t.apply(Announcement::Withdraw(300), now), Change::Gone(vec![300]));
        assert!(t.plan(256, now).is_none());
    }

    #[test]
    fn the_state_brings_templates_back() {
        let mut t = Templates::new(Version::V9, Profile::Juniper);
        for fields in [&[(8, 4)][..], &[(8, 4), (225, 4), (40_001, 0xffff)]] {
            t.apply(Announcement::Define(template(256, 0, fields)), Millis(0));
        }
        let bytes = t.encode(256).unwrap();
        let mut back = Templates::new(Version::V9, Profile::Juniper);
        assert!(back.restore(256, &bytes, Millis(9)));
        assert_eq!(back.get(256).map(|k| (&k.template, k.revision)), t.get(256).map(|k| (&k.template, k.revision)));
        assert!(!Templates::new(Version::Ipfix, Profile::Juniper).restore(256, &bytes, Millis(9)), "another version");
        for cut in 0..bytes.len() {
            // A cut at a field boundary is a shorter template; everything else is refused. No cut panics.
            let mut t = Templates::new(Version::V9, Profile::Juniper);
            assert_eq!(t.restore(256, &bytes[..cut], Millis(0)), cut > 8 && cut % 8 == 0, "cut at {cut}");
        }
        assert!(back.expire(Millis(9 + TEMPLATE_LIFE_MS)).is_empty());
        assert_eq!(back.expire(Millis(10 + TEMPLATE_LIFE_MS)), [256]);
    }

    #[test]
    fn there_is_a_limit() {
        let mut t = Templates::new(Version::Ipfix, Profile::Rfc8158);
        for id in 256..256 + TEMPLATES as u16 {
            assert_eq!(t.apply(Announcement::Define(template(id, 0, &[(8, 4)])), Millis(0)), Change::New(id));
        }
        assert_eq!(t.apply(Announcement::Define(template(9_999, 0, &[(8, 4)])), Millis(0)), Change::Refused);
        assert_eq!(t.apply(Announcement::Define(template(300, 0, &[(12, 4)])), Millis(0)), Change::Redefined(300));
    }
}
