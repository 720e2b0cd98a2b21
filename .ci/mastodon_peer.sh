#!/usr/bin/env bash
# Walks snac2, a server that speaks Mastodon's API: sign-in on its pages, check, account, post, the same post again, reply, picture, repost, timeline,
# delete, and a wipe that says of all posts that they stayed, by the code that posts in production. It ignores
# Idempotency-Key, pages and deletions, so it is the harder half.
# Debian's package is fetched by apt-get into ~/.cache/flockwork-ci (or FLOCKWORK_CI_CACHE), with the libraries this
# machine lacks; nothing is installed. The server runs on loopback, and is gone afterwards.
#
# usage: .ci/mastodon_peer.sh [WORDS FOR THE WALK]
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null

# 2.75 there (2026-11).
SUITE=bookworm-backports
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

cache=${FLOCKWORK_CI_CACHE:-$HOME/.cache/flockwork-ci}
install=$cache/snac2-$SUITE
work=$(mktemp -d)
server=
finish() {
  [[ -z $server ]] || { kill "$server" 2>/dev/null && wait "$server" || true; }
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Lists and archives of our own: what is asked for here is none of the system's business.
fetch() {
  local apt=$install/apt options=()
  mkdir -p "$apt"/{lists/partial,archives/partial} "$install/root"
  local suite
  for suite in bookworm "$SUITE"; do
    echo "deb [signed-by=$KEYRING] http://deb.debian.org/debian $suite main"
  done >"$apt/sources.list"
  options=(
    -o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::State::lists=$apt/lists" -o "Dir::Cache::archives=$apt/archives"
    -o "Dir::Cache::pkgcache=$apt/pkgcache.bin" -o "Dir::Cache::srcpkgcache=$apt/srcpkgcache.bin"
    -o APT::Sandbox::User=root -o Debug::NoLocking=1 -o Acquire::Languages=none
  )
  apt-get --quiet=2 "${options[@]}" update
  apt-get --quiet=2 "${options[@]}" --download-only --yes --no-install-recommends install "snac2/$SUITE" >/dev/null
  local package
  for package in "$apt"/archives/*.deb; do
    dpkg -x "$package" "$install/root"
  done
  rm -r "$apt"
  touch "$install/complete"
}

if [[ ! -e $install/complete ]]; then
  if ! command -v apt-get dpkg >/dev/null || [[ ! -e $KEYRING ]]; then
    echo "snac2 is fetched with Debian's apt-get, which is not here" >&2
    exit 1
  fi
  rm -rf "$install"
  fetch
fi
libraries=$(find "$install/root" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
snac() {
  LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} "$install/root/usr/bin/snac" "$@"
}

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
url=http://127.0.0.1:$port
data=$work/data
printf '127.0.0.1\n%s\n127.0.0.1:%s\n\nadmin@example.com\n' "$port" "$port" | snac init "$data" >"$work/init.log"
set_json() { # FILE NAME VALUE
  python3 - "$@" <<'PY'
import json, sys
path, name, value = sys.argv[1:]
with open(path) as file:
    fields = json.load(file)
fields[name] = json.loads(value)
with open(path, "w") as file:
    json.dump(fields, file)
PY
}
set_json "$data/server.json" protocol '"http"'
password=$(snac adduser "$data" flock 2>&1 | sed -n 's/^User password is //p')
# Somebody who can be followed.
snac adduser "$data" polly >"$work/other.log" 2>&1
# What a bot has to say of itself; without it nothing would be posted.
set_json "$data/user/flock/user.json" bot true

# Not by way of the function, so that the process to stop is the server's own.
LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} "$install/root/usr/bin/snac" httpd "$data" \
  >"$work/server.log" 2>&1 &
server=$!
for _ in {1..100}; do
  if version=$(curl --silent --fail --max-time 2 "$url/api/v1/instance" | sed -n 's/.*"version": "\(.*\)",/\1/p'); then break; fi
  if ! kill -0 "$server" 2>/dev/null; then break; fi
  sleep 0.1
done
if [[ -z ${version:-} ]]; then
  echo "snac did not start:" >&2
  tail -n 20 "$work/server.log" >&2
  exit 1
fi
echo "snac2: $version at $url"

echo "{\"password\":\"$password\"}" >"$work/key.json"
cargo run --quiet --package flock-tests --example network-walk -- \
  mastodon --url "$url" --handle flock@snac.test --other polly@snac.test --key "$work/key.json" "$@"
