//! A packet socket (packet(7)) that hears DHCP on one interface, and what the kernel dropped of it.

use std::io::{self, Read};
use std::os::fd::AsFd;

use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::netdevice::name_to_index;
use socket2::{Domain, Protocol, SockFilter, Socket, Type};

use super::filter;
use super::limits::RECEIVE_BUFFER;
use crate::conntrack::netlink::{attributes, messages};
use crate::conntrack::socket::ask;

/// Every protocol, in network byte order: only then what this machine sends is heard too (`ETH_P_ALL`).
const EVERY_PROTOCOL: u16 = 3;

/// `SOCK_DIAG_BY_FAMILY`, the family, and which part of the answer is wanted (linux/packet_diag.h).
const BY_FAMILY: u16 = 20;
const AF_PACKET: u8 = 17;
const SHOW_MEMINFO: u32 = 0x10;
const MEMINFO: u16 = 6;
/// Place of the drops among the numbers of `MEMINFO` (linux/sock_diag.h, `SK_MEMINFO_DROPS`).
const DROPS: usize = 8;

/// What a read gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A frame of so many bytes.
    Frame(usize),
    /// Nothing is there.
    Nothing,
}

/// The socket.
pub struct Packets {
    socket: Socket,
    interface: String,
    index: u32,
    inode: u64,
    dropped: u32,
}

/// Says that there is no such interface.
fn no_interface(interface: &str, error: &io::Error) -> String {
    format!("there is no interface {interface} ({error}): write one that `ip link` shows, or wait for it to come")
}

/// The same for a name that is only looked at: no right is needed for it. None where there is one, or where the kernel cannot be asked.
pub fn missing(interface: &str) -> Option<String> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).ok()?;
    match name_to_index(&socket, interface) {
        Err(error) if error == rustix::io::Errno::NODEV => Some(no_interface(interface, &error.into())),
        _ => None,
    }
}

impl Packets {
    /// Opens it. Frames that were there before the kernel knew which ones are wanted are thrown away.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub fn open(interface: &str) -> Result<Packets, String> {
        let protocol = Protocol::from(i32::from(EVERY_PROTOCOL.to_be()));
        let cannot = |e: io::Error| format!("DHCP on {interface} cannot be captured: {e}");
        let socket = Socket::new(Domain::PACKET, Type::RAW, Some(protocol)).map_err(|e| match e.kind() {
            io::ErrorKind::PermissionDenied => {
                format!(
                    "the kernel refuses to capture ({e}): give the program CAP_NET_RAW, in its unit file AmbientCapabilities=CAP_NET_RAW"
                )
            }
            _ => cannot(e),
        })?;
        let index = name_to_index(&socket, interface).map_err(|e| no_interface(interface, &e.into()))?;
        // A smaller one than asked for is a loss that is noticed sooner.
        let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
        let program: Vec<SockFilter> =
            filter::program(index).into_iter().map(|(code, yes, no, k)| SockFilter::new(code, yes, no, k)).collect();
        socket.attach_filter(&program).map_err(cannot)?;
        socket.set_nonblocking(true).map_err(cannot)?;
        let inode = rustix::fs::fstat(&socket).map_err(|e| cannot(e.into()))?.st_ino;
        let mut packets = Packets { socket, interface: interface.to_owned(), index, inode, dropped: 0 };
        let mut buffer = [0; 64];
        while packets.read(&mut buffer).map_err(cannot)? != Heard::Nothing {}
        packets.dropped = packets.counter().unwrap_or(0);
        Ok(packets)
    }

    /// Reads one frame into `buffer`.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<Heard> {
        match (&self.socket).read(buffer) {
            Ok(n) => Ok(Heard::Frame(n)),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(Heard::Nothing),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => Ok(Heard::Nothing),
            Err(e) => Err(e),
        }
    }

    /// Waits for a frame, at most `ms` milliseconds.
    pub fn wait(&self, ms: i64) {
        let limit = Timespec { tv_sec: ms / 1_000, tv_nsec: ms % 1_000 * 1_000_000 };
        // An interrupted wait is a short one.
        let _ = poll(&mut [PollFd::new(&self.socket.as_fd(), PollFlags::IN)], Some(&limit));
    }

    /// False when the interface is gone, or another one has its name.
    pub fn is_there(&self) -> bool {
        name_to_index(&self.socket, &self.interface).is_ok_and(|index| index == self.index)
    }

    /// Frames dropped since the last call because the buffer was full; none where the kernel does not tell.
    pub fn lost(&mut self) -> Option<u64> {
        let now = self.counter()?;
        Some(u64::from(now.wrapping_sub(std::mem::replace(&mut self.dropped, now))))
    }

    fn counter(&self) -> Option<u32> {
        // struct packet_diag_req: family, protocol, padding, inode, what to show, cookie.
        let mut request = vec![AF_PACKET, 0, 0, 0];
        request.extend([0, SHOW_MEMINFO, 0, 0].into_iter().flat_map(u32::to_ne_bytes));
        let mut found = None;
        ask(NETLINK_SOCK_DIAG, BY_FAMILY, &request, &mut |answer| found = found.or_else(|| drops_of(answer, self.inode))).ok()?;
        found
    }
}

/// The drops of the socket with this inode in one datagram of the answer.
fn drops_of(answer: &[u8], inode: u64) -> Option<u32> {
    let word = |bytes: &[u8], at: usize| bytes.get(at..)?.first_chunk().copied().map(u32::from_ne_bytes);
    messages(answer).flatten().find_map(|message| {
        // struct packet_diag_msg: family, type, protocol, inode, cookie.
        let (head, rest) = message.body.split_at_checked(16)?;
        let of = word(head, 4).filter(|_| head.first() == Some(&AF_PACKET))?;
        let memory = attributes(rest, 0).flatten().find_map(|(_, (kind, value))| (kind == MEMINFO).then_some(value))?;
        (u64::from(of) == inode).then(|| word(memory, DROPS * 4)).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_answer_is_read_by_inode() {
        let answer = |inode: u32, drops: u32| {
            let mut body = vec![AF_PACKET, 3, 0, 3];
            body.extend([inode, 1, 2].into_iter().flat_map(u32::to_ne_bytes));
            body.extend([40u16, MEMINFO].into_iter().flat_map(u16::to_ne_bytes));
            body.extend([0, 212_992, 0, 0, 0, 0, 0, 0, drops].into_iter().flat_map(u32::to_ne_bytes));
            let mut bytes = (16 + body.len() as u32).to_ne_bytes().to_vec();
            bytes.extend([BY_FAMILY, 2].into_iter().flat_map(u16::to_ne_bytes));
            bytes.extend([1u32, 0].into_iter().flat_map(u32::to_ne_bytes));
            [bytes, body].concat()
        };
        let both = [answer(41, 5), answer(42, 7)].concat();
        assert_eq!((drops_of(&both, 41), drops_of(&both, 42), drops_of(&both, 43)), (Some(5), Some(7), None));
        for cut in 0..both.len() {
            drops_of(&both[..cut], 42);
        }
    }
}
