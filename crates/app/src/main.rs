//! The `weir` program.

mod ask;
mod batch;
mod check_config;
mod cli;
mod clocks;
mod commands;
mod config;
mod demo;
mod desk;
mod dialect;
mod docs;
mod facts;
mod fail;
mod fault;
mod front;
mod import;
mod ledger;
mod limits;
mod lookup;
mod measures;
mod memory;
mod offline;
mod open;
mod output;
mod paste;
mod ports;
mod program;
mod rights;
mod rows;
mod settings;
mod side;
mod signals;
mod simulate;
mod size;
mod socket;
mod statements;
mod verify;
mod view;
mod views;
mod words;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command, Page};
use fail::Failure;

fn main() -> ExitCode {
    fault::install();
    // Everything the program makes is for its owner alone; files that must be otherwise say so.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    match run(Cli::parse()) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("weir: {failure}");
            ExitCode::from(failure.code)
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode, Failure> {
    match cli.command {
        Command::Run(args) => program::run(&args),
        Command::Lookup(args) => lookup::run(&args),
        Command::Seal(args) => commands::seal(&args),
        Command::Sources(args) => commands::sources(&args),
        Command::Records(args) => commands::records(&args),
        Command::Sql(args) => commands::sql(&args),
        Command::Verify(args) => Ok(verify::run(&args.data.data, args.json)),
        Command::Export(args) => commands::export(&args),
        Command::Key(command) => commands::key(&command),
        Command::Dialect(command) => dialect::run(&command),
        Command::CheckConfig(args) => check_config::run(&args),
        Command::Settings(command) => settings::run(&command),
        Command::Desk(command) => commands::desk(&command),
        Command::Measures(args) => commands::measures(&args),
        Command::Import(command) => import::run(&command),
        Command::Simulate(args) => simulate::run(&args),
        Command::Size(args) => size::run(&args),
        Command::Docs { page } => {
            output::text(&match page {
                Page::Records => docs::records(),
                Page::Openapi => docs::openapi(),
            })?;
            Ok(ExitCode::SUCCESS)
        }
    }
}
