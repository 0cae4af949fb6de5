//! `netwatch completions` and `netwatch man`: what is derived from the command line itself.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use clap::CommandFactory as _;

use crate::args::Cli;
use crate::failure::Outcome;

pub fn completions(shell: clap_complete::Shell) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "netwatch", &mut script);
    let mut out = super::stdout();
    out.write_all(&script)?;
    out.flush()?;
    Ok(())
}

pub fn man(directory: &Path) -> Outcome {
    let what = || format!("cannot write the manual pages to {}", directory.display());
    fs::create_dir_all(directory).with_context(what)?;
    clap_mangen::generate_to(Cli::command(), directory).with_context(what)?;
    Ok(())
}
