//! Where frames come from, as the user has said it: interfaces of this machine, or a capture file.

use std::collections::HashMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use netwatch_model::Untrusted;

use crate::bpf::{self, BpfError, Program};
use crate::file::FileOptions;
use crate::file::pace::Speed;
use crate::frame::LinkType;
use crate::interface::link::Link;
use crate::ring::RingSettings;

/// Where frames come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// Interfaces, which may come and go.
    Live(LiveSource),
    /// A capture file.
    File(FileReplay),
}

/// Interfaces of this machine.
#[derive(Clone, Debug, Default)]
pub struct LiveSource {
    /// By name; at most 256.
    pub interfaces: Vec<Untrusted>,
    /// The rings of each interface, one for each worker.
    pub ring: RingSettings,
    /// Which frames are wanted; all when absent.
    pub filter: Option<LiveFilter>,
}

/// A capture file that is read as if it were live.
#[derive(Clone, Debug)]
pub struct FileReplay {
    /// Where it is; `-` is standard input.
    pub path: PathBuf,
    /// The file itself, for a process that gives up the right to open it before it reads; else it is opened by its path.
    pub opened: Option<Arc<File>>,
    /// How fast.
    pub speed: Speed,
    /// How to read it.
    pub options: FileOptions,
}

/// An expression, compiled for each kind of link that is captured.
#[derive(Clone, Debug)]
pub struct LiveFilter {
    expression: String,
    programs: HashMap<LinkType, Program>,
}

impl LiveFilter {
    /// Compiles `expression` for the wanted interfaces that are there, or for Ethernet when none is. Call it before rights are
    /// given up: see [`bpf::compile_for_interface`].
    ///
    /// # Errors
    /// When libpcap is missing or does not understand the expression.
    pub fn compile(expression: &str, wanted: &[Untrusted], links: &[Link]) -> Result<Self, BpfError> {
        let mut filter = Self { expression: expression.to_owned(), programs: HashMap::new() };
        for link in links.iter().filter(|link| wanted.contains(&link.name)) {
            if let Some(kind) = link.link.filter(|kind| !filter.programs.contains_key(kind)) {
                filter.add(kind, link.name.raw())?;
            }
        }
        if filter.programs.is_empty() {
            filter.add(LinkType::Ethernet, "any")?;
        }
        Ok(filter)
    }

    /// The program for a kind of link; compiled now when an interface of another kind has come.
    ///
    /// # Errors
    /// When it cannot be compiled any more.
    pub fn program(&mut self, kind: LinkType, interface: &str) -> Result<Program, BpfError> {
        if let Some(program) = self.programs.get(&kind) {
            return Ok(program.clone());
        }
        self.add(kind, interface)
    }

    fn add(&mut self, kind: LinkType, interface: &str) -> Result<Program, BpfError> {
        let program = bpf::compile_for_interface(&self.expression, interface, kind)?;
        self.programs.insert(kind, program.clone());
        Ok(program)
    }
}
