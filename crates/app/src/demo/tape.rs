//! The truth of the simulated network as it goes by. It goes through a named pipe and is never on disk: it holds accounts in the clear.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use weir_base::task::lock;
use weir_base::time::Millis;
use weir_sim::truth::Line;

use super::Example;
use crate::fail::Failure;

/// Mappings remembered.
const KEPT: usize = 256;
/// A mapping must have lasted this long, so that the middle of it is clear of both ends, in milliseconds.
const LASTED_MS: i64 = 6_000;

/// What was true lately.
pub struct Tape {
    path: PathBuf,
    lines: Arc<Mutex<VecDeque<Line>>>,
}

impl Tape {
    /// A pipe in this folder, and a thread that reads it until its writer closes it.
    pub fn new(data: &Path) -> Result<Tape, Failure> {
        let path = data.join("demo.pipe");
        let failed =
            |e: std::io::Error| Failure::new(format!("the pipe {} cannot be made ({e})", path.display()), "use another folder with --data");
        if path.exists() {
            fs::remove_file(&path).map_err(failed)?;
        }
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).map_err(|e| failed(e.into()))?;
        let lines: Arc<Mutex<VecDeque<Line>>> = Arc::default();
        let (own, from) = (Arc::clone(&lines), path.clone());
        let read = move || {
            let Ok(file) = File::open(&from) else { return };
            for line in BufReader::new(file).lines() {
                let Ok(text) = line else { return };
                let Ok(line) = serde_json::from_str::<Line>(&text) else { continue };
                let mut lines = lock(&own);
                lines.push_back(line);
                if lines.len() > KEPT {
                    lines.pop_front();
                }
            }
        };
        std::thread::Builder::new().name("demo-tape".to_owned()).spawn(read).map_err(failed)?;
        Ok(Tape { path, lines })
    }

    /// Where the truth is written to.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Questions about the middle of mappings that lasted for a while, the newest first.
    pub fn recent(&self, now: Millis) -> Vec<Example> {
        lock(&self.lines).iter().rev().filter_map(|line| example(line, now)).take(8).collect()
    }
}

fn example(line: &Line, now: Millis) -> Option<Example> {
    let (public, end) = (line.public.as_ref()?, line.end?);
    let fits = line.form == "session" && end - line.start >= LASTED_MS && end <= now.0;
    fits.then(|| Example {
        public: format!("{public}:{}", line.port),
        protocol: line.protocol,
        at: Millis(line.start + (end - line.start) / 2),
    })
}

impl Drop for Tape {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}
