#!/usr/bin/env bash
# Makes a Debian package and an archive of a finished binary: scripts/package.sh BINARY FOLDER.
# Manual pages, completions and the sample configuration are made by the binary itself.
set -euo pipefail
cd "$(dirname "$0")/.."

binary=$1
out=$2
command -v dpkg-deb >/dev/null || { echo "package: dpkg-deb is missing; it comes with Debian" >&2; exit 1; }

version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
architecture=$(dpkg --print-architecture)
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
root="$stage/netwatch_${version}_${architecture}"

put() { install -D -m "$1" "$2" "$root/$3"; }

put 755 "$binary" usr/bin/netwatch
put 644 deploy/netwatch.service lib/systemd/system/netwatch.service

"$binary" man "$stage/man"
for page in "$stage"/man/*; do
  gzip -9n "$page"
  put 644 "$page.gz" "usr/share/man/man1/${page##*/}.gz"
done

"$binary" completions bash >"$stage/bash" && put 644 "$stage/bash" usr/share/bash-completion/completions/netwatch
"$binary" completions zsh >"$stage/zsh" && put 644 "$stage/zsh" usr/share/zsh/vendor-completions/_netwatch
"$binary" completions fish >"$stage/fish" && put 644 "$stage/fish" usr/share/fish/vendor_completions.d/netwatch.fish

doc=usr/share/doc/netwatch
"$binary" config sample >"$stage/netwatch.yaml" && put 644 "$stage/netwatch.yaml" "$doc/examples/netwatch.yaml"
put 644 deploy/processes.conf "$doc/examples/processes.conf"
gzip -9nc CHANGELOG.md >"$stage/changelog.gz" && put 644 "$stage/changelog.gz" "$doc/changelog.gz"
put 644 README.md "$doc/README.md"
cat >"$stage/copyright" <<END
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: netwatch
Source: https://github.com/netwatch/netwatch

Files: *
Copyright: The Netwatch authors
License: Apache-2.0
 On Debian systems the text is in /usr/share/common-licenses/Apache-2.0.
END
put 644 "$stage/copyright" "$doc/copyright"

mkdir -p "$out"
tar -C "$stage" --sort=name --owner=0 --group=0 --numeric-owner -czf "$out/${root##*/}.tar.gz" "${root##*/}"

mkdir "$root/DEBIAN"
cat >"$root/DEBIAN/control" <<END
Package: netwatch
Version: $version
Architecture: $architecture
Maintainer: The Netwatch authors <netwatch@localhost>
Section: net
Priority: optional
Depends: libc6 (>= 2.34), libgcc-s1
Recommends: libpcap0.8
Installed-Size: $(du -sk --exclude=DEBIAN "$root" | cut -f1)
Homepage: https://github.com/netwatch/netwatch
Description: see who uses the network of this machine, live
 Netwatch captures packets, turns them into two-way flow records with TCP
 quality, names and processes, and shows them in the browser, in the terminal
 and through an API. The service is installed but not started:
 "systemctl enable --now netwatch" starts it.
END
# An upgrade restarts the service if it runs; the end of the package stops it, and a purge takes what it has kept.
cat >"$root/DEBIAN/postinst" <<'END'
#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  if [ "$1" = configure ] && [ -n "$2" ]; then systemctl try-restart netwatch.service; fi
fi
END
cat >"$root/DEBIAN/prerm" <<'END'
#!/bin/sh
set -e
if [ -d /run/systemd/system ] && [ "$1" = remove ]; then systemctl disable --now netwatch.service || true; fi
END
cat >"$root/DEBIAN/postrm" <<'END'
#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
if [ "$1" = purge ]; then rm -rf /var/lib/private/netwatch /var/lib/netwatch; fi
END
chmod 755 "$root"/DEBIAN/p*
dpkg-deb --root-owner-group -Zxz --build "$root" "$out/${root##*/}.deb" >/dev/null
printf 'package: %s\n' "$out/${root##*/}.deb" "$out/${root##*/}.tar.gz"
