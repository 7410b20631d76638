//! The socket: datagrams in, groups to the sink, and answers out of the sink's word that a group is durable, never before.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use rustix::net::{RecvFlags, SocketAddrAny, recvfrom};
use weir_base::clock::Clock;
use weir_base::net::Addr16;
use weir_base::task::{Stop, Tasks, lock};
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::Gap;
use weir_record::sink::{Receipt, RecordSink, SinkError, StatePut, SubjectIds};

use super::attributes::{PROXY_STATE, code};
use super::auth;
use super::clients::{Client, Clients};
use super::config::Settings;
use super::dedup::{Dedup, PacketKey, Seen};
use super::drops;
use super::engine::{Engine, EngineSettings, Origin, Taken, Work};
use super::limits::{BATCH_PACKETS, DATAGRAM_BYTES, DROPS_EVERY_MS, GROUP_CHANGES, READ_TIMEOUT_MS};
use super::message::Message;
use super::noise::Bad;
use super::parser::Packet;

/// State key written to learn whether the log takes anything, before a Status-Server is answered.
const PROBE_KEY: &[u8] = b"p";

/// A running server.
pub struct Server {
    addresses: Vec<SocketAddr>,
    shared: Arc<Shared>,
}

/// What threads share. The sink's thread only ever touches `dedup` and the engine's inbox.
struct Shared {
    clients: Clients,
    clock: Arc<dyn Clock>,
    sink: Arc<dyn RecordSink>,
    engine: Mutex<Engine>,
    dedup: Arc<Mutex<Dedup>>,
}

/// An answer that waits for its group.
struct Reply {
    key: PacketKey,
    bytes: Vec<u8>,
}

impl Server {
    /// Binds the sockets of `settings`, takes back the state, and starts one thread a socket under `tasks`.
    ///
    /// # Errors
    /// A sentence that says what could not be had and what to do.
    pub fn start(
        settings: &Settings,
        clients: Clients,
        sink: Arc<dyn RecordSink>,
        ids: Arc<dyn SubjectIds>,
        clock: Arc<dyn Clock>,
        tasks: &Tasks,
    ) -> Result<Server, String> {
        let mut sockets = Vec::new();
        for address in &settings.listen {
            let socket = bind(*address, settings.receive_buffer)
                .map_err(|e| format!("radius cannot listen on {address}: {e}; is another RADIUS server running there?"))?;
            sockets.push(socket);
        }
        let addresses: Vec<_> = sockets.iter().filter_map(|s| s.local_addr().ok()).collect();
        let peer = addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let engine = EngineSettings {
            name: settings.name.clone(),
            realm: settings.realm.clone(),
            peer,
            sessions_max: settings.sessions_max,
            missed_interims: settings.missed_interims,
            settle_ms: settings.settle_ms,
        };
        let engine = Engine::new(engine, Arc::clone(&sink), ids).map_err(|e| format!("radius cannot start: {e}"))?;
        let shared = Arc::new(Shared { clients, clock, sink, engine: Mutex::new(engine), dedup: Arc::default() });
        for (i, socket) in sockets.into_iter().enumerate() {
            let shared = Arc::clone(&shared);
            let name = format!("radius-{i}");
            tasks.spawn(&name, move |stop| shared.serve(Arc::new(socket), stop)).map_err(|e| format!("no thread for radius: {e}"))?;
        }
        Ok(Server { addresses, shared })
    }

    /// Where it listens; with the port the kernel chose where the configured one was 0.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Open sessions, for people.
    pub fn open_sessions(&self) -> usize {
        lock(&self.shared.engine).sessions().table().open()
    }
}

fn bind(address: SocketAddr, receive_buffer: usize) -> io::Result<UdpSocket> {
    let socket = socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::DGRAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // The kernel gives at most net.core.rmem_max; what it gave is enough to run, and drops are counted.
    let _ = socket.set_recv_buffer_size(receive_buffer);
    socket.bind(&address.into())?;
    let socket = UdpSocket::from(socket);
    socket.set_read_timeout(Some(Duration::from_millis(READ_TIMEOUT_MS)))?;
    Ok(socket)
}

/// What one socket's thread knows besides what is shared.
struct Lane {
    socket: Arc<UdpSocket>,
    drops: drops::Watch,
    drops_at: Millis,
}

impl Shared {
    fn serve(&self, socket: Arc<UdpSocket>, stop: &Stop) {
        let mut lane = Lane { drops: drops::Watch::new(&socket), drops_at: self.clock.now(), socket };
        let mut buffer = vec![0; DATAGRAM_BYTES];
        while !stop.is_raised() {
            if self.round(&mut lane, &mut buffer).is_none() {
                return;
            }
        }
    }

    /// The engine, or nothing when another socket's thread failed while it held it: it may then know of events whose group never reached
    /// the sink, would take their retransmissions for told, and would acknowledge what is lost.
    fn engine(&self) -> Option<MutexGuard<'_, Engine>> {
        self.engine.lock().ok()
    }

    /// Takes what lies in the socket, up to one group, waiting a little for the first datagram; then what time makes due. Nothing when the
    /// engine cannot be used any more.
    fn round(&self, lane: &mut Lane, buffer: &mut [u8]) -> Option<()> {
        let mut engine = None;
        let (mut work, mut replies) = (Work::default(), Vec::new());
        for i in 0..BATCH_PACKETS {
            let flags = if i == 0 { RecvFlags::empty() } else { RecvFlags::DONTWAIT };
            let Ok((length, _, Some(from))) = recvfrom(&*lane.socket, &mut *buffer, flags) else { break };
            let (Some(datagram), Some(from)) = (buffer.get(..length), socket_addr(&from)) else { continue };
            let engine = match &mut engine {
                Some(held) => held,
                none => none.insert(self.engine()?),
            };
            self.datagram(engine, &mut work, datagram, from, lane, &mut replies);
            if work.changes() >= GROUP_CHANGES {
                break;
            }
        }
        let mut engine = match engine {
            Some(held) => held,
            None => self.engine()?,
        };
        let now = self.clock.now();
        if work.changes() < GROUP_CHANGES {
            engine.tick(now, &mut work);
        }
        if now.since(lane.drops_at).abs() >= DROPS_EVERY_MS {
            self.kernel_drops(&engine, lane, now, &mut work);
        }
        let Some((group, ticket)) = engine.finish(work) else {
            replies.iter().for_each(|r: &Reply| lock(&self.dedup).dropped(&r.key));
            return Some(());
        };
        let (inbox, own) = (engine.inbox(), engine.own().clone());
        let (socket, dedup, clock) = (Arc::clone(&lane.socket), Arc::clone(&self.dedup), Arc::clone(&self.clock));
        let done = move |result: Result<Receipt, SinkError>| {
            own.count(|c| c.trouble = result.as_ref().err().map(ToString::to_string));
            // First the word to the engine, then the packets may be heard again.
            inbox.put(ticket, &result);
            let now = clock.now();
            for reply in replies {
                if result.is_ok() {
                    lock(&dedup).answered(reply.key, now);
                    // An answer that cannot be sent is one that is lost: the packet comes again and is answered again.
                    let _ = socket.send_to(&reply.bytes, reply.key.from);
                } else {
                    lock(&dedup).dropped(&reply.key);
                }
            }
        };
        // Submitted under the engine's lock, so that groups lie in the log in the order of the state they carry.
        self.sink.try_submit(group, Box::new(done));
        Some(())
    }

    fn datagram(&self, engine: &mut Engine, work: &mut Work, datagram: &[u8], from: SocketAddr, lane: &Lane, replies: &mut Vec<Reply>) {
        let now = self.clock.now();
        let sender = Addr16::from(from.ip());
        let own = engine.own().number;
        let mut bad = |source, reason, offset| {
            engine.bad(work, &Bad { time: now, source, peer: sender, reason, offset, bytes: datagram });
        };
        let Some(client) = self.clients.find(sender) else { return bad(0, "radius.unknown-client", 0) };
        let packet = match Packet::parse(datagram) {
            Ok(packet) => packet,
            Err(e) => return bad(own, e.reason(), e.offset()),
        };
        if let Err(e) = auth::verify(&packet, &client.secret, client.require_message_authenticator) {
            return bad(own, e.reason(), 0);
        }
        let Some(bytes) = auth::response(&packet, &client.secret) else { return };
        let key = PacketKey { from, identifier: packet.identifier, authenticator: packet.authenticator };
        let seen = lock(&self.dedup).see(key, now);
        match seen {
            Seen::New => {}
            Seen::InFlight | Seen::Busy => return,
            Seen::Answered => {
                let _ = lane.socket.send_to(&bytes, from);
                return;
            }
        }
        let reply = Reply { key, bytes };
        if packet.code == code::STATUS_SERVER {
            // The answer says "I can take accounting now", so it too waits until something was made durable.
            work.put(StatePut { key: PROBE_KEY.to_vec(), value: Some(now.0.to_be_bytes().to_vec()) });
            replies.push(reply);
            return;
        }
        let message = Message::of_packet(&packet);
        match engine.take(work, &message, &origin(client, &packet, sender, now), datagram) {
            Ok(Taken::Recorded) => replies.push(reply),
            Ok(Taken::Duplicate) => {
                lock(&self.dedup).answered(key, now);
                let _ = lane.socket.send_to(&reply.bytes, from);
            }
            Ok(Taken::Pending | Taken::Refused) => lock(&self.dedup).dropped(&key),
            Err(e) => {
                engine.own().count(|c| c.trouble = Some(e.to_string()));
                lock(&self.dedup).dropped(&key);
            }
        }
    }

    /// Datagrams the kernel dropped before we could read them. They are a gap of the listener's: NASes send again what is not answered.
    fn kernel_drops(&self, engine: &Engine, lane: &mut Lane, now: Millis, work: &mut Work) {
        let since = std::mem::replace(&mut lane.drops_at, now);
        let lost = lane.drops.more();
        if lost == 0 {
            return;
        }
        engine.own().count(|c| c.lost += lost);
        work.gap(Gap {
            time: now,
            id: Id::random(),
            amendment: 0,
            source: engine.own().number,
            start: since,
            end: now,
            lost: Some(lost),
            unit: "datagrams".to_owned(),
            reason: "kernel-drop".to_owned(),
        });
    }
}

fn origin(client: &Client, packet: &Packet<'_>, sender: Addr16, arrived: Millis) -> Origin {
    Origin {
        realm: client.realm.clone(),
        sender: Some(sender),
        arrived,
        now: arrived,
        interim_ms: client.interim_ms,
        port_is_exclusive: client.port_is_exclusive,
        // A relay may have kept the message for hours.
        measurable: !client.trust_clock && packet.first(PROXY_STATE).is_none(),
    }
}

fn socket_addr(from: &SocketAddrAny) -> Option<SocketAddr> {
    SocketAddr::try_from(from.clone()).ok()
}
