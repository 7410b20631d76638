//! The truth file: what really was, one JSON object a line. The first line is the header, the last one says that the file is whole.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::SimError;
use crate::limits::{TRUTH_LINE_BYTES, TRUTH_LINES_MAX};
use crate::network::{Network, PortScheme};
use crate::plan::Plan;
use crate::world::Tally;
use crate::world::event::{Held, Login};

/// The version of the format.
pub const VERSION: u32 = 1;

/// Public addresses of a realm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// The realm.
    pub realm: String,
    /// Who logs its mappings.
    pub exporter: String,
    /// The addresses, as a prefix.
    pub prefix: String,
    /// `nat` or `ipv6`.
    pub what: String,
}

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the format.
    pub weir_truth: u32,
    /// The plan's seed.
    pub seed: u64,
    /// The plan's profile.
    pub profile: String,
    /// The options that shape the network and what was sent of it, as text.
    pub options: String,
    /// By how many milliseconds an exporter's clock is ahead, by its name; who is not named has the right time.
    #[serde(default)]
    pub clock_offsets: std::collections::BTreeMap<String, i64>,
    /// Exporters that tell times in whole seconds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_seconds: Vec<String>,
    /// The first instant, milliseconds since 1970.
    pub from: i64,
    /// The last instant, if known beforehand.
    pub to: Option<i64>,
    /// Public addresses.
    pub pools: Vec<Pool>,
}

/// The last line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Footer {
    /// The last instant, milliseconds since 1970.
    pub to: i64,
    /// Mappings begun.
    pub mappings: u64,
    /// Sessions begun.
    pub sessions: u64,
    /// NAT events.
    pub events: u64,
}

/// Any other line: a mapping, or a subscriber's session (`form` is `login`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// `session`, `bib`, `block`, `address` for mappings; `login` for a subscriber's session.
    pub form: String,
    /// The realm.
    pub realm: String,
    /// Who logged it; empty for a login.
    #[serde(default)]
    pub exporter: String,
    /// The NAS of the subscriber's session.
    pub nas: String,
    /// Acct-Session-Id of the subscriber's session.
    pub session: String,
    /// The account.
    pub account: String,
    /// The caller number.
    pub caller: String,
    /// The inside address; the framed address of a login.
    pub inside: Option<String>,
    /// The inside port, or the query identifier; 0 where there is none.
    #[serde(default)]
    pub inside_port: u16,
    /// The public address of a mapping.
    #[serde(default)]
    pub public: Option<String>,
    /// The first public port.
    #[serde(default)]
    pub port: u16,
    /// The last public port.
    #[serde(default)]
    pub port_end: u16,
    /// The remote end, `address:port`, where the public port serves several.
    #[serde(default)]
    pub remote: Option<String>,
    /// IANA protocol number; 0 for every protocol.
    #[serde(default)]
    pub protocol: u8,
    /// A login whose framed address is public as it is.
    #[serde(default)]
    pub plain: bool,
    /// Framed-IPv6-Prefix of a login.
    #[serde(default)]
    pub prefix: Option<String>,
    /// Delegated-IPv6-Prefix of a login.
    #[serde(default)]
    pub delegated: Option<String>,
    /// Begin, milliseconds since 1970.
    pub start: i64,
    /// End; absent while open at the end of the run.
    pub end: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct FooterLine {
    whole: Footer,
}

/// Writes a truth file as the run goes.
pub struct TruthWriter {
    path: PathBuf,
    out: BufWriter<File>,
    line: String,
    base: i64,
    network: Network,
}

impl TruthWriter {
    /// Creates the file and writes the header. `base_ms` is the instant the run begins, milliseconds since 1970.
    pub fn create(path: &Path, plan: &Plan, network: &Network, base_ms: i64) -> Result<TruthWriter, SimError> {
        let fail = |source| SimError::WriteTruth { path: path.to_owned(), source };
        let file = File::create(path).map_err(fail)?;
        let pool = |r: &crate::network::Realm, prefix: String, what: &str| Pool {
            realm: r.name.into(),
            exporter: r.exporter.into(),
            prefix,
            what: what.into(),
        };
        let mut pools: Vec<Pool> = network.realms.iter().map(|r| pool(r, r.pool.to_string(), "nat")).collect();
        pools.extend(network.realms.iter().filter_map(|r| r.ipv6.map(|p| pool(r, p.to_string(), "ipv6"))));
        let header = Header {
            weir_truth: VERSION,
            seed: plan.seed,
            profile: plan.profile.name().into(),
            options: options_text(plan),
            clock_offsets: plan.faults.clock_offsets.iter().cloned().collect(),
            in_seconds: network.realms.iter().filter(|r| r.protocol.is_in_seconds()).map(|r| r.exporter.into()).collect(),
            from: base_ms,
            to: plan.length_ms().map(|ms| base_ms + ms),
            pools,
        };
        let mut writer = TruthWriter {
            path: path.to_owned(),
            out: BufWriter::with_capacity(16 << 10, file),
            line: String::with_capacity(512),
            base: base_ms,
            network: network.clone(),
        };
        writer.json(&header)?;
        Ok(writer)
    }

    fn json<T: Serialize>(&mut self, value: &T) -> Result<(), SimError> {
        let text = serde_json::to_string(value).map_err(|e| self.fail(e.into()))?;
        self.out.write_all(text.as_bytes()).and_then(|()| self.out.write_all(b"\n")).map_err(|e| self.fail(e))
    }

    fn fail(&self, source: std::io::Error) -> SimError {
        SimError::WriteTruth { path: self.path.clone(), source }
    }

    /// One mapping. The names written here need no JSON escapes: they come from the profiles, not from outside.
    pub fn mapping(&mut self, realm: usize, held: &Held<'_>) -> Result<(), SimError> {
        let Some(desc) = self.network.realms.get(realm) else { return Ok(()) };
        let (m, login) = (held.mapping, held.login);
        self.line.clear();
        let _ = write!(
            self.line,
            r#"{{"form":"{}","realm":"{}","exporter":"{}","nas":"{}","session":"{}","account":"{}","caller":"{}","inside":"{}","inside_port":{},"public":"{}","port":{},"port_end":{},"protocol":{},"#,
            m.what.form(),
            desc.name,
            desc.exporter,
            desc.nas,
            login.session,
            login.account,
            login.caller,
            m.inside,
            m.inside_port,
            m.public,
            m.port,
            m.port_end,
            m.protocol,
        );
        if desc.scheme == PortScheme::Overload {
            let _ = write!(self.line, r#""remote":"{}:{}","#, m.destination, m.destination_port);
        }
        let _ = write!(self.line, r#""start":{},"end":"#, self.base + held.start);
        self.end_line(held.end)
    }

    /// One session of a subscriber.
    pub fn login(&mut self, realm: usize, login: &Login, end: Option<i64>) -> Result<(), SimError> {
        let Some(desc) = self.network.realms.get(realm) else { return Ok(()) };
        self.line.clear();
        let _ = write!(
            self.line,
            r#"{{"form":"login","realm":"{}","nas":"{}","session":"{}","account":"{}","caller":"{}","inside":"#,
            desc.name, desc.nas, login.session, login.account, login.caller,
        );
        quoted(&mut self.line, login.framed);
        let _ = write!(self.line, r#","plain":{},"prefix":"#, login.plain);
        quoted(&mut self.line, login.prefix);
        self.line.push_str(r#","delegated":"#);
        quoted(&mut self.line, login.delegated);
        let _ = write!(self.line, r#","start":{},"end":"#, self.base + login.start);
        self.end_line(end)
    }

    fn end_line(&mut self, end: Option<i64>) -> Result<(), SimError> {
        let _ = match end {
            Some(end) => writeln!(self.line, "{}}}", self.base + end),
            None => writeln!(self.line, "null}}"),
        };
        self.out.write_all(self.line.as_bytes()).map_err(|e| self.fail(e))
    }

    /// Writes the last line and the file to its end. `to` is in milliseconds since the run began.
    pub fn finish(mut self, to: i64, tally: Tally) -> Result<(), SimError> {
        let whole = Footer { to: self.base + to, mappings: tally.mappings, sessions: tally.sessions, events: tally.events };
        self.json(&FooterLine { whole })?;
        self.out.flush().map_err(|e| self.fail(e))
    }
}

fn quoted<T: std::fmt::Display>(line: &mut String, value: Option<T>) {
    let _ = match value {
        Some(value) => write!(line, "\"{value}\""),
        None => write!(line, "null"),
    };
}

fn options_text(plan: &Plan) -> String {
    let f = &plan.faults;
    format!(
        "subscribers={} rate={} reuse={} hold_ms={} bib={} bindings={} session_ms={} loss={} duplicates={} reorder={} radius_loss={} nas_reboots={:?} clock_offsets={:?} exporter_restarts={:?} mode={:?}",
        plan.subscriber_count(),
        plan.rate,
        plan.reuse,
        plan.hold_ms,
        plan.bib,
        plan.bindings,
        plan.session_mean_ms(),
        f.loss,
        f.duplicates,
        f.reorder,
        f.radius_loss,
        f.nas_reboots,
        f.clock_offsets,
        f.exporter_restarts,
        plan.mode,
    )
}

/// Reads a truth file: the header, then every line in turn, then the footer. A file without a footer is refused, as it would make right
/// answers look wrong.
pub fn read(path: &Path, mut line: impl FnMut(Line) -> Result<(), String>) -> Result<(Header, Footer), SimError> {
    let fail = |source| SimError::ReadTruth { path: path.to_owned(), source };
    let mut reader = BufReader::with_capacity(1 << 20, File::open(path).map_err(fail)?);
    let mut text = Vec::new();
    let mut header: Option<Header> = None;
    let mut number = 0u64;
    loop {
        text.clear();
        let read = reader.by_ref().take(TRUTH_LINE_BYTES as u64).read_until(b'\n', &mut text).map_err(fail)?;
        if read == 0 {
            return Err(SimError::BadTruth { line: number, why: "the last line is missing: the run that wrote it did not finish".into() });
        }
        number += 1;
        let bad = |why: String| SimError::BadTruth { line: number, why };
        if number > TRUTH_LINES_MAX {
            return Err(bad(format!("more than {TRUTH_LINES_MAX} lines")));
        }
        match &header {
            None => {
                let h: Header = serde_json::from_slice(&text).map_err(|e| bad(e.to_string()))?;
                if h.weir_truth != VERSION {
                    return Err(bad(format!("version {} of the format, this program knows {VERSION}", h.weir_truth)));
                }
                header = Some(h);
            }
            Some(h) if text.starts_with(b"{\"whole\"") => {
                let footer: FooterLine = serde_json::from_slice(&text).map_err(|e| bad(e.to_string()))?;
                return Ok((h.clone(), footer.whole));
            }
            Some(_) => {
                let one: Line = serde_json::from_slice(&text).map_err(|e| bad(e.to_string()))?;
                line(one).map_err(bad)?;
            }
        }
    }
}
