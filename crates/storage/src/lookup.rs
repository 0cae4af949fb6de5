//! What files of the user tell about addresses: names of ranges, countries, autonomous systems.
//!
//! Addresses are looked up when a question is asked, not when a record is stored: a flow stays as small as it is, and a new file
//! applies to what was stored before it too. What an address *was* called at that time is therefore not kept.
//!
//! - Ranges come from a CSV file: `network,name` on each line, for example `10.1.0.0/16,Office`; the longest prefix wins. A workspace
//!   may have names of its own beside it, which win over those of the file.
//! - Countries and autonomous systems come from MMDB files. Both shapes of records are understood: flat (`country_code`,
//!   `autonomous_system_number`) and MaxMind's nested one (`country.iso_code`).
//!
//! A file is read again when it was replaced ([`Lookups::refresh`]). One that cannot be read leaves the one before in place, with an
//! error that says what is wrong.

mod ranges;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use maxminddb::{MaxMindDbError, PathElement, Reader};
use netwatch_model::Untrusted;
use netwatch_model::people::WorkspaceId;

use crate::dimension::Lookup;
use crate::error::StoreError;
use crate::port::Whereabouts;

pub use ranges::{NamedRange, Ranges, WrongLine};

/// Where the files are.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LookupPaths {
    /// Named ranges, CSV.
    pub ranges: Option<PathBuf>,
    /// Countries, MMDB.
    pub country: Option<PathBuf>,
    /// Autonomous systems, MMDB; may be the same file as the countries'.
    pub asn: Option<PathBuf>,
}

/// A file as it was when it was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Stamp {
    modified: Option<SystemTime>,
    bytes: u64,
    file: u64,
}

/// A file, and what was read of it.
#[derive(Debug)]
struct Slot<T>(RwLock<State<T>>);

#[derive(Debug)]
struct State<T> {
    path: Option<PathBuf>,
    stamp: Option<Stamp>,
    value: Option<Arc<T>>,
    fault: Option<String>,
}

/// What is known about addresses.
#[derive(Debug)]
pub struct Lookups {
    ranges: Slot<Ranges>,
    country: Slot<Reader<Vec<u8>>>,
    asn: Slot<Reader<Vec<u8>>>,
    /// Names that workspaces gave themselves.
    named: RwLock<BTreeMap<WorkspaceId, Arc<Ranges>>>,
}

/// Everything that is known about one address.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AddressFacts {
    /// The name of its range, as the workspace or the file calls it.
    pub network: Option<Untrusted>,
    /// ISO 3166 code of its country.
    pub country: Option<Untrusted>,
    /// Number of its autonomous system.
    pub asn: Option<u32>,
    /// Who runs that system.
    pub organization: Option<Untrusted>,
}

/// What a question knows about addresses: the same from its begin to its end, whatever is replaced meanwhile.
#[derive(Debug)]
pub(crate) struct Known {
    named: Option<Arc<Ranges>>,
    ranges: Option<Arc<Ranges>>,
    country: Option<Arc<Reader<Vec<u8>>>>,
    asn: Option<Arc<Reader<Vec<u8>>>>,
}

impl Lookups {
    /// Knows nothing until [`Lookups::refresh`] has read the files.
    #[must_use]
    pub fn new(paths: LookupPaths) -> Self {
        let LookupPaths { ranges, country, asn } = paths;
        Self { ranges: Slot::new(ranges), country: Slot::new(country), asn: Slot::new(asn), named: RwLock::default() }
    }

    /// Reads the files that are new or were replaced. Gives what could not be read; the others are in use all the same.
    pub fn refresh(&self) -> Vec<StoreError> {
        let results = [self.ranges.refresh(ranges::read), self.country.refresh(read_mmdb), self.asn.refresh(read_mmdb)];
        results.into_iter().filter_map(Result::err).collect()
    }

    /// Takes other files from the next [`Lookups::refresh`] on. What came from a file that is not named any more is forgotten.
    pub fn set_paths(&self, paths: LookupPaths) {
        let LookupPaths { ranges, country, asn } = paths;
        self.ranges.set_path(ranges);
        self.country.set_path(country);
        self.asn.set_path(asn);
    }

    /// What could not be read when it was last tried; empty when everything is in use.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        [self.ranges.fault(), self.country.fault(), self.asn.fault()].into_iter().flatten().collect()
    }

    /// Gives a workspace names of its own, which win over those of the file; `None` takes them away.
    pub(crate) fn name_ranges(&self, workspace: WorkspaceId, ranges: Option<Ranges>) {
        let mut named = self.named.write().unwrap_or_else(PoisonError::into_inner);
        match ranges {
            Some(ranges) => _ = named.insert(workspace, Arc::new(ranges)),
            None => _ = named.remove(&workspace),
        }
    }

    /// Country and autonomous system of an address.
    pub(crate) fn whereabouts(&self, address: IpAddr) -> Whereabouts {
        let (files, asns) = (self.country.get(), self.asn.get());
        Whereabouts {
            country: files.and_then(|file| country(&file, address)),
            asn: asns.and_then(|file| asn(&file, address)),
        }
    }

    /// What a workspace knows now.
    pub(crate) fn of(&self, workspace: WorkspaceId) -> Known {
        let named = self.named.read().unwrap_or_else(PoisonError::into_inner).get(&workspace).cloned();
        Known { named, ranges: self.ranges.get(), country: self.country.get(), asn: self.asn.get() }
    }
}

impl Known {
    /// Whether there is a source for that.
    pub(crate) const fn knows(&self, what: Lookup) -> bool {
        match what {
            Lookup::Network => self.named.is_some() || self.ranges.is_some(),
            Lookup::Country => self.country.is_some(),
            Lookup::Asn => self.asn.is_some(),
        }
    }

    /// What is known about an address.
    pub(crate) fn find(&self, what: Lookup, address: IpAddr) -> Option<Untrusted> {
        match what {
            Lookup::Network => {
                let named = self.named.as_ref().and_then(|ranges| ranges.find(address));
                named.or_else(|| self.ranges.as_ref()?.find(address)).cloned()
            }
            Lookup::Country => country(self.country.as_ref()?, address),
            Lookup::Asn => asn(self.asn.as_ref()?, address),
        }
    }

    /// Everything that is known about an address.
    pub(crate) fn facts(&self, address: IpAddr) -> AddressFacts {
        let system = self.asn.as_ref().and_then(|reader| system(reader, address));
        let (asn, organization) = system.map_or((None, None), |(number, name)| (Some(number), name));
        let (network, country) = (self.find(Lookup::Network, address), self.find(Lookup::Country, address));
        AddressFacts { network, country, asn, organization }
    }
}

impl<T> Slot<T> {
    fn new(path: Option<PathBuf>) -> Self {
        Self(RwLock::new(State { path, stamp: None, value: None, fault: None }))
    }

    fn get(&self) -> Option<Arc<T>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).value.clone()
    }

    fn fault(&self) -> Option<String> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).fault.clone()
    }

    fn set_path(&self, path: Option<PathBuf>) {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if state.path != path {
            *state = State { path, stamp: None, value: None, fault: None };
        }
    }

    /// One at a time; questions go on with what was read before.
    fn refresh(&self, read: fn(&Path) -> Result<T, StoreError>) -> Result<(), StoreError> {
        let (path, before) = {
            let state = self.0.read().unwrap_or_else(PoisonError::into_inner);
            let Some(path) = state.path.clone() else { return Ok(()) };
            (path, state.stamp)
        };
        let result = read_if_new(&path, before, read);
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if state.path.as_ref() != Some(&path) {
            // Another file was named meanwhile.
            return Ok(());
        }
        state.fault = result.as_ref().err().map(ToString::to_string);
        if let Some((value, stamp)) = result? {
            (state.value, state.stamp) = (Some(Arc::new(value)), Some(stamp));
        }
        Ok(())
    }
}

fn read_if_new<T>(
    path: &Path,
    before: Option<Stamp>,
    read: fn(&Path) -> Result<T, StoreError>,
) -> Result<Option<(T, Stamp)>, StoreError> {
    let meta = std::fs::metadata(path).map_err(|e| unreadable(path, &e))?;
    let stamp = Stamp { modified: meta.modified().ok(), bytes: meta.len(), file: meta.ino() };
    if before == Some(stamp) { Ok(None) } else { read(path).map(|value| Some((value, stamp))) }
}

/// What to do when a file cannot be opened.
fn unreadable(path: &Path, error: &io::Error) -> StoreError {
    let advice = match error.kind() {
        io::ErrorKind::NotFound => "put the file there, or correct the path in the configuration",
        io::ErrorKind::PermissionDenied => {
            "let the user that Netwatch runs as read it; a folder that was not in the configuration at the start needs a restart"
        }
        _ => "look at the disk",
    };
    StoreError::Lookup { path: path.to_owned(), reason: format!("{error}: {advice}") }
}

fn read_mmdb(path: &Path) -> Result<Reader<Vec<u8>>, StoreError> {
    Reader::open_readfile(path).map_err(|error| match error {
        MaxMindDbError::Io(error) => unreadable(path, &error),
        error => StoreError::Lookup {
            path: path.to_owned(),
            reason: format!(
                "it is no MaxMind database ({error}): put a whole MMDB file there; what was read before stays in use"
            ),
        },
    })
}

fn text(reader: &Reader<Vec<u8>>, address: IpAddr, places: &[&[PathElement<'_>]]) -> Option<Untrusted> {
    let found = reader.lookup(address).ok()?;
    places.iter().find_map(|place| found.decode_path::<String>(place).ok().flatten()).map(|t| Untrusted::new(&t))
}

fn country(reader: &Reader<Vec<u8>>, address: IpAddr) -> Option<Untrusted> {
    use PathElement::Key;
    text(reader, address, &[&[Key("country"), Key("iso_code")], &[Key("country_code")], &[Key("country")]])
}

fn asn(reader: &Reader<Vec<u8>>, address: IpAddr) -> Option<Untrusted> {
    let (number, name) = system(reader, address)?;
    Some(match name {
        Some(name) => Untrusted::new(&format!("AS{number} {}", name.raw())),
        None => Untrusted::new(&format!("AS{number}")),
    })
}

/// The number of an autonomous system, and its name when the file has it.
fn system(reader: &Reader<Vec<u8>>, address: IpAddr) -> Option<(u32, Option<Untrusted>)> {
    use PathElement::Key;
    let found = reader.lookup(address).ok()?;
    let number: u32 = found.decode_path(&[Key("autonomous_system_number")]).ok()??;
    Some((number, text(reader, address, &[&[Key("autonomous_system_organization")]])))
}
