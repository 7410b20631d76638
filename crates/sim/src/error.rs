//! What can go wrong, in words that say what to do.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why a simulation or a check could not be done.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// The plan contradicts itself or passes a limit.
    #[error("the plan cannot be played: {0}")]
    Plan(String),
    /// A socket could not be opened.
    #[error("cannot open a UDP socket on {bind} towards {to}: {source}. Choose another source address (any 127.0.0.x works on loopback)")]
    Socket {
        /// The local address asked for.
        bind: SocketAddr,
        /// The collector's address.
        to: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
    /// A datagram could not be sent.
    #[error("cannot send from {exporter} to {to}: {source}. Is the collector running and listening there?")]
    Send {
        /// The exporter's or NAS's name.
        exporter: String,
        /// The collector's address.
        to: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
    /// The program did not take an application's events.
    #[error("the program at {to} did not take events: {why}. Check that it listens there and knows the application's token")]
    Post {
        /// Where they were posted.
        to: SocketAddr,
        /// What came instead.
        why: String,
    },
    /// The RADIUS server did not answer.
    #[error(
        "no RADIUS answer from {to} for {nas} after {attempts} attempts ({bad} answers had a wrong authenticator). \
         Check that the server listens there, knows the client {bind}, and has the same secret"
    )]
    NoRadiusAnswer {
        /// The NAS's name.
        nas: String,
        /// The server's address.
        to: SocketAddr,
        /// The client's own address.
        bind: SocketAddr,
        /// Times the request was sent.
        attempts: u32,
        /// Answers that did not verify.
        bad: u64,
    },
    /// The truth file could not be written.
    #[error("cannot write the truth file {path}: {source}. Choose a folder that exists and has room")]
    WriteTruth {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The truth file could not be read.
    #[error("cannot read the truth file {path}: {source}. Give the file that `simulate --truth FILE` wrote")]
    ReadTruth {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A line of the truth file is not understood.
    #[error("line {line} of the truth file is not understood: {why}. Write the file anew with `simulate --truth FILE`")]
    BadTruth {
        /// One-based line number.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// The truth holds nothing that can be asked.
    #[error(
        "the truth file holds nothing to ask about between its two guards: simulate for longer than twice the guard, or shorten it (--guard 5s), or raise the rate"
    )]
    NothingToAsk,
    /// The asker failed.
    #[error("asking failed after {asked} questions: {source}. Is the program still running?")]
    Ask {
        /// Questions answered before.
        asked: u64,
        /// The asker's reason.
        source: io::Error,
    },
    /// A thread ended by a panic.
    #[error("the thread {0} ended unexpectedly: this is a defect, please report it with the plan's seed")]
    Thread(String),
}
