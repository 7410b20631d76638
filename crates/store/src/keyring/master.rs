//! The master key: a file of 64 hex digits and a newline, readable by its owner only.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use weir_base::crypto::Secret;
use weir_base::disk::{self, Disk};

use crate::limits::MASTER_KEY_FILE_BYTES;

/// The master key's file in the data folder.
pub const FILE: &str = "master.key";

/// Why there is no master key to work with.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The folder was used before, but its key is not there.
    #[error("master.key is missing although the data folder has a keyring: put it back; a new one could not read what is stored")]
    Missing,
    /// The content is not a key.
    #[error("master.key is not 64 hex digits and a newline: put the right file back")]
    Malformed,
    /// Others may read it.
    #[error("{path} may be read by others (mode {mode:o}): run `chmod 600 {path}`, and treat the key as known if they could")]
    Mode {
        /// The file.
        path: String,
        /// Its permission bits.
        mode: u32,
    },
    /// The disk failed.
    #[error("master.key could not be read or made: {0}")]
    Io(#[from] io::Error),
}

/// The data folder's master key, made at first start and never overwritten. New files have mode 0600 by the disk's contract.
pub fn master_key(disk: &dyn Disk) -> Result<Secret, MasterKeyError> {
    let path = Path::new(FILE);
    if !disk.exists(path)? {
        if disk.exists(Path::new(super::FILE))? {
            return Err(MasterKeyError::Missing);
        }
        disk::replace(disk, path, write(&Secret::random()).as_bytes())?;
    }
    // An earlier process may have made it and died before the name was durable.
    disk.sync_dir(Path::new(""))?;
    parse(&disk::read(disk, path, MASTER_KEY_FILE_BYTES)?).ok_or(MasterKeyError::Malformed)
}

/// Refuses a master key file of the machine that others may read or write.
pub fn check_master_key_mode(path: &Path) -> Result<(), MasterKeyError> {
    let mode = std::fs::metadata(path)?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 { Err(MasterKeyError::Mode { path: path.display().to_string(), mode }) } else { Ok(()) }
}

fn write(key: &Secret) -> String {
    let mut out: String = key.0.iter().map(|byte| format!("{byte:02x}")).collect();
    out.push('\n');
    out
}

fn parse(bytes: &[u8]) -> Option<Secret> {
    let digits = bytes.strip_suffix(b"\n")?;
    if digits.len() != 64 {
        return None;
    }
    let mut key = Secret([0; 32]);
    for (byte, pair) in key.0.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |c: u8| char::from(c).to_digit(16);
        let [high, low] = pair else { return None };
        *byte = u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_testkit::{Fault, SimDisk, each_seed};

    #[test]
    fn text_form() {
        let text = b"00FFa0000000000000000000000000000000000000000000000000000000000f\n";
        let key = parse(text).unwrap();
        assert_eq!((key.0[..3].to_vec(), key.0[31]), (vec![0, 255, 0xa0], 15));
        assert_eq!(write(&key).as_bytes(), text.to_ascii_lowercase());
        for bad in [&b""[..], b"\n", &text[..64], &text[1..], &[b'g'; 65], &[&text[..64], b"\r\n"].concat(), &[&text[..], b"\n"].concat()] {
            assert!(parse(bad).is_none());
        }
    }

    #[test]
    fn made_once_and_never_again() {
        let disk = SimDisk::new();
        let key = master_key(&disk).unwrap();
        assert_eq!(master_key(&disk).unwrap(), key);
        disk.damage(Path::new(FILE), |bytes| bytes.truncate(10));
        assert!(matches!(master_key(&disk), Err(MasterKeyError::Malformed)));
        disk.remove(Path::new(FILE)).unwrap();
        disk.create(Path::new(crate::keyring::FILE)).unwrap();
        assert!(matches!(master_key(&disk), Err(MasterKeyError::Missing)));
    }

    #[test]
    fn a_key_that_was_handed_out_stays() {
        each_seed("master", 60, |seed| {
            let disk = SimDisk::new();
            let fault = [Fault::NoEffect, Fault::WithEffect, Fault::PowerOffBefore, Fault::PowerOffAfter][(seed % 4) as usize];
            disk.fail_at(seed % 7, fault);
            let first = master_key(&disk).or_else(|_| master_key(&disk)).ok();
            disk.crash(seed);
            let second = master_key(&disk).unwrap();
            assert!(first.is_none_or(|first| first == second));
        });
    }

    #[test]
    fn a_file_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        std::fs::write(&path, "x").unwrap();
        for (mode, good) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o620, false)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let checked = check_master_key_mode(&path);
            assert_eq!(checked.is_ok(), good, "{mode:o}");
            assert!(good || checked.unwrap_err().to_string().contains("chmod 600"));
        }
    }
}
