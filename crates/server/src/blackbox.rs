//! What blackbox_exporter answers, from our own probes: its modules, its names.
//!
//! Why: who runs that exporter has scrape configurations, dashboards and alerts that name its metrics. [`Modules`] are read from its own
//! file (`keys` is the one list of what each key means here); a module becomes a probe of ours ([`Module::probe`]) that the agent runs
//! like any other; its result is judged by what only the module knows (`verdict`) and written with the exporter's names (`page`, the
//! one list of those).
//!
//! What our probes cannot do is never left out in silence: a module that asks for it is refused when the file is read, with line and key,
//! and answers say so; a key that the exporter does not know spoils the file.
//!
//! Limits: files of 1 MiB, [`MAX_MODULES`] modules.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

mod desk;
mod keys;
mod module;
mod page;
mod text;
mod values;
mod verdict;
pub mod yaml;

#[cfg(test)]
mod tests;

pub(crate) use desk::Desk;
pub use module::Module;
pub(crate) use page::{Scrape, write};
pub use values::duration;
use yaml::{Fault, Node, Value};

/// The most modules of a file.
pub const MAX_MODULES: usize = 1000;

/// The modules that are there when no file is named: those that every example has.
const BUILT_IN: &str = "
modules:
  http_2xx: {prober: http}
  http_post_2xx: {prober: http, http: {method: POST}}
  tcp_connect: {prober: tcp}
  tls_connect: {prober: tcp, tcp: {tls: true}}
  icmp: {prober: icmp}
  icmp_ttl5: {prober: icmp, timeout: 5s, icmp: {ttl: 5}}
  dns: {prober: dns, dns: {query_name: localhost, query_type: A, valid_rcodes: [NOERROR, NXDOMAIN]}}
  dns_tcp: {prober: dns, dns: {query_name: localhost, query_type: A, transport_protocol: tcp, valid_rcodes: [NOERROR, NXDOMAIN]}}
";

/// Modules by name.
#[derive(Clone, Debug, Default)]
pub struct Modules(BTreeMap<String, Result<Arc<Module>, Vec<Fault>>>);

impl Modules {
    /// Those that are there without a file.
    #[must_use]
    pub fn built_in() -> Self {
        // That they can be read is proven by a test.
        Self::parse(BUILT_IN, Path::new("/")).unwrap_or_default()
    }

    /// Reads the text of a file in the form of blackbox_exporter; the files that it names are relative to `folder`. Blocks.
    ///
    /// # Errors
    /// What no version of the exporter would read. What it would, and our probes cannot do, refuses one module: see
    /// [`Modules::refused`].
    pub fn parse(text: &str, folder: &Path) -> Result<Self, Vec<Fault>> {
        let document = yaml::parse(text).map_err(|fault| vec![fault])?;
        let mut wrong = Vec::new();
        for (key, _) in document.value.pairs().iter().filter(|(key, _)| key.value != "modules") {
            let shown = netwatch_model::Untrusted::new(&key.value);
            wrong.push(Fault::at(key.referenced, format!("unknown key `{shown}`: did you mean `modules`?")));
        }
        let modules = document.value.get("modules");
        let Some(Value::Map(pairs)) = modules.map(|node| &node.value) else {
            let message = "expected `modules:` with modules by name, as blackbox_exporter reads them";
            wrong.push(Fault::at(modules.map_or(document.referenced, |node| node.referenced), message));
            return Err(wrong);
        };
        if pairs.len() > MAX_MODULES {
            wrong.push(Fault::at(document.referenced, format!("more than {MAX_MODULES} modules")));
            return Err(wrong);
        }
        let read = |(name, node): &(serde_saphyr::Spanned<String>, Node)| {
            let mut found = keys::Found::default();
            let module = keys::module(node, folder, &mut found);
            wrong.append(&mut found.wrong);
            let module = match module {
                Some(module) if found.unable.is_empty() => Ok(Arc::new(module)),
                _ => Err(found.unable),
            };
            (name.value.clone(), module)
        };
        let modules = Self(pairs.iter().map(read).collect());
        if wrong.is_empty() { Ok(modules) } else { Err(wrong) }
    }

    /// The module of a name: none when there is none, why not when our probes cannot do what it asks for.
    ///
    /// # Errors
    /// What they cannot do, and where it is written.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Result<&Module, &[Fault]>> {
        self.0.get(name).map(|module| module.as_deref().map_err(Vec::as_slice))
    }

    /// The names of all that can be run.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|(_, module)| module.is_ok()).map(|(name, _)| name.as_str())
    }

    /// The modules that cannot be run, each with why.
    pub fn refused(&self) -> impl Iterator<Item = (&str, &[Fault])> {
        self.0.iter().filter_map(|(name, module)| Some((name.as_str(), module.as_ref().err()?.as_slice())))
    }
}
