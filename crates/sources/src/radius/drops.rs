//! Datagrams the kernel dropped because a socket's buffer was full: the last column of `/proc/net/udp` and `/proc/net/udp6`.

use std::fs;
use std::net::UdpSocket;

/// Watches one socket.
#[derive(Debug)]
pub struct Watch {
    inode: u64,
    path: &'static str,
    last: u64,
}

impl Watch {
    /// A watch that counts from now.
    pub fn new(socket: &UdpSocket) -> Watch {
        let v6 = socket.local_addr().is_ok_and(|a| a.is_ipv6());
        let inode = rustix::fs::fstat(socket).map_or(0, |s| s.st_ino);
        let mut watch = Watch { inode, path: if v6 { "/proc/net/udp6" } else { "/proc/net/udp" }, last: 0 };
        watch.more();
        watch
    }

    /// Drops since the last call; 0 where the kernel does not tell.
    pub fn more(&mut self) -> u64 {
        let Some(now) = fs::read_to_string(self.path).ok().and_then(|t| drops_of(&t, self.inode)) else { return 0 };
        now.saturating_sub(std::mem::replace(&mut self.last, now))
    }
}

/// The drops of the socket with this inode: columns 10 (inode) and 13 (drops), counted from 1.
fn drops_of(table: &str, inode: u64) -> Option<u64> {
    table.lines().skip(1).find_map(|line| {
        let mut columns = line.split_ascii_whitespace().skip(9);
        let of: u64 = columns.next()?.parse().ok()?;
        (of == inode).then(|| columns.nth(2)?.parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_by_inode() {
        let table = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n \
            1234: 0100007F:0715 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 41 2 0000000000000000 0\n \
            1235: 0100007F:0716 00000000:0000 07 00000000:00000300 00:00000000 00000000     0        0 42 2 0000000000000000 17\n";
        assert_eq!(drops_of(table, 42), Some(17));
        assert_eq!(drops_of(table, 41), Some(0));
        assert_eq!(drops_of(table, 43), None);
        assert_eq!(drops_of("", 1), None);
    }

    #[test]
    fn a_full_socket_is_noticed() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket2::SockRef::from(&socket).set_recv_buffer_size(4096).unwrap();
        let mut watch = Watch::new(&socket);
        let to = socket.local_addr().unwrap();
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        for _ in 0..200 {
            sender.send_to(&[0; 1000], to).unwrap();
        }
        assert!(watch.more() > 100, "200 datagrams cannot fit into some KiB");
        assert_eq!(watch.more(), 0, "each drop is told once");
    }
}
