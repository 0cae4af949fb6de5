//! The Rust of the proto files: messages by prost, client and server by tonic, with protox in the place of protoc.

use std::path::Path;
use std::{env, fs, io};

const PROTO: &str = "crates/api/proto";
const FILE: &str = "netwatch/agent/v1/agent.proto";
/// Prost names its files after the package.
const GENERATED: &str = "netwatch.agent.v1.rs";
/// What the generated file begins with.
const HEAD: &str = "//! Messages and calls of agents, generated of `netwatch/agent/v1/agent.proto` by `cargo xtask codegen`: not edited by hand.\n\n";

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot compile {FILE}")]
    Compile(#[source] Box<protox::Error>),
    #[error("cannot write the generated code below {folder}")]
    Generate { folder: String, source: io::Error },
}

/// The module of the messages of agents.
pub fn generate(root: &Path) -> Result<String, Error> {
    let set = protox::compile([FILE], [root.join(PROTO)]).map_err(|error| Error::Compile(Box::new(error)))?;
    let folder = env::temp_dir().join(format!("netwatch-codegen-{}", std::process::id()));
    let fail = |source| Error::Generate { folder: folder.display().to_string(), source };
    fs::create_dir_all(&folder).map_err(fail)?;
    let text = tonic_prost_build::configure()
        .build_transport(false)
        .bytes(".netwatch.agent.v1")
        .btree_map(".netwatch.agent.v1")
        .out_dir(&folder)
        .compile_fds(set)
        .and_then(|()| fs::read_to_string(folder.join(GENERATED)));
    fs::remove_dir_all(&folder).map_err(fail)?;
    text.map(|text| format!("{HEAD}{text}")).map_err(fail)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With `UPDATE` set it writes the file instead, as the test of the OpenAPI document does.
    #[test]
    fn the_generated_messages_are_those_of_the_proto_file() {
        let root = Path::new("..");
        let (fresh, path) = (generate(root).unwrap(), root.join(super::super::MESSAGES));
        if env::var_os("UPDATE").is_some() {
            fs::write(&path, &fresh).unwrap();
        }
        assert!(fs::read_to_string(&path).unwrap() == fresh, "out of date: run `cargo xtask codegen`");
    }
}
