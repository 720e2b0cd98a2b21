#!/usr/bin/env bash
# Opens the keymaker's pages in headless Chromium, on a phone and a desk, light and dark: axe has no finding on any, nothing is wider than
# the screen, the policy lets the style in and the form out, and signing in works without scripts: .ci/pages_axe.sh [CACHE [PICTURES]].
# Needs Node 20 or later, once the npm registry, and Chromium: CHROMIUM, or /usr/bin/chromium, which apt-get installs where it is not there.
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
run=
finish() {
  [[ -z $run ]] || kill "$run" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT
flockwork=${CARGO_TARGET_DIR:-target}/debug/flockwork
"$flockwork" --data "$work/data" run --listen 127.0.0.1:0 >"$work/log" 2>&1 &
run=$!
CHROMIUM=$chromium node .ci/pages_axe.mjs "$library/node_modules" "$flockwork" "$work/data" "${2:-$work}" || {
  cat "$work/log" >&2
  exit 1
}
