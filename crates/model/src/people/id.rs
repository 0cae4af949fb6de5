//! Identities of people and their things.
//!
//! 128 bits, made as UUID version 7 (RFC 9562, section 5.7): 48 bits of time, so that rows made together lie together, and 74 random
//! bits. Text form: 32 hexadecimal digits. An id is not a secret: knowing one opens nothing.

use std::fmt;
use std::str::FromStr;

use super::text::InvalidText;
use super::words::text_form;
use crate::Timestamp;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $what:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl $name {
            /// A new id from the time and random bits.
            #[must_use]
            pub const fn new(now: Timestamp, random: u128) -> Self {
                Self(uuid_v7(now, random))
            }

            /// From its bits.
            #[must_use]
            pub const fn from_bits(bits: u128) -> Self {
                Self(bits)
            }

            /// Its bits.
            #[must_use]
            pub const fn bits(self) -> u128 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:032x}", self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidText;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let digits = text.len() == 32 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
                let bits = digits.then(|| u128::from_str_radix(text, 16).ok()).flatten();
                bits.map(Self).ok_or_else(|| InvalidText::new($what, text, "must have 32 hexadecimal digits in lower case"))
            }
        }

        text_form!($name, $what);
    )+};
}

ids! {
    /// A person.
    UserId = "user id";
    /// A tenant.
    WorkspaceId = "workspace id";
    /// A custom role.
    RoleId = "role id";
    /// A signed-in browser.
    SessionId = "session id";
    /// A token of a program.
    TokenId = "token id";
    /// An invitation into a workspace.
    InvitationId = "invitation id";
    /// A one-time link.
    LinkId = "link id";
    /// A saved view.
    ViewId = "view id";
    /// A probe.
    ProbeId = "probe id";
    /// A token by which an agent comes in.
    EnrolmentTokenId = "enrolment token id";
    /// A window of maintenance.
    MaintenanceId = "maintenance id";
    /// A way in which a user signs in.
    CredentialId = "credential id";
}

/// RFC 9562, section 5.7: milliseconds, version 7, variant 0b10, random bits in all other places.
const fn uuid_v7(now: Timestamp, random: u128) -> u128 {
    let millis = now.millis() as u128 & 0xffff_ffff_ffff;
    let fixed = 0xf000_c000_0000_0000_0000;
    let random = random & ((1 << 80) - 1) & !fixed;
    millis << 80 | 0x7000_8000_0000_0000_0000 | random
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids_of_version_7_and_read_back() {
        let now = Timestamp::from_millis(0x0192_3456_789a);
        for random in [0, u128::MAX, 0x1234_5678_9abc_def0_1122_3344_5566_7788] {
            let text = UserId::new(now, random).to_string();
            assert_eq!((&text[..13], text.len()), ("01923456789a7", 32));
            assert!(matches!(text.as_bytes()[16], b'8' | b'9' | b'a' | b'b'), "{text}");
            assert_eq!(text.parse::<UserId>().unwrap().to_string(), text);
        }
        assert_ne!(UserId::new(now, 1), UserId::new(now, 2));
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for bad in ["", "0", &"g".repeat(32), &"A".repeat(32), &"a".repeat(33), "+1923456789a70008000000000000000"] {
            assert!(bad.parse::<WorkspaceId>().is_err(), "{bad}");
        }
    }
}
