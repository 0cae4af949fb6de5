//! `netwatch config`: check, show, schema, sample.

use std::io::Write as _;

use crate::args::{Cli, ConfigCommand, Overrides};
use crate::config::{Settings, render};
use crate::failure::Outcome;

pub fn run(cli: &Cli, command: &ConfigCommand) -> Outcome {
    let mut out = super::stdout();
    match command {
        ConfigCommand::Check => {
            let layers = super::layers(cli, Overrides::default());
            let settings = Settings::resolve(&layers, super::default_data_dir())?;
            super::flows::check_capture_filter(&settings.capture_filter)?;
            if layers.files.is_empty() {
                writeln!(out, "ok: no configuration file, defaults are used")?;
            }
            for file in &layers.files {
                writeln!(out, "ok: {}", file.display())?;
            }
        }
        ConfigCommand::Show { origin } => {
            let layers = super::layers(cli, Overrides::default());
            Settings::resolve(&layers, super::default_data_dir())?;
            out.write_all(render::show(&layers, *origin).as_bytes())?;
        }
        ConfigCommand::Schema => {
            let schema = serde_json::to_string_pretty(&render::schema()).map_err(anyhow::Error::new)?;
            writeln!(out, "{schema}")?;
        }
        ConfigCommand::Sample => out.write_all(render::sample().as_bytes())?,
    }
    out.flush()?;
    Ok(())
}
