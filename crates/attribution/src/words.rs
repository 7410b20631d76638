//! Reasons in words. Sources, realms and times may stand in them; addresses and ids of subscribers may not.

use weir_base::time::Millis;

use crate::inquiry::Doubt;
use crate::mapping::Holder;
use crate::question::Question;
use crate::reason::Code;
use crate::session::Claim;

pub(crate) fn future(at: Millis, now: Millis) -> String {
    format!("{at} has not come yet: it is {now} here; check the zone of the time asked about")
}

pub(crate) fn port_needed() -> String {
    "many subscribers share this address at the same time: ask again with the port, and with the protocol where it is known".to_owned()
}

pub(crate) fn not_ours() -> String {
    "the address lies in no pool that is configured here, or that an exporter or a session ever used".to_owned()
}

pub(crate) fn unused() -> String {
    "nobody held it: no mapping or session covers the moment, and nothing was lost from the last evidence before to the moment".to_owned()
}

pub(crate) fn other_remote() -> String {
    "the port was in use, but not towards this remote end, and nothing was lost that could have said otherwise".to_owned()
}

pub(crate) fn holder(source: &str, claim: &Claim) -> String {
    format!("{source} had mapped it to one inside end, and {} names the one session that held that end", claim.clock.fact.name)
}

pub(crate) fn no_session(source: &str, realm: &str) -> String {
    format!("{source} had mapped it to one inside end, but no session of realm {realm} held that end, so the subscriber is not known")
}

pub(crate) fn plain_holder(claim: &Claim) -> String {
    format!("the address is not translated, and {} names the one session that held it", claim.clock.fact.name)
}

pub(crate) fn sessions(many: usize, translated: bool) -> String {
    let what = if translated { "the inside end is known, but" } else { "the address is not translated, and" };
    format!("{what} {many} sessions claim it within the tolerance: a narrower skew may part them")
}

pub(crate) fn plain_realms() -> String {
    "sessions of more than one realm hold this address: it is an inside address, so ask for the public address and port instead".to_owned()
}

pub(crate) fn several(question: &Question, code: Code, holders: &[Holder]) -> String {
    let many = holders.iter().filter(|h| h.certain).count();
    match code {
        Code::Protocols => format!("{many} inside ends held the port, with different protocols: ask again with the protocol"),
        Code::Realms => {
            format!("{many} inside ends of different realms held the port: two exporters say that they translate to this address")
        }
        Code::Remotes if question.remote.is_some() => {
            format!("{many} inside ends held the port at the same time, and the remote end that would part them was not kept")
        }
        Code::Remotes => {
            format!("{many} inside ends held the port at the same time towards different remote ends: ask again with the remote end")
        }
        _ => {
            format!("the port passed on within the tolerance: {many} inside ends held it one after another; a narrower skew may part them")
        }
    }
}

/// What is wrong, as a clause after which a consequence may follow.
fn trouble(doubt: Doubt, source: &str) -> String {
    match doubt {
        Doubt::EndsDiffer => format!("{source} named one inside end when the mapping began and another when it ended"),
        Doubt::StartLost => format!("{source} did not tell when it began"),
        Doubt::EndLost => format!("{source} did not tell when it ended"),
        Doubt::Gap => format!("records of {source} were lost between the last evidence and the moment"),
        Doubt::Unread => format!("input of {source} lies here that cannot be read yet, for want of its template"),
        Doubt::Silent => format!("{source} has sent nothing later than the moment"),
        Doubt::BeforeRecords => format!("the moment lies before the first records that are kept of {source}"),
    }
}

pub(crate) fn mapping_in_doubt(doubt: Doubt, source: &str, holders: usize) -> String {
    let rest =
        if holders > 1 { "so not all inside ends listed need have held it" } else { "so the inside end listed need not have held it" };
    format!("{}, {rest}", trouble(doubt, source))
}

pub(crate) fn only_nearby(doubt: Doubt, source: &str) -> String {
    format!(
        "the one mapping known lies beside the moment, within the tolerance, and {}: another may have held the port",
        trouble(doubt, source)
    )
}

pub(crate) fn session_in_doubt(doubt: Doubt, claim: &Claim, translated: bool) -> String {
    let what = if translated { "the inside end is known, but" } else { "the address is not translated, but" };
    format!("{what} {}, so the session listed need not have held it", trouble(doubt, &claim.clock.fact.name))
}

pub(crate) fn sessions_in_doubt(doubt: Doubt, claim: &Claim, many: usize, translated: bool) -> String {
    let what = if translated { "the inside end is known, but" } else { "the address is not translated, and" };
    let trouble = trouble(doubt, &claim.clock.fact.name);
    format!("{what} {many} sessions may have held it within the tolerance, and {trouble}, so not all listed need have held it")
}

pub(crate) fn holders_in_doubt(doubt: Doubt, claim: &Claim, many: usize) -> String {
    let trouble = trouble(doubt, &claim.clock.fact.name);
    format!("{many} inside ends held the port within the tolerance, and {trouble}, so not all sessions listed need have held theirs")
}

pub(crate) fn vacancy_in_doubt(doubt: Doubt, source: &str) -> String {
    if source.is_empty() {
        return "mappings towards other remote ends are known, but not from when on the records are whole".to_owned();
    }
    format!("no holder is known, but {}: one may be missing", trouble(doubt, source))
}
