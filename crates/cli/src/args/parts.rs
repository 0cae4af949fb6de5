//! Groups of flags that several commands share, and how they become keys of the configuration.

use clap::Args;

use crate::config::{Key, Raw};

/// Flags that were given, as values of keys.
#[derive(Debug, Default)]
pub struct Overrides(pub Vec<(Key, Raw)>);

impl Overrides {
    /// Sets a key when there is a text.
    pub fn text(&mut self, key: Key, text: Option<&str>) {
        self.0.extend(text.map(|t| (key, Raw::Scalar(t.to_owned()))));
    }

    /// Sets a key when the list is not empty.
    pub fn list(&mut self, key: Key, list: &[String]) {
        if !list.is_empty() {
            self.0.push((key, Raw::List(list.to_vec())));
        }
    }

    /// Sets a key to yes when the flag was given.
    pub fn flag(&mut self, key: Key, given: bool) {
        self.text(key, given.then_some("true"));
    }
}

/// Where packets come from.
#[derive(Args, Debug, Default)]
pub struct CaptureArgs {
    /// Interfaces, separated by commas [default: the outermost ones, see `netwatch interfaces`]
    #[arg(short, long, value_name = "IF", value_delimiter = ',', help_heading = "Capture")]
    pub interface: Vec<String>,
    /// Frames that are captured, in tcpdump syntax
    #[arg(long, value_name = "EXPRESSION", help_heading = "Capture")]
    pub capture_filter: Option<String>,
    /// Octets kept of each frame
    #[arg(long, value_name = "SIZE", help_heading = "Capture")]
    pub capture_length: Option<String>,
    /// Worker threads [default: one for each two cores]
    #[arg(long, value_name = "N", help_heading = "Capture")]
    pub workers: Option<String>,
    /// Capture frames for other machines, too
    #[arg(long, help_heading = "Capture")]
    pub promiscuous: bool,
    /// Memory of the kernel's ring for each interface and worker
    #[arg(long, value_name = "SIZE", help_heading = "Capture")]
    pub ring_size: Option<String>,
}

impl CaptureArgs {
    /// What the flags set.
    pub fn overrides(&self, set: &mut Overrides) {
        set.list(Key::Interfaces, &self.interface);
        set.text(Key::CaptureFilter, self.capture_filter.as_deref());
        set.text(Key::CaptureLength, self.capture_length.as_deref());
        set.text(Key::Workers, self.workers.as_deref());
        set.flag(Key::Promiscuous, self.promiscuous);
        set.text(Key::RingSize, self.ring_size.as_deref());
    }
}

/// How packets become flows.
#[derive(Args, Debug, Default)]
pub struct FlowArgs {
    /// A flow that goes on begins a new record after this time
    #[arg(long, value_name = "TIME", help_heading = "Flows")]
    pub active_timeout: Option<String>,
    /// TCP without a packet ends after this time
    #[arg(long, value_name = "TIME", help_heading = "Flows")]
    pub tcp_timeout: Option<String>,
    /// UDP without a packet ends after this time
    #[arg(long, value_name = "TIME", help_heading = "Flows")]
    pub udp_timeout: Option<String>,
    /// Conversations in the flow table
    #[arg(long, value_name = "N", help_heading = "Flows")]
    pub flow_capacity: Option<String>,
}

impl FlowArgs {
    /// What the flags set.
    pub fn overrides(&self, set: &mut Overrides) {
        set.text(Key::ActiveTimeout, self.active_timeout.as_deref());
        set.text(Key::TcpTimeout, self.tcp_timeout.as_deref());
        set.text(Key::UdpTimeout, self.udp_timeout.as_deref());
        set.text(Key::Capacity, self.flow_capacity.as_deref());
    }
}

/// Where people and programs reach Netwatch, and what it keeps.
#[derive(Args, Debug, Default)]
pub struct ListenArgs {
    /// Address and port of web app and API
    #[arg(long, value_name = "ADDR:PORT", help_heading = "Server")]
    pub listen: Option<String>,
    /// Address and port on which agents of other hosts are served [default: none are]
    #[arg(long, value_name = "ADDR:PORT", help_heading = "Server")]
    pub agents_listen: Option<String>,
    /// Directory for the token
    #[arg(long, value_name = "DIR", help_heading = "Server")]
    pub data_dir: Option<String>,
    /// Host name under which the web app may be opened; may be repeated
    #[arg(long, value_name = "NAME", help_heading = "Server")]
    pub allowed_host: Vec<String>,
    /// How long ended flows and rates stay searchable
    #[arg(long, value_name = "TIME", help_heading = "Server")]
    pub retention: Option<String>,
    /// Memory for ended flows
    #[arg(long, value_name = "SIZE", help_heading = "Server")]
    pub archive_size: Option<String>,
}

impl ListenArgs {
    /// What the flags set.
    pub fn overrides(&self, set: &mut Overrides) {
        set.text(Key::Listen, self.listen.as_deref());
        set.text(Key::AgentsListen, self.agents_listen.as_deref());
        set.text(Key::DataDir, self.data_dir.as_deref());
        set.list(Key::AllowedHosts, &self.allowed_host);
        set.text(Key::Retention, self.retention.as_deref());
        set.text(Key::ArchiveSize, self.archive_size.as_deref());
    }
}

/// A running server to ask.
#[derive(Args, Debug, Default, Clone)]
pub struct ServerArgs {
    /// Ask this server [default: the one on this machine]
    #[arg(long, value_name = "URL", env = "NETWATCH_SERVER", help_heading = "Server")]
    pub server: Option<String>,
    /// Bearer token [default: that of the server on this machine, from its data directory]
    #[arg(long, value_name = "TOKEN", env = "NETWATCH_TOKEN", hide_env_values = true, help_heading = "Server")]
    pub token: Option<String>,
}
