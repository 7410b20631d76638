//! Past sessions into groups. Accounts and callers become opaque ids here, as those of live sources do.

use weir_base::net::{Addr16, Prefix};
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kind::{Kind, Record};
use weir_record::kinds::{Binding, IdType, Malformed, RadiusSession};
use weir_record::sink::{Group, RecordSink, SinkError, SourceDesc, SourceHandle, StatePut, SubjectIds};

use super::limits::GROUP_SESSIONS;
use super::sessions::Past;
use crate::radius::normalise::{caller, digest};

/// Owner of the state: which files were taken in.
pub const OWNER: &str = "import";
/// What marks the rows.
const IMPORTED: &str = "imported";

/// Why lines that were left out are `malformed`.
const SKIPPED: &str = "import.skipped-lines";

/// A file that is taken in as a whole.
#[derive(Clone, Copy, Debug)]
pub struct Whole<'a> {
    /// Its digest.
    pub file: &'a [u8],
    /// Lines of it that were left out.
    pub skipped: u64,
}

/// An import under way.
pub struct Intake<'a> {
    sink: &'a dyn RecordSink,
    ids: &'a dyn SubjectIds,
    handle: SourceHandle,
    name: String,
}

impl<'a> Intake<'a> {
    /// Registers the import as the source `import/NAME`.
    ///
    /// # Errors
    /// What the sink says.
    pub fn new(sink: &'a dyn RecordSink, ids: &'a dyn SubjectIds, name: &str, realm: &str, file: &str) -> Result<Intake<'a>, SinkError> {
        let handle = sink.register(&SourceDesc {
            name: format!("import/{name}"),
            kind: "import".to_owned(),
            realm: realm.to_owned(),
            peer: file.to_owned(),
            clock: "trust".to_owned(),
            ..SourceDesc::default()
        })?;
        Ok(Intake { sink, ids, handle, name: name.to_owned() })
    }

    /// When a file with this digest was taken in, if it was.
    pub fn taken(sink: &dyn RecordSink, file: &[u8]) -> Option<Millis> {
        let value = sink.state(OWNER).into_iter().find(|(k, _)| k == file)?.1;
        <[u8; 8]>::try_from(value).ok().map(|b| Millis(i64::from_be_bytes(b)))
    }

    /// Takes sessions in; durable on return. `last` says that the file is whole with them. Gives the rows made.
    ///
    /// # Errors
    /// What the sink says; groups before the one that failed are durable.
    pub fn take(&self, sessions: &[Past], last: Option<Whole<'_>>, now: Millis) -> Result<u64, SinkError> {
        let mut made = 0;
        for part in sessions.chunks(GROUP_SESSIONS) {
            let mut group = Group::new(OWNER);
            let mut rows = Vec::new();
            for past in part {
                self.rows(past, now, &mut rows, &mut group);
            }
            made += rows.len() as u64;
            // How far the table reaches: later moments are none of its.
            group.evidence.extend(rows.iter().map(|row| row.time).max().map(|time| (self.handle.number, time)));
            group.batches.push((Kind::RadiusSession, RadiusSession::batch(&rows)));
            self.sink.commit(group)?;
        }
        let skipped = last.map_or(0, |whole| whole.skipped);
        if let Some(whole) = last {
            let put = StatePut { key: whole.file.to_vec(), value: Some(now.0.to_be_bytes().to_vec()) };
            let mut group = Group { state: vec![put], ..Group::new(OWNER) };
            if skipped > 0 {
                // What the lines held stays in the file: only how many they were is kept.
                let reason = SKIPPED.to_owned();
                let row = Malformed { time: now, source: self.handle.number, reason, count: skipped, ..Malformed::default() };
                group.batches.push((Kind::Malformed, Malformed::batch(&[row])));
            }
            self.sink.commit(group)?;
        }
        let taken = sessions.len() as u64;
        self.handle.count(|c| {
            c.messages += taken + skipped;
            c.malformed += skipped;
            c.records += made;
            c.last_seen = Some(now);
        });
        Ok(made)
    }

    fn rows(&self, p: &Past, now: Millis, rows: &mut Vec<RadiusSession>, group: &mut Group) {
        let mut resolve = |id_type: IdType, value: &str| {
            let resolved = self.ids.resolve(self.handle.realm, id_type, value, now);
            let known = |b: &Binding| group.bindings.iter().any(|k| k.id == b.id);
            if let Some(binding) = resolved.binding.filter(|b| !known(b)) {
                group.bindings.push(binding);
            }
            resolved.id
        };
        let address = |text: &Option<String>| text.as_ref().and_then(|t| t.parse::<Addr16>().ok());
        let prefix = |text: &Option<String>| text.as_ref().and_then(|t| t.parse::<Prefix>().ok());
        let start = p.start.map(Millis);
        let begun = start.unwrap_or_default().0.to_be_bytes();
        let bytes = |text: &Option<String>| text.clone().unwrap_or_default().into_bytes();
        // The same session of the same import has the same id, however often it is taken in.
        let parts =
            [self.name.clone().into_bytes(), bytes(&p.nas), bytes(&p.unique), bytes(&p.session), bytes(&p.account), bytes(&p.caller)];
        let mut all: Vec<&[u8]> = vec![b"import", &begun];
        all.extend(parts.iter().map(Vec::as_slice));
        let (framed, delegated) = (prefix(&p.prefix), prefix(&p.delegated));
        let row = RadiusSession {
            arrived: now,
            source: self.handle.number,
            realm: self.handle.realm,
            reason: Some(IMPORTED.to_owned()),
            session: Id(digest(&all)),
            acct_session_id: p.session.clone(),
            subscriber: p.account.as_ref().map(|a| resolve(IdType::Account, a)),
            caller: p.caller.as_ref().map(|c| {
                let (id_type, value) = caller(c);
                resolve(id_type, &value)
            }),
            called: p.called.clone(),
            nas_address: address(&p.nas),
            nas_port_id: p.nas_port.clone(),
            framed_ipv4: address(&p.address),
            framed_ipv6: address(&p.address6),
            framed_prefix: framed.map(|f| f.addr),
            framed_prefix_bits: framed.map(|f| f.bits),
            delegated_prefix: delegated.map(|d| d.addr),
            delegated_prefix_bits: delegated.map(|d| d.bits),
            start,
            start_certain: 1,
            ..RadiusSession::default()
        };
        // Without an account the caller is the subscriber.
        let row = RadiusSession { subscriber: row.subscriber.or(row.caller), ..row };
        rows.push(RadiusSession { time: start.unwrap_or_default(), status: 1, ..row.clone() });
        let told =
            RadiusSession { input_octets: p.input, output_octets: p.output, session_time: p.duration, terminate_cause: p.cause, ..row };
        if let Some(stop) = p.stop {
            rows.push(RadiusSession { time: Millis(stop), status: 2, ..told });
        } else if let Some(update) = p.update.filter(|t| p.start.is_none_or(|s| *t > s)) {
            rows.push(RadiusSession { time: Millis(update), status: 3, terminate_cause: None, ..told });
        }
    }
}
