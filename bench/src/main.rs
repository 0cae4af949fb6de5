//! The bench: what a packet costs Netwatch and its peers, side by side in one run.
//!
//! `netwatch-bench run` (the default) makes two network namespaces with a veth pair, generates frames on one side and runs one
//! program after another on the other: a bare ring reader (the floor), Netwatch, softflowd, nfpcapd, pmacctd. It prints a
//! markdown table. `floor` and `generate` are its parts and can be run alone. The machine's own interfaces are never touched by
//! `run`.
//!
//! Limits: needs root; a veth pair is no network card; other work on the machine disturbs the figures.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for developers, which answers on its terminal"
)]

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod api;
mod error;
mod floor;
mod generate;
mod lab;
mod process;
mod program;
mod rest;
mod run;
mod store;
mod stream;

/// What a packet costs Netwatch and its peers.
#[derive(Parser, Debug)]
#[command(name = "netwatch-bench")]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Read an interface with a bare ring and only count
    Floor(floor::Arguments),
    /// Send frames from an interface
    Generate(generate::Arguments),
    /// REST over a million flows, many clients at once
    Rest(rest::Arguments),
    /// Everything side by side, in namespaces
    Run(run::Arguments),
    /// The live store alone: memory, time to take records in, time to answer
    Store(store::Arguments),
    /// A thousand clients of the stream
    Stream(stream::Arguments),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Some(Command::Floor(arguments)) => floor::main(&arguments),
        Some(Command::Generate(arguments)) => generate::main(&arguments),
        Some(Command::Rest(arguments)) => rest::main(&arguments),
        Some(Command::Run(arguments)) => run::main(&arguments),
        Some(Command::Store(arguments)) => store::main(&arguments),
        Some(Command::Stream(arguments)) => stream::main(&arguments),
        None => run::main(&run::Arguments::default()),
    };
    match result {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("netwatch-bench: {}", error.chain());
            ExitCode::FAILURE
        }
    }
}
