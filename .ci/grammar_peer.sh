#!/usr/bin/env bash
# Draws texts of 200 grammars as we do and as Tracery's own library does, prints every difference and fails on any:
# .ci/grammar_peer.sh [CACHE [SEED...]]. Needs Node 20 or later and, once, the npm registry.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null

GRAMMARS=200
PACKAGE=tracery-grammar@2.8.4
INTEGRITY=sha512-jUo1Qn1BY6dmlidn8pvbEiVOGVPcw19Qi+6CC+DrS4uJYFfVYLA//KguHU2bDfZrOFxlPkZfN7qf63elYm2pSQ==

cache=${1:-${FLOCKWORK_CI_CACHE:-$HOME/.cache/flockwork-ci}}
seeds=("${@:2}")
((${#seeds[@]})) || seeds=(1)
library=$cache/$PACKAGE
if [[ ! -e $library/complete ]]; then
  rm -rf "$library"
  mkdir -p "$library"
  npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$library" "$PACKAGE"
  grep -qF "\"$INTEGRITY\"" "$library/package-lock.json" || { echo "$PACKAGE is not what it was" >&2; exit 1; }
  touch "$library/complete"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cargo build --quiet --locked --package flock-core --example draw
for seed in "${seeds[@]}"; do
  echo "seed $seed:"
  node .ci/grammar_peer.cjs "$library/node_modules" "${CARGO_TARGET_DIR:-target}/debug/examples/draw" "$work" "$GRAMMARS" "$seed"
done
