//! The command line: what can be typed. What happens then is in the module of each command.

mod desk;
mod import;
mod settings;
mod simulate;
mod size;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use desk::DeskCommand;
pub use import::{ImportArgs, ImportCommand};
pub use settings::{CheckArgs, SettingsCommand};
pub use simulate::{HeaderArg, ProfileArg, SimulateArgs};
pub use size::{LogArg, SizeArgs};

/// Records of who used which address when, kept so that nobody can bend them.
#[derive(Debug, Parser)]
#[command(name = "weir", version, propagate_version = true, max_term_width = 120, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The sub-commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the program: take records in, seal them, answer questions
    Run(RunArgs),
    /// Ask who held a public address and port at a moment
    Lookup(LookupArgs),
    /// Seal what waits, now
    Seal(SealArgs),
    /// Show the sources: who sends, how much, what is lost, whose clock is off, which lines nobody understands
    ///
    /// Counters begin at 0 with each start of the program; only `lost` goes on where a device numbers what it sends. What stays are the records
    /// (weir records --kind gap, --kind malformed).
    Sources(SourcesArgs),
    /// Show records of one kind through the masking view
    Records(RecordsArgs),
    /// Ask in SQL, over the masking views
    Sql(SqlArgs),
    /// Check a whole data folder: signatures, tree, digests, rows
    Verify(VerifyArgs),
    /// Write one kind as plain Parquet of the masking view
    Export(ExportArgs),
    /// Keys of the records
    #[command(subcommand)]
    Key(KeyCommand),
    /// Dialects of log lines
    #[command(subcommand)]
    Dialect(DialectCommand),
    /// Check a configuration, and what the kernel allows
    CheckConfig(CheckConfigArgs),
    /// Settings of the running program: show them, check a change, make one
    #[command(subcommand)]
    Settings(SettingsCommand),
    /// The desk, from the machine itself
    #[command(subcommand)]
    Desk(DeskCommand),
    /// Show the measures: their health, their clauses, their last drill
    Measures(AskArgs),
    /// Take in sessions that another system recorded
    #[command(subcommand)]
    Import(ImportCommand),
    /// Play a small network into a running program, or ask it about what was played
    Simulate(Box<SimulateArgs>),
    /// Say what disk, processor and memory a unit of a given size needs
    Size(SizeArgs),
    /// Print generated documents
    Docs {
        /// Which one
        #[arg(value_enum)]
        page: Page,
    },
}

/// The data folder.
#[derive(Args, Clone, Debug)]
pub struct DataArgs {
    /// The data folder
    #[arg(long, value_name = "DIR", default_value = "weir-data")]
    pub data: PathBuf,
}

/// A command that asks the running program.
#[derive(Args, Clone, Debug)]
pub struct AskArgs {
    /// Where the program's data is.
    #[command(flatten)]
    pub data: DataArgs,
    /// Answer as JSON
    #[arg(long)]
    pub json: bool,
}

/// `weir sources`.
#[derive(Args, Clone, Debug)]
pub struct SourcesArgs {
    /// Show instead which log lines no dialect understands: how many by sender and program, and the newest of each, redacted
    #[arg(long)]
    pub unrecognised: bool,
    /// Of lines from this moment on
    #[arg(long, value_name = "TIME", requires = "unrecognised")]
    pub from: Option<String>,
    /// Of lines up to this moment
    #[arg(long, value_name = "TIME", requires = "unrecognised")]
    pub to: Option<String>,
    /// Senders and programs at most, those of most lines first
    #[arg(long, value_name = "N", requires = "unrecognised", default_value_t = crate::limits::RECORDS_DEFAULT)]
    pub limit: usize,
    /// Where the program's data is.
    #[command(flatten)]
    pub ask: AskArgs,
}

/// `weir run`.
#[derive(Args, Clone, Debug)]
pub struct RunArgs {
    /// The configuration file; without it the defaults count
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The data folder [default: weir-data, or the demonstration's own]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// One value, e.g. sources.radius.realm=north; may be given again
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// Play a small simulated network into the real sockets, in a folder of its own
    #[arg(long, conflicts_with = "config")]
    pub demo: bool,
    /// Begin the demonstration with an empty folder
    #[arg(long, requires = "demo")]
    pub fresh: bool,
}

/// Why somebody asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Purpose {
    /// Running the network
    #[default]
    Operate,
    /// A security event
    SecurityEvent,
    /// A drill: reserved addresses 198.18.0.0/15 or a demonstration only
    Drill,
}

impl Purpose {
    /// The word in the ledger.
    pub fn name(self) -> &'static str {
        match self {
            Purpose::Operate => "operate",
            Purpose::SecurityEvent => "security-event",
            Purpose::Drill => "drill",
        }
    }
}

/// `weir lookup`.
#[derive(Args, Clone, Debug)]
pub struct LookupArgs {
    /// Public address and port, e.g. 203.0.113.7:40123 or [2001:db8::1]:443; a shared address needs its port
    #[arg(long, value_name = "ADDR[:PORT]", required_unless_present_any = ["batch", "paste"])]
    pub public: Option<String>,
    /// tcp, udp, icmp or an IANA number
    #[arg(long, value_name = "PROTOCOL")]
    pub protocol: Option<String>,
    /// The moment, e.g. 2026-11-22T10:00:00.123+08:00
    #[arg(long, value_name = "TIME", required_unless_present_any = ["batch", "paste"])]
    pub at: Option<String>,
    /// Ask every question of a CSV file with the columns public, at, protocol, remote, skew; answers as CSV, or with --json one a line
    #[arg(long, value_name = "FILE", conflicts_with_all = ["public", "at", "protocol", "remote", "explain", "offline"])]
    pub batch: Option<PathBuf>,
    /// Ask every question in a text as people paste it (lines of logs, of mails, tables); - reads standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["public", "at", "protocol", "remote", "batch", "explain", "offline"])]
    pub paste: Option<PathBuf>,
    /// Zone of times in the pasted text that name none
    #[arg(long, value_name = "ZONE", default_value = "+08:00", allow_hyphen_values = true)]
    pub zone: String,
    /// The far end, where it is known
    #[arg(long, value_name = "ADDR[:PORT]")]
    pub remote: Option<String>,
    /// How far the asker's clock may be off
    #[arg(long, value_name = "DURATION", default_value = "2s")]
    pub skew: String,
    /// Why you ask; it stands in the ledger
    #[arg(long, value_enum, default_value_t)]
    pub purpose: Purpose,
    /// Answer as JSON
    #[arg(long)]
    pub json: bool,
    /// Say step by step how the answer came about
    #[arg(long)]
    pub explain: bool,
    /// Open the folder without the program, which must not run; the question goes to a side ledger
    #[arg(long)]
    pub offline: bool,
    /// Where the program's data is.
    #[command(flatten)]
    pub data: DataArgs,
}

/// `weir seal`.
#[derive(Args, Clone, Debug)]
pub struct SealArgs {
    /// Now, not at the next minute
    #[arg(long, required = true)]
    pub now: bool,
    /// Where the program's data is.
    #[command(flatten)]
    pub ask: AskArgs,
}

/// `weir records`.
#[derive(Args, Clone, Debug)]
pub struct RecordsArgs {
    /// The kind, e.g. nat_mapping
    #[arg(long, value_name = "KIND")]
    pub kind: String,
    /// Words that must all be in a line, of kind maintenance only; word* matches beginnings
    #[arg(long = "match", value_name = "WORDS")]
    pub words: Option<String>,
    /// Of this source alone: its name or number
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// Lines that no dialect understands alone, of kind maintenance only
    #[arg(long)]
    pub unrecognised: bool,
    /// From this moment on
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Up to this moment
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// Rows at most
    #[arg(long, value_name = "N", default_value_t = crate::limits::RECORDS_DEFAULT)]
    pub limit: usize,
    /// Where the program's data is.
    #[command(flatten)]
    pub ask: AskArgs,
}

/// `weir sql`.
#[derive(Args, Clone, Debug)]
pub struct SqlArgs {
    /// The statement, e.g. 'SELECT count(*) FROM nat_mapping'
    pub statement: String,
    /// Where the program's data is.
    #[command(flatten)]
    pub ask: AskArgs,
}

/// `weir verify`.
#[derive(Args, Clone, Debug)]
pub struct VerifyArgs {
    /// The folder to check.
    #[command(flatten)]
    pub data: DataArgs,
    /// Answer as JSON
    #[arg(long)]
    pub json: bool,
}

/// `weir export`.
#[derive(Args, Clone, Debug)]
pub struct ExportArgs {
    /// The kind, e.g. nat_mapping
    #[arg(long, value_name = "KIND")]
    pub kind: String,
    /// From this moment on
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Up to this moment
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// The file to write; it must not exist yet
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Where the program's data is.
    #[command(flatten)]
    pub ask: AskArgs,
}

/// `weir key`.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Print the key of one kind and day, off line and ledgered
    Show {
        /// The kind, e.g. nat_mapping
        #[arg(long, value_name = "KIND")]
        kind: String,
        /// The UTC+8 day, e.g. 2026-11-22
        #[arg(long, value_name = "DAY")]
        day: String,
        /// Where the program's data is.
        #[command(flatten)]
        ask: AskArgs,
    },
}

/// `weir dialect`.
#[derive(Debug, Subcommand)]
pub enum DialectCommand {
    /// List the dialects that are part of the program
    List {
        /// Answer as JSON
        #[arg(long)]
        json: bool,
    },
    /// Try a dialect file on sample lines: what is understood of each, and what is not
    Test {
        /// The dialect file, or the name of a dialect that is part of the program
        file: PathBuf,
        /// A file of log lines as they come
        samples: PathBuf,
        /// Answer as JSON
        #[arg(long)]
        json: bool,
    },
}

/// `weir check-config`.
#[derive(Args, Clone, Debug)]
pub struct CheckConfigArgs {
    /// The configuration file; without it the defaults are checked
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// One value, as for `weir run`
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// Answer as JSON
    #[arg(long)]
    pub json: bool,
}

/// A generated document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Page {
    /// Every record kind and field
    Records,
    /// The desk's HTTP API (OpenAPI)
    Openapi,
}
