//! Secrets as texts: cookies, tokens, links. What is kept of them is a hash.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use weir_base::crypto::{random, sha256};
use weir_record::Id;

use super::limits::SECRET_TEXT_BYTES;

/// A hash of a secret text.
pub type Hash = [u8; 32];

/// 256 random bits as text.
pub fn text() -> String {
    URL_SAFE_NO_PAD.encode(random::<32>())
}

/// What is kept of a secret text.
pub fn hash(text: &str) -> Hash {
    sha256(text.as_bytes())
}

/// The first half of a hash, as an id for what has none.
pub fn half(hash: &Hash) -> Id {
    let mut id = [0; 16];
    id.iter_mut().zip(hash).for_each(|(to, byte)| *to = *byte);
    Id(id)
}

/// Compares without telling by its time where two texts differ.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    let differ = a.iter().zip(b).fold(0, |acc, (x, y)| acc | (x ^ y));
    std::hint::black_box(differ) == 0 && a.len() == b.len()
}

/// A text of an id and a secret, `PREFIX` + id + `_` + secret: found by its id, known by its secret.
pub fn with_id(prefix: &str, id: Id, secret: &str) -> String {
    format!("{prefix}{id}_{secret}")
}

/// Undoes [`with_id`]: the id, and the hash of the secret.
pub fn split(prefix: &str, text: &str) -> Option<(Id, Hash)> {
    if text.len() > SECRET_TEXT_BYTES {
        return None;
    }
    let (id, secret) = text.strip_prefix(prefix)?.split_once('_')?;
    Some((id.parse().ok()?, hash(secret)))
}

/// Letters of a code, by Crockford: none that is taken for another one.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Forty random bits for people to type: `XXXX-XXXX`.
pub fn code() -> String {
    let letters = random::<8>().map(|b| char::from(LETTERS[usize::from(b & 31)]));
    let (one, two) = letters.split_at(4);
    format!("{}-{}", one.iter().collect::<String>(), two.iter().collect::<String>())
}

/// What is kept of a code: it belongs to one approval. However it was typed: small letters, blanks, O for 0, I or L for 1.
pub fn code_hash(of: Id, text: &str) -> Hash {
    let plain = text.chars().filter(|c| !matches!(c, '-' | ' ')).map(|c| match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    });
    hash(&format!("code {of} {}", plain.take(SECRET_TEXT_BYTES).collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_with_ids_come_apart() {
        let (id, secret) = (Id::random(), text());
        assert_eq!(split("weir_", &with_id("weir_", id, &secret)), Some((id, hash(&secret))));
        for bad in ["", "weir_", "weir_xx_yy", &with_id("other_", id, &secret), &with_id("weir_", id, &"x".repeat(300))] {
            assert_eq!(split("weir_", bad), None, "{bad}");
        }
        assert!(same(b"abc", b"abc") && !same(b"abc", b"abd") && !same(b"ab", b"abc") && !same(b"abc", b"ab") && same(b"", b""));
        assert_ne!(text(), text());
    }

    #[test]
    fn a_code_is_read_however_it_was_typed_and_belongs_to_one_approval() {
        let (mut seen, id) = (std::collections::BTreeSet::new(), Id::random());
        for _ in 0..2_000 {
            let code = code();
            assert!(code.len() == 9 && code.as_bytes()[4] == b'-', "{code}");
            assert!(!code.contains(['I', 'L', 'O', 'U']), "{code}");
            seen.extend(code.bytes());
            assert_eq!(code_hash(id, &code), code_hash(id, &format!(" {} ", code.to_lowercase().replace('-', ""))));
        }
        assert_eq!(seen.len(), 33, "every letter comes up");
        assert_eq!(code_hash(id, "O1LI-0000"), code_hash(id, "0111 oooo"));
        assert_ne!(code_hash(id, "0000-0000"), code_hash(Id::random(), "0000-0000"));
        assert_ne!(code_hash(id, "0000-0000"), code_hash(id, "0000-0001"));
    }
}
