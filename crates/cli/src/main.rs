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
#[cfg(target_os = "linux")]
mod rights;
#[cfg(feature = "server")]
mod top;
mod version;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let code = match args::Cli::try_parse() {
        Ok(cli) => commands::run(&cli).map_or_else(|failure| failure.report(), |()| 0),
        Err(error) => {
            // When its output is closed there is nobody left to tell.
            let _ = error.print();
            u8::try_from(error.exit_code()).unwrap_or(failure::USAGE)
        }
    };
    // Service managers do not start an agent again that was asked for in a wrong way; a version on trial must leave that to the one before.
    let is_taken_back = code == failure::USAGE && commands::is_on_trial();
    ExitCode::from(if is_taken_back { failure::OTHER } else { code })
}
