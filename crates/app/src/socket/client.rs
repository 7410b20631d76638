//! The asking side.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::told::Told;
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
        mut each: impl FnMut(&[Told<'_>]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let first = self.next;
        self.next += requests.len() as u64;
        let mut writing = self.stream.get_ref().try_clone().map_err(|e| gone(&e, false))?;
        std::thread::scope(|scope| {
            // Answers are read while requests are written: neither side waits for the other with both its hands full.
            scope.spawn(move || requests.zip(first..).try_for_each(|(request, id)| writing.write_all(line(request, id).as_bytes())));
            let mut text = String::new();
            let done = (first..self.next).try_for_each(|id| {
                self.line(&mut text, false)?;
                each(&answers(&text, id)?)
            });
            if done.is_err() {
                // What cannot be written any more need not be: the thread ends.
                let _ = self.stream.get_ref().shutdown(Shutdown::Both);
            }
            done
        })
    }

    fn read(&mut self, id: u64, statement: bool) -> Result<Value, Failure> {
        let mut line = String::new();
        self.line(&mut line, statement)?;
        answer(&line, id)
    }

    /// The next line instead of the last one.
    fn line(&mut self, line: &mut String, statement: bool) -> Result<(), Failure> {
        line.clear();
        let read = self.stream.by_ref().take(16 * LINE_BYTES as u64).read_line(line).map_err(|e| gone(&e, statement))?;
        if read == 0 { Err(gone(&ErrorKind::UnexpectedEof.into(), statement)) } else { Ok(()) }
    }
}

/// The answers of a part, as they stand in its line.
fn answers(line: &str, id: u64) -> Result<Vec<Told<'_>>, Failure> {
    #[derive(Deserialize)]
    struct Given<'a> {
        id: u64,
        #[serde(borrow)]
        ok: Vec<Told<'a>>,
    }
    match serde_json::from_str::<Given<'_>>(line) {
        Ok(given) if given.id == id => Ok(given.ok),
        // What else it is, is told as of any other request.
        _ => Err(answer(line, id).err().unwrap_or_else(not_ours)),
    }
}

fn not_ours() -> Failure {
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
