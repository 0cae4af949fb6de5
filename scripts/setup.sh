#!/usr/bin/env bash
# Installs what is missing for `make build` (scripts/setup.sh build) or `make test` (scripts/setup.sh test), and nothing else.
# Debian packages need root, or sudo without a password; with neither, the command to run is printed.
set -euo pipefail
cd "$(dirname "$0")/.."

# What is looked for : the Debian package that holds it. A leading / is a file (a pattern), anything else a command.
build_needs=(cc:gcc make:make /usr/include/stdlib.h:libc6-dev)
test_needs=(
  ip:iproute2 ping:iputils-ping ethtool:ethtool nft:nftables tshark:tshark tcpdump:tcpdump nfdump:nfdump softflowd:softflowd
  pmacctd:pmacct iperf3:iperf3 curl:curl dig:bind9-dnsutils dnsmasq:dnsmasq-base snmpd:snmpd sshd:openssh-server ssh:openssh-client chromium:chromium
  prometheus:prometheus prometheus-blackbox-exporter:prometheus-blackbox-exporter python3:python3 ps:procps '/usr/lib/*/libpcap.so.0.8:libpcap0.8' mkfs.xfs:xfsprogs mkfs.ext4:e2fsprogs setpriv:util-linux
)

# A compiler of C that makes programs for Windows.
ports_needs=(x86_64-w64-mingw32-gcc:gcc-mingw-w64-x86-64)
bench_needs=(
  ip:iproute2 nfpcapd:nfdump softflowd:softflowd pmacctd:pmacct prometheus:prometheus victoria-metrics:victoria-metrics
)

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

# Servers live in sbin, which is not on every user's path.
have() {
  case $1 in
    /*) compgen -G "$1" >/dev/null ;;
    *) PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null ;;
  esac
}

missing_packages() {
  local need
  for need in "$@"; do
    have "${need%%:*}" || printf '%s\n' "${need#*:}"
  done
}

# Keeps the services of freshly installed packages (an SSH server among them) from being started.
with_services_off() {
  local policy=/usr/sbin/policy-rc.d
  if [ -e "$policy" ]; then
    "${root[@]}" "$@"
    return
  fi
  # Also when this is interrupted: the file would keep services of later installations from starting, too.
  trap '"${root[@]}" rm -f /usr/sbin/policy-rc.d' EXIT
  printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee "$policy" >/dev/null
  "${root[@]}" chmod 755 "$policy"
  "${root[@]}" "$@"
  "${root[@]}" rm -f "$policy"
  trap - EXIT
}

install_packages() {
  local packages=("$@")
  root=()
  [ ${#packages[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || fail "missing: ${packages[*]} (names of the Debian packages); install them and try again"
  if [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2>/dev/null || fail "missing: ${packages[*]}; run: sudo apt-get install --no-install-recommends ${packages[*]}"
    root=(sudo -n)
  fi
  say "installing ${packages[*]}"
  root+=(env DEBIAN_FRONTEND=noninteractive)
  "${root[@]}" apt-get update -qq
  with_services_off apt-get install -qq -y --no-install-recommends "${packages[@]}" >/dev/null
}

need_toolchains() {
  command -v cargo >/dev/null || fail "Rust is missing: install it as https://rustup.rs tells, then try again"
  command -v npm >/dev/null || fail "Node.js 20 or newer with npm is missing: install it (nodejs.org), then try again"
}

# npm marks a finished installation by its own copy of the lock file.
install_node_modules() {
  [ -f web/package-lock.json ] || return 0
  if [ web/node_modules/.package-lock.json -nt web/package-lock.json ]; then
    return 0
  fi
  say "npm ci"
  (cd web && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-audit --no-fund --loglevel=error >&2)
  touch web/node_modules/.package-lock.json
}

# A real OpenID provider for the tests of signing in.
install_identity_provider() {
  local folder=crates/server/tests/identity-provider
  if [ "$folder/node_modules/.package-lock.json" -nt "$folder/package-lock.json" ]; then
    return 0
  fi
  say "npm ci in $folder"
  (cd "$folder" && npm ci --no-audit --no-fund --loglevel=error >&2)
  touch "$folder/node_modules/.package-lock.json"
}

install_nextest() {
  command -v cargo-nextest >/dev/null && return 0
  say "cargo install cargo-nextest"
  cargo install --quiet --locked --no-default-features --features default-no-update cargo-nextest
}

install_targets() {
  command -v rustup >/dev/null || fail "rustup is missing: it installs Rust's libraries for other systems (https://rustup.rs)"
  rustup --quiet target add x86_64-pc-windows-gnu x86_64-apple-darwin
}

case "${1:-}" in
  build) needs=("${build_needs[@]}") ;;
  test) needs=("${build_needs[@]}" "${test_needs[@]}") ;;
  bench) needs=("${build_needs[@]}" "${bench_needs[@]}") ;;
  ports) needs=("${build_needs[@]}" "${ports_needs[@]}") ;;
  *) fail "usage: scripts/setup.sh build|test|bench|ports" ;;
esac

need_toolchains
mapfile -t packages < <(missing_packages "${needs[@]}")
install_packages ${packages[@]+"${packages[@]}"}
install_node_modules
scripts/duckdb.sh
if [ "$1" = test ]; then
  install_identity_provider
  install_nextest
fi
if [ "$1" = ports ]; then
  install_targets
fi
