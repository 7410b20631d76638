//! The little of HTTP/1.1 (RFC 9112) that a client of one route needs, over one connection that is kept.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Bytes of an answer's head, and of its body.
const ANSWER_BYTES: u64 = 1 << 20;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// In the middle of the body.
    HalfWay,
    /// When all was sent, before the answer.
    Unanswered,
}

/// An answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// True when it repeats an earlier one.
    pub replayed: bool,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as text, its beginning.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).chars().take(300).collect()
    }

    /// Events it counts as taken.
    pub fn accepted(&self) -> Option<u64> {
        serde_json::from_slice::<serde_json::Value>(&self.body).ok()?.get("accepted")?.as_u64()
    }
}

/// Where events are posted.
pub struct Door {
    to: SocketAddr,
    token: String,
    connection: Option<BufReader<TcpStream>>,
}

impl Door {
    /// A door; nothing is opened yet.
    pub fn new(to: SocketAddr, token: String) -> Door {
        Door { to, token, connection: None }
    }

    fn open(&self) -> io::Result<BufReader<TcpStream>> {
        let stream = TcpStream::connect(self.to)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(BufReader::new(stream))
    }

    fn request(&self, key: &str, body: &[u8]) -> Vec<u8> {
        let head = format!(
            "POST /v1/events HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/x-ndjson\r\nIdempotency-Key: {key}\r\nContent-Length: {}\r\n\r\n",
            self.to,
            self.token,
            body.len()
        );
        [head.as_bytes(), body].concat()
    }

    /// Sends a request and goes away.
    pub fn cut(&mut self, key: &str, body: &[u8], cut: Cut) {
        let request = self.request(key, body);
        let sent = match cut {
            Cut::HalfWay => request.len() - body.len() / 2,
            Cut::Unanswered => request.len(),
        };
        // Whether it could be sent at all is as uncertain as what came of it.
        if let Ok(mut connection) = self.open() {
            let _ = connection.get_mut().write_all(request.get(..sent).unwrap_or_default());
        }
    }

    /// Sends a request and reads its answer.
    ///
    /// # Errors
    /// There was none.
    pub fn post(&mut self, key: &str, body: &[u8]) -> io::Result<Answer> {
        let request = self.request(key, body);
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.open()?,
        };
        connection.get_mut().write_all(&request)?;
        let (answer, stays) = read(&mut connection)?;
        self.connection = stays.then_some(connection);
        Ok(answer)
    }
}

/// Reads an answer; true when the connection stays.
fn read(from: &mut impl BufRead) -> io::Result<(Answer, bool)> {
    let bad = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut head = from.take(ANSWER_BYTES);
    let mut line = String::new();
    head.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|s| s.parse().ok()).ok_or_else(|| bad("no status line"))?;
    let (mut answer, mut stays, mut length) = (Answer { status, ..Answer::default() }, true, 0u64);
    loop {
        line.clear();
        if head.read_line(&mut line)? == 0 || !line.ends_with('\n') {
            return Err(bad("the head of an answer has no end"));
        }
        if line.trim_end().is_empty() {
            break;
        }
        let (name, value) = line.trim_end().split_once(':').ok_or_else(|| bad("a line of an answer's head has no colon"))?;
        match (name.to_ascii_lowercase().as_str(), value.trim()) {
            ("content-length", n) => length = n.parse().map_err(|_| bad("no length"))?,
            ("idempotency-replayed", value) => answer.replayed = value == "true",
            ("connection", value) => stays = !value.eq_ignore_ascii_case("close"),
            _ => {}
        }
    }
    if length > ANSWER_BYTES {
        return Err(bad("a very long answer"));
    }
    answer.body = vec![0; usize::try_from(length).unwrap_or(0)];
    from.read_exact(&mut answer.body)?;
    Ok((answer, stays))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_and_a_broken_one_is_an_error() {
        let text = b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\nIdempotency-Replayed: true\r\nConnection: close\r\n\r\n{\"accepted\":2}";
        let (answer, stays) = read(&mut &text[..]).unwrap();
        assert_eq!((answer.status, answer.replayed, answer.accepted(), stays), (200, true, Some(2), false));
        for cut in 0..text.len() {
            assert!(read(&mut &text[..cut]).is_err(), "{cut}");
        }
    }
}
