//! Capabilities of a file: the extended attribute `security.capability`, whose layout is in `linux/capability.h`.

use std::fmt;
use std::io;
use std::path::Path;

use rustix::io::Errno;

use crate::caps::CapSet;

/// What a program gains from its file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileCaps {
    /// What it is permitted.
    pub permitted: CapSet,
    /// What it may inherit.
    pub inheritable: CapSet,
    /// Whether it has them effective at once.
    pub effective: bool,
}

impl FileCaps {
    /// Of the file at `path`; nothing when it has none.
    ///
    /// # Errors
    /// The attribute cannot be read, or has an unknown layout.
    pub fn of(path: &Path) -> io::Result<Option<Self>> {
        let mut bytes = [0; 64];
        match rustix::fs::getxattr(path, c"security.capability", &mut bytes[..]) {
            Ok(length) => match bytes.get(..length).and_then(Self::parse) {
                Some(caps) => Ok(Some(caps)),
                None => Err(io::Error::new(io::ErrorKind::InvalidData, "unknown layout of security.capability")),
            },
            Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// `VFS_CAP_REVISION_1` to `3`, little-endian on every machine.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let word = |index: usize| {
            let four = bytes.get(index * 4..index * 4 + 4)?;
            Some(u64::from(u32::from_le_bytes(four.try_into().ok()?)))
        };
        let magic = word(0)?;
        let (permitted, inheritable) = match (magic >> 24, bytes.len()) {
            (1, 12) => (word(1)?, word(2)?),
            // A third revision adds the user id of a namespace's root.
            (2, 20) | (3, 24) => (word(1)? | word(3)? << 32, word(2)? | word(4)? << 32),
            _ => return None,
        };
        Some(Self {
            permitted: CapSet::from_bits(permitted),
            inheritable: CapSet::from_bits(inheritable),
            effective: magic & 1 == 1,
        })
    }
}

impl fmt::Display for FileCaps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.permitted, if self.effective { "" } else { ", not effective" })
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;
    use crate::testing::is_root;

    #[test]
    fn reads_what_setcap_wrote() {
        if !is_root("reads_what_setcap_wrote") {
            return;
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(FileCaps::of(file.path()).unwrap(), None);
        let attribute = [0x01, 0, 0, 0x02, 0, 0x20, 0x08, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let flags = rustix::fs::XattrFlags::empty();
        rustix::fs::setxattr(file.path(), c"security.capability", &attribute, flags).unwrap();
        let caps = FileCaps::of(file.path()).unwrap().unwrap();
        assert_eq!(caps.to_string(), "cap_net_raw,cap_sys_ptrace");
        let Ok(told) = Command::new("getcap").arg(file.path()).output() else { return };
        let told = String::from_utf8(told.stdout).unwrap();
        assert!(told.contains("cap_net_raw,cap_sys_ptrace=ep"), "getcap agrees: {told}");
    }

    proptest! {
        #[test]
        fn any_attribute_is_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..32), revision in 0_u8..5) {
            let mut bytes = bytes;
            if let Some(last) = bytes.get_mut(3) {
                *last = revision;
            }
            let parsed = FileCaps::parse(&bytes);
            let known = matches!((revision, bytes.len()), (1, 12) | (2, 20) | (3, 24));
            prop_assert_eq!(parsed.is_some(), known);
        }
    }
}
