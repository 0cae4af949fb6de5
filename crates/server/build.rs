//! Has the crate compiled anew when the web app was built.
//!
//! A directory that is missing would count as changed at every build, so an empty one is made; the crate then has a page that says how
//! to build the web app.

fn main() {
    // Cargo runs this in the folder of the crate.
    let dist = "../../web/dist";
    // A source tree that cannot be written to only costs builds.
    let _made = std::fs::create_dir_all(dist);
    println!("cargo:rerun-if-changed={dist}");
    println!("cargo:rerun-if-changed=build.rs");
}
