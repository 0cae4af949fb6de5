//! How things are printed, the same for all commands.

use clap::ValueEnum;

/// When there are colours.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Color {
    /// On a terminal.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How data is printed.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// Columns for people.
    #[default]
    Table,
    /// One JSON object a line.
    Json,
    /// Comma-separated values (RFC 4180) with a head line.
    Csv,
    /// YAML documents.
    Yaml,
}
