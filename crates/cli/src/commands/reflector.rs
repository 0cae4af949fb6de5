//! `netwatch reflector`: answers STAMP test packets of those that it knows (RFC 8762).
//!
//! The sockets are bound first, then every right is given up, all of it on one thread: what comes from the wire is judged without rights.

use std::path::Path;

use anyhow::Context as _;
use netwatch_probes::reflector::{Config, Handle, Limits, Reflector, Refusal};
use netwatch_wire::stamp::Key;

use super::serving::{Signals, give_up_rights, list, tell};
use crate::args::{Cli, Overrides, ReflectorArgs};
use crate::failure::{Outcome, usage};

/// The longest file with a key, octets.
const MAX_KEY: usize = 4096;

pub fn run(cli: &Cli, args: &ReflectorArgs) -> Outcome {
    super::settings(cli, Overrides::default())?;
    let key = args.key_file.as_deref().map(read_key).transpose()?;
    let limits = Limits { rate: args.rate, ..Limits::default() };
    let config = Config { listen: args.listen.clone(), allow: args.allow.clone(), key, limits };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot wait for packets")?;
    let entered = runtime.enter();
    let reflector = Reflector::bind(config).map_err(anyhow::Error::new)?;
    let signals = Signals::watch()?;
    drop(entered);
    give_up_rights()?;
    let places: Vec<String> = reflector.addresses().iter().map(ToString::to_string).collect();
    let whom = if args.allow.is_empty() { "this host alone".to_owned() } else { list(&args.allow) };
    tell(&format!("reflecting at {} for {whom}; Ctrl-C ends", places.join(", ")))?;
    let handle = reflector.handle();
    runtime.block_on(async {
        tokio::select! {
            () = reflector.run() => {}
            () = signals.asked_to_end() => {}
        }
    });
    tell(&summary(&handle))
}

fn read_key(path: &Path) -> Result<Key, crate::failure::Failure> {
    let shown = crate::failure::visible(&path.display().to_string());
    let bytes = std::fs::read(path).with_context(|| format!("the key file {shown} cannot be read"))?;
    let secret = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    if secret.is_empty() || secret.len() > MAX_KEY {
        return Err(usage(format!("the key file {shown} must hold 1 to {MAX_KEY} octets")));
    }
    Ok(Key::new(secret))
}

fn summary(handle: &Handle) -> String {
    let refused = Refusal::ALL.into_iter().map(|why| (why, handle.refused(why))).filter(|(_, count)| *count > 0);
    let refused: Vec<String> = refused.map(|(why, count)| format!("{count} {}", why.as_str())).collect();
    let refused = if refused.is_empty() { "none".to_owned() } else { refused.join(", ") };
    format!("answered {} packets; refused: {refused}", handle.answered())
}
