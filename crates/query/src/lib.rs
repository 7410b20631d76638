//! What people may see of the records: masking views, as lists, through SQL, and as exports.
//!
//! Every field that the dictionary classes `identifier` is re-keyed a statement: the same value has the same mask within one statement and
//! another in the next, so that masks cannot be collected and no literal matches. Fields of class `person`, `raw` and `sealed` are not in the
//! views at all. Kinds whose keys views never hold (`binding`, `raw`) are not there.
//!
//! This is a crate of its own above `store`, because DataFusion is most of the program's build: the store's own tests do without it.

pub mod export;
pub mod limits;
pub mod mask;
pub mod newest;
pub mod only;
pub mod rows;
pub mod search;
pub mod sql;
pub mod unrecognised;

/// Why a view did not answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The statement is not one.
    #[error("{what}: {todo}")]
    Statement {
        /// What is wrong with it; nothing of the statement itself.
        what: String,
        /// What to do.
        todo: String,
    },
    /// The statement was ended before its end.
    #[error("{0}")]
    Ended(sql::watch::Why),
    /// The kind has no view.
    #[error("{0} has no view: its keys are held only by an approved case or the person's own access")]
    NoView(&'static str),
    /// The store.
    #[error(transparent)]
    Store(#[from] weir_store::engine::StoreError),
    /// The file system.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// A bug of this program.
    #[error("an error of this program, please report it: {0}")]
    Internal(String),
}
