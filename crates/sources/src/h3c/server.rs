//! The sockets: a thread each.

use std::net::SocketAddr;
use std::sync::Arc;

use quinn_udp::{UdpSockRef, UdpSocketState};
use weir_base::clock::Clock;
use weir_base::crypto::{Mac, Secret};
use weir_base::task::Tasks;
use weir_record::sink::RecordSink;

use super::collector::{Collector, OWNER};
use super::config::Settings;
use crate::ipfix::lane::Lane;
use crate::ipfix::server::{bind, serve};

/// Binds the sockets of `settings`, takes back the state, and starts the threads under `tasks`. Gives where it listens, with the ports the
/// kernel chose where the configured ones were 0. `key` is the key of remote fingerprints; without it the policy `fingerprint` keeps
/// nothing.
///
/// # Errors
/// A sentence that says what could not be had and what to do.
pub fn start(
    settings: Settings,
    sink: &Arc<dyn RecordSink>,
    clock: &Arc<dyn Clock>,
    key: Option<&Secret>,
    tasks: &Tasks,
) -> Result<Vec<SocketAddr>, String> {
    let settings = Arc::new(settings);
    let mut bound = Vec::new();
    for (i, address) in settings.udp.iter().enumerate() {
        let cannot = |e: std::io::Error| format!("h3c cannot listen on {address} (UDP): {e}; is another collector running there?");
        let socket = bind(*address, settings.receive_buffer).map_err(cannot)?;
        bound.push(socket.local_addr().map_err(cannot)?);
        let state = UdpSocketState::new(UdpSockRef::from(&socket)).map_err(cannot)?;
        // The configured address names the state, so that it is found again.
        let mut collector = Collector::new(Arc::clone(&settings), Box::new(Arc::clone(sink)), &format!("udp:{address}"), key.map(Mac::new));
        collector.restore(&sink.state(OWNER), clock.now()).map_err(|e| format!("h3c cannot start on {address}: {e}"))?;
        let mut lane = Lane::of(collector, sink, clock);
        let name = format!("h3c-udp-{i}");
        tasks.spawn(&name, move |stop| serve(&socket, &state, &mut lane, stop)).map_err(|e| format!("no thread for {name}: {e}"))?;
    }
    Ok(bound)
}
