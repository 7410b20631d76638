//! Search by word over many lines of the real program, beside grep and zgrep over the same lines in one run: the same is found. How long each
//! took and how much was read is printed and judged by nobody.

use std::fs;
use std::io::{BufWriter, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::{Running, code, config, have, now_ms, parsed, text};

/// Lines of one run of `make test`; `WEIR_LINES` sets another number.
const LINES: u64 = 30_000;
/// Newest lines asked for.
const LIMIT: u64 = 100;
/// Words for a search and for grep, and in how many lines they are at least and at most; none: in very many.
const ASKED: [(&str, &str, Option<u64>); 3] =
    [("postgres", "a rare word", Some(3)), ("invalid sshd", "common words", None), ("zebra", "a word that is nowhere", Some(0))];

/// Line number `n` of `of`: what a gateway and a server say all day, and in three of them one rare word.
fn line(n: u64, of: u64) -> String {
    let (a, b, port) = (n.wrapping_mul(2_654_435_761) % 250 + 1, n / 7 % 250 + 1, 1_024 + n * 7_919 % 60_000);
    if [of / 5, of / 2, of - of / 7].contains(&n) {
        return format!("<11>Nov 22 10:00:00 db-1 kernel: Out of memory: Killed process {port} (postgres) total-vm:{n}kB");
    }
    match n % 4 {
        0 => format!("<38>Nov 22 10:00:00 web-1 sshd[{port}]: Failed password for invalid user u{a} from 192.0.2.{b} port {port} ssh2"),
        1 => format!(
            "<38>Nov 22 10:00:00 web-2 sshd[{port}]: Connection closed by invalid user admin{b} 198.51.100.{a} port {port} [preauth]"
        ),
        2 => format!("<30>Nov 22 10:00:00 gw dnsmasq-dhcp[812]: DHCPACK(br-lan) 192.168.{a}.{b} 02:00:00:00:{:02x}:{:02x} phone-{n}", a, b),
        _ => format!("<86>Nov 22 10:00:00 web-1 CRON[{port}]: pam_unix(cron:session): session opened for user root(uid=0) by (uid={n})"),
    }
}

/// Bytes that a program has read so far, and calls it read them with.
fn read(pid: u32) -> (u64, u64) {
    let text = fs::read_to_string(format!("/proc/{pid}/io")).unwrap();
    let value = |name: &str| text.lines().find_map(|l| l.strip_prefix(name)).unwrap().trim().parse::<u64>().unwrap();
    (value("rchar:"), value("syscr:"))
}

/// Lines that have all of the words, as grep counts them, and milliseconds.
fn grep(program: &str, words: &str, file: &Path) -> (u64, i64) {
    let begun = now_ms();
    let mut words = words.split(' ');
    let mut first = Command::new(program).args(["-iw", words.next().unwrap()]).arg(file).stdout(Stdio::piped()).spawn().unwrap();
    let second = Command::new("grep")
        .args(words.next().map_or(["-c", "."], |word| ["-ciw", word]))
        .stdin(first.stdout.take().unwrap())
        .output()
        .unwrap();
    first.wait().unwrap();
    (String::from_utf8(second.stdout).unwrap().trim().parse().unwrap(), now_ms() - begun)
}

#[test]
fn soak_search_finds_what_grep_finds() {
    if !have("zgrep", "what grep finds in the same lines") {
        return;
    }
    let total = std::env::var("WEIR_LINES").map_or(LINES, |t| t.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let (data, plain) = (dir.path().join("data"), dir.path().join("lines"));
    let listen = ["sources.syslog.listen=127.0.0.1:0", "sources.syslog.listen_tcp=127.0.0.1:0"];
    let running = Running::start(&data, &config("minimal.toml"), &listen);
    let mut file = BufWriter::new(fs::File::create(&plain).unwrap());
    let mut wire = BufWriter::with_capacity(1 << 16, TcpStream::connect(running.port("syslog_tcp")).unwrap());
    let begun = now_ms();
    for n in 0..total {
        let line = line(n, total);
        writeln!(file, "{line}").unwrap();
        writeln!(wire, "{line}").unwrap();
    }
    file.flush().unwrap();
    wire.flush().unwrap();
    let kept =
        || parsed(&running.ask(&["sources", "--json"])).as_array().unwrap().iter().filter_map(|s| s["messages"].as_u64()).sum::<u64>();
    while kept() < total {}
    println!("{total} lines, {} bytes, taken in {} ms", fs::metadata(&plain).unwrap().len(), now_ms() - begun);
    assert_eq!(code(&running.ask(&["seal", "--now"])), 0);
    assert!(Command::new("gzip").args(["-k", "-1"]).arg(&plain).status().unwrap().success());
    for (words, what, there) in ASKED {
        let (before, begun) = (read(running.child.id()), now_ms());
        let answer = running.ask(&["records", "--kind", "maintenance", "--match", words, "--limit", &LIMIT.to_string(), "--json"]);
        let took = now_ms() - begun;
        assert_eq!(code(&answer), 0, "{}", text(&answer));
        let (bytes, calls) = read(running.child.id());
        let found = parsed(&answer).as_array().unwrap().len() as u64;
        let (all, plainly) = grep("grep", words, &plain);
        let (_, zipped) = grep("zgrep", words, &plain.with_extension("gz"));
        println!(
            "{what}, {words:?}: {found} rows in {took} ms, {} bytes in {} calls; {all} lines there: grep {plainly} ms, zgrep {zipped} ms",
            bytes - before.0,
            calls - before.1
        );
        assert_eq!(found, all.min(LIMIT), "{words}");
        assert!(there.map_or(all > total / 3, |n| all == n), "{all} lines hold {words}");
    }
    assert_eq!(running.stop(), 0);
}
