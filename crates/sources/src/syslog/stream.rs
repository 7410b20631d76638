//! Connections: TCP (RFC 6587), TLS (RFC 5425), RELP. One thread serves all of them. While the store is behind it reads nothing, so that
//! the senders wait too.

use std::collections::{HashMap, VecDeque};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustls::{ServerConfig, ServerConnection};
use weir_base::net::Addr16;
use weir_base::task::Stop;
use weir_base::time::Millis;

use super::doubles::{Doubles, digest};
use super::engine::Origin;
use super::frame::Framer;
use super::hub::Hub;
use super::limits::{BATCH_WAIT_MS, CONNECTIONS, HANDSHAKE_MS, READ_BYTES, READS, TICK_MS, WRITE_BYTES};
use super::out::Acks;
use super::relp::{self, Verb};

/// What a listener speaks.
#[derive(Clone)]
pub enum Speaks {
    /// RFC 6587.
    Tcp,
    /// RFC 5425, and the same framings as over TCP: most senders do not count unless told to.
    Tls(Arc<ServerConfig>),
    /// RELP.
    Relp,
}

enum Talk {
    Lines(Framer),
    Relp(relp::Reader),
}

struct Connection {
    stream: TcpStream,
    peer: Addr16,
    number: u64,
    tls: Option<Box<ServerConnection>>,
    talk: Talk,
    since: Millis,
    // Bytes that wait to be written, before TLS.
    answers: VecDeque<u8>,
    /// The peer takes nothing any more; what it sent before is still read.
    deaf: bool,
    /// The client said goodbye: it closes once everything is answered.
    closing: bool,
    unanswered: usize,
}

/// Lines on their way to the engine, their bytes one after the other. Used again and again.
#[derive(Default)]
struct Takings {
    bytes: Vec<u8>,
    lines: Vec<Taken>,
}

/// One of them.
struct Taken {
    end: usize,
    cut: bool,
    transaction: Option<u64>,
    perhaps_double: bool,
}

impl Takings {
    fn push(&mut self, bytes: &[u8], cut: bool, transaction: Option<u64>, perhaps_double: bool) {
        self.bytes.extend_from_slice(bytes);
        self.lines.push(Taken { end: self.bytes.len(), cut, transaction, perhaps_double });
    }

    fn iter(&self) -> impl Iterator<Item = (&Taken, &[u8])> {
        let mut at = 0;
        self.lines.iter().map(move |taken| (taken, self.bytes.get(std::mem::replace(&mut at, taken.end)..taken.end).unwrap_or_default()))
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.lines.clear();
    }
}

/// The thread of all listeners.
pub struct Streams {
    listeners: Vec<(TcpListener, Speaks)>,
    hub: Arc<Hub>,
    acks: Acks,
    wake: Arc<OwnedFd>,
    connections: Vec<Connection>,
    doubles: Doubles,
    takings: Takings,
    next: u64,
}

/// What became of a connection.
enum Next {
    Open,
    Closed,
}

impl Streams {
    /// A server of these listeners. `wake` is readable when acknowledgements lie ready.
    pub fn new(listeners: Vec<(TcpListener, Speaks)>, hub: Arc<Hub>, acks: Acks, wake: Arc<OwnedFd>) -> Streams {
        let doubles = Doubles::of(hub.with(|engine| engine.answered.before()));
        Streams { listeners, hub, acks, wake, connections: Vec::new(), doubles, takings: Takings::default(), next: 0 }
    }

    /// Serves until told to stop.
    pub fn run(&mut self, stop: &Stop) {
        let mut chunk = vec![0u8; READ_BYTES];
        while !stop.is_raised() {
            let (callers, ready) = self.wait();
            let mut kept = Vec::with_capacity(self.connections.len());
            for (i, mut connection) in std::mem::take(&mut self.connections).into_iter().enumerate() {
                let due = ready.get(i).copied().unwrap_or(true);
                let next = if due { self.serve(&mut connection, &mut chunk, stop) } else { Next::Open };
                match next {
                    Next::Open => kept.push(connection),
                    Next::Closed => self.end(&connection),
                }
            }
            self.connections = kept;
            // After what ended was heard of, so that a sender that comes back meets what it left. Only who was there when the sockets were
            // looked at: a connection that ended before is then known to have ended.
            self.accept(&callers);
            self.acknowledge();
            if self.hub.turn(stop) {
                self.expire();
            }
        }
        self.stop(&mut chunk, stop);
    }

    /// Which listeners have somebody waiting, and which connections have something to read or can be written to.
    fn wait(&self) -> (Vec<bool>, Vec<bool>) {
        let mut sockets: Vec<PollFd<'_>> = self.listeners.iter().map(|(l, _)| PollFd::new(l, PollFlags::IN)).collect();
        sockets.push(PollFd::new(&*self.wake, PollFlags::IN));
        let flags = |c: &Connection| if c.wants_write() { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN };
        sockets.extend(self.connections.iter().map(|c| PollFd::new(&c.stream, flags(c))));
        let ms = if self.hub.waits() { BATCH_WAIT_MS } else { TICK_MS };
        // An interrupted wait is a short one.
        let _ = poll(&mut sockets, Some(&Timespec { tv_sec: 0, tv_nsec: ms * 1_000_000 }));
        let woken = sockets.get(self.listeners.len()).is_some_and(|s| !s.revents().is_empty());
        let mut ready: Vec<bool> = sockets.iter().map(|s| !s.revents().is_empty()).collect();
        drop(sockets);
        let connections = ready.split_off(self.listeners.len() + 1);
        if woken {
            let mut count = [0u8; 8];
            let _ = rustix::io::read(&*self.wake, &mut count);
        }
        (ready, connections)
    }

    fn accept(&mut self, callers: &[bool]) {
        for ((listener, speaks), _) in self.listeners.iter().zip(callers).filter(|(_, called)| **called) {
            for _ in 0..READS {
                let Ok((stream, from)) = listener.accept() else { break };
                let peer = Addr16::from(from.ip());
                let now = self.hub.now();
                let refusal = if self.connections.len() >= CONNECTIONS {
                    Some("syslog.too-many-connections")
                } else if !self.hub.with(|e| e.is_ours(peer)) {
                    Some("syslog.unknown-sender")
                } else {
                    None
                };
                if let Some(reason) = refusal {
                    self.hub.with(|e| e.bad_frame(peer, now, reason, &[]));
                    continue;
                }
                if stream.set_nonblocking(true).is_err() {
                    self.hub.with(|e| e.bad_frame(peer, now, "syslog.connection", &[]));
                    continue;
                }
                let _ = stream.set_nodelay(true);
                let (tls, talk) = match speaks {
                    Speaks::Tcp => (None, Talk::Lines(Framer::new())),
                    Speaks::Relp => (None, Talk::Relp(relp::Reader::default())),
                    Speaks::Tls(config) => match ServerConnection::new(Arc::clone(config)) {
                        Ok(tls) => (Some(Box::new(tls)), Talk::Lines(Framer::new())),
                        Err(_) => {
                            self.hub.with(|e| e.bad_frame(peer, now, "syslog.tls", &[]));
                            continue;
                        }
                    },
                };
                self.next += 1;
                self.doubles.opened(peer);
                self.connections.push(Connection {
                    stream,
                    peer,
                    number: self.next,
                    tls,
                    talk,
                    since: now,
                    answers: VecDeque::new(),
                    deaf: false,
                    closing: false,
                    unanswered: 0,
                });
            }
        }
    }

    fn serve(&mut self, connection: &mut Connection, chunk: &mut [u8], stop: &Stop) -> Next {
        if connection.write().is_err() && connection.is_useless() {
            return Next::Closed;
        }
        for _ in 0..READS {
            let n = match connection.read(chunk) {
                Ok(0) => return self.finish(connection, stop),
                Ok(n) => n,
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => break,
                Err(e) => {
                    if connection.tls.is_some() && e.kind() == ErrorKind::InvalidData {
                        let (peer, now) = (connection.peer, self.hub.now());
                        self.hub.with(|engine| engine.bad_frame(peer, now, "syslog.tls", &[]));
                        // The reason goes to the peer as an alert, if it still listens.
                        let _ = connection.write();
                    }
                    return self.finish(connection, stop);
                }
            };
            let good = connection.take(chunk.get(..n).unwrap_or_default(), &mut self.doubles, &mut self.takings);
            self.give(connection, stop);
            if let Err(reason) = good {
                let (peer, now) = (connection.peer, self.hub.now());
                self.hub.with(|e| {
                    e.bad_frame(peer, now, reason, chunk.get(..n).unwrap_or_default());
                    e.unframed(peer, connection.number, now);
                });
                return Next::Closed;
            }
            if connection.is_done() {
                return self.finish(connection, stop);
            }
        }
        let useless = connection.write().is_err() && connection.is_useless();
        if useless || connection.answers.len() > WRITE_BYTES { Next::Closed } else { Next::Open }
    }

    /// The peer has closed: a line without an end is a line all the same.
    fn finish(&mut self, connection: &mut Connection, stop: &Stop) -> Next {
        let Connection { talk, peer, number, .. } = connection;
        if let Talk::Lines(framer) = talk {
            framer.finish(&mut |bytes, cut| {
                let perhaps_double = self.doubles.line(*peer, *number, digest(bytes));
                self.takings.push(bytes, cut, None, perhaps_double);
            });
        }
        self.give(connection, stop);
        Next::Closed
    }

    fn give(&mut self, connection: &Connection, stop: &Stop) {
        if self.takings.lines.is_empty() {
            return;
        }
        let received = self.hub.now();
        let origin = |t: &Taken| Origin {
            peer: connection.peer,
            received,
            stream: Some(connection.number),
            ack: t.transaction.map(|n| (connection.number, n)),
            perhaps_double: t.perhaps_double,
        };
        self.hub.lines(self.takings.iter().map(|(t, bytes)| (origin(t), bytes, t.cut)), stop);
        self.takings.clear();
    }

    fn end(&mut self, connection: &Connection) {
        self.doubles.ended(connection.peer);
        self.hub.with(|e| e.connection_ended(connection.peer));
    }

    /// Answers what has become durable.
    fn acknowledge(&mut self) {
        let done = self.acks.take();
        if done.is_empty() {
            return;
        }
        let mut by_connection: HashMap<u64, Vec<u64>> = HashMap::new();
        done.into_iter().for_each(|(connection, transaction)| by_connection.entry(connection).or_default().push(transaction));
        let mut gone = Vec::new();
        for (i, connection) in self.connections.iter_mut().enumerate() {
            for transaction in by_connection.remove(&connection.number).unwrap_or_default() {
                connection.unanswered = connection.unanswered.saturating_sub(1);
                connection.answers.extend(relp::answer(transaction, "200 OK"));
            }
            if (connection.write().is_err() && connection.is_useless()) || connection.is_done() {
                gone.push(i);
            }
        }
        for i in gone.into_iter().rev() {
            let connection = self.connections.swap_remove(i);
            self.end(&connection);
        }
    }

    /// Handshakes that take too long.
    fn expire(&mut self) {
        let now = self.hub.now();
        let late = |c: &Connection| c.tls.as_ref().is_some_and(|t| t.is_handshaking()) && now.since(c.since) > HANDSHAKE_MS;
        for slow in self.connections.extract_if(.., |c| late(c)) {
            self.doubles.ended(slow.peer);
            self.hub.with(|e| e.bad_frame(slow.peer, now, "syslog.tls-handshake", &[]));
        }
    }

    /// The program stops: what came is made durable and answered, then the connections are closed.
    fn stop(&mut self, chunk: &mut [u8], stop: &Stop) {
        self.hub.finish();
        self.acknowledge();
        for mut connection in std::mem::take(&mut self.connections) {
            // Lines that have come as far as this machine are taken, and the beginning of one that did not come whole.
            if matches!(connection.talk, Talk::Lines(_)) && matches!(self.serve(&mut connection, chunk, stop), Next::Open) {
                self.finish(&mut connection, stop);
            }
            if matches!(connection.talk, Talk::Relp(_)) {
                connection.answers.extend(relp::SERVER_CLOSE);
            }
            if let Some(tls) = &mut connection.tls {
                tls.send_close_notify();
            }
            // A peer that does not take it now finds the connection closed.
            let _ = connection.write();
            self.end(&connection);
        }
        self.hub.leave();
    }
}

impl Connection {
    /// What a failed write means: without answers RELP is of no use, and the sender sends again; lines that came otherwise come once only.
    fn is_useless(&mut self) -> bool {
        self.deaf = true;
        self.answers.clear();
        matches!(self.talk, Talk::Relp(_))
    }

    fn wants_write(&self) -> bool {
        if self.deaf {
            return false;
        }
        !self.answers.is_empty() || self.tls.as_ref().is_some_and(|t| t.wants_write())
    }

    fn is_done(&self) -> bool {
        self.closing && self.unanswered == 0 && self.answers.is_empty()
    }

    /// Plain bytes; 0 when the peer has closed.
    fn read(&mut self, chunk: &mut [u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else { return self.stream.read(chunk) };
        match tls.reader().read(chunk) {
            Err(e) if e.kind() == ErrorKind::WouldBlock => {}
            // A peer that leaves without a word has closed too; lines are framed, so nothing is taken for whole that is not.
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => return Ok(0),
            other => return other,
        }
        if tls.read_tls(&mut self.stream)? == 0 {
            return Ok(0);
        }
        let state = tls.process_new_packets().map_err(|e| io::Error::new(ErrorKind::InvalidData, e))?;
        if tls.wants_write() && !self.deaf {
            // Lines may lie behind: they are read although nobody takes an answer.
            self.deaf = tls.write_tls(&mut self.stream).is_err_and(|e| !matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted));
        }
        if state.plaintext_bytes_to_read() == 0 && !state.peer_has_closed() {
            return Err(ErrorKind::Interrupted.into());
        }
        tls.reader().read(chunk).or_else(|e| if e.kind() == ErrorKind::UnexpectedEof { Ok(0) } else { Err(e) })
    }

    /// Writes what waits, as far as the peer takes it.
    fn write(&mut self) -> io::Result<()> {
        let blocked = |e: &io::Error| matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted);
        if self.deaf {
            return Ok(());
        }
        while !self.answers.is_empty() {
            let (front, _) = self.answers.as_slices();
            match self.stream.write(front) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(n) => drop(self.answers.drain(..n)),
                Err(e) if blocked(&e) => return Ok(()),
                Err(e) => return Err(e),
            }
        }
        if let Some(tls) = &mut self.tls {
            while tls.wants_write() {
                match tls.write_tls(&mut self.stream) {
                    Ok(_) => {}
                    Err(e) if blocked(&e) => return Ok(()),
                    Err(e) => return Err(e),
                }
            }
        }
        Ok(())
    }

    /// Takes bytes apart into lines.
    fn take(&mut self, bytes: &[u8], doubles: &mut Doubles, out: &mut Takings) -> Result<(), &'static str> {
        let Connection { talk, peer, number, answers, closing, unanswered, .. } = self;
        let mut line = |bytes: &[u8], cut: bool, transaction: Option<u64>| {
            let perhaps_double = doubles.line(*peer, *number, digest(bytes));
            out.push(bytes, cut, transaction, perhaps_double);
        };
        match talk {
            Talk::Lines(framer) => {
                let mut out = |bytes: &[u8], cut: bool| line(bytes, cut, None);
                framer.push(bytes, &mut out).map_err(|bad| {
                    framer.broken(bytes.get(bytes.len() - bad.unread.min(bytes.len())..).unwrap_or_default(), &mut out);
                    bad.reason
                })
            }
            Talk::Relp(reader) => {
                let mut command = |c: relp::Command| match c.verb {
                    Verb::Open => answers.extend(relp::answer(c.transaction, relp::OFFERS)),
                    Verb::Syslog => {
                        *unanswered += 1;
                        let end = c.data.iter().rposition(|b| !matches!(b, b'\n' | b'\r' | 0)).map_or(0, |n| n + 1);
                        line(c.data.get(..end).unwrap_or_default(), c.cut, Some(c.transaction));
                    }
                    Verb::Close => {
                        answers.extend(relp::answer(c.transaction, ""));
                        *closing = true;
                    }
                    Verb::Unknown => answers.extend(relp::answer(c.transaction, "500 this command is not known")),
                };
                reader.push(bytes, &mut command).map_err(|_| "syslog.relp")
            }
        }
    }
}

/// Where connections come from, for messages.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}
