//! DHCP heard on an interface: a thread each. An acknowledgement becomes a lease at the moment it passes.
//!
//! Groups are handed over one at a time, and the next frame is read when the one before is durable: while the disk is full nothing is read, and
//! what the kernel drops meanwhile becomes a gap like any other loss.

use std::collections::VecDeque;
use std::time::Duration;

use weir_base::net::Prefix;
use weir_base::task::{Stop, Tasks};
use weir_base::time::Millis;
use weir_record::sink::{SinkError, SourceDesc, StatePut};

use super::book::{Book, Needs};
use super::config::{Capture, Settings};
use super::limits::{COPIES, COPY_MS, FRAME_BYTES, READS, RETRY_MS, TICK_MS};
use super::message::message;
use super::packet::{Fault, payload};
use super::socket::{self, Heard, Packets};

/// State key of the moment up to which every frame was taken.
const COMPLETE_KEY: &[u8] = b"t";

/// What to do where the kernel does not count what it drops.
const NO_COUNTER: &str = "the kernel does not tell what it drops, so losses are not noticed: modprobe packet_diag";

/// Starts a thread for each capture of `settings` under `tasks`. An interface that cannot be heard shows as trouble of its source and is tried
/// again.
///
/// # Errors
/// A sentence that says what could not be had.
pub fn start(settings: &Settings, needs: &Needs, tasks: &Tasks) -> Result<(), String> {
    for capture in &settings.captures {
        let mut listener = Listener::new(settings, capture, needs.clone()).map_err(|e| format!("dhcp cannot start: {e}"))?;
        let name = format!("dhcp-{}", capture.interface);
        tasks.spawn(&name, move |stop| listener.run(stop)).map_err(|e| format!("no thread for {name}: {e}"))?;
    }
    Ok(())
}

/// What is wrong with the name of an interface: none of this machine has it. None where there is one, or where the kernel cannot be asked.
pub fn missing(interface: &str) -> Option<String> {
    socket::missing(interface)
}

/// Takes what passes on one interface.
pub struct Listener {
    capture: Capture,
    book: Book,
    /// Acknowledgements of the last moments: transaction, address, when.
    recent: VecDeque<(u32, Prefix, Millis)>,
    complete: Option<Millis>,
}

impl Listener {
    /// Registers the interface as `NAME/capture-INTERFACE` and takes back what was known of it.
    ///
    /// # Errors
    /// What the sink says.
    pub fn new(settings: &Settings, capture: &Capture, needs: Needs) -> Result<Listener, SinkError> {
        let source = SourceDesc {
            name: format!("{}/capture-{}", settings.name, capture.interface),
            kind: "dhcp".to_owned(),
            realm: capture.realm.clone(),
            peer: capture.interface.clone(),
            profile: "capture".to_owned(),
            // Times are those at which frames were heard here.
            clock: "trust".to_owned(),
            pools: Vec::new(),
        };
        let (book, rest) = Book::open(&source, None, settings.leases_max, needs)?;
        let complete = rest.iter().find(|(key, _)| key == COMPLETE_KEY);
        let complete = complete.and_then(|(_, value)| value.as_slice().try_into().ok()).map(|b| Millis(i64::from_be_bytes(b)));
        Ok(Listener { capture: capture.clone(), book, recent: VecDeque::new(), complete })
    }

    fn run(&mut self, stop: &Stop) {
        let mut reason = "stopped";
        while !stop.is_raised() {
            if let Err(why) = self.listen(reason, stop) {
                self.book.trouble(Some(why));
            }
            reason = "source-silent";
            stop.wait(Duration::from_millis(RETRY_MS));
        }
    }

    /// Listens until something ends it. `reason` says why frames before may be missing.
    fn listen(&mut self, reason: &str, stop: &Stop) -> Result<(), String> {
        let mut packets = Packets::open(&self.capture.interface)?;
        let now = self.book.now();
        if let Some(since) = self.complete {
            self.book.gap((since, now), None, "packets", reason);
        }
        self.complete = Some(now);
        let mut buffer = vec![0; FRAME_BYTES];
        while !stop.is_raised() {
            packets.wait(TICK_MS);
            self.turn(&mut packets, &mut buffer)?;
        }
        self.hand_over()
    }

    /// Takes what there is, then what time makes due.
    fn turn(&mut self, packets: &mut Packets, buffer: &mut [u8]) -> Result<(), String> {
        // What could not be handed over goes first: more is taken only when it is durable. The socket stays open meanwhile.
        if self.book.waits() && !self.handed_over() {
            return Ok(());
        }
        let now = self.take(packets, buffer)?;
        self.book.tick(now);
        if self.book.waits() || self.book.is_due(now) {
            self.handed_over();
        }
        if packets.is_there() { Ok(()) } else { Err(format!("the interface {} is gone: it is tried again", self.capture.interface)) }
    }

    /// Reads until nothing is left, or enough is read; gives the moment of the last look.
    fn take(&mut self, packets: &mut Packets, buffer: &mut [u8]) -> Result<Millis, String> {
        let mut now = self.book.now();
        for _ in 0..READS {
            now = self.book.now();
            let heard = packets.read(buffer).map_err(|e| format!("{} cannot be captured: {e}", self.capture.interface))?;
            let Heard::Frame(length) = heard else {
                self.settle(packets.lost(), now);
                break;
            };
            self.frame(buffer.get(..length).unwrap_or_default(), now);
        }
        Ok(now)
    }

    /// Everything up to `now` was read or dropped.
    fn settle(&mut self, lost: Option<u64>, now: Millis) {
        if let Some(lost) = lost.filter(|n| *n > 0) {
            self.book.gap((self.complete.unwrap_or(now), now), Some(lost), "packets", "kernel-drop");
        }
        self.book.trouble(lost.is_none().then(|| NO_COUNTER.to_owned()));
        self.complete = self.complete.map(|t| t.max(now));
    }

    /// Takes a frame in.
    pub fn frame(&mut self, bytes: &[u8], now: Millis) {
        match self.told(bytes, now) {
            Ok(told) => self.book.counted(1, u64::from(!told)),
            Err(fault) => {
                self.book.counted(1, 0);
                self.book.bad(fault.reason, fault.offset, bytes, now);
            }
        }
    }

    /// True when the frame told of a lease.
    fn told(&mut self, bytes: &[u8], now: Millis) -> Result<bool, Fault> {
        let Some(payload) = payload(bytes)? else { return Ok(false) };
        let inside = |fault: Fault| Fault::new(fault.reason, payload.offset + fault.offset);
        let Some(message) = message(payload.bytes).map_err(inside)? else { return Ok(false) };
        let line = message.line(self.capture.server, now).map_err(|reason| Fault::new(reason, payload.offset))?;
        let Some(line) = line else { return Ok(false) };
        // Between a server and its relay and again between relay and client, the same acknowledgement passes twice.
        self.recent.retain(|(.., at)| (0..COPY_MS).contains(&now.since(*at)));
        if line.active && self.recent.iter().any(|(xid, prefix, _)| (*xid, *prefix) == (message.xid, line.prefix)) {
            return Ok(false);
        }
        if line.active && self.recent.len() < COPIES {
            self.recent.push_back((message.xid, line.prefix, now));
        }
        self.book.line(&line, now, message.begins());
        Ok(true)
    }

    /// False when the sink did not take it, which is then its trouble.
    fn handed_over(&mut self) -> bool {
        let done = self.hand_over();
        if let Err(why) = &done {
            self.book.trouble(Some(why.clone()));
        }
        done.is_ok()
    }

    /// Makes what there is durable.
    ///
    /// # Errors
    /// What the sink says; everything is kept.
    pub fn hand_over(&mut self) -> Result<(), String> {
        let state = self.complete.map(|t| StatePut { key: COMPLETE_KEY.to_vec(), value: Some(t.0.to_be_bytes().to_vec()) });
        self.book.hand_over(self.complete, state)
    }
}
