//! RELP frames (the protocol of librelp, version 0): `TXNR SP COMMAND SP LENGTH [SP DATA] LF`. A `syslog` command is answered once its line
//! is durable, and not before.

use super::limits::{FRAME_BYTES, LINE_BYTES, RELP_HEADER_BYTES};

/// One command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Transaction number.
    pub transaction: u64,
    /// What is wanted.
    pub verb: Verb,
    /// Its data, cut when it was longer than a line may be.
    pub data: Vec<u8>,
    /// True when it was cut.
    pub cut: bool,
}

/// What a client may want.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// The offers of both sides.
    Open,
    /// A line.
    Syslog,
    /// The end of the session.
    Close,
    /// Anything else.
    Unknown,
}

enum State {
    Header,
    Data { command: Command, left: usize },
    Trailer(Command),
}

/// Cuts a stream into commands.
pub struct Reader {
    header: Vec<u8>,
    state: State,
}

/// What is no RELP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotRelp;

impl Default for Reader {
    fn default() -> Reader {
        Reader { header: Vec::new(), state: State::Header }
    }
}

impl Reader {
    /// Takes bytes in; `out` gets each command.
    ///
    /// # Errors
    /// When what comes is no frame: where the next one begins cannot be known.
    pub fn push(&mut self, bytes: &[u8], out: &mut dyn FnMut(Command)) -> Result<(), NotRelp> {
        let mut rest = bytes;
        while let Some((first, after)) = rest.split_first() {
            match std::mem::replace(&mut self.state, State::Header) {
                State::Header => {
                    rest = after;
                    // `4 close 0` LF: the newline that ends the header ends the frame.
                    if let Some(command) = self.header(*first)? {
                        out(command);
                    }
                }
                State::Data { mut command, left } => {
                    let (now, later) = rest.split_at(left.min(rest.len()));
                    let room = LINE_BYTES - command.data.len().min(LINE_BYTES);
                    command.data.extend_from_slice(now.get(..room.min(now.len())).unwrap_or_default());
                    command.cut |= now.len() > room;
                    rest = later;
                    self.state = match left - now.len() {
                        0 => State::Trailer(command),
                        left => State::Data { command, left },
                    };
                }
                State::Trailer(command) => {
                    if *first != b'\n' {
                        return Err(NotRelp);
                    }
                    rest = after;
                    out(command);
                }
            }
        }
        Ok(())
    }

    fn header(&mut self, byte: u8) -> Result<Option<Command>, NotRelp> {
        let spaces = self.header.iter().filter(|b| **b == b' ').count();
        if byte == b'\n' && self.header.is_empty() {
            return Ok(None);
        }
        if !(byte == b'\n' || (byte == b' ' && spaces == 2)) {
            self.header.push(byte);
            return if self.header.len() > RELP_HEADER_BYTES { Err(NotRelp) } else { Ok(None) };
        }
        let header = std::mem::take(&mut self.header);
        let text = std::str::from_utf8(&header).map_err(|_| NotRelp)?;
        let mut words = text.split(' ');
        let (Some(transaction), Some(verb), Some(length), None) = (words.next(), words.next(), words.next(), words.next()) else {
            return Err(NotRelp);
        };
        let digits =
            |t: &str| (!t.is_empty() && t.len() <= 9 && t.bytes().all(|b| b.is_ascii_digit())).then(|| t.parse::<u64>().ok()).flatten();
        let transaction = digits(transaction).ok_or(NotRelp)?;
        let length = digits(length).and_then(|n| usize::try_from(n).ok()).filter(|n| *n <= FRAME_BYTES).ok_or(NotRelp)?;
        let verb = match verb {
            "open" => Verb::Open,
            "syslog" => Verb::Syslog,
            "close" => Verb::Close,
            _ => Verb::Unknown,
        };
        let command = Command { transaction, verb, data: Vec::new(), cut: false };
        self.state = match (byte, length) {
            (b'\n', 0) => return Ok(Some(command)),
            (b'\n', _) => return Err(NotRelp),
            (_, 0) => State::Trailer(command),
            (_, left) => State::Data { command, left },
        };
        Ok(None)
    }
}

/// An answer to a command.
pub fn answer(transaction: u64, data: &str) -> Vec<u8> {
    if data.is_empty() {
        format!("{transaction} rsp 0\n").into_bytes()
    } else {
        format!("{transaction} rsp {} {data}\n", data.len()).into_bytes()
    }
}

/// What is offered in answer to `open`.
pub const OFFERS: &str = "200 OK\nrelp_version=0\nrelp_software=weir\ncommands=syslog";

/// Said before this side closes a connection.
pub const SERVER_CLOSE: &[u8] = b"0 serverclose 0\n";

#[cfg(test)]
mod tests {
    use super::*;

    fn all(pieces: &[&[u8]]) -> (Vec<(u64, Verb, String)>, bool) {
        let (mut reader, mut got) = (Reader::default(), Vec::new());
        let mut out = |c: Command| got.push((c.transaction, c.verb, String::from_utf8_lossy(&c.data).into_owned()));
        let good = pieces.iter().all(|p| reader.push(p, &mut out).is_ok());
        (got, good)
    }

    #[test]
    fn frames() {
        let session: &[u8] = b"1 open 15 relp_version=0\n\n2 syslog 5 hello\n3 syslog 3 a\nb\n4 close 0\n";
        let want = vec![
            (1, Verb::Open, "relp_version=0\n".to_owned()),
            (2, Verb::Syslog, "hello".to_owned()),
            (3, Verb::Syslog, "a\nb".to_owned()),
            (4, Verb::Close, String::new()),
        ];
        let (got, good) = all(&[session]);
        assert!(good);
        assert_eq!(got, want);
        let single: Vec<&[u8]> = session.chunks(1).collect();
        assert_eq!(all(&single), (want, true));
        for bad in
            [&b"x open 0\n"[..], b"1 open\n", b"1 syslog 99999999 ", b"1 syslog 3 abcX", b"<13>a line\n", &[b'1'; 200], b"1 syslog 4\n"]
        {
            assert!(!all(&[bad]).1, "{}", String::from_utf8_lossy(bad));
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            let _ = all(&[&bytes]);
        }
    }
}
