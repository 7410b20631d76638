//! Tokens: who may send. Each lies in a file that nobody else can read.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use weir_base::crypto::{Mac, Secret};

use super::limits::{TOKEN_BYTES, TOKEN_BYTES_MIN};

/// Reads a token file: its bytes without line ends.
///
/// # Errors
/// What is wrong and what to do: the file is missing, others may read it (its mode must be 0600 or 0400), it is too short, too long, or holds
/// what no header can carry.
pub fn read(path: &Path) -> Result<Vec<u8>, String> {
    let shown = path.display();
    let how = format!("make it with `(umask 077; head -c 32 /dev/urandom | base64 > {shown})`");
    let file = File::open(path).map_err(|e| format!("token file {shown} cannot be read ({e}): {how}"))?;
    let meta = file.metadata().map_err(|e| format!("token file {shown} cannot be looked at: {e}"))?;
    if !meta.is_file() {
        return Err(format!("token file {shown} is not a file: name a file that holds the token and nothing else"));
    }
    let mode = meta.permissions().mode() & 0o7777;
    if !matches!(mode, 0o600 | 0o400) {
        return Err(format!("token file {shown} has mode {mode:04o}, so others could read it: run `chmod 600 {shown}`"));
    }
    let mut bytes = Vec::new();
    file.take(TOKEN_BYTES as u64 + 3).read_to_end(&mut bytes).map_err(|e| format!("token file {shown} cannot be read: {e}"))?;
    while let Some(b'\n' | b'\r') = bytes.last() {
        bytes.pop();
    }
    match bytes.len() {
        n if n < TOKEN_BYTES_MIN => {
            Err(format!("token file {shown} holds fewer than {TOKEN_BYTES_MIN} bytes, which can be guessed: {how}"))
        }
        n if n > TOKEN_BYTES => Err(format!("token file {shown} is longer than {TOKEN_BYTES} bytes: it must hold the token only")),
        _ if !bytes.iter().all(u8::is_ascii_graphic) => {
            Err(format!("token file {shown} must hold one word of ASCII, as a header carries nothing else: {how}"))
        }
        _ => Ok(bytes),
    }
}

/// Digests of tokens, in the order of the applications. Digests under a key of this run are compared, so that the time a comparison takes
/// says nothing about a token.
pub struct Tokens {
    mac: Mac,
    digests: Vec<[u8; 32]>,
}

impl Tokens {
    /// These tokens.
    pub fn new(tokens: &[Vec<u8>]) -> Tokens {
        let mac = Mac::new(&Secret::random());
        let digests = tokens.iter().map(|t| mac.of(&[t])).collect();
        Tokens { mac, digests }
    }

    /// Whose a token is.
    pub fn whose(&self, token: &[u8]) -> Option<usize> {
        let digest = self.mac.of(&[token]);
        self.digests.iter().position(|d| *d == digest)
    }

    /// True when two applications have one token.
    pub fn same(&self) -> Option<(usize, usize)> {
        let repeated = |(i, d): (usize, &[u8; 32])| self.digests.iter().take(i).position(|e| e == d).map(|first| (first, i));
        self.digests.iter().enumerate().find_map(repeated)
    }
}

/// The token of an `Authorization` header (RFC 6750 section 2.1).
pub fn bearer(header: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = header.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}
