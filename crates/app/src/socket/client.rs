//! The asking side.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::fail::Failure;
use crate::limits::{ANSWER_WAIT_S, LINE_BYTES};

/// A connection to the running program.
pub struct Client {
    stream: BufReader<UnixStream>,
    next: u64,
}

impl Client {
    /// Connects to the program that runs in `data`.
    pub fn connect(data: &Path) -> Result<Client, Failure> {
        let not_there = |e: std::io::Error| {
            let shown = data.display();
            match e.kind() {
                ErrorKind::PermissionDenied => Failure::new(
                    format!("you may not talk to the program in {shown}"),
                    format!(
                        "its socket is open to the account it runs under: use that one, or let its owner open the folder and the socket to you and \
                         add these lines to the configuration, then start it again:\n\n  [[desk.uids]]\n  uid = {}\n  account = \"NAME\"\n  roles = [\"operator\"]",
                        rustix::process::getuid().as_raw()
                    ),
                ),
                _ => Failure::new(
                    format!("no program runs in {shown} ({e})"),
                    format!("start it with `weir run --data {shown}`, or name the right folder with --data"),
                ),
            }
        };
        let path = super::path(data).map_err(not_there)?;
        let stream = UnixStream::connect(&path.path).map_err(not_there)?;
        stream.set_read_timeout(Some(Duration::from_secs(ANSWER_WAIT_S))).map_err(not_there)?;
        Ok(Client { stream: BufReader::new(stream), next: 0 })
    }

    /// Asks once.
    pub fn call(&mut self, request: Value) -> Result<Value, Failure> {
        self.call_all(vec![request])?.pop().ok_or_else(|| Failure::new("the program did not answer", "look at its error output"))
    }

    /// Asks many things at once; the answers come in the order of the requests. The first that failed is the failure of all.
    pub fn call_all(&mut self, requests: Vec<Value>) -> Result<Vec<Value>, Failure> {
        let first = self.next;
        let count = requests.len();
        let statement = requests.iter().any(|r| r["op"] == "sql");
        let lines: String = requests.into_iter().zip(first..).map(|(request, id)| line(request, id)).collect();
        self.next += count as u64;
        self.stream.get_mut().write_all(lines.as_bytes()).map_err(|e| gone(&e, statement))?;
        (first..self.next).map(|id| self.read(id, statement)).collect()
    }

    /// Hands the parts of a file of questions over without waiting for the answers between: `each` gets those of a part, in the order of the parts, until one failed.
    pub fn call_each(
        &mut self,
        requests: impl ExactSizeIterator<Item = Value> + Send,
        mut each: impl FnMut(Given<'_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let first = self.next;
        self.next += requests.len() as u64;
        let next = self.next;
        let another = || self.stream.get_ref().try_clone().map_err(|e| gone(&e, false));
        let (mut writing, whole) = (another()?, another()?);
        let stream = &mut self.stream;
        // The next line is read while `each` has one, and no more.
        let (lines, read) = mpsc::sync_channel(0);
        std::thread::scope(|scope| {
            // Answers are read while requests are written: neither side waits for the other with both its hands full.
            scope.spawn(move || requests.zip(first..).try_for_each(|(request, id)| writing.write_all(line(request, id).as_bytes())));
            scope.spawn(move || {
                for _ in first..next {
                    let line = next_line(stream, false);
                    let failed = line.is_err();
                    // Nobody waits for more after a failure.
                    if lines.send(line).is_err() || failed {
                        return;
                    }
                }
            });
            let done = (first..next).try_for_each(|id| {
                let text = read.recv().map_err(|_| gone(&ErrorKind::UnexpectedEof.into(), false))??;
                each(Given { id, line: &text })
            });
            if done.is_err() {
                // What cannot be written or read any more need not be: the threads end.
                let _ = whole.shutdown(Shutdown::Both);
            }
            drop(read);
            done
        })
    }

    fn read(&mut self, id: u64, statement: bool) -> Result<Value, Failure> {
        answer(&next_line(&mut self.stream, statement)?, id)
    }
}

fn next_line(stream: &mut BufReader<UnixStream>, statement: bool) -> Result<String, Failure> {
    let mut line = String::new();
    let read = stream.take(16 * LINE_BYTES as u64).read_line(&mut line).map_err(|e| gone(&e, statement))?;
    if read == 0 { Err(gone(&ErrorKind::UnexpectedEof.into(), statement)) } else { Ok(line) }
}

/// What was given to a part.
pub struct Given<'a> {
    id: u64,
    line: &'a str,
}

impl<'a> Given<'a> {
    /// The answers, each as it is wanted.
    ///
    /// # Errors
    /// The program's, or what was given is not understood.
    pub fn answers<T: Deserialize<'a>>(&self) -> Result<Vec<T>, Failure> {
        #[derive(Deserialize)]
        struct Line<T> {
            id: u64,
            ok: Vec<T>,
        }
        match serde_json::from_str::<Line<T>>(self.line) {
            Ok(line) if line.id == self.id => Ok(line.ok),
            // What else it is, is told as of any other request.
            _ => Err(answer(self.line, self.id).err().unwrap_or_else(not_ours)),
        }
    }
}

/// What came is no answer of this program's.
pub fn not_ours() -> Failure {
    Failure::new("the program gave an answer that is not understood", "use the command and the program of one version")
}

fn line(mut request: Value, id: u64) -> String {
    if let Value::Object(fields) = &mut request {
        fields.insert("id".to_owned(), json!(id));
    }
    format!("{request}\n")
}

fn gone(e: &std::io::Error, statement: bool) -> Failure {
    match e.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => {
            let todo = match statement {
                true => "the program ends the statement now that nobody waits for it; ask for less, as with a narrower time in WHERE",
                false => "look at the program's error output: is its disk full or slow?",
            };
            Failure::new(format!("no answer within {ANSWER_WAIT_S} s"), todo)
        }
        _ => Failure::new(format!("the program broke the connection off ({e})"), "is it still running?"),
    }
}

fn answer(line: &str, id: u64) -> Result<Value, Failure> {
    let mut value: Value = serde_json::from_str(line).map_err(|_| not_ours())?;
    if let Some(error) = value.get("error") {
        let text = |key: &str| error.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
        let code = error.get("code").and_then(Value::as_u64).and_then(|c| u8::try_from(c).ok()).unwrap_or(crate::fail::FAILED);
        return Err(Failure { what: text("what"), todo: text("todo"), code });
    }
    if value.get("id") != Some(&json!(id)) {
        return Err(not_ours());
    }
    value.get_mut("ok").map(Value::take).ok_or_else(not_ours)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn client() -> (Client, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (Client { stream: BufReader::new(ours), next: 0 }, theirs)
    }

    /// Asks for so many parts while the other side says `said`; what came of each, until `stops_at`.
    fn parts(count: usize, said: &str, stops_at: u64) -> (Vec<Vec<u64>>, Result<(), Failure>) {
        let (mut client, theirs) = client();
        let mut got = Vec::new();
        let done = thread::scope(|scope| {
            scope.spawn(|| {
                let mut reader = BufReader::new(&theirs);
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                // Whoever asked may be gone already.
                let _ = (&theirs).write_all(said.as_bytes());
                let _ = theirs.shutdown(Shutdown::Write);
                let _ = reader.read_to_string(&mut line);
            });
            // Far more than a socket takes in without a reader.
            let long = "x".repeat(1 << 20);
            let requests: Vec<Value> = (0..count).map(|_| json!({ "text": long })).collect();
            let done = client.call_each(requests.into_iter(), |given| {
                let answers: Vec<u64> = given.answers()?;
                got.push(answers);
                if got.len() as u64 == stops_at { Err(not_ours()) } else { Ok(()) }
            });
            let _ = client.stream.get_ref().shutdown(Shutdown::Both);
            done
        });
        (got, done)
    }

    #[test]
    fn parts_come_in_order_until_one_fails_and_nobody_is_left_waiting() {
        let ok = |id: u64| format!("{{\"id\":{id},\"ok\":[{id},7]}}\n");
        let all: String = (0..5).map(ok).collect();
        let (got, done) = parts(5, &all, 99);
        assert!(done.is_ok());
        assert_eq!(got, (0..5).map(|id| vec![id, 7]).collect::<Vec<_>>());
        let refused = r#"{"id":1,"error":{"what":"the disk is full","todo":"make room","code":1}}"#;
        for (said, stops_at, told, before) in [
            (all.clone(), 2, "not understood", 2),
            (ok(0) + &ok(1), 99, "broke the connection off", 2),
            (String::new(), 99, "broke the connection off", 0),
            (ok(0) + refused + "\n" + &ok(2) + &ok(3) + &ok(4), 99, "the disk is full", 1),
            (ok(0) + &ok(3) + &ok(2), 99, "not understood", 1),
            (ok(0) + "{\"id\":1,\"ok\":[\"x\"]}\n" + &ok(2), 99, "not understood", 1),
        ] {
            let (got, done) = parts(5, &said, stops_at);
            let failure = done.unwrap_err();
            assert!(failure.what.contains(told) && got.len() == before, "{failure}: {got:?}");
        }
    }
}
