//! The store in a data folder of this machine: its lock, its master key, its catalog.

use std::path::Path;
use std::sync::Arc;

use weir_base::clock::Clock;
use weir_base::disk::{Disk, RealDisk, SharedDisk};
use weir_identity::Identity;
use weir_record::sink::RecordSink;
use weir_store::catalog::SqliteCatalog;
use weir_store::engine::{OpenReport, Store, StoreConfig, StoreError};
use weir_store::keyring::master;
use weir_store::lock::LockError;

use crate::config::StoreSettings;
use crate::fail::Failure;
use crate::front::{Front, IDENTITY};
use crate::memory;

/// An open folder.
pub struct Opened {
    /// The store.
    pub store: Arc<Store>,
    /// What its opening found.
    pub report: OpenReport,
    /// The disk of the folder.
    pub disk: SharedDisk,
    /// Ids of accounts.
    pub identity: Arc<Identity>,
    /// Where sources write to.
    pub front: Arc<Front>,
}

/// Opens a folder; makes what is missing when `make`.
pub fn open(data: &Path, origin: &str, settings: &StoreSettings, clock: &Arc<dyn Clock>, make: bool) -> Result<Opened, Failure> {
    let shown = data.display();
    if let Some(there) = memory::more_than_there_is(settings.memory_bytes) {
        let what = format!("store.memory_bytes is {}, and this machine or its control group has {there} bytes", settings.memory_bytes);
        return Err(Failure::new(what, "write what there is or less, or 0 for half of it"));
    }
    if !make && !data.join(weir_store::keyring::FILE).exists() {
        return Err(Failure::new(format!("{shown} is not a data folder of weir"), "name the right one with --data"));
    }
    let cannot = |e: std::io::Error| Failure::new(format!("the data folder {shown} cannot be used ({e})"), "check its owner and mode");
    let disk: SharedDisk = Arc::new(RealDisk::new(data).map_err(cannot)?);
    // Before anything is read, so that two programs never meet in one folder.
    let key = master::master_key(disk.as_ref()).map_err(Failure::sentence)?;
    master::check_master_key_mode(&data.join(master::FILE)).map_err(Failure::sentence)?;
    let catalog = SqliteCatalog::open(&data.join("catalog.sqlite")).map_err(Failure::sentence)?;
    let config = StoreConfig {
        origin: origin.to_owned(),
        program: concat!("weir-", env!("CARGO_PKG_VERSION")).to_owned(),
        unit_seconds: u64::try_from(settings.seal_every_ms / 1_000).unwrap_or(60).max(1),
        unit_rows: settings.unit_rows,
        sm3: settings.sm3,
        wal_bytes: settings.wal_bytes,
        memory_bytes: memory::store_share(settings.memory_bytes),
    };
    let (store, report) =
        Store::open(Arc::clone(&disk), Some(data), Box::new(catalog), Arc::clone(clock), &key, config).map_err(|e| match e {
            StoreError::Locked(LockError::Held { .. }) => Failure::sentence(e),
            other => {
                Failure { todo: "see docs/operating.md, \"When it does not start\"".to_owned(), ..Failure::new(other.to_string(), "") }
            }
        })?;
    let secret = store.identity_key().map_err(Failure::sentence)?;
    let identity = Arc::new(Identity::open(&secret, store.state(IDENTITY)).map_err(Failure::sentence)?);
    let sink: Arc<dyn RecordSink> = Arc::clone(&store) as Arc<dyn RecordSink>;
    let front = Arc::new(Front::new(sink, Arc::clone(&identity), Arc::clone(clock)));
    Ok(Opened { store, report, disk, identity, front })
}

/// The origin of the log that lies in a folder, from the first line of its checkpoint; none when there is no log yet.
pub fn origin_of(disk: &dyn Disk) -> Option<String> {
    let bytes = weir_base::disk::read(disk, Path::new(weir_store::commit::CURRENT), 64 << 10).ok()?;
    String::from_utf8(bytes).ok()?.lines().next().map(str::to_owned)
}
