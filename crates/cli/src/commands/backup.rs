//! `netwatch backup`, `netwatch restore` and `netwatch rotate-keys`: everything that is edited as one file, and the keys of its secrets.
//!
//! While a server has the data directory, it is asked through its API with the token of the directory; else the directory is opened
//! here. Nothing is overwritten: a backup needs a new name, and the state before a restore is kept.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use netwatch_api::backup::{BackupContents, KeyRotated, Restored};
use netwatch_entities::backup::{Contents, Manifest, verify};
use netwatch_entities::{DataDirectory, OpenError, restore_offline};
use netwatch_model::Timestamp;
use netwatch_telemetry::clock::now;

use crate::args::{BackupArgs, Cli, Overrides, RestoreArgs, RotateKeysArgs};
use crate::client::Endpoint;
use crate::config::{Key, Settings};
use crate::failure::{Failure, Outcome, usage};

const BACKUP: &str = "/api/v1/site/backup";
const RESTORE: &str = "/api/v1/site/restore";
const KEYS: &str = "/api/v1/site/keys";

pub fn backup(cli: &Cli, args: &BackupArgs) -> Outcome {
    let settings = settings(cli, args.data_dir.as_deref())?;
    let to = target(&args.to, now());
    let manifest = match open(&settings, args.server.server.is_some())? {
        Some(directory) => directory.back_up(&to, now()).map_err(failure)?,
        None => fetch(&Endpoint::resolve(&args.server, &settings)?, &to)?,
    };
    let mut out = super::stdout();
    writeln!(out, "{}", to.display())?;
    writeln!(out, "  {}", summary(&manifest.contents.objects, manifest.contents.audit_records))?;
    writeln!(out, "  The keys of the secrets are not in it: keep a copy of {} elsewhere.", key_file(&settings))?;
    out.flush()?;
    Ok(())
}

pub fn restore(cli: &Cli, args: &RestoreArgs) -> Outcome {
    let settings = settings(cli, args.data_dir.as_deref())?;
    let restored = if args.server.server.is_some() {
        send(&Endpoint::resolve(&args.server, &settings)?, &args.from)?
    } else {
        // A wrong file is said before a directory is made.
        File::open(&args.from).with_context(|| format!("cannot read {}", args.from.display()))?;
        match restore_offline(&settings.data_dir, &args.from, now()) {
            Ok(done) => {
                let Contents { format, objects, audit_records } = done.contents;
                let kept = done.kept.map(|path| path.display().to_string()).unwrap_or_default();
                Restored { kept, contents: BackupContents { format, objects, audit_records } }
            }
            // A server has the directory: it does it.
            Err(OpenError::InUse(_)) => send(&Endpoint::resolve(&args.server, &settings)?, &args.from)?,
            Err(error) => return Err(failure(error)),
        }
    };
    let mut out = super::stdout();
    writeln!(out, "restored {}", args.from.display())?;
    writeln!(out, "  {}", summary(&restored.contents.objects, restored.contents.audit_records))?;
    if !restored.kept.is_empty() {
        writeln!(out, "  The state before is kept in {}", crate::failure::visible(&restored.kept))?;
    }
    out.flush()?;
    Ok(())
}

pub fn rotate_keys(cli: &Cli, args: &RotateKeysArgs) -> Outcome {
    let settings = settings(cli, args.data_dir.as_deref())?;
    let secrets = match open(&settings, args.server.server.is_some())? {
        Some(directory) => directory.entities().rotate_key(now()).map_err(failure)?,
        None => Endpoint::resolve(&args.server, &settings)?.send::<_, KeyRotated>("POST", KEYS, &())?.secrets,
    };
    let mut out = super::stdout();
    writeln!(out, "{secrets} secrets are sealed with a new key: copy {} anew", key_file(&settings))?;
    out.flush()?;
    Ok(())
}

fn settings(cli: &Cli, data_dir: Option<&Path>) -> Result<Settings, Failure> {
    let mut flags = Overrides::default();
    flags.text(Key::DataDir, data_dir.and_then(Path::to_str));
    super::settings(cli, flags)
}

/// The data directory, unless a server has it or is named.
fn open(settings: &Settings, is_named: bool) -> Result<Option<DataDirectory>, Failure> {
    if is_named {
        return Ok(None);
    }
    let path = &settings.data_dir;
    if !path.join("entities.db").exists() && !path.join("entities.lock").exists() {
        return Err(usage(format!("{} has no entity database: name the directory with --data-dir", path.display())));
    }
    match DataDirectory::open(path, now()) {
        Ok(directory) => Ok(Some(directory)),
        Err(OpenError::InUse(_)) => Ok(None),
        Err(error) => Err(failure(error)),
    }
}

/// The new file: the one that is named, or one with the time in its name in the directory that is named.
fn target(to: &Path, now: Timestamp) -> PathBuf {
    if !to.is_dir() {
        return to.to_owned();
    }
    let stamp: String = now.to_string().chars().take(19).filter(|c| c.is_ascii_alphanumeric()).collect();
    to.join(format!("netwatch-{stamp}.tar"))
}

/// Has the server make a backup, and looks whether all of it has arrived.
fn fetch(endpoint: &Endpoint, to: &Path) -> Result<Manifest, Failure> {
    if to.exists() {
        return Err(failure(OpenError::Exists(to.to_owned())));
    }
    let mut name = to.as_os_str().to_owned();
    name.push(".part");
    let part = PathBuf::from(name);
    let cannot =
        || format!("cannot write {}: choose another place, or remove what an earlier backup left", part.display());
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part).with_context(cannot)?;
    let fetched = endpoint.download(BACKUP, &mut file).and_then(|()| {
        file.sync_all().with_context(cannot)?;
        let manifest = verify(&part).map_err(failure)?;
        // A link, because renaming would overwrite.
        fs::hard_link(&part, to).with_context(|| format!("cannot write {}", to.display()))?;
        Ok(manifest)
    });
    fs::remove_file(&part).with_context(|| format!("cannot remove {}", part.display()))?;
    fetched
}

fn send(endpoint: &Endpoint, from: &Path) -> Result<Restored, Failure> {
    let mut file = File::open(from).with_context(|| format!("cannot read {}", from.display()))?;
    endpoint.upload(RESTORE, "application/x-tar", &mut file)
}

/// What was asked for with a wrong file is a wrong question.
fn failure(error: OpenError) -> Failure {
    let is_usage = matches!(error, OpenError::Exists(_) | OpenError::NoBackup { .. } | OpenError::Newer { .. });
    let error = anyhow::Error::new(error);
    if is_usage { Failure::Usage(error) } else { Failure::Other(error) }
}

fn key_file(settings: &Settings) -> String {
    settings.data_dir.join("secrets.key").display().to_string()
}

fn summary(objects: &std::collections::BTreeMap<String, u64>, records: u64) -> String {
    let of = |kind: &str| objects.get(kind).copied().unwrap_or(0);
    let all: u64 = objects.values().sum();
    format!("{} users, {} workspaces, {all} objects in all, {records} audit records", of("user"), of("workspace"))
}
