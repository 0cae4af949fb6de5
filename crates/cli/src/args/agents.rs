//! `netwatch agents` as it is written.

use std::time::Duration;

use clap::{Args, Subcommand};
use netwatch_model::filter::{Kind, parse_value};

use super::{Format, ServerArgs};

/// `netwatch agents`
#[derive(Subcommand, Debug)]
pub enum AgentsCommand {
    /// List all agents and how they stand
    List(AgentsListArgs),
    /// Make a token, and print the commands that bring an agent in
    Token(AgentsTokenArgs),
    /// End the session of an agent; it comes back by itself
    Kick(AgentsNameArgs),
    /// Let an agent come in no more
    Disable(AgentsNameArgs),
    /// Let an agent come in again
    Enable(AgentsNameArgs),
    /// Delete an agent: it stops for good
    Delete(AgentsNameArgs),
}

/// Which server is asked, for which workspace, and how the answer is printed.
#[derive(Args, Debug)]
pub struct AgentsAsk {
    /// Name or id of the workspace [default: that of the token, or of this machine]
    #[arg(long, value_name = "WORKSPACE")]
    pub workspace: Option<String>,
    #[command(flatten)]
    pub server: ServerArgs,
    /// Directory of the running server, for its token
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<String>,
    /// How it is printed
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
}

/// `netwatch agents list`
#[derive(Args, Debug)]
pub struct AgentsListArgs {
    /// Only those with this text in name, host, group, address or labels
    pub search: Option<String>,
    #[command(flatten)]
    pub ask: AgentsAsk,
}

/// `netwatch agents token`
#[derive(Args, Debug)]
pub struct AgentsTokenArgs {
    /// What the agent will be called [default: the name of its host]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// A label of the agent; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = label)]
    pub label: Vec<(String, String)>,
    /// With which others the agent is shown
    #[arg(long, value_name = "NAME")]
    pub group: Option<String>,
    /// How long the token is good, at most 7d [default: 1h]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub expires: Option<Duration>,
    #[command(flatten)]
    pub ask: AgentsAsk,
}

/// A command about one agent.
#[derive(Args, Debug)]
pub struct AgentsNameArgs {
    /// Name or id of the agent
    pub agent: String,
    #[command(flatten)]
    pub ask: AgentsAsk,
}

fn label(text: &str) -> Result<(String, String), String> {
    let named = text.split_once('=').filter(|(name, _)| !name.is_empty());
    named.map(|(name, value)| (name.to_owned(), value.to_owned())).ok_or_else(|| "expected NAME=VALUE".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_value(Kind::Duration, text).map(Duration::from_nanos).map_err(|error| error.to_string())
}
