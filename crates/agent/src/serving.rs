//! Throughput tests of other agents, served while the assignment names some.
//!
//! A test can use a whole processor, so that the server has a thread of its own, `nw-throughput`, for as long as it listens. It speaks with
//! the addresses that the assignment names and nobody else, makes one test at a time, and none while this process is itself a client of
//! one; budgets of time, octets and streams are those of [`Limits`].

use std::sync::Arc;
use std::thread::JoinHandle;

use netwatch_egress::Network;
use netwatch_model::Assignment;
use netwatch_probes::throughput::{Config, Handle, Limits, Server, ServerError};
use tokio::sync::{oneshot, watch};

use crate::demand;

/// Why throughput tests are not served.
#[derive(Debug, thiserror::Error)]
pub enum ServingError {
    /// The port.
    #[error(transparent)]
    Listen(#[from] ServerError),
    /// No thread, or no runtime for it.
    #[error("no thread for throughput tests: raise the limit of processes (ulimit -u)")]
    Thread(#[source] std::io::Error),
    /// The thread has ended before it could say anything.
    #[error("the thread of throughput tests ended by a defect")]
    Defect,
}

/// Serves the agents that the assignment names, and listens at that port only while it names some. A port that cannot be listened at is
/// told, tried again every minute, and told again when it can. Ends when nobody says anything new any more.
pub async fn serve_while_named(
    port: u16,
    assigned: watch::Receiver<Arc<Assignment>>,
    tell: impl FnMut(Result<(), ServingError>),
) {
    demand::serve_while(assigned, |assignment| !assignment.testers.is_empty(), || Serving::start(port), heed, tell)
        .await;
}

/// Lets in whom the assignment names, until the server ends.
async fn heed(mut serving: Serving, mut assigned: watch::Receiver<Arc<Assignment>>) {
    let handle = serving.handle.clone();
    let allow = async {
        loop {
            let named = assigned.borrow_and_update().testers.iter().copied().map(Network::from).collect();
            handle.allow(named);
            if assigned.changed().await.is_err() {
                // Nobody says anything new any more.
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        () = allow => {}
        _ = &mut serving.ended => {}
    }
}

/// A server at work on its thread; it ends when this is dropped.
struct Serving {
    handle: Handle,
    stop: Option<oneshot::Sender<()>>,
    /// Closed when the thread has ended.
    ended: oneshot::Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

impl Serving {
    /// Waits until it listens.
    fn start(port: u16) -> Result<Self, ServingError> {
        let (stop, stopped) = oneshot::channel::<()>();
        let (alive, ended) = oneshot::channel::<()>();
        let (tell, told) = std::sync::mpsc::sync_channel(1);
        let run = move || {
            let _alive = alive;
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => {
                    _ = tell.send(Err(ServingError::Thread(error)));
                    return;
                }
            };
            runtime.block_on(async {
                match listen(port) {
                    Err(error) => _ = tell.send(Err(error.into())),
                    Ok(server) => {
                        _ = tell.send(Ok(server.handle()));
                        tokio::select! {
                            () = server.run() => {}
                            _ = stopped => {}
                        }
                    }
                }
            });
        };
        let thread = std::thread::Builder::new().name("nw-throughput".to_owned()).spawn(run);
        let thread = thread.map_err(ServingError::Thread)?;
        let handle = told.recv().map_err(|_| ServingError::Defect)??;
        Ok(Self { handle, stop: Some(stop), ended, thread: Some(thread) })
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.stop.take());
        // The port is free once it has ended; every task gives way within milliseconds.
        if let Some(thread) = self.thread.take() {
            let _defect_was_logged = thread.join();
        }
    }
}

/// For nobody but this host until somebody is let in. A host without IPv6 serves IPv4.
fn listen(port: u16) -> Result<Server, ServerError> {
    let at = |address: std::net::IpAddr| {
        Server::bind(&Config { listen: vec![(address, port).into()], allow: Vec::new(), limits: Limits::default() })
    };
    at(std::net::Ipv6Addr::UNSPECIFIED.into()).or_else(|_| at(std::net::Ipv4Addr::UNSPECIFIED.into()))
}

#[cfg(test)]
mod tests;
