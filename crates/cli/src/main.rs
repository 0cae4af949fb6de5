//! The binary `netwatch`: arguments and files become a resolved configuration, and a command runs with it.
//!
//! This crate joins the engines and decides nothing that they decide: [`args`] and `config` read what was written, [`commands`]
//! has one module for each command, [`output`] prints. Data goes to standard output, everything else to standard error.
//!
//! Without the feature `server` it is the agent alone: the files `small.rs` have its list of arguments and of commands, which are the
//! same modules.

#[cfg_attr(not(feature = "server"), path = "args/small.rs")]
mod args;
#[cfg(feature = "server")]
mod client;
#[cfg_attr(not(feature = "server"), path = "commands/small.rs")]
mod commands;
#[cfg(feature = "server")]
mod config;
#[cfg(feature = "server")]
mod engine;
mod failure;
#[cfg(feature = "server")]
mod import;
mod levels;
#[cfg(feature = "server")]
mod logging;
mod output;
mod rights;
#[cfg(feature = "server")]
mod top;
mod version;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = args::Cli::parse();
    match commands::run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
