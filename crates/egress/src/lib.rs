//! The one guard through which every outgoing request goes.
//!
//! Netwatch connects to places that people name: identity providers, webhooks, targets of probes. Somebody who may name a place must not
//! be able to make the server knock at doors that only the server can reach (server-side request forgery). So nobody connects by name:
//!
//! 1. [`Target::parse`] reads a URL strictly: http or https, no user, no odd forms of numbers.
//! 2. The name is resolved **once**, and [`Policy::check_all`] judges **every** address that came out, not the name.
//! 3. The connection goes to a [`Checked`] address, which nothing but the guard can make; there is no second look-up that could give
//!    another answer (DNS rebinding).
//! 4. Redirects are not followed; who wants to follow one begins again at 1. Bodies and times have [`Caps`].
//!
//! An address is judged by what it really is: IPv4 in IPv6 forms (mapped, compatible, NAT64, 6to4, Teredo) is judged as that IPv4 address
//! as well. What is not an ordinary public address is refused unless the policy allows its network by name. A [`Scope`] narrows a policy for
//! one tenant; it never widens it.
//!
//! Limits: this crate opens no sockets and knows no HTTP; the clients built on it live in the server. At most [`MAX_ADDRESSES`] addresses
//! of one name are judged: a name with more is refused.

mod address;
mod network;
mod policy;
mod scope;
mod target;

pub use address::{Class, classify, embedded};
pub use network::{Network, ParseNetworkError};
pub use policy::{Caps, Checked, MAX_ADDRESSES, Policy, Refused};
pub use scope::Scope;
pub use target::{Host, Scheme, Target, TargetError};
