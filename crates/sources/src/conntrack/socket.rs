//! The two netlink sockets of a namespace: one hears events, one asks for dumps; the second serves other sources too.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_NETFILTER};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::sockopt::{set_socket_recv_buffer_size, set_socket_recv_buffer_size_force};

use super::limits::{DATAGRAM_BYTES, DUMP_WAIT_MS};
use super::netlink::{NLM_F_DUMP_INTR, NLMSG_DONE, NLMSG_OVERRUN, error_number, messages};

/// Bits of the multicast groups `NFNLGRP_CONNTRACK_NEW` (1) and `NFNLGRP_CONNTRACK_DESTROY` (3).
const GROUPS: u32 = 1 | 1 << 2;

/// `NLM_F_REQUEST` and `NLM_F_DUMP`.
const DUMP_FLAGS: u16 = 1 | 0x300;
/// `NFNL_SUBSYS_CTNETLINK` and `IPCTNL_MSG_CT_GET`.
const GET: u16 = 1 << 8 | 1;

/// What a read gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A datagram.
    Datagram,
    /// Nothing is there.
    Nothing,
    /// The kernel's buffer was full and events are lost (`ENOBUFS`).
    Lost,
}

/// The socket that hears events.
pub struct Events(Socket);

impl Events {
    /// Opens it in the network namespace of this thread.
    pub fn open(receive_buffer: usize) -> io::Result<Events> {
        let mut socket = Socket::new(NETLINK_NETFILTER)?;
        // Beyond net.core.rmem_max only CAP_NET_ADMIN may ask, which this needs anyway.
        if set_socket_recv_buffer_size_force(&socket, receive_buffer).is_err() {
            let _ = set_socket_recv_buffer_size(&socket, receive_buffer);
        }
        socket.bind(&SocketAddr::new(0, GROUPS))?;
        socket.set_non_blocking(true)?;
        Ok(Events(socket))
    }

    /// Reads one datagram into `buffer`.
    pub fn read(&self, buffer: &mut Vec<u8>) -> io::Result<Heard> {
        buffer.clear();
        buffer.reserve(DATAGRAM_BYTES);
        match self.0.recv(buffer, 0) {
            Ok(_) => Ok(Heard::Datagram),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(Heard::Nothing),
            Err(e) if Errno::from_io_error(&e) == Some(Errno::NOBUFS) => Ok(Heard::Lost),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => Ok(Heard::Nothing),
            Err(e) => Err(e),
        }
    }

    /// Waits for an event, at most `ms` milliseconds.
    pub fn wait(&self, ms: i64) {
        wait(self.0.as_fd(), ms);
    }
}

fn wait(fd: BorrowedFd<'_>, ms: i64) -> bool {
    let limit = Timespec { tv_sec: ms / 1_000, tv_nsec: ms % 1_000 * 1_000_000 };
    // An interrupted wait is a short one.
    poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&limit)).is_ok_and(|n| n > 0)
}

/// How a dump ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dumped {
    /// Everything was shown.
    Whole,
    /// The table was rebuilt under the dump: it must be asked again.
    Interrupted,
}

/// Asks for the whole table; `take` gets every datagram of it.
pub fn dump(take: &mut dyn FnMut(&[u8])) -> io::Result<Dumped> {
    // struct nfgenmsg: every family, version 0, resource 0.
    ask(NETLINK_NETFILTER, GET, &[0; 4], take)
}

/// Asks the kernel for a dump: the netlink protocol, the kind of the request and what follows its header.
pub(crate) fn ask(protocol: isize, kind: u16, body: &[u8], take: &mut dyn FnMut(&[u8])) -> io::Result<Dumped> {
    let mut socket = Socket::new(protocol)?;
    socket.bind_auto()?;
    socket.set_non_blocking(true)?;
    let sequence: u32 = 1;
    let mut request = u32::try_from(16 + body.len()).unwrap_or(u32::MAX).to_ne_bytes().to_vec();
    request.extend([kind, DUMP_FLAGS].into_iter().flat_map(u16::to_ne_bytes));
    request.extend([sequence, 0].into_iter().flat_map(u32::to_ne_bytes));
    request.extend(body);
    socket.send_to(&request, &SocketAddr::new(0, 0), 0)?;
    let mut buffer = Vec::with_capacity(DATAGRAM_BYTES);
    let mut whole = Dumped::Whole;
    loop {
        buffer.clear();
        buffer.reserve(DATAGRAM_BYTES);
        match socket.recv(&mut buffer, 0) {
            Ok(_) => {}
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) if e.kind() == io::ErrorKind::WouldBlock && wait(socket.as_fd(), DUMP_WAIT_MS) => continue,
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Err(io::Error::other("the kernel does not answer")),
            Err(e) => return Err(e),
        }
        for message in messages(&buffer).flatten().filter(|m| m.sequence == sequence) {
            if let Some(number) = error_number(&message).filter(|n| *n != 0) {
                return Err(io::Error::from_raw_os_error(number.saturating_neg()));
            }
            if message.flags & NLM_F_DUMP_INTR != 0 || message.kind == NLMSG_OVERRUN {
                whole = Dumped::Interrupted;
            }
            if message.kind == NLMSG_DONE {
                return Ok(whole);
            }
        }
        take(&buffer);
    }
}
