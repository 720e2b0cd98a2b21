#!/usr/bin/env bash
# Counts 10,000 random texts as we do and as X's official library does, prints every difference and fails on any:
# .ci/x_text_test.sh [CACHE [SEED...]]. Also checks that the tables of x_text.rs are what the library has.
# Needs Node 20 or later and, once, the npm registry.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null

TEXTS=10000
# The second and third are what the first brings.
PACKAGES=(twitter-text@3.1.0 twemoji-parser@11.0.2 punycode@1.4.1)

cache=${1:-${FLOCKWORK_CI_CACHE:-$HOME/.cache/flockwork-ci}}
seeds=("${@:2}")
((${#seeds[@]})) || seeds=(1)
library=$cache/$(tr ' ' '+' <<<"${PACKAGES[*]}")
if [[ ! -e $library/complete ]]; then
  rm -rf "$library"
  mkdir -p "$library"
  npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$library" "${PACKAGES[@]}"
  touch "$library/complete"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

committed=$(dirname "$(find shared/flock-core/src -name tlds.txt)")
mkdir "$work/tables"
node .ci/x_text_data.cjs "$library/node_modules" "$work/tables"
rustfmt --edition 2024 --config-path . "$work/tables/emoji.rs"
diff -r "$committed" "$work/tables"
echo "the tables are those of ${PACKAGES[*]}"

cargo build --quiet --locked --package flock-core --example x_length
ours=${CARGO_TARGET_DIR:-target}/debug/examples/x_length
failed=0
for seed in "${seeds[@]}"; do
  node .ci/x_text_peer.cjs "$library/node_modules" texts "$TEXTS" "$seed" >"$work/texts"
  node .ci/x_text_peer.cjs "$library/node_modules" count <"$work/texts" >"$work/theirs"
  "$ours" <"$work/texts" >"$work/ours"
  for file in texts theirs ours; do
    (($(wc -l <"$work/$file") == TEXTS)) || { echo "$file: not $TEXTS lines" >&2; exit 1; }
  done
  different=$(paste -d '\t' "$work/theirs" "$work/ours" "$work/texts" |
    awk -F '\t' '$1 != $2 { print "  the library counts " $1 ", we " $2 ": " $3 }')
  count=$(grep -c . <<<"$different" || true)
  links=$(awk '{ links += $2; with += $2 > 0 } END { print links " links in " with " of them" }' "$work/theirs")
  echo "seed $seed: $((TEXTS - count)) of $TEXTS texts agree (length and number of links); $links"
  if ((count)); then
    printf '%s\n' "$different"
    failed=1
  fi
done
exit "$failed"
