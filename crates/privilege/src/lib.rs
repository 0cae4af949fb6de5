//! Acquire, drop and report rights: capabilities, seccomp, Landlock and the broker.
//!
//! Why: capture needs `CAP_NET_RAW`, and the code that reads packets from strangers must not have it. What:
//! - [`broker`]: a small process, forked first, that keeps the rights and hands out capture sockets;
//! - [`caps`]: what this process may do, in words, and how it gives that up;
//! - [`grant`]: the command that grants what is missing.
//!
//! These are the only such system calls of the whole system. Linux only.
//!
//! Order at start, all of it before the first thread: [`broker::Broker::start`], then [`caps::drop_all`].

pub mod broker;
pub mod caps;
pub mod grant;
mod seccomp;
mod status;
#[cfg(test)]
mod testing;
