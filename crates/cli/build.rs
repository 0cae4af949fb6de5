//! Tells the program which commit it is made of, when that is known.

use std::process::Command;

fn main() {
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
