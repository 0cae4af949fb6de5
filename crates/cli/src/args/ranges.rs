//! `netwatch ranges` as it is written.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::ServerArgs;

/// `netwatch ranges`
#[derive(Subcommand, Debug)]
pub enum RangesCommand {
    /// Replace all names of address ranges of a workspace by those of a file
    Import(RangesImportArgs),
    /// Print all names of address ranges of a workspace
    Export(RangesExportArgs),
}

/// Which server is asked, and for which workspace.
#[derive(Args, Debug)]
pub struct RangesAsk {
    /// Name or id of the workspace [default: that of the token, or of this machine]
    #[arg(long, value_name = "WORKSPACE")]
    pub workspace: Option<String>,
    #[command(flatten)]
    pub server: ServerArgs,
    /// Directory of the running server, for its token
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<String>,
}

/// `netwatch ranges import`
#[derive(Args, Debug)]
pub struct RangesImportArgs {
    /// CSV file, lines of network,name; `-` for standard input
    pub file: PathBuf,
    #[command(flatten)]
    pub ask: RangesAsk,
}

/// `netwatch ranges export`
#[derive(Args, Debug)]
pub struct RangesExportArgs {
    #[command(flatten)]
    pub ask: RangesAsk,
}
