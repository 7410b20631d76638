//! Which questions are asked: everywhere in a mapping's life, and where nothing was.

use serde::Serialize;
use weir_base::net::{Addr16, Prefix};
use weir_base::time::Millis;

use super::index::{Holder, LoginRow, TruthIndex};
use super::{CheckOptions, Question};
use crate::error::SimError;
use crate::rng::Rng;

/// How near to an end a question "near" it lies, milliseconds either way.
const NEAR_MS: i64 = 400;
/// How often a row is drawn until one has a moment that may be asked about.
const PICKS: u32 = 256;
/// How long after the end a question "after" it lies at most.
const AFTER_MS: i64 = 10_000;

/// Why a question is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum QuestionKind {
    /// Some moment of a mapping that ended before the last question's time.
    Inside,
    /// Some moment of a mapping that was still open then.
    Open,
    /// A mapping's begin, some hundred milliseconds either way.
    NearStart,
    /// A mapping's end, some hundred milliseconds either way.
    NearEnd,
    /// Up to ten seconds after a mapping's end.
    After,
    /// Another protocol than the mapping's.
    OtherProtocol,
    /// An IPv6 address or a public IPv4 address without a NAT, at any of the moments above.
    Plain,
    /// A random address, port and moment of the pools, mostly unused.
    Unused,
}

/// Every kind, in the order of reports.
pub const KINDS: [QuestionKind; 8] = [
    QuestionKind::Inside,
    QuestionKind::Open,
    QuestionKind::NearStart,
    QuestionKind::NearEnd,
    QuestionKind::After,
    QuestionKind::OtherProtocol,
    QuestionKind::Plain,
    QuestionKind::Unused,
];

/// Draws questions. The same truth, seed and options give the same questions.
pub struct Sampler<'a> {
    index: &'a TruthIndex,
    rng: Rng,
    skew_ms: i64,
    first: i64,
    last: i64,
}

impl<'a> Sampler<'a> {
    /// A sampler.
    pub fn new(index: &'a TruthIndex, options: &CheckOptions) -> Result<Sampler<'a>, SimError> {
        // Who was there before the first record is as little known as what comes after the last.
        let (first, last) = (index.from + options.guard_ms.max(0), index.to - options.guard_ms.max(0));
        if (index.mappings.is_empty() && index.askable.is_empty()) || last <= first {
            return Err(SimError::NothingToAsk);
        }
        Ok(Sampler { index, rng: Rng::new(options.seed, 300), skew_ms: options.skew_ms, first, last })
    }

    /// The next question.
    pub fn next_question(&mut self) -> (QuestionKind, Question) {
        let kind = match self.rng.below(1_000) {
            0..500 => QuestionKind::Inside,
            500..620 => QuestionKind::NearStart,
            620..740 => QuestionKind::NearEnd,
            740..855 => QuestionKind::After,
            855..890 => QuestionKind::OtherProtocol,
            890..995 => QuestionKind::Plain,
            _ => QuestionKind::Unused,
        };
        let kind = match kind {
            QuestionKind::Unused => kind,
            QuestionKind::Plain if !self.index.askable.is_empty() => kind,
            QuestionKind::Plain => QuestionKind::Inside,
            _ if self.index.mappings.is_empty() => QuestionKind::Plain,
            _ => kind,
        };
        match kind {
            QuestionKind::Unused => (kind, self.unused()),
            QuestionKind::Plain => match (0..PICKS).find_map(|_| self.plain()) {
                Some(question) => (kind, question),
                None => (QuestionKind::Unused, self.unused()),
            },
            _ => self.mapping(kind),
        }
    }

    fn question(&self, public: Addr16, port: Option<u16>, protocol: u8, at: i64) -> Question {
        Question { public, port, protocol, remote: None, at: Millis(at), skew_ms: self.skew_ms }
    }

    /// A moment of that kind, if there is one that may be asked about.
    fn moment(&mut self, kind: QuestionKind, holder: &Holder) -> Option<i64> {
        let open = holder.end > self.last;
        let (start, end) = (holder.start.max(self.first), holder.end.min(self.last));
        let at = match kind {
            QuestionKind::NearStart => holder.start + self.rng.between(-NEAR_MS, NEAR_MS),
            QuestionKind::NearEnd if !open => end + self.rng.between(-NEAR_MS, NEAR_MS),
            QuestionKind::After if !open => end + self.rng.between(1, AFTER_MS),
            _ if start > end => return None,
            _ => self.rng.between(start, end),
        };
        (self.first..=self.last).contains(&at).then_some(at)
    }

    fn any_protocol(&mut self) -> u8 {
        [6, 17, 1][self.rng.below(3) as usize % 3]
    }

    fn mapping(&mut self, kind: QuestionKind) -> (QuestionKind, Question) {
        let Some((row, at)) = (0..PICKS).find_map(|_| {
            let pick = self.rng.below(self.index.mappings.len() as u32) as usize;
            let row = self.index.mappings.get(pick).copied()?;
            Some((row, self.moment(kind, &row.holder)?))
        }) else {
            return (QuestionKind::Unused, self.unused());
        };
        let port = self.rng.between(i64::from(row.port), i64::from(row.port_end)) as u16;
        // A block and a binding hold every protocol.
        let mut protocol = if row.protocol == 0 { self.any_protocol() } else { row.protocol };
        if kind == QuestionKind::OtherProtocol {
            protocol = if protocol == 6 { 17 } else { 6 };
        }
        let open = kind == QuestionKind::Inside && row.holder.end > self.last;
        let mut question = self.question(row.public, Some(port), protocol, at);
        // Who asks about an overloaded port knows the remote end every second time.
        question.remote = row.remote.filter(|_| self.rng.chance(0.5));
        (if open { QuestionKind::Open } else { kind }, question)
    }

    fn plain(&mut self) -> Option<Question> {
        let pick = self.rng.below(self.index.askable.len() as u32) as usize;
        let row = self.index.askable.get(pick).and_then(|n| self.index.logins.get(*n as usize)).copied()?;
        let public = self.address_of(&row)?;
        let kind = match self.rng.below(10) {
            0..6 => QuestionKind::Inside,
            6 => QuestionKind::NearStart,
            7 => QuestionKind::NearEnd,
            _ => QuestionKind::After,
        };
        let at = self.moment(kind, &row.holder)?;
        let port = 1_024 + self.rng.below(64_512) as u16;
        Some(self.question(public, Some(port), 6, at))
    }

    /// An address of a login that can be seen in the Internet.
    fn address_of(&mut self, row: &LoginRow) -> Option<Addr16> {
        let framed = row.framed.filter(|_| row.plain);
        let choices: Vec<Prefix> = framed.map(|a| Prefix::new(a, 128)).into_iter().chain(row.prefix).chain(row.delegated).collect();
        let prefix = choices.get(self.rng.below(choices.len() as u32) as usize)?;
        Some(self.within(*prefix))
    }

    fn within(&mut self, prefix: Prefix) -> Addr16 {
        let random = u128::from(self.rng.bits()) << 64 | u128::from(self.rng.bits());
        let host = if prefix.bits >= 128 { 0 } else { random & (u128::MAX >> prefix.bits) };
        Addr16((u128::from_be_bytes(prefix.addr.0) | host).to_be_bytes())
    }

    fn unused(&mut self) -> Question {
        let pools = &self.index.nat_pools;
        let pool = pools.get(self.rng.below(pools.len() as u32) as usize).copied();
        let public = pool.map_or(Addr16::v4([198, 18, 0, 1]), |pool| self.within(pool));
        let port = 1_024 + self.rng.below(64_512) as u16;
        let protocol = self.any_protocol();
        let at = self.rng.between(self.first, self.last);
        self.question(public, Some(port), protocol, at)
    }
}
