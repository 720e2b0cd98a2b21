#!/usr/bin/env bash
# Walks Bluesky's own server: account, post, the same post again, reply, picture, repost, follow, timeline, delete, a wipe
# of 250 posts and one of all the rest, by the code that posts in production. Needs Node 20 and npm; the server is installed once
# into ~/.cache/flockwork-ci (or FLOCKWORK_CI_CACHE), runs on loopback, and is gone afterwards.
#
# usage: .ci/bluesky_peer.sh [-- WORDS FOR THE WALK]
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null

PDS_VERSION=0.4.217
PLC_SERVER_VERSION=0.0.1
PLC_LIB_VERSION=0.0.4
# Node 24 crashes this PDS, and later PDSes need a later Node (tried 2026-11).
NODE_MAJOR=20
# So short that the walk sees tokens expire; production gives 2 hours.
ACCESS_SECONDS=8

cache=${FLOCKWORK_CI_CACHE:-$HOME/.cache/flockwork-ci}
install=$cache/bluesky-pds-$PDS_VERSION-$PLC_SERVER_VERSION-$PLC_LIB_VERSION
work=$(mktemp -d)
server=
finish() {
  [[ -z $server ]] || { kill "$server" 2>/dev/null && wait "$server" || true; }
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

node_major=$(node --version | sed 's/^v\([0-9]*\).*/\1/')
if [[ $node_major != "$NODE_MAJOR" ]]; then
  echo "the PDS needs Node $NODE_MAJOR; this is $(node --version)" >&2
  exit 1
fi
if [[ ! -e $install/complete ]]; then
  rm -rf "$install"
  mkdir -p "$install"
  (cd "$install" && npm install --no-audit --no-fund --loglevel=error \
    "@atproto/pds@$PDS_VERSION" "@did-plc/server@$PLC_SERVER_VERSION" "@did-plc/lib@$PLC_LIB_VERSION")
  touch "$install/complete"
fi

: >"$work/server.log"
# Its logs would be longer than ours.
ACCESS_SECONDS=$ACCESS_SECONDS LOG_ENABLED=false \
  node .ci/bluesky_pds.mjs "$install/node_modules" "$work/data" >"$work/server.log" 2>&1 &
server=$!
for _ in {1..150}; do
  ready=$(grep -m1 '^{"url"' "$work/server.log" || true)
  [[ -z $ready ]] || break
  if ! kill -0 "$server" 2>/dev/null; then break; fi
  sleep 0.2
done
if [[ -z $ready ]]; then
  echo "the PDS did not start:" >&2
  tail -n 20 "$work/server.log" >&2
  exit 1
fi
echo "@atproto/pds $PDS_VERSION: $ready"

field() { # NAME, of the JSON on stdin
  node -pe 'JSON.parse(require("fs").readFileSync(0))[process.argv[1]]' "$1"
}
url=$(field url <<<"$ready")
behind=$(field behind <<<"$ready")

call() { # METHOD TOKEN INPUT
  curl --silent --show-error --fail-with-body --max-time 20 --header 'Content-Type: application/json' \
    ${2:+--header "Authorization: Bearer $2"} --data "$3" "$behind/xrpc/com.atproto.$1"
}
handle=dolly.test
account=$(call server.createAccount "" \
  "{\"email\":\"dolly@flock.test\",\"handle\":\"$handle\",\"password\":\"of-the-owner\"}")
app_password=$(call server.createAppPassword "$(field accessJwt <<<"$account")" '{"name":"flockwork"}' | field password)
# Somebody who can be followed.
other=polly.test
call server.createAccount "" \
  "{\"email\":\"polly@flock.test\",\"handle\":\"$other\",\"password\":\"of-another\"}" >"$work/other.json"
echo "{\"app_password\":\"$app_password\",\"url\":\"$url\"}" >"$work/key.json"

cargo run --quiet --package flock-tests --example network-walk -- \
  bluesky --url "$url" --behind "$behind" --handle "$handle" --other "$other" --key "$work/key.json" \
  "${@:2}"
