//! The bytes of the desk's state: version u8 (1), then one JSON object with exactly the members of its kind. Key: a letter for the kind,
//! then the id (16 bytes).
//!
//! JSON, because entries are few and small, change one at a time, and have to be read by people when something went wrong.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::limits::ENTRY_BYTES;

const VERSION: u8 = 1;

/// A stored entry is not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// Another version.
    #[error("it is of another version")]
    Version,
    /// Too long, or not an entry of its kind.
    #[error("it is damaged")]
    Damaged,
    /// A key that is none of the desk's.
    #[error("its key is not known")]
    Key,
}

/// The bytes of an entry.
pub fn encode(entry: &impl Serialize) -> Vec<u8> {
    let mut out = vec![VERSION];
    // Cannot fail: maps have text as keys, and nothing else can go wrong in memory. A test writes every kind.
    drop(serde_json::to_writer(&mut out, entry));
    out
}

/// Reads an entry.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    let (version, rest) = bytes.split_first().ok_or(CodecError::Damaged)?;
    if *version != VERSION {
        return Err(CodecError::Version);
    }
    if rest.len() > ENTRY_BYTES {
        return Err(CodecError::Damaged);
    }
    serde_json::from_slice(rest).map_err(|_| CodecError::Damaged)
}

/// Members that have a text of their own: ids, roles, capabilities.
pub mod as_text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes it.
    pub fn serialize<T: Display, S: Serializer>(value: &T, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(value)
    }

    /// Reads it.
    pub fn deserialize<'de, T: FromStr, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
        String::deserialize(from)?.parse().map_err(|_| Error::custom("not understood"))
    }
}

/// As [`as_text`], none as null.
pub mod as_text_maybe {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    /// Writes it.
    pub fn serialize<T: Display, S: Serializer>(value: &Option<T>, out: S) -> Result<S::Ok, S::Error> {
        value.as_ref().map(ToString::to_string).serialize(out)
    }

    /// Reads it.
    pub fn deserialize<'de, T: FromStr, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        text.map(|t| t.parse().map_err(|_| Error::custom("not understood"))).transpose()
    }
}

/// Lists of members that have a text of their own.
pub mod as_texts {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes it.
    pub fn serialize<T: Display, S: Serializer>(values: &[T], out: S) -> Result<S::Ok, S::Error> {
        out.collect_seq(values.iter().map(ToString::to_string))
    }

    /// Reads it.
    pub fn deserialize<'de, T: FromStr, D: Deserializer<'de>>(from: D) -> Result<Vec<T>, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        texts.iter().map(|t| t.parse().map_err(|_| Error::custom("not understood"))).collect()
    }
}

/// Instants as milliseconds since the Unix epoch.
pub mod as_ms {
    use serde::{Deserialize, Deserializer, Serializer};
    use weir_base::time::Millis;

    /// Writes it.
    pub fn serialize<S: Serializer>(value: &Millis, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_i64(value.0)
    }

    /// Reads it.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Millis, D::Error> {
        i64::deserialize(from).map(Millis)
    }
}

/// As [`as_ms`], none as null.
pub mod as_ms_maybe {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use weir_base::time::Millis;

    /// Writes it.
    pub fn serialize<S: Serializer>(value: &Option<Millis>, out: S) -> Result<S::Ok, S::Error> {
        value.map(|v| v.0).serialize(out)
    }

    /// Reads it.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Millis>, D::Error> {
        Ok(Option::<i64>::deserialize(from)?.map(Millis))
    }
}

/// Bytes as base64url.
pub mod as_base64 {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes it.
    pub fn serialize<T: AsRef<[u8]>, S: Serializer>(value: &T, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&URL_SAFE_NO_PAD.encode(value))
    }

    /// Reads it.
    pub fn deserialize<'de, T: TryFrom<Vec<u8>>, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
        let text = String::deserialize(from)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Error::custom("not base64url"))?;
        T::try_from(bytes).map_err(|_| Error::custom("of another length"))
    }
}

/// As [`as_base64`], none as null.
pub mod as_base64_maybe {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    /// Writes it.
    pub fn serialize<T: AsRef<[u8]>, S: Serializer>(value: &Option<T>, out: S) -> Result<S::Ok, S::Error> {
        value.as_ref().map(|v| URL_SAFE_NO_PAD.encode(v)).serialize(out)
    }

    /// Reads it.
    pub fn deserialize<'de, T: TryFrom<Vec<u8>>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
        let Some(text) = Option::<String>::deserialize(from)? else { return Ok(None) };
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Error::custom("not base64url"))?;
        T::try_from(bytes).map(Some).map_err(|_| Error::custom("of another length"))
    }
}
