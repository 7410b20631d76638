//! `weir settings`: what can be typed.

use clap::{Args, Subcommand};

use super::AskArgs;

/// `weir settings`.
#[derive(Debug, Subcommand)]
pub enum SettingsCommand {
    /// Show every setting with its value and where it comes from
    List(AskArgs),
    /// Say what a change would do
    Check(CheckArgs),
    /// Make a change: the next start takes it in
    Set(SetArgs),
}

/// A change.
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// Settings with their new values, e.g. sources.radius.settle=5s
    #[arg(value_name = "PATH=VALUE", required_unless_present = "back")]
    pub values: Vec<String>,
    /// Take a change made earlier back; may be given again
    #[arg(long = "take-back", value_name = "PATH")]
    pub back: Vec<String>,
    /// Where the program's data is.
    #[command(flatten)]
    pub ask: AskArgs,
}

/// A change, and why.
#[derive(Args, Debug)]
pub struct SetArgs {
    /// The change.
    #[command(flatten)]
    pub change: CheckArgs,
    /// Why, in words; it stands in the ledger
    #[arg(long, value_name = "WORDS")]
    pub reason: String,
    /// What another person confirmed at the desk: exactly these changes
    #[arg(long, value_name = "ID")]
    pub approval: Option<String>,
}
