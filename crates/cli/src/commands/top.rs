//! `netwatch top`: over a running server, or over a capture of its own.

use std::io::IsTerminal as _;

use crate::args::{Cli, Overrides, TopArgs};
use crate::client::Endpoint;
use crate::config::Key;
use crate::failure::Outcome;
use crate::logging;
use crate::top::{link, shell};

pub fn run(cli: &Cli, args: &TopArgs) -> Outcome {
    let mut flags = Overrides::default();
    args.capture.overrides(&mut flags);
    args.flows.overrides(&mut flags);
    flags.text(Key::DataDir, args.data_dir.as_ref().and_then(|p| p.to_str()));
    // Log lines would be drawn over: only errors, unless asked for.
    let settings = super::settings(cli, flags)?;
    let filter = args.filter.as_deref().map(super::flows::filter).transpose()?.unwrap_or_default().to_string();
    shell::check_terminal()?;
    let colored = logging::colored(cli.global.color, std::io::stdout().is_terminal());
    let endpoint = Endpoint::resolve(&args.server, &settings)?;
    link::probe(&endpoint)?;
    shell::run(endpoint, filter, colored)
}
