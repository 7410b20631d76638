//! The listeners: one thread with a small runtime. HTTP is hyper's, TLS is rustls's.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use weir_base::clock::Clock;
use weir_base::net::Addr16;
use weir_base::task::{Stop, Tasks};
use weir_record::sink::{RecordSink, SubjectIds};

use super::config::Settings;
use super::http::{self, Shared};
use super::intake::Intake;
use super::limits::{
    BODY_MS, CONNECTION_MS, CONNECTION_REST_MS, CONNECTIONS, DURABLE_MS, HANDSHAKE_MS, HEAD_BYTES, HEAD_MS, HEADERS, STOP_MS, TICK_MS,
};
use super::token::{self, Tokens};
use crate::syslog::tls;

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// A TLS handshake.
    pub handshake: Duration,
    /// The head of a request, and the wait for one.
    pub head: Duration,
    /// A body.
    pub body: Duration,
    /// The store's word.
    pub durable: Duration,
    /// A connection; from then on answers close it.
    pub connection: Duration,
    /// What remains to it then.
    pub rest: Duration,
}

impl Default for Times {
    fn default() -> Times {
        Times {
            handshake: Duration::from_millis(HANDSHAKE_MS),
            head: Duration::from_millis(HEAD_MS),
            body: Duration::from_millis(BODY_MS),
            durable: Duration::from_millis(DURABLE_MS),
            connection: Duration::from_millis(CONNECTION_MS),
            rest: Duration::from_millis(CONNECTION_REST_MS),
        }
    }
}

/// A running server: where it listens, with the ports the kernel chose where the configured ones were 0.
#[derive(Clone, Debug, Default)]
pub struct Server {
    /// HTTP.
    pub clear: Vec<SocketAddr>,
    /// HTTPS.
    pub tls: Vec<SocketAddr>,
}

/// What a server needs of the program.
pub struct Needs<'a> {
    /// Where records go.
    pub sink: &'a Arc<dyn RecordSink>,
    /// Account → opaque id.
    pub ids: &'a Arc<dyn SubjectIds>,
    /// The clock.
    pub clock: &'a Arc<dyn Clock>,
    /// Its thread.
    pub tasks: &'a Tasks,
}

impl Server {
    /// Reads the tokens, binds the sockets, takes back the state, and starts the thread.
    ///
    /// # Errors
    /// A sentence that says what could not be had and what to do.
    pub fn start(settings: Settings, times: Times, needs: &Needs<'_>) -> Result<Server, String> {
        let tokens = tokens(&settings)?;
        let acceptor = settings.tls_files.as_ref().map(tls::server).transpose()?.map(TlsAcceptor::from);
        let (mut server, mut listeners) = (Server::default(), Vec::new());
        for (address, tls) in settings.clear.iter().map(|a| (a, None)).chain(settings.tls.iter().map(|a| (a, acceptor.as_ref()))) {
            let listener = bind(*address).map_err(|e| cannot(*address, &e))?;
            let bound = listener.local_addr().map_err(|e| cannot(*address, &e))?;
            if tls.is_some() { &mut server.tls } else { &mut server.clear }.push(bound);
            listeners.push((listener, tls.cloned()));
        }
        let intake = Intake::new(settings.applications, needs.sink, needs.ids, needs.clock);
        let shared = Arc::new(Shared::new(intake, tokens, times));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(|e| format!("no runtime for application events: {e}"))?;
        let body = move |stop: &Stop| runtime.block_on(serve(listeners, &shared, stop));
        needs.tasks.spawn("events", body).map_err(|e| format!("no thread for events: {e}"))?;
        Ok(server)
    }
}

fn tokens(settings: &Settings) -> Result<Tokens, String> {
    let all: Result<Vec<_>, _> = settings.applications.iter().map(|a| token::read(&a.token_file)).collect();
    let tokens = Tokens::new(&all?);
    let name = |i: usize| settings.applications.get(i).map_or("", |a| a.name.as_str());
    match tokens.same() {
        Some((a, b)) => Err(format!("applications {:?} and {:?} have one token: give each its own", name(a), name(b))),
        None => Ok(tokens),
    }
}

/// What is wrong with the files that the settings name: tokens and certificates. For checking a configuration before it is used.
pub fn check_files(settings: &Settings) -> Vec<String> {
    let tokens = tokens(settings).err().map(|what| format!("sources.events.applications {what}"));
    let tls = settings.tls_files.as_ref().map(tls::server).transpose().err();
    tokens.into_iter().chain(tls.map(|what| format!("sources.events.tls_certificate {what}"))).collect()
}

fn cannot(address: SocketAddr, error: &io::Error) -> String {
    let hint = if error.kind() == io::ErrorKind::PermissionDenied {
        "ports below 1024 need CAP_NET_BIND_SERVICE: choose another port or give the program that right"
    } else {
        "does another program listen there?"
    };
    format!("application events cannot listen on {address}: {error}; {hint}")
}

fn bind(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// The thread.
async fn serve(listeners: Vec<(std::net::TcpListener, Option<TlsAcceptor>)>, shared: &Arc<Shared>, stop: &Stop) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut all = JoinSet::new();
    for (listener, tls) in listeners {
        // Cannot fail: it does not block, and the runtime has its reactor.
        let Ok(listener) = TcpListener::from_std(listener) else { continue };
        all.spawn(accept(listener, tls, Arc::clone(shared), Arc::clone(&room), stop.clone()));
    }
    while !stop.is_raised() {
        sleep(Duration::from_millis(TICK_MS)).await;
        shared.intake.tick();
        while let Some(ended) = all.try_join_next() {
            fell(ended);
        }
    }
    while let Some(ended) = all.join_next().await {
        fell(ended);
    }
    shared.intake.tick();
}

/// A panic in a task is one of the measure: it goes on in the thread, where it is heard.
fn fell(ended: Result<(), JoinError>) {
    if let Err(e) = ended
        && let Ok(panic) = e.try_into_panic()
    {
        resume_unwind(panic);
    }
}

/// One listener, with its connections.
async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>, room: Arc<Semaphore>, stop: Stop) {
    let (tick, graceful) = (Duration::from_millis(TICK_MS), GracefulShutdown::new());
    let mut open = JoinSet::new();
    while !stop.is_raised() {
        while let Some(ended) = open.try_join_next() {
            fell(ended);
        }
        let Ok(Ok(held)) = timeout(tick, Arc::clone(&room).acquire_owned()).await else { continue };
        match timeout(tick, listener.accept()).await {
            Ok(Ok((stream, peer))) => {
                let (shared, tls, watcher) = (Arc::clone(&shared), tls.clone(), graceful.watcher());
                open.spawn(async move {
                    let _held = held;
                    connection(stream, peer, tls, shared, watcher).await;
                });
            }
            // No descriptor left, or a caller that went away before it was heard.
            Ok(Err(_)) => sleep(tick).await,
            Err(_) => {}
        }
    }
    // What is under way is answered; what is idle is closed.
    let _ = timeout(Duration::from_millis(STOP_MS), graceful.shutdown()).await;
    open.shutdown().await;
}

async fn connection(stream: TcpStream, peer: SocketAddr, tls: Option<TlsAcceptor>, shared: Arc<Shared>, watcher: Watcher) {
    // Answers are small and wait for nothing.
    let _ = stream.set_nodelay(true);
    let peer = Addr16::from(peer.ip());
    match tls {
        None => talk(stream, peer, shared, watcher).await,
        Some(tls) => {
            if let Ok(Ok(stream)) = timeout(shared.times.handshake, tls.accept(stream)).await {
                talk(stream, peer, shared, watcher).await;
            }
        }
    }
}

fn talk<S>(stream: S, peer: Addr16, shared: Arc<Shared>, watcher: Watcher) -> impl Future<Output = ()>
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let (since, times) = (shared.intake.monotonic(), shared.times);
    let service = service_fn(move |request| http::answer(request, Arc::clone(&shared), peer, since));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(times.head).max_header_size(HEAD_BYTES).max_headers(HEADERS);
    // The clock is ours, and who needs the date has it.
    builder.max_buf_size(HEAD_BYTES * 2).auto_date_header(false);
    let connection = watcher.watch(builder.serve_connection(TokioIo::new(stream), service));
    async move {
        // Broken off, cut, or said goodbye: whoever waits for an answer sends again.
        let _ = timeout(times.connection + times.rest, connection).await;
    }
}
