//! `netwatch agents`: agents of a running server, by its API.
//!
//! Everything follows the rules and leaves the records that it does in the web app. A token that is printed is good once.

use std::io::Write as _;

use netwatch_api::agent::{Agent, AgentPatch, AgentState, EnrolmentTokenCreate, EnrolmentTokenMade};
use netwatch_api::page::Page;
use netwatch_model::Untrusted;

use super::ranges::workspace;
use super::steer::endpoint;
use crate::args::{AgentsAsk, AgentsCommand, AgentsListArgs, AgentsNameArgs, AgentsTokenArgs, Cli, Format};
use crate::client::Endpoint;
use crate::failure::{Failure, Outcome, usage, visible};
use crate::output::Printer;
use crate::output::table::{Align, Table};

/// Where they are.
const PATH: &str = "/api/v1/agents";
/// Rows of a page.
const PAGE: &str = "500";
/// Columns of the list as CSV.
const COLUMNS: [&str; 13] = [
    "id",
    "name",
    "state",
    "enabled",
    "global",
    "foreign",
    "version",
    "left_out",
    "hostname",
    "peer_address",
    "last_seen",
    "group",
    "created",
];

/// `netwatch agents …`
pub fn run(cli: &Cli, command: &AgentsCommand) -> Outcome {
    match command {
        AgentsCommand::List(args) => list(cli, args),
        AgentsCommand::Token(args) => token(cli, args),
        AgentsCommand::Kick(args) => act(cli, args, |agent| ("POST", format!("{PATH}/{}/kick", agent.id))),
        AgentsCommand::Delete(args) => act(cli, args, |agent| ("DELETE", format!("{PATH}/{}", agent.id))),
        AgentsCommand::Disable(args) => set_enabled(cli, args, false),
        AgentsCommand::Enable(args) => set_enabled(cli, args, true),
    }
}

fn list(cli: &Cli, args: &AgentsListArgs) -> Outcome {
    let server = reach(cli, &args.ask)?;
    let mut out = super::stdout();
    let mut printer = Printer::new(&mut out, args.ask.format, &COLUMNS)?;
    each_page(&server, args.search.as_deref(), |page| printer.rows(page).map(|()| false))?;
    printer.finish(table)
}

fn token(cli: &Cli, args: &AgentsTokenArgs) -> Outcome {
    let server = reach(cli, &args.ask)?;
    let new = EnrolmentTokenCreate {
        name: args.name.clone(),
        labels: args.label.iter().cloned().collect(),
        group: args.group.clone(),
        expires_in_seconds: args.expires.map(|life| u32::try_from(life.as_secs()).unwrap_or(u32::MAX)),
    };
    let made: EnrolmentTokenMade = server.send("POST", "/api/v1/agent-tokens", &new)?;
    let mut out = super::stdout();
    match args.ask.format {
        Format::Table => {
            let commands = &made.commands;
            writeln!(out, "Good once, until {}. On the host of the agent run one of:", made.token.expires)?;
            for (what, command) in [
                ("as a service", &commands.systemd),
                ("in a container", &commands.container),
                ("until you stop it", &commands.plain),
            ] {
                writeln!(out, "\n# {what}\n{}", visible(command))?;
            }
            out.flush()?;
            Ok(())
        }
        format => {
            let columns =
                ["token.id", "token.expires", "secret", "commands.plain", "commands.systemd", "commands.container"];
            let mut printer = Printer::new(&mut out, format, &columns)?;
            printer.rows(vec![made])?;
            printer.finish(|_| Table::new(&[]))
        }
    }
}

fn act(cli: &Cli, args: &AgentsNameArgs, what: impl FnOnce(&Agent) -> (&'static str, String)) -> Outcome {
    let server = reach(cli, &args.ask)?;
    let agent = find(&server, &args.agent)?;
    let (method, path) = what(&agent);
    server.command(method, &path)
}

fn set_enabled(cli: &Cli, args: &AgentsNameArgs, enabled: bool) -> Outcome {
    let server = reach(cli, &args.ask)?;
    let agent = find(&server, &args.agent)?;
    let patch = AgentPatch { enabled: Some(enabled), ..AgentPatch::default() };
    let changed: Agent = server.overwrite("PATCH", &format!("{PATH}/{}", agent.id), &patch)?;
    let mut out = super::stdout();
    let mut printer = Printer::new(&mut out, args.ask.format, &COLUMNS)?;
    printer.rows(vec![changed])?;
    printer.finish(table)
}

fn reach(cli: &Cli, ask: &AgentsAsk) -> Result<Endpoint, Failure> {
    let server = endpoint(cli, &ask.server, ask.data_dir.as_deref())?;
    let workspace = ask.workspace.as_deref().map(|wanted| workspace(&server, wanted)).transpose()?;
    Ok(Endpoint { workspace, ..server })
}

/// Hands over the agents page by page, by name, until `enough` says so.
fn each_page(
    server: &Endpoint,
    search: Option<&str>,
    mut enough: impl FnMut(Vec<Agent>) -> Result<bool, Failure>,
) -> Result<(), Failure> {
    let mut cursor: Option<String> = None;
    loop {
        let mut query = vec![("limit", PAGE)];
        query.extend(search.map(|text| ("search", text)));
        query.extend(cursor.as_deref().map(|text| ("cursor", text)));
        let page: Page<Agent> = server.get(PATH, &query)?;
        let is_enough = enough(page.items)?;
        cursor = page.next_cursor.filter(|_| !is_enough);
        if cursor.is_none() {
            return Ok(());
        }
    }
}

/// The agent of that name or id.
fn find(server: &Endpoint, wanted: &str) -> Result<Agent, Failure> {
    let mut found = None;
    each_page(server, Some(wanted), |page| {
        let is_it = |agent: &Agent| !agent.foreign && (agent.id == wanted || agent.name.eq_ignore_ascii_case(wanted));
        found = page.into_iter().find(is_it);
        Ok(found.is_some())
    })?;
    found.ok_or_else(|| usage(format!("there is no agent `{}`: `netwatch agents list` shows all", visible(wanted))))
}

fn table(agents: &[Agent]) -> Table {
    let head = ["NAME", "STATE", "VERSION", "HOST", "FROM", "LAST HEARD OF", "ID", "UPDATE"];
    let mut table = Table::new(&head.map(|name| (name, Align::Left)));
    let said = |text: &Option<String>| text.as_deref().map(|text| Untrusted::new(text).to_string()).unwrap_or_default();
    for agent in agents {
        table.row([
            Untrusted::new(&agent.name).to_string(),
            state(agent.state).to_owned(),
            said(&agent.version),
            said(&agent.hostname),
            said(&agent.peer_address),
            agent.last_seen.map_or_else(|| "never".to_owned(), |time| time.to_string()),
            agent.id.clone(),
            update(agent),
        ]);
    }
    table
}

/// Why one of the two is to be updated, if it is.
fn update(agent: &Agent) -> String {
    match (&agent.refused, agent.left_out) {
        (Some(refused), _) => Untrusted::message(&refused.message).to_string(),
        (None, 0) => String::new(),
        (None, probes) => format!("leaves {probes} probes out"),
    }
}

const fn state(state: AgentState) -> &'static str {
    match state {
        AgentState::Online => "online",
        AgentState::Stale => "stale",
        AgentState::Offline => "offline",
        AgentState::Unknown => "unknown",
        AgentState::Never => "never",
        AgentState::Disabled => "disabled",
    }
}
