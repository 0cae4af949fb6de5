//! Lets programs and tests of this workspace find DuckDB's library when cargo runs them.
//!
//! Cargo puts folders of libraries on the loader's path only when they lie in the target folder, so a link to the library is made
//! there. The binary `netwatch` runs without cargo: its own build script writes the folder into it.

use std::path::{Path, PathBuf};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=DUCKDB_LIB_DIR");
    if std::env::var_os("CARGO_FEATURE_BUNDLED").is_some() {
        return;
    }
    let folder = std::env::var_os("DUCKDB_LIB_DIR").map(PathBuf::from).unwrap_or_default();
    let library = folder.join("libduckdb.so");
    println!("cargo:rerun-if-changed={}", library.display());
    let Ok(library) = library.canonicalize() else {
        println!("cargo:warning=DuckDB's library is missing: run scripts/duckdb.sh, or build with --features bundled");
        return;
    };
    let out = std::env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default();
    if let Err(e) = link(&library, &out.join("libduckdb.so")) {
        println!("cargo:warning=tests will not find DuckDB's library: {e}");
    }
    println!("cargo:rustc-link-search=native={}", out.display());
}

fn link(library: &Path, place: &Path) -> std::io::Result<()> {
    if place.symlink_metadata().is_ok() {
        std::fs::remove_file(place)?;
    }
    std::os::unix::fs::symlink(library, place)
}
