//! The one call that no safe library has: the name of an address, by the resolver of the system.

use std::net::{IpAddr, SocketAddr};

use socket2::SockAddr;

/// The longest name (`NI_MAXHOST`).
const LONGEST: usize = 1025;

/// The name of an address; `None` when it has none. Takes as long as the resolver does.
pub(super) fn name_of(address: IpAddr) -> Option<Vec<u8>> {
    let address = SockAddr::from(SocketAddr::new(address, 0));
    let mut name = [0_u8; LONGEST];
    let length = libc::socklen_t::try_from(name.len()).ok()?;
    // SAFETY: the address and its length are of one object, and `name` has the length said; libc keeps no pointer.
    let result = unsafe {
        libc::getnameinfo(
            address.as_ptr().cast(),
            address.len(),
            name.as_mut_ptr().cast(),
            length,
            std::ptr::null_mut(),
            0,
            libc::NI_NAMEREQD,
        )
    };
    let name = name.split(|octet| *octet == 0).next().filter(|name| !name.is_empty())?;
    (result == 0).then(|| name.to_vec())
}
