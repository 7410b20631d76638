//! C2SP tlog-checkpoint: the signed head of the log, three lines in a signed note: origin, size, root.

use crate::merkle::Hash;
use crate::note::{Note, NoteError, SigningKey, VerifyingKey};
use crate::text;

/// The head of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name, such as `weir.example.org/log`.
    pub origin: String,
    /// Entries in the log.
    pub size: u64,
    /// Root of the tree of that size.
    pub root: Hash,
    /// Further lines, which have no meaning here. Weir writes none.
    pub extensions: Vec<String>,
}

/// Why bytes are not a checkpoint, or not the one expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The note around it is malformed or not signed by the log.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Fewer than three lines, an empty line, or a last line without newline.
    #[error("a checkpoint has three lines or more, none of them empty")]
    Lines,
    /// The origin is not a name.
    #[error("the checkpoint's first line is not an origin: it is too long or has white space, control characters or a plus sign")]
    Origin,
    /// The size is not a decimal.
    #[error("the checkpoint's second line is not a size in plain decimal")]
    Size,
    /// The root is not 32 bytes in base64.
    #[error("the checkpoint's third line is not 32 bytes in base64")]
    Root,
    /// It belongs to another log.
    #[error("the checkpoint belongs to another log than {expected}")]
    OtherLog {
        /// The origin asked for.
        expected: String,
    },
}

impl Checkpoint {
    /// A checkpoint without extension lines.
    pub fn new(origin: &str, size: u64, root: Hash) -> Checkpoint {
        Checkpoint { origin: origin.to_owned(), size, root, extensions: Vec::new() }
    }

    /// The text that is signed.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n{}\n{}\n", self.origin, self.size, text::base64(&self.root));
        for line in &self.extensions {
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    /// Reads the text of a checkpoint, without the signatures. Extension lines are kept.
    ///
    /// # Errors
    /// A [`CheckpointError`] that names the bad line.
    pub fn parse_text(text: &str) -> Result<Checkpoint, CheckpointError> {
        let body = text.strip_suffix('\n').ok_or(CheckpointError::Lines)?;
        let mut lines = body.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(CheckpointError::Lines);
        };
        let extensions: Vec<String> = lines.map(str::to_owned).collect();
        if origin.is_empty() || extensions.iter().any(String::is_empty) {
            return Err(CheckpointError::Lines);
        }
        if !text::is_name(origin) {
            return Err(CheckpointError::Origin);
        }
        Ok(Checkpoint {
            origin: origin.to_owned(),
            size: text::decimal(size).ok_or(CheckpointError::Size)?,
            root: text::hash_from_base64(root).ok_or(CheckpointError::Root)?,
            extensions,
        })
    }

    /// Signs the checkpoint. The caller answers for never signing two that are not consistent.
    ///
    /// # Errors
    /// The [`CheckpointError`] that reading it back would give, so that nothing unreadable is ever signed.
    pub fn sign(&self, keys: &[&SigningKey]) -> Result<Note, CheckpointError> {
        let text = self.text();
        let back = Checkpoint::parse_text(&text)?;
        if back != *self {
            return Err(CheckpointError::Lines);
        }
        Ok(Note::sign(&text, keys)?)
    }

    /// Opens a checkpoint of the log `origin`, which the log's own key must have signed. The note comes with it for its other signatures.
    ///
    /// # Errors
    /// A [`CheckpointError`]: malformed, not signed by `key`, or of another log.
    pub fn open(bytes: &[u8], origin: &str, key: &VerifyingKey) -> Result<(Checkpoint, Note), CheckpointError> {
        let note = Note::parse(bytes)?;
        note.verify(std::slice::from_ref(key))?;
        let checkpoint = Checkpoint::parse_text(note.text())?;
        if checkpoint.origin != origin {
            return Err(CheckpointError::OtherLog { expected: origin.to_owned() });
        }
        Ok((checkpoint, note))
    }
}

#[cfg(test)]
mod tests;
