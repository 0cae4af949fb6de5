//! Which addresses may be connected to.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::address::{Class, classify, embedded};
use crate::network::Network;

/// Most addresses of one name; one with more is refused, for not all of them would be judged.
pub const MAX_ADDRESSES: usize = 64;

/// What a site or a workspace allows. Without lists: public addresses, and nothing else.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Policy {
    /// Ranges that are allowed although they are not public.
    pub allow: Vec<Network>,
    /// Ranges that are refused, whatever else is said.
    pub deny: Vec<Network>,
}

/// How much one request may cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Caps {
    /// Largest body of an answer, bytes.
    pub body: usize,
    /// Longest time for a connection.
    pub connect: Duration,
    /// Longest time for all of it.
    pub total: Duration,
}

impl Default for Caps {
    fn default() -> Self {
        Self { body: 1 << 20, connect: Duration::from_secs(5), total: Duration::from_secs(15) }
    }
}

/// An address that the guard has judged: nothing else can make one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Checked(SocketAddr);

/// Why a connection is refused. The text does not tell what stands at the address.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// The name has no address.
    #[error("the name has no address")]
    NoAddress,
    /// The name has too many addresses.
    #[error("the name has more than {MAX_ADDRESSES} addresses")]
    TooMany,
    /// The address is in a range that is denied.
    #[error("connections to {0} are denied by the policy for outgoing requests")]
    Denied(IpAddr),
    /// The address is not public, and no range allows it.
    #[error(
        "{address} is not a public address ({class:?}): allow its range in the policy for outgoing requests if it is meant"
    )]
    NotPublic {
        /// The address.
        address: IpAddr,
        /// What it is.
        class: Class,
    },
    /// The address lies outside of what a tenant measures.
    #[error(
        "{0} lies outside of the networks that probes of this workspace may measure: choose another target, or have an admin add its network in the settings of the workspace"
    )]
    Outside(IpAddr),
    /// The address lies in a network that a tenant does not measure.
    #[error(
        "{address} lies in {network}, which probes of this workspace may not measure: choose another target, or have an admin change that in the settings of the workspace"
    )]
    Excluded {
        /// The address.
        address: IpAddr,
        /// Which network.
        network: Network,
    },
}

impl Checked {
    /// Where to connect to.
    #[must_use]
    pub const fn address(self) -> SocketAddr {
        self.0
    }
}

impl Policy {
    /// Judges every address that a name has: one that may not be connected to refuses the name.
    ///
    /// # Errors
    /// Why the name is refused.
    pub fn check_all(&self, addresses: impl IntoIterator<Item = SocketAddr>) -> Result<Vec<Checked>, Refused> {
        let mut checked = Vec::new();
        for address in addresses {
            if checked.len() >= MAX_ADDRESSES {
                return Err(Refused::TooMany);
            }
            checked.push(self.check(address)?);
        }
        if checked.is_empty() { Err(Refused::NoAddress) } else { Ok(checked) }
    }

    /// Judges one address, and what it carries inside.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn check(&self, address: SocketAddr) -> Result<Checked, Refused> {
        let ip = address.ip();
        self.judge(ip)?;
        if let IpAddr::V6(v6) = ip
            && let Some(inside) = embedded(v6)
        {
            self.judge(IpAddr::V4(inside))?;
        }
        Ok(Checked(address))
    }

    fn judge(&self, ip: IpAddr) -> Result<(), Refused> {
        let within = |list: &[Network]| list.iter().any(|n| n.contains(ip));
        if within(&self.deny) {
            return Err(Refused::Denied(ip));
        }
        match classify(ip) {
            Class::Public => Ok(()),
            _ if within(&self.allow) => Ok(()),
            class => Err(Refused::NotPublic { address: ip, class }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> SocketAddr {
        SocketAddr::new(text.parse().unwrap(), 443)
    }

    #[test]
    fn only_public_addresses_are_reached() {
        let policy = Policy::default();
        assert_eq!(policy.check(at("8.8.8.8")).unwrap().address(), at("8.8.8.8"));
        for bad in [
            "127.0.0.1",
            "0.0.0.0",
            "10.0.0.1",
            "169.254.169.254",
            "::1",
            "::",
            "fe80::1",
            "fd00:ec2::254",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "::7f00:1",
            "2001:0:1:2:3:4:80ff:fffe",
        ] {
            assert!(policy.check(at(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn one_bad_address_refuses_the_name() {
        let policy = Policy::default();
        assert!(matches!(policy.check_all([at("8.8.8.8"), at("127.0.0.1")]), Err(Refused::NotPublic { .. })));
        assert_eq!(policy.check_all([]), Err(Refused::NoAddress));
        assert_eq!(policy.check_all((0..65).map(|_| at("8.8.8.8"))), Err(Refused::TooMany));
        assert_eq!(policy.check_all([at("8.8.8.8"), at("2606:4700::1111")]).unwrap().len(), 2);
    }

    #[test]
    fn lists_widen_and_narrow() {
        let policy = Policy {
            allow: vec!["10.1.0.0/16".parse().unwrap()],
            deny: vec!["10.1.2.0/24".parse().unwrap(), "8.8.8.8".parse().unwrap()],
        };
        assert!(policy.check(at("10.1.0.1")).is_ok() && policy.check(at("10.2.0.1")).is_err());
        assert_eq!(policy.check(at("10.1.2.3")), Err(Refused::Denied("10.1.2.3".parse().unwrap())));
        assert_eq!(policy.check(at("8.8.8.8")), Err(Refused::Denied("8.8.8.8".parse().unwrap())));
        assert!(policy.check(at("::ffff:8.8.8.8")).is_err(), "another form of a denied address");
        assert!(policy.check(at("::ffff:10.1.0.1")).is_ok(), "another form of an allowed one");
    }

    proptest! {
        #[test]
        fn no_form_of_a_private_address_gets_through(host: u16, form in 0_u8..6) {
            let v4 = u32::from_be_bytes([10, 0, (host >> 8) as u8, host as u8]);
            let low = u128::from(v4);
            let bits = match form {
                0 => 0xffff << 32 | low,
                1 => low,
                2 => 0x64_ff9b << 96 | low,
                3 => 0x2002 << 112 | low << 80,
                4 => 0x2001 << 112 | u128::from(!v4),
                _ => 0xffff << 48 | low,
            };
            let address = SocketAddr::new(IpAddr::V6(std::net::Ipv6Addr::from_bits(bits)), 80);
            prop_assert!(Policy::default().check(address).is_err(), "{}", address);
        }
    }
}
