//! `netwatch throughput`: one test, or with `--serve` the other end of tests for iperf3 and for other agents.
//!
//! A server binds its sockets first and then gives every right up, all of it on one thread.

use anyhow::Context as _;
use netwatch_probes::throughput::{Config, Handle, Limits, Server};

use super::serving::{Signals, give_up_rights, list, tell};
use crate::args::{Cli, Overrides, ServeArgs, ThroughputArgs};
use crate::failure::Outcome;

pub fn run(cli: &Cli, args: &ThroughputArgs) -> Outcome {
    match args {
        ThroughputArgs::Measure(what) => super::probe::run(what),
        ThroughputArgs::Serve(args) => serve(cli, args),
    }
}

fn serve(cli: &Cli, args: &ServeArgs) -> Outcome {
    super::settings(cli, Overrides::default())?;
    let config = Config { listen: vec![args.listen], allow: args.allow.clone(), limits: Limits::default() };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot wait for clients")?;
    let entered = runtime.enter();
    let server = Server::bind(&config).map_err(anyhow::Error::new)?;
    let signals = Signals::watch()?;
    drop(entered);
    give_up_rights()?;
    let places = list(&server.addresses());
    let whom = if args.allow.is_empty() {
        "this host alone (--allow NET lets others in)".to_owned()
    } else {
        list(&args.allow)
    };
    tell(&format!("serving throughput tests at {places} for {whom}; Ctrl-C ends"))?;
    let handle = server.handle();
    runtime.block_on(async {
        tokio::select! {
            () = server.run() => {}
            () = signals.asked_to_end() => {}
        }
    });
    tell(&summary(&handle))
}

fn summary(handle: &Handle) -> String {
    format!("made {} tests; refused {} connections", handle.tests(), handle.refused())
}
