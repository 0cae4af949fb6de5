//! `netwatch up`: capture, agent and server in one process, until a signal.

use std::io::{self, IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use netwatch_capture::driver::CaptureError;
use netwatch_model::Untrusted;
use netwatch_server::{Access, Invited};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Source;
use crate::args::{Cli, Overrides, UpArgs};
use crate::config::Settings;
use crate::engine::changes::Changes;
use crate::engine::confine::{Reach, Rights, confine};
use crate::engine::steering::{self, Steering};
use crate::engine::{self, Engine, Input, Plan, Tracing};
use crate::failure::{Failure, Outcome, one_line};
use crate::logging;

/// How long the link waits for capture to run.
const START_PATIENCE: Duration = Duration::from_secs(2);

pub fn run(cli: &Cli, args: &UpArgs) -> Outcome {
    let mut flags = Overrides::default();
    args.capture.overrides(&mut flags);
    args.flows.overrides(&mut flags);
    args.listen.overrides(&mut flags);
    let source = Source::new(cli, flags);
    let layers = source.layers();
    let mut settings = source.resolve(&layers)?;
    let (log, tracing) = logging::start_tracing(&settings, cli.global.color).map_err(anyhow::Error::new)?;
    if args.read.is_some() {
        // The configured filter is for live capture.
        settings.capture_filter = args.capture.capture_filter.clone().unwrap_or_default();
    }
    let input = match &args.read {
        Some(path) => Input::File(path.clone(), args.speed),
        None => Input::Live,
    };
    let plan = Plan::new(&settings, &input)?;
    let places = [steering::places(&source), steering::places_of(settings.blackbox.clone())].concat();
    let files = settings.storage.files().cloned().chain(settings.agents.files());
    let readable = [places.clone(), steering::places_of(files), settings.agents.folders()].concat();
    let ports = [settings.sign_in.ports(), settings.telemetry.ports()].concat();
    let reach = Reach { connect: ports, listen: settings.agents.ports(), read: readable };
    let rights = confine(&settings.data_dir, args.read.is_none(), settings.processes, &reach)?;
    if let Some(command) = &rights.missing {
        tell_missing(command)?;
    }
    // The first threads start here.
    let runtime = engine::runtime()?;
    let outcome = runtime.block_on(async {
        let changes = Changes::watch(&places);
        let steer = |engine: &Engine| Steering::new(source, layers, log, engine.live.clone(), engine.addresses.clone());
        serve(plan, (rights, tracing), &settings, args.read.as_deref(), steer, changes).await
    });
    // What has not ended by now is not waited for.
    runtime.shutdown_background();
    outcome
}

async fn serve(
    mut plan: Plan,
    (rights, tracing): (Rights, Option<Tracing>),
    settings: &Settings,
    read: Option<&Path>,
    steer: impl FnOnce(&Engine) -> Steering,
    mut changes: Changes,
) -> Outcome {
    let mut signals = Signals::new()?;
    let sources = plan.sources();
    let access = engine::access(settings)?;
    plan.server.identity_providers = settings.sign_in.providers(access.home());
    let invited = invite(&access)?;
    let mut engine = Engine::start(plan, access, rights, settings, tracing)?;
    let place = place(engine.address, &invited);
    let steering = Arc::new(steer(&engine));
    engine.live.controlled_by(Arc::<Steering>::clone(&steering));
    let failure = {
        let mut watched = std::pin::pin!(watch(&mut engine, read, || announce(&sources, &place)));
        loop {
            let reason = tokio::select! {
                asked = signals.next() => match asked {
                    Asked::Stop => break None,
                    Asked::Reload => "SIGHUP",
                },
                () = changes.next() => "a file changed",
                failure = &mut watched => break Some(failure),
            };
            let steering = Arc::clone(&steering);
            // A defect there has been logged, and ends nothing here.
            let _done = tokio::task::spawn_blocking(move || steering.reload_for(reason)).await;
        }
    };
    tokio::select! {
        () = engine.stop() => {}
        () = signals.stop() => return Err(Failure::Said(130)),
        () = tokio::time::sleep(engine::LAST_WORDS) => tracing::warn!("the end took too long and was cut"),
    }
    failure.map_or(Ok(()), Err)
}

/// Announces when capture runs, then waits for it to end by a fault; a file that has been read is no reason to end.
async fn watch(engine: &mut Engine, read: Option<&Path>, announce: impl FnOnce() -> Outcome) -> Failure {
    match tokio::time::timeout(START_PATIENCE, &mut engine.started).await {
        // Ended already: what it says comes now.
        Ok(Err(_)) if read.is_none() => {}
        started => {
            if let Err(failure) = announce() {
                return failure;
            }
            tell_refusals(&started.ok().and_then(Result::ok).unwrap_or_default());
        }
    }
    match engine.ended.recv().await {
        Some(Err(error)) if read.is_none() => Failure::Other(anyhow::Error::new(error)),
        result => {
            if let Some(Err(error)) = &result {
                tracing::warn!(error = %one_line::<CaptureError>(error), "the capture file is shown as far as it was read");
            }
            std::future::pending().await
        }
    }
}

/// A code with which people come in; or why there is none although everything else works.
fn invite(access: &Access) -> anyhow::Result<Result<Invited, String>> {
    match access.invite() {
        Ok(invited) => Ok(Ok(invited)),
        Err(error) if error.is_unkept() => {
            let why = one_line(&error);
            tracing::error!(error = why, "nothing that people change is kept: nobody can sign in");
            Ok(Err(why))
        }
        Err(error) => Err(error.into()),
    }
}

/// The one line on standard output.
fn announce(sources: &str, place: &str) -> Outcome {
    let mut out = io::stdout();
    writeln!(out, "Netwatch shows {sources} at {place}")?;
    out.flush()?;
    Ok(())
}

/// Interfaces that are not captured yet.
fn tell_refusals(refusals: &[Untrusted]) {
    for text in refusals {
        // The web app shows it as an event, too.
        let _ = writeln!(io::stderr(), "netwatch: {text}");
    }
}

/// What to type so that packets can be captured.
fn tell_missing(command: &str) -> Outcome {
    let mut err = io::stderr();
    writeln!(
        err,
        "netwatch: capturing is not allowed. Grant the right and start again:\n  {command}\nUntil then it shows capture \
         files: netwatch up --read FILE"
    )?;
    Ok(())
}

/// Where to look, and how one comes in.
fn place(address: SocketAddr, invited: &Result<Invited, String>) -> String {
    match invited {
        Ok(invited) => {
            let hint = match invited.set_up {
                true => "makes the first administrator, once, within a day",
                false => "signs in once, within 15 minutes",
            };
            format!("{}start#{} (the link {hint})", home(address), invited.code.as_str())
        }
        Err(why) => format!("{} (nobody can sign in, and nothing can be changed: {why})", home(address)),
    }
}

/// A server that listens everywhere is opened on this machine.
fn home(mut address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() });
    }
    format!("http://{address}/")
}

/// What a signal asks for.
enum Asked {
    Stop,
    Reload,
}

/// SIGINT and SIGTERM end the process. SIGHUP has the configuration read again, unless the terminal that it ran in is gone.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    on_terminal: bool,
}

impl Signals {
    fn new() -> anyhow::Result<Self> {
        let watch = |kind| signal(kind).context("cannot watch for signals");
        Ok(Self {
            interrupt: watch(SignalKind::interrupt())?,
            terminate: watch(SignalKind::terminate())?,
            hangup: watch(SignalKind::hangup())?,
            on_terminal: io::stdin().is_terminal(),
        })
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.interrupt.recv() => Asked::Stop,
            _ = self.terminate.recv() => Asked::Stop,
            _ = self.hangup.recv() => {
                // What was a terminal is none after it was hung up.
                if self.on_terminal && !io::stdin().is_terminal() { Asked::Stop } else { Asked::Reload }
            }
        }
    }

    async fn stop(&mut self) {
        while !matches!(self.next().await, Asked::Stop) {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_can_be_opened_on_this_machine() {
        assert_eq!(home("0.0.0.0:80".parse().unwrap()), "http://127.0.0.1:80/");
        assert_eq!(home("[::]:80".parse().unwrap()), "http://[::1]:80/");
        assert_eq!(home("192.0.2.1:80".parse().unwrap()), "http://192.0.2.1:80/");
    }

    #[test]
    fn without_a_link_the_line_says_why() {
        let line = place("127.0.0.1:80".parse().unwrap(), &Err("the disk is full".to_owned()));
        assert_eq!(line, "http://127.0.0.1:80/ (nobody can sign in, and nothing can be changed: the disk is full)");
    }
}
