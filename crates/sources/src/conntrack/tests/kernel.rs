//! What is said of the kernel's settings, and the check of the configuration.

use crate::conntrack::config::{Config, NamespaceConfig};
use crate::conntrack::kernel::advice;

#[test]
fn what_the_kernel_lacks_is_said_with_the_line_that_mends_it() {
    let kernel = |events: Option<&'static str>, stamps: Option<&'static str>| {
        advice(move |name| if name == "nf_conntrack_events" { events } else { stamps }.map(str::to_owned))
    };
    for (events, stamps, needed, lines) in [
        (Some("1\n"), Some("1\n"), 0, vec![]),
        (Some("2\n"), Some("1\n"), 0, vec!["sysctl -w net.netfilter.nf_conntrack_events=1"]),
        (Some("0\n"), Some("1\n"), 1, vec!["sysctl -w net.netfilter.nf_conntrack_events=1"]),
        (Some("1\n"), Some("0\n"), 0, vec!["sysctl -w net.netfilter.nf_conntrack_timestamp=1"]),
        (None, None, 1, vec!["modprobe nf_conntrack"]),
    ] {
        let got = kernel(events, stamps);
        assert_eq!(got.iter().filter(|a| a.needed).count(), needed, "{events:?} {stamps:?}");
        assert_eq!(got.len(), lines.len(), "{got:?}");
        assert!(lines.iter().zip(&got).all(|(line, a)| a.text.contains(line)), "{got:?}");
    }
}

#[test]
fn the_default_watches_the_own_namespace_and_problems_are_all_told() {
    let settings = Config::default().check().unwrap();
    assert_eq!(settings.namespaces.len(), 1);
    assert_eq!((settings.namespaces[0].netns.as_deref(), settings.reconcile_ms), (None, 300_000));
    let space = |netns: &str| NamespaceConfig { netns: netns.into(), ..NamespaceConfig::default() };
    let bad = Config {
        name: String::new(),
        connections_max: 0,
        receive_buffer: 1,
        reconcile: "soon".into(),
        namespaces: vec![
            space("a/b"),
            space("router"),
            space("router"),
            NamespaceConfig { pools: vec!["x".into()], realm: Some(String::new()), ..space("") },
        ],
        ..Config::default()
    };
    let problems = bad.check().unwrap_err();
    for key in [
        "name",
        "connections_max",
        "receive_buffer",
        "reconcile",
        "namespaces[0].netns",
        "namespaces[2].netns",
        "namespaces[3].pools[0]",
        "namespaces[3].realm",
    ] {
        assert!(problems.iter().any(|p| p.starts_with(key)), "{key}: {problems:#?}");
    }
}
