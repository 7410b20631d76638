//! A data folder opened while the program does not run. Its lock is held as long as it is open.

use std::path::Path;
use std::sync::Arc;

use weir_base::clock::Clock;
use weir_base::disk::RealDisk;

use crate::config;
use crate::fail::Failure;
use crate::open::{self, Opened};

/// Opens a folder that the program has used; gives the origin of its log too.
pub fn open(data: &Path, clock: &Arc<dyn Clock>) -> Result<(Opened, String), Failure> {
    if !data.is_dir() {
        return Err(Failure::new(format!("{} is not a data folder of weir", data.display()), "name the right one with --data"));
    }
    let disk =
        RealDisk::new(data).map_err(|e| Failure::new(format!("{} cannot be opened ({e})", data.display()), "check its owner and mode"))?;
    let origin = open::origin_of(&disk).ok_or_else(|| {
        Failure::new(format!("there is no log in {}", data.display()), "name the right folder with --data, or start the program in it once")
    })?;
    let defaults = config::parse("", &[]).map_err(|_| Failure::new("the defaults are not right", "please report this"))?;
    let opened = open::open(data, &origin, &defaults.settings.store, clock, false).map_err(|failure| {
        let held = failure.what.contains("in use by process");
        if held { Failure { todo: "ask it without --offline, or stop it first".to_owned(), ..failure } } else { failure }
    })?;
    Ok((opened, origin))
}

/// Who asks off line.
pub fn actor() -> String {
    format!("uid:{}", rustix::process::getuid().as_raw())
}
