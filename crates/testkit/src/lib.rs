//! For tests only: a disk that loses, tears and reorders what was not synced, a clock moved by hand, random numbers from a seed, and
//! runs over many seeds that print the seed that failed, the replay of what fuzzing kept, and real programs beside ours: senders of log lines,
//! DHCP between network namespaces.

pub mod clock;
pub mod corpus;
pub mod dhcp;
pub mod disk;
pub mod netns;
pub mod peers;
pub mod rng;
pub mod runs;

pub use clock::SimClock;
pub use disk::{Fault, Rates, SimDisk};
pub use rng::Rng;
pub use runs::{each_seed, runs};

/// The folder of the running test's package. A target folder may serve several clones: what was built in one of them names that one.
pub fn package() -> std::path::PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into()).into()
}

/// The workspace's folder.
pub fn workspace() -> std::path::PathBuf {
    let package = package();
    package.ancestors().find(|folder| folder.join("Cargo.lock").exists()).unwrap_or(&package).to_owned()
}
