//! Tests in network namespaces of their own. Where the kernel or the tools do not allow it a test says what was not shown; with `WEIR_CI=1` that
//! is a failure.

use std::fs::File;
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

const INSIDE: &str = "WEIR_TEST_IN_NAMESPACES";

/// Runs the test with this full name once more inside user, network and mount namespaces that the shell lines `net` have prepared; true in
/// there. `what` is what is not shown where that cannot be.
///
/// # Panics
/// When the test fails inside.
pub fn in_namespaces(test: &str, net: &str, what: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let able = Command::new("unshare").args(["-Urnm", "sh", "-ec", net]).stdin(Stdio::null()).output();
    let able = able
        .map_err(|e| e.to_string())
        .and_then(|o| if o.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&o.stderr).into_owned()) });
    if let Err(why) = able {
        assert_ne!(std::env::var("WEIR_CI").as_deref(), Ok("1"), "no namespaces can be made here, so it is not shown: {what} ({why})");
        eprintln!("not shown, because no namespaces can be made here: {what} ({why})");
        return false;
    }
    let exe = std::env::current_exe().expect("the path of this test");
    let line = format!("{net}\nexec '{}' --exact '{test}' --nocapture", exe.display());
    let status = Command::new("unshare").args(["-Urnm", "sh", "-ec", &line]).env(INSIDE, "1").status().expect("unshare starts");
    assert!(status.success(), "inside: {status}");
    false
}

/// Does something in a namespace that `ip netns` knows, on a thread that is moved there.
///
/// # Panics
/// When the namespace is not there, or `body` panics.
pub fn inside<T: Send>(netns: &str, body: impl FnOnce() -> T + Send) -> T {
    thread::scope(|s| {
        let there = || {
            let file = File::open(format!("/run/netns/{netns}")).expect("the namespace");
            move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).expect("it can be entered");
            body()
        };
        s.spawn(there).join().expect("what was done there")
    })
}
