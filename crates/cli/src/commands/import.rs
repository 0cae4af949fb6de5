//! `netwatch import`: reads the files of other monitors, tells what is taken over, and prints or applies it.
//!
//! The probes go to standard output as a file for `netwatch apply`, the report to standard error. With `--apply` they go to the server in
//! parts that it takes at once; all parts are tried before the first is applied.

use std::collections::BTreeMap;
use std::io::{Read as _, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use netwatch_api::declare::{ApplyReport, Declarations};
use serde_json::Value;

use super::declare::{summary, tell};
use super::steer::endpoint;
use crate::args::{Cli, ImportAsk, ImportBlackboxArgs, ImportCommand, ImportFileArgs, ReportFormat};
use crate::client::{Endpoint, escape};
use crate::failure::{Failure, Outcome, usage};
use crate::import::{self, Import, ImportError, MAX_TEXT};
use crate::output;

/// Objects of a part, and its bytes: less than what the server takes at once.
const PART: (usize, usize) = (500, 512 << 10);

/// `netwatch import …`
pub fn run(cli: &Cli, command: &ImportCommand) -> Outcome {
    match command {
        ImportCommand::UptimeKuma(args) => {
            let (name, text) = read(&args.file)?;
            finish(cli, &args.ask, &args.file, import::uptime_kuma::read(&name, &text).map_err(refused)?)
        }
        ImportCommand::Smokeping(args) => smokeping(cli, args),
        ImportCommand::Blackbox(args) => blackbox(cli, args),
    }
}

fn smokeping(cli: &Cli, args: &ImportFileArgs) -> Outcome {
    let (name, text) = read(&args.file)?;
    let folder = folder(&args.file);
    let include = |file: &str| included(&folder, file);
    finish(cli, &args.ask, &args.file, import::smokeping::read(&name, &text, &include).map_err(refused)?)
}

fn blackbox(cli: &Cli, args: &ImportBlackboxArgs) -> Outcome {
    let (name, text) = read(&args.file)?;
    let (targets_name, targets_text) = read(&args.targets)?;
    let modules = import::blackbox::File { name: &name, text: &text };
    let targets = import::blackbox::File { name: &targets_name, text: &targets_text };
    let read = import::blackbox::read(modules, &folder(&args.file), targets).map_err(refused)?;
    finish(cli, &args.ask, &args.targets, read)
}

/// Tells, and prints or applies.
fn finish(cli: &Cli, ask: &ImportAsk, file: &Path, read: Import) -> Outcome {
    let mut told = Vec::new();
    match ask.report {
        ReportFormat::Text => import::report::text(&read.items, &mut told)?,
        ReportFormat::Json => import::report::json(&read.items, &mut told)?,
    }
    // When standard error is closed there is nobody left to tell.
    let _ = std::io::stderr().write_all(&told);
    if read.probes.is_empty() {
        return Err(Failure::Other(anyhow::anyhow!("nothing could be taken over")));
    }
    let mut out = super::stdout();
    if ask.apply {
        let server = endpoint(cli, &ask.server, ask.data_dir.as_deref())?;
        apply(&server, file, read.probes, &mut out)?;
    } else {
        output::yaml_document(&mut out, &declarations(read.probes))?;
    }
    out.flush()?;
    Ok(())
}

fn apply(server: &Endpoint, file: &Path, probes: Vec<Value>, out: &mut impl Write) -> Outcome {
    let name = file.file_name().map_or_else(|| "standard input".into(), |name| name.to_string_lossy());
    let source = escape(&name);
    let parts: Vec<Declarations> = parts(probes).into_iter().map(declarations).collect();
    let send = |part: &Declarations, dry_run: bool| -> Result<ApplyReport, Failure> {
        server.send("POST", &format!("/api/v1/apply?dry_run={dry_run}&source={source}"), part)
    };
    for part in &parts {
        send(part, true)?;
    }
    for part in &parts {
        let report = send(part, false)?;
        for change in &report.changes {
            tell(out, change)?;
        }
        writeln!(out, "{}", summary(&report))?;
    }
    Ok(())
}

fn parts(probes: Vec<Value>) -> Vec<Vec<Value>> {
    let mut parts: Vec<Vec<Value>> = Vec::new();
    let mut room = 0;
    for probe in probes {
        let size = probe.to_string().len();
        match parts.last_mut() {
            Some(part) if part.len() < PART.0 && size <= room => {
                room -= size;
                part.push(probe);
            }
            _ => {
                room = PART.1.saturating_sub(size);
                parts.push(vec![probe]);
            }
        }
    }
    parts
}

fn declarations(probes: Vec<Value>) -> Declarations {
    Declarations { version: 1, objects: BTreeMap::from([("probes".to_owned(), probes)]) }
}

fn refused(error: ImportError) -> Failure {
    Failure::Usage(anyhow::Error::new(error))
}

/// The name of a file and its text.
fn read(path: &Path) -> Result<(String, String), Failure> {
    let name = if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() };
    let most = MAX_TEXT as u64 + 1;
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(most).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes))
    };
    read.with_context(|| format!("{name} cannot be read"))?;
    let text = String::from_utf8(bytes).map_err(|_| usage(format!("{name} is not text (UTF-8)")))?;
    Ok((name, text))
}

fn folder(file: &Path) -> PathBuf {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned())
}

/// A file that another includes: it must be in the folder of the first one, so that a file of somebody else cannot have any file told.
fn included(folder: &Path, file: &str) -> Result<(String, String), String> {
    let path = std::fs::canonicalize(folder.join(file)).map_err(|error| format!("it cannot be read: {error}"))?;
    if !path.starts_with(folder) {
        return Err(format!("it is not in {}: copy it there", folder.display()));
    }
    let mut text = String::new();
    let most = MAX_TEXT as u64 + 1;
    let read = std::fs::File::open(&path).and_then(|file| file.take(most).read_to_string(&mut text));
    read.map_err(|error| format!("it cannot be read: {error}"))?;
    let name = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
    if text.len() > MAX_TEXT { Err("it is longer than 16 MiB".to_owned()) } else { Ok((name, text)) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parts_are_as_large_as_the_server_takes() {
        let many = (0..1201).map(|n| json!({"name": n})).collect();
        assert_eq!(parts(many).iter().map(Vec::len).collect::<Vec<_>>(), [500, 500, 201]);
        let large = (0..4).map(|_| json!("x".repeat(200 << 10))).collect();
        assert_eq!(parts(large).iter().map(Vec::len).collect::<Vec<_>>(), [2, 2]);
    }

    #[test]
    fn a_file_outside_the_folder_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let inside = std::fs::canonicalize(folder.path()).unwrap().join("inside");
        std::fs::create_dir(&inside).unwrap();
        std::fs::write(inside.join("Targets"), "host = a\n").unwrap();
        std::fs::write(inside.join("../outside"), "secret").unwrap();
        assert_eq!(included(&inside, "Targets"), Ok(("Targets".to_owned(), "host = a\n".to_owned())));
        assert!(included(&inside, &inside.join("Targets").display().to_string()).is_ok());
        for outside in ["../outside", "/etc/hostname", "missing"] {
            assert!(included(&inside, outside).is_err(), "{outside}");
        }
    }
}
