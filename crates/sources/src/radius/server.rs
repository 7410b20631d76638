//! The socket: datagrams in, groups to the sink, and answers out of the sink's word that a group is durable, never before.

use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

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
use super::engine::{Engine, EngineSettings, Origin, Taken, Work};
use super::limits::{BATCH_PACKETS, DROPS_EVERY_MS, GATHER_MS, GATHER_PACKETS, GROUP_CHANGES};
use super::message::Message;
use super::noise::Bad;
use super::parser::Packet;
use super::wire::{Reads, Reply, Wire, send_all};

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
            let socket = Wire::bind(*address, settings.receive_buffer)
                .map_err(|e| format!("radius cannot listen on {address}: {e}; is another RADIUS server running there?"))?;
            sockets.push(socket);
        }
        let addresses: Vec<_> = sockets.iter().filter_map(|s| s.socket.local_addr().ok()).collect();
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
            tasks.spawn(&name, move |stop| shared.serve(socket, stop)).map_err(|e| format!("no thread for radius: {e}"))?;
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

impl Shared {
    fn serve(&self, mut wire: Wire, stop: &Stop) {
        let mut reads = Reads::default();
        let mut drops_at = self.clock.now();
        while !stop.is_raised() {
            if wire.wait() && lock(&self.dedup).in_flight() >= GATHER_PACKETS {
                // The log is at work: what comes meanwhile goes in one group.
                stop.wait(Duration::from_millis(GATHER_MS));
            }
            if self.round(&mut wire, &mut reads, &mut drops_at).is_none() {
                return;
            }
        }
    }

    /// The engine, or nothing when another socket's thread failed while it held it: it may then know of events whose group never reached
    /// the sink, would take their retransmissions for told, and would acknowledge what is lost.
    fn engine(&self) -> Option<MutexGuard<'_, Engine>> {
        self.engine.lock().ok()
    }

    /// Takes what lies in the socket, up to about one group; then what time makes due. Nothing when the engine cannot be used any more.
    fn round(&self, wire: &mut Wire, reads: &mut Reads, drops_at: &mut Millis) -> Option<()> {
        let mut engine = None;
        let (mut work, mut replies, mut packets) = (Work::default(), Vec::new(), 0);
        while packets < BATCH_PACKETS && work.changes() < GROUP_CHANGES && wire.read(reads) {
            let engine = match &mut engine {
                Some(held) => held,
                none => none.insert(self.engine()?),
            };
            for (datagram, from) in reads.datagrams() {
                packets += 1;
                self.datagram(engine, &mut work, datagram, from, &wire.socket, &mut replies);
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
        if now.since(*drops_at).abs() >= DROPS_EVERY_MS {
            let since = std::mem::replace(drops_at, now);
            kernel_drops(&engine, wire.drops.more(), (since, now), &mut work);
        }
        let Some((group, ticket)) = engine.finish(work) else {
            replies.iter().for_each(|r: &Reply| lock(&self.dedup).dropped(&r.key));
            return Some(());
        };
        let (inbox, own) = (engine.inbox(), engine.own().clone());
        let (out, dedup, clock) = (wire.out(), Arc::clone(&self.dedup), Arc::clone(&self.clock));
        let done = move |result: Result<Receipt, SinkError>| {
            own.count(|c| c.trouble = result.as_ref().err().map(ToString::to_string));
            // First the word to the engine, then the packets may be heard again.
            inbox.put(ticket, &result);
            let now = clock.now();
            let mut dedup = lock(&dedup);
            if result.is_err() {
                return replies.iter().for_each(|reply| dedup.dropped(&reply.key));
            }
            replies.iter().for_each(|reply| dedup.answered(reply.key, now));
            drop(dedup);
            send_all(&out, replies);
        };
        // Submitted under the engine's lock, so that groups lie in the log in the order of the state they carry.
        self.sink.try_submit(group, Box::new(done));
        Some(())
    }

    fn datagram(
        &self,
        engine: &mut Engine,
        work: &mut Work,
        datagram: &[u8],
        from: SocketAddr,
        socket: &UdpSocket,
        replies: &mut Vec<Reply>,
    ) {
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
                let _ = socket.send_to(&bytes, from);
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
        match engine.take(work, message, &origin(client, &packet, sender, now), datagram) {
            Ok(Taken::Recorded) => replies.push(reply),
            Ok(Taken::Duplicate) => {
                lock(&self.dedup).answered(key, now);
                let _ = socket.send_to(&reply.bytes, from);
            }
            Ok(Taken::Pending | Taken::Refused) => lock(&self.dedup).dropped(&key),
            Err(e) => {
                engine.own().count(|c| c.trouble = Some(e.to_string()));
                lock(&self.dedup).dropped(&key);
            }
        }
    }
}

/// Datagrams the kernel dropped before we could read them, between two moments. They are a gap of the listener's: NASes send again what is not answered.
fn kernel_drops(engine: &Engine, lost: u64, (start, end): (Millis, Millis), work: &mut Work) {
    if lost == 0 {
        return;
    }
    engine.own().count(|c| c.lost += lost);
    work.gap(Gap {
        time: end,
        id: Id::random(),
        amendment: 0,
        source: engine.own().number,
        start,
        end,
        lost: Some(lost),
        unit: "datagrams".to_owned(),
        reason: "kernel-drop".to_owned(),
    });
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
