//! What files of the user tell about addresses: names of ranges, countries, autonomous systems.
//!
//! Addresses are looked up when a question is asked, not when a record is stored: a flow stays as small as it is, and a new file
//! applies to what was stored before it too. What an address *was* called at that time is therefore not kept.
//!
//! - Ranges come from a CSV file: `network,name` on each line, for example `10.1.0.0/16,Office`; the longest prefix wins.
//! - Countries and autonomous systems come from MMDB files. Both shapes of records are understood: flat (`country_code`,
//!   `autonomous_system_number`) and MaxMind's nested one (`country.iso_code`).
//!
//! A file is read again when it was replaced ([`Lookups::refresh`]). One that cannot be read leaves the one before in place, with an
//! error that says what is wrong.

mod ranges;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use maxminddb::{PathElement, Reader};
use netwatch_model::Untrusted;

use crate::dimension::Lookup;
use crate::error::StoreError;

pub use ranges::Ranges;

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
}

#[derive(Debug)]
struct Slot<T> {
    path: Option<PathBuf>,
    stamp: RwLock<Option<Stamp>>,
    value: RwLock<Option<Arc<T>>>,
}

/// What is known about addresses.
#[derive(Debug)]
pub struct Lookups {
    ranges: Slot<Ranges>,
    country: Slot<Reader<Vec<u8>>>,
    asn: Slot<Reader<Vec<u8>>>,
}

impl Lookups {
    /// Knows nothing until [`Lookups::refresh`] has read the files.
    #[must_use]
    pub fn new(paths: LookupPaths) -> Self {
        Self { ranges: Slot::new(paths.ranges), country: Slot::new(paths.country), asn: Slot::new(paths.asn) }
    }

    /// Reads the files that are new or were replaced. Gives what could not be read; the others are in use all the same.
    pub fn refresh(&self) -> Vec<StoreError> {
        let results = [self.ranges.refresh(ranges::read), self.country.refresh(read_mmdb), self.asn.refresh(read_mmdb)];
        results.into_iter().filter_map(Result::err).collect()
    }

    /// Whether there is a file for that.
    pub(crate) fn knows(&self, what: Lookup) -> bool {
        match what {
            Lookup::Network => self.ranges.get().is_some(),
            Lookup::Country => self.country.get().is_some(),
            Lookup::Asn => self.asn.get().is_some(),
        }
    }

    /// What is known about an address.
    pub(crate) fn find(&self, what: Lookup, address: IpAddr) -> Option<Untrusted> {
        match what {
            Lookup::Network => self.ranges.get()?.find(address).cloned(),
            Lookup::Country => country(&*self.country.get()?, address),
            Lookup::Asn => asn(&*self.asn.get()?, address),
        }
    }
}

impl<T> Slot<T> {
    const fn new(path: Option<PathBuf>) -> Self {
        Self { path, stamp: RwLock::new(None), value: RwLock::new(None) }
    }

    fn get(&self) -> Option<Arc<T>> {
        self.value.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn refresh(&self, read: fn(&Path) -> Result<T, StoreError>) -> Result<(), StoreError> {
        let Some(path) = &self.path else { return Ok(()) };
        let fail = |e: std::io::Error| StoreError::Lookup { path: path.clone(), reason: e.to_string() };
        let meta = std::fs::metadata(path).map_err(fail)?;
        let stamp = Some(Stamp { modified: meta.modified().ok(), bytes: meta.len() });
        if *self.stamp.read().unwrap_or_else(PoisonError::into_inner) == stamp {
            return Ok(());
        }
        let value = read(path)?;
        *self.value.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(value));
        *self.stamp.write().unwrap_or_else(PoisonError::into_inner) = stamp;
        Ok(())
    }
}

fn read_mmdb(path: &Path) -> Result<Reader<Vec<u8>>, StoreError> {
    Reader::open_readfile(path).map_err(|e| StoreError::Lookup {
        path: path.to_owned(),
        reason: format!("it is not a MaxMind database (MMDB): {e}"),
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
    use PathElement::Key;
    let found = reader.lookup(address).ok()?;
    let number: u32 = found.decode_path(&[Key("autonomous_system_number")]).ok()??;
    let name = text(reader, address, &[&[Key("autonomous_system_organization")]]);
    Some(match name {
        Some(name) => Untrusted::new(&format!("AS{number} {}", name.raw())),
        None => Untrusted::new(&format!("AS{number}")),
    })
}
