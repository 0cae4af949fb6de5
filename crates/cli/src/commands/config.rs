//! `netwatch config`: check, show, schema, sample.

use std::io::Write;

use crate::args::{Cli, ConfigCommand, Overrides};
use crate::config::{Settings, blackbox, render};
use crate::failure::{Outcome, visible};

pub fn run(cli: &Cli, command: &ConfigCommand) -> Outcome {
    let mut out = super::stdout();
    match command {
        ConfigCommand::Check => {
            let layers = super::layers(cli, Overrides::default());
            let settings = Settings::resolve(&layers, super::default_data_dir())?;
            super::flows::check_capture_filter(&settings.capture_filter)?;
            check_modules(&settings, &mut out)?;
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

/// Says which modules of the file of blackbox_exporter cannot be run, and why; the others can.
fn check_modules(settings: &Settings, out: &mut impl Write) -> Outcome {
    let Some(path) = &settings.blackbox else { return Ok(()) };
    let modules = blackbox::modules(Some(path))?;
    for (module, faults) in modules.refused() {
        for fault in faults {
            writeln!(out, "{}:{fault} (the module `{}` cannot be run)", path.display(), visible(module))?;
        }
    }
    writeln!(out, "ok: {} ({} modules can be run)", path.display(), modules.names().count())?;
    Ok(())
}
