//! `netwatch top`: over a running server, or over a capture of its own.

use std::io::{self, IsTerminal as _};

use crate::args::{Cli, Overrides, TopArgs};
use crate::client::{self, Endpoint};
use crate::config::{Key, Settings};
use crate::engine::confine::{Reach, confine};
use crate::engine::{self, Engine, Input, Plan};
use crate::failure::{Failure, Outcome};
use crate::logging;
use crate::top::{link, shell};

pub fn run(cli: &Cli, args: &TopArgs) -> Outcome {
    let mut flags = Overrides::default();
    args.capture.overrides(&mut flags);
    args.flows.overrides(&mut flags);
    flags.text(Key::DataDir, args.data_dir.as_ref().and_then(|p| p.to_str()));
    let settings = super::resolve(cli, flags)?;
    let filter = args.filter.as_deref().map(super::flows::filter).transpose()?.unwrap_or_default().to_string();
    shell::check_terminal()?;
    // Log lines would be drawn over the page; where they go elsewhere they are welcome.
    if !io::stderr().is_terminal() {
        logging::start(&settings, cli.global.color).map_err(anyhow::Error::new)?;
    }
    let colored = logging::colored(cli.global.color, true);
    if args.server.server.is_none() && !client::is_local_server(&settings) {
        return own_capture(settings, filter, colored);
    }
    let endpoint = Endpoint::resolve(&args.server, &settings)?;
    link::probe(&endpoint)?;
    shell::run(endpoint, filter, colored)
}

/// No server runs on this machine: this process is one, on a port of loopback that nobody else knows.
fn own_capture(mut settings: Settings, filter: String, colored: bool) -> Outcome {
    settings.listen = ([127, 0, 0, 1], 0).into();
    let plan = Plan::new(&settings, &Input::Live)?;
    let port = plan.server.listen.port();
    let endpoint = Endpoint::local(plan.server.listen, &settings.data_dir)?;
    let reach = Reach { connect: vec![port], listen: settings.agents.ports(), read: Vec::new() };
    let rights = confine(&settings.data_dir, true, settings.processes, &reach)?;
    if let Some(command) = &rights.missing {
        let message = format!(
            "no server answers at this machine, and capturing is not allowed: start one (sudo systemctl start netwatch), \
             or grant the right: {command}"
        );
        return Err(Failure::Other(anyhow::Error::msg(message)));
    }
    // The first threads start here.
    let runtime = engine::runtime()?;
    let access = engine::access(&settings)?;
    let engine = runtime.block_on(async { Engine::start(plan, access, rights, &settings, None) })?;
    let outcome = shell::run(endpoint, filter, colored);
    let ended = async { tokio::time::timeout(engine::LAST_WORDS, engine.stop()).await.is_ok() };
    if !runtime.block_on(ended) {
        tracing::warn!("the end took too long and was cut");
    }
    runtime.shutdown_background();
    outcome
}
