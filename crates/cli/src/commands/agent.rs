//! `netwatch agent`: observes from this host for a server elsewhere.
//!
//! The order matters: a newer program, if there is one, runs in the place of this one (`successor`); the data directory is made and the
//! key is read; the broker is forked, rights are dropped and the walls go up, still on one thread; then threads start, from the spool back
//! to the probes. Exit codes: 0 it was asked to end, 1 it could not go on, 2 it was
//! asked for in a wrong way, or the agent was deleted, so that starting it again does not help.

#[cfg_attr(not(target_os = "linux"), path = "agent/unconfined.rs")]
mod confine;
mod install;
mod os;
mod start;
mod status;
mod successor;

use std::path::Path;

use netwatch_agent::identity::{AgentKey, Begin, Home, IdentityError, Token, TokenError};
use netwatch_agent::session::Proxy;
use netwatch_telemetry::logs;

use crate::args::{AgentArgs, AgentCommand, AgentRunArgs, Global};
use crate::failure::{Failure, Outcome, usage};
use crate::levels;

/// What is worth a log line when nothing is said.
const LEVEL: &str = "info";

pub use successor::is_on_trial;

pub fn run(global: &Global, args: &AgentArgs) -> Outcome {
    match &args.command {
        None => observe(global, &args.run),
        Some(AgentCommand::Install(args)) => install::install(args),
        Some(AgentCommand::Uninstall { purge }) => install::uninstall(*purge),
        Some(AgentCommand::Status { data_dir, format }) => status::print(&home(data_dir.as_deref()), *format),
    }
}

fn observe(global: &Global, args: &AgentRunArgs) -> Outcome {
    os::limit_arenas();
    start_logging(global)?;
    if let Some(fault) = args.fault() {
        return Err(usage(fault));
    }
    let home = home(args.data_dir.as_deref());
    let updates = successor::settings(&home, args);
    successor::start(&updates)?;
    let (begin, key) = who(&home, args)?;
    let proxy = proxy(args, &begin)?;
    // Neither the program nor what it starts needs the environment's secrets any more; they have been read.
    let rights = confine::confine(&home, start::throughput_port(args.throughput))?;
    // The first threads start here.
    start::run(start::Plan { home, begin, key, proxy, rights, updates, args: args.clone() })
}

fn start_logging(global: &Global) -> Outcome {
    let level = global.level().unwrap_or(LEVEL);
    let is_json = match global.log_format.as_deref() {
        None | Some("text") => false,
        Some("json") => true,
        Some(other) => return Err(usage(format!("`{other}` is not a format of log lines: use text or json"))),
    };
    logs::init(&levels::filter(level), levels::format(is_json, global.color), None).map_err(anyhow::Error::new)?;
    Ok(())
}

/// `--data-dir`, else where the system keeps such data.
fn home(said: Option<&Path>) -> Home {
    if let Some(said) = said {
        return Home::new(said);
    }
    Home::new(&os::data_folder())
}

/// Who the agent is, or how it becomes somebody; and its key.
fn who(home: &Home, args: &AgentRunArgs) -> Result<(Begin, AgentKey), Failure> {
    let token = args.token.as_deref().filter(|text| !text.is_empty()).map(str::parse::<Token>).transpose();
    let token = token.map_err(|error: TokenError| Failure::Usage(anyhow::Error::new(error)))?;
    let begin = home.begin(args.server.as_deref(), token).map_err(refused)?;
    match &begin {
        Begin::Known { enrolled, spare_token } => {
            if *spare_token {
                tracing::info!(
                    agent = enrolled.name,
                    server = enrolled.server,
                    "this agent is enrolled already: the token was not needed, and is still good"
                );
            }
        }
        Begin::Enrol { .. } => home.clear_deleted().map_err(refused)?,
    }
    let key = home.key().map_err(refused)?;
    Ok((begin, key))
}

/// What a person must mend is a wrong question; a disk is not.
fn refused(error: IdentityError) -> Failure {
    match error {
        IdentityError::File(_) | IdentityError::Make(_) => Failure::Other(anyhow::Error::new(error)),
        error => Failure::Usage(anyhow::Error::new(error)),
    }
}

fn proxy(args: &AgentRunArgs, begin: &Begin) -> Result<Option<Proxy>, Failure> {
    let server = match begin {
        Begin::Known { enrolled, .. } => &enrolled.server,
        Begin::Enrol { server, .. } => server,
    };
    let host = netwatch_model::probe::spec::split_port(server, None).map_or("", |(host, _)| host);
    let environment = |name: &str| std::env::var(name).ok();
    Proxy::choose(args.proxy.as_deref(), environment, host).map_err(|error| Failure::Usage(anyhow::Error::new(error)))
}
