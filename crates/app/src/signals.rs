//! SIGINT and SIGTERM raise a flag; a second one ends the program at once, for when stopping hangs.

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use weir_base::task::Stop;

use crate::fail::Failure;

/// Raises `stop` when the program is asked to end.
pub fn raise_on_signal(stop: &Stop) -> Result<(), Failure> {
    let failed = |e: std::io::Error| Failure::new(format!("cannot listen for signals ({e})"), "please report this");
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(failed)?;
    let stop = stop.clone();
    let wait = move || {
        for signal in signals.forever() {
            if stop.is_raised() {
                std::process::exit(128 + signal);
            }
            stop.raise();
        }
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(wait).map_err(failed)?;
    Ok(())
}
