#!/usr/bin/env bash
# Signs in, by the code that does so in production, at a provider that others have written: PyPI's oauthlib checks what we send.
# Both ways, a PIN and an address; posts, renews twice, and shows a refresh token that was used. It listens on loopback, and is
# gone afterwards.
#
# usage: .ci/x_oauth_peer.sh, with Flask and oauthlib of .ci/requirements.txt for `python`
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null

work=$(mktemp -d)
server=
finish() {
  [[ -z $server ]] || { kill "$server" 2>/dev/null && wait "$server" || true; }
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
url=http://127.0.0.1:$port
python .ci/x_oauth_peer.py "$port" >"$work/server.log" 2>&1 &
server=$!
for _ in {1..100}; do
  if curl --silent --fail --max-time 2 "$url/seen" >/dev/null; then started=yes; break; fi
  if ! kill -0 "$server" 2>/dev/null; then break; fi
  sleep 0.1
done
if [[ -z ${started:-} ]]; then
  echo "the provider did not start:" >&2
  tail -n 20 "$work/server.log" >&2
  exit 1
fi
cargo run --quiet --package flock-tests --example x-oauth-walk -- "$url"
