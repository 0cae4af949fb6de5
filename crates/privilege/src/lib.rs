//! Acquire, drop and report rights: capabilities, seccomp, Landlock and the broker.
//!
//! Why: capture needs `CAP_NET_RAW`, and the code that reads packets from strangers must not have it. What:
//! - [`broker`]: a small process, forked first, that keeps the rights and hands out capture sockets;
//! - [`caps`]: what this process may do, in words, and how it gives that up;
//! - [`sandbox`]: seccomp and Landlock for the main process;
//! - [`grant`]: the command that grants what is missing;
//! - [`report`]: all of it for people.
//!
//! These are the only such system calls of the whole system. Linux only.
//!
//! Order at start, all of it before the first thread: [`broker::Broker::start`], [`caps::drop_all`], then
//! [`sandbox::Sandbox::enforce`].

pub mod broker;
pub mod caps;
pub mod grant;
pub mod report;
pub mod sandbox;
mod seccomp;
mod status;
#[cfg(test)]
mod testing;

/// An error with all its causes, for a report that has room for one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |e| e.source()).map(ToString::to_string);
    std::iter::once(error.to_string()).chain(causes).collect::<Vec<_>>().join(": ")
}
