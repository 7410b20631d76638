//! The sockets: a thread a UDP socket, one for all TCP connections.

use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSockRef, UdpSocketState};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use weir_base::clock::Clock;
use weir_base::crypto::{Mac, Secret};
use weir_base::task::{Stop, Tasks};
use weir_record::sink::RecordSink;

use super::collector::Transport;
use super::config::Settings;
use super::lane::{Intake, Lane};
use super::limits::{BATCH_WAIT_MS, DATAGRAM_BYTES, GATHER_MS, READS, TICK_MS};
use super::tcp;
use crate::radius::drops::Watch;

/// A running server.
#[derive(Clone, Debug)]
pub struct Server {
    udp: Vec<SocketAddr>,
    tcp: Vec<SocketAddr>,
}

impl Server {
    /// Binds the sockets of `settings`, takes back the state, and starts the threads under `tasks`. `key` is the key of remote
    /// fingerprints; without it the policy `fingerprint` keeps nothing.
    ///
    /// # Errors
    /// A sentence that says what could not be had and what to do.
    pub fn start(
        settings: Settings,
        sink: &Arc<dyn RecordSink>,
        clock: &Arc<dyn Clock>,
        key: Option<&Secret>,
        tasks: &Tasks,
    ) -> Result<Server, String> {
        let settings = Arc::new(settings);
        let lane = |transport, address: SocketAddr| {
            let word = if transport == Transport::Udp { "udp" } else { "tcp" };
            // The configured address names the state, so that it is found again.
            Lane::new(&settings, sink, clock, transport, &format!("{word}:{address}"), key.map(Mac::new))
                .map_err(|e| format!("ipfix cannot start on {address}: {e}"))
        };
        let mut server = Server { udp: Vec::new(), tcp: Vec::new() };
        for (i, address) in settings.udp.iter().enumerate() {
            let socket = bind(*address, settings.receive_buffer).map_err(|e| cannot(*address, "UDP", &e))?;
            server.udp.push(socket.local_addr().map_err(|e| cannot(*address, "UDP", &e))?);
            let mut lane = lane(Transport::Udp, *address)?;
            let state = UdpSocketState::new(UdpSockRef::from(&socket)).map_err(|e| cannot(*address, "UDP", &e))?;
            spawn(tasks, &format!("ipfix-udp-{i}"), move |stop| serve(&socket, &state, &mut lane, stop))?;
        }
        for (i, address) in settings.tcp.iter().enumerate() {
            let listener = TcpListener::bind(address).map_err(|e| cannot(*address, "TCP", &e))?;
            listener.set_nonblocking(true).map_err(|e| cannot(*address, "TCP", &e))?;
            server.tcp.push(listener.local_addr().map_err(|e| cannot(*address, "TCP", &e))?);
            let mut lane = lane(Transport::Tcp, *address)?;
            spawn(tasks, &format!("ipfix-tcp-{i}"), move |stop| tcp::serve(&listener, &mut lane, stop))?;
        }
        Ok(server)
    }

    /// Where it listens on UDP; with the port the kernel chose where the configured one was 0.
    pub fn udp(&self) -> &[SocketAddr] {
        &self.udp
    }

    /// The same for TCP.
    pub fn tcp(&self) -> &[SocketAddr] {
        &self.tcp
    }
}

fn cannot(address: SocketAddr, what: &str, error: &io::Error) -> String {
    format!("ipfix cannot listen on {address} ({what}): {error}; is another collector running there?")
}

fn spawn(tasks: &Tasks, name: &str, body: impl FnOnce(&Stop) + Send + 'static) -> Result<(), String> {
    tasks.spawn(name, body).map_err(|e| format!("no thread for {name}: {e}"))
}

/// A socket on this address.
pub(crate) fn bind(address: SocketAddr, receive_buffer: usize) -> io::Result<UdpSocket> {
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
pub(crate) fn serve<C: Intake>(socket: &UdpSocket, state: &UdpSocketState, lane: &mut Lane<C>, stop: &Stop) {
    let mut buffers = vec![vec![0u8; DATAGRAM_BYTES]; BATCH_SIZE];
    let mut drops = Watch::new(socket);
    let mut gathered = false;
    while !stop.is_raised() {
        if !gathered {
            wait(&mut [PollFd::new(socket, PollFlags::IN)], lane.waits());
        }
        let drained = (0..READS).any(|_| {
            // Nothing there; or an error a datagram brought with it (ICMP), which the next read does not see again.
            !matches!(receive(socket, state, lane, &mut buffers, stop), Ok(true))
        });
        if lane.turn(stop) {
            let lost = drops.more();
            if lost > 0 {
                lane.collector.kernel_dropped(lost, lane.now());
            }
        }
        // Waking up for each datagram costs more than reading it.
        gathered = drained && lane.waits();
        if gathered {
            stop.wait(Duration::from_millis(GATHER_MS));
        }
    }
    lane.finish();
}

/// Waits for input, not longer than the batch under way or the next look at what is due may.
pub fn wait(sockets: &mut [PollFd<'_>], rows_wait: bool) {
    let ms = if rows_wait { BATCH_WAIT_MS } else { TICK_MS };
    let limit = Timespec { tv_sec: 0, tv_nsec: ms * 1_000_000 };
    // An interrupted wait is a short one.
    let _ = poll(sockets, Some(&limit));
}

/// One batched read; false when nothing more is there or the program stops. The datagrams are decoded where the kernel put them.
fn receive<C: Intake>(
    socket: &UdpSocket,
    state: &UdpSocketState,
    lane: &mut Lane<C>,
    buffers: &mut [Vec<u8>],
    stop: &Stop,
) -> io::Result<bool> {
    let mut metas = [RecvMeta::default(); BATCH_SIZE];
    let count = {
        let mut slices: Vec<IoSliceMut<'_>> = buffers.iter_mut().map(|b| IoSliceMut::new(b)).collect();
        match state.recv(UdpSockRef::from(socket), &mut slices, &mut metas) {
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            other => other?,
        }
    };
    let now = lane.now();
    for (meta, buffer) in metas.iter().zip(buffers.iter()).take(count) {
        let bytes = buffer.get(..meta.len).unwrap_or_default();
        if bytes.is_empty() && !lane.message(meta.addr, 0, now, bytes, stop) {
            return Ok(false);
        }
        // The kernel joins datagrams of one length (UDP_GRO); `stride` cuts them apart again.
        for datagram in bytes.chunks(meta.stride.max(1)) {
            if !lane.message(meta.addr, 0, now, datagram, stop) {
                return Ok(false);
            }
        }
    }
    Ok(count == BATCH_SIZE)
}
