//! What `netwatch agent` can be told.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use netwatch_agent::update::{Key, MOST_KEYS};
use netwatch_egress::Network;

use super::Format;

/// `netwatch agent`
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct AgentArgs {
    /// What else can be done.
    #[command(subcommand)]
    pub command: Option<AgentCommand>,
    /// How it runs.
    #[command(flatten)]
    pub run: AgentRunArgs,
}

/// What else can be done with an agent.
#[derive(Subcommand, Debug)]
pub enum AgentCommand {
    /// Make it a service of systemd, and start it
    Install(AgentRunArgs),
    /// Stop the service and remove it
    Uninstall {
        /// Remove what the agent has kept, too: its key and what waits to be sent
        #[arg(long)]
        purge: bool,
    },
    /// Show who the agent is, and what waits to be sent; exit code 1 when it is not enrolled
    Status {
        /// Directory of the agent
        #[arg(long, value_name = "DIR", env = "NETWATCH_AGENT_DATA_DIR")]
        data_dir: Option<PathBuf>,
        /// How it is printed
        #[arg(long, value_name = "FORMAT", default_value = "table")]
        format: Format,
    },
}

/// How an agent runs.
#[derive(Args, Debug, Clone, Default)]
pub struct AgentRunArgs {
    /// Where the server listens for agents; needed for the first start
    #[arg(long, value_name = "HOST:PORT", env = "NETWATCH_AGENT_SERVER", value_parser = place)]
    pub server: Option<String>,
    /// The enrolment token that the web app prints; it is used once
    #[arg(long, value_name = "TOKEN", env = "NETWATCH_AGENT_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Directory for its key and what waits to be sent [default: /var/lib/netwatch-agent for root]
    #[arg(long, value_name = "DIR", env = "NETWATCH_AGENT_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// What the server is to call it [default: the name of the host]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// A label, for choosing agents; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = label)]
    pub label: Vec<(String, String)>,
    /// HTTP proxy on the way to the server, http://USER:PASSWORD@HOST:PORT; empty for none [default: HTTPS_PROXY and NO_PROXY]
    #[arg(long, value_name = "URL")]
    pub proxy: Option<String>,
    /// Answer test packets (STAMP, RFC 8762) of agents that measure this one at this UDP port, from 1024 on; 0: never [default: 8862, if it is free]
    #[arg(long, value_name = "PORT", value_parser = listening_port)]
    pub reflector: Option<u16>,
    /// Networks whose test packets are answered, too, separated by commas
    #[arg(long, value_name = "NET", value_delimiter = ',')]
    pub reflector_allow: Vec<Network>,
    /// Serve throughput tests of agents at this port (TCP and UDP), from 1024 on, while the server says that some make one; 0: never [default: 8863]
    #[arg(long, value_name = "PORT", value_parser = listening_port)]
    pub throughput: Option<u16>,
    /// Take newer programs that the server offers when they are signed with this public key of minisign (RW…); may be given several times
    #[arg(long, value_name = "KEY", env = "NETWATCH_AGENT_UPDATE_KEY", value_delimiter = ',', value_parser = update_key)]
    pub update_key: Vec<Key>,
    /// Somebody starts the agent again when it ends: it ends by itself once a newer program is ready
    #[arg(long)]
    pub supervised: bool,
}

/// Whose signature counts.
fn update_key(text: &str) -> Result<Key, String> {
    text.trim().parse().map_err(|error: netwatch_agent::update::ParseKeyError| error.to_string())
}

/// The agent drops all rights before it listens, so that ports below 1024 are out of its reach.
fn listening_port(text: &str) -> Result<u16, String> {
    let port = text.parse().map_err(|_| "expected a port, 1024 to 65535, or 0 for none".to_owned())?;
    if (1..1024).contains(&port) {
        let other = "the agent has no right to a port below 1024: choose a higher one, or run `netwatch reflector` or `netwatch throughput --serve` beside it";
        return Err(other.to_owned());
    }
    Ok(port)
}

/// Most labels of an agent.
const MAX_LABELS: usize = 32;

impl AgentRunArgs {
    /// What is wrong with all labels, or all keys, together.
    pub fn fault(&self) -> Option<String> {
        if self.update_key.len() > MOST_KEYS {
            return Some(format!("an agent trusts at most {MOST_KEYS} keys of newer programs"));
        }
        (self.label.len() > MAX_LABELS).then(|| format!("an agent has at most {MAX_LABELS} labels"))
    }
}

fn place(text: &str) -> Result<String, String> {
    let wrong = || format!("`{text}` is not HOST:PORT: copy the whole command from the web app");
    let (host, _) = netwatch_model::probe::spec::split_port(text, None).ok_or_else(wrong)?;
    let is_host =
        !host.is_empty() && host.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '%'));
    if is_host { Ok(text.to_owned()) } else { Err(wrong()) }
}

fn label(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("`{text}` is not NAME=VALUE"))?;
    let is_name = !name.is_empty()
        && name.len() <= 63
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    let is_value = value.len() <= 128 && !value.chars().any(char::is_control);
    if is_name && is_value {
        return Ok((name.to_owned(), value.to_owned()));
    }
    Err(format!("`{text}` is no label: a name has letters, digits, `_`, `-` and `.`, a value at most 128 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_labels_are_checked() {
        assert!(["a.example:8471", "[2001:db8::1]:8471", "192.0.2.1:1"].iter().all(|text| place(text).is_ok()));
        assert!(["a.example", "a.example:0", "https://a:1", "a b:1", ":1"].iter().all(|text| place(text).is_err()));
        assert_eq!(label("site=berlin=1"), Ok(("site".to_owned(), "berlin=1".to_owned())));
        assert!(["site", "=x", "a b=x", "a=\n"].iter().all(|text| label(text).is_err()));
    }
}
