//! What one tenant of a site leaves of what the site allows.
//!
//! A scope can only take away: an address must pass the [`Policy`] of the site first, whatever a scope says.

use std::net::{IpAddr, SocketAddr};

use crate::address::embedded;
use crate::network::Network;
use crate::policy::{Checked, Policy, Refused};

/// Networks within the bounds of a policy. The default leaves everything that the policy allows.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Scope {
    /// Nothing outside of these; `None` sets no bound, an empty list leaves nothing.
    only: Option<Vec<Network>>,
    /// None of these.
    deny: Vec<Network>,
}

impl Scope {
    /// Only networks of `only`, or all when it is empty, and none of `deny`.
    #[must_use]
    pub fn new(only: Vec<Network>, deny: Vec<Network>) -> Self {
        Self { only: (!only.is_empty()).then_some(only), deny }
    }

    /// The same, of texts. It fails closed: a network of `only` that cannot be read leaves nothing open, one of `deny` closes everything,
    /// since nobody knows what it was to keep out.
    #[must_use]
    pub fn read(only: &[String], deny: &[String]) -> Self {
        let networks = |texts: &[String]| texts.iter().map(|text| text.parse().ok()).collect::<Vec<Option<Network>>>();
        let denied: Option<Vec<Network>> = networks(deny).into_iter().collect();
        match denied {
            None => Self { only: Some(Vec::new()), deny: Vec::new() },
            Some(deny) => {
                let bound = networks(only).into_iter().flatten().collect();
                Self { only: (!only.is_empty()).then_some(bound), deny }
            }
        }
    }

    /// Judges an address by every form that it has: as it is written, and the IPv4 address to which its packets go in the end. Both must
    /// lie within, for which of the two a network acts on is not known here.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn check(&self, address: IpAddr) -> Result<(), Refused> {
        // An IPv4-mapped address is that IPv4 address to every system (RFC 4291, section 2.5.5.2).
        let address = address.to_canonical();
        self.judge(address)?;
        if let IpAddr::V6(v6) = address
            && let Some(inside) = embedded(v6)
        {
            self.judge(IpAddr::V4(inside))?;
        }
        Ok(())
    }

    fn judge(&self, address: IpAddr) -> Result<(), Refused> {
        if let Some(network) = self.deny.iter().find(|network| network.contains(address)) {
            return Err(Refused::Excluded { address, network: *network });
        }
        match &self.only {
            Some(only) if !only.iter().any(|network| network.contains(address)) => Err(Refused::Outside(address)),
            _ => Ok(()),
        }
    }
}

impl Policy {
    /// [`Policy::check_all`], and then the same by a scope: nothing is let through that this policy refuses.
    ///
    /// # Errors
    /// Why the name is refused.
    pub fn check_within(
        &self,
        scope: &Scope,
        addresses: impl IntoIterator<Item = SocketAddr>,
    ) -> Result<Vec<Checked>, Refused> {
        let checked = self.check_all(addresses)?;
        checked.iter().try_for_each(|checked| scope.check(checked.address().ip()))?;
        Ok(checked)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn networks(texts: &[&str]) -> Vec<Network> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn scope(only: &[&str], deny: &[&str]) -> Scope {
        Scope::new(networks(only), networks(deny))
    }

    fn at(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_bound_leaves_what_lies_within_and_what_is_excluded_goes_first() {
        let scope = scope(&["10.1.0.0/16", "2001:db8::/32"], &["10.1.2.0/24"]);
        assert!(scope.check(at("10.1.0.1")).is_ok() && scope.check(at("2001:db8::1")).is_ok());
        assert_eq!(scope.check(at("10.2.0.1")), Err(Refused::Outside(at("10.2.0.1"))));
        let network = "10.1.2.0/24".parse().unwrap();
        assert_eq!(scope.check(at("10.1.2.3")), Err(Refused::Excluded { address: at("10.1.2.3"), network }));
        assert!(Scope::default().check(at("127.0.0.1")).is_ok(), "the policy of the site is asked first");
    }

    #[test]
    fn other_forms_of_an_address_are_judged_as_what_they_are() {
        let bound = scope(&["10.1.0.0/16", "64:ff9b::/96"], &["10.1.2.0/24"]);
        for (text, is_good) in [
            ("::ffff:10.1.0.1", true),
            ("::ffff:10.2.0.1", false),
            ("::ffff:10.1.2.3", false),
            ("64:ff9b::a01:1", true),
            ("64:ff9b::a02:1", false),
            ("2002:a01:1::1", false),
            ("2606:4700::5efe:a01:1", false),
        ] {
            assert_eq!(bound.check(at(text)).is_ok(), is_good, "{text}");
        }
        let everything_of_ipv6 = scope(&["::/0"], &[]);
        assert!(everything_of_ipv6.check(at("::ffff:10.1.0.1")).is_err(), "that is IPv4");
    }

    #[test]
    fn what_cannot_be_read_closes() {
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let read = |only: &[&str], deny: &[&str]| Scope::read(&texts(only), &texts(deny));
        assert_eq!(read(&[], &[]), Scope::default());
        assert_eq!(read(&["10.0.0.0/8"], &["10.1.0.0/16"]), scope(&["10.0.0.0/8"], &["10.1.0.0/16"]));
        assert!(read(&["everything"], &[]).check(at("8.8.8.8")).is_err());
        assert!(read(&["10.0.0.0/8", "x"], &[]).check(at("10.0.0.1")).is_ok());
        assert!(read(&["10.0.0.0/8"], &["x"]).check(at("10.0.0.1")).is_err());
    }

    fn any_network() -> impl Strategy<Value = Network> {
        let v4 = (any::<u32>(), 0_u8..=32).prop_map(|(bits, length)| {
            let head = bits & u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
            format!("{}/{length}", std::net::Ipv4Addr::from_bits(head))
        });
        let v6 = (any::<u128>(), 0_u8..=128).prop_map(|(bits, length)| {
            let head = bits & u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
            format!("{}/{length}", std::net::Ipv6Addr::from_bits(head))
        });
        prop_oneof![v4, v6].prop_map(|text| text.parse().expect("a network"))
    }

    fn any_address() -> impl Strategy<Value = IpAddr> {
        let v4 = any::<u32>().prop_map(|bits| IpAddr::from(std::net::Ipv4Addr::from_bits(bits)));
        let mapped = any::<u32>().prop_map(|bits| std::net::Ipv4Addr::from_bits(bits).to_ipv6_mapped().into());
        prop_oneof![v4, mapped, any::<u128>().prop_map(|bits| std::net::Ipv6Addr::from_bits(bits).into())]
    }

    proptest! {
        #[test]
        fn a_scope_never_allows_what_the_site_refuses(
            lists in prop::array::uniform4(prop::collection::vec(any_network(), 0..4)),
            addresses in prop::collection::vec(any_address(), 1..4),
        ) {
            let [allow, deny, only, excluded] = lists;
            let (site, scope) = (Policy { allow, deny }, Scope::new(only, excluded));
            let addresses: Vec<_> = addresses.into_iter().map(|address| SocketAddr::new(address, 443)).collect();
            let (within, alone) = (site.check_within(&scope, addresses.clone()), site.check_all(addresses.clone()));
            prop_assert!(within.is_err() || alone.is_ok(), "{:?}", addresses);
            let all_in_scope = addresses.iter().all(|address| scope.check(address.ip()).is_ok());
            prop_assert_eq!(within.is_ok(), alone.is_ok() && all_in_scope);
        }

        #[test]
        fn excluding_more_never_opens(
            lists in prop::array::uniform3(prop::collection::vec(any_network(), 0..4)),
            address in any_address(),
        ) {
            let [only, excluded, more] = lists;
            let scope = Scope::new(only.clone(), excluded.clone());
            let tighter = Scope::new(only, [excluded, more].concat());
            prop_assert!(tighter.check(address).is_err() || scope.check(address).is_ok());
        }
    }
}
