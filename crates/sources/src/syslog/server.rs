//! The sockets: a thread a UDP socket (RFC 5426), one for all connections.

use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSockRef, UdpSocketState};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use weir_base::clock::Clock;
use weir_base::crypto::{Mac, Secret};
use weir_base::net::Addr16;
use weir_base::task::{Stop, Tasks};
use weir_record::sink::{RecordSink, SubjectIds};

use super::config::{Config, Settings};
use super::dialect::{Dialect, Table};
use super::engine::{Engine, Origin};
use super::hub::{Hub, Wake};
use super::limits::{BATCH_WAIT_MS, DATAGRAM_BYTES, DIALECT_BYTES, DIALECT_FILES, LINE_BYTES, READS, TICK_MS};
use super::out::Acks;
use super::stream::{Speaks, Streams, listen};
use super::tls;
use crate::radius::drops::Watch;

/// Why a datagram without a byte, or of nothing but newlines and NUL, is malformed.
const EMPTY: &str = "syslog.empty";

/// A running server: where it listens, with the ports the kernel chose where the configured ones were 0.
#[derive(Clone, Debug, Default)]
pub struct Server {
    /// UDP.
    pub udp: Vec<SocketAddr>,
    /// TCP.
    pub tcp: Vec<SocketAddr>,
    /// TLS.
    pub tls: Vec<SocketAddr>,
    /// RELP.
    pub relp: Vec<SocketAddr>,
}

/// What a server needs of the program.
pub struct Needs<'a> {
    /// Where records go.
    pub sink: &'a Arc<dyn RecordSink>,
    /// Account → opaque id.
    pub ids: &'a Arc<dyn SubjectIds>,
    /// The clock.
    pub clock: &'a Arc<dyn Clock>,
    /// The key of remote fingerprints; without it the policy `fingerprint` keeps nothing.
    pub key: Option<&'a Secret>,
    /// Its threads.
    pub tasks: &'a Tasks,
}

impl Server {
    /// Binds the sockets of `settings`, takes back the state, and starts the threads.
    ///
    /// # Errors
    /// A sentence that says what could not be had and what to do.
    pub fn start(settings: Settings, needs: &Needs<'_>) -> Result<Server, String> {
        let mut dialects = Table::built_in();
        for path in &settings.dialects {
            dialects.push(read_dialect(path).map_err(|all| all.join("\n"))?);
        }
        check_names(&dialects, &settings)?;
        let speaks_tls = settings.tls_files.as_ref().map(tls::server).transpose()?;
        let settings = Arc::new(settings);
        let acks = Acks::default();
        let wake_fd = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC).map_err(|e| format!("no event descriptor: {e}"))?;
        let wake_fd: Arc<OwnedFd> = Arc::new(wake_fd);
        let told = Arc::clone(&wake_fd);
        // A counter that is full wakes just as well.
        let wake: Wake = Arc::new(move || {
            let _ = rustix::io::write(&*told, &1u64.to_ne_bytes());
        });
        let engine = Engine::new(
            Arc::clone(&settings),
            Box::new(Arc::clone(needs.sink)),
            Arc::clone(needs.ids),
            Table::new(dialects),
            needs.key.map(Mac::new),
        );
        let hub = Arc::new(Hub::new(engine, needs.sink, needs.clock, acks.clone(), wake));
        let mut server = Server::default();
        for (i, address) in settings.udp.iter().enumerate() {
            let socket = bind(*address, settings.receive_buffer).map_err(|e| cannot(*address, "UDP", &e))?;
            server.udp.push(socket.local_addr().map_err(|e| cannot(*address, "UDP", &e))?);
            let state = UdpSocketState::new(UdpSockRef::from(&socket)).map_err(|e| cannot(*address, "UDP", &e))?;
            let hub = Arc::clone(&hub);
            hub.enter();
            spawn(needs.tasks, &format!("syslog-udp-{i}"), move |stop| serve(&socket, &state, &hub, stop))?;
        }
        let mut listeners = Vec::new();
        let mut add = |addresses: &[SocketAddr], speaks: &Speaks, bound: &mut Vec<SocketAddr>| -> Result<(), String> {
            for address in addresses {
                let listener = listen(*address).map_err(|e| cannot(*address, "TCP", &e))?;
                bound.push(listener.local_addr().map_err(|e| cannot(*address, "TCP", &e))?);
                listeners.push((listener, speaks.clone()));
            }
            Ok(())
        };
        add(&settings.tcp, &Speaks::Tcp, &mut server.tcp)?;
        add(&settings.relp, &Speaks::Relp, &mut server.relp)?;
        if let Some(config) = speaks_tls {
            add(&settings.tls, &Speaks::Tls(config), &mut server.tls)?;
        }
        if !listeners.is_empty() {
            hub.enter();
            let mut streams = Streams::new(listeners, hub, acks, wake_fd);
            spawn(needs.tasks, "syslog-streams", move |stop| streams.run(stop))?;
        }
        Ok(server)
    }
}

/// Reads a dialect file of the operator's.
///
/// # Errors
/// Every problem, each with the file's name.
pub fn read_dialect(path: &Path) -> Result<Dialect, Vec<String>> {
    let named = |what: String| format!("dialect {}: {what}", path.display());
    let text = std::fs::File::open(path)
        .and_then(|file| {
            let mut text = String::new();
            io::Read::read_to_string(&mut io::Read::take(file, DIALECT_BYTES + 1), &mut text).map(|_| text)
        })
        .map_err(|e| vec![named(format!("cannot be read ({e}): name an existing text file"))])?;
    if text.len() as u64 > DIALECT_BYTES {
        return Err(vec![named(format!("is longer than {DIALECT_BYTES} bytes: is this the right file?"))]);
    }
    Dialect::parse(&text).map_err(|all| all.into_iter().map(named).collect())
}

/// What is wrong with the files that a configuration names, dialects and certificates, each sentence with the path of its setting before it. The
/// settings beside them may be wrong too.
pub fn check_files(config: &Config) -> Vec<String> {
    let mut dialects = Table::built_in();
    let (mut problems, mut unread) = (Vec::new(), false);
    for (i, path) in config.dialects.iter().take(DIALECT_FILES).enumerate().filter(|(_, p)| !p.as_os_str().is_empty()) {
        match read_dialect(path) {
            Ok(dialect) => dialects.push(dialect),
            Err(all) => {
                unread = true;
                problems.extend(all.into_iter().map(|what| format!("sources.syslog.dialects[{i}] {what}")));
            }
        }
    }
    problems.extend(twice_named(&dialects));
    // A dialect that could not be read may be the one that is named.
    if !unread {
        problems.extend(unknown_dialect(&dialects, config.senders.iter().map(|s| &s.dialects)));
    }
    if !config.listen_tls.is_empty() {
        problems.extend(tls::check_files("sources.syslog", &config.tls_certificate, &config.tls_key, &config.tls_clients));
    }
    problems
}

/// Names must be unique, and a sender may name only what there is.
fn check_names(dialects: &[Dialect], settings: &Settings) -> Result<(), String> {
    let wrong = twice_named(dialects).or_else(|| unknown_dialect(dialects, settings.rules.iter().map(|r| &r.dialects)));
    wrong.map_or(Ok(()), Err)
}

fn twice_named(dialects: &[Dialect]) -> Option<String> {
    let mut names: Vec<&str> = dialects.iter().map(|d| d.name.as_str()).collect();
    names.sort_unstable();
    let [name, _] = names.windows(2).find_map(|w| <&[&str; 2]>::try_from(w).ok().filter(|[a, b]| a == b))?;
    Some(format!("sources.syslog.dialects: two dialects are named {name:?}: choose another name in the file"))
}

fn unknown_dialect<'a>(dialects: &[Dialect], senders: impl Iterator<Item = &'a Vec<String>>) -> Option<String> {
    let names: Vec<&str> = dialects.iter().map(|d| d.name.as_str()).collect();
    let (i, unknown) = senders.enumerate().find_map(|(i, own)| Some((i, own.iter().find(|d| !names.contains(&d.as_str()))?)))?;
    Some(format!("sources.syslog.senders[{i}].dialects names {unknown:?}, which is not there: write {}", names.join(", ")))
}

fn cannot(address: SocketAddr, what: &str, error: &io::Error) -> String {
    let hint = if error.kind() == io::ErrorKind::PermissionDenied {
        "ports below 1024 need CAP_NET_BIND_SERVICE: choose another port or give the program that right"
    } else {
        "is another syslog server running there?"
    };
    format!("syslog cannot listen on {address} ({what}): {error}; {hint}")
}

fn spawn(tasks: &Tasks, name: &str, body: impl FnOnce(&Stop) + Send + 'static) -> Result<(), String> {
    tasks.spawn(name, body).map_err(|e| format!("no thread for {name}: {e}"))
}

fn bind(address: SocketAddr, receive_buffer: usize) -> io::Result<UdpSocket> {
    let socket = socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::DGRAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // The kernel gives at most net.core.rmem_max; what it gave is enough to run, and drops are counted.
    let _ = socket.set_recv_buffer_size(receive_buffer);
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// The thread of a UDP socket.
fn serve(socket: &UdpSocket, state: &UdpSocketState, hub: &Hub, stop: &Stop) {
    let mut buffers = vec![vec![0u8; DATAGRAM_BYTES]; BATCH_SIZE];
    let mut drops = Watch::new(socket);
    let mut watched = hub.now();
    loop {
        let ms = if hub.waits() { BATCH_WAIT_MS } else { TICK_MS };
        let stopping = stop.is_raised();
        // An interrupted wait is a short one.
        let _ = poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&Timespec { tv_sec: 0, tv_nsec: ms * 1_000_000 }));
        for _ in 0..READS {
            match receive(socket, state, hub, &mut buffers, stop) {
                Ok(true) => {}
                // Nothing there; or an error a datagram brought with it (ICMP), which the next read does not see again.
                Ok(false) | Err(_) => break,
            }
        }
        hub.turn(stop);
        let now = hub.now();
        if stopping || !(0..TICK_MS).contains(&now.since(watched)) {
            let lost = drops.more();
            if lost > 0 {
                hub.with(|e| e.kernel_dropped(lost, watched, now));
            }
            watched = now;
        }
        if stopping {
            break;
        }
    }
    hub.leave();
}

/// One batched read; false when nothing was there or the program stops. A datagram is a line (RFC 5426 section 3.1); newlines at its end
/// are not part of it.
fn receive(socket: &UdpSocket, state: &UdpSocketState, hub: &Hub, buffers: &mut [Vec<u8>], stop: &Stop) -> io::Result<bool> {
    let mut metas = [RecvMeta::default(); BATCH_SIZE];
    let count = {
        let mut slices: Vec<IoSliceMut<'_>> = buffers.iter_mut().map(|b| IoSliceMut::new(b)).collect();
        match state.recv(UdpSockRef::from(socket), &mut slices, &mut metas) {
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            other => other?,
        }
    };
    let received = hub.now();
    let datagrams = metas.iter().zip(buffers.iter()).take(count).flat_map(|(meta, buffer)| {
        let bytes = buffer.get(..meta.len).unwrap_or_default();
        // One without a byte has no pieces, and came all the same.
        let none = bytes.is_empty().then_some(bytes);
        // The kernel joins datagrams of one length (UDP_GRO); `stride` cuts them apart again.
        none.into_iter().chain(bytes.chunks(meta.stride.max(1))).map(move |datagram| (meta.addr, datagram))
    });
    let mut empty = Vec::new();
    let lines = datagrams.filter_map(|(from, datagram)| {
        let Some(last) = datagram.iter().rposition(|b| !matches!(b, b'\n' | b'\r' | 0)) else {
            empty.push((Addr16::from(from.ip()), datagram));
            return None;
        };
        let end = last + 1;
        let line = datagram.get(..end.min(LINE_BYTES))?;
        // A dual-stack socket shows IPv4 peers as mapped addresses; the 16-byte form is the same for both.
        let origin = Origin { peer: Addr16::from(from.ip()), received, stream: None, ack: None, perhaps_double: false };
        Some((origin, line, end > LINE_BYTES))
    });
    let taken = hub.lines(lines, stop);
    if !empty.is_empty() {
        hub.with(|e| empty.iter().for_each(|(peer, datagram)| e.bad_frame(*peer, received, EMPTY, datagram)));
    }
    Ok(taken && count > 0)
}
