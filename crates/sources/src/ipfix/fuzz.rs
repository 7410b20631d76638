//! Entry points for fuzzing: any bytes, no panic, limits kept.

use std::sync::Arc;

use weir_base::time::Millis;

use super::collector::{Collector, Transport};
use super::config::Settings;
use super::parser::{self, Version};
use super::prepared::{MemoryRegister, loopback, loopback_settings};
use super::profile::Profile;
use super::template::Templates;

/// Feeds the whole collector with several messages cut from `data`: each begins with two bytes of length and one that chooses the time
/// that passes before it and the sender. Messages of version 9 and 10 get their right length in the header, so that fuzzing is not spent
/// on guessing it.
pub fn ipfix_message(data: &[u8]) {
    let (profile, mut rest) = data.split_first().map_or((0, data), |(p, rest)| (usize::from(*p), rest));
    let mut settings: Settings = loopback_settings();
    if let Some(mut rule) = settings.rule(loopback().ip().into(), 0) {
        rule.profile = Profile::ALL.get(profile % Profile::ALL.len()).copied().unwrap_or_default();
        settings.rules.push(rule);
    }
    let register = MemoryRegister::default();
    let mut collector = Collector::new(Arc::new(settings), Box::new(register), Transport::Udp, "fuzz", None);
    let (mut now, mut groups) = (1_700_000_000_000, Vec::new());
    while let Some(([a, b, how], tail)) = rest.split_first_chunk::<3>() {
        let len = usize::from(u16::from_be_bytes([*a, *b])).min(tail.len());
        let (message, tail) = tail.split_at(len);
        rest = tail;
        now += i64::from(how >> 1) * 400;
        let mut message = message.to_vec();
        if let Some([0, 10, high, low, ..]) = message.get_mut(..).filter(|_| how & 1 == 0) {
            [*high, *low] = (len as u16).to_be_bytes();
        }
        let _ = collector.message(loopback(), 0, Millis(now), &message);
        collector.tick(Millis(now));
        groups.extend(collector.take());
    }
    collector.stop(Millis(now));
    groups.extend(collector.take());
    for group in &groups {
        assert_eq!(weir_record::group::check(group), Ok(()));
    }
    // What was written is read back by the next run.
    let state: Vec<_> = groups.into_iter().flat_map(|g| g.state).filter_map(|p| Some((p.key, p.value?))).collect();
    let mut next = Collector::new(Arc::new(loopback_settings()), Box::new(MemoryRegister::default()), Transport::Udp, "fuzz", None);
    assert_eq!(next.restore(&state, Millis(now)), Ok(()));
}

/// Reads template sets, compiles what they announce, and reads back what would be stored of it.
pub fn ipfix_template(data: &[u8]) {
    let Some((how, body)) = data.split_first() else { return };
    let version = if how & 1 == 0 { Version::Ipfix } else { Version::V9 };
    let profile = Profile::ALL.get(usize::from(how >> 2) % Profile::ALL.len()).copied().unwrap_or_default();
    let mut templates = Templates::new(version, profile);
    let (announcements, _) = parser::templates(version, how & 2 != 0, body);
    for announcement in announcements {
        templates.apply(announcement, Millis(0));
    }
    for id in templates.ids() {
        let value = templates.encode(id).unwrap_or_default();
        let mut back = Templates::new(version, profile);
        assert!(back.restore(id, &value, Millis(0)));
        assert_eq!(back.get(id).map(|k| &k.template), templates.get(id).map(|k| &k.template));
    }
}
