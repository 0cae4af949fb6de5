//! The name of an address, by the resolver of Windows.

use std::net::{IpAddr, SocketAddr};

/// `NI_NAMEREQD`: no name rather than the address as text.
const NAME_REQUIRED: i32 = 4;

/// The name of an address; `None` when it has none. Takes as long as the resolver does.
pub(super) fn name_of(address: IpAddr) -> Option<Vec<u8>> {
    let (name, _) = dns_lookup::getnameinfo(&SocketAddr::new(address, 0), NAME_REQUIRED).ok()?;
    Some(name.into_bytes())
}
