//! IPFIX over TCP (RFC 7011 section 10.4): messages one after the other, told apart by the length in their headers.
//!
//! One thread serves all connections. While the store is behind, this thread waits for it and reads nothing, so the senders wait too.

use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};

use rustix::event::{PollFd, PollFlags};
use weir_base::task::Stop;

use super::lane::Lane;
use super::limits::{CONNECTIONS, DATAGRAM_BYTES, READS};
use super::parser::{Fault, IPFIX_HEADER, u16_at};
use super::server::wait;

struct Connection {
    stream: TcpStream,
    peer: SocketAddr,
    session: u64,
    // Bytes received and not yet a whole message; never longer than one message.
    bytes: Vec<u8>,
}

/// What reading a connection led to.
enum Next {
    Open,
    Closed,
    Stop,
}

/// The thread of a listener.
pub fn serve(listener: &TcpListener, lane: &mut Lane, stop: &Stop) {
    let mut connections: Vec<Connection> = Vec::new();
    let mut sessions = 0;
    let mut chunk = vec![0u8; DATAGRAM_BYTES];
    while !stop.is_raised() {
        let ready = ready(listener, &connections, lane.waits());
        accept(listener, &mut connections, &mut sessions, lane);
        let mut kept = Vec::with_capacity(connections.len());
        for (i, mut connection) in connections.drain(..).enumerate() {
            let due = ready.get(i).copied().unwrap_or(false);
            match if due { read(&mut connection, &mut chunk, lane, stop) } else { Next::Open } {
                Next::Open => kept.push(connection),
                Next::Closed => end(&connection, lane),
                Next::Stop => {
                    kept.push(connection);
                    break;
                }
            }
        }
        connections = kept;
        lane.turn(stop);
    }
    connections.iter().for_each(|c| end(c, lane));
    lane.finish();
}

/// Which connections have something to read.
fn ready(listener: &TcpListener, connections: &[Connection], rows_wait: bool) -> Vec<bool> {
    let mut sockets = vec![PollFd::new(listener, PollFlags::IN)];
    sockets.extend(connections.iter().map(|c| PollFd::new(&c.stream, PollFlags::IN)));
    wait(&mut sockets, rows_wait);
    sockets.iter().skip(1).map(|s| !s.revents().is_empty()).collect()
}

fn accept(listener: &TcpListener, connections: &mut Vec<Connection>, sessions: &mut u64, lane: &mut Lane) {
    for _ in 0..READS {
        let Ok((stream, peer)) = listener.accept() else { return };
        if connections.len() >= CONNECTIONS {
            lane.collector.refused(peer, lane.now(), Fault::TooManySessions, &[]);
            continue;
        }
        if stream.set_nonblocking(true).is_ok() {
            *sessions += 1;
            connections.push(Connection { stream, peer, session: *sessions, bytes: Vec::new() });
        }
    }
}

fn read(connection: &mut Connection, chunk: &mut [u8], lane: &mut Lane, stop: &Stop) -> Next {
    match connection.stream.read(chunk) {
        Ok(0) => {
            if !connection.bytes.is_empty() {
                // It was closed in the middle of a message.
                lane.collector.refused(connection.peer, lane.now(), Fault::MessageLength, &connection.bytes);
            }
            Next::Closed
        }
        Ok(n) => {
            connection.bytes.extend_from_slice(chunk.get(..n).unwrap_or_default());
            messages(connection, lane, stop)
        }
        Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Next::Open,
        Err(_) => Next::Closed,
    }
}

/// Takes the whole messages from the front of what was received.
fn messages(connection: &mut Connection, lane: &mut Lane, stop: &Stop) -> Next {
    let (now, mut at) = (lane.now(), 0);
    let next = loop {
        let rest = connection.bytes.get(at..).unwrap_or_default();
        let (Some(version), Some(length)) = (u16_at(rest, 0), u16_at(rest, 2)) else { break Next::Open };
        let length = usize::from(length);
        if version != 10 || length < IPFIX_HEADER {
            // Where the next message begins cannot be known any more (RFC 7011 section 10.4.1: close).
            let fault = if version == 10 { Fault::MessageLength } else { Fault::Version(version) };
            lane.collector.refused(connection.peer, now, fault, rest);
            break Next::Closed;
        }
        let Some(message) = rest.get(..length) else { break Next::Open };
        if !lane.message(connection.peer, connection.session, now, message, stop) {
            break Next::Stop;
        }
        at += length;
    };
    connection.bytes.drain(..at);
    next
}

fn end(connection: &Connection, lane: &mut Lane) {
    lane.collector.session_ended(connection.peer, connection.session, lane.now());
}
