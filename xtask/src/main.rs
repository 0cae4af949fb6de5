//! Development tasks: `cargo xtask tidy`, `cargo xtask codegen [--check]`.
//!
//! Plain Rust and no shell, so that the same checks run on every machine. Limits: tasks read and write files of this checkout
//! only, and start no program but `cargo` and `npm`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for developers, which answers on its terminal"
)]

mod codegen;
mod tidy;
mod tree;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask <task>

tasks:
  tidy               check the invariants of ARCHITECTURE.md
  codegen            write openapi.json and the reference tables of the book
  codegen --check    fail when one of them is out of date";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["tidy"] => tidy::run(&root()),
        ["codegen"] => codegen::run(&root(), codegen::Mode::Write),
        ["codegen", "--check"] => codegen::run(&root(), codegen::Mode::Check),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(message) => {
            println!("{message}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// The root of the checkout that cargo runs this program in: it may have been compiled in another one, with the same target directory.
fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let here = PathBuf::from(here);
    here.parent().map_or_else(|| here.clone(), Path::to_path_buf)
}
