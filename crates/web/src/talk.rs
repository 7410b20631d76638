//! One connection: HTTP/1.1 with limits, and a share of connections for each address.

use std::collections::HashMap;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use weir_base::net::Addr16;
use weir_base::task::lock;
use weir_listen::{Open, Talk};

use crate::app::{App, Connection};
use crate::gate::rate::network;
use crate::limits::{CONNECTIONS_OF_ONE, HEAD_BYTES, HEADERS};
use crate::tls::ACME_TLS;

type Counts = Arc<Mutex<HashMap<Addr16, usize>>>;

/// What is said on the desk's connections.
#[derive(Clone)]
pub struct DeskTalk {
    router: Router,
    app: App,
    counts: Counts,
}

/// A place of an address; given back when it is dropped.
pub struct Place {
    counts: Counts,
    of: Addr16,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = lock(&self.counts);
        let left = counts.get(&self.of).map_or(0, |n| n.saturating_sub(1));
        match left {
            0 => drop(counts.remove(&self.of)),
            n => drop(counts.insert(self.of, n)),
        }
    }
}

impl DeskTalk {
    /// These routes.
    pub fn new(router: Router, app: App) -> DeskTalk {
        DeskTalk { router, app, counts: Counts::default() }
    }
}

impl Talk for DeskTalk {
    type Held = Place;

    fn enter(&self, peer: SocketAddr) -> Option<Place> {
        let of = network(Addr16::from(peer.ip().to_canonical()));
        // A proxy holds the connections of everybody.
        let most = if self.app.names.proxied && peer.ip().to_canonical().is_loopback() { usize::MAX } else { CONNECTIONS_OF_ONE };
        let mut counts = lock(&self.counts);
        let count = counts.entry(of).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Place { counts: Arc::clone(&self.counts), of })
    }

    fn talk<S>(self, stream: S, open: Open, watcher: Watcher) -> impl Future<Output = ()> + Send
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let times = self.app.times;
        let connection = Connection { peer: open.peer, since: self.app.clock.monotonic() };
        let inner = TowerToHyperService::new(self.router);
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(connection);
            inner.call(request)
        });
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(times.head).max_header_size(HEAD_BYTES).max_headers(HEADERS);
        // The clock is ours, and who needs the date has it.
        builder.max_buf_size(HEAD_BYTES * 2).auto_date_header(false);
        let serving = watcher.watch(builder.serve_connection(TokioIo::new(stream), service));
        // RFC 8737 section 3: on a challenge's connection nothing follows the handshake.
        let challenge = open.tls.is_some_and(|t| t.protocol.as_deref() == Some(ACME_TLS));
        async move {
            if !challenge {
                // Broken off, cut, or said goodbye: whoever waits for an answer asks again.
                let _ = timeout(times.connection + times.rest, serving).await;
            }
        }
    }
}
