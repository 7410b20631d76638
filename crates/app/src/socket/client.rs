//! The asking side.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

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
        let mut lines = String::new();
        let count = requests.len();
        let statement = requests.iter().any(|r| r["op"] == "sql");
        for mut request in requests {
            if let Value::Object(fields) = &mut request {
                fields.insert("id".to_owned(), json!(self.next));
            }
            self.next += 1;
            lines.push_str(&request.to_string());
            lines.push('\n');
        }
        let gone = |e: std::io::Error| match e.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => {
                let todo = match statement {
                    true => "the program ends the statement now that nobody waits for it; ask for less, as with a narrower time in WHERE",
                    false => "look at the program's error output: is its disk full or slow?",
                };
                Failure::new(format!("no answer within {ANSWER_WAIT_S} s"), todo)
            }
            _ => Failure::new(format!("the program broke the connection off ({e})"), "is it still running?"),
        };
        self.stream.get_mut().write_all(lines.as_bytes()).map_err(gone)?;
        let mut answers = Vec::with_capacity(count);
        for id in first..first + count as u64 {
            let mut line = String::new();
            let read = self.stream.by_ref().take(16 * LINE_BYTES as u64).read_line(&mut line).map_err(gone)?;
            if read == 0 {
                return Err(gone(ErrorKind::UnexpectedEof.into()));
            }
            answers.push(answer(&line, id)?);
        }
        Ok(answers)
    }
}

fn answer(line: &str, id: u64) -> Result<Value, Failure> {
    let not_ours = || Failure::new("the program gave an answer that is not understood", "use the command and the program of one version");
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
