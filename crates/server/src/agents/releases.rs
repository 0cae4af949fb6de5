//! Newer programs for agents that may replace themselves: files that the operator puts into a folder.
//!
//! A program is `netwatch-<version>-<os>-<arch>`, its minisign signature stands beside it with `.minisig` added. The server signs
//! nothing and verifies nothing: agents do, with keys that their owners gave them. What is offered is the newest version in the folder
//! that is newer than the agent's. Blocks.
//!
//! Limits: [`MAX_FILES`] files are looked at, a program has at most [`MAX_BYTES`].

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use netwatch_api::agent::v1;
use netwatch_model::people::{AgentInfo, AgentInstall};
use sha2::{Digest as _, Sha256};

const MAX_FILES: usize = 1000;
const MAX_BYTES: u64 = 256 << 20;
const MAX_SIGNATURE: u64 = 4096;

/// A version: numbers with dots between, as Semantic Versioning orders releases; pre-releases are not offered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Version([u64; 3]);

impl Version {
    /// None when it is no release.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let mut next = || {
            let part = parts.next()?;
            let is_number = !part.is_empty() && part.len() <= 9 && part.bytes().all(|b| b.is_ascii_digit());
            is_number.then(|| part.parse().ok()).flatten()
        };
        let version = Self([next()?, next()?, next()?]);
        parts.next().is_none().then_some(version)
    }
}

/// The newest program for an agent, if there is one that it does not have.
pub(super) fn offer(folder: &Path, info: &AgentInfo) -> io::Result<Option<v1::Update>> {
    let platform = platform(info.os.raw(), info.arch.raw());
    let (Some(AgentInstall::Plain), Some(has), Some(platform)) =
        (info.install, Version::parse(info.version.raw()), platform)
    else {
        return Ok(None);
    };
    let mut newest: Option<(Version, String, PathBuf)> = None;
    for entry in fs::read_dir(folder)?.take(MAX_FILES) {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let text = name.strip_prefix("netwatch-").and_then(|rest| rest.strip_suffix(&platform));
        let Some((version, text)) = text.and_then(|text| Some((Version::parse(text)?, text.to_owned()))) else {
            continue;
        };
        if version > has && newest.as_ref().is_none_or(|(best, ..)| version > *best) {
            newest = Some((version, text, path));
        }
    }
    newest.map(|(_, version, path)| update(version, &path)).transpose()
}

/// The program of a version; none when it is not offered.
pub(super) fn open(folder: &Path, request: &v1::ReleaseRequest) -> io::Result<Option<File>> {
    let named = Version::parse(&request.version).and(platform(&request.os, &request.arch));
    let Some(platform) = named else { return Ok(None) };
    match File::open(folder.join(format!("netwatch-{}{platform}", request.version))) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The end of a file's name. What could leave the folder is no platform.
fn platform(os: &str, arch: &str) -> Option<String> {
    let is_word = |text: &str| {
        (1..=16).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    (is_word(os) && is_word(arch)).then(|| format!("-{os}-{arch}"))
}

fn update(version: String, path: &Path) -> io::Result<v1::Update> {
    let mut signed = path.as_os_str().to_owned();
    signed.push(".minisig");
    let mut signature = String::new();
    File::open(signed)?.take(MAX_SIGNATURE).read_to_string(&mut signature)?;
    let mut file = File::open(path)?.take(MAX_BYTES);
    let mut hash = Sha256::new();
    let bytes = io::copy(&mut file, &mut hash)?;
    let digest = hash.finalize().to_vec().into();
    Ok(v1::Update { version, bytes, digest, signature })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(version: &str, install: Option<AgentInstall>) -> AgentInfo {
        AgentInfo {
            version: version.into(),
            os: "linux".into(),
            arch: "x86_64".into(),
            install,
            ..AgentInfo::default()
        }
    }

    #[test]
    fn the_newest_release_for_the_platform_is_offered_to_those_who_may_take_it() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["0.9.0-linux-x86_64", "0.10.0-linux-x86_64", "0.11.0-linux-aarch64", "0.12.0-rc.1-linux-x86_64"] {
            fs::write(dir.path().join(format!("netwatch-{name}")), name).unwrap();
            fs::write(dir.path().join(format!("netwatch-{name}.minisig")), "signed").unwrap();
        }
        let offered =
            |version, install| offer(dir.path(), &info(version, install)).unwrap().map(|update| update.version);
        let plain = Some(AgentInstall::Plain);
        assert_eq!(offered("0.9.0", plain), Some("0.10.0".to_owned()));
        assert_eq!([offered("0.10.0", plain), offered("0.11.0", plain), offered("dev", plain)], [None, None, None]);
        assert_eq!([offered("0.1.0", Some(AgentInstall::Package)), offered("0.1.0", None)], [None, None]);
        let update = offer(dir.path(), &info("0.1.0", plain)).unwrap().unwrap();
        assert_eq!((update.bytes, &*update.signature), (19, "signed"));
        assert_eq!(&update.digest[..], &Sha256::digest("0.10.0-linux-x86_64")[..]);
    }

    #[test]
    fn nothing_outside_the_folder_is_opened() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("netwatch-1.0.0-linux-x86_64"), "program").unwrap();
        let opened = |version: &str, os: &str, arch: &str| {
            let request = v1::ReleaseRequest { version: version.into(), os: os.into(), arch: arch.into() };
            open(dir.path(), &request).unwrap().is_some()
        };
        assert!(opened("1.0.0", "linux", "x86_64"));
        for (version, os, arch) in
            [("../1.0.0", "linux", "x86_64"), ("1.0.0", "../linux", "x"), ("1.0.0", "linux", "x/../y")]
        {
            assert!(!opened(version, os, arch), "{version} {os} {arch}");
        }
    }
}
