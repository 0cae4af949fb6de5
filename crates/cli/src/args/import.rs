//! `netwatch import` as it is written.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::ServerArgs;

/// `netwatch import`
#[derive(Subcommand, Debug)]
pub enum ImportCommand {
    /// A backup of Uptime Kuma 1.x (JSON)
    UptimeKuma(ImportFileArgs),
    /// A configuration of SmokePing, or its file of targets alone
    Smokeping(ImportFileArgs),
    /// Modules of blackbox_exporter, with the targets of a configuration of Prometheus
    Blackbox(ImportBlackboxArgs),
}

/// What is done with what is read.
#[derive(Args, Debug)]
pub struct ImportAsk {
    /// Send the probes to the server instead of printing them: all of them are tried first
    #[arg(long)]
    pub apply: bool,
    /// How it is told on standard error what was taken over and what was not
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub report: ReportFormat,
    #[command(flatten)]
    pub server: ServerArgs,
    /// Directory of the running server, for its token
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<String>,
}

/// How a report is written.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ReportFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object.
    Json,
}

/// `netwatch import uptime-kuma` and `netwatch import smokeping`
#[derive(Args, Debug)]
pub struct ImportFileArgs {
    /// The file; `-` for standard input
    pub file: PathBuf,
    #[command(flatten)]
    pub ask: ImportAsk,
}

/// `netwatch import blackbox`
#[derive(Args, Debug)]
pub struct ImportBlackboxArgs {
    /// The modules, such as /etc/prometheus/blackbox.yml
    pub file: PathBuf,
    /// The configuration of Prometheus whose jobs have the path /probe, such as /etc/prometheus/prometheus.yml
    #[arg(long, value_name = "FILE")]
    pub targets: PathBuf,
    #[command(flatten)]
    pub ask: ImportAsk,
}
