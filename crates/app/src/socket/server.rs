//! The answering side: a thread a connection.

use std::io::{BufWriter, ErrorKind, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::sockopt::socket_peercred;
use weir_base::task::{Stop, lock};

use super::access::Who;
use super::ops::Service;
use super::protocol::{Op, Request, reply};
use crate::fail::Failure;
use crate::limits::{BATCH_REQUESTS, BATCH_TOGETHER, CONNECTIONS, LINE_BYTES, SOCKET_WAIT_MS};

/// Bytes of answers written at once.
const WRITTEN_BYTES: usize = 64 << 10;

/// The socket of a running program.
pub struct Server {
    listener: UnixListener,
    service: Arc<Service>,
    open: Arc<(Mutex<usize>, Condvar)>,
}

impl Server {
    /// Binds the socket, open to the owner alone unless the configuration names other accounts: then the kernel tells who asks, and who is named
    /// in no entry is refused. A socket left by a program that died is taken away: the folder's lock says that
    /// no other one runs.
    pub fn bind(data: &Path, service: Arc<Service>) -> Result<Server, Failure> {
        let cannot = |e: std::io::Error| {
            Failure::new(
                format!("the socket {} cannot be made ({e})", data.join(super::FILE).display()),
                "check the folder's owner and mode",
            )
        };
        let path = super::path(data).map_err(cannot)?;
        match std::fs::remove_file(&path.path) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(cannot(e)),
            _ => {}
        }
        let listener = UnixListener::bind(&path.path).map_err(cannot)?;
        let mode = if service.access.others(rustix::process::getuid().as_raw()) { 0o666 } else { 0o600 };
        std::fs::set_permissions(&path.path, std::fs::Permissions::from_mode(mode)).map_err(cannot)?;
        listener.set_nonblocking(true).map_err(cannot)?;
        Ok(Server { listener, service, open: Arc::default() })
    }

    /// Accepts until told to stop, then waits until every connection has its answers.
    pub fn serve(&self, stop: &Stop) {
        while !stop.is_raised() {
            let wait = Timespec { tv_sec: 0, tv_nsec: SOCKET_WAIT_MS as i64 * 1_000_000 };
            // An interrupted wait is a short one.
            let _ = poll(&mut [PollFd::new(&self.listener, PollFlags::IN)], Some(&wait));
            while let Ok((stream, _)) = self.listener.accept() {
                self.accept(stream, stop);
            }
        }
        let mut open = lock(&self.open.0);
        while *open > 0 {
            open = self.open.1.wait(open).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn accept(&self, mut stream: UnixStream, stop: &Stop) {
        {
            let mut open = lock(&self.open.0);
            if *open >= CONNECTIONS {
                let busy = Failure::new(format!("{CONNECTIONS} connections are open already"), "try again when one is closed");
                let _ = stream.write_all(reply(&serde_json::Value::Null, &Err(busy)).as_bytes());
                return;
            }
            *open += 1;
        }
        let left = Left(Arc::clone(&self.open));
        let (service, stop) = (Arc::clone(&self.service), stop.clone());
        let serve = move || {
            let _left = left;
            // A caller that goes away is none of our concern.
            let _ = connection(stream, &service, &stop);
        };
        // Without a thread the connection is closed, and `left` counts it out.
        let _ = std::thread::Builder::new().name("socket".to_owned()).spawn(serve);
    }
}

/// Counts a connection out when it ends, however it ends.
struct Left(Arc<(Mutex<usize>, Condvar)>);

impl Drop for Left {
    fn drop(&mut self) {
        *lock(&self.0.0) -= 1;
        self.0.1.notify_all();
    }
}

fn connection(mut stream: UnixStream, service: &Service, stop: &Stop) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(Duration::from_millis(SOCKET_WAIT_MS)))?;
    let who = service.access.who(socket_peercred(&stream)?.uid.as_raw());
    let (mut waiting, mut chunk, mut ready) = (Vec::new(), vec![0; 64 << 10], Vec::new());
    loop {
        match stream.read(&mut chunk) {
            // What was said to follow does not.
            Ok(0) => return answered(&stream, service, &who, ready),
            Ok(n) => waiting.extend_from_slice(chunk.get(..n).unwrap_or_default()),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) && stop.is_raised() => {
                return answered(&stream, service, &who, ready);
            }
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => continue,
            Err(e) => return Err(e),
        }
        while let Some(batch) = requests(&mut waiting) {
            ready.extend(batch);
            if !goes_on(&ready) {
                answered(&stream, service, &who, std::mem::take(&mut ready))?;
            }
        }
        if waiting.len() > LINE_BYTES {
            answered(&stream, service, &who, ready)?;
            let long = Failure::usage(format!("the request is longer than {LINE_BYTES} bytes"), "ask for less at once");
            return stream.write_all(reply(&serde_json::Value::Null, &Err(long)).as_bytes());
        }
    }
}

/// Answers what lies ready, if anything does.
fn answered(stream: &UnixStream, service: &Service, who: &Who, ready: Vec<Request>) -> std::io::Result<()> {
    if ready.is_empty() {
        return Ok(());
    }
    service.answer(who, ready, &|| closed(stream), &mut BufWriter::with_capacity(WRITTEN_BYTES, stream))
}

/// The other side has closed the connection; one that only sends no more still waits for its answers.
fn closed(stream: &UnixStream) -> bool {
    let mut asked = [PollFd::new(stream, PollFlags::empty())];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut asked, Some(&now)).is_ok_and(|n| n > 0) && asked[0].revents().intersects(PollFlags::HUP | PollFlags::ERR)
}

/// True if the next request follows at once and is to be answered together with these: another part of the same file.
fn goes_on(ready: &[Request]) -> bool {
    let parts = ready.iter().filter(|request| matches!(request.op, Ok(Op::Batch { .. }))).count();
    let more = ready.last().is_some_and(|request| matches!(request.op, Ok(Op::Batch { more: true, last: false, .. })));
    more && parts < BATCH_TOGETHER && ready.len() < BATCH_REQUESTS
}

/// The whole lines that lie ready, up to one batch; `None` when there is none.
fn requests(waiting: &mut Vec<u8>) -> Option<Vec<Request>> {
    let mut batch = Vec::new();
    let mut used = 0;
    while batch.len() < BATCH_REQUESTS {
        let rest = waiting.get(used..).unwrap_or_default();
        let Some(end) = memchr::memchr(b'\n', rest) else { break };
        batch.push(Request::read(rest.get(..end).unwrap_or_default()));
        used += end + 1;
    }
    waiting.drain(..used);
    (!batch.is_empty()).then_some(batch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_connection_is_told_from_one_that_waits() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        assert!(!closed(&ours));
        theirs.shutdown(std::net::Shutdown::Write).unwrap();
        assert!(!closed(&ours), "it sends no more and waits for its answer");
        drop(theirs);
        assert!(closed(&ours));
    }

    #[test]
    fn what_lies_ready_is_taken_together_and_the_rest_waits() {
        let mut waiting = b"{\"op\":\"health\"}\n{\"op\":\"seal\"}\n{\"op\"".to_vec();
        assert_eq!(requests(&mut waiting).unwrap().len(), 2);
        assert_eq!(waiting, b"{\"op\"");
        assert!(requests(&mut waiting).is_none());
        let mut many = b"{}\n".repeat(BATCH_REQUESTS + 5);
        assert_eq!(requests(&mut many).unwrap().len(), BATCH_REQUESTS);
        assert_eq!(requests(&mut many).unwrap().len(), 5);
    }

    #[test]
    fn parts_that_say_so_wait_for_the_next_one_and_for_few() {
        let part = |more: bool, last: bool| {
            Request::read(format!(r#"{{"op":"batch","batch":"x","text":"","more":{more},"last":{last}}}"#).as_bytes())
        };
        let other = || Request::read(br#"{"op":"health"}"#);
        assert!(goes_on(&[part(true, false)]) && goes_on(&[other(), part(true, false), part(true, false)]));
        assert!(
            !goes_on(&[]) && !goes_on(&[part(false, false)]) && !goes_on(&[part(true, true)]) && !goes_on(&[part(true, false), other()])
        );
        let many: Vec<Request> = (0..BATCH_TOGETHER).map(|_| part(true, false)).collect();
        assert!(!goes_on(&many) && goes_on(&many[1..]));
    }
}
