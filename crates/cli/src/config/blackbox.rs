//! The modules of blackbox_exporter that the configuration names.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use netwatch_server::blackbox::Modules;
use netwatch_server::blackbox::yaml::{Fault as YamlFault, MAX_TEXT};

use super::{ConfigError, Fault, Origin};

/// Reads the modules: those of the file, or those that are there without one. Blocks.
///
/// # Errors
/// What is wrong with the file, each with its place.
pub fn modules(file: Option<&Path>) -> Result<Modules, ConfigError> {
    let Some(path) = file else { return Ok(Modules::built_in()) };
    let fault = |fault: YamlFault| Fault {
        origin: Origin::File { path: path.to_owned(), line: fault.line, column: fault.column },
        message: fault.message,
    };
    let unreadable = |error: std::io::Error| {
        let message = format!("probes.blackbox names this file, which cannot be read: {error}");
        ConfigError(vec![fault(YamlFault { line: 0, column: 0, message })])
    };
    let mut text = String::new();
    // One more than is allowed shows that it is too long.
    let most = MAX_TEXT as u64 + 1;
    File::open(path).and_then(|file| file.take(most).read_to_string(&mut text)).map_err(unreadable)?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    Modules::parse(&text, folder).map_err(|faults| ConfigError(faults.into_iter().map(fault).collect()))
}

/// Says of each module that our probes cannot run which one it is, and why.
pub fn tell_refused(modules: &Modules, file: Option<&Path>) {
    let file = file.map(|path| path.display().to_string()).unwrap_or_default();
    for (module, faults) in modules.refused() {
        for fault in faults {
            let module = crate::failure::visible(module);
            tracing::warn!(file, module, line = fault.line, why = fault.message, "a module cannot be run");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_with_the_places_of_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("blackbox.yml");
        let missing = modules(Some(&path)).unwrap_err().to_string();
        assert!(missing.contains("blackbox.yml: probes.blackbox names this file"), "{missing}");
        std::fs::write(&path, "modules:\n  web:\n    prober: http\n    http:\n      metod: GET\n").unwrap();
        let wrong = modules(Some(&path)).unwrap_err().to_string();
        assert!(wrong.ends_with("blackbox.yml:5:7: unknown key `metod`: did you mean `method`?"), "{wrong}");
        std::fs::write(&path, "modules: {web: {prober: http}}\n").unwrap();
        assert_eq!(modules(Some(&path)).unwrap().names().collect::<Vec<_>>(), ["web"]);
        assert!(modules(None).unwrap().get("http_2xx").is_some_and(|module| module.is_ok()));
    }
}
