//! Address ranges as policies write them.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A range of addresses: `10.0.0.0/8`, or one address alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Network {
    address: IpAddr,
    length: u8,
}

/// A text that is not a range of addresses.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is not a range of addresses: write it as 10.0.0.0/8 or 2001:db8::/32, without bits behind the length")]
pub struct ParseNetworkError(String);

impl Network {
    /// Whether `address` lies in it. Families are apart: a range of IPv4 holds no IPv6 form of an address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                head32(own.to_bits(), self.length) == head32(other.to_bits(), self.length)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                head128(own.to_bits(), self.length) == head128(other.to_bits(), self.length)
            }
            _ => false,
        }
    }
}

fn head32(bits: u32, length: u8) -> u32 {
    bits.checked_shr(32 - u32::from(length)).unwrap_or(0)
}

fn head128(bits: u128, length: u8) -> u128 {
    bits.checked_shr(128 - u32::from(length)).unwrap_or(0)
}

/// The address alone.
impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        Self { address, length: if address.is_ipv4() { 32 } else { 128 } }
    }
}

impl FromStr for Network {
    type Err = ParseNetworkError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = || ParseNetworkError(text.chars().take(64).collect());
        let (address, length) = text.trim().split_once('/').map_or((text.trim(), None), |(a, l)| (a, Some(l)));
        let address: IpAddr = address.parse().map_err(|_| fail())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let digits = |l: &str| !l.is_empty() && l.bytes().all(|b| b.is_ascii_digit());
        let length = match length {
            None => most,
            Some(l) if digits(l) => l.parse().ok().filter(|l| *l <= most).ok_or_else(fail)?,
            Some(_) => return Err(fail()),
        };
        let behind = match address {
            IpAddr::V4(a) => a.to_bits().checked_shl(u32::from(length)).unwrap_or(0) != 0,
            IpAddr::V6(a) => a.to_bits().checked_shl(u32::from(length)).unwrap_or(0) != 0,
        };
        if behind { Err(fail()) } else { Ok(Self { address, length }) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_what_they_say() {
        let network: Network = "10.1.0.0/16".parse().unwrap();
        assert!(network.contains("10.1.255.255".parse().unwrap()) && !network.contains("10.2.0.0".parse().unwrap()));
        assert!(!network.contains("::ffff:10.1.0.1".parse().unwrap()));
        let all: Network = "::/0".parse().unwrap();
        assert!(all.contains("ffff::1".parse().unwrap()) && !all.contains("1.2.3.4".parse().unwrap()));
        let one: Network = "192.0.2.1".parse().unwrap();
        assert!(one.contains("192.0.2.1".parse().unwrap()) && one.to_string() == "192.0.2.1/32");
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for bad in ["", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/", "10.0.0.0/+8", "10/8", "::1/64", "a/8", "::/129"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }
}
