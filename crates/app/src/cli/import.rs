//! `weir import`: what can be typed.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::AskArgs;

/// `weir import`.
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// FreeRADIUS's table radacct: CSV with a header, `mysql --batch`, or a dump of PostgreSQL, MySQL or SQLite
    FreeradiusSql(ImportArgs),
    /// Any table of sessions: CSV or tab-separated text with a header
    Csv {
        /// What stands where, e.g. start=login_time; start, an address and an account or a caller are needed; may be given again
        #[arg(long, value_name = "FIELD=COLUMN", required = true)]
        column: Vec<String>,
        /// The file and how to read it.
        #[command(flatten)]
        import: ImportArgs,
    },
}

/// What all imports need.
#[derive(Args, Clone, Debug)]
pub struct ImportArgs {
    /// The file
    pub file: PathBuf,
    /// Name of the import: its records have the source import/NAME [default: radacct; of csv the file's name]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Realm of its addresses
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub realm: String,
    /// Zone of times that name none
    #[arg(long, value_name = "+HH:MM", default_value = "+08:00", allow_hyphen_values = true)]
    pub zone: String,
    /// Only read the file and say what would be taken
    #[arg(long)]
    pub preview: bool,
    /// Take the good lines though there are bad ones
    #[arg(long)]
    pub skip_bad: bool,
    /// Take a file that was taken before
    #[arg(long)]
    pub again: bool,
    /// Where the program's data is.
    #[command(flatten)]
    pub ask: AskArgs,
}
