//! The socket: many datagrams from one call, many answers with one.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::sockopt::{Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery, set_ip_mtu_discover, set_ipv6_mtu_discover};
use rustix::net::{MMsgHdr, SendAncillaryBuffer, SendFlags, SocketAddrAny, sendmmsg};

use super::dedup::PacketKey;
use super::drops::Watch;
use super::limits::{ANSWER_WAIT_MS, ANSWERS_A_CALL, DATAGRAM_BYTES, JOINED_BYTES, READ_TIMEOUT_MS};

/// An answer that waits for its group.
pub(super) struct Reply {
    pub key: PacketKey,
    pub bytes: Vec<u8>,
}

/// A bound socket.
pub(super) struct Wire {
    pub socket: Arc<UdpSocket>,
    pub drops: Watch,
    state: Arc<UdpSocketState>,
}

/// A socket for answers.
#[derive(Clone)]
pub(super) struct Out {
    socket: Arc<UdpSocket>,
    state: Arc<UdpSocketState>,
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
        Ok(Wire { drops: Watch::new(&socket), socket: Arc::new(socket), state: Arc::new(state) })
    }

    /// The same socket, for answers from another thread.
    pub(super) fn out(&self) -> Out {
        Out { socket: Arc::clone(&self.socket), state: Arc::clone(&self.state) }
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
pub(super) fn send_all(out: &Out, mut replies: Vec<Reply>) {
    let alike = |r: &Reply| (r.key.from, r.bytes.len());
    // Answers to one sender stay in their order.
    replies.sort_by_key(alike);
    let (mut alone, mut joined) = (Vec::new(), Vec::new());
    for run in replies.chunk_by(|a, b| alike(a) == alike(b)) {
        let Some((to, len)) = run.first().map(alike) else { continue };
        let most = if len <= JOINED_BYTES { out.state.max_gso_segments() } else { 1 };
        for some in run.chunks(most.max(1)) {
            joined.clear();
            some.iter().for_each(|r| joined.extend_from_slice(&r.bytes));
            // The kernel cuts datagrams of one length apart (UDP_SEGMENT); where it cannot, they go one by one.
            let transmit = Transmit { destination: to, ecn: None, contents: &joined, segment_size: Some(len), src_ip: None };
            if some.len() == 1 || out.state.try_send(UdpSockRef::from(&*out.socket), &transmit).is_err() {
                alone.extend(some);
            }
        }
    }
    alone.chunks(ANSWERS_A_CALL).for_each(|some| send_each(&out.socket, some));
}

fn send_each(socket: &UdpSocket, replies: &[&Reply]) {
    let to: Vec<SocketAddrAny> = replies.iter().map(|r| SocketAddrAny::from(r.key.from)).collect();
    let parts: Vec<[IoSlice<'_>; 1]> = replies.iter().map(|r| [IoSlice::new(&r.bytes)]).collect();
    let mut nothing: Vec<SendAncillaryBuffer<'_, '_, '_>> = replies.iter().map(|_| SendAncillaryBuffer::default()).collect();
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_answer_reaches_its_own_sender_in_order() {
        let wire = Wire::bind("127.0.0.1:0".parse().unwrap(), 1 << 20).unwrap();
        let nases: Vec<UdpSocket> = (0..3).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
        let reply = |n: usize| {
            let from = nases[n % 3].local_addr().unwrap();
            // Now and then a longer one, with a Proxy-State.
            let mut bytes = vec![n as u8; if n.is_multiple_of(7) { 1_400 } else { 20 }];
            bytes[1] = (n >> 8) as u8;
            Reply { key: PacketKey { from, identifier: n as u8, authenticator: [0; 16] }, bytes }
        };
        send_all(&wire.out(), (0..300).map(reply).collect());
        for (nas, socket) in nases.iter().enumerate() {
            socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
            let mut got = Vec::new();
            for _ in 0..100 {
                let mut buffer = [0; 2_000];
                let n = socket.recv(&mut buffer).unwrap();
                got.push((n, usize::from(buffer[0]) | usize::from(buffer[1]) << 8));
            }
            for len in [20, 1_400] {
                let of_len: Vec<usize> = got.iter().filter(|(n, _)| *n == len).map(|(_, n)| *n).collect();
                let want: Vec<usize> = (nas..300).step_by(3).filter(|n| n.is_multiple_of(7) == (len == 1_400)).collect();
                assert_eq!(of_len, want, "of {len} bytes");
            }
        }
    }

    #[test]
    fn datagrams_are_read_apart_empty_ones_too() {
        let wire = Wire::bind("127.0.0.1:0".parse().unwrap(), 1 << 20).unwrap();
        let to = wire.socket.local_addr().unwrap();
        let nas = UdpSocket::bind("127.0.0.1:0").unwrap();
        let sent: Vec<Vec<u8>> = (0..70u8).map(|n| vec![n; usize::from(n % 5) * 900]).collect();
        for bytes in &sent {
            nas.send_to(bytes, to).unwrap();
        }
        let (mut reads, mut got) = (Reads::default(), Vec::new());
        while got.len() < sent.len() {
            if wire.wait() && wire.read(&mut reads) {
                got.extend(reads.datagrams().map(|(bytes, from)| (bytes.to_vec(), from)));
            }
        }
        assert_eq!(got, sent.into_iter().map(|bytes| (bytes, nas.local_addr().unwrap())).collect::<Vec<_>>());
    }
}
