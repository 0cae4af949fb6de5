//! The binary `netwatch`.
fn main() {}
