//! The binary `netwatch`: arguments and files become a resolved configuration, and a command runs with it.
//!
//! This crate joins the engines and decides nothing that they decide: [`args`] and [`config`] read what was written, [`commands`]
//! has one module for each command, [`output`] prints. Data goes to standard output, everything else to standard error.

mod args;
mod client;
mod commands;
mod config;
mod engine;
mod failure;
mod import;
mod logging;
mod output;
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
