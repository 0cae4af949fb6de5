#!/usr/bin/env bash
# Clippy for the agent alone on the systems on which nothing runs here. `scripts/ports.sh lint [ARGUMENTS OF CARGO]`
# A target without Rust's libraries on this machine is skipped, and said to be; `make ports` installs them.
set -euo pipefail
cd "$(dirname "$0")/.."
[ "${1:-}" = lint ] || { echo "usage: scripts/ports.sh lint [ARGUMENTS OF CARGO]" >&2; exit 1; }
shift

installed=$(rustup target list --installed 2>/dev/null || true)
for target in x86_64-pc-windows-gnu x86_64-apple-darwin; do
  if ! grep -qx "$target" <<<"$installed"; then
    echo "skipped: Rust's libraries for $target are not installed"
    continue
  fi
  # Nothing is linked, so what is written in C needs no compiler for that system.
  under=${target//-/_}
  env "CC_$under=true" "AR_$under=true" \
    cargo clippy --quiet --target "$target" --package netwatch-cli --no-default-features --features agent "$@" -- -D warnings
done
