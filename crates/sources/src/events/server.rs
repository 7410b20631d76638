//! The listeners: one thread with a small runtime. HTTP is hyper's, TLS is rustls's.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use weir_base::clock::Clock;
use weir_base::net::Addr16;
use weir_base::task::{Stop, Tasks};
use weir_listen::{Caps, Open, Talk, bind, serve};
use weir_record::sink::{RecordSink, SubjectIds};

use super::config::{Config, Settings};
use super::http::{self, Shared};
use super::intake::Intake;
use super::limits::{
    APPLICATIONS, BODY_MS, CONNECTION_MS, CONNECTION_REST_MS, CONNECTIONS, DURABLE_MS, HANDSHAKE_MS, HEAD_BYTES, HEAD_MS, HEADERS,
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
            let (listener, bound) = bind("application events", *address)?;
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
        let caps = Caps { connections: CONNECTIONS, handshake: times.handshake };
        let body = move |stop: &Stop| runtime.block_on(serve(listeners, Events(Arc::clone(&shared)), caps, stop, || shared.intake.tick()));
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

/// What is wrong with the files that a configuration names, tokens and certificates, each sentence with the path of its setting before it. The
/// settings beside them may be wrong too.
pub fn check_files(config: &Config) -> Vec<String> {
    let (mut problems, mut all) = (Vec::new(), Vec::new());
    // A name that is no whole path is a problem of the settings.
    for (i, application) in config.applications.iter().take(APPLICATIONS).enumerate().filter(|(_, a)| a.token_file.is_absolute()) {
        match token::read(&application.token_file) {
            Ok(token) => all.push((i, token)),
            Err(what) => problems.push(format!("sources.events.applications[{i}].token_file {what}")),
        }
    }
    for (at, (i, token)) in all.iter().enumerate() {
        if let Some((first, _)) = all.iter().take(at).find(|(_, other)| other == token) {
            problems.push(format!(
                "sources.events.applications[{i}].token_file holds the token of applications[{first}] too: give each its own"
            ));
        }
    }
    if !config.listen_tls.is_empty() {
        problems.extend(tls::check_files("sources.events", &config.tls_certificate, &config.tls_key, &config.tls_clients));
    }
    problems
}

/// What is said on a connection.
#[derive(Clone)]
struct Events(Arc<Shared>);

impl Talk for Events {
    type Held = ();

    fn enter(&self, _: SocketAddr) -> Option<()> {
        Some(())
    }

    fn talk<S>(self, stream: S, open: Open, watcher: Watcher) -> impl Future<Output = ()> + Send
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (shared, peer) = (self.0, Addr16::from(open.peer.ip()));
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
}
