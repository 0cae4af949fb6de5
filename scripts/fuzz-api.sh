#!/usr/bin/env bash
# Has Schemathesis ask a Netwatch of its own everything that its OpenAPI document allows, and what it does not.
# Usage: scripts/fuzz-api.sh BINARY [SECONDS]
set -euo pipefail
cd "$(dirname "$0")/.."

binary=$(realpath "$1")
seconds=${2:-110}
tools=${XDG_CACHE_HOME:-$HOME/.cache}/netwatch/schemathesis
version=4.32.5

# Not of the kind that ends, or that can be answered by this client: streams. Not sent: restoring a backup, which ends all sessions.
excluded=(follow_events open_stream restore_backup)

if ! "$tools/bin/schemathesis" --version 2>/dev/null | grep -qF "$version"; then
  python3 -m venv "$tools"
  "$tools/bin/pip" install --quiet "schemathesis==$version"
fi

work=$(mktemp -d)
finish() {
  if [ -n "${server:-}" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap finish EXIT

NETWATCH_SERVER__RATE_LIMIT=0 "$binary" up --interface lo --listen 127.0.0.1:0 --data-dir "$work/data" \
  >"$work/out" 2>"$work/log" &
server=$!
for _ in $(seq 100); do
  grep -q http:// "$work/out" && break
  kill -0 "$server" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
  sleep 0.1
done
base=$(grep -o 'http://[^/]*' "$work/out")
token=$(cat "$work/data/token")
curl --silent --fail --header "Authorization: Bearer $token" "$base/api/v1/openapi.json" >"$work/openapi.json"

arguments=()
for id in "${excluded[@]}"; do arguments+=(--exclude-operation-id "$id"); done
checks=not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance
status=0
cd "$work"
"$tools/bin/schemathesis" run openapi.json --url "$base" --header "Authorization: Bearer $token" \
  --phases coverage,fuzzing --max-examples 20 --workers 2 --max-time "$seconds" --request-timeout 20 --warnings off \
  --checks "$checks" "${arguments[@]}" || status=$?
if grep -q 'panicked at' "$work/log"; then
  echo "fuzz-api: the server panicked:" >&2
  grep -A3 'panicked at' "$work/log" >&2
  status=1
fi
exit "$status"
