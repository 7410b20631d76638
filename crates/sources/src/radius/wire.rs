//! The socket: many datagrams from one call, many answers with one.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSockRef, UdpSocketState};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::sockopt::{Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery, set_ip_mtu_discover, set_ipv6_mtu_discover};
use rustix::net::{MMsgHdr, SendAncillaryBuffer, SendFlags, SocketAddrAny, sendmmsg};

use super::dedup::PacketKey;
use super::drops::Watch;
use super::limits::{ANSWER_WAIT_MS, ANSWERS_A_CALL, DATAGRAM_BYTES, READ_TIMEOUT_MS};

/// An answer that waits for its group.
pub(super) struct Reply {
    pub key: PacketKey,
    pub bytes: Vec<u8>,
}

/// A bound socket.
pub(super) struct Wire {
    pub socket: Arc<UdpSocket>,
    pub drops: Watch,
    state: UdpSocketState,
}

/// What one read brought.
pub(super) struct Reads {
    buffers: Vec<Vec<u8>>,
    metas: [RecvMeta; BATCH_SIZE],
    count: usize,
}

impl Default for Reads {
    fn default() -> Reads {
        Reads { buffers: vec![vec![0; DATAGRAM_BYTES]; BATCH_SIZE], metas: [RecvMeta::default(); BATCH_SIZE], count: 0 }
    }
}

impl Reads {
    /// The datagrams, each with its sender. The kernel joins those of one sender and length (UDP_GRO); `stride` cuts them apart again.
    pub(super) fn datagrams(&self) -> impl Iterator<Item = (&[u8], SocketAddr)> {
        self.metas.iter().zip(&self.buffers).take(self.count).flat_map(|(meta, buffer)| {
            let bytes = buffer.get(..meta.len).unwrap_or_default();
            let empty = bytes.is_empty().then_some(bytes);
            bytes.chunks(meta.stride.max(1)).chain(empty).map(|datagram| (datagram, meta.addr))
        })
    }
}

impl Wire {
    pub(super) fn bind(address: SocketAddr, receive_buffer: usize) -> io::Result<Wire> {
        let socket = socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::DGRAM, None)?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        // The kernel gives at most net.core.rmem_max; what it gave is enough to run, and drops are counted.
        let _ = socket.set_recv_buffer_size(receive_buffer);
        socket.bind(&address.into())?;
        let socket = UdpSocket::from(socket);
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        // An answer with many Proxy-States may be longer than the path takes at once: it goes in fragments, as the kernel does by itself.
        if address.is_ipv4() {
            set_ip_mtu_discover(&socket, Ipv4PathMtuDiscovery::WANT)?;
        } else {
            set_ipv6_mtu_discover(&socket, Ipv6PathMtuDiscovery::WANT)?;
        }
        Ok(Wire { drops: Watch::new(&socket), socket: Arc::new(socket), state })
    }

    /// Waits a little for a datagram; true when there is one.
    pub(super) fn wait(&self) -> bool {
        ready(&self.socket, PollFlags::IN, READ_TIMEOUT_MS)
    }

    /// Reads what is there, as much as one call gives; false when nothing is.
    pub(super) fn read(&self, reads: &mut Reads) -> bool {
        let mut slices: [IoSliceMut<'_>; BATCH_SIZE] = std::array::from_fn(|_| IoSliceMut::new(&mut []));
        slices.iter_mut().zip(&mut reads.buffers).for_each(|(slice, buffer)| *slice = IoSliceMut::new(buffer));
        // An error is one a datagram brought with it (ICMP), which the next read does not see again.
        reads.count = self.state.recv(UdpSockRef::from(&*self.socket), &mut slices, &mut reads.metas).unwrap_or(0);
        reads.count > 0
    }
}

fn ready(socket: &UdpSocket, what: PollFlags, ms: i64) -> bool {
    let limit = Timespec { tv_sec: 0, tv_nsec: ms * 1_000_000 };
    // An interrupted wait is a short one.
    poll(&mut [PollFd::new(socket, what)], Some(&limit)).is_ok_and(|n| n > 0)
}

/// Sends answers. One that cannot be sent is one that is lost: its packet comes again and is answered again.
pub(super) fn send_all(socket: &UdpSocket, replies: &[Reply]) {
    for some in replies.chunks(ANSWERS_A_CALL) {
        let to: Vec<SocketAddrAny> = some.iter().map(|r| SocketAddrAny::from(r.key.from)).collect();
        let parts: Vec<[IoSlice<'_>; 1]> = some.iter().map(|r| [IoSlice::new(&r.bytes)]).collect();
        let mut nothing: Vec<SendAncillaryBuffer<'_, '_, '_>> = some.iter().map(|_| SendAncillaryBuffer::default()).collect();
        let each = to.iter().zip(&parts).zip(&mut nothing);
        let mut messages: Vec<MMsgHdr<'_>> = each.map(|((to, part), nothing)| MMsgHdr::new_with_addr(to, part, nothing)).collect();
        let mut rest = messages.as_mut_slice();
        while !rest.is_empty() {
            let gone = match sendmmsg(socket, rest, SendFlags::empty()) {
                Ok(sent) => sent.max(1),
                Err(Errno::INTR) => 0,
                Err(Errno::AGAIN) if ready(socket, PollFlags::OUT, ANSWER_WAIT_MS) => 0,
                Err(Errno::AGAIN) => return,
                // This one; those behind it may have a way.
                Err(_) => 1,
            };
            rest = rest.get_mut(gone..).unwrap_or_default();
        }
    }
}
