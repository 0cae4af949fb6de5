//! `netwatch ranges`: names of address ranges, as a CSV file to and from a running server.

use std::io::{Read as _, Write as _};
use std::path::Path;

use anyhow::Context as _;
use netwatch_api::range::{AddressRangesPut, AddressRangesReport};
use netwatch_api::session::Session;
use netwatch_model::people::WorkspaceId;

use super::steer::endpoint;
use crate::args::{Cli, RangesAsk, RangesCommand, RangesExportArgs, RangesImportArgs};
use crate::client::Endpoint;
use crate::failure::{Failure, Outcome, usage, visible};

/// Where they are.
const PATH: &str = "/api/v1/address-ranges";
/// Largest file, bytes: what the server reads.
const MAX_FILE: u64 = 2 << 20;

/// `netwatch ranges …`
pub fn run(cli: &Cli, command: &RangesCommand) -> Outcome {
    match command {
        RangesCommand::Import(args) => import(cli, args),
        RangesCommand::Export(args) => export(cli, args),
    }
}

fn import(cli: &Cli, args: &RangesImportArgs) -> Outcome {
    let csv = read(&args.file)?;
    let server = reach(cli, &args.ask)?;
    let report: AddressRangesReport = server.overwrite("PUT", PATH, &AddressRangesPut { csv })?;
    let mut out = super::stdout();
    let ranges = if report.ranges == 1 { "range has" } else { "ranges have" };
    writeln!(out, "{} address {ranges} a name now", report.ranges)?;
    out.flush()?;
    Ok(())
}

fn export(cli: &Cli, args: &RangesExportArgs) -> Outcome {
    let server = reach(cli, &args.ask)?;
    server.download(&format!("{PATH}?format=csv"), &mut super::stdout())
}

fn reach(cli: &Cli, ask: &RangesAsk) -> Result<Endpoint, Failure> {
    let server = endpoint(cli, &ask.server, ask.data_dir.as_deref())?;
    let workspace = ask.workspace.as_deref().map(|wanted| workspace(&server, wanted)).transpose()?;
    Ok(Endpoint { workspace, ..server })
}

/// The workspace with that id or name, of those that the token can open.
pub(super) fn workspace(server: &Endpoint, wanted: &str) -> Result<WorkspaceId, Failure> {
    if let Ok(id) = wanted.parse() {
        return Ok(id);
    }
    let all = server.get::<Session>("/api/v1/session", &[])?.workspaces;
    let named: Vec<WorkspaceId> = all.iter().filter(|w| w.name == wanted).map(|w| w.id).collect();
    match named[..] {
        [id] => Ok(id),
        [] => {
            let names: Vec<String> = all.iter().map(|w| visible(&w.name)).collect();
            Err(usage(format!("there is no workspace `{}`: there are {}", visible(wanted), names.join(", "))))
        }
        [..] => {
            let ids: Vec<String> = named.iter().map(ToString::to_string).collect();
            let (count, ids) = (ids.len(), ids.join(", "));
            Err(usage(format!("{count} workspaces have the name `{}`: name one by its id, {ids}", visible(wanted))))
        }
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    let name = path.display();
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(MAX_FILE + 1).read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_string(&mut text))
    };
    read.with_context(|| format!("{name} cannot be read: it must be a file of text (UTF-8)"))?;
    if text.len() as u64 > MAX_FILE {
        return Err(usage(format!("{name} is longer than 2 MiB: is this a file of address ranges?")));
    }
    Ok(text)
}
