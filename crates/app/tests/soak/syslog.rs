//! Log lines of every dialect over TCP and RELP, with connections cut and the program killed in between: what was acknowledged is there once,
//! what was sent again at most once a resend, and marked.

use std::collections::{HashMap, VecDeque};
use std::fs;
use std::io::{BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;

use serde_json::Value;

use crate::common::{Running, code, config, parsed, text, weir};

const LISTEN: [&str; 3] =
    ["sources.syslog.listen=127.0.0.1:0", "sources.syslog.listen_tcp=127.0.0.1:0", "sources.syslog.listen_relp=127.0.0.1:0"];
/// Lines on their way at one time, as librelp has them.
const WINDOW: usize = 128;
/// Answers after which the connection is cut.
const CUT_AFTER: u64 = 1_500;
/// Kills of one run.
const KILLS: usize = 6;
/// Lines of one TCP connection.
const BURST: u64 = 400;

/// Lines of the golden files, one of each dialect after the other.
fn templates() -> Vec<String> {
    let folder = weir_testkit::package().join("../sources/src/syslog/testdata");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let mut all: Vec<VecDeque<String>> = Vec::new();
    for file in files.iter().filter(|f| f.extension().is_some_and(|e| e == "txt")) {
        let text = fs::read_to_string(file).unwrap();
        // An ASA's line that ends with an account takes whatever stands behind it for the account's: the number would be redacted too.
        let ends_with_an_account = |l: &str| [": user = ", ", User = ", "Uname: "].iter().any(|w| l.contains(w));
        let lines = text.lines().filter(|l| !l.is_empty() && !l.starts_with("# ") && !l.starts_with("=> ") && !ends_with_an_account(l));
        all.push(lines.map(|l| l.strip_prefix("gb18030: ").unwrap_or(l).to_owned()).collect());
    }
    assert!(all.len() >= 11, "every dialect has its lines");
    let mut mixed = Vec::new();
    while all.iter().any(|lines| !lines.is_empty()) {
        mixed.extend(all.iter_mut().filter_map(VecDeque::pop_front));
    }
    mixed
}

/// Line number `n` of a way: a template with other ports, in UTF-8 or GB18030, and its number at the end. The same number is the same line.
fn line(templates: &[String], way: char, n: u64) -> Vec<u8> {
    let template = &templates[(n % templates.len() as u64) as usize];
    let mut out = String::with_capacity(template.len() + 40);
    let mut digits = String::new();
    for c in template.chars().chain([' ']) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        match digits.parse::<u64>() {
            Ok(port) if digits.len() == 5 => out.push_str(&(10_000 + (port + n * 7) % 50_000).to_string()),
            _ => out.push_str(&digits),
        }
        digits.clear();
        out.push(c);
    }
    if n.is_multiple_of(3) {
        out.push_str("用户登录失败 ");
    }
    // A template may end where an account is expected: that is the word before the number then.
    out.push_str(&format!("end wseq={way}{n}"));
    if n.is_multiple_of(6) { encoding_rs::GB18030.encode(&out).0.into_owned() } else { out.into_bytes() }
}

/// A sender that knows what was acknowledged.
struct Relp {
    stream: BufReader<TcpStream>,
    transaction: u64,
    waiting: HashMap<u64, u64>,
}

impl Relp {
    fn connect(to: SocketAddr) -> Relp {
        let stream = BufReader::new(TcpStream::connect(to).unwrap());
        let mut relp = Relp { stream, transaction: 1, waiting: HashMap::new() };
        relp.stream.get_mut().write_all(b"1 open 30 relp_version=0\ncommands=syslog\n").unwrap();
        assert_eq!(relp.answer(), Some(1));
        relp
    }

    fn send(&mut self, n: u64, line: &[u8]) -> std::io::Result<()> {
        self.transaction += 1;
        self.waiting.insert(self.transaction, n);
        let mut frame = format!("{} syslog {} ", self.transaction, line.len()).into_bytes();
        frame.extend(line);
        frame.push(b'\n');
        self.stream.get_mut().write_all(&frame)
    }

    /// The next answer's transaction; none when the connection is gone.
    fn answer(&mut self) -> Option<u64> {
        let mut head = Vec::new();
        let mut byte = [0];
        while head.iter().filter(|b| **b == b' ').count() < 3 {
            self.stream.read_exact(&mut byte).ok()?;
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        let mut words = head.split(' ');
        let (transaction, verb, length) = (words.next()?.parse().ok()?, words.next()?, words.next()?.parse::<usize>().ok()?);
        let mut data = vec![0; length + 1];
        self.stream.read_exact(&mut data).ok()?;
        assert!(verb == "rsp" && data.starts_with(b"200 "), "{head}{}", String::from_utf8_lossy(&data));
        Some(transaction)
    }
}

struct Run<'a> {
    data: &'a Path,
    running: Option<Running>,
    templates: Vec<String>,
    /// Lines of the RELP sender so far, and those that have to be sent again.
    next: u64,
    again: VecDeque<u64>,
    resent: HashMap<u64, u64>,
    answered: u64,
    bytes: u64,
    /// Lines over TCP so far, and those of connections that a kill met.
    tcp: u64,
    unsure: u64,
    cuts: u64,
}

impl Run<'_> {
    fn running(&self) -> &Running {
        self.running.as_ref().unwrap()
    }

    fn relp(&self) -> Relp {
        Relp::connect(self.running().port("syslog_relp"))
    }

    /// Fills the window and takes one answer.
    fn step(&mut self, relp: &mut Relp, more: bool) {
        while relp.waiting.len() < WINDOW {
            let n = match self.again.pop_front() {
                Some(n) => n,
                None if more => {
                    self.next += 1;
                    self.next - 1
                }
                None => break,
            };
            let line = line(&self.templates, 'r', n);
            self.bytes += line.len() as u64;
            relp.send(n, &line).unwrap();
        }
        if !relp.waiting.is_empty() {
            let transaction = relp.answer().expect("nobody closed the connection");
            relp.waiting.remove(&transaction).expect("each line is answered once");
            self.answered += 1;
        }
    }

    /// Leaves a connection as it is; what was not answered is sent again, in the order of before.
    fn leave(&mut self, relp: Relp) {
        let mut waiting: Vec<(u64, u64)> = relp.waiting.into_iter().collect();
        waiting.sort_unstable();
        for (_, n) in waiting.into_iter().rev() {
            *self.resent.entry(n).or_default() += 1;
            self.again.push_front(n);
        }
        let _ = relp.stream.get_ref().shutdown(Shutdown::Both);
    }

    /// Lines over TCP, in either framing; every other connection ends in the midst of a line. True once the program has read all of them.
    fn burst(&mut self, wait: bool) {
        let mut stream = TcpStream::connect(self.running().port("syslog_tcp")).unwrap();
        let counted = self.cuts.is_multiple_of(2);
        let mut bytes = Vec::new();
        for _ in 0..BURST {
            let line = line(&self.templates, 't', self.tcp);
            self.tcp += 1;
            self.bytes += line.len() as u64;
            if counted {
                bytes.extend(format!("{} ", line.len()).into_bytes());
            }
            bytes.extend(line);
            if !counted {
                bytes.push(b'\n');
            }
        }
        if self.cuts % 4 < 2 {
            bytes.extend_from_slice(if counted { b"99 <13>half a line" } else { b"<13>half a line" });
        }
        stream.write_all(&bytes).unwrap();
        if wait {
            stream.shutdown(Shutdown::Write).unwrap();
            assert_eq!(stream.read(&mut [0]).unwrap(), 0, "nothing is said over TCP");
        } else {
            self.unsure += BURST;
        }
    }

    fn restart(&mut self) {
        if let Some(running) = self.running.take() {
            running.kill();
        }
        self.running = Some(Running::start(self.data, &config("minimal.toml"), &LISTEN));
    }

    fn play(&mut self, total: u64) {
        self.restart();
        let mut relp = self.relp();
        let mut cut_at = CUT_AFTER;
        let mut kill_at = total / (KILLS as u64 + 1);
        while self.bytes < total {
            self.step(&mut relp, true);
            let kill = self.bytes >= kill_at;
            if kill {
                // What was read over TCP before is durable once a later line is answered; what is under way now may be lost.
                self.burst(false);
                self.restart();
                kill_at += total / (KILLS as u64 + 1);
                println!("{} MB, {} answered, {} cuts", self.bytes >> 20, self.answered, self.cuts);
            }
            if kill || self.answered >= cut_at {
                self.leave(relp);
                relp = self.relp();
                self.cuts += 1;
                cut_at = self.answered + CUT_AFTER;
                self.burst(true);
                self.settle(&mut relp);
            }
        }
        while !relp.waiting.is_empty() || !self.again.is_empty() {
            self.step(&mut relp, false);
        }
    }

    /// Groups become durable in order: once a line that is sent now is answered, so is what was read over TCP before.
    fn settle(&mut self, relp: &mut Relp) {
        let until = self.answered + 2 * WINDOW as u64;
        while self.answered < until {
            self.step(relp, true);
        }
    }

    fn ask(&self, statement: &str) -> Vec<Value> {
        let output = weir(&["sql", statement, "--json", "--data", self.data.to_str().unwrap()]);
        parsed(&output).as_array().unwrap().clone()
    }

    fn count(&self, way: char) -> (u64, u64) {
        let number = "split_part(line, 'wseq=', 2)";
        let rows =
            self.ask(&format!("SELECT count(*) AS n, count(DISTINCT {number}) AS d FROM maintenance WHERE line LIKE '%wseq={way}%'"));
        (rows[0]["n"].as_u64().unwrap(), rows[0]["d"].as_u64().unwrap())
    }

    fn judge(&self) {
        let (rows, lines) = self.count('r');
        assert_eq!(lines, self.next, "RELP: each of {} answered lines is there", self.next);
        let twice = self.ask(
            "SELECT split_part(line, 'wseq=', 2) AS k, count(*) AS c, sum(CASE WHEN flags & 64 = 64 THEN 1 ELSE 0 END) AS marked \
             FROM maintenance WHERE line LIKE '%wseq=r%' GROUP BY split_part(line, 'wseq=', 2) HAVING count(*) > 1",
        );
        let mut unmarked = Vec::new();
        for row in &twice {
            let n: u64 = row["k"].as_str().unwrap().trim_start_matches('r').parse().unwrap();
            let (count, marked) = (row["c"].as_u64().unwrap(), row["marked"].as_u64().unwrap());
            assert!(count <= 1 + self.resent.get(&n).copied().unwrap_or(0), "line {n} is there {count} times");
            if count > marked + 1 {
                unmarked.push(n);
            }
        }
        println!(
            "{rows} rows of {lines} lines over RELP, {} sent again, {} there twice, {} cuts",
            self.resent.len(),
            twice.len(),
            self.cuts
        );
        assert!(unmarked.is_empty(), "{} doubles are not marked, such as {:?}", unmarked.len(), unmarked.first());
        let (rows, lines) = self.count('t');
        println!("{rows} rows of {lines} lines over TCP, {} sent, {} of them while the program was killed", self.tcp, self.unsure);
        assert_eq!(rows, lines, "TCP: no line is there twice");
        assert!((self.tcp - self.unsure..=self.tcp).contains(&lines), "{lines} of {} lines over TCP, {} unsure", self.tcp, self.unsure);
    }
}

#[test]
fn soak_syslog_lines_are_there_once_through_cuts_and_kills() {
    let megabytes: u64 = std::env::var("WEIR_SYSLOG_MB").ok().and_then(|t| t.parse().ok()).unwrap_or(10);
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut run = Run {
        data: &data,
        running: None,
        templates: templates(),
        next: 0,
        again: VecDeque::new(),
        resent: HashMap::new(),
        answered: 0,
        bytes: 0,
        tcp: 0,
        unsure: 0,
        cuts: 0,
    };
    run.play(megabytes << 20);
    assert_eq!(code(&run.running().ask(&["seal", "--now"])), 0);
    run.judge();
    assert_eq!(run.running.take().unwrap().stop(), 0);
    let verified = weir(&["verify", "--data", data.to_str().unwrap()]);
    assert_eq!(code(&verified), 0, "{}{}", text(&verified), String::from_utf8_lossy(&verified.stderr));
}
