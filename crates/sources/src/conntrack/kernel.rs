//! What the kernel must be told so that connection tracking tells us everything. Pure: who asks reads the files.

/// Where the settings of a network namespace lie; a thread sees those of its own.
pub const FOLDER: &str = "/proc/sys/net/netfilter";

/// What a setting does to the records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// True when without it there is nothing to record.
    pub needed: bool,
    /// What is wrong, and the line that mends it.
    pub text: String,
}

/// What the settings of a namespace lack. `read` gives the text of a file of [`FOLDER`]; none where there is no such file.
pub fn advice(read: impl Fn(&str) -> Option<String>) -> Vec<Advice> {
    let value = |name: &str| read(name).and_then(|t| t.trim().parse::<u32>().ok());
    let mut all = Vec::new();
    match value("nf_conntrack_events") {
        None => all
            .push(Advice { needed: true, text: "the kernel tracks no connections: modprobe nf_conntrack nf_conntrack_netlink".to_owned() }),
        Some(0) => all.push(lacks(true, "nf_conntrack_events", "the kernel tells no events of connections")),
        Some(1) => {}
        // 2: a connection gets events only when somebody listened at its begin.
        Some(_) => all.push(lacks(false, "nf_conntrack_events", "connections that begin while Weir does not run end unseen")),
    }
    if value("nf_conntrack_timestamp") == Some(0) {
        let why = "connections carry no times: they count from when their events arrive, and what is found open has no known begin";
        all.push(lacks(false, "nf_conntrack_timestamp", why));
    }
    all
}

fn lacks(needed: bool, name: &str, why: &str) -> Advice {
    let line = format!("sysctl -w net.netfilter.{name}=1\n  echo 'net.netfilter.{name}=1' >> /etc/sysctl.d/60-weir.conf");
    Advice { needed, text: format!("{why}. Mend it with:\n  {line}") }
}

/// The advice for the namespace of this thread.
pub fn here() -> Vec<Advice> {
    advice(|name| std::fs::read_to_string(format!("{FOLDER}/{name}")).ok())
}
