//! Real DHCP between two network namespaces: dnsmasq and udhcpc, over IPv6 dnsmasq and ISC dhclient.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// A server and a client with one wire between them: `s0` (192.0.2.1) here, `c0` in the namespace `client`.
pub const NET: &str = "mount -t tmpfs none /run
mkdir -p /run/netns /run/kea
ip link set lo up
ip netns add client
ip link add name s0 type veth peer name c0 netns client
ip link set s0 up
ip addr add 192.0.2.1/24 dev s0
ip -n client link set lo up
ip -n client link set c0 up
";

/// The same for IPv6: `s0` is 2001:db8:64::1, `c0` has the hardware address [`MAC6`]. It is ready once `c0` has an address of its link.
pub const NET6: &str = "mount -t tmpfs none /run
mkdir -p /run/netns
ip link set lo up
ip netns add client
ip link add name s0 type veth peer name c0 netns client
ip -n client link set c0 address 02:00:00:00:00:0c
ip link set s0 up
ip addr add 2001:db8:64::1/64 dev s0 nodad
ip -n client link set lo up
ip -n client link set c0 up
until ip -n client -6 addr show dev c0 scope link -tentative | grep -q fe80; do :; done
";

/// The hardware address of the client in [`NET6`].
pub const MAC6: &str = "02:00:00:00:00:0c";

/// A program, until dropped.
pub struct Server(pub Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// dnsmasq on `s0` that hands out 192.0.2.10 to .20; its lease file is `leases`.
///
/// # Panics
/// When it does not start.
pub fn dnsmasq(dir: &Path, leases: &Path) -> Server {
    let mut dnsmasq = Command::new("dnsmasq");
    // In the foreground as who it is: a user namespace has no other users. Bound to its interface alone, it lives on when that is made anew.
    dnsmasq.args(["-d", "-C", "/dev/null", "-p", "0", "-i", "s0", "--dhcp-range=192.0.2.10,192.0.2.20,1h", "--no-ping", "-x"]);
    dnsmasq.arg(dir.join("pid")).arg(format!("--dhcp-leasefile={}", leases.display()));
    Server(dnsmasq.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("dnsmasq starts"))
}

/// udhcpc that holds a lease until [`Client::release`].
pub struct Client {
    child: Server,
    /// The address it was given.
    pub address: String,
}

impl Client {
    /// Gets a lease with this hardware address and sets it.
    ///
    /// # Panics
    /// When none is given.
    pub fn lease(dir: &Path, mac: &str) -> Client {
        let script = crate::workspace().join("crates/testkit/scripts/leased");
        let answer = dir.join(format!("leased-{}", mac.replace(':', "")));
        let _ = fs::remove_file(&answer);
        let set = Command::new("ip").args(["-n", "client", "link", "set", "c0", "address", mac]).status();
        assert!(set.is_ok_and(|s| s.success()), "the hardware address is set");
        let mut client = Command::new("ip");
        client.args(["netns", "exec", "client", "udhcpc", "-B", "-i", "c0", "-f", "-R", "-n", "-t", "20", "-T", "1", "-s"]).arg(script);
        client.env("LEASED", &answer).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = Server(client.spawn().expect("udhcpc starts"));
        while !answer.exists() {
            assert!(child.0.try_wait().expect("its state").is_none(), "no lease for {mac}");
        }
        let address = fs::read_to_string(answer).expect("the address").trim().to_owned();
        Client { child, address }
    }

    /// Gives the lease back and ends.
    ///
    /// # Panics
    /// When it cannot be told to.
    pub fn release(mut self) {
        kill_process(Pid::from_child(&self.child.0), Signal::TERM).expect("a signal");
        self.child.0.wait().expect("its end");
    }
}

/// dnsmasq on `s0` of [`NET6`] that hands out 2001:db8:64::100 to ::200 and tells of all it does in `log`.
///
/// # Panics
/// When it does not start.
pub fn dnsmasq6(dir: &Path, leases: &Path, log: &Path) -> Server {
    let mut dnsmasq = Command::new("dnsmasq");
    dnsmasq.args([
        "-d",
        "-C",
        "/dev/null",
        "-p",
        "0",
        "-i",
        "s0",
        "--dhcp-range=2001:db8:64::100,2001:db8:64::200,64,1h",
        "--log-dhcp",
        "-x",
    ]);
    dnsmasq.arg(dir.join("pid")).arg(format!("--dhcp-leasefile={}", leases.display()));
    dnsmasq.arg(format!("--log-facility={}", log.display()));
    Server(dnsmasq.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("dnsmasq starts"))
}

/// ISC dhclient over IPv6 in `client`, with what it remembers in `dir`: one that remembers a lease asks whether it still holds. It sets no address.
///
/// # Panics
/// When it does not start.
pub fn dhclient6(dir: &Path, more: &[&str]) -> Server {
    let mut client = Command::new("ip");
    // A program that does nothing and that nobody writes: one that a test writes may not be run while another process still holds it open.
    client.args(["netns", "exec", "client", "dhclient", "-6", "-d", "-D", "LL", "-cf", "/dev/null", "-sf", "/bin/true"]);
    // No file of its number: it would end whoever has that number now.
    client.arg("-lf").arg(dir.join("dhclient.leases")).arg("--no-pid").args(more).arg("c0");
    Server(client.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("dhclient starts"))
}
