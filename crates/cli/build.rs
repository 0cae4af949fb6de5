//! Tells the program which commit it is made of, when that is known, and where DuckDB's library is.

use std::process::Command;

fn main() {
    library();
    println!("cargo:rerun-if-env-changed=NETWATCH_COMMIT");
    println!("cargo:rerun-if-changed=../../.git/HEAD");
    println!("cargo:rerun-if-changed=../../.git/refs/heads");
    let given = std::env::var("NETWATCH_COMMIT").ok();
    let commit = given.or_else(|| {
        let output = Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    });
    println!("cargo:rustc-env=NETWATCH_COMMIT={}", commit.unwrap_or_default());
}

/// Writes the folder of DuckDB's library into the binary, so that it runs without cargo. Packages have DuckDB inside and need none.
fn library() {
    println!("cargo:rerun-if-env-changed=DUCKDB_LIB_DIR");
    if std::env::var_os("CARGO_FEATURE_BUNDLED").is_some() {
        return;
    }
    let folder = std::env::var_os("DUCKDB_LIB_DIR").map(std::path::PathBuf::from).unwrap_or_default();
    if let Ok(folder) = folder.canonicalize() {
        println!("cargo:rustc-link-arg-bins=-Wl,-rpath,{}", folder.display());
    }
}
