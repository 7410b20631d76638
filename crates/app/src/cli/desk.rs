//! `weir desk …`.

use clap::{Args, Subcommand};

use super::AskArgs;

/// What is asked of the desk on the machine itself.
#[derive(Debug, Subcommand)]
pub enum DeskCommand {
    /// Make a link, while the unit is being set up: for the account the program runs under, or root
    Link(LinkArgs),
}

/// `weir desk link`.
#[derive(Args, Clone, Debug)]
pub struct LinkArgs {
    /// For the first account: one that is not there yet, or one that lost its factors before set-up ended
    #[arg(long, required = true)]
    pub first: bool,
    /// Where to ask.
    #[command(flatten)]
    pub ask: AskArgs,
}
