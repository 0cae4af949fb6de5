//! TCP: whether, and how soon, a port accepts connections.
//!
//! Each try is a connection of its own, closed at once. Nothing is sent over it. A run succeeds when one try did; the share that did not
//! is its loss.

use std::net::IpAddr;

use netwatch_model::probe::kind::tcp::Tcp;
use netwatch_model::probe::{Delays, Detail, Failure, ProbeSpec, Wilson};

use crate::connect::{self, Deadline};
use crate::run::Ran;
use crate::tools::Tools;

#[cfg(test)]
mod tests;

pub(crate) async fn run(spec: &ProbeSpec, tools: &Tools) -> Ran {
    let target = match connect::locate(spec, None, tools).await {
        Ok(target) => target,
        Err(failure) => return failure.into(),
    };
    let tries = connect::paced(spec, |_| async {
        let connected = connect::tcp(target.address, spec, Deadline::of(spec)).await?;
        Ok((connected.seconds, connected.source))
    });
    let (source, detail, failure) = conclude(target.lookup, &tries.await);
    let detail = Some(Detail::Tcp(Box::new(detail)));
    Ran { address: Some(target.address.ip()), source, detail, failure, ..Ran::default() }
}

/// What all tries give together; the failure is that of the last one, unless one was successful.
fn conclude(
    lookup: Option<f64>,
    tries: &[Result<(f64, Option<IpAddr>), Failure>],
) -> (Option<IpAddr>, Tcp, Option<Failure>) {
    let made: Vec<f64> = tries.iter().flatten().map(|(seconds, _)| *seconds).collect();
    let source = tries.iter().flatten().find_map(|(_, source)| *source);
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let (tried, connected) = (count(tries.len()), count(made.len()));
    let loss_interval = Wilson::of(tried.saturating_sub(connected), tried);
    let failure = if made.is_empty() { tries.iter().rev().find_map(|t| t.as_ref().err()).cloned() } else { None };
    (source, Tcp { lookup, tried, connected, loss_interval, connect: Delays::of(&made) }, failure)
}
