//! The real sockets: a connected UDP socket an exporter, a TCP connection a device that has one.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use weir_base::clock::Clock;

use super::{Wire, connect, pace};
use crate::error::SimError;
use crate::network::{Network, Protocol};
use crate::plan::{Mode, Plan};

/// How long a connection may take nothing, and how long its end may take.
const PATIENCE: Duration = Duration::from_secs(30);

enum Socket {
    Udp(UdpSocket),
    Tcp(TcpStream),
}

struct Way {
    socket: Option<Socket>,
    to: SocketAddr,
    bind: SocketAddr,
    name: &'static str,
}

/// One socket an exporter.
pub(super) struct Wires<'a> {
    ways: Vec<Option<Way>>,
    pace: pace::Pace<'a>,
    /// Live mode outlives a collector that is restarted.
    tolerant: bool,
    pub(super) refused: u64,
}

impl<'a> Wires<'a> {
    pub(super) fn open(plan: &Plan, network: &Network, clock: &'a dyn Clock) -> Result<Wires<'a>, SimError> {
        let mut ways = Vec::new();
        for (n, realm) in network.realms.iter().enumerate() {
            let to = match realm.protocol {
                Protocol::Ipfix => plan.targets.ipfix,
                Protocol::Netflow9 => plan.targets.netflow9.or(plan.targets.ipfix),
                Protocol::Usg => plan.targets.syslog_udp,
                Protocol::Linux | Protocol::Nat444Tcp => plan.targets.syslog_tcp,
            };
            let way = |to: SocketAddr| {
                let bind = plan.bind_for(0, n, to);
                let stream = realm.protocol.is_stream();
                let socket = if stream { Socket::Tcp(dial(bind, to)?) } else { Socket::Udp(connect(bind, to)?) };
                Ok(Way { socket: Some(socket), to, bind, name: realm.exporter })
            };
            ways.push(to.map(way).transpose()?);
        }
        let (rate, tolerant) = match plan.mode {
            Mode::Fast { datagrams_per_second, .. } => (datagrams_per_second, false),
            Mode::Live { .. } => (0, true),
        };
        Ok(Wires { ways, pace: pace::Pace::new(rate, clock), tolerant, refused: 0 })
    }
}

impl Way {
    fn failed(&self, source: io::Error) -> SimError {
        SimError::Send { exporter: self.name.to_owned(), to: self.to, source }
    }

    /// Ends a connection in order: the other side has read everything when it ends its own half.
    fn end(&mut self) -> Result<(), SimError> {
        let Some(Socket::Tcp(mut stream)) = self.socket.take_if(|s| matches!(s, Socket::Tcp(_))) else { return Ok(()) };
        let ended = stream.shutdown(Shutdown::Write).and_then(|()| {
            let mut rest = [0; 512];
            while stream.read(&mut rest)? > 0 {}
            Ok(())
        });
        ended.map_err(|e| self.failed(e))
    }
}

impl Wire for Wires<'_> {
    fn send(&mut self, exporter: usize, datagram: &[u8]) -> Result<(), SimError> {
        let Some(Some(way)) = self.ways.get_mut(exporter) else { return Ok(()) };
        self.pace.take();
        let sent = match &mut way.socket {
            Some(Socket::Udp(socket)) => socket.send(datagram).map(|_| ()),
            Some(Socket::Tcp(stream)) => stream.write_all(datagram),
            None => Ok(()),
        };
        match sent {
            Err(e) if self.tolerant && e.kind() == io::ErrorKind::ConnectionRefused => {
                self.refused += 1;
                Ok(())
            }
            sent => sent.map_err(|e| way.failed(e)),
        }
    }

    fn restart(&mut self, exporter: usize) -> Result<(), SimError> {
        let Some(Some(way)) = self.ways.get_mut(exporter) else { return Ok(()) };
        way.end()?;
        if way.socket.is_none() {
            way.socket = Some(Socket::Tcp(dial(way.bind, way.to)?));
        }
        Ok(())
    }

    fn finish(&mut self, exporter: usize) -> Result<(), SimError> {
        self.ways.get_mut(exporter).and_then(Option::as_mut).map_or(Ok(()), Way::end)
    }
}

/// A TCP connection to `to`. The kernel binds it by the route; on loopback the address asked for is bound by hand.
fn dial(bind: SocketAddr, to: SocketAddr) -> Result<TcpStream, SimError> {
    let open = || {
        let socket = rustix::net::socket(family(to), rustix::net::SocketType::STREAM, None)?;
        rustix::net::bind(&socket, &bind)?;
        rustix::net::connect(&socket, &to)?;
        let stream = TcpStream::from(socket);
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(stream)
    };
    open().map_err(|source: io::Error| SimError::Socket { bind, to, source })
}

fn family(to: SocketAddr) -> rustix::net::AddressFamily {
    if to.is_ipv4() { rustix::net::AddressFamily::INET } else { rustix::net::AddressFamily::INET6 }
}
