//! Lines out of a stream: octet counting and newline (RFC 6587), told apart by the first byte of the connection. Over TLS too: RFC 5425 counts, but what
//! rsyslog, NXLog and Fluent Bit send over TLS unless told otherwise is newlines.
//!
//! A frame that begins with a digit other than 0 and goes on with digits and a space is counted (RFC 6587 section 3.4.1); a line that a
//! newline ends begins with `<` or text; digits that no space follows are text too. What was found first holds for the whole connection.

use super::limits::{COUNT_DIGITS, FRAME_BYTES, LINE_BYTES};

/// How a connection frames its lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Nothing has come yet.
    Unknown,
    /// `LENGTH SP LINE` (RFC 6587 section 3.4.1).
    Counted,
    /// A newline, or NUL, ends a line (section 3.4.2).
    Newline,
}

/// A stream that cannot be framed any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadFrame {
    /// A stable word.
    pub reason: &'static str,
    /// Bytes of the piece that were not read: nobody knows where in them lines begin.
    pub unread: usize,
}

/// A line without what ended it.
fn without_ends(mut line: &[u8]) -> &[u8] {
    while let [rest @ .., b'\n' | b'\r' | 0] = line {
        line = rest;
    }
    line
}

impl Default for Framer {
    fn default() -> Framer {
        Framer::new()
    }
}

/// Cuts a stream into lines. Keeps at most one line's bytes.
#[derive(Clone, Debug)]
pub struct Framer {
    framing: Framing,
    line: Vec<u8>,
    /// Octets of the counted frame that have not come yet; none between frames.
    left: Option<usize>,
    digits: usize,
    count: usize,
    cut: bool,
    /// No count was read yet: what begins may be a line that begins with a digit.
    unsure: bool,
}

impl Framer {
    /// A framer of a new connection.
    pub fn new() -> Framer {
        Framer { framing: Framing::Unknown, line: Vec::new(), left: None, digits: 0, count: 0, cut: false, unsure: true }
    }

    /// How the connection frames, as far as known.
    pub fn framing(&self) -> Framing {
        self.framing
    }

    /// Takes bytes in; `out` gets each line and whether it was cut.
    ///
    /// # Errors
    /// When what comes is no frame: where the next line begins cannot be known any more. [`Framer::broken`] keeps what was read.
    pub fn push(&mut self, mut bytes: &[u8], out: &mut dyn FnMut(&[u8], bool)) -> Result<(), BadFrame> {
        while let Some(first) = bytes.first() {
            match self.framing {
                Framing::Unknown => {
                    // Newlines before the first line are nobody's; a datagram relay sends them as a sign of life.
                    if matches!(first, b'\n' | b'\r' | 0) {
                        bytes = bytes.get(1..).unwrap_or_default();
                    } else {
                        self.framing = if matches!(first, b'1'..=b'9') { Framing::Counted } else { Framing::Newline };
                    }
                }
                Framing::Counted => bytes = self.counted(bytes, out)?,
                Framing::Newline => bytes = self.newline(bytes, out),
            }
        }
        Ok(())
    }

    fn counted<'a>(&mut self, bytes: &'a [u8], out: &mut dyn FnMut(&[u8], bool)) -> Result<&'a [u8], BadFrame> {
        let Some(left) = self.left else {
            return self.counting(bytes);
        };
        let (now, rest) = bytes.split_at(left.min(bytes.len()));
        self.keep(now);
        self.left = Some(left - now.len());
        if left == now.len() {
            self.left = None;
            self.emit(out);
        }
        Ok(rest)
    }

    fn counting<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], BadFrame> {
        let Some((byte, rest)) = bytes.split_first() else { return Ok(bytes) };
        match byte {
            b'0'..=b'9' if self.digits < COUNT_DIGITS && !(self.digits == 0 && *byte == b'0') => {
                self.digits += 1;
                self.count = self.count * 10 + usize::from(byte - b'0');
            }
            b' ' if self.digits > 0 && self.count <= FRAME_BYTES => {
                self.left = Some(self.count);
                (self.digits, self.count, self.unsure) = (0, 0, false);
            }
            // Such as a line that begins with its date.
            byte if self.unsure && *byte != b' ' => {
                self.framing = Framing::Newline;
                self.line = self.count.to_string().into_bytes();
                (self.digits, self.count, self.unsure) = (0, 0, false);
                return Ok(bytes);
            }
            // Some senders end a counted frame with a newline that they do not count.
            b'\n' | b'\r' if self.digits == 0 => {}
            _ => {
                self.unsure = false;
                return Err(BadFrame { reason: "syslog.octet-count", unread: bytes.len() });
            }
        }
        Ok(rest)
    }

    /// After a [`BadFrame`]: what was not read of the piece goes out as lines that are cut, so that nothing of it is lost.
    pub fn broken(&mut self, bytes: &[u8], out: &mut dyn FnMut(&[u8], bool)) {
        let digits = if self.digits > 0 { self.count.to_string() } else { String::new() };
        let rest = [digits.as_bytes(), bytes].concat();
        rest.chunks(LINE_BYTES).map(without_ends).filter(|piece| !piece.is_empty()).for_each(|piece| out(piece, true));
        (self.digits, self.count) = (0, 0);
    }

    fn newline<'a>(&mut self, bytes: &'a [u8], out: &mut dyn FnMut(&[u8], bool)) -> &'a [u8] {
        let Some(end) = memchr::memchr2(b'\n', 0, bytes) else {
            self.keep(bytes);
            return &[];
        };
        let line = bytes.get(..end).unwrap_or_default();
        if self.line.is_empty() && !self.cut && line.len() <= LINE_BYTES {
            // It came in one piece: no copy.
            let line = without_ends(line);
            if !line.is_empty() {
                out(line, false);
            }
        } else {
            self.keep(line);
            self.emit(out);
        }
        bytes.get(end + 1..).unwrap_or_default()
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = LINE_BYTES - self.line.len().min(LINE_BYTES);
        self.line.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
        self.cut |= bytes.len() > room;
    }

    fn emit(&mut self, out: &mut dyn FnMut(&[u8], bool)) {
        while matches!(self.line.last(), Some(b'\n' | b'\r' | 0)) {
            self.line.pop();
        }
        if !self.line.is_empty() {
            out(&self.line, self.cut);
        }
        self.line.clear();
        self.cut = false;
    }

    /// The connection ended: a line that no newline ended is still a line; a counted frame that did not come whole is kept cut.
    pub fn finish(&mut self, out: &mut dyn FnMut(&[u8], bool)) {
        if self.framing == Framing::Counted && self.unsure && self.digits > 0 {
            self.line = self.count.to_string().into_bytes();
        }
        if self.framing == Framing::Counted && !self.line.is_empty() {
            self.cut = true;
        }
        self.emit(out);
        (self.left, self.digits, self.count) = (None, 0, 0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(framer: &mut Framer, pieces: &[&[u8]]) -> (Vec<(String, bool)>, bool) {
        let mut lines = Vec::new();
        let mut out = |l: &[u8], cut| lines.push((String::from_utf8_lossy(l).into_owned(), cut));
        let good = pieces.iter().all(|p| match framer.push(p, &mut out) {
            Ok(()) => true,
            Err(bad) => {
                framer.broken(&p[p.len() - bad.unread..], &mut out);
                false
            }
        });
        framer.finish(&mut out);
        (lines, good)
    }

    #[test]
    fn framings_are_told_apart_by_the_first_byte() {
        type Case<'a> = (&'a [&'a [u8]], &'a [(&'a str, bool)], bool, Framing);
        let cases: [Case<'_>; 11] = [
            (&[b"<1>a\n<2>b\n"], &[("<1>a", false), ("<2>b", false)], true, Framing::Newline),
            (&[b"4 <1>a4 <2>b"], &[("<1>a", false), ("<2>b", false)], true, Framing::Counted),
            (&[b"5 <1", b">a\n", b"4 <2>b"], &[("<1>a", false), ("<2>b", false)], true, Framing::Counted),
            (&[b"4 <1>a\n4 <2>b\n"], &[("<1>a", false), ("<2>b", false)], true, Framing::Counted),
            (&[b"\n\n<1>a\r\n\r\nplain"], &[("<1>a", false), ("plain", false)], true, Framing::Newline),
            (&[b"<1>a\0<2>b\0"], &[("<1>a", false), ("<2>b", false)], true, Framing::Newline),
            (&[b"9 <1>a"], &[("<1>a", true)], true, Framing::Counted),
            (&[b"4 <1>ax"], &[("<1>a", false), ("x", true)], false, Framing::Counted),
            (&[b"4 <1>a2x4 <2>b4 <3>c"], &[("<1>a", false), ("2x4 <2>b4 <3>c", true)], false, Framing::Counted),
            (&[b"4 <1>a9999999 <1>"], &[("<1>a", false), ("9999999 <1>", true)], false, Framing::Counted),
            (&[b"2026-11-22 one\n<2>", b"two\n"], &[("2026-11-22 one", false), ("<2>two", false)], true, Framing::Newline),
        ];
        for (pieces, want, good, framing) in cases {
            let mut framer = Framer::new();
            let (lines, ok) = all(&mut framer, pieces);
            let want: Vec<(String, bool)> = want.iter().map(|(l, c)| ((*l).to_owned(), *c)).collect();
            assert_eq!((lines, ok, framer.framing()), (want, good, framing), "{pieces:?}");
        }
    }

    #[test]
    fn long_lines_are_kept_cut() {
        for counted in [false, true] {
            let long = vec![b'x'; LINE_BYTES + 7];
            let mut stream = if counted { format!("{} ", long.len()).into_bytes() } else { b"<".to_vec() };
            stream.extend_from_slice(&long);
            stream.extend_from_slice(if counted { b"2 ok" } else { b"\nok\n" });
            let pieces: Vec<&[u8]> = stream.chunks(1000).collect();
            let (lines, good) = all(&mut Framer::new(), &pieces);
            assert!(good);
            assert_eq!(lines.len(), 2);
            assert_eq!((lines[0].0.len(), lines[0].1), (LINE_BYTES, true));
            assert_eq!(lines[1], ("ok".to_owned(), false));
        }
    }

    proptest! {
        #[test]
        fn cuts_between_reads_change_nothing(
            lines in prop::collection::vec("[a-z<>0-9 ]{1,40}", 1..8), counted: bool, cuts in prop::collection::vec(1usize..9, 1..40),
        ) {
            // A line that begins with a digit, or ends in what framing takes away, would be another line.
            let lines: Vec<String> = lines.iter().map(|l| format!("<{l}>")).collect();
            let stream: String = lines.iter().map(|l| if counted { format!("{} {l}", l.len()) } else { format!("{l}\n") }).collect();
            let mut rest = stream.as_bytes();
            let mut pieces = Vec::new();
            for cut in cuts.iter().cycle() {
                if rest.is_empty() { break; }
                let (a, b) = rest.split_at((*cut).min(rest.len()));
                pieces.push(a);
                rest = b;
            }
            let (got, good) = all(&mut Framer::new(), &pieces);
            prop_assert!(good);
            prop_assert_eq!(got.into_iter().map(|(l, _)| l).collect::<Vec<_>>(), lines);
        }
    }
}
