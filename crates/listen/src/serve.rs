//! The listeners: sockets, connections, TLS. What is said on a connection is the caller's: a [`Talk`].

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use weir_base::task::Stop;

use crate::limits::{STOP_MS, TICK_MS};

/// A bound socket, and its TLS where it has one.
pub type Listener = (std::net::TcpListener, Option<TlsAcceptor>);

/// What bounds the listeners.
#[derive(Clone, Copy, Debug)]
pub struct Caps {
    /// Connections at one time, over all listeners; further ones wait in the kernel's queue.
    pub connections: usize,
    /// How long a TLS handshake may take.
    pub handshake: Duration,
}

/// What a TLS handshake agreed on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Handshake {
    /// The protocol (ALPN, RFC 7301), where one was agreed on.
    pub protocol: Option<Vec<u8>>,
}

/// Who is connected, and how.
#[derive(Clone, Debug)]
pub struct Open {
    /// The other end.
    pub peer: SocketAddr,
    /// The handshake; none in clear.
    pub tls: Option<Handshake>,
}

/// What is said on a connection.
pub trait Talk: Clone + Send + 'static {
    /// Held as long as the connection is open.
    type Held: Send + 'static;

    /// Takes a connection in, before its handshake; `None` closes it.
    fn enter(&self, peer: SocketAddr) -> Option<Self::Held>;

    /// Serves it until its end. The watcher says when what is under way should be the last.
    fn talk<S>(self, stream: S, open: Open, watcher: Watcher) -> impl Future<Output = ()> + Send
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static;
}

/// Binds a socket for [`serve`].
///
/// # Errors
/// A sentence that says what could not be had and what to do; `what` begins it, e.g. "the desk".
pub fn bind(what: &str, address: SocketAddr) -> Result<(std::net::TcpListener, SocketAddr), String> {
    let bound = std::net::TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        let at = listener.local_addr()?;
        Ok((listener, at))
    });
    bound.map_err(|e| {
        let hint = if e.kind() == io::ErrorKind::PermissionDenied {
            "ports below 1024 need CAP_NET_BIND_SERVICE: choose another port or give the program that right"
        } else {
            "does another program listen there?"
        };
        format!("{what} cannot listen on {address}: {e}; {hint}")
    })
}

/// Serves the listeners until the flag is raised, then answers what is under way for [`STOP_MS`]. `tick` runs every [`TICK_MS`] and once at
/// the end. A panic in a connection goes on in this thread, where it is heard.
pub async fn serve<T: Talk>(listeners: Vec<Listener>, talk: T, caps: Caps, stop: &Stop, mut tick: impl FnMut()) {
    let room = Arc::new(Semaphore::new(caps.connections));
    let mut all = JoinSet::new();
    for (listener, tls) in listeners {
        // Cannot fail: it does not block, and the runtime has its reactor.
        let Ok(listener) = TcpListener::from_std(listener) else { continue };
        all.spawn(accept(listener, tls, talk.clone(), (Arc::clone(&room), caps.handshake), stop.clone()));
    }
    while !stop.is_raised() {
        sleep(Duration::from_millis(TICK_MS)).await;
        tick();
        while let Some(ended) = all.try_join_next() {
            fell(ended);
        }
    }
    while let Some(ended) = all.join_next().await {
        fell(ended);
    }
    tick();
}

fn fell(ended: Result<(), JoinError>) {
    if let Err(e) = ended
        && let Ok(panic) = e.try_into_panic()
    {
        resume_unwind(panic);
    }
}

/// One listener, with its connections.
async fn accept<T: Talk>(listener: TcpListener, tls: Option<TlsAcceptor>, talk: T, caps: (Arc<Semaphore>, Duration), stop: Stop) {
    let (room, handshake) = caps;
    let (tick, graceful) = (Duration::from_millis(TICK_MS), GracefulShutdown::new());
    let mut open = JoinSet::new();
    while !stop.is_raised() {
        while let Some(ended) = open.try_join_next() {
            fell(ended);
        }
        let Ok(Ok(held)) = timeout(tick, Arc::clone(&room).acquire_owned()).await else { continue };
        match timeout(tick, listener.accept()).await {
            Ok(Ok((stream, peer))) => {
                let Some(entered) = talk.enter(peer) else { continue };
                let (talk, tls, watcher) = (talk.clone(), tls.clone(), graceful.watcher());
                open.spawn(async move {
                    let _held = (held, entered);
                    connection(stream, peer, tls, handshake, talk, watcher).await;
                });
            }
            // No descriptor left, or a caller that went away before it was heard.
            Ok(Err(_)) => sleep(tick).await,
            Err(_) => {}
        }
    }
    // Nobody new is let in. What is under way is answered; what is idle is closed.
    drop(listener);
    let _ = timeout(Duration::from_millis(STOP_MS), graceful.shutdown()).await;
    open.shutdown().await;
}

async fn connection<T: Talk>(stream: TcpStream, peer: SocketAddr, tls: Option<TlsAcceptor>, time: Duration, talk: T, watcher: Watcher) {
    // Answers are small and wait for nothing.
    let _ = stream.set_nodelay(true);
    match tls {
        None => talk.talk(stream, Open { peer, tls: None }, watcher).await,
        Some(tls) => {
            if let Ok(Ok(stream)) = timeout(time, tls.accept(stream)).await {
                let protocol = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
                talk.talk(stream, Open { peer, tls: Some(Handshake { protocol }) }, watcher).await;
            }
        }
    }
}
