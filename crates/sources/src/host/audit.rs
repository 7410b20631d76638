//! Lines of auditd: `type=USER_LOGIN msg=audit(1363864983.123:24287): pid=… uid=0 auid=0 ses=1 msg='op=login acct="root" …'`. Pure.
//!
//! The form is that of the Linux Audit userspace ("Audit Event Fields"); with `log_format = ENRICHED` the names of numbers follow behind a
//! byte 0x1d.

use weir_base::time::Millis;

/// A line, taken apart as far as needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Audit<'a> {
    /// The machine, where auditd is told to name it (`name_format`).
    pub node: Option<&'a str>,
    /// The type of the record, e.g. `USER_LOGIN`.
    pub kind: &'a str,
    /// When it happened.
    pub time: Millis,
    /// What follows.
    pub text: &'a str,
}

/// Takes a line apart; `None` when it is none of auditd's.
pub fn parse(line: &str) -> Option<Audit<'_>> {
    let (node, rest) = match line.strip_prefix("node=").and_then(|r| r.split_once(' ')) {
        Some((node, rest)) => (Some(node), rest),
        None => (None, line),
    };
    let (kind, rest) = rest.strip_prefix("type=")?.split_once(' ')?;
    let fits =
        !kind.is_empty() && kind.len() <= 32 && kind.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b"_[]".contains(&b));
    let (stamp, text) = rest.strip_prefix("msg=audit(")?.split_once("):")?;
    let (seconds, rest) = stamp.split_once('.')?;
    let (millis, _serial) = rest.split_once(':')?;
    let (seconds, millis) = (seconds.parse::<i64>().ok()?, millis.parse::<i64>().ok().filter(|m| (0..1_000).contains(m))?);
    let time = Millis(seconds.checked_mul(1_000)?.checked_add(millis)?);
    fits.then_some(Audit { node, kind, time, text: text.trim_start() })
}

/// The line in the form of RFC 5424, facility 13 (log audit): its type is MSGID, so that dialects find it. What is no line of auditd's
/// stays as it is, without a time.
pub fn line(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    let Some(audit) = parse(&text) else { return [b"<109>1 - - audit - - - ", bytes].concat() };
    let word = audit.node.filter(|n| n.len() <= 255 && n.bytes().all(|b| b.is_ascii_graphic())).unwrap_or("-");
    // The enriched part says the same again, in names.
    let text = audit.text.replace('\u{1d}', " ");
    format!("<109>1 {} {word} audit - {} - {text}", audit.time.to_rfc3339(), audit.kind).into_bytes()
}
