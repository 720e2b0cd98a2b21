#!/usr/bin/env bash
# Opens the keymaker's pages in headless Chromium, on a phone and a desk, light and dark: axe has no finding on any, nothing is wider than
# the screen, the policy lets the style in and the form out, and signing in works without scripts. Signs in with it, both ways, at the
# provider that stands for X, and has a flock post with the key: .ci/pages_axe.sh [CACHE [PICTURES]].
# Needs Node 20 or later, once the npm registry, Flask and oauthlib of .ci/requirements.txt for `python`, and Chromium: CHROMIUM, or
# /usr/bin/chromium, which apt-get installs where it is not there.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null

PACKAGES=(axe-core@4.11.0 playwright-core@1.56.0)

chromium=${CHROMIUM:-/usr/bin/chromium}
if [[ -z ${CHROMIUM:-} && ! -x $chromium ]] && command -v apt-get >/dev/null; then
  as_root=()
  ((EUID == 0)) || as_root=(sudo --non-interactive)
  "${as_root[@]}" apt-get --quiet=2 update
  "${as_root[@]}" apt-get --quiet=2 install --yes --no-install-recommends chromium >/dev/null
fi
[[ -x $chromium ]] || { echo "there is no $chromium: install Chromium, or say where it is with CHROMIUM" >&2; exit 1; }
cache=${1:-${FLOCKWORK_CI_CACHE:-$HOME/.cache/flockwork-ci}}
library=$cache/$(tr ' ' '+' <<<"${PACKAGES[*]}")
if [[ ! -e $library/complete ]]; then
  rm -rf "$library"
  mkdir -p "$library"
  npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$library" "${PACKAGES[@]}"
  touch "$library/complete"
fi

cargo build --quiet --locked
work=$(mktemp -d)
started=()
finish() {
  ((${#started[@]} == 0)) || kill "${started[@]}" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT
flockwork=${CARGO_TARGET_DIR:-target}/debug/flockwork

# One run has X's app, whose pages are the provider's, and the provider knows where people come back to.
read -r here there < <(python3 -c '
import socket
both = [socket.socket() for _ in range(2)]
for one in both:
    one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in both))')
python .ci/x_oauth_peer.py "$there" "http://127.0.0.1:$here/keys/callback" >"$work/provider.log" 2>&1 &
started+=($!)
sed "s|^        RUST_LOG: .*|&\n        X_URL: http://127.0.0.1:$there|" template.yaml >"$work/template.yaml"
# Where there are a table and its secrets, the app's can be filled in.
"$flockwork" --data "$work/with-x" flock apply infra/sample-flock >>"$work/log" 2>&1
(umask 077 && cat >"$work/with-x/xapp.secret.json" <<<'{"consumer_key":"peer-consumer","consumer_secret":"peer-hush","client_id":"peer-client","client_secret":"peer-client-hush"}')
"$flockwork" --template "$work/template.yaml" --data "$work/with-x" run --listen "127.0.0.1:$here" >>"$work/log" 2>&1 &
started+=($!)
# The other has none.
"$flockwork" --data "$work/data" run --listen 127.0.0.1:0 >>"$work/log" 2>&1 &
started+=($!)
CHROMIUM=$chromium node .ci/pages_axe.mjs "$library/node_modules" "$flockwork" "$work" "http://127.0.0.1:$there" "${2:-$work}" || {
  cat "$work/log" "$work/provider.log" >&2
  exit 1
}
